"""A buyer has her bank take the money of a card back. Only a person can answer the bank, on Stripe's pages; ours is to
tell her so in time, and to book the money when it is gone.

Names are those of https://docs.stripe.com/api/disputes/object.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.orders import steps
from shop.orders.models import Order
from shop.orders.selling import sellers_of
from shop.payments.desk.disputes import KEPT, LOST, ON_OUR_SIDE, written
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, Payment, PaymentPuzzle, Puzzle, Refund, Standing
from shop.payments.stripe import client
from shop.payments.stripe.client import Dispute
from village import clock
from village.errors import Conflict
from village.ids import uuid7


def settle_in(session: Session, told: Dispute, webhook_id: str) -> Outcome:
    """Take a dispute as it stands at Stripe onto the desk, and a lost one's money off the order, inside the caller's
    transaction. Done again, it changes nothing."""
    payment = session.scalar(select(Payment).where(Payment.intent == told.intent)) if told.intent else None
    if payment is None:
        return Outcome(Notice.IGNORED, "not of this village")
    # The order first, then what hangs on it: everybody takes them in this turn.
    order = session.get_one(Order, payment.order_id, with_for_update=True, populate_existing=True)
    if told.status in LOST:
        _book(session, order, payment, told)
    day = dt.datetime.fromtimestamp(told.due_by, clock.VN).date() if told.due_by else None
    _tell(session, order, payment, told, written(told.status, told.reason, day), webhook_id)
    state = Notice.DONE if told.status in KEPT else Notice.PUZZLING
    return Outcome(state, f"dispute {told.status}", order.id)


def _tell(
    session: Session, order: Order, payment: Payment, told: Dispute, memo: str, webhook_id: str
) -> None:
    rows = session.scalars(
        select(PaymentPuzzle)
        .where(PaymentPuzzle.kind == Puzzle.DISPUTE, PaymentPuzzle.reference == told.id)
        .order_by(PaymentPuzzle.id)
        .with_for_update()
    ).all()
    row = next((one for one in rows if one.resolved_at is None), None)
    if row is None:
        # Somebody has put it aside. She hears again of what asks for an answer, or is lost.
        if (rows and told.status not in (*ON_OUR_SIDE, *LOST)) or any(one.memo == memo for one in rows):
            return
        sellers = sellers_of(session, order)
        row = PaymentPuzzle(
            kind=Puzzle.DISPUTE, amount=told.amount, reference=told.id, order_id=order.id, payment_id=payment.id,
            webhook_id=webhook_id, found_at=clock.now(), cooperative_id=sellers[0] if len(sellers) == 1 else None,
        )  # fmt: skip
        session.add(row)
    row.memo = memo
    if told.status in KEPT:
        row.resolved_at, row.resolution = clock.now(), "kept"
    session.flush()


def _book(session: Session, order: Order, payment: Payment, told: Dispute) -> None:
    """The money went back to the buyer, though not by us."""
    known = select(Refund.id).where(Refund.method == "stripe", Refund.reference == told.id)
    if told.currency != client.CURRENCY or told.amount < 1 or session.scalar(known) is not None:
        return
    try:
        with session.begin_nested():
            now = clock.now()
            session.add(
                Refund(
                    id=uuid7(), order_id=order.id, payment_id=payment.id, method="stripe", amount=told.amount,
                    state=Standing.SUCCEEDED, reason="Stripe dispute", reference=told.id, created_at=now,
                    settled_at=now,
                )
            )  # fmt: skip
            steps.refund_in(session, order, told.amount)
    except Conflict:
        # It had gone back before, or never was the order's: the desk tells of it, and there is nothing to book.
        return
