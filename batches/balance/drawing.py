"""The picture of a balance: bands of noodle running down the page, as wide as what they carry is heavy.

Pure: amounts and words in, coordinates out; the template draws them. One knot a row, bars at the left, words in a
column of their own at the right, so that labels neither meet each other nor leave the picture, at any width.
A row has four zones from top to bottom: bands bend; what comes from outside of the stages stands on the bar; the bar;
what leaves hangs from it. Bands that pass a row by run at its left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

WIDTH = 324
"""The picture's units are pixels on a phone of 360 px."""
LEFT, DRAWN = 8, 134
"""Where the bars begin, with room for half a mark, and their share of the width."""
TEXT_AT = 154
LETTER = 14
LINE = 19
"""Height of a line of words."""
LETTER_SHARE, STRONG_SHARE = 0.6, 0.65
"""A letter's width at most, on average, in shares of its height."""
PER_LINE, PER_STRONG = (int((WIDTH - TEXT_AT) / (LETTER * share)) for share in (LETTER_SHARE, STRONG_SHARE))
THINNEST = 1.5
"""No band is thinner than can be seen, however little it carries."""
BEND, GAP, BAR, KNOT, TIP = 26, 9, 13, 6, 9


@dataclass(frozen=True)
class Node:
    """A knot to draw, in the order in which knots come down the page. `strong` for a material."""

    id: str
    words: str
    strong: bool = False


@dataclass(frozen=True)
class Band:
    """Grams from one node to another, with what it says aloud."""

    source: str
    target: str
    grams: int
    words: str


@dataclass(frozen=True)
class Stub:
    """Grams that come to a node from elsewhere (`comes`) or leave it.

    `look`: plain, gone (hatched), outside (marked), arrow (sent away).
    """

    node: str
    grams: int
    words: str
    comes: bool
    look: str = "plain"


@dataclass(frozen=True)
class Shape:
    """A closed path, how it is filled, and what it says."""

    path: str
    look: str
    words: str = ""


@dataclass(frozen=True)
class Line:
    """One line of words; `y` is its baseline."""

    x: float
    y: float
    words: str
    strong: bool = False


@dataclass
class Picture:
    """Everything to draw, in a box of WIDTH × `height`."""

    height: float = 0
    shapes: list[Shape] = field(default_factory=list)
    bars: list[tuple[float, float, float, float, bool]] = field(default_factory=list)
    """x, y, width, height, and whether it is a material's."""
    leaders: list[tuple[float, float, float]] = field(default_factory=list)
    """From x to x at y: which words belong to what."""
    lines: list[Line] = field(default_factory=list)
    width: int = WIDTH


def draw(nodes: Sequence[Node], bands: Sequence[Band], stubs: Sequence[Stub]) -> Picture:
    """Lay out a balance. A band whose target does not lie below its source is a `ValueError`."""
    return _Layout(nodes, bands, stubs).picture


def wrapped(words: str, most: int = PER_LINE) -> list[str]:
    """Words in lines of at most `most` characters; a single word that is longer is broken."""
    lines = [""]
    for word in words.split(" "):
        while len(word) > most:
            if lines[-1]:
                lines.append("")
            lines[-1], word = word[:most], word[most:]
            lines.append("")
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]


class _Layout:
    def __init__(self, nodes: Sequence[Node], bands: Sequence[Band], stubs: Sequence[Stub]) -> None:
        self.nodes = nodes
        self.row = {node.id: number for number, node in enumerate(nodes)}
        if any(self.row[band.source] >= self.row[band.target] for band in bands):
            raise ValueError("a band runs upward")
        # Those that end soonest run nearest to the bars.
        self.bands = sorted(bands, key=lambda b: (-self.row[b.target], self.row[b.source]))
        by_weight = sorted(stubs, key=lambda stub: -stub.grams)
        self.coming = {n.id: [s for s in by_weight if s.node == n.id and s.comes] for n in nodes}
        self.leaving = {n.id: [s for s in by_weight if s.node == n.id and not s.comes] for n in nodes}
        self.scale = self._scale()
        self.picture = Picture()
        self._rows()

    def _wide(self, grams: int) -> float:
        return max(grams * self.scale, THINNEST)

    def _scale(self) -> float:
        """Pixels for a gram, so that the widest row fits."""
        best = DRAWN / max((sum(b.grams for b in self.bands) or 1), 1)
        fits: list[float] = []
        for number, node in enumerate(self.nodes):
            passing = [b.grams for b in self.bands if self.row[b.source] < number < self.row[b.target]]
            for side in (self._ins(node.id), self._outs(node.id)):
                amounts = [*passing, *side]
                room = DRAWN - GAP * len(passing) - THINNEST * len(amounts)
                if sum(amounts):
                    fits.append(max(room, DRAWN / 4) / sum(amounts))
        return min(fits, default=best)

    def _ins(self, node: str) -> list[int]:
        return [b.grams for b in self.bands if b.target == node] + [s.grams for s in self.coming[node]]

    def _outs(self, node: str) -> list[int]:
        return [b.grams for b in self.bands if b.source == node] + [s.grams for s in self.leaving[node]]

    def _rows(self) -> None:
        y = 0.0
        tails: dict[int, tuple[float, float]] = {}
        """Where each open band has come to: x of its left edge, y."""
        paths: dict[int, list[tuple[float, float]]] = {}
        for number, node in enumerate(self.nodes):
            above = self._height(self.coming[node.id])
            bend = BEND if tails else 0
            bar_y = y + bend + above + (0 if above else 4)
            x: float = LEFT
            for key in [k for k in tails if self.row[self.bands[k].target] > number]:
                paths[key] += [(x, y + bend), (x, bar_y)]
                tails[key] = (x, bar_y)
                x += self._wide(self.bands[key].grams) + GAP
            bar_x = x
            for key in [k for k in tails if self.row[self.bands[k].target] == number]:
                paths[key] += [(x, y + bend), (x, bar_y)]
                x += self._wide(self.bands[key].grams)
                del tails[key]
            for stub, top in zip(self.coming[node.id], self._tops(self.coming[node.id], bar_y), strict=True):
                self._comes(stub, x, top, bar_y)
                x += self._wide(stub.grams)
            thick = BAR if node.strong else KNOT
            bottom = bar_y + thick
            out_x = bar_x
            for key, band in enumerate(self.bands):
                if band.source == node.id:
                    paths[key] = [(out_x, bottom)]
                    tails[key] = (out_x, bottom)
                    out_x += self._wide(band.grams)
            wide = max(x, out_x + sum(self._wide(s.grams) for s in self.leaving[node.id])) - bar_x
            self.picture.bars.append((bar_x, bar_y, max(wide, THINNEST), thick, node.strong))
            words_y = self._title(node, bar_x + wide, bar_y + thick / 2)
            y = max(self._leaves(self.leaving[node.id], out_x, bottom, words_y), bottom + 6)
            for key, (tail_x, _tail_y) in list(tails.items()):
                paths[key].append((tail_x, y))
            # Left to right as they lie in the next row, so that as few as can be cross.
            tails = dict(sorted(tails.items()))
        self.picture.height = y + 6
        self.picture.shapes[:0] = [
            Shape(_band(paths[key], self._wide(band.grams)), "plain", band.words) for key, band in enumerate(self.bands)
        ]

    def _title(self, node: Node, right: float, middle: float) -> float:
        """The node's words beside its bar; the y under them."""
        self.picture.leaders.append((right + 3, TEXT_AT - 4, middle))
        return self._say(node.words, middle, node.strong)

    def _say(self, words: str, middle: float, strong: bool = False) -> float:
        lines = wrapped(words, PER_STRONG if strong else PER_LINE)
        for number, line in enumerate(lines):
            baseline = middle + LETTER * 0.35 + number * LINE
            self.picture.lines.append(Line(TEXT_AT, baseline, line, strong))
        return middle + len(lines) * LINE - LINE / 2

    def _height(self, stubs: Sequence[Stub]) -> float:
        return sum(len(wrapped(stub.words)) * LINE for stub in stubs) + (12 if stubs else 0)

    def _tops(self, stubs: Sequence[Stub], bar_y: float) -> list[float]:
        """The middle of each stub's first line: the leftmost stub begins highest, so that no leader crosses one."""
        tops, y = [], bar_y - self._height(stubs) + LINE / 2
        for stub in stubs:
            tops.append(y)
            y += len(wrapped(stub.words)) * LINE
        return tops

    def _comes(self, stub: Stub, x: float, top: float, bottom: float) -> None:
        wide = self._wide(stub.grams)
        self.picture.shapes.append(Shape(_box(x, top, wide, bottom - top), stub.look, stub.words))
        if stub.look == "outside":
            self.picture.shapes.append(Shape(_diamond(x + wide / 2, top), "mark"))
        self.picture.leaders.append((x + max(wide, wide / 2 + 7) + 2, TEXT_AT - 4, top))
        self._say(stub.words, top)

    def _leaves(self, stubs: Sequence[Stub], x: float, top: float, y: float) -> float:
        """Hang what leaves from the bar, the rightmost shortest, its words in the same order; the y under all."""
        ends: list[tuple[Stub, float, float]] = []
        for stub in stubs:
            ends.append((stub, x, self._wide(stub.grams)))
            x += self._wide(stub.grams)
        for stub, left, wide in reversed(ends):
            middle = max(y + LINE / 2, top + TIP)
            self.picture.shapes.append(Shape(_hanging(left, top, wide, middle + 4, stub.look), stub.look, stub.words))
            self.picture.leaders.append((left + wide + 2, TEXT_AT - 4, middle))
            y = self._say(stub.words, middle)
        return y


_Point = tuple[float, float]


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _path(points: Sequence[_Point]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + "Z"


def _box(x: float, y: float, wide: float, high: float) -> str:
    return _path([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)])


def _diamond(x: float, y: float) -> str:
    return _path([(x, y - 8), (x + 7, y), (x, y + 8), (x - 7, y)])


def _hanging(x: float, top: float, wide: float, bottom: float, look: str) -> str:
    """What leaves: an arrow's tip where it was sent, a torn edge where it is gone, a straight one where it stays."""
    if look == "arrow":
        tip = min(TIP, (bottom - top) / 2)
        return _path([(x, top), (x + wide, top), (x + wide, bottom - tip), (x + wide / 2, bottom), (x, bottom - tip)])
    if look == "gone" and wide > 12:
        teeth = max(int(wide // 8), 2)
        torn = [
            (x + wide * step / teeth, bottom - (4 if step % 2 else 0)) for step in range(teeth, -1, -1)
        ]
        return _path([(x, top), (x + wide, top), *torn])
    return _box(x, top, wide, bottom - top)


def _band(points: Sequence[_Point], wide: float) -> str:
    """A ribbon through these points, upright at each; between two of the same x it runs straight."""

    def side(way: Sequence[_Point], shift: float) -> str:
        text = ""
        for (x0, y0), (x1, y1) in pairwise(way):
            middle = (y0 + y1) / 2
            end = f"{_n(x1 + shift)} {_n(y1)}"
            bend = f"C{_n(x0 + shift)} {_n(middle)} {_n(x1 + shift)} {_n(middle)} {end}"
            text += f"L{end}" if x0 == x1 else bend
        return text

    back = list(reversed(points))
    (first_x, first_y), (last_x, last_y) = points[0], points[-1]
    start, turn = f"M{_n(first_x)} {_n(first_y)}", f"L{_n(last_x + wide)} {_n(last_y)}"
    return f"{start}{side(points, 0)}{turn}{side(back, wide)}Z"


