"""Deciding on a refund. Never more goes back than came; one form is one refund, however often it is sent."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.orders import steps
from shop.orders.models import Order
from shop.payments.models import Payment, Refund, Standing
from shop.payments.stripe import refunds as cards
from shop.payments.stripe.client import NotNow
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, Malformed
from village.forms import choice, whole_number
from village.i18n import dong
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid, uuid7
from village.people.access import Actor
from village.text import clean_line

Way = Literal["stripe", "vietqr", "cod"]
"""To the card it came from, by bank transfer, or in cash."""


@dataclass(frozen=True)
class Desk:
    """What a seller sees before she gives money back."""

    order: Order
    left: int
    """Đồng that can still go back, without those that are on their way."""
    on_the_way: int
    ways: tuple[Way, ...]
    """The first one is the way that the money came."""
    refunds: Sequence[Refund]
    form_id: str = field(default_factory=uuid7)


@dataclass(frozen=True)
class Wish:
    """A refund as asked for, checked as far as it can be without the order."""

    id: str
    amount: int
    way: Way
    reason: str
    reference: str | None


def desk(actor: Actor, order_id: str) -> Desk:
    """The order's refunds, and what can still go back. NotFound for another cooperative's order."""
    order = steps.by_id(actor, order_id)
    session = db.session()
    left, on_the_way = _left(session, order)
    return Desk(order, left, on_the_way, _ways(session, order), cards.of_order(order))


def read(sent: Mapping[str, str]) -> Wish:
    """A wish out of a form: `id`, `amount`, `way`, `reason`, `reference`. BadInput names the field at fault."""
    form_id = sent.get("id", "")
    if not is_uuid(form_id):
        raise Malformed("bad-form-id", _l("Trang này cũ quá, bác mở lại rồi làm nhé."))
    way = choice(sent.get("way", ""), "way", ("stripe", "vietqr", "cod"))
    amount = whole_number(sent.get("amount", ""), "amount", 1, 10**12)
    reason = clean_line(sent.get("reason", ""), "reason", 200)
    reference = clean_line(sent.get("reference", ""), "reference", 100, required=way == "vietqr")
    # What Stripe calls it, Stripe says.
    return Wish(form_id, amount, _way(way), reason, None if way == "stripe" else reference or None)


def give_back(actor: Actor, order_id: str, wish: Wish) -> Refund:
    """Give money back. By hand it has been done already, and is booked at once; to a card it is asked of Stripe, and
    stays pending when Stripe is silent.

    Raises BadInput (more than there is, a way that this order has not), Conflict (this form was used for another
    refund, or this reference), NotFound.
    """
    steps.by_id(actor, order_id)
    with write() as session:
        # One at a time for each order, or two sellers together would give back more than came.
        order = session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
        before = session.get(Refund, wish.id)
        if before is not None:
            if (before.order_id, before.amount, before.method) != (order.id, wish.amount, wish.way):
                raise Conflict("form-used", _l("Trang này đã dùng cho một lần trả tiền khác. Bác mở lại nhé."))
            return before
        refund = _decide(session, actor, order, wish)
    if wish.way == "stripe":
        # When Stripe is silent it is asked again every minute.
        with suppress(NotNow):
            cards.send(refund.id)
    return db.session.get_one(Refund, refund.id, populate_existing=True)


def _decide(session: Session, actor: Actor, order: Order, wish: Wish) -> Refund:
    left, _on_the_way = _left(session, order)
    if wish.amount > left:
        raise BadInput("more-than-came", _l("Đơn này chỉ còn trả lại được %(left)s."), field="amount", left=dong(left))
    if wish.way not in _ways(session, order):
        raise BadInput("not-a-way", _l("Đơn này không trả lại bằng cách ấy được."), field="way")
    payment_id = None
    if wish.way == "stripe":
        found = cards.card_left(session, order.id)
        assert found is not None
        payment, card = found
        if wish.amount > card:
            raise BadInput("more-than-came", _l("Thẻ chỉ còn nhận lại được %(left)s."), field="amount", left=dong(card))
        payment_id = payment.id
    else:
        payment_id = session.scalar(
            select(Payment.id)
            .where(Payment.order_id == order.id, Payment.method == wish.way, Payment.received > 0)
            .limit(1)
        )
    reference = _reference(session, order, wish)
    by_hand = wish.way != "stripe"
    refund = Refund(
        id=wish.id, order_id=order.id, payment_id=payment_id, method=wish.way, amount=wish.amount,
        state=Standing.SUCCEEDED if by_hand else Standing.PENDING, reason=wish.reason, reference=reference,
        member_id=actor.id, created_at=clock.now(), settled_at=clock.now() if by_hand else None,
    )  # fmt: skip
    session.add(refund)
    session.flush()
    if by_hand:
        steps.refund_in(session, order, wish.amount)
    return refund


def _reference(session: Session, order: Order, wish: Wish) -> str | None:
    """As it is kept, once for each way. A cash slip's number is only the order's own; a bank's is nobody else's."""
    if wish.reference is None:
        return None
    reference = wish.reference if wish.way == "vietqr" else f"{order.number} {wish.reference}"
    same = select(Refund.id).where(Refund.method == wish.way, Refund.reference == reference)
    if session.scalar(same) is not None:
        raise Conflict("reference-used", _l("Mã giao dịch này đã ghi cho một lần trả tiền rồi."), field="reference")
    return reference


def _left(session: Session, order: Order) -> tuple[int, int]:
    """Đồng that can still go back, and đồng that are on their way."""
    going = (
        select(func.sum(Refund.amount))
        .outerjoin(Payment, Payment.id == Refund.payment_id)
        .where(
            Refund.order_id == order.id,
            Refund.state == Standing.PENDING,
            # What came after the end was never the order's.
            func.coalesce(Payment.state, Standing.SUCCEEDED) == Standing.SUCCEEDED,
        )
    )
    on_the_way = int(session.scalar(going) or 0)
    return max(order.paid - order.refunded - on_the_way, 0), on_the_way


def _ways(session: Session, order: Order) -> tuple[Way, ...]:
    by_hand: tuple[Way, ...] = ("cod", "vietqr") if order.payment == "cod" else ("vietqr", "cod")
    found = cards.card_left(session, order.id)
    return ("stripe", *by_hand) if found is not None and found[1] > 0 else by_hand


def _way(text: str) -> Way:
    return "stripe" if text == "stripe" else "vietqr" if text == "vietqr" else "cod"
