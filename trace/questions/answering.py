"""The office's side: reading what buyers ask, answering, closing, marking what is serious."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from trace.lots.models import Batch
from trace.questions import asking, notices
from trace.questions.models import Question, QuestionState, Saying, Side
from trace.questions.retention import ABOUT
from village import clock
from village.db import core, db, write
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.outbox.models import Message
from village.outbox.services import bodies
from village.people.access import Actor

PAGE = 30


@dataclass(frozen=True)
class Read:
    """A question as the office reads it, with the notices that went to its buyer."""

    question: Question
    notices: Sequence[Message]


def listed(who: Actor, state: QuestionState, page: int) -> tuple[list[Question], bool]:
    """Questions about the cooperative's own lots, the serious first; and whether there are more."""
    found = db.session.scalars(
        select(Question)
        .where(Question.cooperative_id == who.cooperative_id, Question.state == state)
        .options(joinedload(Question.batch).joinedload(Batch.product), selectinload(Question.said))
        .order_by(Question.serious.desc(), Question.last_at.desc(), Question.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    return list(found[:PAGE]), len(found) > PAGE


def counts(who: Actor) -> dict[QuestionState, int]:
    """How many there are of each."""
    own = Question.cooperative_id == who.cooperative_id
    rows = db.session.execute(select(Question.state, func.count()).where(own).group_by(Question.state))
    found = {state: count for state, count in rows}
    return {state: found.get(state, 0) for state in QuestionState}


def read(who: Actor, question_id: str) -> Read:
    """One question of the member's own cooperative; NotFound for any other."""
    _mine(db.session(), who, question_id)
    question = db.session.scalars(
        select(Question)
        .where(Question.id == question_id)
        .options(
            joinedload(Question.batch).joinedload(Batch.product),
            selectinload(Question.said).joinedload(Saying.member),
        )
    ).one()
    return Read(question, bodies(db.session(), ABOUT, question_id))


def answer(who: Actor, question_id: str, text: str, key: str, *, close: bool) -> None:
    """Answer, and have the buyer told where she left word how. Sent twice, it is answered once."""
    state = QuestionState.CLOSED if close else QuestionState.ANSWERED
    with write() as session:
        question = _mine(session, who, question_id)
        saying = Saying(side=Side.OFFICE, member_id=who.id, text=text)
        if asking.say(session, question_id, saying, state, key):
            notices.tell(session, question, saying)


def close(who: Actor, question_id: str, *, closed: bool) -> None:
    """Close a matter, or take it up again."""
    state = QuestionState.CLOSED if closed else QuestionState.OPEN
    with write() as session:
        _mine(session, who, question_id)
        values = {"state": state, "last_at": clock.now()}
        core(session).execute(update(Question).where(Question.id == question_id).values(values))


def mark(who: Actor, question_id: str, *, serious: bool) -> None:
    """Say that a matter is serious, or that it is not after all."""
    with write() as session:
        _mine(session, who, question_id)
        core(session).execute(update(Question).where(Question.id == question_id).values(serious=serious))


def photo(who: Actor, question_id: str, saying_id: str) -> str | None:
    """The photo with something that was said."""
    _mine(db.session(), who, question_id)
    return asking.photo_of(db.session(), question_id, saying_id)


def questions_count(session: Session, cooperative_id: str) -> int:
    """Questions that wait for this cooperative's office."""
    return _count(session, cooperative_id)


def serious_questions_count(session: Session, cooperative_id: str) -> int:
    """Those of them that are serious."""
    return _count(session, cooperative_id, Question.serious.is_(True))


def _count(session: Session, cooperative_id: str, *more: ColumnElement[bool]) -> int:
    which = (Question.cooperative_id == cooperative_id, Question.state == QuestionState.OPEN, *more)
    return session.scalar(select(func.count()).select_from(Question).where(*which)) or 0


def _mine(session: Session, who: Actor, question_id: str) -> Question:
    question = session.get(Question, question_id)
    if question is None or question.cooperative_id != who.cooperative_id:
        raise NotFound("no-question", _l("Không có câu hỏi nào mang mã này."))
    return question
