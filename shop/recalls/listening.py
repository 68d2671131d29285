"""What the shop does when a recall begins and ends, inside its transaction: finds orders, keeps them, tells buyers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.orders.models import OPEN, Allocation, Order, OrderLine, Status
from shop.recalls import letters
from shop.recalls.models import Reached, RecallOrder
from trace import signals
from trace.lots.services import listed
from trace.recalls.models import Recall
from trace.recalls.reach import AffectedOrder, Call, Reach
from trace.recalls.telling import ABOUT, channel
from village.db import insert_later
from village.outbox.letters import Letter
from village.outbox.models import Message, MessageState
from village.outbox.services import put_all, put_fresh
from village.places.models import Cooperative
from village.products.models import Product

_OPEN = frozenset(OPEN)
_ORDER, _LINE, _PART = Order.__table__.c, OrderLine.__table__.c, Allocation.__table__.c
_WITH = (
    select(
        _ORDER.id, _ORDER.number, _ORDER.token, _ORDER.status, _ORDER.buyer_phone, _LINE.product_id, _LINE.name_vi,
        _PART.batch_id, _PART.lot, _PART.units, _PART.sent, _PART.returned,
    )
    .select_from(Allocation.__table__)
    .join(OrderLine.__table__, _LINE.id == _PART.order_line_id)
    .join(Order.__table__, _ORDER.id == _LINE.order_id)
)  # fmt: skip
"""Past the session: there may be tens of thousands of rows."""


@dataclass
class Found:
    """An order, with its packs by lot, as it was found. Of a lot of which some has left, only that is told: the rest is
    stopped with its lot."""

    id: str
    number: str
    token: str
    state: Reached
    phone: str | None
    cooperative_id: str
    parts: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Lot code and packs by the lot's id."""
    goods: dict[str, str] = field(default_factory=dict)
    """What each lot is called, by the lot's id."""
    states: dict[str, Reached] = field(default_factory=dict)
    """Where the packs of each lot are; `state` is that of what has come farthest."""

    @property
    def affected(self) -> AffectedOrder:
        """The same without what is the shop's own."""
        return AffectedOrder(self.id, self.number, self.state.value, self.parts)


def listen() -> None:
    """Answer from now on."""
    signals.recall_asked.connect(asked)
    signals.recall_started.connect(started)
    signals.recall_ended.connect(ended)
    signals.recall_told.connect(told)


def asked(_sender: object, *, session: Session, batches: Collection[str], **_rest: object) -> Reach:
    """Whom it would reach."""
    found = orders_with(session, batches)
    return Reach(tuple(order.affected for order in found), len(_by_buyer(found)))


def started(_sender: object, *, session: Session, call: Call, **_rest: object) -> Reach:
    """Keep which orders it reached; in a real one, put a message into the outbox for each buyer."""
    found = orders_with(session, call.batches)
    buyers = _by_buyer(found)
    messages = {} if call.drill else _tell(session, call, buyers)
    rows = [
        {
            "recall_id": call.id, "order_id": order.id, "batch_id": batch, "lot": lot, "units": units,
            "state": order.states[batch], "message_id": messages.get(order.id),
        }
        for order in found
        for batch, (lot, units) in order.parts.items()
    ]  # fmt: skip
    insert_later(session, RecallOrder.__table__, rows)
    return Reach(tuple(order.affected for order in found), len(buyers), len(set(messages.values())))


def ended(_sender: object, *, session: Session, recall: Recall, **_rest: object) -> None:
    """Whoever was told, or is just being told, is told that it was a mistake."""
    query = (
        select(RecallOrder.order_id)
        .join(Message, Message.id == RecallOrder.message_id)
        .where(RecallOrder.recall_id == recall.id, Message.state != MessageState.CANCELLED)
    )
    orders = session.scalars(select(Order).where(Order.id.in_(query)).order_by(Order.id)).all()
    phones: dict[str, Order] = {}
    for order in orders:
        if order.buyer_phone:
            phones.setdefault(order.buyer_phone, order)
    coop = session.get_one(Cooperative, recall.cooperative_id)
    mail = [
        Letter(
            channel(), phone, letters.subject(order.number), letters.lifted(coop.name, coop.phone, order.number),
            f"recall:{recall.id}:lifted:{order.id}",
        )
        for phone, order in phones.items()
    ]  # fmt: skip
    put_all(session, recall.cooperative_id, (ABOUT, recall.id), mail)


def told(_sender: object, *, session: Session, recall_id: str, **_rest: object) -> Reach:
    """The orders that it reached when it began."""
    rows = session.execute(
        select(Order.id, Order.number, RecallOrder.state, RecallOrder.batch_id, RecallOrder.lot, RecallOrder.units)
        .join(Order, Order.id == RecallOrder.order_id)
        .where(RecallOrder.recall_id == recall_id)
    )
    orders: dict[str, AffectedOrder] = {}
    for order_id, number, state, batch, lot, units in rows:
        one = orders.setdefault(order_id, AffectedOrder(order_id, number, state.value, {}))
        one.parts[batch] = (lot, units)
    return Reach(tuple(orders.values()))


def orders_with(session: Session, batches: Collection[str]) -> list[Found]:
    """Orders that hold packs of these lots, or took some with them; in the order of their ids."""
    rows = session.connection().execute(_WITH.where(_PART.batch_id.in_(listed(session, batches)))).all()
    sellers = {product: coop for product, coop in session.execute(select(Product.id, Product.cooperative_id))}
    found: dict[str, Found] = {}
    for order_id, number, token, status, phone, product, name, batch, lot, units, sent, returned in rows:
        # Asked of the rows and not of the database, which would look each order up once for every status.
        gone = sent - returned
        waiting = units - sent if status in _OPEN else 0
        if not (gone or waiting):
            continue
        state = Reached.STOPPED
        if gone:
            state = Reached.DELIVERED if status is Status.DELIVERED else Reached.SHIPPING
        one = found.get(order_id)
        if one is None:
            one = found[order_id] = Found(order_id, number, token, state, phone, sellers[product])
        _put(one, batch, lot, state, gone or waiting)
        one.goods[batch] = name
    return [found[order_id] for order_id in sorted(found)]


def _put(one: Found, batch: str, lot: str, state: Reached, units: int) -> None:
    """Add packs of a lot: what has left takes the place of what has not."""
    before = one.states.get(batch)
    if before is Reached.STOPPED and state is not before:
        del one.parts[batch]
    elif before is not None and before is not state:
        return
    one.states[batch] = state
    one.parts[batch] = (lot, one.parts.get(batch, (lot, 0))[1] + units)
    if one.state is Reached.STOPPED:
        one.state = state


def _by_buyer(found: Collection[Found]) -> dict[str, list[Found]]:
    """Orders of one person by telephone number; an order without one is a person of its own."""
    buyers: dict[str, list[Found]] = {}
    for order in found:
        buyers.setdefault(order.phone or order.id, []).append(order)
    return buyers


def _tell(session: Session, call: Call, buyers: Mapping[str, list[Found]]) -> dict[str, str]:
    """One message a buyer, in the name of the cooperative that sold it; the message's id by the order's."""
    coops = {one.id: one for one in session.scalars(select(Cooperative))}
    address, way = current_app.extensions["soi"].public_url, channel()
    by_seller: dict[str, list[tuple[list[Found], Letter]]] = {}
    for orders in buyers.values():
        # What has left comes first: it is what somebody may be about to cook.
        if len(orders) > 1:
            orders = sorted(orders, key=lambda one: (one.state is Reached.STOPPED, one.id))
        first = orders[0]
        if first.phone is None:
            continue
        coop = coops[first.cooperative_id]
        body = letters.recalled(coop.name, coop.phone, call.reason, orders, address)
        letter = Letter(way, first.phone, letters.subject(first.number), body, f"recall:{call.id}:{first.id}")
        by_seller.setdefault(coop.id, []).append((orders, letter))
    messages: dict[str, str] = {}
    for coop_id, some in by_seller.items():
        ids = put_fresh(session, coop_id, (ABOUT, call.id), [letter for _, letter in some])
        for (orders, _letter), message_id in zip(some, ids, strict=True):
            messages.update({order.id: message_id for order in orders})
    return messages
