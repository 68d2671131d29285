"""A sensor's readings over one window, reduced to steps: the bytes whose hash stands on the ledger.

Values are integers in thousandths of their unit, times are Unix seconds. The form is in docs/formats.md.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from trace.ledger.canonical import canonical

FORMAT = "soi-series/v1"
STEPS = (60, 300, 900, 3600)
"""Seconds that one row may stand for."""
MOST_ROWS = 600
"""More rows than these are too many for one window: a longer step is taken."""
LONGEST = MOST_ROWS * STEPS[-1]
"""Seconds of the longest window: 25 days."""
RANKS = (5, 50, 95)
"""Percentiles that are told of a series."""
MOST_BYTES = 256 * 1024


class MalformedSeries(ValueError):
    """Bytes that are no series."""


@dataclass(frozen=True)
class Row:
    """One step: `slot` counts steps from the one in which the window begins."""

    slot: int
    low: int
    mean: int
    high: int
    count: int


@dataclass(frozen=True)
class Summary:
    """A series in a few numbers, all of them computed from its rows. `ranks` are percentiles of the steps' means."""

    low: int
    mean: int
    high: int
    count: int
    ranks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Series:
    """What one sensor told from `start` to `end` (the end left out), in steps that begin at multiples of `step`."""

    sensor: str
    type: str
    unit: str
    start: int
    end: int
    step: int
    low: int
    high: int
    """Plausible bounds: a reading outside of them is no row's, but counted in `left_out`."""
    left_out: int
    rows: tuple[Row, ...]

    @property
    def origin(self) -> int:
        """When slot 0 begins."""
        return self.start // self.step * self.step

    def at(self, row: Row) -> int:
        """When a row's step begins."""
        return self.origin + row.slot * self.step

    def body(self) -> bytes:
        """The canonical bytes (RFC 8785)."""
        told = {
            "format": FORMAT,
            "sensor": self.sensor,
            "type": self.type,
            "unit": self.unit,
            "start": self.start,
            "end": self.end,
            "step": self.step,
            "bounds": [self.low, self.high],
            "leftOut": self.left_out,
            "rows": [[row.slot, row.low, row.mean, row.high, row.count] for row in self.rows],
        }
        return canonical(told, limit=MOST_BYTES)

    def summary(self) -> Summary:
        """Lowest, mean, highest, count and percentiles. A series without rows has none: ValueError."""
        if not self.rows:
            raise ValueError("a series without rows has nothing to sum up")
        count = sum(row.count for row in self.rows)
        total = sum(row.mean * row.count for row in self.rows)
        return Summary(
            min(row.low for row in self.rows),
            mean_of(total, count),
            max(row.high for row in self.rows),
            count,
            tuple((rank, _percentile(self.rows, count, rank)) for rank in RANKS),
        )


def digest(body: bytes) -> str:
    """SHA-256 of a series' bytes, in hex."""
    return hashlib.sha256(body).hexdigest()


def parse(body: bytes) -> Series:
    """The series of these bytes; raises MalformedSeries, and nothing else, where they are none."""
    try:
        told: dict[str, Any] = json.loads(body)
        if told["format"] != FORMAT:
            raise MalformedSeries("another format")
        low, high = told["bounds"]
        return Series(
            sensor=str(told["sensor"]),
            type=str(told["type"]),
            unit=str(told["unit"]),
            start=int(told["start"]),
            end=int(told["end"]),
            step=int(told["step"]),
            low=int(low),
            high=int(high),
            left_out=int(told["leftOut"]),
            rows=tuple(Row(*map(int, row)) for row in told["rows"]),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise MalformedSeries("no series") from error


def mean_of(total: int, count: int) -> int:
    """A mean in whole thousandths, halves rounded up: the same on every machine."""
    return (2 * total + count) // (2 * count)


def step_for(start: int, end: int, least: int = STEPS[0]) -> int:
    """The shortest step of at least `least` seconds by which the window has no more than MOST_ROWS rows."""
    fits = [step for step in STEPS if step >= least and (end - start) <= MOST_ROWS * step]
    return fits[0] if fits else STEPS[-1]


def joined(rows: Iterable[tuple[int, int, int, int, int]]) -> tuple[Row, ...]:
    """Rows of (slot, low, total, high, count), the same slot perhaps several times, as one row for each slot."""
    found: dict[int, tuple[int, int, int, int]] = {}
    for slot, low, total, high, count in rows:
        before = found.get(slot)
        if before is not None:
            low, high = min(low, before[0]), max(high, before[2])
            total, count = total + before[1], count + before[3]
        found[slot] = (low, total, high, count)
    return tuple(
        Row(slot, low, mean_of(total, count), high, count) for slot, (low, total, high, count) in sorted(found.items())
    )


def _percentile(rows: Sequence[Row], count: int, rank: int) -> int:
    """The smallest mean that at least `rank` per cent of the readings do not exceed, a step's readings at its mean."""
    needed, seen = -(-rank * count // 100), 0
    for row in sorted(rows, key=lambda one: one.mean):
        seen += row.count
        if seen >= needed:
            return row.mean
    raise AssertionError("ranks are at most 100")
