"""Payments, refunds, what providers said, and what a person has to decide."""

from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.orders.models import Order
from shop.orders.models import Payment as Method
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member

Provider = Literal["sepay", "payos", "stripe", "ghn", "tiktok"]
"""Who may post to /hooks/<provider>."""


class Standing(StrEnum):
    """How far a payment or a refund came."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


class Notice(StrEnum):
    """What became of something that a provider posted."""

    WAITING = "waiting"
    DONE = "done"
    IGNORED = "ignored"
    """True, and nothing to do for us."""
    PUZZLING = "puzzling"
    """A person has to look: it stands on the exceptions desk."""


class Puzzle(StrEnum):
    """Why money did not find its order by itself."""

    UNMATCHED = "unmatched"
    UNDER = "under"
    OVER = "over"
    DOUBLE = "double"
    LATE = "late"
    """The order had given its packs back by then."""
    CANCELLED = "cancelled"
    """The order was called off."""
    CURRENCY = "currency"
    MISSING = "missing"
    """The provider has it, and no notice came: found by reconciliation."""
    UNKNOWN = "unknown"
    """We have it, and the provider does not."""
    DISPUTE = "dispute"
    """A buyer had the bank of her card ask for it back."""


def _words(kind: type[StrEnum], name: str) -> Enum:
    return Enum(kind, name=name, native_enum=False, length=16, values_callable=lambda e: [s.value for s in e])


class Payment(Base):
    """One try to be paid for an order: a transfer with a memo, a card session, or cash at the door."""

    __tablename__ = "shop_payment"
    __table_args__ = (
        UniqueConstraint("method", "reference"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("received >= 0", name="received"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id"), index=True)
    attempt: Mapped[int]
    """1, 2 … within its order."""
    method: Mapped[Method] = mapped_column(Enum("cod", "vietqr", "stripe", name="payment_method", native_enum=False))
    amount: Mapped[int] = mapped_column(BigInteger)
    """Đồng that are asked for."""
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    """Đồng that came."""
    state: Mapped[Standing] = mapped_column(_words(Standing, "payment_state"), default=Standing.PENDING)
    memo: Mapped[str | None] = mapped_column(String(24), unique=True)
    """What a transfer has to carry, without blanks."""
    reference: Mapped[str | None] = mapped_column(String(255))
    """The provider's id of it (a Checkout Session, a bank's reference)."""
    intent: Mapped[str | None] = mapped_column(String(255), index=True)
    """Stripe's PaymentIntent, which refunds name."""
    over_at: Mapped[Moment | None]
    """When Stripe said that nobody can pay its session any more; None where that is not known."""
    expires_at: Mapped[Moment | None]
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    settled_at: Mapped[Moment | None] = mapped_column(index=True)
    """When it succeeded, failed or ran out."""

    order: Mapped[Order] = relationship()


class Refund(Base):
    """Money that goes back for an order, wholly or in part."""

    __tablename__ = "shop_refund"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        UniqueConstraint("method", "reference"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    """Also the provider's idempotency key, and the form's: pressed twice, it is one refund."""
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id"), index=True)
    payment_id: Mapped[Id | None] = mapped_column(ForeignKey("shop_payment.id"))
    method: Mapped[Method] = mapped_column(Enum("cod", "vietqr", "stripe", name="refund_method", native_enum=False))
    """How it goes back: a transfer or cash by hand, or the card."""
    amount: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[Standing] = mapped_column(_words(Standing, "refund_state"), default=Standing.PENDING)
    reason: Mapped[str] = mapped_column(String(300), default="")
    reference: Mapped[str | None] = mapped_column(String(255))
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """Who decided it; None for the shop itself (money after the end)."""
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    settled_at: Mapped[Moment | None]

    order: Mapped[Order] = relationship()
    member: Mapped[Member | None] = relationship()


class WebhookEvent(Base):
    """What a provider posted, byte for byte, and what became of it. `body` is erased when its time is over."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        Index("ix_webhook_event_state", "state", "id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    provider: Mapped[Provider] = mapped_column(
        Enum("sepay", "payos", "stripe", "ghn", "tiktok", name="webhook_provider", native_enum=False)
    )
    event_id: Mapped[str] = mapped_column(String(255))
    """The provider's own id of it; what comes again is the same row."""
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the body, hex."""
    headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The few that its signature needs."""
    kind: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[Notice] = mapped_column(_words(Notice, "webhook_state"), default=Notice.WAITING)
    times: Mapped[int] = mapped_column(default=1)
    """How often it came."""
    tries: Mapped[int] = mapped_column(default=0)
    """How often handling it failed."""
    next_at: Mapped[Moment] = mapped_column(default=clock.now)
    """Not handled by a job before."""
    order_id: Mapped[Id | None] = mapped_column(ForeignKey("shop_order.id"), index=True)
    said: Mapped[str] = mapped_column(String(300), default="")
    """What came of it, in one line for the desk."""
    received_at: Mapped[Moment] = mapped_column(default=clock.now)
    done_at: Mapped[Moment | None]


class PaymentPuzzle(Base):
    """Money that a person has to decide about. Nothing is matched by guess."""

    __tablename__ = "payment_puzzle"
    __table_args__ = (Index("ix_payment_puzzle_open", "cooperative_id", "resolved_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id | None] = mapped_column(ForeignKey("cooperative.id"))
    """Whose account it came to; None when that cannot be told."""
    webhook_id: Mapped[Id | None] = mapped_column(ForeignKey("webhook_event.id"), index=True)
    order_id: Mapped[Id | None] = mapped_column(ForeignKey("shop_order.id"), index=True)
    payment_id: Mapped[Id | None] = mapped_column(ForeignKey("shop_payment.id"))
    transfer_id: Mapped[Id | None] = mapped_column(ForeignKey("bank_transfer.id"), index=True)
    """The transfer that it came by; None for a card, and for what the bank does not have."""
    kind: Mapped[Puzzle] = mapped_column(_words(Puzzle, "puzzle_kind"))
    amount: Mapped[int] = mapped_column(BigInteger)
    """Đồng that this is about."""
    memo: Mapped[str] = mapped_column(String(300), default="")
    """What the transfer said."""
    reference: Mapped[str] = mapped_column(String(255), default="")
    found_at: Mapped[Moment] = mapped_column(default=clock.now)
    resolved_at: Mapped[Moment | None]
    resolution: Mapped[str] = mapped_column(String(20), default="")
    """`matched`, `refunded`, `set_aside`, or `kept`: a dispute that went well."""
    note: Mapped[str] = mapped_column(String(300), default="")
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))

    order: Mapped[Order | None] = relationship()
    member: Mapped[Member | None] = relationship()
