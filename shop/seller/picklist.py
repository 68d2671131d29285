"""The picking list: from which lot how many packs are to be fetched, and into which orders they go."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from shop.orders.models import OPEN, Allocation, Order, OrderLine, PaymentState, Status
from shop.orders.steps import sold_by
from shop.stock.models import StockLot
from village import clock
from village.db import db
from village.i18n import in_language
from village.people.access import Actor
from village.products.models import Product

MOST = 200
"""Orders on one list, the oldest first: more than one round fetches."""


@dataclass(frozen=True)
class Goes:
    """So many packs of a lot into one order."""

    order_id: str
    number: str
    buyer: str
    units: int


@dataclass(frozen=True)
class FromLot:
    """What is to be fetched of one lot."""

    batch_id: str
    lot: str
    gtin: str
    product: str
    picture: str
    best_before: dt.date | None
    stopped: bool
    """On hold, recalled or past its day: the orders have to be given other lots first."""
    orders: Sequence[Goes]

    @property
    def units(self) -> int:
        """Packs of it in all."""
        return sum(one.units for one in self.orders)


@dataclass(frozen=True)
class Picklist:
    """All that is to be fetched."""

    lots: Sequence[FromLot]
    order_ids: Sequence[str]
    """Oldest first."""
    more: bool
    """True when orders are left for the next list."""

    @property
    def units(self) -> int:
        """Packs in all."""
        return sum(one.units for one in self.lots)


def to_pick(actor: Actor, order_ids: Sequence[str] = ()) -> Picklist:
    """What the actor's cooperative has to fetch for these orders, or for all that are confirmed and not to be paid
    first."""
    session = db.session()
    wanted: list[ColumnElement[bool]] = [sold_by(actor)]
    if order_ids:
        wanted += [Order.id.in_(list(order_ids)[:MOST]), Order.status.in_(OPEN)]
    else:
        wanted += [Order.status == Status.CONFIRMED, Order.payment_state != PaymentState.AWAITING]
    ids = session.scalars(select(Order.id).where(*wanted).order_by(Order.id).limit(MOST + 1)).all()
    kept = ids[:MOST]
    # From the orders to their lots, in two steps: a database that may begin with the lots reads all they ever filled.
    rows = session.execute(
        select(Order.id, Order.number, Order.buyer_name, Order.live_author, Allocation)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Allocation, Allocation.order_line_id == OrderLine.id)
        .where(OrderLine.order_id.in_(kept), Allocation.units > Allocation.sent)
        .order_by(Order.id)
    ).all()
    goes: dict[str, dict[str, Goes]] = {}
    for order_id, number, name, author, part in rows:
        into = goes.setdefault(part.batch_id, {})
        before = into[order_id].units if order_id in into else 0
        into[order_id] = Goes(order_id, number, name or author or "", before + part.waiting)
    lots = session.execute(
        select(StockLot, Product)
        .join(Product, Product.id == StockLot.product_id)
        .where(StockLot.batch_id.in_(goes), Product.cooperative_id == actor.cooperative_id)
        .order_by(Product.name_vi, StockLot.best_before.is_(None), StockLot.best_before, StockLot.batch_id)
    )
    found = [_from(lot, product, list(goes[lot.batch_id].values())) for lot, product in lots]
    return Picklist(found, kept, len(ids) > MOST)


def _from(lot: StockLot, product: Product, goes: Sequence[Goes]) -> FromLot:
    past = lot.best_before is not None and lot.best_before < clock.today()
    return FromLot(
        lot.batch_id, lot.lot, lot.gtin, in_language(product.name_vi, product.name_en), product.picture,
        lot.best_before, lot.on_hold or past, goes,
    )  # fmt: skip
