"""A day across the village: which stages were recorded, by how many households, how much came out."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import distinct, func, select

from batches.processes.catalogue import all_processes
from trace.events.models import Event, EventBatch
from village import clock
from village.db import db
from village.i18n import in_language
from village.places.models import Household

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Done:
    """One stage on one day."""

    process: str
    stage: str
    name_vi: str
    name_en: str
    picture: str
    times: int
    households: int
    grams: int
    """What came out of it, or left by it; 0 where the stage only looks."""
    units: int

    @property
    def name(self) -> str:
        """The stage's name in the reader's language."""
        return in_language(self.name_vi, self.name_en)


def stages_of(cooperative_id: str, day: dt.date) -> list[Done]:
    """What a cooperative's households recorded as done on `day` (the village's day), the end of the way first."""
    begin = dt.datetime.combine(day, dt.time(), clock.VN)
    moved = (
        select(
            EventBatch.event_id,
            func.sum(EventBatch.grams).label("grams"),
            func.sum(EventBatch.units).label("units"),
        )
        # An event that makes nothing moves what goes in: a dispatch, a loss.
        .where((EventBatch.part == "output") | ((EventBatch.part == "input") & Event.kind.in_(("dispatch", "lose"))))
        .join(Event, Event.id == EventBatch.event_id)
        .where(Event.occurred_at >= begin, Event.occurred_at < begin + DAY)
        .group_by(EventBatch.event_id)
        .subquery()
    )
    rows = db.session.execute(
        select(
            Event.process,
            Event.stage,
            func.max(Event.name_vi),
            func.max(Event.name_en),
            func.max(Event.picture),
            func.count(),
            func.count(distinct(Event.household_id)),
            func.coalesce(func.sum(moved.c.grams), 0),
            func.coalesce(func.sum(moved.c.units), 0),
        )
        .join(Household, Household.id == Event.household_id)
        .outerjoin(moved, moved.c.event_id == Event.id)
        .where(
            Household.cooperative_id == cooperative_id,
            Event.occurred_at >= begin,
            Event.occurred_at < begin + DAY,
            Event.corrected_by.is_(None),
        )
        .group_by(Event.process, Event.stage)
    )
    found = [Done(*row[:5], *(int(value) for value in row[5:])) for row in rows]
    return sorted(found, key=_place, reverse=True)


def _place(done: Done) -> tuple[str, int]:
    """Where a stage stands in its process; one that the process no longer has comes first."""
    process = all_processes().get(done.process)
    stages = [stage.key for stage in process.stages] if process else []
    return done.process, stages.index(done.stage) if done.stage in stages else -1
