"""An event: what a producer said happened, and where on the ledger it stands."""

from typing import Any, Literal, get_args

from sqlalchemy import JSON, BigInteger, CheckConstraint, Enum, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trace.lots.models import Batch
from village.db import Base, Id, Moment
from village.places.models import Household, Site

Kind = Literal[
    "commission", "transform", "observe", "inspect", "pack", "dispatch",
    "buy", "split", "merge", "lose", "case", "uncase",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
Part = Literal["input", "output", "about"]


class Event(Base):
    """One event. Its names and pictures are kept as the process had them then: a later version changes no history."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_household_occurred", "household_id", "occurred_at"),
        Index(
            "ix_event_corrected",
            "correction_entry",
            sqlite_where=text("correction_entry IS NOT NULL"),
            postgresql_where=text("correction_entry IS NOT NULL"),
        ),
        Index("ix_event_failed", "id", sqlite_where=text("passed IS 0"), postgresql_where=text("passed IS false")),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(Enum(*KINDS, name="event_kind", native_enum=False))
    process: Mapped[str] = mapped_column(String(40))
    process_version: Mapped[int]
    stage: Mapped[str] = mapped_column(String(40))
    name_vi: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    story_vi: Mapped[str] = mapped_column(String(500), default="")
    story_en: Mapped[str] = mapped_column(String(500), default="")
    picture: Mapped[str] = mapped_column(String(40), default="")
    occurred_at: Mapped[Moment] = mapped_column(index=True)
    offset_minutes: Mapped[int]
    """The claimed offset from UTC, kept beside the moment."""
    recorded_at: Mapped[Moment]
    site_id: Mapped[Id] = mapped_column(ForeignKey("site.id"))
    household_id: Mapped[Id] = mapped_column(ForeignKey("household.id"))
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), unique=True)
    readings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    photos: Mapped[list[str]] = mapped_column(JSON, default=list)
    facts: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """What this kind of event says besides, in public: `origin` of a purchase, `reason` of a loss, `sscc` of a case."""
    value_dong: Mapped[int | None] = mapped_column(BigInteger)
    """What it cost or brought in, in đồng: for the household's own figures, never on the ledger."""
    note: Mapped[str] = mapped_column(Text, default="")
    """The producer's own words: here alone, erasable; the ledger has a salted commitment."""
    passed: Mapped[bool | None]
    """An inspection's outcome."""
    corrects: Mapped[Id | None] = mapped_column(ForeignKey("event.id"), index=True)
    """The event that this one puts right."""
    corrected_by: Mapped[Id | None] = mapped_column(ForeignKey("event.id"))
    """The event that put this one right; itself, when it was declared never to have happened."""
    correction_reason: Mapped[str | None] = mapped_column(String(20))
    """incorrect_data or did_not_occur, on the event at fault."""
    correction_entry: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.index"))
    """Where the declaration of the error stands on the ledger."""

    parts: Mapped[list["EventBatch"]] = relationship(order_by="EventBatch.part, EventBatch.position")
    site: Mapped[Site] = relationship()
    household: Mapped[Household] = relationship()

    @property
    def stands(self) -> bool:
        """False once it was corrected."""
        return self.corrected_by is None


class EventBatch(Base):
    """One batch's part in an event: so much went in, came out, or was looked at."""

    __tablename__ = "event_batch"
    __table_args__ = (
        CheckConstraint("grams >= 0", name="grams"),
        CheckConstraint("units >= 0", name="units"),
    )

    event_id: Mapped[Id] = mapped_column(ForeignKey("event.id"), primary_key=True)
    part: Mapped[Part] = mapped_column(
        Enum("input", "output", "about", name="event_part", native_enum=False), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), index=True)
    grams: Mapped[int | None]
    units: Mapped[int | None]

    batch: Mapped[Batch] = relationship()
