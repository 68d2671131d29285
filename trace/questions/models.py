"""A question about a lot, what was said to and fro, and the keys to its page."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trace.lots.models import Batch
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member


class Topic(StrEnum):
    """What it is about."""

    ASK = "ask"
    PACK = "pack"
    """Something is wrong with the pack: torn, short, damp."""
    COPY = "copy"
    """The buyer thinks that the pack is not ours."""
    HARM = "harm"
    """Somebody fell ill, or found in it what may hurt."""


class QuestionState(StrEnum):
    """Whose turn it is."""

    OPEN = "open"
    """The office's."""
    ANSWERED = "answered"
    """The buyer's, if she has more to say."""
    CLOSED = "closed"


class Side(StrEnum):
    """Who said something."""

    BUYER = "buyer"
    OFFICE = "office"


class Question(Base):
    """One matter between a buyer and the office of the cooperative whose lot it is."""

    __tablename__ = "question"
    __table_args__ = (
        Index("ix_question_cooperative_state", "cooperative_id", "state", "serious"),
        Index("ix_question_batch_asked", "batch_id", "asked_at"),
        CheckConstraint("contact IS NULL OR consented_at IS NOT NULL", name="consent"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"))
    serial: Mapped[str | None] = mapped_column(String(20))
    """Of the pack, as the buyer's address or the buyer says: nobody has checked it."""
    topic: Mapped[Topic] = mapped_column(
        Enum(Topic, name="question_topic", native_enum=False, length=12, values_callable=lambda e: [s.value for s in e])
    )
    state: Mapped[QuestionState] = mapped_column(
        Enum(
            QuestionState, name="question_state", native_enum=False, length=12,
            values_callable=lambda e: [s.value for s in e],
        ),
        default=QuestionState.OPEN,
    )  # fmt: skip
    serious: Mapped[bool] = mapped_column(default=False)
    """Harm to health from the start; anything that the office finds serious."""
    language: Mapped[str] = mapped_column(String(5), default="vi")
    """The buyer's, for the notice that there is an answer."""
    contact: Mapped[str | None] = mapped_column(String(254))
    """A telephone number (E.164) or a mail address; None when none was left, or when it was erased."""
    consented_at: Mapped[Moment | None]
    """When the buyer agreed that it be kept."""
    erased_at: Mapped[Moment | None]
    """When contact and photos were erased."""
    asked_at: Mapped[Moment] = mapped_column(default=clock.now)
    last_at: Mapped[Moment] = mapped_column(default=clock.now, index=True)
    """When something was last said or done."""

    batch: Mapped[Batch] = relationship()
    said: Mapped[list["Saying"]] = relationship(order_by="Saying.at, Saying.id")


class Saying(Base):
    """One thing that was said, by the buyer or by the office."""

    __tablename__ = "question_saying"

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    question_id: Mapped[Id] = mapped_column(ForeignKey("question.id"), index=True)
    side: Mapped[Side] = mapped_column(
        Enum(Side, name="question_side", native_enum=False, length=12, values_callable=lambda e: [s.value for s in e])
    )
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """Who answered; the buyer sees the cooperative's name alone."""
    text: Mapped[str] = mapped_column(String(2000))
    photo: Mapped[str | None] = mapped_column(String(64), index=True)
    """SHA-256 of the shrunk JPEG."""
    at: Mapped[Moment] = mapped_column(default=clock.now)

    member: Mapped[Member | None] = relationship()


class QuestionKey(Base):
    """SHA-256 of a token that opens the question's page. There is more than one only where the village's secret was
    changed between asking and answering."""

    __tablename__ = "question_key"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    question_id: Mapped[Id] = mapped_column(ForeignKey("question.id"), index=True)
