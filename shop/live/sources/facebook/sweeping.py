"""When a live video's list is read once more, and from which place: for comments that Facebook lets appear late.

Only remembers; the reader asks. Times are those of `time.monotonic`.
"""

import time
from collections import deque
from dataclasses import dataclass, field

SWEEP = 180.0
"""Seconds between the end of a sweep and the next."""
LATE = 600.0
"""Seconds that a comment may take to appear, and still be found."""
MARK = 30.0
"""Seconds between two places that are remembered, so that a sweep can begin there."""
MARKS_MAX = 480


@dataclass
class Sweep:
    """One reader's sweeps, one after another. What appears within LATE of being said is found by the next.

    A sweep begins where the reader was LATE before the last one began: all that was said before that had appeared by
    then. Without such a place it begins where the list does.
    """

    at: str | None = None
    """How far the sweep that is going on has come; None when none is."""
    ended: float = field(default_factory=time.monotonic)
    """When the last one ended, or this reader began."""
    _began: float | None = None
    """When the last whole one began."""
    _begins: float = 0.0
    _final: bool = False
    _marks: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MARKS_MAX))

    def reached(self, cursor: str) -> None:
        """The reader came to this place."""
        now = time.monotonic()
        if cursor and (not self._marks or now - self._marks[-1][0] >= MARK):
            self._marks.append((now, cursor))

    def place(self, *, last: bool) -> str | None:
        """Where to read on now; None when nothing is due, or the `last` one, of the whole list, is done."""
        now = time.monotonic()
        if last and not self._final:
            self._final, self.at, self._begins = True, "", now
        elif not last and self.at is None and now - self.ended > SWEEP:
            self.at, self._begins = self._from(), now
        return self.at

    def read(self, cursor: str, *, more: bool) -> str | None:
        """A page up to this place was taken; where to read on, None when it is done."""
        self.at = cursor if more else None
        if not more:
            self.ended, self._began = time.monotonic(), self._begins
        return self.at

    def lost(self) -> None:
        """The place is not known there any more: from the beginning."""
        self.at = ""

    def _from(self) -> str:
        if self._began is None:
            return ""
        before = self._began - LATE
        return next((cursor for reached, cursor in reversed(self._marks) if reached <= before), "")
