"""Orders. A line keeps the words and the price of its day; its allocations say from which lots it is filled."""

from enum import StrEnum
from typing import Literal

from sqlalchemy import BigInteger, CheckConstraint, Enum, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village import clock
from village.db import Base, Id, Moment
from village.i18n import in_language
from village.ids import uuid7
from village.people.models import Member

Channel = Literal["web", "api", "live"]
Payment = Literal["cod"]
QUANTITY_MAX = 99
LINES_MAX = 50


class Status(StrEnum):
    """How far an order has come."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    PICKED = "picked"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


OPEN = (Status.PLACED, Status.CONFIRMED, Status.PICKED)
"""Orders that hold reserved packs."""
GONE = (Status.DISPATCHED, Status.DELIVERED)
"""Orders whose packs are sold."""


class Order(Base):
    """One buyer's order. `token` is the buyer's key to its page; `number` is what people say on the telephone."""

    __tablename__ = "shop_order"
    __table_args__ = (
        CheckConstraint("total >= 0", name="total"),
        Index("ix_shop_order_status", "status", "id"),
        Index("ix_shop_order_live", "live_session_id", "live_author"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(String(9), unique=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    status: Mapped[Status] = mapped_column(
        Enum(Status, name="order_status", native_enum=False, values_callable=lambda e: [s.value for s in e]),
        default=Status.PLACED,
    )
    channel: Mapped[Channel] = mapped_column(Enum("web", "api", "live", name="order_channel", native_enum=False))
    payment: Mapped[Payment] = mapped_column(Enum("cod", name="order_payment", native_enum=False), default="cod")
    total: Mapped[int] = mapped_column(BigInteger)
    """Đồng."""
    buyer_name: Mapped[str | None] = mapped_column(String(120))
    buyer_phone: Mapped[str | None] = mapped_column(String(16), index=True)
    """E.164. Name, phone and address may be unknown in a livestream order until its buyer gives them."""
    buyer_address: Mapped[str | None] = mapped_column(String(300))
    note: Mapped[str] = mapped_column(String(500), default="")
    live_session_id: Mapped[Id | None]
    """The livestream that it was placed in (a plain id: that room stands above this one)."""
    live_author: Mapped[str | None] = mapped_column(String(120))
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    updated_at: Mapped[Moment] = mapped_column(default=clock.now)

    lines: Mapped[list["OrderLine"]] = relationship(
        cascade="all, delete-orphan", order_by="OrderLine.position", lazy="selectin"
    )
    steps: Mapped[list["OrderStep"]] = relationship(cascade="all, delete-orphan", order_by="OrderStep.position")

    @property
    def sendable(self) -> bool:
        """True when it is known to whom and where."""
        return bool(self.buyer_name and self.buyer_phone and self.buyer_address)


class OrderLine(Base):
    """So many packs of one product at one price."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint(f"quantity BETWEEN 1 AND {QUANTITY_MAX}", name="quantity"),
        CheckConstraint("unit_price > 0", name="unit_price"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"), index=True)
    gtin: Mapped[str] = mapped_column(String(14))
    name_vi: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    picture: Mapped[str] = mapped_column(String(40))
    unit_price: Mapped[int]
    quantity: Mapped[int]

    allocations: Mapped[list["Allocation"]] = relationship(
        cascade="all, delete-orphan", order_by="Allocation.lot", lazy="selectin"
    )

    @property
    def name(self) -> str:
        """What the product was called, in the reader's language."""
        return in_language(self.name_vi, self.name_en)

    @property
    def amount(self) -> int:
        """Đồng for the whole line."""
        return self.unit_price * self.quantity


class Allocation(Base):
    """Packs of one lot that fill a line. Rows go when the order is cancelled."""

    __tablename__ = "order_allocation"
    __table_args__ = (CheckConstraint("units > 0", name="units"),)

    order_line_id: Mapped[Id] = mapped_column(ForeignKey("order_line.id", ondelete="CASCADE"), primary_key=True)
    # Towards stock and not towards the batch: the foreign key's lock then falls on a row that is held already.
    batch_id: Mapped[Id] = mapped_column(ForeignKey("stock_lot.batch_id"), primary_key=True, index=True)
    lot: Mapped[str] = mapped_column(String(20))
    units: Mapped[int]


class OrderStep(Base):
    """One thing that happened to an order: what, when, by whom. Rows are only added."""

    __tablename__ = "order_step"

    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(20))
    """A status that was reached, or `changed`, `reallocated`, `addressed`."""
    at: Mapped[Moment] = mapped_column(default=clock.now)
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """None when the buyer did it, or the shop by itself."""
    note: Mapped[str] = mapped_column(String(300), default="")

    member: Mapped[Member | None] = relationship()
