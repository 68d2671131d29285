"""Slips: what goes into a parcel, on one printed page, with a code to each lot's scan page."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from shop.delivery.goods import Goods, goods_of
from shop.delivery.models import Shipment
from shop.delivery.shipping import cod_of
from shop.orders import steps
from shop.orders.errors import no_order
from shop.orders.models import Order
from village.db import db
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role

MOST = 50
"""Slips printed at once."""


@dataclass(frozen=True)
class SlipRow:
    """Packs of one lot."""

    goods: Goods
    units: int


@dataclass(frozen=True)
class Slip:
    """One parcel's slip: one that is to be packed, or (`number`) one that was sent."""

    order: Order
    rows: tuple[SlipRow, ...]
    cod_amount: int
    """Đồng to be collected at the door."""
    number: int | None = None
    tracking: str = ""


def slips(actor: Actor, order_ids: Sequence[str]) -> list[Slip]:
    """The slips of these orders, in the order asked for: of what waits, or of each parcel when all has left.

    BadInput for none or too many; NotFound when one is not the actor's cooperative's.
    """
    if not actor.has(*steps.WORKERS):
        raise wrong_role()
    ids = list(dict.fromkeys(order_ids))
    if not 0 < len(ids) <= MOST:
        raise BadInput("how-many-slips", _l("Mỗi lần in từ 1 đến %(max)s phiếu."), field="order", max=MOST)
    session = db.session()
    found = {order.id: order for order in session.scalars(select(Order).where(Order.id.in_(ids), steps.sold_by(actor)))}
    if len(found) != len(ids):
        raise no_order()
    sent: dict[str, list[Shipment]] = {}
    query = select(Shipment).where(Shipment.order_id.in_(ids)).options(selectinload(Shipment.parts))
    for shipment in session.scalars(query.order_by(Shipment.number)):
        sent.setdefault(shipment.order_id, []).append(shipment)
    lots = {part.batch_id for order in found.values() for line in order.lines for part in line.allocations}
    goods = goods_of(session, lots)
    return [slip for key in ids for slip in _of(session, found[key], sent.get(key, []), goods)]


def _of(session: Session, order: Order, sent: Sequence[Shipment], goods: dict[str, Goods]) -> list[Slip]:
    waiting = tuple(
        (line.id, part.batch_id, part.waiting) for line in order.lines for part in line.allocations if part.waiting
    )
    if waiting or not sent:
        rows = _rows([(batch_id, units) for _, batch_id, units in waiting], goods)
        return [Slip(order, rows, cod_of(session, order, waiting) if waiting else 0)]
    return [
        Slip(
            order, _rows([(part.batch_id, part.units) for part in one.parts], goods), one.cod_amount, one.number,
            one.tracking or "",
        )
        for one in sent
    ]  # fmt: skip


def _rows(parts: Sequence[tuple[str, int]], goods: dict[str, Goods]) -> tuple[SlipRow, ...]:
    units: dict[str, int] = {}
    for batch_id, count in parts:
        units[batch_id] = units.get(batch_id, 0) + count
    rows = (SlipRow(goods[batch_id], count) for batch_id, count in units.items())
    return tuple(sorted(rows, key=lambda row: (row.goods.name_vi, row.goods.lot)))
