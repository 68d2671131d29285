"""Orders whose buyers said nothing in time: reminded once, and then their packs go to those who wait."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import selectinload

from shop.live.claims.keys import is_unclaimed, unclaimed
from shop.live.claims.letters import reminder
from shop.live.models import Decision, LiveClaim, LiveComment, LiveDecision, LiveSession
from shop.live.outcomes import Asked, Outcome
from shop.live.room import Room, hold
from shop.mails.listening import ABOUT, too_many
from shop.orders.models import Order
from village import clock
from village.db import db, write
from village.i18n import lazy_gettext as _l
from village.i18n import marked, speaking
from village.jobs.kinds import kind
from village.jobs.services import ask_once
from village.jobs.work import Work
from village.outbox.models import Channel
from village.outbox.services import put

TEND = "live.claims"
UNCLAIMED = marked("Quá giờ mà chưa có nơi nhận, nên hàng sang người đang chờ.")
"""The note of such a cancellation: a message's name, translated where it is shown."""
REMIND = dt.timedelta(hours=6)
"""Who left a mail address is reminded so long before her time is over, or when a quarter of it is left if that is
less."""
_HERS = and_(Order.live_session_id == LiveClaim.session_id, Order.live_author == LiveClaim.author_id)


def see_to_it() -> None:
    """Have a job see to what is due. Called every few seconds by the jobs' sweeper."""
    now = clock.now()
    with db.engine.connect() as connection:
        due = connection.execute(select(LiveClaim.code).where(LiveClaim.until <= now).limit(1)).first()
    if due is not None or _near(now):
        ask_once(TEND)


@kind(TEND, name=_l("Nhắc và trả hàng live chưa ai nhận"))
def tend(work: Work) -> dict[str, Any]:
    """Remind, and end what is over, each by itself. Done again, it finds nothing."""
    now = clock.now()
    near = _near(now)
    over = list(db.session.scalars(select(LiveClaim.code).where(LiveClaim.until <= now).order_by(LiveClaim.until)))
    db.session.remove()
    reminded = sum(remind(code) for code in near)
    ended = 0
    for number, code in enumerate(over, start=1):
        ended += expire(code)
        work.progress(number, len(over))
    return {"reminded": reminded, "expired": ended}


def remind(code: str) -> bool:
    """Write to her, once; False when there is nothing to remind of any more."""
    with write() as session:
        mine = select(LiveClaim, Order).join_from(LiveClaim, Order, _HERS).where(LiveClaim.code == code)
        row = session.execute(mine.where(*_to_remind(clock.now())).with_for_update(of=Order)).first()
        if row is None:
            return False
        claim, order = row
        claim.reminded_at = clock.now()
        if too_many(session, order):
            return False
        with speaking(order.language):
            subject, body = reminder(claim, order)
        put(
            session, cooperative_id=str(order.cooperative_id), channel=Channel.MAIL, to=str(order.buyer_email),
            subject=subject, body=body, about=(ABOUT, order.id), key=f"claim:{code}:{order.id}",
        )  # fmt: skip
        return True


def expire(code: str) -> bool:
    """Cancel what this claim has and nobody claimed; False when there was nothing of that kind (any more).

    An order that was given an address in another way is left alone.
    """
    with write() as session:
        claim = session.get_one(LiveClaim, code)
        live = hold(session, claim.session_id)
        session.refresh(claim)
        if claim.until is None or claim.until > clock.now():
            return False
        claim.until = None
        room = Room(session, live)
        room.enter({claim.author_id}, room.codes)
        mine = [order for order in room.orders[claim.author_id] if is_unclaimed(order)]
        for order in mine:
            _end(room, order)
        if mine:
            room.promote()
        return bool(mine)


def _end(room: Room, order: Order) -> None:
    """All that an order has goes back, and each of its comments has a further decision."""
    session = room.session
    own = {code.id: code for code in room.live.codes}
    room.cancel(order, UNCLAIMED)
    for row in room.holds[order.id].values():
        if row.code_id in own:
            room.count(own[row.code_id], -row.quantity)
            row.quantity = 0
    for offer in room.offers:
        if offer.order_id == order.id and offer.state == "open":
            offer.state = "lapsed"
    for comment in session.scalars(
        select(LiveComment)
        .where(LiveComment.id.in_(select(LiveDecision.comment_id).where(LiveDecision.order_id == order.id)))
        .options(selectinload(LiveComment.decisions))
        .order_by(LiveComment.seq)
        .execution_options(populate_existing=True)
    ).all():
        last = comment.decisions[-1]
        if last.decision is Decision.ORDER and last.order_id == order.id:
            room.positions[comment.id] = last.position + 1
            given = [Asked(**line) for line in last.lines]
            room.decide(comment, Outcome(Decision.CANCEL, given, phone=last.phone, reason="unclaimed", order=order))


def _near(now: dt.datetime) -> list[str]:
    """Links whose holders left a mail address, did nothing yet, and have little time left."""
    with db.engine.connect() as connection:
        rows = connection.execute(
            select(LiveClaim.code, LiveClaim.until, LiveSession.claim_minutes)
            .join_from(LiveClaim, Order, _HERS)
            .join(LiveSession, LiveSession.id == LiveClaim.session_id)
            .where(*_to_remind(now), LiveClaim.until <= now + REMIND)
            .order_by(LiveClaim.until)
        ).all()
    return [code for code, until, minutes in rows if until and until - now <= dt.timedelta(minutes=minutes / 4)]


def _to_remind(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return unclaimed(), Order.buyer_email.is_not(None), LiveClaim.reminded_at.is_(None), LiveClaim.until > now
