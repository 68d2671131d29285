"""Comments come in: kept as they are, read, and acted on in the order in which viewers wrote them."""

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from shop.live import rules
from shop.live.errors import ended
from shop.live.models import AUTHOR_MAX, TEXT_MAX, Decision, LiveComment, LiveDecision, LiveSession
from shop.live.outcomes import Asked, Outcome
from shop.live.parser import Reading, parse
from shop.live.room import Room
from shop.live.services import authorised, may_see
from shop.live.texts import kept
from shop.live.words import LEXICON
from shop.orders.models import QUANTITY_MAX, Order
from village import clock
from village.db import write
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import Actor

COMMENTS_MAX = 500
"""Comments in one call."""
TIME_DOUBT = dt.timedelta(days=1)
"""A platform's time further off than this is a broken clock."""
_NAMED = re.compile(r"\s*([^\W\d_][^\d:\n]{0,38}?[^\W\d_.]?)\s*[:：]\s*(\S.*)", re.DOTALL)
_LABELS = frozenset(("địa chỉ", "dia chi", "ghi chú", "ghi chu", "lưu ý", "luu y", "note", "ps"))
_LABEL_CLASSES = frozenset(
    ("contact", "address", "amount", "order", "take", "code", "cancel", "change", "unit", "money")
)
"""What stands before a colon and is no name: "sđt: …", "chốt: …"."""
PASTED = "paste:"
NAMED = "name:"


@dataclass(frozen=True)
class Said:
    """One comment as it was sent to us."""

    id: str
    author_id: str
    author_name: str
    text: str
    at: dt.datetime | None = None
    """The platform's time, aware; None for now."""


@dataclass(frozen=True)
class Result:
    """What became of one comment, for whoever sent it."""

    id: str
    decision: Decision
    lines: Sequence[Asked]
    waiting: Sequence[Asked]
    phone: str | None
    reason: str
    order: str | None
    """The order's number."""
    token: str | None
    """The key to the order's page."""


def receive(actor: Actor, session_id: str, said: Sequence[Said]) -> list[Result]:
    """Take comments in one transaction; what became of each, in the order sent.

    A comment that was here before is a `duplicate` with what became of it then. Reservation goes by the platform's
    time, then by our receive order. Conflict when the session has ended and one of the comments is new.
    """
    if len(said) > COMMENTS_MAX:
        message = _l("Mỗi lần gửi nhiều nhất %(max)s lời nhắn.")
        raise BadInput("too-many-comments", message, field="comments", max=COMMENTS_MAX, count=len(said))
    with write() as session:
        live = authorised(session, actor, session_id)
        first = turn(session, live, len(said))
        fresh = _keep(session, live, said, first)
        room = Room(session, live)
        readings = {comment.id: parse(comment.text, room.codes, QUANTITY_MAX) for comment in fresh.values()}
        if fresh:
            codes = {line.code for reading in readings.values() for line in reading.lines}
            room.enter({comment.author_id for comment in fresh.values()}, codes)
        for comment in sorted(fresh.values(), key=lambda comment: comment.turn):
            room.decide(comment, _act(room, comment, readings[comment.id]))
        session.flush()
        before = _known(session, actor, live, [each.id for each in said if each.id not in fresh])
        results = []
        for each in said:
            if each.id in before:
                results.append(_result(each.id, before[each.id], Decision.DUPLICATE))
            else:
                before[each.id] = room.outcomes[fresh[each.id].id]
                results.append(_result(each.id, before[each.id]))
        return results


def paste(actor: Actor, session_id: str, text: str, paste_id: str) -> list[Result]:
    """Take comments that a person pasted, one a line, as `receive` does.

    A line may begin with the viewer's name and a colon; who has the same name is then the same viewer. `paste_id` is
    the form's own: sent twice, its lines are taken once.
    """
    lines = [line for line in re.split(r"\r\n?|\n", text) if line.strip()]
    if not lines:
        raise BadInput("missing", _l("Bác dán lời nhắn vào đây đã nhé."), field="comments")
    seen: Counter[str] = Counter()
    said = []
    for line in lines:
        seen[line] += 1
        digest = hashlib.sha256(f"{seen[line]}\n{line}".encode(errors="replace")).hexdigest()[:24]
        comment_id = f"{PASTED}{paste_id}:{digest}"
        name, words = split_name(line)
        author = NAMED + hashlib.sha256(" ".join(name.casefold().split()).encode()).hexdigest()[:32]
        said.append(Said(comment_id, author if name else comment_id[:AUTHOR_MAX], name, words))
    return receive(actor, session_id, said)


def split_name(line: str) -> tuple[str, str]:
    """The name that a pasted line begins with (empty without one), and the comment: `Lan: md01 x2`."""
    found = _NAMED.fullmatch(line)
    if found is None:
        return "", line.strip()
    name, words = kept(found[1].strip(), 200), found[2].strip()
    low = name.lower()
    label = low in _LABELS or all(LEXICON.word(word) in _LABEL_CLASSES for word in low.split())
    return ("", line.strip()) if label or words.startswith("//") else (name, words)


def turn(session: Session, live: LiveSession, count: int) -> int:
    """Hold the session's row, and take `count` receive numbers; the first of them."""
    session.execute(
        update(LiveSession)
        .where(LiveSession.id == live.id)
        .values(received=LiveSession.received + count)
        .execution_options(synchronize_session=False)
    )
    session.refresh(live, ["received", "status"])
    return live.received - count + 1


def _keep(session: Session, live: LiveSession, said: Sequence[Said], first: int) -> dict[str, LiveComment]:
    """Put new comments into the log; those that were new, by the platform's id."""
    now = clock.now()
    ids = {each.id for each in said}
    known = select(LiveComment.comment_id).where(LiveComment.platform == live.platform)
    old = set(session.scalars(known.where(LiveComment.comment_id.in_(ids))))
    rows: dict[str, dict[str, object]] = {}
    for number, each in enumerate(said, start=first):
        if each.id in old or each.id in rows:
            continue
        doubted = each.at is not None and abs(each.at - now) > TIME_DOUBT
        rows[each.id] = {
            "id": uuid7(), "session_id": live.id, "platform": live.platform, "comment_id": each.id,
            "author_id": each.author_id, "author_name": kept(each.author_name, 200),
            "text": kept(each.text, TEXT_MAX), "cut": len(each.text) > TEXT_MAX,
            "said_at": now if doubted or each.at is None else each.at, "time_doubted": doubted,
            "received_at": now, "seq": number,
        }  # fmt: skip
    if rows and live.status != "open":
        raise ended(live)
    if not rows:
        return {}
    # Sorted, so that two sessions that get the same comments at once do not wait for each other.
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(LiveComment).on_conflict_do_nothing(index_elements=["platform", "comment_id"])
    session.execute(statement, [rows[key] for key in sorted(rows)])
    mine = select(LiveComment).where(LiveComment.id.in_([row["id"] for row in rows.values()]))
    return {comment.comment_id: comment for comment in session.scalars(mine)}


def _act(room: Room, comment: LiveComment, reading: Reading) -> Outcome:
    """Do what a comment says, if it says it clearly."""
    lines = [Asked(line.code, line.quantity, line.because) for line in reading.lines]
    suggested = [Asked(line.code, line.quantity, line.because) for line in reading.suggested]
    if comment.cut:
        return Outcome(Decision.REVIEW, suggested=lines or suggested, phone=reading.phone, reason="too-long")
    if reading.intent == "order":
        return rules.take(room, comment, lines, reading.phone, reading.additive)
    if reading.intent == "cancel":
        return rules.give_back(room, comment, lines)
    if reading.intent == "phone" and reading.phone:
        return rules.note_phone(room, comment, reading.phone)
    return Outcome(Decision(reading.intent), suggested=suggested, phone=reading.phone, reason=reading.reason)


def _known(session: Session, actor: Actor, live: LiveSession, ids: Sequence[str]) -> dict[str, Outcome]:
    """What holds of comments that were here before. Of a session that is not the asker's nothing is told."""
    if not ids:
        return {}
    found = session.scalars(
        select(LiveComment)
        .where(LiveComment.platform == live.platform, LiveComment.comment_id.in_(ids))
        .options(selectinload(LiveComment.decisions).joinedload(LiveDecision.order))
    ).all()
    others = {c.session_id for c in found if c.session_id != live.id}
    theirs = session.scalars(select(LiveSession).where(LiveSession.id.in_(others)))
    hidden = {each.id for each in theirs if not may_see(actor, each)}
    return {
        each.comment_id: Outcome(Decision.DUPLICATE) if each.session_id in hidden else outcome_of(each.decisions[-1])
        for each in found
    }


def outcome_of(decision: LiveDecision) -> Outcome:
    """A kept decision as a value."""
    return Outcome(
        decision.decision,
        [Asked(**line) for line in decision.lines],
        [Asked(**line) for line in decision.waiting],
        phone=decision.phone,
        reason=decision.reason,
        order=decision.order,
    )


def _result(comment_id: str, outcome: Outcome, decision: Decision | None = None) -> Result:
    order: Order | None = outcome.order
    return Result(
        comment_id, decision or outcome.decision, outcome.lines, outcome.waiting, outcome.phone, outcome.reason,
        order.number if order else None, order.token if order else None,
    )  # fmt: skip
