"""What holds a batch, and with it all that came of it: an inspection that failed, or the office.

Two things are kept apart. A household's own inspections: the last one counts. And the office's acts: a hold, or a
laboratory's report that failed, until the office releases the batch or a report passes. A household's inspection does
not lift what the office holds; the office's release lifts both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from trace.events.models import Event, EventBatch

HOLD, RELEASE, REPORT = "office-hold", "office-release", "lab-report"
"""Stages of no process: the office's own inspections."""
OFFICE_STAGES = (HOLD, RELEASE, REPORT)
RETURN = "return"
"""Stage of no process either: packs that had been sent off are there again."""


@dataclass(frozen=True)
class Cause:
    """The event that holds a batch."""

    event_id: str
    stage: str


def failing(session: Session) -> dict[str, Cause]:
    """All batches that are held for themselves, by id, and why. They are few, and an index finds them."""
    inspected = (
        select(EventBatch.batch_id, Event.id, Event.stage, Event.passed)
        .join(Event, Event.id == EventBatch.event_id)
        .where(Event.kind == "inspect", Event.corrected_by.is_(None))
    )
    ever = inspected.where(Event.passed.is_(False)).with_only_columns(EventBatch.batch_id)
    rows = session.execute(
        inspected.where(EventBatch.batch_id.in_(ever)).order_by(Event.occurred_at, Event.entry_index)
    )
    return _causes(rows.all())


def _causes(rows: Sequence[Row[str, str, str, bool | None]]) -> dict[str, Cause]:
    """Oldest first in; of a batch that both hold, the office's act is the cause."""
    inspection: dict[str, Cause] = {}
    office: dict[str, Cause] = {}
    for batch_id, event_id, stage, passed in rows:
        kept = office if stage in OFFICE_STAGES else inspection
        if passed is False:
            kept[batch_id] = Cause(event_id, stage)
            continue
        kept.pop(batch_id, None)
        if stage == RELEASE:
            inspection.pop(batch_id, None)
    return inspection | office
