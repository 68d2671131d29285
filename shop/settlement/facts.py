"""What the orders say: which have come further since they were last told, their packs and their money."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import CompoundSelect, Row, Select, Subquery, func, or_, select, union
from sqlalchemy.orm import Session

from shop.catalogue.combos import parts_of
from shop.delivery.models import DeliveryState, Shipment
from shop.orders.models import GONE, Allocation, Order, OrderLine, OrderStep, PaymentState, Status
from shop.orders.selling import sold_by_cooperative
from shop.settlement.models import SettlementOrder
from shop.settlement.sharing import Money, Packs, line_values, split
from trace.lots.models import Batch
from village.clock import VN
from village.db import in_parts
from village.products.models import Product, ProductPrice


class Seen(NamedTuple):
    """How far an order has come; a change of any of these may change who has what."""

    paid: int
    refunded: int
    carrier: int
    sent: int
    returned: int

    def since(self, before: "Seen") -> "Seen":
        """The difference."""
        return Seen(*(now - then for now, then in zip(self, before, strict=True)))


UNSEEN = Seen(0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Facts:
    """One order, as far as it is one cooperative's."""

    order_id: str
    placed_on: dt.date
    packs: Mapping[str, Packs]
    """By batch id."""
    household: Mapping[str, str]
    """Whose each of these batches is."""
    money: Money
    seen: Seen

    @property
    def awaits_money(self) -> bool:
        """True while its buyer has packs that nothing was paid for yet."""
        return self.seen.paid == 0 and any(one.kept for one in self.packs.values())


def touched(session: Session, cooperative_id: str, before: dt.datetime, since: dt.datetime | None) -> list[str]:
    """Orders of a cooperative, placed before a moment, whose timeline has a row that was written after `since` (None:
    all), or of which a parcel's row changed then.

    Whatever moves an order's money or packs is told there, so what has to be looked at grows with what happened lately
    and not with all that was ever sold.
    """
    found = _touched(since).subquery("touched")
    wanted = select(Order.id).join(found, found.c.id == Order.id).where(Order.created_at < before)
    return list(session.scalars(wanted.where(sold_by_cooperative(cooperative_id)).order_by(Order.id)))


def changed(session: Session, cooperative_id: str, order_ids: Sequence[str]) -> list[str]:
    """Of these orders, those of which something has changed since they were last told."""
    found: list[str] = []
    for ids in in_parts(order_ids):
        told, moved, fees = _told(cooperative_id, ids), _moved(ids), _fees(ids)
        pairs = (
            (Order.paid, told.c.paid), (Order.refunded, told.c.refunded), (fees.c.fee, told.c.carrier),
            (moved.c.sent, told.c.sent), (moved.c.returned, told.c.returned),
        )  # fmt: skip
        found += session.scalars(
            select(Order.id)
            .outerjoin(told, told.c.order_id == Order.id)
            .outerjoin(moved, moved.c.order_id == Order.id)
            .outerjoin(fees, fees.c.order_id == Order.id)
            .where(Order.id.in_(ids), or_(*(func.coalesce(now, 0) != func.coalesce(then, 0) for now, then in pairs)))
            .order_by(Order.id)
        )
    return found


def awaited(session: Session, cooperative_id: str, before: dt.datetime) -> int:
    """Orders placed before a moment that were sent, and whose money has not come."""
    unpaid = select(func.count()).select_from(Order).where(
        Order.payment_state == PaymentState.DUE, Order.paid == 0,
        Order.status.in_((Status.PARTLY_DISPATCHED, *GONE)), Order.created_at < before,
        sold_by_cooperative(cooperative_id),
    )  # fmt: skip
    return session.scalars(unpaid).one()


def read(session: Session, cooperative_id: str, order_ids: Sequence[str], *, hold: bool) -> Iterator[Facts]:
    """The orders; with `hold` nobody else changes them before the transaction ends."""
    for ids in in_parts(order_ids):
        if hold:
            session.execute(select(Order.id).where(Order.id.in_(ids)).order_by(Order.id).with_for_update())
        yield from _read(session, cooperative_id, ids)


def first_day(session: Session, cooperative_id: str) -> dt.date | None:
    """When its first order was placed."""
    found = session.scalar(select(func.min(Order.created_at)).where(sold_by_cooperative(cooperative_id)))
    return found.astimezone(VN).date() if found else None


def _touched(since: dt.datetime | None) -> Select[str] | CompoundSelect[str]:
    if since is None:
        return select(Order.id)
    parcels = select(Shipment.order_id.label("id")).where(Shipment.updated_at >= since)
    return union(select(OrderStep.order_id.label("id")).where(OrderStep.recorded_at >= since), parcels)


def _told(cooperative_id: str, ids: Sequence[str]) -> Subquery:
    it = SettlementOrder
    sums = (func.sum(getattr(it, f"seen_{name}")).label(name) for name in Seen._fields)
    told = select(it.order_id, *sums).where(it.cooperative_id == cooperative_id, it.order_id.in_(ids))
    return told.group_by(it.order_id).subquery("told")


def _moved(ids: Sequence[str]) -> Subquery:
    sums = (func.sum(Allocation.sent).label("sent"), func.sum(Allocation.returned).label("returned"))
    packs = select(OrderLine.order_id, *sums).join(Allocation, Allocation.order_line_id == OrderLine.id)
    return packs.where(OrderLine.order_id.in_(ids)).group_by(OrderLine.order_id).subquery("moved")


def _fees(ids: Sequence[str]) -> Subquery:
    fees = select(Shipment.order_id, func.sum(Shipment.fee).label("fee"))
    counted = fees.where(Shipment.state != DeliveryState.CANCELLED, Shipment.order_id.in_(ids))
    return counted.group_by(Shipment.order_id).subquery("fees")


def _read(session: Session, cooperative_id: str, ids: Sequence[str]) -> Iterator[Facts]:
    orders = session.execute(
        select(Order.id, Order.created_at, Order.paid, Order.refunded, Order.delivery_fee, Order.payment)
        .where(Order.id.in_(ids)).order_by(Order.id)
    ).all()  # fmt: skip
    fees = _fees(ids)
    asked: dict[str, int] = {
        order_id: int(fee) for order_id, fee in session.execute(select(fees.c.order_id, fees.c.fee))
    }
    lines: dict[str, list[Row[str, str, str, int, int, str]]] = {}
    for line in session.execute(
        select(OrderLine.order_id, OrderLine.id, OrderLine.product_id, OrderLine.unit_price, OrderLine.quantity,
               func.coalesce(Order.cooperative_id, Product.cooperative_id).label("cooperative_id"))
        .join(Product, Product.id == OrderLine.product_id).join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.order_id.in_(ids)).order_by(OrderLine.position)
    ):  # fmt: skip
        lines.setdefault(line.order_id, []).append(line)
    filled: dict[str, list[Row[str, str, int, int, str, str]]] = {}
    for part in session.execute(
        select(Allocation.order_line_id, Allocation.batch_id, Allocation.sent, Allocation.returned,
               Batch.household_id, Batch.product_id)
        .join(OrderLine, OrderLine.id == Allocation.order_line_id).join(Batch, Batch.id == Allocation.batch_id)
        .where(OrderLine.order_id.in_(ids)).order_by(Allocation.batch_id)
    ):  # fmt: skip
        filled.setdefault(part.order_line_id, []).append(part)
    worth = Worth(session, [line.product_id for found in lines.values() for line in found])
    for order in orders:
        own = lines.get(order.id, [])
        parts = [part for line in own for part in filled.get(line.id, ())]
        seen = Seen(order.paid, order.refunded, asked.get(order.id, 0), sum(part.sent for part in parts),
                    sum(part.returned for part in parts))  # fmt: skip
        packs: dict[str, Packs] = {}
        household: dict[str, str] = {}
        for line in own:
            if line.cooperative_id != cooperative_id:
                continue
            held = filled.get(line.id, [])
            weights, whole = worth.of(line.product_id, order.created_at, [part.product_id for part in held])
            amount = line.unit_price * line.quantity
            sent = line_values(amount, weights, [part.sent for part in held], whole * line.quantity)
            kept = line_values(amount, weights, [part.sent - part.returned for part in held], whole * line.quantity)
            for at, part in enumerate(held):
                one = packs.get(part.batch_id, Packs(0, 0, 0, 0))
                packs[part.batch_id] = Packs(
                    one.sent + part.sent, one.kept + part.sent - part.returned,
                    one.sent_value + sent[at], one.kept_value + kept[at],
                )  # fmt: skip
                household[part.batch_id] = part.household_id
        money = _money(cooperative_id, own, seen, order.delivery_fee, order.payment == "stripe")
        yield Facts(order.id, order.created_at.astimezone(VN).date(), packs, household, money, seen)


def _money(cooperative_id: str, lines: Sequence[Row[str, str, str, int, int, str]], seen: Seen, fee: int,
           by_card: bool) -> Money:  # fmt: skip
    """An order's money, or one cooperative's part in it by what it sells there."""
    goods: dict[str, int] = {}
    for line in lines:
        goods[line.cooperative_id] = goods.get(line.cooperative_id, 0) + line.unit_price * line.quantity
    if len(goods) == 1:
        return Money(seen.paid, seen.refunded, fee, seen.carrier, by_card)
    keys = sorted(goods)
    mine = keys.index(cooperative_id)
    paid, refunded, asked, carrier = (
        split(amount, [goods[key] for key in keys])[mine] for amount in (seen.paid, seen.refunded, fee, seen.carrier)
    )
    return Money(paid, refunded, asked, carrier, by_card)


class Worth:
    """What packs weigh within a line: all the same, or in a combo by what its parts cost when it was ordered."""

    def __init__(self, session: Session, product_ids: Sequence[str]) -> None:
        self._combos = parts_of(session, sorted(set(product_ids)))
        parts = sorted({part_id for found in self._combos.values() for part_id, _ in found})
        self._grams: dict[str, int] = {}
        self._prices: dict[str, list[tuple[dt.datetime, int | None]]] = {}
        if not parts:
            return
        for product_id, grams in session.execute(select(Product.id, Product.net_grams).where(Product.id.in_(parts))):
            self._grams[product_id] = grams or 1
        history = select(ProductPrice.product_id, ProductPrice.since, ProductPrice.price)
        for product_id, since, price in session.execute(
            history.where(ProductPrice.product_id.in_(parts)).order_by(ProductPrice.since, ProductPrice.id)
        ):
            self._prices.setdefault(product_id, []).append((since, price))

    def of(self, product_id: str, at: dt.datetime, packs: Sequence[str]) -> tuple[list[int], int]:
        """What a pack of each of these products weighs in a line of `product_id`, and what the line weighs for each
        that was ordered."""
        parts = self._combos.get(product_id)
        if parts is None:
            return [1] * len(packs), 1
        prices = {part_id: self._price(part_id, at) for part_id, _ in parts}
        # Where one of them was never sold alone, weight is what they have in common.
        weigh = {key: price or 0 for key, price in prices.items()} if all(prices.values()) else self._grams
        return [weigh.get(one, 0) for one in packs], sum(weigh[part_id] * units for part_id, units in parts)

    def _price(self, product_id: str, at: dt.datetime) -> int | None:
        """What it cost then; for an order that is older than the list, the first price in it."""
        history = self._prices.get(product_id, [])
        then = [price for since, price in history if since <= at] or [price for _, price in history[:1]]
        return then[-1] if then else None
