"""A message and what came of it."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member


class Channel(StrEnum):
    """The way it goes."""

    MAIL = "mail"
    SMS = "sms"
    CALL = "call"
    """Somebody rings, and ticks it off."""


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENT = "sent"
    """The provider took it; for a call: somebody was reached."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Erased, or no longer true, before it was sent."""


class Outcome(StrEnum):
    """What came of one try."""

    ACCEPTED = "accepted"
    CONSOLE = "console"
    """Written to a file: this village has no provider, and is none that really tells anybody."""
    LATER = "later"
    """The provider could not be reached, or asked for patience."""
    REFUSED = "refused"
    """The provider, or we ourselves, will never send this one."""
    REACHED = "reached"
    MISSED = "missed"
    """Rung, but nobody was there."""
    AGAIN = "again"
    """The office had a failed one tried again."""
    ERASED = "erased"
    """Address and text were erased."""


def _words(kind: type[StrEnum], name: str) -> Enum:
    return Enum(kind, name=name, native_enum=False, length=12, values_callable=lambda e: [s.value for s in e])


class Message(Base):
    """One message to one person. `to` and what it says can be erased, everything else is the proof and stays."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_due", "state", "channel", "next_at"),
        Index("ix_message_about", "about_kind", "about_id"),
        Index("ix_message_cooperative_state", "cooperative_id", "state"),
        CheckConstraint("tries >= 0", name="tries"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    """Also its Message-ID, and the idempotency key for a gateway."""
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    """In whose name it goes, and whose office sees it."""
    channel: Mapped[Channel] = mapped_column(_words(Channel, "message_channel"))
    to: Mapped[str | None] = mapped_column("recipient", String(254))
    """A mail address, or a telephone number in E.164."""
    subject: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[str | None] = mapped_column(Text)
    about_kind: Mapped[str] = mapped_column(String(40))
    about_id: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(160), unique=True)
    """The asker's: whoever puts the same message again puts no second one."""
    state: Mapped[MessageState] = mapped_column(_words(MessageState, "message_state"), default=MessageState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[Moment] = mapped_column(default=clock.now)
    """Not to be tried before."""
    holder: Mapped[str | None] = mapped_column(String(36))
    """Whoever is sending it just now."""
    held_until: Mapped[Moment | None]
    """After this the holder is taken for dead."""
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
    ended_at: Mapped[Moment | None] = mapped_column(index=True)
    erased_at: Mapped[Moment | None]

    proofs: Mapped[list["MessageProof"]] = relationship(order_by="MessageProof.number")


class MessageProof(Base):
    """One try, and what was answered to it. Holds no address and nothing of the text."""

    __tablename__ = "message_proof"

    message_id: Mapped[Id] = mapped_column(ForeignKey("message.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[Moment] = mapped_column(default=clock.now)
    outcome: Mapped[Outcome] = mapped_column(_words(Outcome, "message_outcome"))
    answer: Mapped[str] = mapped_column(String(300), default="")
    """The provider's own words, as far as they hold no address; what the caller noted."""
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """Who rang, or who pressed the button; None for the house itself."""

    member: Mapped[Member | None] = relationship()
