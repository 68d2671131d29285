"""Hands for tests of settlement: lots of two households, orders that left and were paid, months gone by."""

import datetime as dt

from sqlalchemy import select, update

from shop.delivery.models import DeliveryState, Shipment
from shop.orders.models import Allocation, Order, OrderLine, Status
from shop.orders.moving import record
from shop.settlement import rules, services
from shop.settlement.models import Settlement
from tests.shop.hands import shelve
from tests.shop.working import order, ordered, pay
from tests.support.village import Village
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.forms import Form
from village.ids import uuid7
from village.places.models import Household
from village.products.models import Product

PACK = 60_000
"""Đồng for a pack of 500 g."""
NOW = dt.datetime(2026, 12, 10, 3, tzinfo=dt.UTC)
NOVEMBER = dt.date(2026, 11, 30)


def household(name: str) -> Household:
    """A household by its name."""
    return db.session.scalars(select(Household).where(Household.name == name)).one()


def lot_of(village: Village, name: str, lot: str, *, units: int = 20, net: int = 500, days: int = 365) -> str:
    """Packs on the shelf that a household made; their batch id."""
    batch_id = shelve(village, units, lot=lot, net=net, days=days)
    owner = household(name).id
    with write() as session:
        session.execute(update(Batch).where(Batch.id == batch_id).values(household_id=owner))
    return batch_id


def sold(
    village: Village, packs: int, *, product: Product | None = None, fee: int = 0, carrier: int = 0, paid: bool = True
) -> str:
    """An order whose packs left and, unless told otherwise, whose money came; its id."""
    order_id = ordered(product or village.product("packs", 500), packs)
    if fee:
        with write() as session:
            session.execute(update(Order).where(Order.id == order_id).values(delivery_fee=fee, total=Order.total + fee))
    left(order_id, carrier)
    if paid:
        pay(order_id, order(order_id).total)
    return order_id


def left(order_id: str, carrier: int = 0) -> None:
    """All its packs go, for so much of a fee."""
    lines = select(OrderLine.id).where(OrderLine.order_id == order_id)
    with write() as session:
        session.execute(update(Allocation).where(Allocation.order_line_id.in_(lines)).values(sent=Allocation.units))
        session.execute(update(Order).where(Order.id == order_id).values(status=Status.DELIVERED))
        record(session.get_one(Order, order_id), Status.DELIVERED, None)
        session.add(
            Shipment(
                id=uuid7(), order_id=order_id, number=1, carrier="ghn" if carrier else "hand", fee=carrier,
                state=DeliveryState.DELIVERED,
            )
        )  # fmt: skip


def back(order_id: str, packs: int) -> None:
    """So many packs of each of its lots came back."""
    lines = select(OrderLine.id).where(OrderLine.order_id == order_id)
    with write() as session:
        session.execute(update(Allocation).where(Allocation.order_line_id.in_(lines)).values(returned=packs))
        record(session.get_one(Order, order_id), "returned", None)


def agreed(village: Village, share: str = "10", card: str = "0", costs: str = "households",
           refunds: str = "households") -> None:  # fmt: skip
    """The cooperative's rule."""
    form = Form({"share": share, "card_fee": card, "costs_by": costs, "refunds_by": refunds})
    rules.set_rule(village.actor("office"), form)


def close(village: Village, last: dt.date = NOVEMBER) -> Settlement:
    """Close the period as the office would who looked at it a moment ago."""
    office = village.actor("office")
    weighed = services.opened(office, last).weighed
    assert weighed is not None
    db.session.rollback()
    return services.close(office, last, weighed.households)


def day(text: str) -> dt.datetime:
    """Noon in the village."""
    return dt.datetime.fromisoformat(f"{text}T12:00").replace(tzinfo=clock.VN)
