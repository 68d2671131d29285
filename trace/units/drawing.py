"""The picture of scans by day and place: where its circles, days and rows go. Numbers in, numbers out."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trace.units.hands import count

LEFT, RIGHT, TOP, ROW = 126, 348, 16, 30
COLUMNS = 30
"""Days side by side; of a longer time several days share a column."""
MOST_ROWS = 9
"""Places drawn apart, those with most scans; the others share the last row."""
SMALLEST, LARGEST = 3.0, 12.0
OTHERS = "+"


@dataclass(frozen=True)
class Told:
    """A day in a place: its scans, and how many networks they came from (marks)."""

    day: dt.date
    place: str
    scans: int
    networks: int


@dataclass(frozen=True)
class Dot:
    """A circle: its middle, its radius, and what it stands for."""

    x: float
    y: float
    radius: float
    scans: int
    many: bool
    """True where they came from several networks: drawn full, others hollow."""


@dataclass(frozen=True)
class Row:
    """A place, and how high its row stands."""

    place: str
    y: float
    scans: int


@dataclass(frozen=True)
class Tick:
    """A day under the picture."""

    x: float
    day: dt.date


@dataclass(frozen=True)
class Drawn:
    """All of it."""

    height: float
    rows: tuple[Row, ...]
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]


def draw(told: Sequence[Told]) -> Drawn:
    """The picture of these days; one of nothing is empty."""
    if not told:
        return Drawn(0, (), (), ())
    first, last = min(one.day for one in told), max(one.day for one in told)
    width = max(-(-((last - first).days + 1) // COLUMNS), 1)
    columns = (last - first).days // width + 1
    sums: dict[str, int] = {}
    for one in told:
        sums[one.place] = sums.get(one.place, 0) + one.scans
    places = sorted(sums, key=lambda place: (-sums[place], place))
    if len(places) > MOST_ROWS:
        rest = places[MOST_ROWS - 1 :]
        places = [*places[: MOST_ROWS - 1], OTHERS]
        sums[OTHERS] = sum(sums[place] for place in rest)
    rows = {place: TOP + ROW * (number + 0.5) for number, place in enumerate(places)}
    cells: dict[tuple[int, str], tuple[int, int]] = {}
    for one in told:
        key = ((one.day - first).days // width, one.place if one.place in rows else OTHERS)
        scans, networks = cells.get(key, (0, 0))
        cells[key] = scans + one.scans, max(networks, count(one.networks))
    step = (RIGHT - LEFT) / columns
    most = max(max(scans for scans, _networks in cells.values()), 1)
    dots = tuple(
        Dot(
            round(LEFT + step * (column + 0.5), 1), rows[place],
            round(max(LARGEST * (scans / most) ** 0.5, SMALLEST), 1), scans, networks > 1,
        )
        for (column, place), (scans, networks) in sorted(cells.items())
    )  # fmt: skip
    shown = sorted({0, columns // 2, columns - 1} if columns > 2 else set(range(columns)))
    ticks = tuple(
        Tick(round(LEFT + step * (column + 0.5), 1), first + dt.timedelta(days=column * width)) for column in shown
    )
    return Drawn(
        TOP + ROW * len(rows) + 24, tuple(Row(place, y, sums[place]) for place, y in rows.items()), dots, ticks
    )
