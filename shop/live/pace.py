"""How a livestream went, minute by minute. Pure: moments and counts in, columns out."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

COLUMNS_MAX = 60
STEPS = (1, 2, 5, 10, 15, 30, 60)
"""Minutes that a column may stand for; past them whole hours."""


@dataclass(frozen=True)
class Span:
    """The time that is drawn: `columns` of `minutes` each, from `first` on."""

    first: dt.datetime
    minutes: int
    columns: int

    def starts(self) -> list[dt.datetime]:
        """When each column begins."""
        return [self.first + dt.timedelta(minutes=self.minutes * number) for number in range(self.columns)]

    def fill(self, moments: Iterable[tuple[dt.datetime, int]]) -> list[int]:
        """The sum of each column. What lies outside counts in the first or the last: a phone's clock may be off."""
        sums = [0] * self.columns
        for moment, count in moments:
            number = int((moment - self.first) / dt.timedelta(minutes=self.minutes))
            sums[min(max(number, 0), self.columns - 1)] += count
        return sums


def span(first: dt.datetime, last: dt.datetime) -> Span:
    """From the minute of `first` to that of `last`, in at most COLUMNS_MAX columns."""
    first = first.replace(second=0, microsecond=0)
    minutes = max(int((last - first).total_seconds() // 60) + 1, 1)
    whole_hours = -(-minutes // (60 * COLUMNS_MAX)) * 60
    step = next((step for step in STEPS if minutes <= step * COLUMNS_MAX), whole_hours)
    return Span(first, step, -(-minutes // step))
