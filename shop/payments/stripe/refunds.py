"""Money back to a card: decided in a transaction, asked of Stripe outside of it, and booked when Stripe has said so.

A refund that a person decided on lowers what the order has. Money that came after the end was never the order's: it
goes back by itself, and only the payment and the refund know of it.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from shop.orders import steps
from shop.orders.models import Order
from shop.orders.selling import sellers_of
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, Payment, PaymentPuzzle, Puzzle, Refund, Standing
from shop.payments.stripe import client
from shop.payments.stripe.client import MoneyBack, Refused
from village import clock
from village.db import db, write
from village.errors import Conflict
from village.ids import uuid7

KEY_KEPT = dt.timedelta(hours=20)
"""Stripe knows a key for a day; from then on we look whether our refund is there before asking for it again."""
FAILED = ("failed", "canceled")
GOING = (Standing.PENDING, Standing.SUCCEEDED)
"""Refunds that take something away from what can still go back."""


def of_order(order: Order) -> Sequence[Refund]:
    """The order's refunds, in any way, first to last, with who decided them."""
    query = select(Refund).where(Refund.order_id == order.id).options(joinedload(Refund.member))
    return db.session.scalars(query.order_by(Refund.created_at, Refund.id)).all()


def card_left(session: Session, order_id: str) -> tuple[Payment, int] | None:
    """The card payment that the order was paid by, and how many đồng of it have not gone back; None for no card."""
    query = select(Payment).where(
        Payment.order_id == order_id,
        Payment.method == "stripe",
        Payment.intent.is_not(None),
        Payment.state == Standing.SUCCEEDED,
    )
    payment = session.scalar(query.order_by(Payment.attempt).limit(1))
    if payment is None:
        return None
    return payment, payment.received - _given(session, payment.id)


def give_back_in(session: Session, payment: Payment, amount: int, why: str) -> Refund:
    """Money that no order takes goes back: written down here, sent by `tending` within a minute."""
    refund = Refund(
        id=uuid7(), order_id=payment.order_id, payment_id=payment.id, method="stripe", amount=amount,
        state=Standing.PENDING, reason=why[:300], created_at=clock.now(),
    )  # fmt: skip
    session.add(refund)
    session.flush()
    return refund


def send(refund_id: str) -> None:
    """Have Stripe send it, or look how far it is, and book what came of it. Raises NotNow, and it stays pending."""
    row = db.session.execute(
        select(Refund.amount, Refund.reference, Refund.created_at, Payment.intent)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.id == refund_id, Refund.state == Standing.PENDING, Refund.method == "stripe")
    ).one_or_none()
    db.session.remove()
    if row is None or row.intent is None:
        return
    try:
        told = _asked(refund_id, row.intent, row.amount, row.reference, clock.now() - row.created_at)
    except Refused as error:
        # Perhaps because somebody was quicker on Stripe's own pages.
        there = client.all_money_back(row.intent)
        with write() as session:
            for found in there:
                settle_in(session, found)
            _refused(session, refund_id, str(error.details.get("code", "")))
        return
    with write() as session:
        settle_in(session, told)


def _asked(refund_id: str, intent: str, amount: int, reference: str | None, age: dt.timedelta) -> MoneyBack:
    if reference is not None:
        return client.money_back(reference)
    if age > KEY_KEPT:
        for there in client.all_money_back(intent):
            if there.refund_id == refund_id:
                return there
    return client.give_back(refund_id, intent, amount)


def settle_in(session: Session, told: MoneyBack, webhook_id: str | None = None) -> Outcome:
    """Take a refund as it stands at Stripe into our books, inside the caller's transaction. Done again, it changes
    nothing."""
    payment = session.scalar(select(Payment).where(Payment.intent == told.intent)) if told.intent else None
    if payment is None:
        return Outcome(Notice.IGNORED, "not of this village")
    # The order first, then what hangs on it: everybody takes them in this turn.
    order = session.get_one(Order, payment.order_id, with_for_update=True, populate_existing=True)
    found = _refund(session, told, payment)
    if found is None:
        return Outcome(Notice.IGNORED, f"refund {told.status}", order.id)
    if told.currency != client.CURRENCY or told.amount != found.amount:
        return _puzzle(session, found, order, "another amount", webhook_id)
    if found.state is Standing.PENDING:
        found.reference = told.id
        if told.status == "succeeded":
            return _succeeded(session, found, order, webhook_id)
        if told.status in FAILED:
            return _failed(session, found, order, webhook_id)
        return Outcome(Notice.DONE, f"refund {told.status}", order.id)
    if found.state is Standing.SUCCEEDED and told.status in FAILED:
        return _puzzle(session, found, order, "failed after it had succeeded", webhook_id)
    return Outcome(Notice.DONE, "known already", order.id)


def _refund(session: Session, told: MoneyBack, payment: Payment) -> Refund | None:
    """Our row of it; a new one for money that somebody sent back on Stripe's own pages, which is as true as ours."""
    ours = or_(Refund.id == told.refund_id, and_(Refund.method == "stripe", Refund.reference == told.id))
    query = select(Refund).where(Refund.payment_id == payment.id, ours)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None and told.status not in FAILED:
        found = give_back_in(session, payment, told.amount, "Stripe")
        found.reference = told.id
        session.flush()
    return found


def _succeeded(session: Session, refund: Refund, order: Order, webhook_id: str | None) -> Outcome:
    refund.state, refund.settled_at = Standing.SUCCEEDED, clock.now()
    session.flush()
    if _was_booked(session, refund):
        try:
            with session.begin_nested():
                steps.refund_in(session, order, refund.amount)
        except Conflict:
            return _puzzle(session, refund, order, "more than the order has", webhook_id)
    return Outcome(Notice.DONE, "refunded", order.id)


def _failed(session: Session, refund: Refund, order: Order, webhook_id: str | None) -> Outcome:
    refund.state, refund.settled_at = Standing.FAILED, clock.now()
    session.flush()
    if refund.member_id is None and _given(session, refund.payment_id) < _received(session, refund.payment_id):
        # Nobody waits to be told of it, and the money is still here.
        return _puzzle(session, refund, order, "the card did not take it back", webhook_id)
    return Outcome(Notice.DONE, "refund failed", order.id)


def _refused(session: Session, refund_id: str, code: str) -> None:
    order_id = session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
    order = session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    refund = session.get_one(Refund, refund_id, populate_existing=True)
    if refund.state is Standing.PENDING:
        refund.reason = f"{refund.reason[:200]} [{code}]"
        _failed(session, refund, order, None)


def _given(session: Session, payment_id: str | None) -> int:
    """Đồng of a payment that went back, or are on their way."""
    given = select(func.sum(Refund.amount)).where(Refund.payment_id == payment_id, Refund.state.in_(GOING))
    # The database sums into a type of its own.
    return int(session.scalar(given) or 0)


def _received(session: Session, payment_id: str | None) -> int:
    return session.scalar(select(Payment.received).where(Payment.id == payment_id)) or 0


def _was_booked(session: Session, refund: Refund) -> bool:
    """False for money that came after the end: its payment never succeeded."""
    state = select(Payment.state).where(Payment.id == refund.payment_id)
    return session.scalar(state) is Standing.SUCCEEDED


def _puzzle(session: Session, refund: Refund, order: Order, said: str, webhook_id: str | None) -> Outcome:
    reference = refund.reference or refund.id
    same = select(PaymentPuzzle.id).where(PaymentPuzzle.reference == reference, PaymentPuzzle.memo.contains(said))
    if session.scalar(same.limit(1)) is None:
        sellers = sellers_of(session, order)
        session.add(
            PaymentPuzzle(
                kind=Puzzle.UNKNOWN, amount=refund.amount, memo=f"Stripe refund: {said}"[:300], reference=reference,
                order_id=order.id, payment_id=refund.payment_id, webhook_id=webhook_id, found_at=clock.now(),
                cooperative_id=sellers[0] if len(sellers) == 1 else None,
            )
        )  # fmt: skip
        session.flush()
    return Outcome(Notice.PUZZLING, said, order.id)
