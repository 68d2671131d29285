"""What happens to an order after it was placed. Each function owns its transaction.

placed → confirmed → picked → dispatched → delivered; cancelled from any of the first three. Each step is one
conditional UPDATE: of two sellers at once one wins, the other is told what happened.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, selectinload

from shop.orders.errors import no_order
from shop.orders.lines import allocate, parts_of
from shop.orders.models import OPEN, Allocation, Order, OrderLine, OrderStep, Status
from shop.orders.moving import move, record, touch
from shop.orders.services import Buyer, cancel_in, set_buyer_in
from shop.picking.freeing import free
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from shop.stock.services import Part
from village.db import db, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.products.models import Product
from village.text import clean_line

WORKERS = (Role.SELLER, Role.OFFICE)
"""Who works on orders."""


def by_token(token: str) -> Order:
    """The order that this token opens, with all that its page shows; NotFound for any other token."""
    order = db.session.scalar(_loaded().where(Order.token == token))
    if order is None:
        raise no_order()
    return order


def by_id(actor: Actor, order_id: str) -> Order:
    """An order for who works on it."""
    _authorise(actor, order_id)
    order = db.session.scalar(_loaded().where(Order.id == order_id))
    if order is None:
        raise no_order()
    return order


def confirm(actor: Actor, order_id: str) -> Order:
    """A seller has spoken with the buyer, or trusts the order. It must be known to whom and where it goes."""
    _authorise(actor, order_id)
    with write() as session:
        order = move(session, order_id, Status.CONFIRMED, (Status.PLACED,), actor)
        if not order.sendable:
            raise Conflict(
                "buyer-unknown",
                _l("Đơn %(number)s chưa đủ tên, số điện thoại và địa chỉ. Bác hỏi người mua rồi ghi vào nhé."),
                number=order.number,
            )
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
        order = session.get(Order, order_id)
        if order is None:
            raise no_order()
        touch(session, order, OPEN, actor)
        if _change_lots(session, order, actor) and order.status is Status.PICKED:
            order.status = Status.CONFIRMED
        session.flush()
        return order


def dispatch(actor: Actor, order_id: str) -> Order:
    """The parcel leaves: an event on the ledger for its lots, and its packs are sold, in one transaction."""
    from batches.stages.services import record_dispatch  # that room's services load its process files

    _authorise(actor, order_id)
    with write(ledger=True) as session:
        order = move(session, order_id, Status.DISPATCHED, (Status.PICKED,), actor)
        parts = stock.in_order(session, parts_of(order))
        _refuse_stopped(session, parts)
        record_dispatch(session, actor, [(part.batch_id, part.units) for part in parts], buyer=_buyer_text(order))
        stock.mark_sold(session, parts)
        session.refresh(order)  # the ledger forgets what the session had read
        return order


def deliver(actor: Actor, order_id: str) -> Order:
    """It arrived, and was paid."""
    _authorise(actor, order_id)
    with write() as session:
        return move(session, order_id, Status.DELIVERED, (Status.DISPATCHED,), actor)


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
        order = session.get(Order, order_id)
        if order is None:
            raise no_order()
        return set_buyer_in(session, order, buyer, actor=actor)


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


def _change_lots(session: Session, order: Order, actor: Actor) -> bool:
    """Swap the allocations on lots that may not be sent for others; True when there were any.

    Conflict when no other lot has enough: the order then stays as it was.
    """
    stopped = stock.lots_stopped(session, parts_of(order))
    if not stopped:
        return False
    stock.lock(session, [line.product_id for line in order.lines])
    changed: list[str] = []
    for line in sorted(order.lines, key=lambda line: line.product_id):
        for part in [part for part in line.allocations if part.batch_id in stopped]:
            _swap(session, line, part)
            changed.append(part.lot)
    free(session, order.id, stopped)
    record(order, "reallocated", actor, ", ".join(dict.fromkeys(changed))[:300])
    session.flush()
    return True


def _swap(session: Session, line: OrderLine, part: Allocation) -> None:
    try:
        others = stock.reserve(session, line.product_id, part.units)
    except OutOfStock as error:
        raise Conflict(
            "lot-on-hold",
            _l(
                "Lô %(lot)s đang bị giữ lại hoặc đã quá hạn, mà không còn lô khác đủ %(units)s gói. "
                "Bác chờ mẻ sau hoặc huỷ đơn."
            ),
            lot=part.lot,
            units=part.units,
        ) from error
    stock.release(session, [Part(part.batch_id, part.lot, part.units)])
    line.allocations.remove(part)
    allocate(line, others)


def _refuse_stopped(session: Session, parts: Sequence[Part]) -> None:
    stopped = stock.lots_stopped(session, parts)
    for part in parts:
        if part.batch_id in stopped:
            raise stock.lot_on_hold(part.lot)


def _buyer_text(order: Order) -> str:
    """What the ledger's salted commitment is made of."""
    return "\n".join((order.number, order.buyer_name or "", order.buyer_phone or "", order.buyer_address or ""))


def _authorise(actor: Actor, order_id: str) -> None:
    """By role, and by owner: nobody else's cooperative learns who bought what."""
    if not actor.has(*WORKERS):
        raise wrong_role()
    if db.session.scalar(select(Order.id).where(Order.id == order_id, sold_by(actor))) is None:
        raise no_order()


def sold_by(actor: Actor) -> ColumnElement[bool]:
    """True for orders in which `actor`'s cooperative sells something."""
    own = select(OrderLine.id).join(Product, Product.id == OrderLine.product_id)
    return own.where(OrderLine.order_id == Order.id, Product.cooperative_id == actor.cooperative_id).exists()


def _loaded() -> Select[Order]:
    return select(Order).options(selectinload(Order.steps).joinedload(OrderStep.member))
