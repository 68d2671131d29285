"""Committing together: what several threads of a process want written at the same moment goes into one transaction.

The writers' lock, BEGIN, COMMIT with its wait for the disk, and the ledger's signature then cost once for all of them.
Nothing waits for a timer: the first to come leads, and takes along whoever came while it waited for the lock. Each
piece of work stands or falls alone, in a savepoint; nobody is answered before the commit.
"""

import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy.orm import Session

from village.db import WRITES, db, part, write

T = TypeVar("T")
MOST = 64
"""Pieces of work in one transaction; the next leader takes the rest."""
GROUP = "soi.group"


class _Piece:
    """One thread's work, run by the leader in its own context (request, language, app)."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self._work = work
        self._context = contextvars.copy_context()
        self.called = threading.Event()
        self.finished = False
        self.result: Any = None
        self.error: BaseException | None = None

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

    def outcome(self) -> Any:
        """What came of it; raises what it raised."""
        if self.error is not None:
            raise self.error
        return self.result


class Group:
    """The pieces of one process that wait for the ledger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Piece] = []
        self._led = False

    def run(self, work: Callable[[Session], T]) -> T:
        """Do `work(session)` in a transaction of `write(ledger=True)`, perhaps with others; return after the commit."""
        mine = _Piece(work)
        with self._lock:
            self._waiting.append(mine)
            leads = not self._led
            self._led = True
        if not leads:
            mine.called.wait()
        if not mine.finished:
            self._lead()
        found: T = mine.outcome()
        return found

    def _lead(self) -> None:
        pieces: list[_Piece] = []
        try:
            with write(ledger=True) as session:
                pieces = self._take()
                _do_all(session, pieces)
        except BaseException as error:
            # The transaction is undone: whatever a piece had come to, nothing of it was written.
            pieces = pieces or self._take()
            for piece in pieces:
                piece.alone(error if len(pieces) == 1 or not isinstance(error, Exception) else None)
        finally:
            self._hand_over(pieces)

    def _take(self) -> list[_Piece]:
        with self._lock:
            pieces, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        return pieces

    def _hand_over(self, pieces: list[_Piece]) -> None:
        with self._lock:
            self._led = bool(self._waiting)
            following = self._waiting[:1]
        for piece in pieces:
            piece.finished = True
        for piece in (*pieces, *following):
            piece.called.set()


def _do_all(session: Session, pieces: list[_Piece]) -> None:
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
