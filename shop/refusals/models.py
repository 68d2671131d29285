"""How parcels ended, without a name; orders that are rung about first; objections."""

import datetime as dt
from typing import Literal

from sqlalchemy import Enum, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.refusals.rules import Outcome
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member

AppealState = Literal["open", "granted", "declined"]
WORDS_MAX = 500


class ParcelOutcome(Base):
    """How one parcel ended at its buyer's door. Whose it was can be told only by somebody who has the number and the
    village's secret; the row goes by itself when its time is over, or with the order's buyer."""

    __tablename__ = "parcel_outcome"
    __table_args__ = (Index("ix_parcel_outcome_expires", "expires"),)

    shipment_id: Mapped[Id] = mapped_column(ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True)
    phone_hash: Mapped[str] = mapped_column(String(64), index=True)
    """Hex of HMAC-SHA256(the village's secret, the number in E.164)."""
    day: Mapped[dt.date]
    """When it ended, in the village."""
    outcome: Mapped[Outcome] = mapped_column(
        Enum("delivered", "refused", "unreachable", name="parcel_outcome_word", native_enum=False, length=11)
    )
    expires: Mapped[dt.date]
    """The first day on which it counts no more."""


class CallFirst(Base):
    """An order for cash that is confirmed only after somebody has spoken with its buyer."""

    __tablename__ = "call_first"

    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(10))
    """`new`, `back` or `often`."""
    asked_at: Mapped[Moment] = mapped_column(default=clock.now)
    called_at: Mapped[Moment | None]
    called_by: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))


class ParcelAppeal(Base):
    """A buyer says that what is kept of her parcels is wrong. A person answers; silence decides for her."""

    __tablename__ = "parcel_appeal"
    __table_args__ = (
        Index("ix_parcel_appeal_cooperative", "cooperative_id", "state"),
        Index("ix_parcel_appeal_made_at", "state", "made_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    """Her key to the answer."""
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    phone_hash: Mapped[str] = mapped_column(String(64), index=True)
    phone: Mapped[str | None] = mapped_column(String(16))
    """E.164, so that whoever answers can ring her; gone with the answer."""
    words: Mapped[str] = mapped_column(String(WORDS_MAX))
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
    state: Mapped[AppealState] = mapped_column(
        Enum("open", "granted", "declined", name="parcel_appeal_state", native_enum=False, length=8), default="open"
    )
    answer: Mapped[str] = mapped_column(String(WORDS_MAX), default="")
    answered_at: Mapped[Moment | None]
    answered_by: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """None while it is open, and when nobody answered in time."""

    member: Mapped[Member | None] = relationship()
