"""Asking the ledger for events: the village's own, as they stand on it, and what others claim.

A query's tests are asked of the events' own bytes; the rows only say where to look. So that no question costs more than
its answer is worth, one page looks at a bounded number of entries and then tells from where to go on.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, null, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from trace.capture.models import Captured, CapturedKey
from trace.epcis.asking import Query, Seen
from trace.epcis.identity import ID
from trace.epcis.vocabulary import NAMESPACES
from trace.events.models import Event
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry, LedgerLink

CHUNK = 100
MOST_LOOKED_AT = 2000
"""Entries that one page looks at, at most."""
_TYPES = {
    "TransformationEvent": ("transform", "split", "merge", "pack"),
    "AggregationEvent": ("case", "uncase"),
    "ObjectEvent": ("commission", "observe", "inspect", "dispatch", "buy", "lose"),
}
_OF_CASES = ("case", "uncase", "dispatch", "lose")
"""Kinds of our events that may name a parcel, which is in no chain of its own."""


@dataclass(frozen=True)
class Position:
    """Where a page ended: behind entry `index`, which happened at `moment`; `told` events were told before it."""

    index: int
    moment: dt.datetime
    told: int = 0


@dataclass(frozen=True)
class Found:
    """An event that was asked for: as it stands on the ledger or beside it, and when it was recorded."""

    index: int
    happened: dt.datetime
    event: Mapping[str, Any]
    recorded: dt.datetime
    ours: bool


@dataclass(frozen=True)
class Page:
    """Some of the events, and from where to go on; None after the last."""

    events: tuple[Found, ...]
    further: Position | None


def find(session: Session, query: Query, vocabulary: str, count: int, after: Position | None = None) -> Page:
    """The next `count` events, in the query's order. `vocabulary` is what `soi:` stands for in our own."""
    told = after.told if after else 0
    wanted = count if query.limit is None else min(count, query.limit - told)
    found: list[Found] = []
    for number, (one, fits) in enumerate(_looked_at(session, query, vocabulary, after), start=1):
        if fits:
            if len(found) == wanted:
                # One more is there, so there is a next page, unless no more than these were wanted.
                last = found[-1] if found else None
                ended = query.limit is not None and told + len(found) >= query.limit
                further = None if ended or last is None else Position(last.index, last.happened, told + len(found))
                return Page(tuple(found), further)
            found.append(one)
        if number >= MOST_LOOKED_AT:
            return Page(tuple(found), Position(one.index, one.happened, told + len(found)))
    return Page(tuple(found), None)


def _looked_at(
    session: Session, query: Query, vocabulary: str, after: Position | None
) -> Iterator[tuple[Found, bool]]:
    own = {"soi": vocabulary}
    while True:
        rows = _rows(session, query, after)
        for at, happened, recorded, entry, claimed in rows:
            event = parse(bytes(entry))["event"] if claimed is None else parse(bytes(claimed), limit=2**20)
            namespaces = own if claimed is None else namespaces_of(event)
            found = Found(at, happened, event, recorded, claimed is None)
            yield found, query.holds(Seen(event, {**NAMESPACES, **namespaces}, recorded))
        if len(rows) < CHUNK:
            return
        after = Position(rows[-1][0], rows[-1][1])


def namespaces_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The namespaces that a claimed event brings along."""
    return {prefix: meaning for part in event.get("@context", ()) for prefix, meaning in part.items()}


def _rows(session: Session, query: Query, after: Position | None) -> Sequence[Any]:
    """The next entries that may hold an answer: index, when it happened, when recorded, and the bytes."""
    every = union_all(*_sources(session, query, after)).subquery("every")
    statement = (
        select(
            every.c.at, every.c.happened, LedgerEntry.recorded_at, LedgerEntry.body, Captured.body.label("claimed")
        )
        .join(LedgerEntry, LedgerEntry.index == every.c.at)
        .outerjoin(Captured, Captured.id == every.c.captured)
        .limit(CHUNK)
    )
    return session.execute(statement.order_by(*_order(query, every.c.at, every.c.happened))).all()


def _sources(session: Session, query: Query, after: Position | None) -> list[Select[Any]]:
    """Our events, our corrections and others' claims, each in order and no more of it than one look takes."""
    own, between = _own_limits(query), _recorded_between(session, query)
    columns: tuple[tuple[Any, Any, Any, list[ColumnElement[bool]]], ...] = (
        (Event.entry_index, Event.occurred_at, null(), own),
        (Event.correction_entry, Event.occurred_at, null(), [*own, Event.correction_entry.is_not(None)]),
        (Captured.entry_index, Captured.event_time, Captured.id, [*_claimed_limits(query), Captured.body.is_not(None)]),
    )
    found: list[Select[Any]] = []
    for at, happened, captured, limits in columns:
        one = select(at.label("at"), happened.label("happened"), captured.label("captured")).where(*limits)
        begin, end = between
        one = one.where(at >= begin) if begin is not None else one
        one = one.where(at < end) if end is not None else one
        if after is not None:
            keys = _keys(query, at, happened)
            here: Any = (after.moment, after.index)[-len(keys) :]
            one = one.where(tuple_(*keys) < here if query.descending else tuple_(*keys) > here)
        part = one.order_by(*_order(query, at, happened)).limit(CHUNK).subquery()
        found.append(select(part.c.at, part.c.happened, part.c.captured))
    return found


def _keys(query: Query, at: Any, happened: Any) -> list[Any]:
    return [happened, at] if query.order_by == "eventTime" else [at]


def _order(query: Query, at: Any, happened: Any) -> list[Any]:
    return [key.desc() if query.descending else key.asc() for key in _keys(query, at, happened)]


def _recorded_between(session: Session, query: Query) -> tuple[int | None, int | None]:
    """From which entry on, and before which one: the log's times never go back."""
    return (
        None if query.record_times[0] is None else _first_from(session, query.record_times[0]),
        None if query.record_times[1] is None else _first_from(session, query.record_times[1]),
    )


def _first_from(session: Session, moment: dt.datetime) -> int:
    later = select(LedgerEntry.index).where(LedgerEntry.recorded_at >= moment)
    found = session.scalar(later.order_by(LedgerEntry.recorded_at, LedgerEntry.index).limit(1))
    return found if found is not None else 2**31 - 1


def _own_limits(query: Query) -> list[ColumnElement[bool]]:
    limits = _within(Event.occurred_at, query)
    if query.types is not None:
        kinds = [kind for name in query.types for kind in _TYPES.get(name, ())]
        limits.append(Event.kind.in_(kinds) if kinds else false())
    if query.event_ids is not None:
        ids = [one.removeprefix("urn:uuid:") for one in query.event_ids if one.startswith("urn:uuid:")]
        limits.append(Event.id.in_(ids) if ids else false())
    for names in query.names:
        chained = select(LedgerLink.entry_index).where(LedgerLink.batch.in_(sorted(names)))
        ways = [or_(Event.entry_index.in_(chained), Event.correction_entry.in_(chained))]
        if any(name.startswith(f"{ID}00/") for name in names):
            ways.append(Event.kind.in_(_OF_CASES))
        limits.append(or_(*ways))
    return limits


def _claimed_limits(query: Query) -> list[ColumnElement[bool]]:
    limits = _within(Captured.event_time, query)
    if query.types is not None:
        limits.append(Captured.type.in_(sorted(query.types)))
    if query.event_ids is not None:
        limits.append(Captured.event_id.in_(sorted(query.event_ids)))
    for names in query.names:
        limits.append(Captured.id.in_(select(CapturedKey.captured_id).where(CapturedKey.key.in_(sorted(names)))))
    return limits


def _within(column: Any, query: Query) -> list[ColumnElement[bool]]:
    begin, end = query.event_times
    found: list[ColumnElement[bool]] = []
    if begin is not None:
        # A row's time may be finer than the millisecond that the ledger tells.
        found.append(column >= begin)
    if end is not None:
        found.append(column < end + dt.timedelta(milliseconds=1))
    return found
