"""How long what buyers leave is kept."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from trace.questions import pictures
from trace.questions.models import Question, QuestionKey, QuestionState, Saying
from village import clock
from village.db import core, db, write
from village.outbox import erasing
from village.outbox.models import Message
from village.scrub import scrub

ABOUT = "question"
"""What notices of answers are about."""
CLOSED_KEPT = dt.timedelta(days=30)
"""Contact and photos of a closed matter: long enough for "one thing more"."""
OPEN_KEPT = dt.timedelta(days=180)
"""Contact and photos of one that nobody closed, after the last word: a forgotten matter is no reason to keep them."""
TEXT_KEPT = dt.timedelta(days=730)
"""All of it: the shelf life of noodles, and a year to answer for them. Who writes may name people."""
_AT_ONCE = 500


def erase(session: Session, ids: Sequence[str]) -> list[str]:
    """Erase contact and photos of these questions, and the notices that went to the contact; gives the photos' names,
    whose files the caller drops after it committed."""
    theirs = Saying.question_id.in_(ids)
    hashes = [one for one in session.scalars(select(Saying.photo).where(theirs, Saying.photo.is_not(None))) if one]
    core(session).execute(update(Saying).where(theirs).values(photo=None))
    gone = {"contact": None, "consented_at": None, "erased_at": clock.now()}
    core(session).execute(update(Question).where(Question.id.in_(ids)).values(gone))
    for one in ids:
        erasing.erase(session, ABOUT, one)
    return hashes


def tidy() -> None:
    """Erase what is old enough. Called about once an hour; also wipes what buyers had erased since the last time."""
    now = clock.now()
    closed = (Question.state == QuestionState.CLOSED) & (Question.last_at < now - CLOSED_KEPT)
    erased = False
    while ids := _some((Question.erased_at.is_(None), closed | (Question.last_at < now - OPEN_KEPT))):
        erased = True
        with write() as session:
            hashes = erase(session, ids)
        pictures.drop(hashes)
    while ids := _some((Question.last_at < now - TEXT_KEPT,)):
        erased = True
        with write() as session:
            for table in (Saying, QuestionKey):
                core(session).execute(delete(table).where(table.question_id.in_(ids)))
            core(session).execute(delete(Question).where(Question.id.in_(ids)))
    pictures.drop_strays(db.session())
    lately = select(Question.id).where(Question.erased_at > now - dt.timedelta(hours=2)).limit(1)
    if erased or db.session.scalar(lately) is not None:
        db.session.rollback()
        scrub(Question, Saying, Message)


def _some(which: Sequence[object]) -> list[str]:
    found = list(db.session.scalars(select(Question.id).where(*which).limit(_AT_ONCE)))  # type: ignore[arg-type]
    db.session.rollback()
    return found
