"""Committing together: what several threads of a process want written at the same moment goes into one transaction.

The writers' lock, BEGIN, COMMIT with its wait for the disk, and the ledger's signature then cost once for all of them.
Nothing waits for a timer: the first to come leads, and takes along whoever came while it waited for the lock (`Line`).
In `together` each piece of work stands or falls alone, in a savepoint. Nobody is answered before the commit.
"""

import contextvars
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from flask import current_app
from sqlalchemy.orm import Session

from village.db import WRITES, db, part, write

T = TypeVar("T")
MOST = 64
"""Pieces of work in one transaction; the next leader takes the rest."""
GROUP = "soi.group"


class Piece:
    """What one thread wants done, and what came of it."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.finished = False
        self.result: Any = None
        self.error: BaseException | None = None

    def outcome(self) -> Any:
        """What came of it; raises what it raised."""
        if self.error is not None:
            raise self.error
        return self.result


P = TypeVar("P", bound=Piece)


class Line(ABC, Generic[P]):
    """Threads of one process that wait for the same lock: one leads, and does the work of all who came meanwhile."""

    def __init__(self, most: int = MOST) -> None:
        self._lock = threading.Lock()
        self._waiting: list[P] = []
        self._led = False
        self._most = most

    def wait_for(self, mine: P) -> Any:
        """Have this piece done, perhaps with others; what came of it."""
        with self._lock:
            self._waiting.append(mine)
            leads = not self._led
            self._led = True
        if not leads:
            mine.called.wait()
        if not mine.finished:
            self._lead()
        return mine.outcome()

    @abstractmethod
    def do(self, take: Callable[[], list[P]]) -> None:
        """Get hold of the lock, then `take()` those who wait by now and give each its result or error; raise nothing.
        Called again, `take` gives the same pieces."""

    def _lead(self) -> None:
        taken: list[P] = []

        def take() -> list[P]:
            if not taken:
                with self._lock:
                    taken.extend(self._waiting[: self._most])
                    del self._waiting[: self._most]
            return taken

        try:
            self.do(take)
        except BaseException as error:
            # The process is ending: nobody may take that for an answer.
            for piece in take():
                piece.error = piece.error or error
            raise
        finally:
            self._hand_over(take())

    def _hand_over(self, pieces: list[P]) -> None:
        with self._lock:
            self._led = bool(self._waiting)
            following = self._waiting[:1]
        for piece in pieces:
            piece.finished = True
        for piece in (*pieces, *following):
            piece.called.set()


class _Work(Piece):
    """One thread's work, run by the leader in its own context (request, language, app)."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        super().__init__()
        self._work = work
        self._context = contextvars.copy_context()

    def do(self, session: Session) -> None:
        """Do the work."""
        self.result = self._context.run(self._work, session)

    def alone(self, error: BaseException | None) -> None:
        """After a commit that failed: with `error` that is the outcome; without, it may be another's fault, and the
        piece is tried once more in a transaction of its own."""
        self.error = error
        if error is None:
            try:
                with write(ledger=True) as session:
                    self.do(session)
            except Exception as its_own:
                self.error = its_own


class Group(Line[_Work]):
    """The pieces of one process that wait for the ledger."""

    def run(self, work: Callable[[Session], T]) -> T:
        """Do `work(session)` in a transaction of `write(ledger=True)`, perhaps with others; return after the commit."""
        found: T = self.wait_for(_Work(work))
        return found

    def do(self, take: Callable[[], list[_Work]]) -> None:
        """All in one transaction, or each alone."""
        try:
            with write(ledger=True) as session:
                _do_all(session, take())
        except BaseException as error:
            # The transaction is undone: whatever a piece had come to, nothing of it was written.
            pieces = take()
            for piece in pieces:
                piece.alone(error if len(pieces) == 1 or not isinstance(error, Exception) else None)


def _do_all(session: Session, pieces: list[_Work]) -> None:
    if len(pieces) == 1:
        pieces[0].do(session)
        return
    for piece in pieces:
        try:
            with part(session):
                piece.do(session)
        except Exception as error:
            piece.error = error
        session.expunge_all()


def together(work: Callable[[Session], T]) -> T:
    """Do `work(session)` in a ledger transaction, together with what other threads of this process want written now."""
    if db.session().info.get(WRITES):
        raise RuntimeError("together() inside write(): the leader would wait for this very thread")
    group: Group = current_app.extensions.setdefault(GROUP, Group())
    return group.run(work)
