"""Erasing addresses and texts. That something was sent, when, and what the provider said, stays."""

import datetime as dt

from flask import current_app
from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from village import clock
from village.db import core, write
from village.outbox import console
from village.outbox.models import Message, MessageState, Outcome
from village.outbox.sending import add_proof
from village.scrub import scrub

KEPT = dt.timedelta(days=180)
"""How long after its end a message's address and text are kept: half the shelf life of noodles, and long enough to
answer whoever says that nobody told her. Afterwards the proof does without them."""
_AT_ONCE = 500


def erase(session: Session, kind: str, id: str) -> int:
    """Erase the addresses and texts of all messages about one thing, within the caller's transaction of `write()`; what
    has not been sent is not sent any more. How many there were. The caller scrubs `Message` after it committed."""
    return _erase(session, (Message.about_kind == kind, Message.about_id == id))


def erase_one(session: Session, message_id: str, member_id: str | None = None) -> int:
    """The same for one message; 0 when it was erased before."""
    return _erase(session, (Message.id == message_id,), member_id)


def tidy() -> None:
    """Erase what ended long ago. Called about once an hour."""
    old = Message.ended_at < clock.now() - KEPT
    erased = False
    while True:
        with write() as session:
            ids = core(session).execute(
                select(Message.id).where(old, Message.erased_at.is_(None)).limit(_AT_ONCE)
            ).scalars().all()  # fmt: skip
            if not ids:
                break
            erased = _erase(session, (Message.id.in_(ids),)) > 0
    if erased:
        scrub(Message)


def _erase(session: Session, which: tuple[ColumnElement[bool], ...], member_id: str | None = None) -> int:
    now = clock.now()
    waits = Message.state == MessageState.WAITING
    statement = (
        update(Message)
        .where(*which, Message.erased_at.is_(None))
        .values(
            to=None, subject=None, body=None, erased_at=now, holder=None, held_until=None,
            state=case((waits, MessageState.CANCELLED.value), else_=Message.state),
            ended_at=case((waits, now), else_=Message.ended_at),
        )
        .returning(Message.id)
    )  # fmt: skip
    ids = list(core(session).execute(statement).scalars())
    for message_id in ids:
        add_proof(session, message_id, Outcome.ERASED, member_id=member_id)
    console.forget(current_app.extensions["soi"].instance, ids)
    return len(ids)
