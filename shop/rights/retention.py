"""How long what is known of buyers is kept, at most. Called about once an hour."""

import datetime as dt

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from shop.live.models import LiveClaim, LiveComment, LiveSession
from shop.orders.models import Order, OrderStep, Status
from shop.payments.bank.models import Transfer
from shop.payments.models import Notice, WebhookEvent
from shop.refusals import appeals
from shop.refusals import keeping as refusals
from shop.rights.forgetting import TOUCHED, blank_comments, commitments_of, forget_in, open_matter
from trace.ledger.erasure import TIME_OVER
from village import clock
from village.db import db, write
from village.outbox.models import Message
from village.scrub import scrub

SOLD_KEPT = dt.timedelta(days=3 * 365 + 1)
"""Who bought, after the last thing that happened to the order. The law on e-commerce asks for what was agreed on for
three years (docs/law.md); a recall needs to reach her, and she may complain. She may have it erased before."""
CANCELLED_KEPT = dt.timedelta(days=90)
"""Who had ordered what nobody had confirmed or paid: nothing was agreed on."""
SENT = (Status.DELIVERED, Status.DISPATCHED)
"""After years also what left and of which nobody said that it arrived."""
POSTED_KEPT = dt.timedelta(days=90)
"""What payment providers posted, byte for byte, and what transfers said; there are payers' names and accounts in it.
What it came to is booked."""
TALK_KEPT = dt.timedelta(days=180)
"""What was said in a livestream, after its end."""
_AT_ONCE = 100
_COMMENTS_AT_ONCE = 500


def tidy() -> None:
    """Forget what is old enough; also wipes off the disk what buyers had forgotten since the last time."""
    erased = _forget_orders() | _forget_posts() | _forget_talk() | appeals.lapse() | refusals.tidy()
    lately = select(Order.id).where(Order.forgotten_at > clock.now() - dt.timedelta(hours=2)).limit(1)
    if erased or db.session.scalar(lately) is not None:
        db.session.rollback()
        scrub(*TOUCHED, Message)


def _forget_orders() -> bool:
    now = clock.now()
    sold = Order.status.in_(SENT) & (Order.updated_at < now - SOLD_KEPT)
    confirmed = select(OrderStep.order_id).where(OrderStep.order_id == Order.id, OrderStep.what == "confirmed").exists()
    agreed = or_(Order.paid > 0, confirmed)
    called_off = Order.status == Status.CANCELLED
    dropped = called_off & (Order.updated_at < now - CANCELLED_KEPT) & ((Order.updated_at < now - SOLD_KEPT) | ~agreed)
    erased = False
    after = ""
    while True:
        wanted = select(Order.id, Order.number).where(Order.forgotten_at.is_(None), sold | dropped, Order.id > after)
        rows = db.session.execute(wanted.order_by(Order.id).limit(_AT_ONCE)).all()
        if not rows:
            db.session.rollback()
            return erased
        after = rows[-1].id
        pairs = commitments_of(db.session(), [row.number for row in rows])
        with write(ledger=True) as session:
            orders = _finished(session, [row.id for row in rows])
            numbers = {order.number for order in orders}
            if orders:
                kept = pairs if len(orders) == len(rows) else commitments_of(session, sorted(numbers))
                forget_in(session, orders, kept, TIME_OVER)
                erased = True


def _finished(session: Session, ids: list[str]) -> list[Order]:
    """Those of them that nothing waits for."""
    wanted = select(Order).where(Order.id.in_(ids), Order.forgotten_at.is_(None)).order_by(Order.id)
    orders = session.scalars(wanted.with_for_update())
    return [order for order in orders if not open_matter(session, order, (*SENT, Status.CANCELLED))]


def _forget_posts() -> bool:
    before = clock.now() - POSTED_KEPT
    old = WebhookEvent.received_at < before
    with write() as session:
        memos = update(Transfer).where(Transfer.noted_at < before, Transfer.memo != "").values(memo="")
        said = session.scalars(memos.returning(Transfer.id).execution_options(synchronize_session=False)).all()
        done = WebhookEvent.state.in_((Notice.DONE, Notice.IGNORED))
        gone = session.scalars(
            update(WebhookEvent).where(old, done, WebhookEvent.body.is_not(None))
            .values(body=None, headers={}).returning(WebhookEvent.id)
            .execution_options(synchronize_session=False)
        ).all()  # fmt: skip
    return bool(gone or said)


def _forget_talk() -> bool:
    ended = LiveSession.ended_at < clock.now() - TALK_KEPT
    wanted = select(LiveComment.id).join(LiveSession, LiveSession.id == LiveComment.session_id)
    wanted = wanted.where(ended, LiveComment.author_id != "").limit(_COMMENTS_AT_ONCE)
    erased = False
    while ids := list(db.session.scalars(wanted)):
        erased = True
        with write() as session:
            blank_comments(session, ids)
    links = LiveClaim.session_id.in_(select(LiveSession.id).where(ended))
    if db.session.scalar(select(LiveClaim.code).where(links).limit(1)) is not None:
        erased = True
        with write() as session:
            session.execute(delete(LiveClaim).where(links).execution_options(synchronize_session=False))
    db.session.rollback()
    return erased
