"""A job from the inside: what the work knows of itself, and how it says how far it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Update, select, update
from sqlalchemy.orm import Session

from village import clock
from village.db import WRITES, core, db, writers_turn
from village.jobs.models import Job, State
from village.people.access import Actor

EVERY = 1.0
"""Seconds between two notes of progress: more often than a page is looked at would only take others' turn to write."""


class Stopping(Exception):
    """The worker is to end: the job goes back into the queue."""


class Cancelled(Exception):
    """Somebody said stop; or another worker has the job now."""


@dataclass
class Work:
    """One run of a job. It must call `progress` or `go_on` at least every half minute, or it is taken for dead."""

    job_id: str
    args: dict[str, Any]
    who: Actor | None
    """Who asked, with the roles that she has now."""
    run: int
    """The number of this run, by which it knows its own row."""
    stopping: Callable[[], bool] = lambda: False
    _said: float = field(default=0.0, repr=False)

    def progress(self, done: int, total: int | None = None, message: str = "", *, now: bool = False) -> None:
        """Say how far it is, at most once a second unless `now`. In a transaction of its own: not within `write()`.

        Raises Cancelled or Stopping, which the work lets through.
        """
        moment = time.monotonic()
        if not now and moment - self._said < EVERY:
            if self.stopping():
                raise Stopping
            return
        self._said = moment
        values: dict[str, Any] = {"done": done, "message": message[:500], "beat_at": clock.now()}
        if total is not None:
            values["total"] = total
        if not apart(update(Job).where(*self.mine()).values(**values)):
            raise Cancelled
        if self.stopping():
            raise Stopping

    def go_on(self) -> None:
        """Say that it lives, and hear whether it shall end; as `progress`, when there is nothing new to say."""
        moment = time.monotonic()
        if moment - self._said >= EVERY:
            self._said = moment
            if not apart(update(Job).where(*self.mine()).values(beat_at=clock.now())):
                raise Cancelled
        if self.stopping():
            raise Stopping

    def note(self, session: Session, done: int) -> None:
        """Within the work's own transaction: so far it is when this commits. Cancelled undoes the transaction."""
        moved = core(session).execute(update(Job).where(*self.mine()).values(done=done, beat_at=clock.now()))
        if not moved.rowcount:
            raise Cancelled

    def mine(self) -> tuple[ColumnElement[bool], ...]:
        """The job's row, while this run has it."""
        return Job.id == self.job_id, Job.state == State.RUNNING, Job.tries == self.run


def apart(statement: Update) -> int:
    """Run one UPDATE in a transaction of its own, past the session; how many rows it changed."""
    engine = db.engine
    with (
        writers_turn(engine),
        engine.connect().execution_options(**{WRITES: True}) as connection,
        connection.begin(),
    ):
        return connection.execute(statement).rowcount


def look(job_id: str) -> Job | None:
    """The job's row as it is now, belonging to no session."""
    with db.engine.connect() as connection, Session(bind=connection) as session:
        found = session.scalar(select(Job).where(Job.id == job_id))
        session.expunge_all()
        return found
