"""Erasing a photo for good: somebody who is seen in it asks, the office does it."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from batches.evidence.acts import office_only
from trace.events.models import Event, EventBatch
from trace.photos.models import Photo, PhotoUse
from trace.photos.services import no_photo, store
from trace.photos.store import HASH
from village import clock
from village.db import db, write
from village.people.access import Actor
from village.people.models import Member
from village.revision import bump
from village.scrub import scrub


@dataclass(frozen=True)
class Erasable:
    """A photo of the asker's cooperative, and the events that name it."""

    photo: Photo
    events: list[Event]


def photo_of(who: Actor, sha256: str) -> Erasable:
    """A photo that a member of the asker's cooperative sent, or that its events name. For its office only."""
    office_only(who)
    photo = db.session.get(Photo, sha256) if HASH.fullmatch(sha256) else None
    if photo is None:
        raise no_photo()
    query = select(Event).join(PhotoUse, PhotoUse.event_id == Event.id).where(PhotoUse.sha256 == sha256)
    query = query.options(joinedload(Event.household), selectinload(Event.parts).joinedload(EventBatch.batch))
    events = list(db.session.scalars(query.order_by(Event.occurred_at)))
    ours = {event.household.cooperative_id for event in events}
    ours.add(db.session.get_one(Member, photo.member_id).cooperative_id)
    if who.cooperative_id not in ours:
        raise no_photo()
    return Erasable(photo, events)


def erase_photo(who: Actor, sha256: str) -> None:
    """Erase a photo: its file, what was made of it, when and where it was taken. Its hash stays on the ledger.

    The row is told first: should the server end in between, nobody is shown the file, and tidying drops it.
    """
    photo_of(who, sha256)
    with write() as session:
        photo = session.get_one(Photo, sha256)
        photo.state, photo.erased_at = "erased", photo.erased_at or clock.now()
        photo.taken_at = photo.lat = photo.lon = None
        bump(session)
    store().remove(sha256)
    scrub(Photo)
