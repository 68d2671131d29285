"""Calls that bring comments to one livestream at the same moment are taken into one transaction.

Comment readers post single comments, many at once; the lock on the session, the commit and its wait for the disk then
cost once for all of them. Nothing waits for a timer: the first to come leads, and takes along whoever came in this
process while it waited for its turn. Nobody is answered before the commit.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from flask import current_app
from sqlalchemy.orm import Session

from shop.live.log import Raced
from shop.live.models import LiveSession
from shop.live.room import hold
from village.db import write

C = TypeVar("C")
R = TypeVar("R")
MOST = 32
"""Calls in one transaction; the next leader takes the rest."""
TRIES = 3
"""So often a call is done that lost a race with another session's for the same comment."""
LINES = "soi.live.lines"


class _Piece(Generic[C, R]):
    """One thread's call."""

    def __init__(self, call: C) -> None:
        self.call = call
        self.called = threading.Event()
        self.finished = False
        self.results: list[R] = []
        self.error: BaseException | None = None

    def outcome(self) -> R:
        """What came of it; raises what it raised."""
        if self.error is not None:
            raise self.error
        return self.results[0]


class Line(Generic[C, R]):
    """The calls of one process for one livestream."""

    def __init__(self, session_id: str, work: Callable[[Session, LiveSession, Sequence[C]], list[R]]) -> None:
        self._session_id = session_id
        self._work = work
        self._lock = threading.Lock()
        self._waiting: list[_Piece[C, R]] = []
        self._led = False

    def run(self, call: C) -> R:
        """Do the work for this call, perhaps with others; what came of it, after the commit."""
        mine: _Piece[C, R] = _Piece(call)
        with self._lock:
            self._waiting.append(mine)
            leads = not self._led
            self._led = True
        if not leads:
            mine.called.wait()
        if not mine.finished:
            self._lead()
        return mine.outcome()

    def _lead(self) -> None:
        pieces: list[_Piece[C, R]] = []
        try:
            with write() as session:
                live = hold(session, self._session_id)
                pieces = self._take()
                results = self._work(session, live, [piece.call for piece in pieces])
            for piece, result in zip(pieces, results, strict=True):
                piece.results = [result]
        except BaseException as error:
            # The transaction is undone, perhaps by another's fault: each is tried alone.
            pieces = pieces or self._take()
            for piece in pieces:
                if not isinstance(error, Exception) or (len(pieces) == 1 and not isinstance(error, Raced)):
                    piece.error = error
                else:
                    self._alone(piece)
        finally:
            self._hand_over(pieces)

    def _alone(self, piece: _Piece[C, R]) -> None:
        for _again in range(TRIES):
            try:
                with write() as session:
                    results = self._work(session, hold(session, self._session_id), [piece.call])
                piece.results, piece.error = results, None
                return
            except Raced as error:
                piece.error = error
            except Exception as error:
                piece.error = error
                return

    def _take(self) -> list[_Piece[C, R]]:
        with self._lock:
            pieces, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        return pieces

    def _hand_over(self, pieces: Sequence[_Piece[C, R]]) -> None:
        with self._lock:
            self._led = bool(self._waiting)
            following = self._waiting[:1]
        for piece in pieces:
            piece.finished = True
        for piece in (*pieces, *following):
            piece.called.set()


_guard = threading.Lock()


def in_turn(session_id: str, call: C, work: Callable[[Session, LiveSession, Sequence[C]], list[R]]) -> R:
    """What came of `call`, once `work` has done it in a transaction that holds the session, perhaps with the calls of
    other threads. `work` is the same for all of one session; it gives a result for each call, or raises for all."""
    with _guard:
        lines: WeakValueDictionary[str, Line[C, R]] = current_app.extensions.setdefault(LINES, WeakValueDictionary())
        line = lines.get(session_id)
        if line is None:
            line = lines[session_id] = Line(session_id, work)
    return line.run(call)
