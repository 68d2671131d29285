"""A drawing of the way that a lot went: hamlets where they lie, the strand from one to the next, a scale and north.

Pure: places in, numbers for SVG out. No map service and no outline of anything: only what coordinates tell. Distances
are great circles on a sphere of the earth's mean radius (IUGG), as the crow flies.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

EARTH = 6371.0088
"""Mean radius, kilometres."""
WIDTH = 360
MOST_BESIDE = 8
"""Hamlets drawn for orientation that the lot never came through."""
FAR = 100.0
"""Kilometres. Farther apart than this no two hamlets of a commune lie: a coordinate is wrong, and nothing is drawn."""

_SIDE, _EDGE, _TALLEST, _LOWEST = 76, 34, 210, 60
_NEAREST = 3.0
"""Kilometres that the drawing shows at least: positions are known to about one."""
_LETTER, _LETTER_BESIDE, _LINE = 9.0, 7.3, 17
"""Pixels: about how wide a letter runs at the sizes of scan/way.html, and how high a line is."""
_BARS = (1, 2, 5, 10, 20, 50)
_POINTS = 8

Point = tuple[float, float]
Bow = tuple[Point, Point, Point]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Place:
    """A hamlet; `latitude` and `longitude` in degrees (WGS 84), both None where nobody noted them."""

    id: str
    name: str
    latitude: float | None = None
    longitude: float | None = None

    @property
    def known(self) -> bool:
        """True where it is known where it lies."""
        return self.latitude is not None and self.longitude is not None


@dataclass(frozen=True)
class Dot:
    """A hamlet in the drawing. `number` is its turn on the way, 0 for one that the lot never came through."""

    name: str
    number: int
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True)
class Drawing:
    """What there is to draw, in a box of `WIDTH` × `height`. `bar` is so many pixels long for `bar_km` kilometres;
    0 where the drawing has no scale, only the order."""

    height: int
    dots: tuple[Dot, ...]
    threads: tuple[str, ...]
    bar: float = 0.0
    bar_km: int = 0


def kilometres(one: Place, other: Place) -> float | None:
    """The distance as the crow flies, None where either is unknown."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    half = math.sin((south - north) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))


def wind(one: Place, other: Place) -> int | None:
    """Where `other` lies, seen from `one`: 0 north, 1 north-east, clockwise to 7 north-west. None where unknown or
    the same."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    north = other.latitude - one.latitude
    east = (other.longitude - one.longitude) * math.cos(math.radians((one.latitude + other.latitude) / 2))
    if not north and not east:
        return None
    return round(math.degrees(math.atan2(east, north)) / (360 / _POINTS)) % _POINTS


def draw(stops: Sequence[Place], beside: Iterable[Place], legs: Iterable[tuple[str, str]]) -> Drawing | None:
    """The way through `stops`, in their order, with other hamlets around it; `legs` are pairs of stops' ids.

    To scale where every stop's position is known; else the stops in a row. None where that would show nothing.
    """
    pairs = [(start, end) for start, end in dict.fromkeys(legs) if start != end]
    if stops and all(stop.known for stop in stops) and _span(stops) <= FAR:
        found = _nearest(stops, beside)
        return _to_scale(stops, found, pairs) if len(stops) + len(found) > 1 else None
    return _row(stops, pairs) if len(stops) > 1 else None


def _span(stops: Sequence[Place]) -> float:
    return max((kilometres(stops[0], stop) or 0.0 for stop in stops), default=0.0)


def _nearest(stops: Sequence[Place], beside: Iterable[Place]) -> list[Place]:
    own = {stop.id for stop in stops}
    reach = max(2 * _span(stops), 12.0)
    found = [(kilometres(stops[0], one), one.name, one) for one in beside if one.id not in own]
    near = sorted((km, name, one.id, one) for km, name, one in found if km is not None and km <= reach)
    return [one for *_order, one in near[:MOST_BESIDE]]


def _to_scale(stops: Sequence[Place], beside: Sequence[Place], pairs: Iterable[tuple[str, str]]) -> Drawing:
    everyone = [*stops, *beside]
    middle = math.cos(math.radians(sum(one.latitude or 0.0 for one in everyone) / len(everyone)))
    degree = math.radians(1) * EARTH
    east = [(one.longitude or 0.0) * middle * degree for one in everyone]
    north = [(one.latitude or 0.0) * degree for one in everyone]
    wide, tall = max(east) - min(east), max(north) - min(north)
    scale = min((WIDTH - 2 * _SIDE) / max(wide, _NEAREST), _TALLEST / max(tall, _NEAREST / 2))
    height = round(max(tall * scale, _LOWEST)) + 2 * _EDGE + 16
    left = (WIDTH - wide * scale) / 2
    top = (height - 16 - tall * scale) / 2
    points = [
        (round(left + (x - min(east)) * scale, 1), round(top + (max(north) - y) * scale, 1))
        for x, y in zip(east, north, strict=True)
    ]
    numbers = [*range(1, len(stops) + 1), *[0] * len(beside)]
    at = {one.id: point for one, point in zip(everyone, points, strict=True)}
    bar = max((km for km in _BARS if km * scale <= WIDTH / 3), default=_BARS[0])
    bows = _bows(at, pairs)
    dots = _labelled(list(zip((one.name for one in everyone), numbers, points, strict=True)), height, bows)
    return Drawing(height, dots, _threads(bows), round(bar * scale, 1), bar)


def _row(stops: Sequence[Place], pairs: Iterable[tuple[str, str]]) -> Drawing:
    """The stops one below the other, in their order."""
    step = 48
    points = [(40.0, 30.0 + step * number) for number in range(len(stops))]
    dots = tuple(
        Dot(stop.name, number, x, y, x + 18, y + 5, "start")
        for number, (stop, (x, y)) in enumerate(zip(stops, points, strict=True), start=1)
    )
    at = {stop.id: point for stop, point in zip(stops, points, strict=True)}
    return Drawing(round(points[-1][1]) + 30, dots, _threads(_bows(at, pairs)))


def _bows(at: dict[str, Point], pairs: Iterable[tuple[str, str]]) -> list[Bow]:
    """For each leg where it begins, its bend, where it ends: bent to its right, so that the way back does not lie on
    the way there."""
    drawn = []
    for start, end in pairs:
        if start not in at or end not in at:
            continue
        (x1, y1), (x2, y2) = at[start], at[end]
        bend = ((x1 + x2) / 2 - (y2 - y1) * 0.18, (y1 + y2) / 2 + (x2 - x1) * 0.18)
        drawn.append(((x1, y1), bend, (x2, y2)))
    return drawn


def _threads(bows: Iterable[Bow]) -> tuple[str, ...]:
    return tuple(f"M{x1:g} {y1:g}Q{x:.1f} {y:.1f} {x2:g} {y2:g}" for (x1, y1), (x, y), (x2, y2) in bows)


def _along(bow: Bow) -> Iterator[Box]:
    """Small boxes over a strand."""
    for step in range(1, 16):
        t = step / 16
        x, y = ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for a, b, c in zip(*bow, strict=True))
        yield x - 5, y - 5, x + 5, y + 5


def _labelled(dots: Sequence[tuple[str, int, Point]], height: int, bows: Iterable[Bow]) -> tuple[Dot, ...]:
    """Names where they cover nothing. A hamlet beside the way that finds no room is left out; a stop never is."""
    taken: list[Box] = [(x - 12, y - 12, x + 12, y + 12) for _name, number, (x, y) in dots if number]
    taken += [box for bow in bows for box in _along(bow)]
    placed = []
    for name, number, (x, y) in dots:
        gap, wide = (15, _LETTER * len(name)) if number else (9, _LETTER_BESIDE * len(name))
        tried = (
            (x + gap, y + 5, "start", (x + gap, y - 8, x + gap + wide, y + 8)),
            (x - gap, y + 5, "end", (x - gap - wide, y - 8, x - gap, y + 8)),
            (x, y - gap, "middle", (x - wide / 2, y - gap - _LINE, x + wide / 2, y - gap + 3)),
            (x, y + gap + 10, "middle", (x - wide / 2, y + gap - 4, x + wide / 2, y + gap + _LINE)),
        )
        free = [one for one in tried if _inside(one[3], height) and not any(_meet(one[3], box) for box in taken)]
        if not free and not number:
            continue
        label_x, label_y, anchor, box = free[0] if free else tried[0 if x < WIDTH / 2 else 1]
        taken += [box, (x - 6, y - 6, x + 6, y + 6)]
        placed.append(Dot(name, number, x, y, round(label_x, 1), round(label_y, 1), anchor))
    return tuple(placed)


def _inside(box: Box, height: int) -> bool:
    return box[0] >= 2 and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= height - 18


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
