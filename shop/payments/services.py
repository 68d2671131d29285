"""How an order gets its way to be paid, and what happens when money comes.

    begin_in(session, order)                        as it is placed, inside that transaction
    methods(cooperative_id) -> ("cod", "vietqr")    what its buyers can be offered now
    came_in(session, payment, amount, at, reference, …) -> Came
    cash_in(session, order, amount, at, reference)  cash at the door, or what a carrier handed over

An order never takes more than it costs: what comes beyond that, or too late, stands on the exceptions desk until a
person has decided (shop/payments/desk). Nothing is matched by guess.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shop.orders.models import Order, Status
from shop.orders.models import Payment as Method
from shop.orders.money import pay_in
from shop.orders.selling import sellers_of
from shop.payments import memos
from shop.payments.bank.links import ask_for_link
from shop.payments.bank.models import BankAccount, Transfer
from shop.payments.models import Payment, PaymentPuzzle, Puzzle, Standing
from shop.payments.owners import is_for
from village import clock
from village.db import db
from village.errors import Conflict
from village.i18n import dong
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.settings import Settings

CARD_LEAST, CARD_MOST = 20_000, 99_999_999
"""Đồng that Stripe takes at once: what is a little more than half a dollar, whatever the account's own currency is, and
eight digits (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""


@dataclass(frozen=True)
class Came:
    """What became of money: đồng that went into the order, and why the rest, if any, stands on the desk."""

    booked: int
    puzzle: Puzzle | None = None


def methods(cooperative_id: str | None) -> tuple[Method, ...]:
    """How this cooperative's buyers can pay now, as far as it is set up: cash always; in the order of the page."""
    found: list[Method] = ["cod"]
    if cooperative_id is not None and account_for(db.session(), cooperative_id) is not None:
        found.append("vietqr")
    settings: Settings = current_app.extensions["soi"]
    if settings.stripe_key and is_for(settings.stripe_seller, cooperative_id):
        found.append("stripe")
    return tuple(found)


def account_for(session: Session, cooperative_id: str) -> BankAccount | None:
    """Where this cooperative's buyers may transfer to; None when nowhere now."""
    account = session.get(BankAccount, cooperative_id)
    if account is None or not account.open:
        return None
    if account.watcher == "payos" and not is_for(current_app.extensions["soi"].payos_seller, cooperative_id):
        # What payOS shows for us is its channel's own account: their money would go to somebody else.
        return None
    return account


def begin_in(session: Session, order: Order) -> Payment | None:
    """The first try to be paid for a new order; None for cash, which makes its row when it comes.

    Raises Conflict `not-by-card` for a sum that Stripe does not take, and `no-account` when its seller has no account
    to transfer to, or it has several sellers, who cannot be paid by one transfer.
    """
    if order.payment == "cod":
        return None
    if order.payment == "stripe" and not CARD_LEAST <= order.total <= CARD_MOST:
        raise Conflict(
            "not-by-card", _l("Thẻ trả được đơn từ %(least)s đến %(most)s. Bác chọn cách trả khác giúp mình."),
            least=dong(CARD_LEAST), most=dong(CARD_MOST),
        )  # fmt: skip
    payment = new_try(session, order, order.payment)
    if order.payment == "vietqr":
        sellers = sellers_of(session, order)
        account = account_for(session, sellers[0]) if len(sellers) == 1 else None
        if account is None:
            raise Conflict(
                "no-account", _l("Đơn này chưa trả bằng chuyển khoản được. Bác chọn trả tiền khi nhận hàng giúp mình.")
            )
        payment.memo = _free_memo(session)
        session.flush()
        if account.watcher == "payos":
            ask_for_link(session, payment)
    return payment


def new_try(session: Session, order: Order, method: Method) -> Payment:
    """One more try to be paid for an order, in this way; its number is the next one."""
    tries = session.scalar(select(func.count()).select_from(Payment).where(Payment.order_id == order.id)) or 0
    payment = Payment(
        id=uuid7(), order_id=order.id, attempt=tries + 1, method=method, amount=order.total, received=0,
        state=Standing.PENDING, expires_at=order.hold_until,
    )  # fmt: skip
    session.add(payment)
    session.flush()
    return payment


def payment_of(session: Session, order_id: str, method: str | None = None) -> Payment | None:
    """The order's latest try to be paid (in one way, if told)."""
    query = select(Payment).where(Payment.order_id == order_id).order_by(Payment.attempt.desc()).limit(1)
    return session.scalar(query if method is None else query.where(Payment.method == method))


def came_in(
    session: Session,
    payment: Payment,
    amount: int,
    at: dt.datetime,
    reference: str,
    *,
    memo: str = "",
    transfer: Transfer | None = None,
    webhook_id: str | None = None,
) -> Came:
    """Money came for `payment`, inside the caller's transaction. Up to what the order still costs goes into it.

    `at` is when it came (UTC), `reference` the bank's or the provider's number of it, `memo` what its sender wrote.
    The rest goes to the desk: OVER, DOUBLE (paid already), LATE (its packs had gone back to the shelf), CANCELLED; and
    UNDER, which tells that more is awaited and takes itself off the desk when that came.
    """
    if amount <= 0:
        raise ValueError(f"money that came is more than nothing, but this is {amount}")
    # One at a time for each order: of two transfers at once the second sees what the first one left to pay.
    order = session.scalars(
        select(Order).where(Order.id == payment.order_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    session.refresh(payment)
    payment.received += amount
    owed = 0 if order.status is Status.CANCELLED else max(order.total - order.paid, 0)
    booked = min(amount, owed)
    if booked:
        pay_in(session, order, booked, at)
        if transfer is not None:
            transfer.booked += booked
    if order.paid >= order.total and booked:
        payment.state, payment.settled_at = Standing.SUCCEEDED, clock.now()
        _under_no_more(session, payment)
    kind = _puzzle(order, payment, amount, booked)
    if kind is not None:
        session.add(
            PaymentPuzzle(
                cooperative_id=transfer.cooperative_id if transfer is not None else _one(sellers_of(session, order)),
                webhook_id=webhook_id, order_id=order.id, payment_id=payment.id,
                transfer_id=transfer.id if transfer is not None else None, kind=kind,
                amount=booked if kind is Puzzle.UNDER else amount - booked,
                memo=memo[:300], reference=reference[:255], found_at=clock.now(),
            )
        )  # fmt: skip
    session.flush()
    return Came(booked, kind)


def cash_in(session: Session, order: Order, amount: int, at: dt.datetime, reference: str) -> Came:
    """Cash came for an order, at the door or from its carrier: the same as `came_in`, with the row made now."""
    payment = payment_of(session, order.id, "cod") or new_try(session, order, "cod")
    return came_in(session, payment, amount, at, reference)


def _puzzle(order: Order, payment: Payment, amount: int, booked: int) -> Puzzle | None:
    if order.status is Status.CANCELLED:
        return Puzzle.LATE if payment.state is Standing.EXPIRED else Puzzle.CANCELLED
    if booked < amount:
        return Puzzle.OVER if booked else Puzzle.DOUBLE
    # Cash comes parcel by parcel, each with its own share: that more is awaited is nothing to look at.
    return Puzzle.UNDER if order.paid < order.total and payment.method != "cod" else None


def _under_no_more(session: Session, payment: Payment) -> None:
    """The rest came: what was told of too little is settled."""
    session.flush()
    session.execute(
        update(PaymentPuzzle)
        .where(
            PaymentPuzzle.payment_id == payment.id,
            PaymentPuzzle.kind == Puzzle.UNDER,
            PaymentPuzzle.resolved_at.is_(None),
        )
        .values(resolved_at=clock.now(), resolution="matched")
        .execution_options(synchronize_session=False)
    )


def _free_memo(session: Session) -> str:
    while True:
        memo = memos.new()
        if session.scalar(select(Payment.id).where(Payment.memo == memo)) is None:
            return memo


def _one(sellers: Sequence[str]) -> str | None:
    return sellers[0] if len(sellers) == 1 else None
