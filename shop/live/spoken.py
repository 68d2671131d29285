"""Comments as a seller sees them on the console: what was said, what became of it, and what one tap may do."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from shop.live.models import (
    CommentKind,
    Decision,
    LiveCode,
    LiveComment,
    LiveDecision,
    LiveHold,
    LiveSession,
    LiveWait,
)
from shop.live.outcomes import Asked
from shop.live.reasons import words
from shop.live.texts import shown as legible
from shop.orders.models import Order, Status
from village.i18n import gettext as _

LOOK_MAX = 8
"""Doubts before her at once: what is cleared makes room for the next, so the list never grows past a thumb's reach."""
STREAM_MAX = 60
SPARE = 60
"""Comments read beyond those shown: doubts among the newest stand above, not in the stream."""
NEEDS_LOOK = and_(
    # Named one by one, so that the index on a session's decisions answers.
    LiveDecision.decision.in_((Decision.REVIEW, Decision.CHANGE)),
    or_(LiveDecision.decision == Decision.REVIEW, LiveDecision.reason != "phone"),
)


@dataclass(frozen=True)
class Spoken:
    """A comment as the seller sees it: nothing in it is hidden."""

    id: str
    seq: int
    seen: int
    """Number of the decision that holds; -1 while nothing was decided."""
    who: str
    said: str
    kind: CommentKind
    at: dt.datetime
    decision: Decision | None
    """None for what a paused session keeps for later."""
    chip: str
    why: str
    offered: Sequence[Asked]
    """What one tap makes an order of."""
    swap: str
    """The code that she gives up for what is offered; empty when she gives up none."""
    phone: str | None
    order_id: str | None
    order_number: str | None
    has: Sequence[str]
    """Codes that its author has packs of or waits for: what a cancellation could mean."""
    doubtful_time: bool
    late: bool
    """A comment that was said after it had been decided before it came."""


def doubts(session: Session, live: LiveSession) -> tuple[list[Spoken], int]:
    """The oldest comments that need a person, and how many there are in all."""
    # What is shown is chosen, and counted, before the rest is joined to it: there may be thousands.
    oldest = (
        select(LiveDecision.comment_id, LiveDecision.position, func.count().over().label("of"))
        .join(LiveComment, LiveComment.id == LiveDecision.comment_id)
        .where(LiveDecision.session_id == live.id, NEEDS_LOOK, LiveDecision.position == newest())
        .order_by(LiveComment.seq)
        .limit(LOOK_MAX)
        .subquery()
    )
    same = and_(LiveDecision.comment_id == oldest.c.comment_id, LiveDecision.position == oldest.c.position)
    rows = session.execute(
        select(LiveComment, LiveDecision, Order.number, oldest.c.of)
        .select_from(oldest)
        .join(LiveDecision, same)
        .join(LiveComment, LiveComment.id == oldest.c.comment_id)
        .outerjoin(Order, Order.id == LiveDecision.order_id)
        .order_by(LiveComment.seq)
    ).all()
    has = _had_by(session, live, {comment.author_id for comment, *_rest in rows})
    shown = [
        _one(comment, decision, number, has.get(comment.author_id, ())) for comment, decision, number, _count in rows
    ]
    return shown, rows[0][3] if rows else 0


def stream(session: Session, live: LiveSession, before: int | None = None) -> tuple[list[Spoken], int | None]:
    """The newest comments that need nobody, newest first, and the receive number from which older ones are read.

    With `before`, those that came before that number. None as the second when there are no older ones.
    """
    query = select(LiveComment).where(LiveComment.session_id == live.id).order_by(LiveComment.seq.desc())
    if before is not None:
        query = query.where(LiveComment.seq < before)
    comments = session.scalars(query.limit(STREAM_MAX + SPARE)).all()
    decided = session.execute(
        select(LiveDecision, Order.number)
        .outerjoin(Order, Order.id == LiveDecision.order_id)
        .where(LiveDecision.comment_id.in_([comment.id for comment in comments]))
        .order_by(LiveDecision.position)
    )
    holds = {decision.comment_id: (decision, number) for decision, number in decided}
    found: list[Spoken] = []
    last = 0
    for comment in comments:
        decision, number = holds.get(comment.id, (None, None))
        last = comment.seq
        if decision is None or not needs_look(decision.decision, decision.reason):
            found.append(_one(comment, decision, number, ()))
        if len(found) == STREAM_MAX:
            break
    return found, last if last > 1 else None


def needs_look(decision: Decision, reason: str) -> bool:
    """As NEEDS_LOOK, for one decision."""
    return decision is Decision.REVIEW or (decision is Decision.CHANGE and reason != "phone")


def counted(lines: Sequence[Asked]) -> str:
    """Lines in short: `2 × MD01, 1 × MD02`."""
    return ", ".join(f"{line.quantity} × {line.code}" for line in lines)


def as_field(lines: Sequence[Asked]) -> str:
    """Lines as a form carries them: `MD01:2,MD02:1`."""
    return ",".join(f"{line.code}:{line.quantity}" for line in lines)


def called(name: str) -> str:
    """A viewer's name as it is shown; a word for one who has none."""
    return legible(name) or _("Người xem")


def newest() -> ColumnElement[int]:
    """Of each comment the decision that holds: the last one."""
    later = LiveDecision.__table__.alias("later")
    return select(func.max(later.c.position)).where(later.c.comment_id == LiveDecision.comment_id).scalar_subquery()


def _one(comment: LiveComment, decision: LiveDecision | None, number: str | None, has: Collection[str]) -> Spoken:
    lines = [Asked(**line) for line in decision.lines] if decision else []
    waiting = [Asked(**line) for line in decision.waiting] if decision else []
    swap, offered = _offer(decision, has) if decision else ("", [])
    return Spoken(
        id=comment.id,
        seq=comment.seq,
        seen=decision.position if decision else -1,
        who=called(comment.author_name),
        said=legible(comment.text) + (" …" if comment.cut else ""),
        kind=comment.kind,
        at=comment.said_at,
        decision=decision.decision if decision else None,
        chip=_chip(decision, lines, waiting),
        why=words(decision.reason, decision.allowed) if decision and decision.reason else "",
        offered=offered,
        swap=swap,
        phone=decision.phone if decision else None,
        order_id=decision.order_id if decision else None,
        order_number=number,
        has=sorted(has),
        doubtful_time=comment.time_doubted,
        late=decision.late if decision else False,
    )


def _chip(decision: LiveDecision | None, lines: Sequence[Asked], waiting: Sequence[Asked]) -> str:
    if decision is None:
        return _("giữ lại")
    queue = _("chờ %(what)s", what=counted(waiting)) if waiting else ""
    match decision.decision:
        case Decision.ORDER:
            return ", ".join(filter(None, (counted(lines), queue)))
        case Decision.WAITLIST:
            return queue
        case Decision.CANCEL:
            return _("bỏ %(what)s", what=counted(lines)) if lines else _("xin bỏ")
        case Decision.CHANGE:
            return _("đã ghi số") if decision.reason == "phone" else _("muốn đổi")
        case Decision.QUESTION:
            return _("hỏi")
        case Decision.REVIEW:
            return _("cần xem")
        case _:
            return _("bỏ qua")


def _offer(decision: LiveDecision, has: Collection[str]) -> tuple[str, list[Asked]]:
    """What one tap may do: with `change` only a swap of one code that she has for others that she has not."""
    lines = [Asked(**line) for line in decision.suggested]
    if decision.decision is not Decision.CHANGE:
        return "", lines
    old = [line.code for line in lines if line.code in has]
    new = [line for line in lines if line.code not in has]
    return (old[0], new) if len(old) == 1 and new else ("", [])


def _had_by(session: Session, live: LiveSession, authors: Collection[str]) -> dict[str, set[str]]:
    """Codes that each of these authors has packs of, or waits for."""
    held = (
        select(Order.live_author, LiveCode.code)
        .join(LiveHold, LiveHold.order_id == Order.id)
        .join(LiveCode, LiveCode.id == LiveHold.code_id)
        .where(
            Order.live_session_id == live.id, Order.live_author.in_(authors), LiveHold.quantity > 0,
            Order.status == Status.PLACED,
        )
    )  # fmt: skip
    queued = (
        select(LiveComment.author_id, LiveCode.code)
        .join(LiveWait, LiveWait.comment_id == LiveComment.id)
        .join(LiveCode, LiveCode.id == LiveWait.code_id)
        .where(LiveWait.session_id == live.id, LiveWait.state == "waiting", LiveComment.author_id.in_(authors))
    )
    found: dict[str, set[str]] = {}
    for author, code in session.execute(held.union(queued)):
        found.setdefault(str(author), set()).add(code)
    return found
