"""Spreadsheets that were sent in, and what was wrong with their rows."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member


class SheetState(StrEnum):
    """Where an import stands."""

    CHECKING = "checking"
    UNREADABLE = "unreadable"
    """No table could be read out of it; the summary says why."""
    FAULTY = "faulty"
    """Some rows cannot be recorded as they are: nothing was, and nothing will be."""
    READY = "ready"
    WRITING = "writing"
    PARTLY = "partly"
    """Recording stopped, or some rows were refused that had been right when they were looked over."""
    WRITTEN = "written"


class Sheet(Base):
    """One spreadsheet. Its file lies beside the database for a while; what it became stays in the ledger."""

    __tablename__ = "sheet"
    __table_args__ = (Index("ix_sheet_cooperative_made", "cooperative_id", "made_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    name: Mapped[str] = mapped_column(String(200))
    """The file's, as its sender calls it."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the file."""
    size: Mapped[int]
    state: Mapped[SheetState] = mapped_column(
        Enum(SheetState, name="sheet_state", native_enum=False, values_callable=lambda e: [s.value for s in e])
    )
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    job_id: Mapped[Id]
    """The job that looks it over, or records it."""
    made_at: Mapped[Moment] = mapped_column(default=clock.now)

    member: Mapped[Member] = relationship()


class SheetFault(Base):
    """One thing that is wrong, in the sender's language. `line` is the row's number in the file, 0 for the whole."""

    __tablename__ = "sheet_fault"

    sheet_id: Mapped[Id] = mapped_column(ForeignKey("sheet.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int]
    column: Mapped[str] = mapped_column(String(60))
    value: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(600))
