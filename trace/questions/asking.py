"""The buyer's side: asking, following, saying more, having contact and photos erased."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from trace.lots.models import Batch
from trace.questions import keys, pictures, retention
from trace.questions.fields import Wanted
from trace.questions.models import Question, QuestionState, Saying, Side, Topic
from village import clock
from village.db import core, db, write
from village.errors import Conflict, NotFound, TooMany
from village.i18n import current_language
from village.i18n import lazy_gettext as _l
from village.idempotency import check_key, recall, remember
from village.people.phones import shown_phone
from village.places.models import Cooperative

PER_ADDRESS = 20
"""Forms from one network address within a quarter of an hour: a whole town may share one of its mobile network's."""
PER_LOT = 40
"""New questions about one lot within a day, and as many reports of harm: chatter must not shut those out."""
DAY = dt.timedelta(days=1)
MOST_SAID = 60
"""Things said in one matter."""


@dataclass(frozen=True)
class Matter:
    """A question as its buyer's page shows it."""

    question: Question
    cooperative: Cooperative


def ask(batch: Batch, wanted: Wanted, photo: str | None, key: str) -> str:
    """Put a question; gives the token of its page. The same form sent again is the same question.

    Conflict when the key comes with another text, TooMany when the lot has had its share of the day.
    """
    body = {
        "batch": batch.id, "topic": wanted.topic, "text": wanted.text, "serial": wanted.serial, "photo": photo,
        "contact": keys.blinded(wanted.contact or ""),
    }  # fmt: skip
    with write() as session:
        before = recall(session, "ask", check_key(key), body)
        if before is not None:
            return keys.let_open(session, str(before.body["question"]))
        _within_bounds(session, batch, wanted.topic)
        now = clock.now()
        question = Question(
            cooperative_id=batch.cooperative_id, batch_id=batch.id, serial=wanted.serial, topic=wanted.topic,
            serious=wanted.topic is Topic.HARM, language=current_language(), contact=wanted.contact,
            consented_at=now if wanted.contact else None, asked_at=now, last_at=now,
            said=[Saying(side=Side.BUYER, text=wanted.text, photo=photo, at=now)],
        )  # fmt: skip
        session.add(question)
        session.flush()
        remember(session, "ask", key, body, 201, {"question": question.id})
        return keys.let_open(session, question.id)


def _within_bounds(session: Session, batch: Batch, topic: Topic) -> None:
    lately = (Question.batch_id == batch.id, Question.asked_at > clock.now() - DAY)
    alike = Question.topic == Topic.HARM if topic is Topic.HARM else Question.topic != Topic.HARM
    if (session.scalar(select(func.count()).select_from(Question).where(*lately, alike)) or 0) >= PER_LOT:
        phone = shown_phone(session.get_one(Cooperative, batch.cooperative_id).phone)
        message = _l("Hôm nay đã có nhiều người hỏi về lô này, hộp thư đầy rồi. Bác gọi thẳng %(phone)s giúp nhé.")
        raise TooMany("lot-asked-enough", message, retry_after=3600, phone=phone)


def matter(token: str) -> Matter:
    """What a token opens; NotFound for any that opens nothing."""
    question_id = _opened(db.session(), token)
    question = db.session.scalars(
        select(Question)
        .where(Question.id == question_id)
        .options(joinedload(Question.batch).joinedload(Batch.product), selectinload(Question.said))
    ).one()
    return Matter(question, db.session.get_one(Cooperative, question.cooperative_id))


def say_more(token: str, text: str, photo: str | None, key: str) -> None:
    """The buyer says more: it is the office's turn again, even where the matter was closed."""
    with write() as session:
        question_id = _opened(session, token)
        say(session, question_id, Saying(side=Side.BUYER, text=text, photo=photo), QuestionState.OPEN, key)


def say(session: Session, question_id: str, saying: Saying, state: QuestionState, key: str) -> bool:
    """One more thing said, by either side; False when this very form was there before. In the caller's transaction."""
    scope, body = f"question:{saying.side.value}:{question_id}", {"text": saying.text, "photo": saying.photo}
    if recall(session, scope, check_key(key), body) is not None:
        return False
    now = clock.now()
    moved = update(Question).where(Question.id == question_id).values(state=state, last_at=now)
    # A photo after an erasure is to be erased as well one day.
    core(session).execute(moved.values(erased_at=None) if saying.photo else moved)
    count = select(func.count()).select_from(Saying).where(Saying.question_id == question_id)
    if (session.scalar(count) or 0) >= MOST_SAID:
        raise Conflict("said-enough", _l("Chuyện này đã dài quá. Bác gọi điện cho nhanh nhé."))
    saying.question_id, saying.at = question_id, now
    session.add(saying)
    session.flush()
    remember(session, scope, key, body, 201, {})
    return True


def forget(token: str) -> None:
    """Erase contact and photos, as the buyer may ask at any time. What was written stays until it is old."""
    with write() as session:
        hashes = retention.erase(session, [_opened(session, token)])
    pictures.drop(hashes)


def photo(token: str, saying_id: str) -> str | None:
    """The photo with something that was said in the matter that the token opens."""
    return photo_of(db.session(), _opened(db.session(), token), saying_id)


def photo_of(session: Session, question_id: str, saying_id: str) -> str | None:
    """The photo with something that was said in this matter."""
    return session.scalar(select(Saying.photo).where(Saying.id == saying_id, Saying.question_id == question_id))


def _opened(session: Session, token: str) -> str:
    question_id = keys.opened_by(session, token)
    if question_id is None:
        raise NotFound("no-answers", _l("Không có trang trả lời nào ở địa chỉ này. Có thể đường dẫn bị thiếu chữ."))
    return question_id
