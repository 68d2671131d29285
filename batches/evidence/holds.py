"""What is held back, why, since when and what hangs on it; holding and releasing by the office."""

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, joinedload

from batches.evidence.acts import LONGEST, act, batches_named, done_before, no_such_hold, office_only
from trace.events.models import Event
from trace.lots.holding import HOLD, RELEASE, failing
from trace.lots.models import Batch
from trace.lots.services import listed, reachable
from village.db import db, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.text import clean_text

SHOWN = 12
"""Descendants that are named; the rest is counted."""


@dataclass(frozen=True)
class Held:
    """A batch that is held for itself, the event that holds it, and what came of it."""

    batch: Batch
    event: Event
    descendants: list[Batch]
    """The first few, oldest first."""
    descendants_in_all: int
    packs: int
    """Packs in stock, of the batch and its descendants."""
    grams: int
    """What else is left of them, by weight."""


def held(who: Actor) -> list[Held]:
    """What the cooperative holds back, the newest first."""
    session = db.session()
    causes = failing(session)
    batches = session.scalars(
        select(Batch)
        .where(Batch.id.in_(causes), Batch.cooperative_id == who.cooperative_id, Batch.void.is_(False))
        .options(joinedload(Batch.product), joinedload(Batch.household))
    ).all()
    events = session.scalars(select(Event).where(Event.id.in_([causes[batch.id].event_id for batch in batches])))
    by_id = {event.id: event for event in events}
    found = [_held(session, batch, by_id[causes[batch.id].event_id]) for batch in batches]
    return sorted(found, key=lambda one: one.event.occurred_at, reverse=True)


def _held(session: Session, batch: Batch, event: Event) -> Held:
    family = reachable(session, [batch.id], "down")
    everyone = Batch.id.in_(listed(session, {batch.id, *family}))
    packs, grams = session.execute(
        select(
            func.coalesce(func.sum(Batch.left_units), 0),
            func.coalesce(func.sum(case((Batch.made_units.is_(None), Batch.left_grams), else_=0)), 0),
        ).where(everyone)
    ).one()
    first = select(Batch).where(everyone, Batch.id != batch.id).order_by(Batch.made_at, Batch.id).limit(SHOWN)
    descendants = session.scalars(first.options(joinedload(Batch.product))).all()
    return Held(batch, event, list(descendants), len(family), int(packs), int(grams))


def held_count(session: Session, cooperative_id: str) -> int:
    """How many of a cooperative's batches are held back."""
    mine = (Batch.cooperative_id == cooperative_id, Batch.hold == "held", Batch.void.is_(False))
    return session.scalar(select(func.count()).select_from(Batch).where(*mine)) or 0


def hold(who: Actor, lot: str, reason: str, event_id: str) -> None:
    """Hold a batch without an inspection, for a reason that goes into the event's note. Sent twice, done once."""
    office_only(who)
    note = clean_text(reason, "reason", LONGEST, required=True)
    with write(ledger=True) as session:
        if done_before(session, event_id, "event_id"):
            return
        batch, *others = batches_named(session, who, lot, "lot")
        if others:
            raise BadInput("one-lot", _l("Mỗi lần giữ một lô thôi, để lý do ghi cho đúng lô ấy."), field="lot")
        if batch.hold == "recalled":
            raise Conflict("recalled", _l("Lô %(lot)s đã thu hồi rồi."), field="lot", lot=batch.lot)
        act(session, who, HOLD, event_id, [batch], passed=False, note=note)


def held_one(who: Actor, batch_id: str) -> Held:
    """One batch that is held for itself, of the asker's cooperative; NotFound for others."""
    found = next((one for one in held(who) if one.batch.id == batch_id), None)
    if found is None:
        raise no_such_hold()
    return found


def release(who: Actor, batch_id: str, reason: str, event_id: str) -> None:
    """Let a batch go again, for a reason that goes into the event's note; what else holds it or its family, stays.

    Sent twice, done once. NotFound for a batch that is not held for itself.
    """
    office_only(who)
    note = clean_text(reason, "reason", LONGEST, required=True)
    with write(ledger=True) as session:
        if done_before(session, event_id, "event_id"):
            return
        batch = session.get(Batch, batch_id, with_for_update=True)
        if batch is None or batch.cooperative_id != who.cooperative_id or batch_id not in failing(session):
            raise no_such_hold()
        act(session, who, RELEASE, event_id, [batch], passed=True, note=note)
