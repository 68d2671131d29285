"""Finding where a recall begins: by lot, place, time, what was measured, or where something was bought."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Select, String, cast, select
from sqlalchemy.orm import Session, joinedload

from trace.events.models import Event, EventBatch
from trace.gs1.digital_link import parse_path
from trace.gs1.errors import Gs1Error
from trace.lots.models import Batch
from trace.lots.services import listed, reachable
from village import clock
from village.db import db
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.places.models import Household

SHOWN = 200
EVENTS_MAX = 50_000
"""Events whose readings one search looks through."""


@dataclass(frozen=True)
class Wish:
    """What is looked for; whatever is left out does not narrow it. Both days count in full, as the village has them."""

    lot: str = ""
    site: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    reading: str = ""
    """A type of reading, such as Moisture: then batches whose reading lay below `low` or above `high` are found."""
    low: Decimal | None = None
    high: Decimal | None = None
    bought: str = ""
    """Where something was bought from outside, or a part of that."""

    @property
    def empty(self) -> bool:
        """True when nothing is looked for."""
        return self == Wish()


@dataclass(frozen=True)
class Choice:
    """Lots to choose from. `sources` are those that the found ones were made of, where a lot was asked for by code."""

    found: Sequence[Batch]
    sources: Sequence[Batch] = ()
    more: bool = False
    """True when there are more than are shown."""


def choose(who: Actor, wish: Wish) -> Choice:
    """The cooperative's own batches that fit, newest first. BadInput for a wish that cannot be, or is too wide."""
    session = db.session()
    if wish.empty:
        return Choice(())
    query = _own(who)
    if wish.lot:
        query = _with_code(query, wish.lot.strip())
    if wish.site:
        query = query.where(Batch.site_id == wish.site)
    if wish.bought:
        query = query.where(Batch.outside.icontains(wish.bought, autoescape=True))
    if wish.reading:
        query = query.where(Batch.id.in_(listed(session, _measured(session, who, wish))))
    else:
        query = _within(query, Batch.made_at, wish)
    rows = session.scalars(query.order_by(Batch.made_at.desc(), Batch.id).limit(SHOWN + 1)).all()
    found = rows[:SHOWN]
    return Choice(found, _sources(session, who, found) if wish.lot else (), len(rows) > SHOWN)


def number(text: str, field: str) -> Decimal | None:
    """A bound, with a point or a comma; None when nothing was typed."""
    typed = text.strip().replace(",", ".")
    if not typed:
        return None
    try:
        found = Decimal(typed)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found) > 1_000_000:
        raise BadInput("not-a-number", _l("Chỗ này là một con số, thí dụ 14,5."), field=field)
    return found


def beyond(reading: Mapping[str, Any], wish: Wish) -> bool:
    """True for a reading of the wished type that lay beyond a bound, by its value or by what a sensor's window saw."""
    if reading.get("type") != wish.reading:
        return False
    try:
        lowest = Decimal(str(reading.get("low", reading["value"])))
        highest = Decimal(str(reading.get("high", reading["value"])))
    except (KeyError, InvalidOperation):
        return False
    return (wish.low is not None and lowest < wish.low) or (wish.high is not None and highest > wish.high)


def _own(who: Actor) -> Select[Batch]:
    mine = select(Batch).where(Batch.cooperative_id == who.cooperative_id, Batch.void.is_(False))
    return mine.options(joinedload(Batch.product), joinedload(Batch.household), joinedload(Batch.site))


def _with_code(query: Select[Batch], text: str) -> Select[Batch]:
    at = text.find("/01/")
    if at < 0:
        return query.where(Batch.lot == text)
    try:
        link = parse_path(text[at:].partition("?")[0])
    except Gs1Error as error:
        raise BadInput("not-a-lot", _l("Địa chỉ này không phải mã của một lô."), field="lot") from error
    return query.where(Batch.gtin == link.gtin, Batch.lot == link.lot)


def _within(query: Any, column: Any, wish: Wish) -> Any:
    if wish.since:
        query = query.where(column >= _midnight(wish.since))
    if wish.until:
        query = query.where(column < _midnight(wish.until) + dt.timedelta(days=1))
    return query


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), clock.VN)


def _measured(session: Session, who: Actor, wish: Wish) -> set[str]:
    """Batches looked at or made in events with such a reading."""
    if wish.low is None and wish.high is None:
        raise BadInput("no-bound", _l("Bác ghi mức thấp nhất hoặc cao nhất mà số đo không được vượt."), field="low")
    query = (
        select(Event.id, Event.readings)
        .join(Household, Household.id == Event.household_id)
        .where(
            Household.cooperative_id == who.cooperative_id,
            Event.corrected_by.is_(None),
            cast(Event.readings, String).contains(wish.reading, autoescape=True),
        )
    )
    if wish.site:
        query = query.where(Event.site_id == wish.site)
    query = _within(query, Event.occurred_at, wish).limit(EVENTS_MAX + 1)
    events: list[str] = []
    for seen, (event_id, readings) in enumerate(session.execute(query.execution_options(yield_per=1000)), start=1):
        if seen > EVENTS_MAX:
            raise BadInput("too-wide", _l("Nhiều lần đo quá, bác chọn khoảng ngày ngắn hơn nhé."), field="since")
        if any(beyond(reading, wish) for reading in readings):
            events.append(event_id)
    parts = select(EventBatch.batch_id).where(
        EventBatch.event_id.in_(listed(session, events)), EventBatch.part.in_(("output", "about"))
    )
    return set(session.scalars(parts))


def _sources(session: Session, who: Actor, found: Sequence[Batch]) -> Sequence[Batch]:
    """What these were made of, oldest first: the cooperative's own, of which a recall may begin."""
    above = reachable(session, [one.id for one in found], "up") - {one.id for one in found}
    query = _own(who).where(Batch.id.in_(listed(session, above)))
    return session.scalars(query.order_by(Batch.made_at, Batch.id).limit(SHOWN)).all()
