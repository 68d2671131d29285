"""Where the columns of a chart stand. Pure: numbers in, places out; the template draws them as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 170
LEFT, TOP, BOTTOM = 52, 12, 24
"""Room for the figures beside, above and below the columns."""
STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Column:
    """One column, in the drawing's units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Level:
    """A line across, and what it stands for."""

    y: float
    value: int


@dataclass(frozen=True)
class Chart:
    """Columns over a ground line, with one or two lines across."""

    columns: Sequence[Column]
    levels: Sequence[Level]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    ground: int = HEIGHT - BOTTOM


def columns(values: Sequence[int]) -> Chart:
    """A chart of values that are not negative, the first on the left. What is not nothing is at least a line high."""
    top = round_up(max(values, default=0))
    room = HEIGHT - BOTTOM - TOP
    ground = HEIGHT - BOTTOM
    step = (WIDTH - LEFT) / max(len(values), 1)
    drawn = []
    for number, value in enumerate(values):
        height = round(max(room * value / top, 1.5), 1) if value else 0.0
        drawn.append(
            Column(round(LEFT + number * step + step * 0.12, 1), ground - height, round(step * 0.76, 1), height)
        )
    return Chart(drawn, [Level(round(ground - room * value / top, 1), value) for value in _levels(top)])


def round_up(value: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 … that is not less; 1 for nothing."""
    scale = 1
    while True:
        for step in STEPS:
            if step * scale >= value:
                return step * scale
        scale *= 10


def _levels(top: int) -> tuple[int, ...]:
    return (top // 2, top) if top > 1 else (top,)


def share(value: int, most: int, width: int = 100) -> float:
    """How long a bar is beside the longest."""
    return round(width * value / most, 1) if most > 0 else 0.0


@dataclass(frozen=True)
class Knot:
    """A place on the strand of orders: a loop where some wait, a straight run where none do."""

    x: float
    count: int


@dataclass(frozen=True)
class Strand:
    """A strand that lies across, with its knots from the left."""

    path: str
    knots: Sequence[Knot]
    width: int = WIDTH
    line: int = 62
    loop: int = 23


def strand(counts: Sequence[int]) -> Strand:
    """A noodle across the page that is looped wherever the count is not 0."""
    step = WIDTH / max(len(counts), 1)
    knots = [Knot(round(step * (number + 0.5), 1), count) for number, count in enumerate(counts)]
    line, loop = Strand.line, Strand.loop
    path = [f"M0 {line}"]
    for knot in knots:
        path.append(f"H{knot.x:g}")
        if knot.count:
            wide, top = 1.34 * loop, line - 2 * loop
            left, right = round(knot.x - wide, 1), round(knot.x + wide, 1)
            path.append(f"C{right:g} {line} {right:g} {top} {knot.x:g} {top}S{left:g} {line} {knot.x:g} {line}")
    return Strand("".join([*path, f"H{WIDTH}"]), knots)
