"""Orders. A line keeps the words and the price of its day; its allocations say from which lots it is filled."""

from enum import StrEnum
from typing import Literal

from sqlalchemy import BigInteger, CheckConstraint, Enum, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village import clock
from village.db import Base, Id, Moment
from village.i18n import in_language
from village.ids import uuid7
from village.people.models import Member

Channel = Literal["web", "api", "live"]
Payment = Literal["cod", "vietqr", "stripe"]
Delivery = Literal["hand", "ghn"]
QUANTITY_MAX = 99
LINES_MAX = 50


class Status(StrEnum):
    """How far an order has come."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    PICKED = "picked"
    PARTLY_DISPATCHED = "partly_dispatched"
    """Some of its packs have left, the others are still promised."""
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    """Where its money stands, whatever became of the packs."""

    DUE = "due"
    """To be paid on delivery."""
    AWAITING = "awaiting"
    """To be paid before it is sent."""
    PAID = "paid"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


NEW = (Status.PLACED, Status.CONFIRMED, Status.PICKED)
"""Orders of which nothing has left."""
OPEN = (*NEW, Status.PARTLY_DISPATCHED)
"""Orders that hold reserved packs."""
GONE = (Status.DISPATCHED, Status.DELIVERED)
"""Orders whose packs have all been sent."""


OTHER_STEPS = (
    "changed", "addressed", "reallocated", "paid", "part_paid", "refunded", "arrived", "returned", "lost",
    "rest_cancelled", "expired", "arranged",
)  # fmt: skip
"""What a timeline tells beside the statuses. `part_paid`: money came, and it is not all; `arrived`: a parcel of
several; `returned`: packs came back; `lost`: packs will not; `rest_cancelled`: what had not left is not sent any more;
`expired`: it was not paid in time, and is cancelled with the next step; `arranged`: the buyer of a livestream order
said how it is to be brought and paid."""


SEVERAL = text("cooperative_id IS NULL")
LIVE_GONE = text("status = 'cancelled' AND live_session_id IS NOT NULL")


class Order(Base):
    """One buyer's order. `token` is the buyer's key to its page; `number` is what people say on the telephone."""

    __tablename__ = "shop_order"
    __table_args__ = (
        CheckConstraint("total >= 0", name="total"),
        CheckConstraint("delivery_fee >= 0 AND delivery_fee <= total", name="delivery_fee"),
        CheckConstraint("paid >= 0 AND refunded >= 0 AND refunded <= paid", name="money"),
        Index("ix_shop_order_hold_until", "hold_until"),
        Index("ix_shop_order_status", "status", "id"),
        Index("ix_shop_order_payment_state", "payment_state", "id"),
        Index("ix_shop_order_channel", "channel", "id"),
        Index("ix_shop_order_created_at", "created_at"),
        Index("ix_shop_order_several", "id", sqlite_where=SEVERAL, postgresql_where=SEVERAL),
        Index("ix_shop_order_live", "live_session_id", "live_author"),
        Index("ix_shop_order_live_gone", "live_session_id", sqlite_where=LIVE_GONE, postgresql_where=LIVE_GONE),
        Index("ix_shop_order_buyer_email", "buyer_email"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(String(9), unique=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    cooperative_id: Mapped[Id | None] = mapped_column(ForeignKey("cooperative.id"))
    """Who sells it; None for an old order of several sellers, of which none are placed any more."""
    status: Mapped[Status] = mapped_column(
        Enum(Status, name="order_status", native_enum=False, values_callable=lambda e: [s.value for s in e]),
        default=Status.PLACED,
    )
    channel: Mapped[Channel] = mapped_column(Enum("web", "api", "live", name="order_channel", native_enum=False))
    payment: Mapped[Payment] = mapped_column(
        Enum("cod", "vietqr", "stripe", name="order_payment", native_enum=False), default="cod"
    )
    payment_state: Mapped[PaymentState] = mapped_column(
        Enum(
            PaymentState, name="order_payment_state", native_enum=False, length=16,
            values_callable=lambda e: [s.value for s in e],
        ),
        default=PaymentState.DUE,
    )  # fmt: skip
    total: Mapped[int] = mapped_column(BigInteger)
    """Đồng, with the delivery fee."""
    delivery_fee: Mapped[int] = mapped_column(default=0)
    """Đồng."""
    paid: Mapped[int] = mapped_column(BigInteger, default=0)
    """Đồng that came in for it, whatever went back later."""
    refunded: Mapped[int] = mapped_column(BigInteger, default=0)
    """Đồng that went back."""
    hold_until: Mapped[Moment | None]
    """Its packs go back to the shelf then, unless it was paid; None when nothing is awaited."""
    delivery: Mapped[Delivery] = mapped_column(
        Enum("hand", "ghn", name="order_delivery", native_enum=False), default="hand"
    )
    buyer_name: Mapped[str | None] = mapped_column(String(120))
    buyer_phone: Mapped[str | None] = mapped_column(String(16), index=True)
    """E.164. Name, phone and address may be unknown in a livestream order until its buyer gives them."""
    buyer_email: Mapped[str | None] = mapped_column(String(254))
    buyer_address: Mapped[str | None] = mapped_column(String(300))
    """House, street or hamlet; the whole address where ward and province are not known apart."""
    buyer_ward: Mapped[str | None] = mapped_column(String(80))
    buyer_province: Mapped[str | None] = mapped_column(String(40))
    """One of the 34 by its name since July 2025."""
    language: Mapped[str] = mapped_column(String(2), default="vi")
    """In which its buyer is written to."""
    note: Mapped[str] = mapped_column(String(500), default="")
    live_session_id: Mapped[Id | None]
    """The livestream that it was placed in (a plain id: that room stands above this one)."""
    live_author: Mapped[str | None] = mapped_column(String(120))
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    updated_at: Mapped[Moment] = mapped_column(default=clock.now)
    forgotten_at: Mapped[Moment | None]
    """When all that told who bought it went for good (`shop.rights.forgetting`)."""

    lines: Mapped[list["OrderLine"]] = relationship(
        cascade="all, delete-orphan", order_by="OrderLine.position", lazy="selectin"
    )
    steps: Mapped[list["OrderStep"]] = relationship(cascade="all, delete-orphan", order_by="OrderStep.position")

    @property
    def sendable(self) -> bool:
        """True when it is known to whom and where."""
        return bool(self.buyer_name and self.buyer_phone and self.buyer_address)

    @property
    def paid_ahead(self) -> bool:
        """True when it is paid before it is sent."""
        return self.payment != "cod"

    @property
    def settled(self) -> bool:
        """True when all of its money came, whatever went back later."""
        return self.payment_state in (PaymentState.PAID, PaymentState.PARTLY_REFUNDED)

    @property
    def owed(self) -> int:
        """Đồng that its buyer still has to pay."""
        return 0 if self.status is Status.CANCELLED else max(self.total - self.paid, 0)


class OrderLine(Base):
    """So many packs of one product at one price."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint(f"quantity BETWEEN 1 AND {QUANTITY_MAX}", name="quantity"),
        CheckConstraint("unit_price > 0", name="unit_price"),
        # Whether an order has a product is asked of every order on a list.
        Index("ix_order_line_order_id", "order_id", "product_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"))
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
    __table_args__ = (
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("sent >= 0 AND sent <= units", name="sent"),
        CheckConstraint("returned >= 0 AND returned <= sent", name="returned"),
        CheckConstraint("lost >= 0 AND lost <= returned", name="lost"),
    )

    order_line_id: Mapped[Id] = mapped_column(ForeignKey("order_line.id", ondelete="CASCADE"), primary_key=True)
    # Towards stock and not towards the batch: the foreign key's lock then falls on a row that is held already.
    batch_id: Mapped[Id] = mapped_column(ForeignKey("stock_lot.batch_id"), primary_key=True, index=True)
    lot: Mapped[str] = mapped_column(String(20))
    units: Mapped[int]
    sent: Mapped[int] = mapped_column(default=0)
    """Of these, packs that left: the others are reserved while the order is open."""
    returned: Mapped[int] = mapped_column(default=0)
    """Of what left, packs that are no longer with the buyer: they came back, or were lost on the way."""
    lost: Mapped[int] = mapped_column(default=0)
    """Of these, packs that nobody can sell again."""

    @property
    def waiting(self) -> int:
        """Packs that have not left."""
        return self.units - self.sent

    @property
    def gone(self) -> int:
        """Packs that left and did not come back."""
        return self.sent - self.returned


class OrderStep(Base):
    """One thing that happened to an order: what, when, by whom. Rows are only added."""

    __tablename__ = "order_step"
    __table_args__ = (Index("ix_order_step_recorded_at", "recorded_at"),)

    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(20))
    """A status that was reached, or one of `OTHER_STEPS`."""
    at: Mapped[Moment] = mapped_column(default=clock.now)
    """When it happened."""
    recorded_at: Mapped[Moment] = mapped_column(default=clock.now)
    """When it was written down: money and parcels are heard of later than they come."""
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """None when the buyer did it, or the shop by itself."""
    note: Mapped[str] = mapped_column(String(300), default="")

    member: Mapped[Member | None] = relationship()
