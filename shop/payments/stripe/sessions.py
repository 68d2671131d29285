"""Checkout Sessions: one is made when the buyer goes to pay, and what became of it is taken into our books.

A session is bound to the time for which the order's packs are kept: Stripe closes it by then, and when money comes
after the end all the same, it goes back to the card by itself.
"""

import datetime as dt

from flask import current_app, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.orders.errors import no_order
from shop.orders.models import OPEN, Order, PaymentState, Status
from shop.orders.selling import sellers_of
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, Payment, PaymentPuzzle, Puzzle, Standing
from shop.payments.services import came_in, payment_of
from shop.payments.stripe import client, refunds
from shop.payments.stripe.client import Checkout, Wanted
from village import clock
from village.db import db, write
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.ids import uuid7

LIFE = dt.timedelta(minutes=31)
"""How long a new session is open: Stripe wants half an hour at least, and our clock may be a little behind."""
LEAST = dt.timedelta(minutes=30, seconds=20)
GRACE = dt.timedelta(minutes=3)
"""Packs are kept for so long after their session closed: the notice of the last moment's payment is on its way."""
LONGEST = dt.timedelta(minutes=70)
"""From placing: no later session keeps the packs from others."""


def page_for(token: str) -> str:
    """Where at Stripe this order is paid. Asked again, it is the same session while that one is open.

    Raises NotFound, Conflict (`nothing-to-pay`: paid, cancelled or not by card; `too-late-to-pay`), and what
    `client` raises.
    """
    wanted = _begin(token)
    if isinstance(wanted, str):
        there = client.checkout(wanted)
        if there.status == "open" and there.url:
            return there.url
        settle(there)
        wanted = _begin(token, instead_of=there.id)
        assert isinstance(wanted, Wanted)
    made = client.make_checkout(wanted)
    with write() as session:
        payment = session.get_one(Payment, wanted.payment_id, with_for_update=True)
        if payment.reference is None:
            payment.reference = made.id
    return made.url


def look_after(token: str) -> None:
    """The buyer is back from Stripe: see what came of the session, notice or no notice. Raises as `client` does."""
    order_id = db.session.scalar(select(Order.id).where(Order.token == token))
    if order_id is None:
        raise no_order()
    payment = payment_of(db.session(), order_id, "stripe")
    reference = payment.reference if payment is not None and payment.state is Standing.PENDING else None
    db.session.remove()
    if reference is not None:
        settle(client.checkout(reference))


def settle(found: Checkout) -> None:
    """Take a session as it stands at Stripe into our books, in a transaction of its own."""
    with write() as session:
        settle_in(session, found)


def settle_in(session: Session, found: Checkout, webhook_id: str | None = None) -> Outcome:
    """The same inside the caller's transaction. Done again, it changes nothing."""
    payment = _payment(session, found)
    if payment is None:
        if not found.paid or not found.order_id:
            return Outcome(Notice.IGNORED, "not of this village")
        return _puzzle(session, found, Puzzle.UNMATCHED, None, webhook_id)
    order = session.get_one(Order, payment.order_id, with_for_update=True, populate_existing=True)
    session.refresh(payment)
    if found.paid:
        return _paid(session, found, order, payment, webhook_id)
    if found.status == "expired" and payment.reference in (None, found.id):
        payment.over_at = payment.over_at or clock.now()
        if payment.state is Standing.PENDING:
            payment.state, payment.settled_at = Standing.EXPIRED, clock.now()
        return Outcome(Notice.DONE, "session expired", order.id)
    return Outcome(Notice.IGNORED, f"session {found.status}, not paid", order.id)


def _paid(session: Session, found: Checkout, order: Order, payment: Payment, webhook_id: str | None) -> Outcome:
    known = select(Payment.id).where(Payment.order_id == order.id, Payment.intent == found.intent)
    if session.scalar(known.limit(1)) is not None:
        return Outcome(Notice.DONE, "known already", order.id)
    if found.order_id != order.id:
        return _puzzle(session, found, Puzzle.UNMATCHED, None, webhook_id)
    if found.currency != client.CURRENCY or found.amount <= 0:
        return _puzzle(session, found, Puzzle.CURRENCY, order, webhook_id)
    wanted = order.status in OPEN and order.payment_state is PaymentState.AWAITING
    if wanted and payment.intent is None:
        payment.intent, payment.reference = found.intent, found.id
        came = came_in(session, payment, found.amount, clock.now(), found.intent, webhook_id=webhook_id)
        if came.puzzle is not None:
            return Outcome(Notice.PUZZLING, f"paid, {came.puzzle.value}", order.id)
        return Outcome(Notice.DONE, "paid", order.id)
    if payment.intent is not None:
        # A second session was paid: its money is a payment of its own, or no refund could name it.
        payment = _second(session, found, payment)
    else:
        payment.intent, payment.reference = found.intent, found.id
        payment.state, payment.settled_at = Standing.EXPIRED, clock.now()
    payment.received += found.amount
    why = "order cancelled" if order.status is Status.CANCELLED else "paid already"
    refunds.give_back_in(session, payment, found.amount, why)
    return Outcome(Notice.DONE, f"given back: {why}", order.id)


def _begin(token: str, instead_of: str | None = None) -> Wanted | str:
    """What session to make, its time and its number written down first; or the id of the one that is there."""
    with write() as session:
        # The row's lock: a cancellation or the deadline's job comes before or after, never between.
        query = select(Order).where(Order.token == token).with_for_update().execution_options(populate_existing=True)
        order = session.scalar(query)
        if order is None:
            raise no_order()
        payment = payment_of(session, order.id, "stripe")
        awaited = order.status in OPEN and order.payment_state is PaymentState.AWAITING
        if payment is None or payment.intent is not None or not awaited:
            raise Conflict("nothing-to-pay", _l("Đơn %(number)s không còn gì phải trả."), number=order.number)
        if payment.reference is not None and payment.reference != instead_of:
            return payment.reference
        now = clock.now()
        if payment.reference is not None or payment.expires_at is None or payment.expires_at < now + LEAST:
            # Another session than the one that may have been asked for before: under another key.
            payment.attempt += 1
            payment.expires_at = (now + LIFE).replace(microsecond=0)
        lapsed = order.hold_until is not None and order.hold_until <= now
        if lapsed or payment.expires_at > order.created_at + LONGEST:
            raise Conflict(
                "too-late-to-pay", _l("Đơn %(number)s hết giờ giữ hàng rồi. Bác đặt lại giúp mình nhé."),
                number=order.number,
            )  # fmt: skip
        payment.reference, payment.state, payment.settled_at, payment.over_at = None, Standing.PENDING, None, None
        order.hold_until = max(order.hold_until or now, payment.expires_at + GRACE)
        return _wanted(order, payment, payment.expires_at)


def _wanted(order: Order, payment: Payment, expires_at: dt.datetime) -> Wanted:
    english = order.language == "en"
    details = "; ".join(f"{line.quantity} × {line.name_en if english else line.name_vi}" for line in order.lines)
    public = current_app.extensions["soi"].public_url
    return Wanted(
        key=f"order:{order.id}:pay:{payment.attempt}",
        payment_id=payment.id,
        order_id=order.id,
        amount=payment.amount,
        name=f"Soi {order.number}",
        details=details[:400],
        language=order.language,
        expires_at=expires_at,
        success_url=public + url_for("cards.back", token=order.token),
        cancel_url=public + url_for("orders.order", token=order.token),
    )


def _payment(session: Session, found: Checkout) -> Payment | None:
    """Ours, by the session's own id, or by what we wrote into it: the answer to our asking may have been lost."""
    query = select(Payment).where(Payment.method == "stripe")
    by_reference = session.scalar(query.where(Payment.reference == found.id))
    return by_reference or session.scalar(query.where(Payment.id == found.payment_id))


def _second(session: Session, found: Checkout, first: Payment) -> Payment:
    payment = Payment(
        id=uuid7(), order_id=first.order_id, attempt=first.attempt + 1, method="stripe", amount=found.amount,
        received=0, state=Standing.EXPIRED, reference=found.id, intent=found.intent, settled_at=clock.now(),
    )  # fmt: skip
    session.add(payment)
    session.flush()
    return payment


def _puzzle(session: Session, found: Checkout, kind: Puzzle, order: Order | None, webhook_id: str | None) -> Outcome:
    """A person decides, once for each payment at Stripe however often it is told."""
    reference = found.intent or found.id
    same = select(PaymentPuzzle.id).where(PaymentPuzzle.reference == reference, PaymentPuzzle.kind == kind)
    if session.scalar(same.limit(1)) is None:
        sellers = sellers_of(session, order) if order is not None else []
        session.add(
            PaymentPuzzle(
                kind=kind, amount=found.amount, memo=f"Stripe: {found.amount} {found.currency}"[:300],
                reference=reference, order_id=order.id if order is not None else None, webhook_id=webhook_id,
                cooperative_id=sellers[0] if len(sellers) == 1 else None, found_at=clock.now(),
            )
        )  # fmt: skip
    return Outcome(Notice.PUZZLING, kind.value, order.id if order is not None else None)
