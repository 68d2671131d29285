"""Scans are counted beside the requests: in memory, and written down together about once a second.

Each process has a counter of its own and adds what it counted to the database's rows, so several need not talk to each
other. What a process counted within its last second is lost when it is killed with -9; an orderly end writes it down.
"""

import atexit
import datetime as dt
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from flask import Flask

from trace.units import hands, secret
from trace.units.reader import Reader
from trace.units.writing import Day, LotDay, put_down
from village import clock
from village.db import write

EVERY = 1.0
"""Seconds between two writings."""
MAX_KEYS = 20_000
"""Packs' days and lots' days held in memory. Invented serial numbers are counted by lot and add none."""

log = structlog.get_logger("soi.units")


@dataclass
class Held:
    """What was counted since the last writing."""

    units: dict[tuple[str, dt.date, str], Day] = field(default_factory=dict)
    lots: dict[tuple[str, dt.date], LotDay] = field(default_factory=dict)
    packs: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.units) + len(self.lots)

    def take_back(self, other: "Held") -> None:
        """Add what was counted apart."""
        self.packs |= other.packs
        for key, day in other.units.items():
            self.units.setdefault(key, Day(day.at)).add(day)
        for lot, lot_day in other.lots.items():
            self.lots.setdefault(lot, LotDay()).add(lot_day)


class Counter:
    """One process's."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._held = Held()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._timer: threading.Timer | None = None
        self._key: tuple[dt.date, bytes] | None = None
        self._midnight: threading.Timer | None = None
        self._stopped = False
        _at_exit(weakref.ref(self))

    def scan(self, unit_id: str, batch_id: str, reader: Reader, place: str = "", scans: int = 1) -> None:
        """Count a scan of a pack; with `scans=0` only where a reader said that she is."""
        now, day = clock.now(), clock.today()
        key = self._key_of(day)
        seen = Day(
            now, scans, hands.mark(key, unit_id, "hand\n" + reader.hand),
            hands.mark(key, unit_id, "network\n" + reader.network) if reader.network else 0, batch_id,
        )  # fmt: skip
        self._add(Held({(unit_id, day, place or reader.place): seen}, packs={unit_id}))

    def lot(self, batch_id: str, seen: LotDay) -> None:
        """Count what a lot's label went through where no pack of ours can be named, or none should be."""
        day = clock.today()
        self._add(Held(lots={(batch_id, day): seen}))

    def is_new(self, unit_id: str) -> bool:
        """True while no scan of this pack waits to be written down here."""
        with self._lock:
            return unit_id not in self._held.packs

    def flush(self) -> None:
        """Write down what was counted; within an app context, outside of any transaction."""
        with self._writing:
            with self._lock:
                held, self._held = self._held, Held()
                self._timer = None
            if not held:
                return
            try:
                with write() as session:
                    put_down(session, held.units, held.lots)
            except BaseException:
                with self._lock:
                    held.take_back(self._held)
                    self._held = held
                raise

    def stop(self) -> None:
        """Write nothing more, and let go of what waits: the village is gone."""
        with self._lock:
            self._stopped, self._held = True, Held()
            for timer in (self._timer, self._midnight):
                if timer is not None:
                    timer.cancel()

    def _add(self, seen: Held) -> None:
        with self._lock:
            full = len(self._held) >= MAX_KEYS
            if not full:
                self._held.take_back(seen)
                self._start()
                return
        # More than was ever thought of: whoever brings it writes it all down first.
        self._write_down()
        with self._lock:
            if len(self._held) < MAX_KEYS:
                self._held.take_back(seen)
                self._start()

    def _start(self) -> None:
        if self._timer is None and not self._stopped:
            self._timer = _later(EVERY, self._write_down)

    def _write_down(self) -> None:
        try:
            with self._app.app_context():
                self.flush()
        except Exception:
            # The readers have their answer; what was counted is kept, and tried again.
            log.exception("scans-not-written")
            with self._lock:
                self._start()

    def _key_of(self, day: dt.date) -> bytes:
        found = self._key
        if found is None or found[0] != day:
            found = self._key = (day, secret.key_of(day, self._app.extensions["soi"].secret_key))
            over = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(0, 0, 5), clock.VN) - clock.now()
            if self._midnight is not None:
                self._midnight.cancel()
            self._midnight = _later(max(over.total_seconds(), EVERY), self._forget)
        return found[1]

    def _forget(self) -> None:
        """The day is over: its key goes, and what made it."""
        self._key = self._midnight = None
        try:
            with self._app.app_context(), write() as session:
                secret.forget(session, clock.today())
        except Exception:
            # Whoever scans first today ends it.
            log.exception("scan-salt-not-forgotten")


def _later(seconds: float, act: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer


def _at_exit(counter: "weakref.ref[Counter]") -> None:
    def last() -> None:
        found = counter()
        if found is None:
            return
        try:
            # Also where nothing waits here: what is just being written down must come to its end.
            with found._app.app_context():
                found.flush()
        except Exception:
            # The log may be closed already: then there is nobody left to tell.
            with suppress(ValueError):
                log.exception("scans-not-written")
        found.stop()

    atexit.register(last)
