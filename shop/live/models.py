"""A livestream, the codes that it sells, what was said and what came of it.

Comments and decisions are only ever added: a second look at a comment is a further decision beside the first.
"""

import datetime as dt
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, Enum, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.orders.models import Order
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member
from village.products.models import Product

TEXT_MAX = 2000
"""Characters kept of a comment."""
AUTHOR_MAX = 120

SessionStatus = Literal["open", "ended"]
WaitState = Literal["waiting", "served", "dropped"]


class Decision(StrEnum):
    """What became of a comment."""

    ORDER = "order"
    WAITLIST = "waitlist"
    REVIEW = "review"
    CHANGE = "change"
    CANCEL = "cancel"
    QUESTION = "question"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    """Only ever an answer: the comment was here before, nothing was done again."""


class LiveSession(Base):
    """One evening of selling before a camera. Its row is the lock under which comments are taken in turn."""

    __tablename__ = "live_session"
    __table_args__ = (CheckConstraint("received >= 0", name="received"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    title: Mapped[str] = mapped_column(String(120))
    platform: Mapped[str] = mapped_column(String(30))
    host_id: Mapped[Id] = mapped_column(ForeignKey("member.id"), index=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    status: Mapped[SessionStatus] = mapped_column(
        Enum("open", "ended", name="live_status", native_enum=False), default="open"
    )
    started_at: Mapped[Moment] = mapped_column(default=clock.now)
    ended_at: Mapped[Moment | None]
    received: Mapped[int] = mapped_column(default=0)
    """Receive numbers given out so far."""

    host: Mapped[Member] = relationship()
    codes: Mapped[list["LiveCode"]] = relationship(cascade="all, delete-orphan", order_by="LiveCode.position")


class LiveCode(Base):
    """What viewers type, and what it means: a product at this session's price."""

    __tablename__ = "live_code"
    __table_args__ = (
        UniqueConstraint("session_id", "code"),
        CheckConstraint("price > 0", name="price"),
        CheckConstraint("taken >= 0", name="taken"),
        CheckConstraint("unit_limit IS NULL OR taken <= unit_limit", name="within_limit"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id", ondelete="CASCADE"))
    position: Mapped[int]
    code: Mapped[str] = mapped_column(String(20))
    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"), index=True)
    price: Mapped[int]
    """Đồng for one pack."""
    unit_limit: Mapped[int | None]
    """Packs for the whole session; None for as many as there are."""
    taken: Mapped[int] = mapped_column(default=0)
    """Packs that this session's orders have by this code."""

    product: Mapped[Product] = relationship()


class LiveComment(Base):
    """One comment as it arrived. Rows are only added."""

    __tablename__ = "live_comment"
    __table_args__ = (
        UniqueConstraint("platform", "comment_id"),
        UniqueConstraint("session_id", "seq"),
        Index("ix_live_comment_author", "session_id", "author_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"))
    platform: Mapped[str] = mapped_column(String(30))
    comment_id: Mapped[str] = mapped_column(String(200))
    """The platform's own id: the same comment comes more than once."""
    author_id: Mapped[str] = mapped_column(String(AUTHOR_MAX))
    author_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    """As received, up to TEXT_MAX characters; what no database keeps (NUL, half surrogates) became U+FFFD."""
    cut: Mapped[bool] = mapped_column(default=False)
    """True when the comment was longer than what is kept."""
    said_at: Mapped[Moment]
    """The platform's time."""
    time_doubted: Mapped[bool] = mapped_column(default=False)
    """True when the platform's time was more than a day off, and `said_at` is when we received it."""
    received_at: Mapped[Moment] = mapped_column(default=clock.now)
    seq: Mapped[int]
    """Receive order within the session."""

    decisions: Mapped[list["LiveDecision"]] = relationship(order_by="LiveDecision.position")

    @property
    def turn(self) -> tuple[dt.datetime, int]:
        """Who comes first: by the platform's time, then by our receive order."""
        return self.said_at, self.seq


class LiveDecision(Base):
    """What was made of a comment, by the parser (no member) or by a person. The last one holds. Rows are only added."""

    __tablename__ = "live_decision"
    __table_args__ = (Index("ix_live_decision_session", "session_id", "decision"),)

    comment_id: Mapped[Id] = mapped_column(ForeignKey("live_comment.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"))
    decision: Mapped[Decision] = mapped_column(
        Enum(Decision, name="live_decision", native_enum=False, values_callable=lambda e: [d.value for d in e])
    )
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """What was done: `code`, `quantity`, and `because`, the words that gave it."""
    waiting: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """What waits for stock, in the same form."""
    suggested: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """What a person may confirm, in the same form."""
    phone: Mapped[str | None] = mapped_column(String(16))
    """National form, as it stood in the comment."""
    reason: Mapped[str] = mapped_column(String(40))
    """Slug: why it is not simply an order."""
    order_id: Mapped[Id | None] = mapped_column(ForeignKey("shop_order.id"), index=True)
    decided_by: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    decided_at: Mapped[Moment] = mapped_column(default=clock.now)

    order: Mapped[Order | None] = relationship()


class LiveHold(Base):
    """How many packs an order has by a code, so that a cancellation gives back just these."""

    __tablename__ = "live_hold"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"),)

    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), primary_key=True)
    code_id: Mapped[Id] = mapped_column(ForeignKey("live_code.id", ondelete="CASCADE"), primary_key=True, index=True)
    quantity: Mapped[int]


class LiveWait(Base):
    """A viewer who waits for packs to come back; served in the order in which they wrote."""

    __tablename__ = "live_wait"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_live_wait_session", "session_id", "state"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"))
    comment_id: Mapped[Id] = mapped_column(ForeignKey("live_comment.id"), index=True)
    code_id: Mapped[Id] = mapped_column(ForeignKey("live_code.id"))
    quantity: Mapped[int]
    because: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[WaitState] = mapped_column(
        Enum("waiting", "served", "dropped", name="live_wait_state", native_enum=False), default="waiting"
    )

    comment: Mapped[LiveComment] = relationship()
    code: Mapped[LiveCode] = relationship()
