"""The picture that a messenger shows beside a lot's address: 1200 × 630 pixels, as the Open Graph protocol's readers
take it. It says what the lot is and whether it may be used, never that the strand is whole: others keep such pictures
for weeks, and a proof is of its moment.

Pure: words in, PNG out.
"""

import io
import math
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from trace.labels import fonts
from trace.labels.layout import wrap

WIDTH, HEIGHT = 1200, 630
MOST_KEPT = 64
"""Pictures kept in each process; one takes some 30 kB."""
PATIENCE = 2.0
"""Seconds that a request waits for its turn."""

_PAPER, _INK, _SOFT, _LEAF, _FLOWER = "#f7f0e0", "#1b2a21", "#4b574b", "#1d5737", "#b02f17"
_NOODLE, _STRAW = "#fff6d8", "#c9ae74"
_LEFT, _RIGHT = 92, 790
_THICK, _FINE = 38, 2
"""Strands are drawn this many times larger, then made small: Pillow's shapes have no soft edges."""
_UNIT = re.compile(r"(\d) (k?g)\b")
_turn = threading.Lock()

Point = tuple[float, float]
_KNOT = (
    ((24, 0), (24, 9), (41, 9), (41, 22)),
    ((41, 22), (41, 36), (7, 37), (7, 22)),
    ((7, 22), (7, 10), (24, 19), (24, 35)),
    ((24, 35), (24, 42), (24, 49), (24, 56)),
)
"""The knot of the strand (macros/strand.html), in its box of 48 × 56."""


@dataclass(frozen=True)
class Card:
    """What stands on the picture. `warning` is empty, or the one thing that matters; `stars` is 0 for none."""

    name: str
    lot: str
    lines: tuple[str, ...]
    warning: str
    stars: int
    foot: str


class Busy(Exception):
    """Too many pictures are asked for at once."""


def png(card: Card) -> bytes:
    """The picture. One is drawn at a time, and the last ones are kept. Raises Busy rather than let a crowd of robots
    hold every thread of the village."""
    if not _turn.acquire(timeout=PATIENCE):
        raise Busy
    try:
        return _kept(card)
    finally:
        _turn.release()


@lru_cache(maxsize=MOST_KEPT)
def _kept(card: Card) -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    image.paste(_strand(broken=bool(card.warning)), (_RIGHT, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 14), fill=_FLOWER if card.warning else _LEAF)
    top = 70
    if card.stars:
        _stars(draw, card.stars, top + 22)
        top += 56
    top = _write(draw, card.name, fonts.BOLD, 66, _INK, top, most=2)
    top = _write(draw, card.lot, fonts.BOLD, 36, _LEAF, top + 12, most=1)
    if card.warning:
        _write(draw, card.warning, fonts.BOLD, 46, _FLOWER, top + 26, most=3)
    else:
        top += 18
        for line in card.lines:
            top = _write(draw, line, fonts.REGULAR, 34, _SOFT, top + 4, most=2)
    _write(draw, card.foot, fonts.BOLD, 30, _SOFT, HEIGHT - 70, most=1)
    out = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _write(draw: ImageDraw.ImageDraw, text: str, face: str, size: int, ink: str, top: int, *, most: int) -> int:
    """Set `text` in at most `most` lines, the last one cut short if need be; where the next may begin."""
    font = ImageFont.truetype(fonts.FILES[face], size)
    lines = wrap(_UNIT.sub("\\1\u00a0\\2", " ".join(text.split())), _RIGHT - _LEFT - size, font.getlength)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1].rstrip()}…"]
    for line in lines:
        draw.text((_LEFT, top), line, font=font, fill=ink)
        # Two marks above a capital, as in Ễ, need more than a Latin line.
        top += round(size * 1.3)
    return top


def _stars(draw: ImageDraw.ImageDraw, count: int, middle: int) -> None:
    for number in range(count):
        centre = _LEFT + 24 + number * 56
        points = []
        for corner in range(10):
            reach = 25 if corner % 2 == 0 else 10.5
            angle = math.radians(36 * corner - 90)
            points.append((centre + reach * math.cos(angle), middle + reach * math.sin(angle)))
        draw.polygon(points, fill=_FLOWER)


@lru_cache(maxsize=2)
def _strand(*, broken: bool) -> Image.Image:
    """The strand down the right side, with its knot; cut where there is something to warn of."""
    wide = WIDTH - _RIGHT
    layer = Image.new("RGB", (wide * _FINE, HEIGHT * _FINE), _PAPER)
    draw = ImageDraw.Draw(layer)
    scale, down = 6.8, 110.0
    knot = [(wide / 2 + (x - 24) * scale, down + y * scale) for x, y in _flat(_KNOT)]
    above = [(wide / 2, float(y)) for y in range(-20, round(down), 4)]
    below = [(wide / 2, float(y)) for y in range(round(knot[-1][1]), HEIGHT + 20, 4)]
    over = len(knot) // 2
    _noodle(draw, [*above, *knot[:over]])
    tail = [*knot[over:], *below]
    if broken:
        ends = len(knot) - over - 4
        _noodle(draw, tail[ends + 16 :])
        tail = tail[:ends]
    _noodle(draw, tail, begun=True)
    return layer.resize((wide, HEIGHT), Image.Resampling.LANCZOS)


def _noodle(draw: ImageDraw.ImageDraw, points: list[Point], *, begun: bool = False) -> None:
    """A run of noodle with round ends; one that was `begun` elsewhere gets no edge where it goes on."""
    for thick, ink, run in ((_THICK + 8, _STRAW, points[2 if begun else 0 :]), (_THICK, _NOODLE, points)):
        half = thick * _FINE / 2
        for x, y in run:
            draw.ellipse((x * _FINE - half, y * _FINE - half, x * _FINE + half, y * _FINE + half), fill=ink)


def _flat(curves: Iterable[tuple[Point, Point, Point, Point]], steps: int = 60) -> list[Point]:
    """Cubic curves as short straight pieces."""
    found = []
    for (x0, y0), (x1, y1), (x2, y2), (x3, y3) in curves:
        for step in range(steps):
            t = step / steps
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return found
