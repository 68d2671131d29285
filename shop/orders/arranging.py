"""How an order is brought and paid that came without a word about it: one out of a livestream."""

from sqlalchemy.orm import Session

from shop.orders.errors import order_paid_ahead
from shop.orders.lines import add_up
from shop.orders.models import Delivery, Order, Payment, PaymentState, Status
from shop.orders.moving import record, touch
from shop.orders.services import HOLD, NOTE_MAX
from village import clock
from village.text import clean_text


def arrange_in(
    session: Session,
    order: Order,
    *,
    delivery: Delivery,
    delivery_fee: int,
    payment: Payment = "cod",
    note: str = "",
    language: str = "",
) -> None:
    """Write down how the buyer of an order that is still `placed` wants it, inside the caller's transaction.

    `delivery_fee` in đồng. What is paid ahead has its deadline from now on, as at checkout. Conflict when a seller has
    begun on it, when it is paid ahead already, or as `shop.payments.services.begin_in`; the caller's transaction is to
    be undone then.
    """
    from shop.payments.services import begin_in  # that folder stands on this one

    touch(session, order, (Status.PLACED,))
    if order.paid_ahead or order.paid:
        raise order_paid_ahead(order)
    order.delivery, order.delivery_fee, order.language = delivery, delivery_fee, language or order.language
    order.note = clean_text(note, "note", NOTE_MAX) or order.note
    add_up(order)
    if payment != "cod":
        order.payment, order.payment_state = payment, PaymentState.AWAITING
        order.hold_until = clock.now() + HOLD[payment]
        begin_in(session, order)
    record(order, "arranged", None)
    session.flush()
