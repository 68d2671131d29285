"""Corrections that the office has yet to look at: what was said before, what is said now, and why."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import join as orm_join
from sqlalchemy.orm import joinedload, selectinload

from batches.office.models import CorrectionSeen
from trace.events.models import Event, EventBatch
from trace.ledger.models import LedgerEntry
from village import clock
from village.db import db, write
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, not_yours
from village.places.models import Household

PAGE = 30
_JOINED = orm_join(Event, Household, Household.id == Event.household_id).outerjoin(
    CorrectionSeen, CorrectionSeen.event_id == Event.id
)


@dataclass(frozen=True)
class Corrected:
    """An event at fault and the one that tells it right; None when it never happened."""

    before: Event
    after: Event | None
    seen: bool


def unseen_count(cooperative_id: str) -> int:
    """How many corrections of a cooperative wait for the office."""
    unseen = select(func.count()).select_from(_JOINED).where(*_mine(cooperative_id), CorrectionSeen.event_id.is_(None))
    return db.session.scalar(unseen) or 0


def page(cooperative_id: str, number: int) -> tuple[list[Corrected], bool]:
    """One page of corrections, newest first, those not looked at before all others; and whether more follow."""
    rows = db.session.execute(
        select(Event, CorrectionSeen.event_id)
        .select_from(_JOINED)
        .where(*_mine(cooperative_id))
        .order_by(CorrectionSeen.event_id.is_not(None), Event.correction_entry.desc())
        .options(selectinload(Event.parts).joinedload(EventBatch.batch), joinedload(Event.household))
        .offset((number - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    after = _by_id([event.corrected_by for event, _ in rows if event.corrected_by != event.id])
    told = [Corrected(event, after.get(event.corrected_by), seen is not None) for event, seen in rows[:PAGE]]
    return told, len(rows) > PAGE


def look(who: Actor, event_id: str) -> None:
    """The office has looked at the correction of this event. Said twice, it is said once."""
    with write() as session:
        event = session.get(Event, event_id)
        if event is None or event.corrected_by is None:
            raise NotFound("no-correction", _l("Không có lần sửa nào ở đây."))
        if event.household.cooperative_id != who.cooperative_id:
            raise not_yours()
        if session.get(CorrectionSeen, event_id) is None:
            session.add(CorrectionSeen(event_id=event_id, member_id=who.id, at=clock.now()))


def when(found: Sequence[Corrected]) -> Mapping[str, dt.datetime]:
    """When each was corrected, by the event at fault: the moment of the ledger's entry."""
    indexes = {one.before.correction_entry: one.before.id for one in found}
    rows = db.session.execute(
        select(LedgerEntry.index, LedgerEntry.recorded_at).where(LedgerEntry.index.in_(indexes))
    )
    return {indexes[index]: moment for index, moment in rows}


def _mine(cooperative_id: str) -> tuple[ColumnElement[bool], ...]:
    return Household.cooperative_id == cooperative_id, Event.corrected_by.is_not(None)


def _by_id(ids: Sequence[str | None]) -> dict[str | None, Event]:
    rows = db.session.scalars(
        select(Event).where(Event.id.in_(ids)).options(selectinload(Event.parts).joinedload(EventBatch.batch))
    )
    return {event.id: event for event in rows}
