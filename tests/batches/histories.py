"""Random histories of lots, as the balances read them: harvests, purchases, stages, splits, blends, losses, sales."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import strategies as st

from batches.balance.family import Lot, Step
from batches.balance.flows import Gap, Part
from batches.processes.models import Kind

CHAIN = ("tuber", "wet-starch", "noodles", "packs")
"""Each is made of the one before it; residue comes beside wet starch."""


@dataclass
class History:
    """What happened, in order; `made` and `left` in grams by lot."""

    steps: list[Step] = field(default_factory=list)
    material: dict[str, str] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    @property
    def lots(self) -> dict[str, Lot]:
        return {lot: Lot(lot, self.material[lot], self.made[lot], self.left[lot]) for lot in self.made}

    def born(self, material: str, grams: int) -> tuple[str, int]:
        lot = f"L{len(self.made)}"
        self.material[lot] = material
        self.made[lot] = self.left[lot] = grams
        return lot, grams

    def add(self, kind: Kind, stage: str, took: list[tuple[str, int]], gave: list[tuple[str, int]]) -> None:
        for lot, grams in took:
            self.left[lot] -= grams
        beside = frozenset(("residue",)) if stage == "settle" else frozenset[str]()
        dries = stage == "dry"
        self.steps.append(Step(f"E{len(self.steps)}", stage, kind, tuple(took), tuple(gave), dries, beside))

    def around(self, start: str) -> tuple[list[Step], list[Step]]:
        """The events above and below a lot, found step by step."""
        up, down = {start}, {start}
        above, below = [], []
        for step in reversed(self.steps):
            if any(lot in up for lot, _ in step.outputs):
                above.append(step)
                up |= {lot for lot, _ in step.inputs}
        for step in self.steps:
            if any(lot in down for lot, _ in step.inputs):
                below.append(step)
                down |= {lot for lot, _ in step.outputs}
        return above, below

    def parts(self) -> list[Part]:
        """The whole history summed, as the queries sum it."""
        sums: Counter[tuple[str, Kind, bool, str]] = Counter()
        for step in self.steps:
            for gives, amounts in ((False, step.inputs), (True, step.outputs)):
                for lot, grams in amounts:
                    sums[step.stage, step.kind, gives, self.material[lot]] += grams
        return [Part(*key, grams) for key, grams in sums.items()]

    def gaps(self) -> list[Gap]:
        """What each event gave less or more than it took."""
        found = []
        for step in self.steps:
            if step.kind in (Kind.TRANSFORM, Kind.PACK, Kind.SPLIT, Kind.MERGE):
                gap = sum(grams for _, grams in step.inputs) - sum(grams for _, grams in step.outputs)
                material = self.material[step.inputs[0][0]]
                found.append(Gap(step.stage, step.kind, max(gap, 0), max(-gap, 0), step.dries, material))
        return found


@st.composite
def histories(draw: st.DrawFn, most: int = 10**6, part: int = 10**6) -> History:
    """A history of a few dozen events in which nothing is used twice. No amount is less than a `part`th of what it
    could be, so that rounding to whole grams stays small beside large ones."""
    told = History()

    def some(limit: int) -> int:
        return draw(st.integers(max(limit // part, 1), limit))

    told.add(Kind.COMMISSION, "harvest", [], [told.born("tuber", some(most))])
    for _ in range(draw(st.integers(0, 25))):
        act = draw(st.sampled_from(("harvest", "buy", "make", "make", "make", "split", "merge", "lose", "sell")))
        open_lots = [lot for lot in told.made if told.left[lot]]
        if act in ("harvest", "buy") or not open_lots:
            material = "tuber" if act == "harvest" else "wet-starch"
            kind = Kind.COMMISSION if act == "harvest" else Kind.BUY
            told.add(kind, "harvest" if act == "harvest" else "buy", [], [told.born(material, some(most))])
            continue
        lot = draw(st.sampled_from(open_lots))
        material = told.material[lot]
        same = [one for one in open_lots if told.material[one] == material and one != lot]
        picked = [lot, *draw(st.lists(st.sampled_from(same), unique=True, max_size=3))] if same else [lot]
        took = [(one, some(told.left[one])) for one in picked]
        taken = sum(grams for _, grams in took)
        if act in ("lose", "sell"):
            told.add(Kind.LOSE if act == "lose" else Kind.DISPATCH, act, took, [])
        elif act == "split":
            one = some(took[0][1])
            gave = [told.born(material, grams) for grams in (one, took[0][1] - one) if grams]
            told.add(Kind.SPLIT, act, took[:1], gave)
        elif act == "merge" and len(took) > 1:
            told.add(Kind.MERGE, act, took, [told.born(material, max(taken - draw(st.integers(0, 9)), 1))])
        elif material in CHAIN[:-1]:
            place = CHAIN.index(material)
            stage, kind = (("settle", Kind.TRANSFORM), ("dry", Kind.TRANSFORM), ("pack", Kind.PACK))[place]
            limit = taken if kind is Kind.PACK else 2 * taken
            count = 1 if kind is Kind.PACK else draw(st.integers(1, 2))
            gave = [told.born(CHAIN[place + 1], some(limit)) for _ in range(count)]
            if stage == "settle" and draw(st.booleans()):
                gave.append(told.born("residue", some(limit)))
            told.add(kind, stage, took, gave)
    return told
