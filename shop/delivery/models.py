"""Shipments: which packs of an order went together, by whom, and how far they came."""

from typing import Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.delivery.states import DeliveryState as DeliveryState
from shop.orders.models import Delivery, Order
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member

Source = Literal["seller", "carrier", "buyer", "shop"]


def _states(name: str) -> Enum:
    return Enum(DeliveryState, name=name, native_enum=False, length=16, values_callable=lambda e: [s.value for s in e])


class Shipment(Base):
    """One parcel of one order."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        UniqueConstraint("carrier", "tracking"),
        CheckConstraint("cod_amount >= 0", name="cod_amount"),
        CheckConstraint("cod_collected >= 0", name="cod_collected"),
        CheckConstraint("fee >= 0", name="fee"),
        Index("ix_shipment_updated_at", "updated_at"),
        Index("ix_shipment_checked_at", "carrier", "state", "checked_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    """Also the carrier's client code: asked twice, it makes one parcel."""
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    """1, 2 … within its order."""
    carrier: Mapped[Delivery] = mapped_column(Enum("hand", "ghn", name="shipment_carrier", native_enum=False))
    state: Mapped[DeliveryState] = mapped_column(_states("delivery_state"), default=DeliveryState.CREATED, index=True)
    tracking: Mapped[str | None] = mapped_column(String(40))
    """The carrier's number; None until it gave one, and by hand."""
    fee: Mapped[int] = mapped_column(default=0)
    """Đồng that the carrier asks of us."""
    cod_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    """Đồng to be collected from the buyer."""
    cod_collected: Mapped[int] = mapped_column(BigInteger, default=0)
    """Đồng that were collected, as whoever handed it over says."""
    cod_sent_at: Mapped[Moment | None]
    """When the carrier says that it sent that money on: its word, not yet our money."""
    cod_settled_at: Mapped[Moment | None]
    """When that money was with the cooperative."""
    cod_reference: Mapped[str] = mapped_column(String(60), default="", server_default="")
    """The statement on which it came."""
    event_id: Mapped[Id | None]
    """The event on the ledger with which it left."""
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    updated_at: Mapped[Moment] = mapped_column(default=clock.now, onupdate=clock.now)
    """When anything of it changed last."""
    dispatched_at: Mapped[Moment | None]
    delivered_at: Mapped[Moment | None] = mapped_column(index=True)
    taken_back_at: Mapped[Moment | None]
    """When somebody looked at what came back (or wrote off what did not)."""
    checked_at: Mapped[Moment | None]
    """When the carrier was last asked about it."""

    order: Mapped[Order] = relationship()
    parts: Mapped[list["ShipmentPart"]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    steps: Mapped[list["ShipmentStep"]] = relationship(cascade="all, delete-orphan", order_by="ShipmentStep.position")


class ShipmentPart(Base):
    """So many packs of one lot in a parcel, for one line of its order."""

    __tablename__ = "shipment_part"
    __table_args__ = (
        CheckConstraint("units > 0", name="units"),
        ForeignKeyConstraint(
            ["order_line_id", "batch_id"], ["order_allocation.order_line_id", "order_allocation.batch_id"],
            ondelete="CASCADE",
        ),
    )  # fmt: skip

    shipment_id: Mapped[Id] = mapped_column(ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True)
    order_line_id: Mapped[Id] = mapped_column(primary_key=True)
    batch_id: Mapped[Id] = mapped_column(primary_key=True, index=True)
    lot: Mapped[str] = mapped_column(String(20))
    units: Mapped[int]


class ShipmentStep(Base):
    """One thing that was said of a parcel. Rows are only added."""

    __tablename__ = "shipment_step"

    shipment_id: Mapped[Id] = mapped_column(ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[DeliveryState] = mapped_column(_states("shipment_step_state"))
    at: Mapped[Moment] = mapped_column(default=clock.now)
    source: Mapped[Source] = mapped_column(
        Enum("seller", "carrier", "buyer", "shop", name="shipment_step_source", native_enum=False)
    )
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    note: Mapped[str] = mapped_column(String(300), default="")
    """In the carrier's or the seller's words; nothing personal."""

    member: Mapped[Member | None] = relationship()


class AskedParcel(Base):
    """A parcel that the carrier was asked to make and that has not left yet.

    Written before the carrier is asked, gone with the transaction in which the packs leave. What stays behind after a
    crash is called off at the carrier by its client code, which is this id. Asked again for a code that was called off,
    the carrier would name the dead parcel: so such a row stays.
    """

    __tablename__ = "asked_parcel"

    shipment_id: Mapped[Id] = mapped_column(primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    asked_at: Mapped[Moment] = mapped_column(default=clock.now, index=True)
    dropped: Mapped[bool] = mapped_column(default=False)
    """True once it is being called off: it may leave no more, and its client code is spent."""
    closed_at: Mapped[Moment | None]
    """When the carrier knew of that."""


class DeliveryFees(Base):
    """What a cooperative asks its buyers for delivery, in đồng (see `shop.delivery.fees`)."""

    __tablename__ = "delivery_fees"
    __table_args__ = (
        CheckConstraint("commune >= 0 AND near >= 0 AND (far IS NULL OR far >= 0)", name="by_hand"),
        CheckConstraint(
            "(carrier_near IS NULL) = (carrier_far IS NULL) AND (carrier_near IS NULL OR carrier_near >= 0)"
            " AND (carrier_far IS NULL OR carrier_far >= 0) AND carrier_more >= 0",
            name="by_carrier",
        ),
    )

    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), primary_key=True)
    ward: Mapped[str] = mapped_column(String(80), default="")
    province: Mapped[str] = mapped_column(String(40), default="")
    commune: Mapped[int] = mapped_column(default=0)
    near: Mapped[int] = mapped_column(default=0)
    far: Mapped[int | None]
    carrier_near: Mapped[int | None]
    carrier_far: Mapped[int | None]
    carrier_more: Mapped[int] = mapped_column(default=0)
