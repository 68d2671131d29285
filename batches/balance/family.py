"""One batch's flows: the share of everything behind it that is its own, and what became of it. Pure, in integers.

An ancestor that went into several batches counts with the part that went into this one, pro rata by weight, as the
edges of the lot graph share it out; what came of a blend counts with this batch's part of the blend. Whole grams are
shared out; what rounding leaves over goes to the stage's own gap, so that every knot stays exact.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from batches.balance.flows import End, Knot, Network, end, gap_end, gathered, material, stage
from batches.processes.models import Kind


@dataclass(frozen=True)
class Lot:
    """A batch: its material, how much was made of it and how much of it is left, in grams."""

    id: str
    material: str
    made: int
    left: int


@dataclass(frozen=True)
class Step:
    """One event: batches and grams that went in and came out. `beside`: materials that come as by-products."""

    id: str
    stage: str
    kind: Kind
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    dries: bool = False
    beside: frozenset[str] = frozenset()


Bands = Counter[tuple[Knot, Knot]]


def family(start: Lot, lots: Mapping[str, Lot], above: Sequence[Step], below: Sequence[Step]) -> Network:
    """The bands of `start`: `above` are the events that made it and its ancestors, `below` those that used it and
    its descendants. `lots` has every batch of both."""
    grams: Bands = Counter()
    _behind(grams, start, lots, above)
    _after(grams, start, lots, below)
    return gathered(grams)


def _behind(grams: Bands, start: Lot, lots: Mapping[str, Lot], steps: Sequence[Step]) -> None:
    need: Counter[str] = Counter({start.id: start.made})
    for step in reversed(_in_order(steps)):
        wanted = [(lot, made) for lot, made in step.outputs if need[lot]]
        if not wanted:
            continue
        # A by-product carries nothing of what went in, unless it is the very batch that is asked about.
        aside = all(lots[lot].material in step.beside for lot, _made in wanted)
        carriers = [(lot, made) for lot, made in step.outputs if (lots[lot].material in step.beside) == aside]
        whole = sum(made for _lot, made in carriers)
        asked = sum(need[lot] for lot, _made in carriers)
        others = [(lot, made) for lot, made in step.outputs if (lots[lot].material in step.beside) != aside]
        taken, beside = _parts(step.inputs, asked, whole), _parts(others, asked, whole)
        came = [(lot, need[lot]) for lot, _made in carriers]
        for lot, part in taken:
            need[lot] += part
        _draw(grams, step, _materials(lots, taken), _materials(lots, [*came, *beside]))
        for key, part in _materials(lots, beside):
            grams[material(key), end(End.BESIDE)] += part
    made = {lot for step in steps for lot, _made in step.outputs}
    for lot, amount in need.items():
        if lot not in made:
            grams[end(End.MISSING), material(lots[lot].material)] += amount


def _after(grams: Bands, start: Lot, lots: Mapping[str, Lot], steps: Sequence[Step]) -> None:
    have: Counter[str] = Counter({start.id: start.made})
    used: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for step in _in_order(steps):
        taken = []
        for lot, part in step.inputs:
            if have[lot] and lots[lot].made:
                share = _share(have[lot], lots[lot].made, used[lot], part)
                taken.append((lot, share))
                given[lot] += share
            used[lot] += part
        ours, whole = sum(part for _lot, part in taken), sum(part for _lot, part in step.inputs)
        if not ours:
            continue
        came = _parts(step.outputs, ours, whole)
        for lot, part in came:
            have[lot] += part
        _draw(grams, step, _materials(lots, taken), _materials(lots, came))
    for lot, amount in have.items():
        rest = amount - given[lot]
        left = min(rest, _share(amount, lots[lot].made, used[lot], lots[lot].left)) if lots[lot].made else 0
        knot = material(lots[lot].material)
        grams[knot, end(End.LEFT)] += max(left, 0)
        grams[knot, end(End.UNCLEAR)] += max(rest - max(left, 0), 0)
        grams[end(End.MISSING), knot] += max(-rest, 0)


def _share(amount: int, whole: int, before: int, part: int) -> int:
    """The part of `amount` that goes with `part` of `whole` after `before`; all parts together give exactly it."""
    return amount * (before + part) // whole - amount * before // whole


def _parts(amounts: Sequence[tuple[str, int]], ours: int, whole: int) -> list[tuple[str, int]]:
    """`ours` of `whole` of these amounts; together exactly that part of their sum, rounded down once."""
    before, found = 0, []
    for lot, amount in amounts:
        found.append((lot, _share(ours, whole, before, amount) if whole else 0))
        before += amount
    return found


def _materials(lots: Mapping[str, Lot], amounts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(lots[lot].material, amount) for lot, amount in amounts]


def _draw(grams: Bands, step: Step, took: Sequence[tuple[str, int]], gave: Sequence[tuple[str, int]]) -> None:
    """The bands of one event's share, by material."""
    gap = sum(part for _key, part in took) - sum(part for _key, part in gave)
    away = end(gap_end(step.kind, dries=step.dries))
    match step.kind:
        case Kind.COMMISSION | Kind.BUY:
            source = end(End.HARVEST if step.kind is Kind.COMMISSION else End.OUTSIDE)
            for key, part in gave:
                grams[source, material(key)] += part
        case Kind.DISPATCH | Kind.LOSE:
            for key, part in took:
                grams[material(key), end(End.SOLD if step.kind is Kind.DISPATCH else End.LOST)] += part
        case Kind.SPLIT | Kind.MERGE:
            where = material((took or gave)[0][0])
            grams[where, away] += max(gap, 0)
            grams[end(End.MISSING), where] += max(-gap, 0)
        case _:
            for key, part in took:
                grams[material(key), stage(step.stage)] += part
            for key, part in gave:
                grams[stage(step.stage), material(key)] += part
            grams[stage(step.stage), away] += max(gap, 0)
            source = end(End.ADDED if step.kind is Kind.TRANSFORM else End.MISSING)
            grams[source, stage(step.stage)] += max(-gap, 0)


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """Every event after those that made what it takes."""
    maker = {lot: step.id for step in steps for lot, _made in step.outputs}
    known = {step.id: step for step in steps}
    # Lists and not sets: the order decides where rounding goes, and is the same every time.
    waits = {step.id: [maker[lot] for lot, _part in step.inputs if lot in maker] for step in steps}
    return [known[key] for key in TopologicalSorter(waits).static_order()]
