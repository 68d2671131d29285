"""Reading the lot graph: ancestors, descendants, and which batches are on hold."""

from collections.abc import Collection
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, joinedload

from trace.events.models import Event, EventBatch
from trace.lots.models import Batch, Edge
from trace.signals import holds_changed
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l

Direction = Literal["up", "down"]
DIRECTIONS = ("up", "down", "both")


def batch(batch_id: str) -> Batch:
    """The batch, or NotFound."""
    found = db.session.get(Batch, batch_id)
    if found is None:
        raise no_such_batch(batch_id)
    return found


def lot(gtin: str, lot: str) -> Batch:
    """The batch that a label names, or NotFound."""
    found = db.session.scalar(select(Batch).where(Batch.gtin == gtin, Batch.lot == lot))
    if found is None:
        raise NotFound(
            "no-lot",
            _l("Không có lô nào mang mã %(lot)s. Nếu mã này in trên gói, có thể gói không phải của Bình Lư."),
            gtin=gtin,
            lot=lot,
        )
    return found


def no_such_batch(batch_id: str, field: str | None = None) -> NotFound:
    """For an id that no batch has."""
    return NotFound("no-batch", _l("Không có mẻ nào mang mã %(batch)s."), field=field, batch=batch_id)


def reachable(session: Session, start: Collection[str], direction: Direction) -> set[str]:
    """Ids of all batches above (`up`, what it was made of) or below (`down`, what was made of it), without `start`."""
    here, there = (Edge.child_id, Edge.parent_id) if direction == "up" else (Edge.parent_id, Edge.child_id)
    walk = select(there.label("id")).where(here.in_(start)).cte("walk", recursive=True)
    more = aliased(Edge)
    more_here, more_there = (more.child_id, more.parent_id) if direction == "up" else (more.parent_id, more.child_id)
    walk = walk.union(select(more_there).join(walk, more_here == walk.c.id))
    return set(session.scalars(select(walk.c.id))) - set(start)


def edges_among(session: Session, ids: Collection[str]) -> list[Edge]:
    """The steps of ancestry between these batches."""
    return list(
        session.scalars(
            select(Edge)
            .where(Edge.child_id.in_(ids), Edge.parent_id.in_(ids))
            .order_by(Edge.child_id, Edge.parent_id, Edge.event_id)
        )
    )


def batches_of(session: Session, ids: Collection[str]) -> list[Batch]:
    """These batches, oldest first."""
    query = select(Batch).where(Batch.id.in_(ids)).order_by(Batch.made_at, Batch.id)
    return list(session.scalars(query.options(joinedload(Batch.product))))


def graph(batch_id: str, direction: str) -> tuple[list[Batch], list[Edge]]:
    """A batch with all above and below it (or one way only), and the steps between them. NotFound for no batch."""
    session = db.session()
    start = batch(batch_id)
    ids = {start.id}
    for way in ("up", "down"):
        if direction in (way, "both"):
            ids |= reachable(session, [start.id], way)
    return batches_of(session, ids), edges_among(session, ids)


def refresh_holds(session: Session, start: str, reason: str) -> list[Batch]:
    """After an inspection of batch `start`: hold it and all that came of it when it failed, release what is clean.

    A batch is held while its own last inspection, or any ancestor's, failed. A recall is never lifted here.
    Tells `holds_changed` of those that changed, and returns them.
    """
    family = {start} | reachable(session, [start], "down")
    failing = _failing(session, family | reachable(session, family, "up"))
    changed: list[Batch] = []
    for one in session.scalars(select(Batch).where(Batch.id.in_(family), Batch.hold != "recalled").with_for_update()):
        bad = one.id in failing or bool(failing & reachable(session, [one.id], "up"))
        hold: Literal["none", "held"] = "held" if bad else "none"
        if one.hold != hold:
            one.hold, one.hold_reason = hold, reason if bad else ""
            changed.append(one)
    if changed:
        session.flush()
        holds_changed.send(None, session=session, batches=changed)
    return changed


def _failing(session: Session, ids: Collection[str]) -> set[str]:
    """Those batches whose last standing inspection failed."""
    rows = session.execute(
        select(EventBatch.batch_id, Event.passed)
        .join(Event, Event.id == EventBatch.event_id)
        .where(Event.kind == "inspect", Event.corrected_by.is_(None), EventBatch.batch_id.in_(ids))
        .order_by(Event.occurred_at, Event.entry_index)
    )
    last = {batch_id: passed for batch_id, passed in rows}
    return {batch_id for batch_id, passed in last.items() if passed is False}
