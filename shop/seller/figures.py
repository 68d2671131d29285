"""What was ordered: by day, by channel, by product. Read in three statements, however many orders there are.

Cancelled orders do not count. Money is that of the cooperative's own lines, without delivery fees.
"""

import datetime as dt
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Date, cast, func, select
from sqlalchemy.orm import Session

from shop.orders.models import Channel, Order, OrderLine, Status
from shop.orders.steps import sold_by
from village import clock
from village.db import db
from village.i18n import in_language
from village.people.access import Actor
from village.products.models import Product

K = TypeVar("K", bound=Hashable)
SPANS = (7, 30, 90, 365)
"""Days that can be looked at, today included."""


@dataclass(frozen=True)
class Sum:
    """Orders, packs and đồng together."""

    orders: int = 0
    packs: int = 0
    dong: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.orders + other.orders, self.packs + other.packs, self.dong + other.dong)


@dataclass(frozen=True)
class Figures:
    """A span of days."""

    days: Sequence[tuple[dt.date, Sum]]
    """Every day, oldest first, the empty ones too."""
    channels: Sequence[tuple[Channel, Sum]]
    """Most money first."""
    products: Sequence[tuple[str, Sum]]
    """By name, most money first. Their orders are not counted: one order has several products."""

    @property
    def total(self) -> Sum:
        """The whole span."""
        return sum((one for _day, one in self.days), Sum())


def figures(actor: Actor, days: int) -> Figures:
    """The last so many days of the actor's cooperative, today included."""
    session = db.session()
    last = clock.today()
    first = last - dt.timedelta(days=days - 1)
    since = dt.datetime.combine(first, dt.time(), clock.VN)
    names = _names(session, actor)
    lines, orders = _lines(session, since, names), _orders(session, actor, since)
    both = [*lines, *orders]
    by_day = _summed((dt.date.fromisoformat(str(row.day)), one) for row, one in both)
    by_channel: dict[Channel, Sum] = _summed((row.channel, one) for row, one in both)
    by_product = _summed((row.product_id, one) for row, one in lines)
    every = [first + dt.timedelta(days=number) for number in range(days)]
    return Figures(
        [(day, by_day.get(day, Sum())) for day in every],
        _most_first(by_channel),
        [(names[product_id], one) for product_id, one in _most_first(by_product)],
    )


def _lines(session: Session, since: dt.datetime, products: Collection[str]) -> list[tuple[Any, Sum]]:
    """Packs and money by day, channel and product.

    An outer join, and the products looked at afterwards: SQLite would begin with them or with the lines, and read every
    line there ever was.
    """
    day = _local_day(session)
    dong = func.sum(cast(OrderLine.quantity, BigInteger) * OrderLine.unit_price)
    rows = session.execute(
        select(day.label("day"), Order.channel, OrderLine.product_id, func.sum(OrderLine.quantity), dong)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.created_at >= since, Order.status != Status.CANCELLED)
        .group_by(day, Order.channel, OrderLine.product_id)
    )
    return [(row, Sum(0, int(row[3]), int(row[4]))) for row in rows if row.product_id in products]


def _orders(session: Session, actor: Actor, since: dt.datetime) -> list[tuple[Any, Sum]]:
    """Orders by day and channel: one of several lines counts once."""
    day = _local_day(session)
    rows = session.execute(
        select(day.label("day"), Order.channel, func.count())
        .where(Order.created_at >= since, Order.status != Status.CANCELLED, sold_by(actor))
        .group_by(day, Order.channel)
    )
    return [(row, Sum(int(row[2]))) for row in rows]


def _local_day(session: Session) -> ColumnElement[Any]:
    """The village's day on which an order was placed."""
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.timezone(clock.VN.key, Order.created_at), Date)
    # SQLite knows no zones; Việt Nam has kept to UTC+7 since 1975.
    return func.date(Order.created_at, "+7 hours")


def _names(session: Session, actor: Actor) -> dict[str, str]:
    """The cooperative's own products."""
    own = select(Product.id, Product.name_vi, Product.name_en).where(Product.cooperative_id == actor.cooperative_id)
    return {product_id: in_language(vi, en) for product_id, vi, en in session.execute(own)}


def _summed(rows: Iterable[tuple[K, Sum]]) -> dict[K, Sum]:
    found: dict[K, Sum] = {}
    for key, one in rows:
        found[key] = found.get(key, Sum()) + one
    return found


def _most_first(sums: dict[K, Sum]) -> list[tuple[K, Sum]]:
    return sorted(sums.items(), key=lambda pair: (-pair[1].dong, str(pair[0])))
