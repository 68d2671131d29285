"""How parcels are told to people: on the buyer's page, the seller's order and the seller's desk."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from shop.delivery.goods import Goods, goods_of
from shop.delivery.models import DeliveryState, Shipment
from shop.orders.models import Delivery, Order
from village.db import db
from village.i18n import gettext as _
from village.i18n import moment

TRACK = "https://donhang.ghn.vn/?order_code="
"""Where the carrier shows a parcel to whoever has its number."""
BADGES = {
    DeliveryState.DELIVERED: "done",
    DeliveryState.FAIL_ATTEMPT: "doubt",
    DeliveryState.RETURNING: "doubt",
    DeliveryState.RETURNED: "corrected",
    DeliveryState.LOST_DAMAGED: "cut",
    DeliveryState.CANCELLED: "cut",
}
PATHS: dict[Delivery, tuple[DeliveryState, ...]] = {
    "hand": (DeliveryState.CREATED, DeliveryState.DELIVERED),
    "ghn": (DeliveryState.CREATED, DeliveryState.PICKED, DeliveryState.DELIVERING, DeliveryState.DELIVERED),
}
"""What a parcel that meets no trouble goes through, as far as its buyer cares."""


@dataclass(frozen=True)
class Packs:
    """So many packs of one lot in a parcel."""

    name: str
    lot: str
    units: int
    scan_path: str


@dataclass(frozen=True)
class Parcel:
    """One parcel as pages show it."""

    id: str
    number: int
    carrier: str
    state: DeliveryState
    words: str
    badge: str
    tracking: str
    """The carrier's number; empty without one."""
    tracking_url: str
    cod_amount: int
    """Đồng to be paid at the door."""
    cod_collected: int
    """Đồng that were paid there."""
    packs: tuple[Packs, ...]
    steps: tuple[tuple[str, str, str], ...]
    """For the timeline: (`done` | `now` | `later`, words, when)."""


def carrier_name(carrier: Delivery) -> str:
    """Who brings it."""
    return {"hand": _("Người bán giao"), "ghn": _("Giao Hàng Nhanh")}[carrier]


def state_words(state: DeliveryState, carrier: Delivery = "ghn") -> str:
    """How far it came, in words. What a seller carries herself is on its way as soon as it is packed."""
    if carrier == "hand" and state is DeliveryState.CREATED:
        return _("Người bán đang mang đi")
    return {
        DeliveryState.CREATED: _("Đã gói, chờ đi"),
        DeliveryState.PICKING: _("Bưu tá đang tới lấy"),
        DeliveryState.PICKED: _("Đã rời tay người bán"),
        DeliveryState.TRANSIT: _("Đang trên đường"),
        DeliveryState.DELIVERING: _("Đang mang tới nhà"),
        DeliveryState.DELIVERED: _("Đã tới tay người nhận"),
        DeliveryState.FAIL_ATTEMPT: _("Tới mà chưa gặp, sẽ quay lại"),
        DeliveryState.RETURNING: _("Đang quay về người bán"),
        DeliveryState.RETURNED: _("Đã về lại người bán"),
        DeliveryState.LOST_DAMAGED: _("Thất lạc hoặc hỏng trên đường"),
        DeliveryState.CANCELLED: _("Không gửi nữa"),
    }[state]


def parcels(order: Order) -> tuple[Parcel, ...]:
    """The parcels of an order, first to last, in a fixed number of statements."""
    rows = db.session.scalars(
        select(Shipment)
        .where(Shipment.order_id == order.id)
        .options(selectinload(Shipment.steps))
        .order_by(Shipment.number)
    ).all()
    goods = goods_of(db.session(), {part.batch_id for row in rows for part in row.parts})
    return tuple(parcel(row, goods) for row in rows)


def parcel(row: Shipment, goods: Mapping[str, Goods]) -> Parcel:
    """One parcel with its packs and its story; `goods` are those of its lots."""
    return Parcel(
        id=row.id, number=row.number, carrier=carrier_name(row.carrier), state=row.state,
        words=state_words(row.state, row.carrier), badge=BADGES.get(row.state, "info"),
        tracking=row.tracking or "", tracking_url=f"{TRACK}{row.tracking}" if row.tracking else "",
        cod_amount=row.cod_amount, cod_collected=row.cod_collected,
        packs=tuple(
            Packs(goods[part.batch_id].name, part.lot, part.units, goods[part.batch_id].link.path)
            for part in sorted(row.parts, key=lambda part: part.lot)
        ),
        steps=story(row),
    )  # fmt: skip


def story(row: Shipment) -> tuple[tuple[str, str, str], ...]:
    """What happened, and for a parcel that is on its way what comes."""
    told = [
        ("done", state_words(step.state, row.carrier) + (f": {step.note}" if step.note else ""), moment(step.at))
        for step in row.steps
    ]
    path = PATHS[row.carrier]
    if row.state in path:
        coming = [("later", state_words(one), "") for one in path[path.index(row.state) + 1 :]]
        told += [("now", *coming[0][1:]), *coming[1:]] if coming else []
    return tuple(told)
