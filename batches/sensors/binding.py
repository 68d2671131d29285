"""What the sensors told while a batch was made: offered on its page, and put on the ledger with one tap.

The event is an OBSERVE about the batch that came out. It has a stage of its own, which no process file names.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from batches.processes.catalogue import process_of
from batches.sensors.models import Sensor, SensorBinding
from batches.sensors.reduce import series
from batches.stages.services import SCOPE, entry_answer, refuse_taken
from trace.events.models import Event, EventBatch
from trace.events.readings import row_of
from trace.events.services import Happening, Share, record
from trace.lots.models import Batch
from trace.lots.services import no_such_batch
from trace.series.models import EventSeries
from trace.series.reduced import Series
from village import clock, idempotency
from village.db import db, insert_later, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor, not_yours

STAGE = "sensors"
"""The stage's key on the ledger."""
STORY = (
    "Máy đo đặt tại chỗ tự ghi số, không ai gõ tay.",
    "Sensors on the spot wrote these figures down; nobody typed them.",
)
PICTURE = "sensor"
USUAL = dt.timedelta(hours=24)
"""How far back the window begins where nothing tells."""
AFTER = dt.timedelta(days=1)
"""How long after its making a batch may still lie there and be measured."""
LONGEST = dt.timedelta(days=14)
MOST_SENSORS = 10
"""More would not fit into one entry of the ledger."""


@dataclass(frozen=True)
class Window:
    """From when to when, both aware; the end is left out."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class Making:
    """The stage in which a batch was made at a place with sensors. `window` is the one that is proposed, `earliest`
    when the first of what went in was there."""

    batch: Batch
    event: Event
    window: Window
    earliest: dt.datetime


@dataclass(frozen=True)
class Told:
    """A binding that stands: the event and its series' bytes."""

    event: Event
    bodies: tuple[bytes, ...]


def making_of(session: Session, batch: Batch) -> Making | None:
    """In which stage sensors could have measured the batch; None where that makes no sense or was told already."""
    event = session.scalar(
        select(Event)
        .join(EventBatch, EventBatch.event_id == Event.id)
        .where(EventBatch.batch_id == batch.id, EventBatch.part == "output", Event.kind == "transform")
        .where(Event.corrected_by.is_(None))
        .options(selectinload(Event.parts).joinedload(EventBatch.batch), joinedload(Event.site))
    )
    if event is None or batch.void or not _measured(event) or not sensors_at(session, event.site_id):
        return None
    if session.scalar(_standing(batch.id).limit(1)) is not None:
        return None
    inputs = [part.batch for part in event.parts if part.part == "input"]
    earliest = min(one.made_at for one in inputs)
    before = session.scalar(
        select(Event.occurred_at)
        .join(EventBatch, EventBatch.event_id == Event.id)
        .where(
            EventBatch.batch_id.in_([one.id for one in inputs]),
            Event.site_id == event.site_id,
            Event.id != event.id,
            Event.corrected_by.is_(None),
            Event.occurred_at < event.occurred_at,
        )
        .order_by(Event.occurred_at.desc())
        .limit(1)
    )
    start = max(before or earliest, event.occurred_at - (LONGEST if before else USUAL))
    return Making(batch, event, Window(_minute(start), _minute(event.occurred_at)), earliest)


def read(session: Session, making: Making, window: Window) -> list[Series]:
    """What each sensor of the place told in the window; those that told nothing are left out."""
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    found = [series(session, one, start, end) for one in sensors_at(session, making.event.site_id)]
    return [one for one in found if one.rows][:MOST_SENSORS]


def bind(who: Actor, batch_id: str, event_id: str, window: Window | None = None) -> dict[str, Any]:
    """Put on the ledger what the sensors told while the batch was made, under the id `event_id`.

    `window` None takes the one that is proposed. The same again gives the same answer.
    """
    if not is_uuid(event_id):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="id")
    asked = {"by": who.id, "sensors": batch_id} | (
        {"start": window.start.isoformat(), "end": window.end.isoformat()} if window else {}
    )
    with write(ledger=True) as session:
        before = idempotency.recall(session, SCOPE, event_id, asked)
        if before is not None:
            return dict(before.body)
        refuse_taken(session, event_id)
        batch = session.get(Batch, batch_id, with_for_update=True)
        if batch is None:
            raise no_such_batch(batch_id)
        if not who.works_for(batch.household_id, batch.cooperative_id):
            raise not_yours()
        answer = _record(session, who, batch, event_id, window)
        idempotency.remember(session, SCOPE, event_id, asked, 201, answer)
    return answer


def check_window(making: Making, window: Window) -> None:
    """Only what was measured while this very batch was made: no other day with a finer curve."""
    if window.start >= window.end:
        raise BadInput("empty-window", _l("Lúc bắt đầu phải trước lúc xong."), field="end")
    if window.end - window.start > LONGEST:
        raise BadInput("long-window", _l("Dài quá: nhiều nhất là %(days)s ngày."), field="start", days=LONGEST.days)
    if window.start < _minute(making.earliest) or window.end > making.batch.made_at + AFTER:
        raise BadInput("other-window", _l("Chỉ lấy số đo trong lúc làm ra mẻ này thôi nhé."), field="start")
    if window.end > clock.now():
        raise BadInput("future-time", _l("Lúc xong chưa đến. Bác xem lại ngày giờ nhé."), field="end")


def told_of(session: Session, batch_id: str) -> list[Told]:
    """The bindings of a batch that stand, newest first."""
    events = session.scalars(
        select(Event).where(Event.id.in_(_standing(batch_id))).order_by(Event.occurred_at.desc(), Event.id)
    ).all()
    rows = session.execute(
        select(EventSeries.event_id, EventSeries.body)
        .where(EventSeries.event_id.in_([event.id for event in events]))
        .order_by(EventSeries.position)
    ).all()
    return [Told(event, tuple(bytes(body) for of, body in rows if of == event.id)) for event in events]


def sensors_at(session: Session, site_id: str) -> Sequence[Sensor]:
    """All sensors of a place, those that were closed meanwhile among them, by name."""
    return session.scalars(select(Sensor).where(Sensor.site_id == site_id).order_by(Sensor.name)).all()


def batch_for(who: Actor, batch_id: str) -> Batch:
    """A batch that this member may bind readings to."""
    batch = db.session.get(Batch, batch_id)
    if batch is None:
        raise no_such_batch(batch_id)
    if not who.works_for(batch.household_id, batch.cooperative_id):
        raise not_yours()
    return batch


def _record(session: Session, who: Actor, batch: Batch, event_id: str, window: Window | None) -> dict[str, Any]:
    making = making_of(session, batch)
    if making is None:
        raise Conflict("nothing-to-bind", _l("Mẻ này không có số đo nào để gắn, hoặc đã gắn rồi."))
    window = window or making.window
    check_window(making, window)
    found = read(session, making, window)
    if not found:
        raise Conflict("no-readings-there", _l("Lúc ấy không máy đo nào gửi số về, nên chưa có gì để gắn."))
    bodies = [one.body() for one in found]
    event = making.event
    recorded = record(
        session,
        Happening(
            id=event_id,
            kind="observe",
            process=event.process,
            process_version=event.process_version,
            stage=STAGE,
            name=(f"Máy đo: {event.name_vi}"[:120], f"Sensors: {event.name_en}"[:120]),
            story=STORY,
            picture=PICTURE,
            biz_step="sensor_reporting",
            disposition=None,
            occurred_at=max(window.end, batch.made_at).astimezone(clock.VN),
            site=event.site,
            household_id=batch.household_id,
            member_id=who.id,
            about=[Share(batch)],
            readings=[row_of(one, body) for one, body in zip(found, bodies, strict=True)],
        ),
    )
    kept = [{"event_id": event_id, "position": place, "body": body} for place, body in enumerate(bodies)]
    insert_later(session, EventSeries.__table__, kept)
    bound = {"event_id": event_id, "batch_id": batch.id, "made_by_event": event.id}
    insert_later(session, SensorBinding.__table__, [bound])
    return {"id": event_id, "entry": entry_answer(recorded.entry)}


def _standing(batch_id: str) -> Any:
    return (
        select(SensorBinding.event_id)
        .join(Event, Event.id == SensorBinding.event_id)
        .where(SensorBinding.batch_id == batch_id, Event.corrected_by.is_(None))
    )


def _measured(event: Event) -> bool:
    """A stage that asks for readings is one in which sensors have something to say."""
    try:
        return bool(process_of(event.process, event.process_version).stage(event.stage).readings)
    except KeyError:
        return False


def _minute(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0)
