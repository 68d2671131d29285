"""A pause that is over: what it kept is decided in turns, so that other writers have theirs in between.

Until the last of it is decided the session stays `paused`, and `becomes` says what it is then. What comes meanwhile is
kept like the rest and has its turn by the time at which it was said, so nothing new is decided before what was kept.
Each turn is a transaction. Whoever is killed between two leaves nothing half done: the next call goes on, or the job.
"""

import time
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from shop.live.intake import COMMENTS_MAX, go_on, undecided
from shop.live.models import Becoming, LiveComment, LiveSession
from shop.live.room import hold
from village import clock
from village.db import db, write
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.services import ask_once
from village.jobs.work import Work

CARRY_ON = "live.go-on"
HERE = 2.0
"""Seconds that whoever asks for it waits; a job does what is left then."""


def leave(session: Session, live: LiveSession, becomes: Becoming) -> None:
    """A paused session is to go on, or to end: its first turn, in the caller's transaction with its row held."""
    if live.becomes != becomes:
        live.becomes = becomes
        _moment(live, becomes)
    _turn(session, live)


def carry_on(session_id: str) -> bool:
    """Take further turns for a while, then leave them to a job; True when that is so."""
    until = time.monotonic() + HERE
    while _again(session_id):
        if time.monotonic() > until:
            see_to_it()
            return True
    return False


def see_to_it() -> None:
    """Have a job go on with what was left in the middle. Called every few seconds by the jobs' sweeper."""
    with db.engine.connect() as connection:
        due = connection.execute(_due().limit(1)).first()
    if due is not None:
        ask_once(CARRY_ON)


@kind(CARRY_ON, name=_l("Chia lời nhắn giữ lại lúc nghỉ"))
def tend(work: Work) -> dict[str, Any]:
    """Decide the rest of what pauses kept. Done again, it finds nothing."""
    turns = 0
    for session_id in db.session.scalars(_due()).all():
        while _again(session_id):
            turns += 1
            work.progress(turns * COMMENTS_MAX)
    return {"turns": turns}


def left(session: Session, live: LiveSession) -> int:
    """How many comments are still to be decided before the session is what it becomes; 0 when it becomes nothing."""
    if live.becomes is None:
        return 0
    return session.scalar(select(func.count()).select_from(LiveComment).where(*undecided(live.id))) or 0


def _moment(live: LiveSession, becomes: Becoming) -> None:
    """When it went on or ended: from the word on, and then when all was decided, which is what its anchor is about."""
    if becomes == "open":
        live.resumed_at = clock.now()
    else:
        live.ended_at = clock.now()


def _due() -> Select[str]:
    return select(LiveSession.id).where(LiveSession.status == "paused", LiveSession.becomes.is_not(None))


def _again(session_id: str) -> bool:
    """One more turn, in a transaction of its own; whether there is another."""
    with write() as session:
        live = hold(session, session_id)
        if live.becomes is None:
            return False
        _turn(session, live)
        return live.becomes is not None


def _turn(session: Session, live: LiveSession) -> None:
    becomes = live.becomes
    assert becomes is not None
    # Within this transaction it is open: those who wait are served as while it runs.
    live.status = "open"
    session.flush()
    if go_on(session, live):
        live.status = "paused"
    else:
        live.status, live.becomes = becomes, None
        _moment(live, becomes)
