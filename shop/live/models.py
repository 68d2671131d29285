"""A livestream, the codes that it sells, what was said and what came of it.

Comments and decisions are only ever added: a second look at a comment is a further decision beside the first.
"""

import datetime as dt
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
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from shop.orders.models import Order
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member
from village.products.models import Product

TEXT_MAX = 2000
"""Characters kept of a comment."""
AUTHOR_MAX = 120

CLAIM_MINUTES = 24 * 60
OFFER_MINUTES = 15

SessionStatus = Literal["planned", "open", "paused", "ended"]
"""planned → open ⇄ paused → ended. A paused session keeps what comes and decides it when it goes on."""
Becoming = Literal["open", "ended"]
WaitState = Literal["waiting", "served", "dropped"]
OfferState = Literal["open", "taken", "lapsed"]
CommentKind = Literal["said", "edited", "deleted"]
SourceKind = Literal["api", "facebook", "tiktok", "webhook", "paste", "file", "keyboard"]
SourceState = Literal["idle", "running", "failing", "stopped"]


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
    __table_args__ = (
        CheckConstraint("received >= 0", name="received"),
        CheckConstraint("viewer_max IS NULL OR viewer_max > 0", name="viewer_max"),
        CheckConstraint("order_max IS NULL OR order_max > 0", name="order_max"),
        CheckConstraint("claim_minutes > 0 AND offer_minutes > 0", name="minutes"),
        Index("ix_live_session_status", "status"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    title: Mapped[str] = mapped_column(String(120))
    platform: Mapped[str] = mapped_column(String(30))
    host_id: Mapped[Id] = mapped_column(ForeignKey("member.id"), index=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    status: Mapped[SessionStatus] = mapped_column(
        Enum("planned", "open", "paused", "ended", name="live_status", native_enum=False, length=8), default="open"
    )
    becomes: Mapped[Becoming | None] = mapped_column(
        Enum("open", "ended", name="live_becoming", native_enum=False, length=8)
    )
    """While what a pause kept is being decided: what the paused session is then (`shop.live.resting`)."""
    planned_for: Mapped[Moment | None]
    started_at: Mapped[Moment] = mapped_column(default=clock.now)
    """When it began; of a planned one when it was written down."""
    resumed_at: Mapped[Moment | None]
    """When it last went on after a pause."""
    ended_at: Mapped[Moment | None]
    """When somebody ended it; what a pause had kept may still be decided then."""
    received: Mapped[int] = mapped_column(default=0)
    """Receive numbers given out so far."""
    head: Mapped[str | None] = mapped_column(String(64))
    """Hash of the log's last event, hex (`shop.live.chain`); None before the first."""
    heard_at: Mapped[Moment | None]
    """When the last comment came in."""
    pinned: Mapped[str | None] = mapped_column(String(20))
    """The code that a bare number means, while the host shows this one product; None when numbers mean nothing."""
    pinned_at: Mapped[Moment | None]
    """Since when: a number that was written before meant something else."""
    pinned_before: Mapped[str | None] = mapped_column(String(20))
    """The code that was pinned until then; None when none was."""
    decided_to: Mapped[Moment | None]
    """The latest platform's time among the comments that were decided: what was said before and comes now is late."""
    viewer_max: Mapped[int | None]
    """Packs that one viewer may have in the whole session; None for as many as there are."""
    order_max: Mapped[int | None]
    """Packs in one order; None for no limit but the shop's."""
    claim_minutes: Mapped[int] = mapped_column(default=CLAIM_MINUTES, server_default=str(CLAIM_MINUTES))
    """How long an order waits for its buyer's address before its packs go to those who wait."""
    offer_minutes: Mapped[int] = mapped_column(default=OFFER_MINUTES, server_default=str(OFFER_MINUTES))
    """How long packs that came back are kept for the next in the queue."""
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What the host wants to remember to say."""

    host: Mapped[Member] = relationship()
    codes: Mapped[list["LiveCode"]] = relationship(cascade="all, delete-orphan", order_by="LiveCode.position")

    @property
    def over(self) -> bool:
        """True from the moment at which somebody ended it, also while what a pause kept is still to be decided."""
        return "ended" in (self.status, self.becomes)

    @validates("pinned")
    def _pins(self, _key: str, code: str | None) -> str | None:
        """Remember when another product was pinned, and which before it."""
        if code != self.pinned:
            self.pinned_before, self.pinned_at = self.pinned, clock.now()
        return code


class LiveCode(Base):
    """What viewers type, and what it means: a product at this session's price."""

    __tablename__ = "live_code"
    __table_args__ = (
        UniqueConstraint("session_id", "code"),
        CheckConstraint("price > 0", name="price"),
        CheckConstraint("taken >= 0", name="taken"),
        CheckConstraint("unit_limit IS NULL OR taken <= unit_limit", name="within_limit"),
        CheckConstraint("viewer_max IS NULL OR viewer_max > 0", name="viewer_max"),
        CheckConstraint("set_aside >= 0", name="set_aside"),
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
    viewer_max: Mapped[int | None]
    """Packs of it for one viewer; None for no limit of its own."""
    set_aside: Mapped[int] = mapped_column(default=0, server_default="0")
    """Packs that the plan keeps from the shelf for this session; what is still kept stands in `live_aside`."""

    product: Mapped[Product] = relationship()


class LiveComment(Base):
    """One event of the log: a comment as it arrived, its edit, or its deletion. Rows are only added."""

    __tablename__ = "live_comment"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "platform", "comment_id", "version"),
        UniqueConstraint("session_id", "seq"),
        Index("ix_live_comment_author", "session_id", "author_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"))
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    """The session's: a comment is known within one cooperative, so that no other can send it first and take it away."""
    platform: Mapped[str] = mapped_column(String(30))
    comment_id: Mapped[str] = mapped_column(String(200))
    """The platform's own id: the same comment comes more than once."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """1 for what was said first; each edit or deletion that came in is one more."""
    kind: Mapped[CommentKind] = mapped_column(
        Enum("said", "edited", "deleted", name="live_comment_kind", native_enum=False, length=8),
        default="said", server_default="said",
    )  # fmt: skip
    source_id: Mapped[Id | None] = mapped_column(ForeignKey("live_source.id"))
    """What brought it; None for a call of the API by the seller's own program."""
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
    """Receive order within the session, without gaps."""
    prev: Mapped[str | None] = mapped_column(String(64))
    """Hash of the event before it; None for the first, and for what came before logs were chained."""
    hash: Mapped[str | None] = mapped_column(String(64))
    """Of this event, hex (`shop.live.chain`); None for what came before logs were chained."""
    author_salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    """Opens the event's commitment to who wrote it; gone when the writer was forgotten."""
    text_salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    """Opens the event's commitment to the words; gone with them."""
    seals: Mapped[bytes | None] = mapped_column(LargeBinary(96))
    """The event's commitments to the platform's id, the writer and the words, 32 bytes each. They stay when what they
    are about was forgotten: the chain holds on."""

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
    late: Mapped[bool] = mapped_column(default=False, server_default=false())
    """True when a comment that was said after this one had been decided before it came."""
    allowed: Mapped[int | None]
    """Where a limit stood in the way: how many more packs she may have of what she asked for."""
    pinned: Mapped[str | None] = mapped_column(String(20))
    """The pinned code that a number without one was taken for; None when the words named their codes."""

    order: Mapped[Order | None] = relationship()


class LiveHold(Base):
    """How many packs an order has by a code, so that a cancellation gives back just these."""

    __tablename__ = "live_hold"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"),)

    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), primary_key=True)
    code_id: Mapped[Id] = mapped_column(ForeignKey("live_code.id", ondelete="CASCADE"), primary_key=True, index=True)
    quantity: Mapped[int]


class LiveJoined(Base):
    """How many packs an order of one session has by a code of another, which ended: it joined the order, and these
    count there (`shop.live.claims.joining`)."""

    __tablename__ = "live_joined"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

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


class LiveOffer(Base):
    """Packs that came back, put into the order of the next in the queue, until she says yes or the time is over."""

    __tablename__ = "live_offer"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_live_offer_until", "state", "until"),
    )

    wait_id: Mapped[Id] = mapped_column(ForeignKey("live_wait.id"), primary_key=True)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"), index=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    """The order that holds them meanwhile, like any other packs of hers."""
    quantity: Mapped[int]
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
    until: Mapped[Moment]
    state: Mapped[OfferState] = mapped_column(
        Enum("open", "taken", "lapsed", name="live_offer_state", native_enum=False, length=8), default="open"
    )

    wait: Mapped[LiveWait] = relationship()


class LiveAside(Base):
    """Packs of one lot kept from the shelf for one code of a session. `stock_lot.reserved` counts them."""

    __tablename__ = "live_aside"
    __table_args__ = (CheckConstraint("units >= 0", name="units"),)

    code_id: Mapped[Id] = mapped_column(ForeignKey("live_code.id", ondelete="CASCADE"), primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("stock_lot.batch_id"), primary_key=True, index=True)
    units: Mapped[int]


class LiveSource(Base):
    """Where a session's comments come from, and how far it has been read."""

    __tablename__ = "live_source"
    __table_args__ = (Index("ix_live_source_external", "kind", "external_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"), index=True)
    kind: Mapped[SourceKind] = mapped_column(
        Enum(
            "api", "facebook", "tiktok", "webhook", "paste", "file", "keyboard",
            name="live_source_kind", native_enum=False, length=10,
        )
    )  # fmt: skip
    platform: Mapped[str] = mapped_column(String(30))
    """Whose comments these are: their ids are unique within it."""
    external_id: Mapped[str | None] = mapped_column(String(120))
    """The live video, or the shop, as the platform calls it."""
    alias: Mapped[str | None] = mapped_column(String(120))
    """Its other name: the video behind a live video, by which the platform's notices call it."""
    state: Mapped[SourceState] = mapped_column(
        Enum("idle", "running", "failing", "stopped", name="live_source_state", native_enum=False, length=8),
        default="idle",
    )
    cursor: Mapped[str] = mapped_column(String(500), default="")
    """How far it was read, in the platform's own words; empty for from the beginning."""
    tried_at: Mapped[Moment | None]
    """When its state was last noted; None before it brought anything."""
    fault: Mapped[str] = mapped_column(String(40), default="")
    """Slug: why it last failed."""
    tells: Mapped[bool] = mapped_column(default=False, server_default=false())
    """True when viewers who order by it are sent their links by the platform (Facebook's Messenger)."""
    tell_fault: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """Slug: why it sends nothing now."""
    created_at: Mapped[Moment] = mapped_column(default=clock.now)


class LiveForeignOrder(Base):
    """An order that a platform took itself (TikTok Shop), and what became of it here."""

    __tablename__ = "live_foreign_order"
    __table_args__ = (UniqueConstraint("platform", "external_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"), index=True)
    source_id: Mapped[Id] = mapped_column(ForeignKey("live_source.id"))
    platform: Mapped[str] = mapped_column(String(30))
    external_id: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(40))
    """The platform's own word."""
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """`code`, `quantity`, `price`, as fetched from the platform."""
    fault: Mapped[str] = mapped_column(String(40), default="")
    """Slug: why it needs a person (no stock, an unknown product); empty when all is well."""
    order_id: Mapped[Id | None] = mapped_column(ForeignKey("shop_order.id"), index=True)
    seen_at: Mapped[Moment] = mapped_column(default=clock.now)
    updated_at: Mapped[Moment] = mapped_column(default=clock.now)


class LiveClaim(Base):
    """A viewer's own short link into a session: her orders, her place in the queue, address and payment."""

    __tablename__ = "live_claim"
    __table_args__ = (
        UniqueConstraint("session_id", "author_id"),
        Index("ix_live_claim_until", "until"),
    )

    code: Mapped[str] = mapped_column(String(10), primary_key=True)
    """Of letters that are read without doubt; unguessable."""
    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"))
    author_id: Mapped[str] = mapped_column(String(AUTHOR_MAX))
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    until: Mapped[Moment | None]
    """When what she has goes to others, unless she claims it; None when there is nothing to claim or it was claimed."""
    claimed_at: Mapped[Moment | None]
    told_at: Mapped[Moment | None]
    """When the seller (or the platform) gave her the link."""
    untold: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """Slug: why the platform could not give it to her; empty when it did, or was not asked to."""
    reminded_at: Mapped[Moment | None]
    joined: Mapped[str | None] = mapped_column(String(10))
    """The link under which her order of this session goes on: it joined another session's."""

    live: Mapped[LiveSession] = relationship()


class LiveAnchor(Base):
    """A session's log as the village's ledger knows it: so many events, and the hash of the last."""

    __tablename__ = "live_anchor"

    session_id: Mapped[Id] = mapped_column(ForeignKey("live_session.id"), primary_key=True)
    length: Mapped[int] = mapped_column(primary_key=True)
    head: Mapped[str] = mapped_column(String(64))
    decisions: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the public list of decisions, hex."""
    entry: Mapped[int] = mapped_column(BigInteger)
    """Index of the ledger's entry."""
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
