"""What was printed: every printing of labels leaves a row that stays."""

from typing import Literal

from sqlalchemy import JSON, CheckConstraint, Enum, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trace.lots.models import Batch
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member

What = Literal["lot", "unit"]
"""Labels of a lot are all alike; each unit label has its pack's own serial number (GS1 AI 21)."""
FileForm = Literal["pdf", "png", "escpos"]


class LabelRun(Base):
    """One printing of labels: who asked for it, when, on what, how many, and of which packs."""

    __tablename__ = "label_run"
    __table_args__ = (
        CheckConstraint("count > 0", name="count"),
        CheckConstraint("place > 0", name="place"),
        Index("ix_label_run_batch_made", "batch_id", "made_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"))
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
    what: Mapped[What] = mapped_column(Enum("lot", "unit", name="label_what", native_enum=False))
    again_of: Mapped[Id | None] = mapped_column(ForeignKey("label_run.id"), index=True)
    """The run whose labels are printed once more; None for a run of its own."""
    reprint: Mapped[bool] = mapped_column(default=False)
    """True when more labels come of it than there are packs: those of another run again, or more than were packed."""
    why: Mapped[str] = mapped_column(String(300), default="")
    """Why a reprint was needed, in the member's words."""
    paper: Mapped[str] = mapped_column(String(40))
    """A key of the papers (trace/labels/papers.yaml)."""
    form: Mapped[FileForm] = mapped_column(Enum("pdf", "png", "escpos", name="label_form", native_enum=False))
    place: Mapped[int] = mapped_column(default=1)
    """The first free label on the first sheet, counted from 1."""
    count: Mapped[int]
    first_serial: Mapped[str | None] = mapped_column(String(20))
    """The serial number on the first label, once it is known; None on labels of a lot."""
    last_serial: Mapped[str | None] = mapped_column(String(20))
    serials: Mapped[list[str] | None] = mapped_column(JSON)
    """Of a reprint of some labels: which. None when it is all of its run's."""
    job_id: Mapped[Id | None]
    """The job that makes the file; it may have been tidied away."""

    batch: Mapped[Batch] = relationship()
    member: Mapped[Member] = relationship()
