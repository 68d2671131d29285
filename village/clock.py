"""The village's clock. Everything that asks for the time asks here, so that a test can set it."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

VN = ZoneInfo("Asia/Ho_Chi_Minh")

_fixed: dt.datetime | None = None


def now() -> dt.datetime:
    """The present moment, aware, in UTC."""
    return _fixed or dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """Today's date as the village sees it (Asia/Ho_Chi_Minh)."""
    return now().astimezone(VN).date()


@contextmanager
def fixed(moment: dt.datetime) -> Iterator[None]:
    """Hold the clock of this process at `moment` (aware): for tests and for the demo's season."""
    global _fixed
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    before, _fixed = _fixed, moment.astimezone(dt.UTC)
    try:
        yield
    finally:
        _fixed = before
