"""What the office forgets on somebody's behalf. It cannot be taken back, and an entry of the ledger says so.

Each function is whole or not at all; done again, it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from batches.devices.models import Device, Status
from batches.field import refused
from batches.field.models import PhoneHeard, RefusedRecord
from batches.stages.services import SCOPE
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.erasure import (
    MEMBER,
    MEMBER_LEFT,
    NOTE,
    NOTE_WITHDRAWN,
    Pair,
    commitments_to,
    erase,
)
from trace.ledger.models import Commitment
from village import clock
from village.db import db, insert_now, write
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.idempotency import IdempotencyKey
from village.people.access import Actor, not_yours, wrong_role
from village.people.models import ApiToken, Member, Role, SignIn, SignInLink
from village.people.services import forget_member_in, member_of
from village.scrub import scrub

T = TypeVar("T")
AT_ONCE = 5000
"""Rows named in one statement."""


@dataclass(frozen=True)
class Holdings:
    """What the village knows of a member."""

    member: Member
    events: int
    """Stages that she recorded."""
    notes: int
    """Of these, those with a note of hers."""
    phones: int
    """Her phones whose keys still sign."""


def holdings_of(who: Actor, member_id: str) -> Holdings:
    """What would be forgotten of a member of the asker's cooperative. For its office only."""
    _office(who)
    member = member_of(who, member_id)
    mine = select(func.count()).select_from(Event).where(Event.member_id == member.id)
    phones = select(func.count()).select_from(Device)
    phones = phones.where(Device.member_id == member.id, Device.status == Status.ENROLLED)
    return Holdings(
        member,
        events=db.session.scalars(mine).one(),
        notes=db.session.scalars(mine.where(Event.note != "")).one(),
        phones=db.session.scalars(phones).one(),
    )


def event_with_note(who: Actor, event_id: str) -> Event:
    """An event of the asker's cooperative, for its office only; its note may be gone already."""
    _office(who)
    event = db.session.get(Event, event_id, options=[joinedload(Event.household)])
    if event is None:
        raise NotFound("no-event", _l("Không có lần ghi nào mang mã %(event)s."), event=event_id)
    if event.household.cooperative_id != who.cooperative_id:
        raise not_yours()
    return event


def forget_note(who: Actor, event_id: str) -> int | None:
    """Forget the note of an event; the entry that says so, or None when there was nothing left to forget."""
    event_with_note(who, event_id)
    with write(ledger=True) as session:
        event = session.get_one(Event, event_id, with_for_update=True)
        told = erase(session, _notes_at(session, [event.entry_index]), NOTE_WITHDRAWN)
        _blank_notes(session, [event.id])
    scrub(Event, Commitment, IdempotencyKey)
    return told[0].index if told else None


def forget_member(who: Actor, member_id: str, *, notes: bool) -> int | None:
    """Forget who a member was, and with `notes` her words too; the first entry that says so.

    None when it was done before, or when no entry named her. Her phones' keys end. What she recorded stays as it is,
    under an id that nothing leads to a person any more. The last office member is refused (Conflict).
    """
    _office(who)
    member_of(who, member_id)
    seen = store.ensure_born().size
    # The long past is read before the log's lock is taken: others wait for it only while the rest is done.
    pairs = commitments_to(db.session(), MEMBER, member_id)
    with write(ledger=True) as session:
        if forget_member_in(session, who, member_id) is None:
            return None
        _end_phones(session, member_id)
        refused.forget_in(session, member_id)
        pairs += commitments_to(session, MEMBER, member_id, seen)
        told = erase(session, pairs, MEMBER_LEFT)
        if notes:
            rows = session.execute(
                select(Event.id, Event.entry_index).where(Event.member_id == member_id, Event.note != "")
            ).all()
            told += erase(session, _notes_at(session, [index for _, index in rows]), NOTE_WITHDRAWN)
            _blank_notes(session, [event_id for event_id, _ in rows])
    scrub(
        Member, SignIn, SignInLink, ApiToken, Device, Event, Commitment, IdempotencyKey, RefusedRecord, PhoneHeard
    )  # fmt: skip
    return told[0].index if told else None


def _office(who: Actor) -> None:
    if not who.has(Role.OFFICE):
        raise wrong_role()


def _notes_at(session: Session, indexes: Sequence[int]) -> list[Pair]:
    """The notes among these entries that are not forgotten yet."""
    found: list[int] = []
    for part in _parts(indexes):
        found += session.scalars(
            select(Commitment.entry_index).where(Commitment.entry_index.in_(part), Commitment.name == NOTE)
        )
    return [(index, NOTE) for index in found]


def _blank_notes(session: Session, event_ids: Sequence[str]) -> None:
    """The words themselves, and the digest of the request that brought them: it would confirm a guess."""
    for part in _parts(event_ids):
        session.execute(update(Event).where(Event.id.in_(part)).values(note=""))
        sent = (IdempotencyKey.scope == SCOPE, IdempotencyKey.key.in_(part))
        session.execute(update(IdempotencyKey).where(*sent).values(digest=""))


def _end_phones(session: Session, member_id: str) -> None:
    """Her phones' keys sign no more, and nothing tells what she called them."""
    for device in session.scalars(select(Device).where(Device.member_id == member_id).with_for_update()):
        if device.status is Status.ENROLLED:
            key = {"role": "device", "status": "revoked", "key": device.key}
            (told,) = store.append(session, [store.Draft("key", None, extra={"key": key})])
            store.note_key(session, device.key, "device", ended=told.index)
            device.status, device.ended_entry, device.ended_at = Status.REVOKED, told.index, clock.now()
        elif device.status is Status.PENDING:
            device.status = Status.REFUSED
        device.label = device.last_repeat = ""
    insert_now(session)
    session.flush()


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE)]
