"""Calls that bring comments to one livestream at the same moment are taken into one transaction.

Comment readers post single comments, many at once; the lock on the session, the commit and its wait for the disk then
cost once for all of them. Nothing waits for a timer: the first to come leads, and takes along whoever came in this
process while it waited for its turn. Nobody is answered before the commit.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from flask import current_app
from sqlalchemy.orm import Session

from shop.live.log import Raced
from shop.live.models import LiveSession
from shop.live.room import hold
from village.db import write
from village.together import Line, Piece

C = TypeVar("C")
R = TypeVar("R")
MOST = 32
"""Calls in one transaction; the next leader takes the rest."""
TRIES = 3
"""So often a call is done that lost a race with another session's for the same comment."""
LINES = "soi.live.lines"


class _Call(Piece):
    """One thread's call."""

    def __init__(self, call: Any) -> None:
        super().__init__()
        self.call = call


class _Calls(Line[_Call]):
    """The calls of one process for one livestream."""

    def __init__(self, session_id: str, work: Callable[[Session, LiveSession, Sequence[Any]], list[Any]]) -> None:
        super().__init__(MOST)
        self._session_id = session_id
        self._work = work

    def do(self, take: Callable[[], list[_Call]]) -> None:
        """All in one transaction, or each alone."""
        try:
            with write() as session:
                live = hold(session, self._session_id)
                pieces = take()
                results = self._work(session, live, [piece.call for piece in pieces])
            for piece, result in zip(pieces, results, strict=True):
                piece.result = result
        except BaseException as error:
            # The transaction is undone, perhaps by another's fault: each is tried alone.
            pieces = take()
            for piece in pieces:
                if not isinstance(error, Exception) or (len(pieces) == 1 and not isinstance(error, Raced)):
                    piece.error = error
                else:
                    self._alone(piece)

    def _alone(self, piece: _Call) -> None:
        for _again in range(TRIES):
            try:
                with write() as session:
                    (piece.result,) = self._work(session, hold(session, self._session_id), [piece.call])
                piece.error = None
                return
            except Raced as error:
                piece.error = error
            except Exception as error:
                piece.error = error
                return


_guard = threading.Lock()


def in_turn(session_id: str, call: C, work: Callable[[Session, LiveSession, Sequence[C]], list[R]]) -> R:
    """What came of `call`, once `work` has done it in a transaction that holds the session, perhaps with the calls of
    other threads. `work` is the same for all of one session; it gives a result for each call, or raises for all."""
    with _guard:
        lines: WeakValueDictionary[str, _Calls] = current_app.extensions.setdefault(LINES, WeakValueDictionary())
        line = lines.get(session_id)
        if line is None:
            line = lines[session_id] = _Calls(session_id, work)
    found: R = line.wait_for(_Call(call))
    return found
