"""Where the grams went: knots, and the bands between them. Pure, in integers: what goes into a knot comes out of it.

A material is a knot, a stage that changes materials is one, and all that comes from or goes to somewhere else is an
`End`. What the records do not account for is a band of its own (`WATER`, `UNCLEAR`, `MISSING`), and never left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from batches.processes.models import WHOLE, Kind


class End(StrEnum):
    """Where goods come from, or where they go, outside of the stages."""

    HARVEST = "harvest"
    OUTSIDE = "outside"
    """Bought from outside of the village."""
    BEFORE = "before"
    """There already when the span began."""
    RECEIVED = "received"
    """Another household's."""
    ADDED = "added"
    """More came out of a stage than went in: water, by its nature."""
    MISSING = "missing"
    """More was used than the records know of."""
    DRIED = "dried"
    """Water that left in drying."""
    WATER = "water"
    """Water, peel and dust of a stage that does more than dry."""
    LOST = "lost"
    """Recorded as lost."""
    UNCLEAR = "unclear"
    """Gone, and nobody wrote where: packing, splitting, merging."""
    SOLD = "sold"
    GIVEN = "given"
    """Another household worked it up."""
    BESIDE = "beside"
    """By-products that came with a batch, on its picture alone."""
    LEFT = "left"


GONE = frozenset((End.DRIED, End.WATER, End.LOST, End.UNCLEAR))
"""What nobody has any more: drawn hatched."""
FROM_OUTSIDE = frozenset((End.OUTSIDE, End.MISSING))
"""What the village did not make, or cannot show that it did: drawn with a mark."""


class Knot(NamedTuple):
    """A place where bands meet. `key` is a material's, a stage's, or an end's."""

    kind: Literal["material", "stage", "end"]
    key: str


class Flow(NamedTuple):
    """So many grams, more than none, from one knot to another."""

    source: Knot
    target: Knot
    grams: int


@dataclass(frozen=True)
class Part:
    """What the events of one stage took or gave of one material, summed.

    `theirs`: the event is this household's and the goods another's. `by_others`: the other way round.
    """

    stage: str
    kind: Kind
    gives: bool
    material: str
    grams: int
    theirs: bool = False
    by_others: bool = False


@dataclass(frozen=True)
class Gap:
    """What the events of one stage gave less (`short`) and more (`over`) than they took, each event by itself.

    `dries`: only water leaves. `material`: what a split or a merge takes and gives.
    """

    stage: str
    kind: Kind
    short: int
    over: int
    dries: bool = False
    material: str = ""


@dataclass(frozen=True)
class Network:
    """All bands of one process, no two between the same knots."""

    flows: tuple[Flow, ...]

    def between(self, source: Knot | End | None = None, target: Knot | End | None = None) -> int:
        """Grams from `source` to `target`; None stands for any knot."""
        start, stop = _knot(source), _knot(target)
        return sum(
            flow.grams for flow in self.flows if start in (None, flow.source) and stop in (None, flow.target)
        )

    def knots(self, kind: str) -> list[str]:
        """The keys of all knots of a kind, in the order of their first band."""
        found = [knot.key for flow in self.flows for knot in (flow.source, flow.target) if knot.kind == kind]
        return list(dict.fromkeys(found))


def material(key: str) -> Knot:
    """The knot of a material."""
    return Knot("material", key)


def stage(key: str) -> Knot:
    """The knot of a stage."""
    return Knot("stage", key)


def end(which: End) -> Knot:
    """The knot of an end."""
    return Knot("end", which.value)


def _knot(which: Knot | End | None) -> Knot | None:
    return end(which) if isinstance(which, End) else which


def gathered(grams: Mapping[tuple[Knot, Knot], int]) -> Network:
    """A network of these bands, empty ones left out."""
    return Network(tuple(Flow(*way, amount) for way, amount in grams.items() if amount > 0))


def network(
    parts: Iterable[Part], gaps: Iterable[Gap], before: Mapping[str, int], left: Mapping[str, int]
) -> Network:
    """The bands of a span, from all that happened in it and what was there before and is there after, by material.

    Exact when `before` + came in − went out = `left` for each material, as it is when `before` was reckoned back
    from `left`. An amount below nothing means that the records contradict each other, and is shown as such.
    """
    grams: Counter[tuple[Knot, Knot]] = Counter()
    for part in parts:
        for way in _ways(part):
            grams[way] += part.grams
    for gap in gaps:
        where = material(gap.material) if gap.kind in (Kind.SPLIT, Kind.MERGE) else stage(gap.stage)
        grams[where, end(gap_end(gap.kind, dries=gap.dries))] += gap.short
        grams[end(End.ADDED if gap.kind is Kind.TRANSFORM else End.MISSING), where] += gap.over
    for key in sorted({*before, *left}):
        grams[end(End.BEFORE), material(key)] += max(before.get(key, 0), 0)
        grams[material(key), end(End.UNCLEAR)] += max(-before.get(key, 0), 0)
        grams[material(key), end(End.LEFT)] += max(left.get(key, 0), 0)
        grams[end(End.MISSING), material(key)] += max(-left.get(key, 0), 0)
    return gathered(grams)


def gap_end(kind: Kind, *, dries: bool) -> End:
    """Where what a stage gives less than it takes has gone."""
    if kind is not Kind.TRANSFORM:
        return End.UNCLEAR
    return End.DRIED if dries else End.WATER


def _ways(part: Part) -> list[tuple[Knot, Knot]]:
    """The bands that a part is."""
    goods, work = material(part.material), stage(part.stage)
    match part.kind, part.gives:
        case Kind.COMMISSION, True:
            return [(end(End.HARVEST), goods)]
        case Kind.BUY, True:
            return [(end(End.OUTSIDE), goods)]
        case (Kind.TRANSFORM | Kind.PACK), True:
            return [(work, goods)]
        case (Kind.DISPATCH | Kind.LOSE), False:
            # Whoever wrote it down: it is gone from its owner.
            return [] if part.theirs else [(goods, end(End.SOLD if part.kind is Kind.DISPATCH else End.LOST))]
        case _, False if part.by_others:
            return [(goods, end(End.GIVEN))]
        case (Kind.TRANSFORM | Kind.PACK), False:
            return [(end(End.RECEIVED), goods), (goods, work)] if part.theirs else [(goods, work)]
        case (Kind.SPLIT | Kind.MERGE), False if part.theirs:
            return [(end(End.RECEIVED), goods)]
        case _:
            # What is split or merged stays what it is, and looking at it moves nothing.
            return []


def imbalance(whole: Network) -> dict[Knot, int]:
    """Grams that go into a knot and do not come out of it, by knot; empty when the balance is exact."""
    held: Counter[Knot] = Counter()
    for flow in whole.flows:
        held[flow.source] -= flow.grams
        held[flow.target] += flow.grams
    return {knot: grams for knot, grams in held.items() if grams and knot.kind != "end"}


@dataclass(frozen=True)
class StageYield:
    """What a stage gave of what it took: grams, by-products apart. `share` is in basis points."""

    stage: str
    taken: int
    given: int
    beside: int

    @property
    def share(self) -> int:
        return self.given * WHOLE // self.taken if self.taken else 0


def stage_yields(whole: Network, byproducts: Mapping[str, Sequence[str]]) -> list[StageYield]:
    """Each stage's yield. `byproducts` names, for a stage, the materials that come beside."""
    found = []
    for key in whole.knots("stage"):
        taken = sum(f.grams for f in whole.flows if f.target == stage(key) and f.source.kind == "material")
        out = {f.target.key: f.grams for f in whole.flows if f.source == stage(key) and f.target.kind == "material"}
        beside = sum(grams for name, grams in out.items() if name in byproducts.get(key, ()))
        found.append(StageYield(key, taken, sum(out.values()) - beside, beside))
    return found
