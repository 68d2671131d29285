"""What an order's money does to the order. All inside the caller's transaction; who sent it is the payments' matter."""

import datetime as dt

from sqlalchemy import update
from sqlalchemy.orm import Session

from shop.orders.errors import order_cancelled, too_much_back
from shop.orders.models import Order, PaymentState, Status
from shop.orders.moving import record, touch
from village import clock


def pay_in(session: Session, order: Order, amount: int, at: dt.datetime) -> None:
    """Money came for an order, in đồng, `at` that time. When all of it is there, nothing is waited for any more.

    Conflict `order-cancelled` for an order that is cancelled: nothing is booked then.
    """
    if amount < 1:
        raise ValueError("money that comes in is one đồng or more")
    touch(session, order, tuple(Status))
    if order.status is Status.CANCELLED:
        raise order_cancelled(order)
    order.paid += amount
    order.payment_state = standing(order)
    if order.settled:
        order.hold_until = None
    record(order, "paid" if order.settled else "part_paid", None, at=at)
    session.flush()


def refund_in(session: Session, order: Order, amount: int) -> None:
    """Money went back, in đồng. Conflict `refund-too-much` when there is not that much of the order's."""
    if amount < 1:
        raise ValueError("money that goes back is one đồng or more")
    touch(session, order, tuple(Status))
    if order.refunded + amount > order.paid:
        raise too_much_back(order)
    order.refunded += amount
    order.payment_state = standing(order)
    record(order, "refunded", None)
    session.flush()


def standing(order: Order) -> PaymentState:
    """Where an order's money stands, from its figures alone."""
    here = order.paid - order.refunded
    over = order.status is Status.CANCELLED or order.paid >= order.total
    if order.refunded and over and here < order.total:
        return PaymentState.PARTLY_REFUNDED if here else PaymentState.REFUNDED
    if here >= order.total:
        return PaymentState.PAID
    return PaymentState.AWAITING if order.paid_ahead else PaymentState.DUE


def close_payments(session: Session, order: Order, *, expired: bool = False) -> None:
    """Nothing is asked for any more: tries to be paid that are still open have failed, or have run out."""
    from shop.payments.models import Payment, Standing  # that folder stands on this one

    session.flush()
    state = Standing.EXPIRED if expired else Standing.FAILED
    session.execute(
        update(Payment)
        .where(Payment.order_id == order.id, Payment.state == Standing.PENDING)
        .values(state=state, settled_at=clock.now())
    )
