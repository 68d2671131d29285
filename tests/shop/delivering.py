"""Hands for tests of delivery: a carrier that is set up, an order that stands ready for it, looks at what became."""

from collections.abc import Sequence
from dataclasses import replace

from flask import Flask
from sqlalchemy import select

from shop.delivery import shipping
from shop.delivery.models import AskedParcel, Shipment
from shop.delivery.shipping import Part, Wish
from shop.orders import services, steps
from shop.orders.models import Order
from shop.orders.services import Buyer
from tests.support.ghn_fake import SHOP, TOKEN, GhnFake
from tests.support.village import Village
from village.db import db
from village.ids import uuid7

HOOK = "cua-sau-rat-kho-doan-0123456789"
FAR = Buyer("Nguyễn Thị Thử", "+84912345678", "Số 1 phố Thử", ward="Phường Thử", province="Hà Nội")


def set_up(app: Flask, fake: GhnFake) -> None:
    """The village has an account with the carrier."""
    app.extensions["soi"] = replace(
        app.extensions["soi"], ghn_url=fake.url, ghn_token=TOKEN, ghn_shop=SHOP, ghn_hook=HOOK
    )


def ready(village: Village, units: int, *, fee: int = 30_000, buyer: Buyer = FAR) -> str:
    """An order for so many packs by the carrier, picked; its id."""
    placed = services.place(
        None, [(village.product("packs", 500).gtin, units)], buyer, channel="web", idempotency_key=uuid7(),
        delivery="ghn", delivery_fee=fee,
    )  # fmt: skip
    db.session.rollback()
    order_id = db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()
    steps.confirm(village.actor("seller"), order_id)
    steps.pick(village.actor("seller"), order_id)
    return order_id


def wish(village: Village, order_id: str, units: int | None = None, *, carrier: str = "ghn", key: str = "") -> Wish:
    """A parcel with all that waits, or with `units` packs of it."""
    found = shipping.ready(village.actor("seller"), order_id)
    parts: Sequence[Part] = [(row.line_id, row.batch_id, row.units) for row in found.rows]
    if units is not None:
        parts = [(parts[0][0], parts[0][1], units)]
    grams = shipping.grams_of(found.rows, tuple(parts))
    return Wish(key or uuid7(), "ghn" if carrier == "ghn" else "hand", tuple(parts), grams)


def sent(village: Village, order_id: str, units: int | None = None, *, carrier: str = "ghn", by: str = "seller") -> str:
    """Such a parcel leaves; its id."""
    return shipping.send(village.actor(by), order_id, wish(village, order_id, units, carrier=carrier))


def parcel(shipment_id: str) -> Shipment:
    """The parcel, read afresh."""
    db.session.rollback()
    return db.session.get_one(Shipment, shipment_id, populate_existing=True)


def code(shipment_id: str) -> str:
    """The carrier's number of it."""
    tracking = parcel(shipment_id).tracking
    assert tracking is not None
    return tracking


def said(shipment_id: str) -> list[str]:
    """What its story says."""
    return [step.state.value for step in parcel(shipment_id).steps]


def asked() -> list[str]:
    """Parcels that the carrier was asked for and that have neither left nor been called off."""
    db.session.rollback()
    return list(db.session.scalars(select(AskedParcel.shipment_id).where(AskedParcel.closed_at.is_(None))))
