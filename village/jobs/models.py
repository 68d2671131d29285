"""The one table: what was asked for, how far it is, what came of it."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Enum, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


GOING = (State.WAITING, State.RUNNING)


class Job(Base):
    """One piece of work. `args` and `result` are the kind's own; neither may hold a secret."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("done >= 0 AND total >= 0", name="progress"),
        Index("ix_job_state_made", "state", "made_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(String(40))
    args: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"), index=True)
    """Who asked, and in whose name it is done; None for the house's own work."""
    cooperative_id: Mapped[Id | None] = mapped_column(ForeignKey("cooperative.id"), index=True)
    language: Mapped[str] = mapped_column(String(5), default="vi")
    """The asker's, for the texts that the work leaves behind."""
    state: Mapped[State] = mapped_column(
        Enum(State, name="job_state", native_enum=False, values_callable=lambda e: [s.value for s in e]),
        default=State.WAITING,
    )
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    """0 while nobody knows yet how much it will be."""
    message: Mapped[str] = mapped_column(String(500), default="")
    """What it is at, or why it failed, in the asker's language."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    tries: Mapped[int] = mapped_column(default=0)
    """How often a worker began it without handing it back in order."""
    worker: Mapped[str] = mapped_column(String(120), default="")
    """Which worker has it, or had it last."""
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
    started_at: Mapped[Moment | None]
    beat_at: Mapped[Moment | None]
    """When the work was last heard of."""
    ended_at: Mapped[Moment | None]

    @property
    def going(self) -> bool:
        """True until it has an end."""
        return self.state in GOING
