"""What the balances are made from: sums over Event, EventBatch and Batch, in a number of queries that never grows."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, case, cast, func, select
from sqlalchemy.orm import Session, aliased

from batches.balance.family import Lot, Step
from batches.balance.figures import way_of
from batches.balance.flows import Gap, Network, Part, network
from batches.balance.spans import Span
from batches.processes.catalogue import process_of
from batches.processes.models import Kind, Process, Stage
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch, Edge

MOVING: tuple[str, ...] = tuple(
    kind.value
    for kind in (
        Kind.COMMISSION, Kind.TRANSFORM, Kind.PACK, Kind.DISPATCH, Kind.BUY, Kind.SPLIT, Kind.MERGE, Kind.LOSE,
    )
)  # fmt: skip
"""Kinds of events that move grams. Looking at a batch moves none, nor does a case around packs."""

Stocks = Mapping[tuple[str, str, str], int]
"""Grams by household, process and material."""


@dataclass(frozen=True)
class Moved:
    """Grams that went in or came out, summed over the events of one stage; whose event, whose batch."""

    worker: str
    owner: str
    process: str
    version: int
    stage: str
    kind: Kind
    gives: bool
    material: str
    grams: int


@dataclass(frozen=True)
class Ledgered:
    """A span of one cooperative, ready to be drawn for a household or for all."""

    moved: tuple[Moved, ...]
    gaps: tuple[tuple[str, str, Gap], ...]
    """Household, process, gap."""
    before: Stocks
    left: Stocks

    @property
    def processes(self) -> list[str]:
        """The processes that anything is known of, those with the most grams first."""
        weights: Counter[str] = Counter()
        for one in self.moved:
            weights[one.process] += one.grams
        for (_home, process, _material), grams in self.left.items():
            weights[process] += grams
        return [key for key, grams in weights.most_common() if grams]

    def households(self, process: str) -> list[str]:
        """The households that anything of this process is known of."""
        found = {one.worker for one in self.moved if one.process == process}
        found |= {one.owner for one in self.moved if one.process == process}
        return sorted(found | {home for (home, key, _), grams in self.left.items() if key == process and grams})

    def network(self, process: str, household: str | None = None) -> Network:
        """The bands of a process: of one household, or of the whole village."""
        parts: Counter[Part] = Counter()
        for one in self.moved:
            if one.process != process or (household is not None and household not in (one.worker, one.owner)):
                continue
            theirs = household is not None and one.owner != household
            by_others = household is not None and one.worker != household
            parts[Part(one.stage, one.kind, one.gives, one.material, 0, theirs, by_others)] += one.grams
        return network(
            [Part(p.stage, p.kind, p.gives, p.material, grams, p.theirs, p.by_others) for p, grams in parts.items()],
            [gap for home, key, gap in self.gaps if key == process and household in (None, home)],
            _of(self.before, process, household),
            _of(self.left, process, household),
        )


def _of(stocks: Stocks, process: str, household: str | None) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (home, key, material), grams in stocks.items():
        if key == process and household in (None, home):
            found[material] += grams
    return dict(found)


def ledgered(session: Session, cooperative_id: str, span: Span, household_id: str | None = None) -> Ledgered:
    """All that moved in a span, and what was there before and after: four queries, six for one household."""
    moved = [one for mine in _mine(cooperative_id, household_id) for one in _moved(session, mine, span)]
    left = _stocks_now(session, cooperative_id, household_id)
    for mine in _mine(cooperative_id, household_id):
        for key, grams in _net_after(session, mine, span.stop).items():
            left[key] -= grams
    before: Counter[tuple[str, str, str]] = Counter(left)
    for one in moved:
        before[one.owner, one.process, one.material] -= one.grams if one.gives else -one.grams
    return Ledgered(tuple(moved), tuple(_gaps(session, cooperative_id, span, household_id)), before, left)


def _mine(cooperative_id: str, household_id: str | None) -> list[ColumnElement[bool]]:
    """What concerns the cooperative; or a household, in two parts that each have an index: what it did, and what
    others did with its batches."""
    coop = Batch.cooperative_id == cooperative_id
    if household_id is None:
        return [coop]
    own = Event.household_id == household_id
    return [and_(coop, own), and_(coop, Batch.household_id == household_id, ~own)]


def _standing(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(Event.corrected_by.is_(None), Event.kind.in_(MOVING), EventBatch.part.in_(("input", "output")), *more)


def _moved(session: Session, mine: ColumnElement[bool], span: Span) -> list[Moved]:
    columns = (
        Event.household_id, Batch.household_id, Event.process, Event.process_version, Event.stage, Event.kind,
        EventBatch.part, Batch.material,
    )  # fmt: skip
    rows = session.execute(
        select(*columns, func.sum(EventBatch.grams))
        .join(EventBatch, EventBatch.event_id == Event.id)
        .join(Batch, Batch.id == EventBatch.batch_id)
        .where(_standing(mine, Event.occurred_at >= span.begin, Event.occurred_at < span.stop))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [
        Moved(worker, owner, process, version, stage, Kind(kind), part == "output", material, int(grams or 0))
        for worker, owner, process, version, stage, kind, part, material, grams in rows
    ]


def _stocks_now(
    session: Session, cooperative_id: str, household_id: str | None
) -> Counter[tuple[str, str, str]]:
    query = select(Batch.household_id, Batch.process, Batch.material, func.sum(Batch.left_grams)).where(
        Batch.cooperative_id == cooperative_id, Batch.left_grams > 0, Batch.void.is_(False)
    )
    if household_id is not None:
        query = query.where(Batch.household_id == household_id)
    rows = session.execute(query.group_by(Batch.household_id, Batch.process, Batch.material))
    return Counter({(home, process, material): int(grams) for home, process, material, grams in rows})


def _net_after(session: Session, mine: ColumnElement[bool], stop: dt.datetime) -> dict[tuple[str, str, str], int]:
    """What was made less what was used, after the span."""
    signed = case((EventBatch.part == "output", EventBatch.grams), else_=-EventBatch.grams)
    rows = session.execute(
        select(Batch.household_id, Batch.process, Batch.material, func.sum(signed))
        .join(EventBatch, EventBatch.batch_id == Batch.id)
        .join(Event, Event.id == EventBatch.event_id)
        .where(_standing(mine, Event.occurred_at >= stop))
        .group_by(Batch.household_id, Batch.process, Batch.material)
    )
    return {(home, process, material): int(grams or 0) for home, process, material, grams in rows}


def _gaps(
    session: Session, cooperative_id: str, span: Span, household_id: str | None
) -> Iterable[tuple[str, str, Gap]]:
    """What each stage's events gave less and more than they took, event by event: one's loss hides no other's gain."""
    taken = func.sum(case((EventBatch.part == "input", EventBatch.grams), else_=0))
    given = func.sum(case((EventBatch.part == "output", EventBatch.grams), else_=0))
    query = (
        select(
            Event.household_id, Event.process, Event.process_version, Event.stage, Event.kind,
            taken.label("taken"), given.label("given"), func.min(Batch.material).label("material"),
        )
        .join(EventBatch, EventBatch.event_id == Event.id)
        .join(Batch, Batch.id == EventBatch.batch_id)
        .where(
            _standing(
                Batch.cooperative_id == cooperative_id, Event.occurred_at >= span.begin, Event.occurred_at < span.stop
            ),
            Event.kind.in_([Kind.TRANSFORM.value, Kind.PACK.value, Kind.SPLIT.value, Kind.MERGE.value]),
        )
        .group_by(
            Event.id, Event.household_id, Event.process, Event.process_version, Event.stage, Event.kind
        )
    )  # fmt: skip
    if household_id is not None:
        query = query.where(Event.household_id == household_id)
    each = query.subquery()
    # A split's material is one of several only where it changes; a stage's gap needs none.
    stays = case((each.c.kind.in_([Kind.SPLIT.value, Kind.MERGE.value]), each.c.material), else_="")
    short = func.sum(case((each.c.taken > each.c.given, each.c.taken - each.c.given), else_=0))
    over = func.sum(case((each.c.given > each.c.taken, each.c.given - each.c.taken), else_=0))
    by = (each.c.household_id, each.c.process, each.c.process_version, each.c.stage, each.c.kind, stays)
    for home, process, version, stage, kind, material, less, more in session.execute(
        select(*by, short, over).group_by(*by)
    ):
        dries = stage_of(process, version, stage).keeps_dry_matter
        yield home, process, Gap(stage, Kind(kind), int(less), int(more), dries, material or "")


def stage_of(process: str, version: int, key: str) -> Stage:
    """The stage as an event's own version has it. Raises `KeyError`."""
    return process_of(process, version).stage(key)


def behind(
    session: Session, cooperative_id: str, process: Process, spans: Sequence[Span]
) -> dict[tuple[str, int], tuple[int, int]]:
    """Goods whose raw weight is known, and that weight, by household and place in `spans`: one query.

    A blend with something of unknown origin, such as bought starch, counts in neither.
    """
    way = way_of(process)
    weight = cast(Batch.origins[way.raw].as_integer(), Integer)
    number = _number(Batch.made_at, spans)
    rows = session.execute(
        select(Batch.household_id, number, func.sum(Batch.made_grams), func.sum(weight))
        .where(
            Batch.cooperative_id == cooperative_id,
            Batch.process == process.key,
            Batch.material == way.goods,
            Batch.void.is_(False),
            Batch.made_at >= min(span.begin for span in spans),
            Batch.made_at < max(span.stop for span in spans),
            weight > 0,
            # A part of its raw goods is unknown: see `batches.mass.carry_origins`.
            cast(Batch.origins, String).not_like(f'%"{way.raw}?%'),
        )
        .group_by(Batch.household_id, number)
    )
    return {(home, place): (int(goods), int(raw)) for home, place, goods, raw in rows if place is not None}


@dataclass(frozen=True)
class Earlier:
    """What a household harvested and made in a span, in grams."""

    harvested: int = 0
    made: int = 0


def earlier(
    session: Session, household_id: str, process: Process, spans: Sequence[Span]
) -> dict[int, Earlier]:
    """A household's harvest and goods by place in `spans`: one query."""
    way = way_of(process)
    number = _number(Event.occurred_at, spans)
    rows = session.execute(
        select(number, Event.kind, Batch.material, func.sum(EventBatch.grams))
        .join(EventBatch, EventBatch.event_id == Event.id)
        .join(Batch, Batch.id == EventBatch.batch_id)
        .where(
            Event.corrected_by.is_(None),
            Event.household_id == household_id,
            Event.process == process.key,
            Event.kind.in_([Kind.COMMISSION.value, Kind.TRANSFORM.value]),
            EventBatch.part == "output",
            Event.occurred_at >= min(span.begin for span in spans),
            Event.occurred_at < max(span.stop for span in spans),
        )
        .group_by(number, Event.kind, Batch.material)
    )
    sums: Counter[tuple[int, str]] = Counter()
    for place, kind, material, grams in rows:
        if kind == Kind.COMMISSION.value:
            sums[place, "harvested"] += int(grams or 0)
        elif material == way.goods:
            sums[place, "made"] += int(grams or 0)
    return {
        place: Earlier(sums[place, "harvested"], sums[place, "made"])
        for place in {one for one, _ in sums}
        if place is not None
    }


def _number(moment: Any, spans: Sequence[Span]) -> ColumnElement[int]:
    """The place in `spans` of the one that a moment lies in."""
    return case(*((and_(moment >= span.begin, moment < span.stop), place) for place, span in enumerate(spans)))


def family_of(session: Session, batch_id: str) -> tuple[dict[str, Lot], list[Step], list[Step]]:
    """The batches around one, the standing events that made it and its ancestors, and those that used it and its
    descendants: two queries, however many there are."""
    lots: dict[str, Lot] = {}
    above = _steps(session, batch_id, "up", lots)
    below = _steps(session, batch_id, "down", lots)
    return lots, above, below


def _steps(session: Session, batch_id: str, way: str, lots: dict[str, Lot]) -> list[Step]:
    """`up`: the events of which an ancestor came out. `down`: those into which a descendant went."""
    here, there = (Edge.child_id, Edge.parent_id) if way == "up" else (Edge.parent_id, Edge.child_id)
    walk = select(Batch.id.label("id")).where(Batch.id == batch_id).cte("walk", recursive=True)
    walk = walk.union(select(there).join(walk, here == walk.c.id))
    own = aliased(EventBatch)
    touching = (
        select(own.event_id)
        .join(walk, walk.c.id == own.batch_id)
        .where(own.part == ("output" if way == "up" else "input"))
        .distinct()
    )
    rows = session.execute(
        select(
            Event.id, Event.process, Event.process_version, Event.stage, Event.kind, EventBatch.part,
            EventBatch.grams, Batch.id, Batch.material, Batch.made_grams, Batch.left_grams,
        )
        .join(EventBatch, EventBatch.event_id == Event.id)
        .join(Batch, Batch.id == EventBatch.batch_id)
        .where(_standing(), Event.id.in_(touching))
        .order_by(Event.occurred_at, Event.entry_index, EventBatch.part, EventBatch.position)
    )  # fmt: skip
    found: dict[str, Stage] = {}
    kinds: dict[str, Kind] = {}
    amounts: dict[str, dict[str, list[tuple[str, int]]]] = defaultdict(lambda: {"input": [], "output": []})
    for event, process, version, stage, kind, part, grams, lot, material, made, left in rows:
        found.setdefault(event, stage_of(process, version, stage))
        kinds[event] = Kind(kind)
        amounts[event][part].append((lot, int(grams or 0)))
        lots[lot] = Lot(lot, material, made, left)
    return [
        Step(
            event, stage.key, kinds[event], tuple(amounts[event]["input"]), tuple(amounts[event]["output"]),
            stage.keeps_dry_matter, frozenset(one.material for one in stage.byproducts),
        )
        for event, stage in found.items()
    ]  # fmt: skip
