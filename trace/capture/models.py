"""What others told us of our lots, and how it came in. The ledger's entries decide; these rows find them again."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Bytes, Id, Moment
from village.ids import uuid7

MAX_KEY = 500
"""Characters of an EPC, an event's id or any other address."""


class Party(Base):
    """The name that a partner's claims bear, on scan pages and on the ledger for good: an organisation's, set by the
    office that let the partner in."""

    __tablename__ = "capture_party"

    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[Moment] = mapped_column(default=clock.now)


class CaptureJob(Base):
    """One document sent to `/epcis/capture`. Its bytes are kept until they were worked through."""

    __tablename__ = "capture_job"
    __table_args__ = (Index("ix_capture_job_cooperative_made", "cooperative_id", "made_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"), index=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    proceed: Mapped[bool] = mapped_column(default=False)
    """Whether good events are kept although others of the document are not; else it is all or nothing."""
    body: Mapped[bytes | None] = mapped_column(Bytes)
    events: Mapped[int] = mapped_column(default=0)
    captured: Mapped[int] = mapped_column(default=0)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """Problems (RFC 9457), each with the `pointer` to what is wrong."""
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
    ended_at: Mapped[Moment | None]

    @property
    def running(self) -> bool:
        """True until it has an end."""
        return self.ended_at is None


class Captured(Base):
    """One claimed event. `body` is its canonical JSON, whose hash the ledger's entry holds."""

    __tablename__ = "captured_event"
    __table_args__ = (UniqueConstraint("event_id", "declared"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    event_id: Mapped[str] = mapped_column(String(MAX_KEY))
    """Its maker's own, or its CBV hash."""
    declared: Mapped[str] = mapped_column(String(40), default="")
    """When it was declared wrong, of an event that is sent again with an errorDeclaration; else empty."""
    hash_id: Mapped[str] = mapped_column(String(100), index=True)
    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    body: Mapped[bytes | None] = mapped_column(Bytes)
    """None once it was erased: only its hash is left then, here as on the ledger."""
    inline: Mapped[bool]
    """Whether the event itself stands on the ledger."""
    personal: Mapped[bool] = mapped_column(default=False)
    """Whether it looks as if it told of a person; then it is not inline."""
    type: Mapped[str] = mapped_column(String(30))
    event_time: Mapped[Moment] = mapped_column(index=True)
    biz_step: Mapped[str] = mapped_column(String(MAX_KEY), default="")
    disposition: Mapped[str] = mapped_column(String(MAX_KEY), default="")
    read_point: Mapped[str] = mapped_column(String(MAX_KEY), default="")
    biz_location: Mapped[str] = mapped_column(String(MAX_KEY), default="")
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"), index=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    """Of the office that answers for the submitter."""
    by: Mapped[str] = mapped_column(String(120))
    """The organisation's name, as it stands on the ledger."""
    recorded_at: Mapped[Moment]


class CapturedKey(Base):
    """An EPC or EPC class that a claimed event names, under its one spelling."""

    __tablename__ = "captured_key"
    __table_args__ = (Index("ix_captured_key_key", "key"),)

    captured_id: Mapped[Id] = mapped_column(ForeignKey("captured_event.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(MAX_KEY), primary_key=True)


class NamedQuery(Base):
    """A query that was given a name, to be asked again."""

    __tablename__ = "epcis_query"
    __table_args__ = (UniqueConstraint("cooperative_id", "name"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
