"""What a cooperative's office does with its outbox: rings, ticks off, has failed ones sent again, erases."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import selectinload

from village import clock
from village.db import core, db, write
from village.errors import Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.outbox import erasing
from village.outbox.models import Channel, Message, MessageProof, MessageState, Outcome
from village.outbox.sending import add_proof
from village.outbox.services import have_sent
from village.people.access import Actor
from village.scrub import scrub
from village.text import clean_line

PAGE = 30
CAME = {"reached": Outcome.REACHED, "missed": Outcome.MISSED, "wrong": Outcome.REFUSED}
"""What can come of a call, as forms say it; `wrong` is a number that nobody needs to ring again."""
_STATES = {Outcome.REACHED: MessageState.SENT, Outcome.REFUSED: MessageState.FAILED}

SHELVES: dict[str, ColumnElement[bool]] = {
    "calls": and_(Message.channel == Channel.CALL, Message.state == MessageState.WAITING),
    "failed": Message.state == MessageState.FAILED,
    "waiting": and_(Message.channel != Channel.CALL, Message.state == MessageState.WAITING),
    "sent": Message.state.in_((MessageState.SENT, MessageState.CANCELLED)),
}
"""What the page is divided into."""


@dataclass(frozen=True)
class Shelf:
    """One page of one division, and how many each division holds."""

    name: str
    messages: Sequence[Message]
    more: bool
    counts: dict[str, int]


def shelf(who: Actor, name: str, page: int) -> Shelf:
    """The messages of the member's own cooperative: what waits oldest first, what ended newest first."""
    own = Message.cooperative_id == who.cooperative_id
    counts = {
        key: db.session.scalar(select(func.count()).select_from(Message).where(own, which)) or 0
        for key, which in SHELVES.items()
    }
    if name not in SHELVES:
        name = next((key for key in ("calls", "failed", "waiting") if counts[key]), "sent")
    order = (Message.made_at, Message.id) if name in ("calls", "waiting") else (Message.ended_at.desc(), Message.id)
    found = db.session.scalars(
        select(Message)
        .where(own, SHELVES[name])
        .options(selectinload(Message.proofs).joinedload(MessageProof.member))
        .order_by(*order)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    return Shelf(name, found[:PAGE], len(found) > PAGE, counts)


def rang(who: Actor, message_id: str, came: Outcome, tries: int, note: str) -> None:
    """Tick a call off: who rang, when, and what came of it. `tries` is what the page showed: when somebody else ticked
    it meanwhile nothing is written, and Conflict says so."""
    _mine(who, message_id)
    noted = clean_line(note, "note", 200, required=False)
    state = _STATES.get(came, MessageState.WAITING)
    ended = None if state is MessageState.WAITING else clock.now()
    with write() as session:
        changed = core(session).execute(
            update(Message)
            .where(Message.id == message_id, SHELVES["calls"], Message.tries == tries)
            .values(state=state, tries=tries + 1, ended_at=ended)
        )
        if not changed.rowcount:
            raise Conflict("call-ticked-already", _l("Cuộc gọi này vừa có người ghi rồi. Bác xem lại danh sách nhé."))
        add_proof(session, message_id, came, noted, who.id)


def again(who: Actor, message_id: str | None = None) -> int:
    """Have a failed message tried again, or all of them; how many there were."""
    if message_id is not None:
        _mine(who, message_id)
    which = [Message.cooperative_id == who.cooperative_id, SHELVES["failed"], Message.erased_at.is_(None)]
    if message_id is not None:
        which.append(Message.id == message_id)
    with write() as session:
        values = {"state": MessageState.WAITING, "tries": 0, "next_at": clock.now(), "ended_at": None, "holder": None}
        changed = core(session).execute(update(Message).where(*which).values(values).returning(Message.id))
        ids = list(changed.scalars())
        for one in ids:
            add_proof(session, one, Outcome.AGAIN, member_id=who.id)
        if ids:
            have_sent(session)
    return len(ids)


def erase(who: Actor, message_id: str) -> None:
    """Erase a message's address and text, as its reader may ask at any time."""
    _mine(who, message_id)
    with write() as session:
        erasing.erase_one(session, message_id, who.id)
    scrub(Message)


def _mine(who: Actor, message_id: str) -> Message:
    message = db.session.get(Message, message_id)
    if message is None or message.cooperative_id != who.cooperative_id:
        raise NotFound("no-message", _l("Không có tin nào mang mã này."))
    return message
