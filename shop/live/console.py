"""What the console shows of a livestream, read in a fixed number of statements."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from shop.catalogue.combos import available
from shop.live.models import Decision, LiveCode, LiveComment, LiveDecision, LiveHold, LiveSession, LiveWait
from shop.live.outcomes import Asked
from shop.live.reasons import words
from shop.live.services import authorised
from shop.live.texts import shown
from shop.orders.models import Order, Status
from village.db import db
from village.i18n import gettext as _
from village.i18n import in_language
from village.people.access import Actor

LOOK_MAX = 50
STREAM_MAX = 60
SHORT = 5
"""Packs left from which on a code is called nearly sold out."""
NEEDS_LOOK = or_(
    LiveDecision.decision == Decision.REVIEW,
    and_(LiveDecision.decision == Decision.CHANGE, LiveDecision.reason != "phone"),
)


@dataclass(frozen=True)
class Spoken:
    """A comment as the seller sees it: nothing in it is hidden."""

    id: str
    seen: int
    """Number of the decision that holds."""
    who: str
    said: str
    at: dt.datetime
    decision: Decision
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


@dataclass(frozen=True)
class OnSale:
    """A code with what is left for it."""

    code: str
    name: str
    price: int
    taken: int
    left: int
    limit: int | None


@dataclass(frozen=True)
class Waiting:
    """A viewer in the queue."""

    who: str
    code: str
    quantity: int
    at: dt.datetime


@dataclass(frozen=True)
class Console:
    """One livestream on its seller's screen."""

    live: LiveSession
    look: Sequence[Spoken]
    stream: Sequence[Spoken]
    codes: Sequence[OnSale]
    waiting: Sequence[Waiting]
    comments: int
    looks: int
    orders: int
    total: int
    """Đồng of all its orders."""

    @property
    def short(self) -> list[OnSale]:
        """Codes that are nearly or wholly sold out."""
        return [code for code in self.codes if code.left <= SHORT]


def console(actor: Actor, session_id: str) -> Console:
    """The livestream as it stands now; NotFound or Forbidden as `authorised`."""
    live = authorised(db.session(), actor, session_id)
    count = select(func.count()).select_from(LiveComment).where(LiveComment.session_id == live.id)
    doubts = select(func.count()).select_from(LiveDecision).where(_holds(live), NEEDS_LOOK)
    orders, total = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Order.total), 0)).where(
            Order.live_session_id == live.id, Order.status != Status.CANCELLED
        )
    ).one()
    has = _had_by_authors(live)
    return Console(
        live=live,
        look=_spoken(live, NEEDS_LOOK, LOOK_MAX, has, oldest_first=True),
        stream=_spoken(live, ~NEEDS_LOOK, STREAM_MAX, has),
        codes=_codes(live),
        waiting=_waiting(live),
        comments=db.session.scalar(count) or 0,
        looks=db.session.scalar(doubts) or 0,
        orders=int(orders),
        total=int(total),
    )


def needs_look(decision: Decision, reason: str) -> bool:
    """As NEEDS_LOOK, for one decision."""
    return decision is Decision.REVIEW or (decision is Decision.CHANGE and reason != "phone")


def counted(lines: Sequence[Asked]) -> str:
    """Lines in short: `2 × MD01, 1 × MD02`."""
    return ", ".join(f"{line.quantity} × {line.code}" for line in lines)


def as_field(lines: Sequence[Asked]) -> str:
    """Lines as a form carries them: `MD01:2,MD02:1`."""
    return ",".join(f"{line.code}:{line.quantity}" for line in lines)


def _holds(live: LiveSession) -> ColumnElement[bool]:
    """Of each comment the decision that holds: the last one."""
    later = LiveDecision.__table__.alias("later")
    newest = select(func.max(later.c.position)).where(later.c.comment_id == LiveDecision.comment_id).scalar_subquery()
    return and_(LiveDecision.session_id == live.id, LiveDecision.position == newest)


def _spoken(
    live: LiveSession, which: ColumnElement[bool], most: int, has: dict[str, list[str]], *, oldest_first: bool = False
) -> list[Spoken]:
    order = LiveComment.seq.asc() if oldest_first else LiveComment.seq.desc()
    rows = db.session.execute(
        select(LiveComment, LiveDecision)
        .join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
        .where(_holds(live), which)
        .options(joinedload(LiveDecision.order))
        .order_by(order)
        .limit(most)
    ).all()
    return [_one(comment, decision, has.get(comment.author_id, [])) for comment, decision in rows]


def _one(comment: LiveComment, decision: LiveDecision, has: Sequence[str]) -> Spoken:
    lines = [Asked(**line) for line in decision.lines]
    waiting = [Asked(**line) for line in decision.waiting]
    order = decision.order
    swap, offered = _offer(decision, has)
    return Spoken(
        id=comment.id,
        seen=decision.position,
        who=shown(comment.author_name) or _("Người xem"),
        said=shown(comment.text) + (" …" if comment.cut else ""),
        at=comment.said_at,
        decision=decision.decision,
        chip=_chip(decision, lines, waiting),
        why=words(decision.reason) if decision.reason else "",
        offered=offered,
        swap=swap,
        phone=decision.phone,
        order_id=order.id if order else None,
        order_number=order.number if order else None,
        has=has,
        doubtful_time=comment.time_doubted,
    )


def _chip(decision: LiveDecision, lines: Sequence[Asked], waiting: Sequence[Asked]) -> str:
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


def _offer(decision: LiveDecision, has: Sequence[str]) -> tuple[str, list[Asked]]:
    """What one tap may do: with `change` only a swap of one code that she has for others that she has not."""
    lines = [Asked(**line) for line in decision.suggested]
    if decision.decision is not Decision.CHANGE:
        return "", lines
    old = [line.code for line in lines if line.code in has]
    new = [line for line in lines if line.code not in has]
    return (old[0], new) if len(old) == 1 and new else ("", [])


def _had_by_authors(live: LiveSession) -> dict[str, list[str]]:
    held = (
        select(Order.live_author, LiveCode.code)
        .join(LiveHold, LiveHold.order_id == Order.id)
        .join(LiveCode, LiveCode.id == LiveHold.code_id)
        .where(Order.live_session_id == live.id, LiveHold.quantity > 0, Order.status == Status.PLACED)
    )
    queued = (
        select(LiveComment.author_id, LiveCode.code)
        .join(LiveWait, LiveWait.comment_id == LiveComment.id)
        .join(LiveCode, LiveCode.id == LiveWait.code_id)
        .where(LiveWait.session_id == live.id, LiveWait.state == "waiting")
    )
    found: dict[str, set[str]] = {}
    for statement in (held, queued):
        for author, code in db.session.execute(statement):
            found.setdefault(str(author), set()).add(code)
    return {author: sorted(codes) for author, codes in found.items()}


def _codes(live: LiveSession) -> list[OnSale]:
    free = available(db.session(), {code.product_id for code in live.codes})
    found = []
    for code in live.codes:
        left = free[code.product_id]
        if code.unit_limit is not None:
            left = min(left, code.unit_limit - code.taken)
        name = in_language(code.product.name_vi, code.product.name_en)
        found.append(OnSale(code.code, name, code.price, code.taken, left, code.unit_limit))
    return found


def _waiting(live: LiveSession) -> list[Waiting]:
    waits = db.session.scalars(
        select(LiveWait)
        .where(LiveWait.session_id == live.id, LiveWait.state == "waiting")
        .options(joinedload(LiveWait.comment), joinedload(LiveWait.code))
    ).all()
    return [
        Waiting(shown(wait.comment.author_name) or _("Người xem"), wait.code.code, wait.quantity, wait.comment.said_at)
        for wait in sorted(waits, key=lambda wait: wait.comment.turn)
    ]
