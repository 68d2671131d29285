"""What the keeper does and when: the one place to read, or to change, its schedule."""

import datetime as dt
from dataclasses import dataclass

from village.clock import VN


@dataclass(frozen=True)
class Duty:
    """Something that has to happen by itself."""

    name: str
    command: tuple[str, ...]
    """What to run as `flask ledger …`, in a process of its own; empty when the keeper does it itself."""
    group: str = "ledger"
    """The group of commands that it belongs to: `ledger`, or one of another room, of which nothing is known here."""
    every: float = 15
    """Seconds between two looks whether there is something to do."""
    hour: int | None = None
    """From which hour of the village's day it is due, once a day; None when it is due whenever there is something."""
    patience: int = 300
    """Seconds that its process may take; then it is ended, and the duty has failed."""
    first_wait: int = 60
    longest_wait: int = 3600
    """Seconds until it is tried again after a failure: doubled with each failure in a row, up to the longest."""

    def wait(self, failures: int) -> int:
        """Seconds to wait after so many failures in a row."""
        return min(self.first_wait << min(failures - 1, 16), self.longest_wait)

    def began(self, now: dt.datetime) -> dt.datetime:
        """When the present turn of a daily duty began: it is due if it was not done since."""
        assert self.hour is not None
        there = now.astimezone(VN)
        turn = there.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        return turn if turn <= there else turn - dt.timedelta(days=1)


COSIGN = Duty("cosign", (), every=5, first_wait=10, longest_wait=60)
"""Show the newest checkpoint to the witnesses."""
ANCHOR = Duty("anchor", ("anchor",), hour=23)
"""Have the day's last checkpoint stamped, when the day's work is done."""
CHECK = Duty("check", ("verify", "--json", "--afresh", "--jobs", "1"), hour=3, patience=6 * 3600, first_wait=300)
"""Read the whole stored log again while the village sleeps, and believe nothing that an earlier check left behind."""
EXPORT = Duty("export", ("export",), every=600, patience=3600)
"""Bring the folder LEDGER_EXPORT up to date."""

TIDY = Duty("tidy", ("tidy",), group="sensors", hour=2, patience=3600)
"""Thin sensors' readings that are too old to be kept one by one."""

PHOTOS = Duty("photos", ("tidy",), group="photos", hour=2)
"""Put away uploads that broke off and photos that no event names."""

DUTIES = (COSIGN, ANCHOR, CHECK, EXPORT, TIDY, PHOTOS)
TICK = 1.0
"""Seconds between two looks at the duties."""

CHECKS_KEPT = 400
CHECK_LATE = dt.timedelta(days=2)
ANCHOR_LATE = dt.timedelta(days=2)
WITNESS_LATE = dt.timedelta(days=1)
"""Not done for so long, and the office hears of it."""
EVIDENCE_NEWS = dt.timedelta(days=7)
"""How long the office hears of a new piece of evidence, unless the operator explained it before."""
