"""What is stuck: batches that lie longer than batches of their kind do in this village."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from batches.processes.catalogue import process_of
from trace.events.models import Event
from trace.lots.models import Batch, Edge
from village import clock
from village.db import db

SAMPLES = 1000
"""How many of the latest steps say what is usual."""
ENOUGH = 5
"""So many steps of a material make a habit."""
TIMES = 3
"""So many times the usual wait is long."""
LEAST = dt.timedelta(days=2)
UNKNOWN = dt.timedelta(days=14)
"""What is long where there is no habit yet."""
MOST = 200
DREGS = 50
"""What is left of a batch is dregs when it is no more than one in so many."""

Kind = tuple[str, str]
"""Process and material."""


@dataclass(frozen=True)
class Stuck:
    """A batch that nothing was done with for longer than `usual` says."""

    batch: Batch
    lies: dt.timedelta
    usual: dt.timedelta | None
    """The middle wait of its kind; None where too few are known."""


def limits(waits: Iterable[tuple[Kind, dt.timedelta]]) -> dict[Kind, tuple[dt.timedelta, dt.timedelta]]:
    """For each kind with enough waits: how long is long, and the middle wait."""
    by_kind = defaultdict[Kind, list[dt.timedelta]](list)
    for kind, wait in waits:
        by_kind[kind].append(wait)
    middle = {
        kind: dt.timedelta(seconds=median(wait.total_seconds() for wait in found))
        for kind, found in by_kind.items()
        if len(found) >= ENOUGH
    }
    return {kind: (max(LEAST, TIMES * usual), usual) for kind, usual in middle.items()}


def stuck(cooperative_id: str) -> list[Stuck]:
    """A cooperative's batches that lie too long, worst first. What keeps is stored, not stuck."""
    known = limits(_waits(cooperative_id))
    now = clock.now()
    rows = db.session.scalars(
        select(Batch)
        .where(
            Batch.cooperative_id == cooperative_id,
            # The last few kilograms of a batch are dregs.
            Batch.left_grams * DREGS > Batch.made_grams,
            Batch.made_units.is_(None),
            Batch.void.is_(False),
            Batch.made_at < now - LEAST,
        )
        .options(joinedload(Batch.product), joinedload(Batch.household))
        .order_by(Batch.made_at)
        .limit(MOST)
    )
    found = [_lies(batch, now, known) for batch in rows if not _keeps(batch)]
    late = [(one, limit) for one, limit in found if one.lies > limit]
    return [one for one, limit in sorted(late, key=lambda pair: pair[0].lies / pair[1], reverse=True)]


def _keeps(batch: Batch) -> bool:
    return process_of(batch.process, batch.process_version).material(batch.material).keeps


def _lies(
    batch: Batch, now: dt.datetime, known: Mapping[Kind, tuple[dt.timedelta, dt.timedelta]]
) -> tuple[Stuck, dt.timedelta]:
    limit, usual = known.get((batch.process, batch.material), (UNKNOWN, None))
    return Stuck(batch, now - batch.made_at, usual), limit


def _waits(cooperative_id: str) -> list[tuple[Kind, dt.timedelta]]:
    rows = db.session.execute(
        select(Batch.process, Batch.material, Batch.made_at, Event.occurred_at)
        .join(Edge, Edge.parent_id == Batch.id)
        .join(Event, Event.id == Edge.event_id)
        .where(Batch.cooperative_id == cooperative_id, Event.corrected_by.is_(None))
        .order_by(Event.entry_index.desc())
        .limit(SAMPLES)
    )
    return [((process, material), max(then - made, dt.timedelta())) for process, material, made, then in rows]
