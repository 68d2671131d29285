"""The picture of a series: where its lines, gaps, bands and ticks go. Numbers in, numbers and SVG paths out.

A curve is drawn for a phone held upright, 360 wide; wider screens scale it. What was not measured is not drawn: a gap
breaks the line and is marked as one.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from trace.series.reduced import Row, Series

LEFT, RIGHT, TOP, BOTTOM = 44, 352, 30, 170
COLUMNS = 150
"""A line has at most so many points: more would not be seen, and would only weigh."""
GAP = 2.5
"""So many times the usual distance between two readings without one, and there is a gap."""
LEAST_GAP = 3
"""Narrower gaps break the line, but are too thin for a mark of their own."""
HOUR, DAY = 3600, 86400
_TIME_STEPS = (300, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY)
MOST_TIMES = 5
MOST_VALUES = 4


@dataclass(frozen=True)
class Tick:
    """A line of the grid, and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True)
class Level:
    """A line of the grid at a value, in thousandths; `digits` after the comma tell it exactly."""

    at: float
    value: int
    digits: int


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Plot:
    """Everything to draw. `lines` are the means, `spans` from lowest to highest, one path for each unbroken run."""

    lines: tuple[str, ...]
    spans: tuple[str, ...]
    gaps: tuple[Box, ...]
    band: Box | None
    """Where values usually are."""
    times: tuple[Tick, ...]
    levels: tuple[Level, ...]


def plot(series: Series, zone: dt.tzinfo, usual: tuple[int, int] | None = None) -> Plot:
    """The picture of a series, its times told in `zone`. One without rows is an empty grid."""
    low, high = _range(series.rows, usual)
    levels, low, high = _levels(low, high)
    span = max(series.end - series.start, 1)

    def x(moment: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * min(max((moment - series.start) / span, 0), 1), 1)

    def y(value: int) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)

    runs = [_thinned(run, series) for run in runs_of(series)]
    lines = tuple(_line([(x(moment), y(row.mean)) for moment, row in run]) for run in runs)
    spans = tuple(
        _area([(x(moment), y(row.low)) for moment, row in run], [(x(moment), y(row.high)) for moment, row in run])
        for run in runs
    )
    band = None
    if usual is not None and usual[1] > low and usual[0] < high:
        above, below = y(min(usual[1], high)), y(max(usual[0], low))
        band = Box(LEFT, above, RIGHT - LEFT, round(below - above, 1))
    return Plot(
        lines=lines,
        spans=spans,
        gaps=tuple(
            Box(x(a), TOP, round(x(b) - x(a), 1), BOTTOM - TOP) for a, b in gaps_of(series) if x(b) - x(a) >= LEAST_GAP
        ),
        band=band,
        times=tuple(Tick(x(moment), label) for moment, label in _times(series.start, series.end, zone)),
        levels=tuple(Level(y(value), value, digits) for value, digits in levels),
    )


def runs_of(series: Series) -> list[list[Row]]:
    """The rows, parted where nothing was measured for longer than usual."""
    if not series.rows:
        return []
    slots = [row.slot for row in series.rows]
    usual = median([b - a for a, b in pairwise(slots)] or [1])
    runs = [[series.rows[0]]]
    for before, row in pairwise(series.rows):
        if row.slot - before.slot > GAP * max(usual, 1):
            runs.append([])
        runs[-1].append(row)
    return runs


def gaps_of(series: Series) -> list[tuple[int, int]]:
    """From when to when nothing was measured, at the window's two ends as well, in Unix seconds."""
    edges = [series.start]
    for run in runs_of(series):
        edges += [series.at(run[0]), series.at(run[-1]) + series.step]
    edges.append(series.end)
    least = GAP * series.step
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > least]


def _thinned(run: Sequence[Row], series: Series) -> list[tuple[float, Row]]:
    """(middle, row), several steps joined where they would fall on one column."""
    width = max(-(-(series.end - series.start) // (COLUMNS * series.step)), 1)
    found: list[tuple[float, Row]] = []
    group: list[Row] = []
    for row in [*run, None]:
        if group and (row is None or row.slot // width != group[0].slot // width):
            count = sum(one.count for one in group)
            joined = Row(
                group[0].slot,
                min(one.low for one in group),
                sum(one.mean * one.count for one in group) // count,
                max(one.high for one in group),
                count,
            )
            middle = (series.at(group[0]) + series.at(group[-1]) + series.step) / 2
            found.append((middle, joined))
            group = []
        if row is not None:
            group.append(row)
    return found


def _line(points: Sequence[tuple[float, float]]) -> str:
    """A run of one point is a dot, drawn by the line's round ends."""
    first, *rest = points
    return f"M{first[0]:g} {first[1]:g}" + ("".join(f"L{a:g} {b:g}" for a, b in rest) or "h0")


def _area(low: Sequence[tuple[float, float]], high: Sequence[tuple[float, float]]) -> str:
    around = [*low, *reversed(high)]
    return "M" + "L".join(f"{a:g} {b:g}" for a, b in around) + "Z"


def _range(rows: Sequence[Row], usual: tuple[int, int] | None) -> tuple[int, int]:
    values = [value for row in rows for value in (row.low, row.high)]
    if not values:
        return usual or (0, 1000)
    low, high = min(values), max(values)
    # The band is context: it may widen the picture, but not squeeze the curve into a line.
    for edge in usual or ():
        reach = max(high - low, 1000)
        if low - reach <= edge <= high + reach:
            low, high = min(low, edge), max(high, edge)
    return low, high


def _levels(low: int, high: int) -> tuple[list[tuple[int, int]], int, int]:
    """Round values from at most `low` to at least `high`, and the picture's own two ends."""
    if high - low < 10:
        low, high = low - 5, high + 5
    size = 1
    while True:
        for factor in (1, 2, 5):
            step = factor * size
            first, last = low // step * step, -(-high // step) * step
            if (last - first) // step <= MOST_VALUES:
                digits = 0 if step % 1000 == 0 else 1 if step % 100 == 0 else 2 if step % 10 == 0 else 3
                return [(value, digits) for value in range(first, last + 1, step)], first, last
        size *= 10


def _times(start: int, end: int, zone: dt.tzinfo) -> list[tuple[int, str]]:
    """Round hours or days of `zone` within the window."""
    offset = dt.datetime.fromtimestamp(start, zone).utcoffset() or dt.timedelta()
    ahead = int(offset.total_seconds())
    for step in _TIME_STEPS:
        first = -(-(start + ahead) // step) * step - ahead
        moments = list(range(first, end + 1, step))
        if len(moments) <= MOST_TIMES:
            break
    else:
        moments = moments[:: -(-len(moments) // MOST_TIMES)]
    form = "%d/%m" if step >= DAY else "%H:%M"
    return [(moment, dt.datetime.fromtimestamp(moment, zone).strftime(form)) for moment in moments]
