"""A balance as a page shows it: the picture, and the same figures as rows."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from batches.balance.drawing import Band, Node, Picture, Stub, draw
from batches.balance.figures import way_of
from batches.balance.flows import FROM_OUTSIDE, GONE, End, Flow, Knot, Network, StageYield, stage_yields
from batches.balance.words import knot_words
from batches.processes.catalogue import versions
from batches.processes.models import Process
from village.i18n import kilograms


@dataclass(frozen=True)
class Row:
    """One band in words."""

    source: str
    target: str
    grams: int
    look: str


@dataclass(frozen=True)
class YieldRow:
    """What a stage gave, in words."""

    stage: str
    yielded: StageYield


@dataclass(frozen=True)
class Balance:
    """Everything that a page says of one network."""

    picture: Picture
    rows: tuple[Row, ...]
    yields: tuple[YieldRow, ...]


def balance(process: Process, whole: Network) -> Balance:
    """The picture and the tables of a network."""
    order = {knot: place for place, knot in enumerate(in_order(process, whole))}
    flows = sorted(whole.flows, key=lambda flow: _place(order, flow))
    rows = [
        Row(knot_words(process, f.source), knot_words(process, f.target), f.grams, look_of(f)) for f in flows
    ]
    found = sorted(
        stage_yields(whole, byproducts(process.key)), key=lambda one: order.get(Knot("stage", one.stage), 0)
    )
    told = [YieldRow(knot_words(process, Knot("stage", one.stage)), one) for one in found]
    return Balance(picture(process, whole, order), tuple(rows), tuple(told))


def picture(process: Process, whole: Network, order: Mapping[Knot, int]) -> Picture:
    """The drawing. A band that would run upward, as no process should have it, is drawn as a pair of stubs."""
    through = {knot: 0 for knot in order}
    nodes, bands, stubs = [], list[Band](), list[Stub]()
    for flow in whole.flows:
        words = f"{knot_words(process, flow.source)} → {knot_words(process, flow.target)}: {kilograms(flow.grams)}"
        for knot in (flow.source, flow.target):
            if knot in through:
                through[knot] += flow.grams
        here, there = order.get(flow.source), order.get(flow.target)
        if here is not None and there is not None and here < there:
            bands.append(Band(_id(flow.source), _id(flow.target), flow.grams, words))
            continue
        if there is not None:
            stubs.append(_stub(process, flow.target, flow.source, flow, comes=True))
        if here is not None:
            stubs.append(_stub(process, flow.source, flow.target, flow, comes=False))
    for knot in order:
        name = knot_words(process, knot)
        # Each gram comes once and goes once.
        words = f"{name} {kilograms(through[knot] // 2)}" if knot.kind == "material" else name
        nodes.append(Node(_id(knot), words, strong=knot.kind == "material"))
    return draw(nodes, bands, stubs)


def _stub(process: Process, at: Knot, other: Knot, flow: Flow, *, comes: bool) -> Stub:
    return Stub(_id(at), flow.grams, f"{knot_words(process, other)} {kilograms(flow.grams)}", comes, look_of(flow))


def _id(knot: Knot) -> str:
    return f"{knot.kind}:{knot.key}"


def look_of(flow: Flow) -> str:
    """How a band is drawn: gone (hatched), outside (marked), arrow (sent away), plain."""
    if flow.target.kind == "end" and End(flow.target.key) in GONE:
        return "gone"
    if flow.source.kind == "end" and End(flow.source.key) in FROM_OUTSIDE:
        return "outside"
    sent = flow.target.kind == "end" and End(flow.target.key) in (End.SOLD, End.GIVEN)
    return "arrow" if sent else "plain"


@cache
def byproducts(process_key: str) -> dict[str, tuple[str, ...]]:
    """What comes beside at each stage, in any version."""
    found: dict[str, tuple[str, ...]] = {}
    for version in versions()[process_key].values():
        for stage in version.stages:
            beside = tuple(one.material for one in stage.byproducts)
            found[stage.key] = tuple(dict.fromkeys((*found.get(stage.key, ()), *beside)))
    return found


def in_order(process: Process, whole: Network) -> list[Knot]:
    """Materials and stages as they come down the page: none before what it is made of, by-products at their stage."""
    place = {material.key: 2 * number for number, material in enumerate(process.materials)}
    beside = {key for keys in byproducts(process.key).values() for key in keys}
    makes = {stage.key: stage.output for stage in process.stages}

    def rank(knot: Knot) -> tuple[int, str, str]:
        if knot.kind == "material":
            return (-1 if knot.key in beside else place.get(knot.key, 999), *knot)
        return (place.get(makes.get(knot.key) or "", 999) - 1, *knot)

    inner = [f for f in whole.flows if "end" not in (f.source.kind, f.target.kind)]
    waits: dict[Knot, set[Knot]] = {
        knot: set() for f in whole.flows for knot in (f.source, f.target) if knot.kind != "end"
    }
    for flow in inner:
        waits[flow.target].add(flow.source)
    order: list[Knot] = []
    ready = [(rank(knot), knot) for knot, before in waits.items() if not before]
    heapq.heapify(ready)
    while waits:
        # Nothing is made of itself; were the records to say so, it is put where the process has it.
        knot = heapq.heappop(ready)[1] if ready else min(waits, key=rank)
        if knot not in waits:
            continue
        del waits[knot]
        order.append(knot)
        for other, before in waits.items():
            if knot in before:
                before.discard(knot)
                if not before:
                    heapq.heappush(ready, (rank(other), other))
    return order


def _place(order: Mapping[Knot, int], flow: Flow) -> tuple[int, int, int, str]:
    """Top to bottom: at each knot what comes, then what goes."""
    here, there = order.get(flow.source), order.get(flow.target)
    if here is None:
        return (there or 0, 0, -flow.grams, flow.source.key)
    return (here, 1 if there is not None else 2, -flow.grams, flow.target.key)


def raw_and_goods(process: Process) -> tuple[str, str]:
    """What is harvested and what is packed, in the middle of a sentence."""
    way = way_of(process)
    raw, goods = knot_words(process, Knot("material", way.raw)), knot_words(process, Knot("material", way.goods))
    return raw[:1].lower() + raw[1:], goods[:1].lower() + goods[1:]
