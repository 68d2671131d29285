"""What happens to an order after it was placed. Each function owns its transaction, but those whose names end in `_in`.

placed → confirmed → picked → [partly_dispatched →] dispatched → delivered; cancelled from any of the first three, and
when everything that was sent came back. Each step is one conditional UPDATE: of two sellers at once one wins, the other
is told what happened.

For payments, carriers and others, inside their own `write()`; `send_in` and `return_in` inside `write(ledger=True)`:

    pay_in(session, order, amount, at)             money came (shop/orders/money.py)
    refund_in(session, order, amount)              money went back
    send_in(session, actor, order_id, parts, …)    packs leave, as one parcel (shop/orders/sending.py)
    to_collect(session, order)                     what its carrier is to collect
    arrived_in(session, shipment, at)              a parcel is with its buyer (shop/orders/arriving.py)
    return_in(session, actor, order_id, parts)     packs came back, or never will (shop/orders/returning.py)
    buyer_text(order)                              what the ledger committed to instead of the buyer
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from shop.delivery.models import Shipment
from shop.orders import expiring
from shop.orders.arriving import NOT_THERE, arrived_in
from shop.orders.cancelling import cancel_in
from shop.orders.errors import no_order, not_paid, nothing_on_the_way
from shop.orders.lines import allocate, waiting_of
from shop.orders.models import OPEN, Allocation, Order, OrderLine, OrderStep, Status
from shop.orders.money import pay_in, refund_in
from shop.orders.moving import move, record, touch
from shop.orders.returning import return_in
from shop.orders.selling import sold_by_cooperative
from shop.orders.sending import buyer_text, send_in, to_collect
from shop.orders.services import Buyer, set_buyer_in
from shop.picking.freeing import free
from shop.refusals import services as refusals
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from shop.stock.services import Part
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.text import clean_line

__all__ = [
    "WORKERS", "arrived_in", "buyer_text", "by_id", "by_token", "cancel", "cancel_by_buyer", "confirm", "deliver",
    "dispatch", "pay_in", "pick", "reallocate", "refund_in", "return_in", "send_in", "set_buyer", "set_buyer_by_token",
    "sold_by", "to_collect",
]  # fmt: skip

_LOADED = select(Order).options(selectinload(Order.steps).joinedload(OrderStep.member))
WORKERS = (Role.SELLER, Role.OFFICE)
"""Who works on orders."""


def by_token(token: str) -> Order:
    """The order that this token opens, with all that its page shows; NotFound for any other token.

    One whose deadline is over is expired first: nobody is shown, or asked to pay for, packs that are not kept.
    """
    return _read(Order.token == token)


def by_id(actor: Actor, order_id: str) -> Order:
    """An order for who works on it."""
    _authorise(actor, order_id)
    return _read(Order.id == order_id)


def _read(which: ColumnElement[bool]) -> Order:
    order = db.session.scalar(_LOADED.where(which))
    if order is not None and expiring.is_lapsed(order):
        expiring.expire(order.id)
        order = db.session.scalar(_LOADED.where(which))
    if order is None:
        raise no_order()
    return order


def confirm(actor: Actor, order_id: str, called: bool = False) -> Order:
    """A seller has spoken with the buyer (`called`), or trusts the order. It must be known to whom and where it goes,
    and an order that is paid ahead must be paid: until then its packs have a deadline. Conflict `call-first` for one
    whose buyer is to be rung (`shop.refusals.services`), unless she was."""
    _authorise(actor, order_id)
    with write() as session:
        order = move(session, order_id, Status.CONFIRMED, (Status.PLACED,), actor)
        if order.paid_ahead and not order.settled:
            raise not_paid(order)
        if not order.sendable:
            raise Conflict(
                "buyer-unknown",
                _l("Đơn %(number)s chưa đủ tên, số điện thoại và địa chỉ. Bác hỏi người mua rồi ghi vào nhé."),
                number=order.number,
            )
        refusals.called_in(session, order, actor, called)
        return order


def pick(actor: Actor, order_id: str) -> Order:
    """The packs stand ready. Lots that may no longer be sent are changed for others first, where there are any."""
    _authorise(actor, order_id)
    with write() as session:
        order = move(session, order_id, Status.PICKED, (Status.CONFIRMED,), actor)
        _change_lots(session, order, actor)
        return order


def reallocate(actor: Actor, order_id: str) -> Order:
    """Fill the order from other lots where its own may not be sent; a picked order has to be picked again."""
    _authorise(actor, order_id)
    with write() as session:
        order = _one(session, order_id)
        touch(session, order, OPEN, actor)
        if _change_lots(session, order, actor) and order.status is Status.PICKED:
            order.status = Status.CONFIRMED
        session.flush()
        return order


def dispatch(actor: Actor, order_id: str) -> Order:
    """All that has not left leaves by hand: an event on the ledger for its lots, and its packs are sold."""
    _authorise(actor, order_id)
    with write(ledger=True) as session:
        order = _one(session, order_id)
        send_in(
            session, actor, order_id, None,
            carrier="hand", shipment_id=uuid7(), cod_amount=to_collect(session, order),
        )  # fmt: skip
        return order


def deliver(actor: Actor, order_id: str) -> Order:
    """All that is on the way arrived. What was carried by hand was paid at the door, as far as it was to be."""
    from shop.delivery.steps import delivered_in  # these folders stand on this one
    from shop.payments.services import cash_in

    _authorise(actor, order_id)
    now = clock.now()
    with write() as session:
        order = _one(session, order_id)
        touch(session, order, (Status.DISPATCHED,), actor)
        parcels = session.scalars(select(Shipment).where(Shipment.order_id == order_id).order_by(Shipment.number)).all()
        on_the_way = [one for one in parcels if one.delivered_at is None and one.state not in NOT_THERE]
        if parcels and not on_the_way:
            raise nothing_on_the_way(order)
        for parcel in on_the_way:
            if parcel.carrier == "hand":
                delivered_in(session, parcel, now, parcel.cod_amount, actor)
            else:
                arrived_in(session, parcel, now, actor)
        if not parcels:  # it left before parcels were written down
            if order.owed:
                cash_in(session, order, order.owed, now, order.number)
            move(session, order_id, Status.DELIVERED, (Status.DISPATCHED,), actor)
        return order


def cancel(actor: Actor, order_id: str, reason: object) -> Order:
    """A seller calls it off, with a reason that the buyer reads."""
    _authorise(actor, order_id)
    note = clean_line(reason, "reason", 300)
    with write() as session:
        return cancel_in(session, order_id, actor=actor, note=note)


def cancel_by_buyer(token: str) -> Order:
    """The buyer calls it off, as long as nobody has begun on it."""
    return _by_buyer(token, lambda session, order: cancel_in(session, order.id, sources=(Status.PLACED,)))


def set_buyer(actor: Actor, order_id: str, buyer: Buyer) -> Order:
    """A seller writes down to whom and where."""
    _authorise(actor, order_id)
    with write() as session:
        return set_buyer_in(session, _one(session, order_id), buyer, actor=actor)


def set_buyer_by_token(token: str, buyer: Buyer) -> Order:
    """The buyer of a livestream order says where it goes, once."""

    def fill(session: Session, order: Order) -> Order:
        touch(session, order, (Status.PLACED,))
        if order.sendable:
            raise BadInput("address-known", _l("Đơn này có địa chỉ rồi. Muốn đổi thì bác gọi người bán nhé."))
        return set_buyer_in(session, order, buyer)

    return _by_buyer(token, fill)


def _by_buyer(token: str, act: Callable[[Session, Order], Order]) -> Order:
    with write() as session:
        order = session.scalar(select(Order).where(Order.token == token))
        if order is None:
            raise no_order()
        return act(session, order)


def _one(session: Session, order_id: str) -> Order:
    order = session.get(Order, order_id)
    if order is None:
        raise no_order()
    return order


def _change_lots(session: Session, order: Order, actor: Actor) -> bool:
    """Swap what waits of lots that may not be sent for others; True when there was any.

    Conflict when no other lot has enough: the order then stays as it was.
    """
    stopped = stock.lots_stopped(session, waiting_of(order))
    if not stopped:
        return False
    product_of = stock.products_of(session, stopped)
    stock.lock(session, product_of.values())
    swapped = [part for line in order.lines for part in line.allocations if part.batch_id in stopped and part.waiting]
    swapped.sort(key=lambda part: product_of[part.batch_id])
    lines = {line.id: line for line in order.lines}
    for part in swapped:
        _swap(session, lines[part.order_line_id], part, product_of[part.batch_id])
    sent = {part.batch_id for line in order.lines for part in line.allocations if part.sent}
    free(session, order.id, stopped - sent)
    record(order, "reallocated", actor, ", ".join(dict.fromkeys(part.lot for part in swapped))[:300])
    session.flush()
    return True


def _swap(session: Session, line: OrderLine, part: Allocation, product_id: str) -> None:
    units = part.waiting
    try:
        others = stock.reserve(session, product_id, units)
    except OutOfStock as error:
        raise Conflict(
            "lot-on-hold",
            _l(
                "Lô %(lot)s đang bị giữ lại hoặc đã quá hạn, mà không còn lô khác đủ %(units)s gói. "
                "Bác chờ mẻ sau hoặc huỷ đơn."
            ),
            lot=part.lot,
            units=units,
        ) from error
    stock.release(session, [Part(part.batch_id, part.lot, units)])
    part.units = part.sent or units
    if part.sent == 0:
        line.allocations.remove(part)
    allocate(line, others)


def _authorise(actor: Actor, order_id: str) -> None:
    """By role, and by owner: nobody else's cooperative learns who bought what."""
    if not actor.has(*WORKERS):
        raise wrong_role()
    if db.session.scalar(select(Order.id).where(Order.id == order_id, sold_by(actor))) is None:
        raise no_order()


def sold_by(actor: Actor) -> ColumnElement[bool]:
    """True for orders in which `actor`'s cooperative sells something."""
    return sold_by_cooperative(actor.cooperative_id)
