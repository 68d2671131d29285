"""Where everything goes on a label: the same for paper and screen, in whole dots of the printer that will make it.

On so small a label (under 80 cm²) letters may go down to 0.9 mm: Roboto's x-height reaches that at 4.85 pt, the
smallest size before text is cut short.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from trace.labels import fonts
from trace.labels.layout import Line, Measure, Paragraph, depth, fit, is_whole, lines_of
from trace.labels.papers import MM_PER_INCH, Paper
from trace.labels.symbol import LEVELS, QUIET_ZONE, Level, size_of, version_for
from trace.labels.text import CALL, LabelText, serial_line

LEAST_MODULE = 0.33
"""Millimetres that a module of the code must have: what phones read on a crumpled pack (docs/bench-labels.md)."""
SMALLEST = 4.85
"""Points; on a coarse printer `_LEAST_DOTS`: with fewer, the marks of Vietnamese run together."""
_LEAST_DOTS = 15.5
_MOST_CODE = 26.0
"""Millimetres: more does not make a code easier to read."""
_GOOD_CODE, _LEAST_CODE = 19.0, 15.0
"""Millimetres, quiet zone included: below the first, words make room for the code; below the second, they are cut."""
_POINT = MM_PER_INCH / 72
_EDGE = 1.6
_SHORT_EDGE = 1.0
_GAP = 0.8
_STRAND = 5.6
_STRAND_FROM = 55.0
"""Millimetres of width from which the strand has room."""


@dataclass(frozen=True)
class Placed:
    """A line of text: its baseline's left end, from the label's upper left corner, in dots as its size.

    `width` is the room it has: another text in its place is set smaller where it would need more.
    """

    text: str
    face: str
    size: float
    x: float
    y: float
    width: float

    def size_for(self, text: str, measure: Measure) -> float:
        """At which size `text` fits in this line's place."""
        needed = measure(text, self.face, self.size)
        return self.size if needed <= self.width else self.size * self.width / needed * 0.99


@dataclass(frozen=True)
class Code:
    """The code's place: its first dark module's corner, and a module's side, in whole dots."""

    x: int
    y: int
    module: int
    version: int
    level: Level

    @property
    def side(self) -> int:
        """Of the symbol without its quiet zone, in dots."""
        return self.module * size_of(self.version)


@dataclass(frozen=True)
class Strand:
    """The strand of noodle at the left edge: a line and its knots, the last one open. In dots."""

    line: tuple[tuple[float, float], ...]
    knots: tuple[tuple[float, float], ...]
    thick: float
    knot: float
    open_knot: float


@dataclass(frozen=True)
class Design:
    """A label of one lot on one paper. `serial` is where a unit label's own number goes, with the sample's text."""

    width: int
    height: int
    lines: tuple[Placed, ...]
    code: Code
    serial: Placed | None
    strand: Strand | None
    whole: bool
    """False when words had to be cut off: a larger paper is needed."""


def code_for(address: str, room: float, dots_per_mm: float) -> Code:
    """The code for a square of `room` dots, quiet zone included: the strongest error correction whose modules keep
    `LEAST_MODULE`; where none does, the one with the largest modules. Its place is the square's upper left corner."""
    found: list[Code] = []
    for level in LEVELS:
        version = version_for(address, level)
        module = int(room) // (size_of(version) + 2 * QUIET_ZONE)
        code = Code(QUIET_ZONE * module, QUIET_ZONE * module, module, version, level)
        if module >= LEAST_MODULE * dots_per_mm:
            return code
        found.append(code)
    return max(found, key=lambda code: code.module)


def design(label: LabelText, paper: Paper, measure: Measure = fonts.width) -> Design:
    """The label on this paper. `measure` is how wide the printing hand sets a text."""
    return _Drawing(label, paper, measure).short() if paper.short else _Drawing(label, paper, measure).full()


class _Drawing:
    def __init__(self, label: LabelText, paper: Paper, measure: Measure) -> None:
        self._label, self._paper, self._measure = label, paper, measure
        self._width, self._height = paper.wide, paper.high
        self._edge, self._gap = paper.dots(_EDGE), paper.dots(_GAP)
        self._smallest = max(self._points(SMALLEST), _LEAST_DOTS)
        self._lines: list[Placed] = []
        self._whole = True

    def full(self) -> Design:
        """Name across the top, the law's words at the left, the code at the right, its numbers below it."""
        paper, label = self._paper, self._label
        strand = _strand(paper) if paper.width >= _STRAND_FROM else None
        left = paper.dots(_STRAND) if strand else self._edge
        right, bottom = self._width - self._edge, self._height - self._edge
        middle = self._title(left, self._edge, right - left)

        numbers = [Paragraph(one) for one in label.numbers]
        if label.serial:
            numbers.append(Paragraph(serial_line(label.serial), fonts.BOLD))
        # Numbers are to stand in one line each, if need be wider than the code.
        needed = min(self._widest(numbers), 0.45 * self._width)
        most = min(paper.dots(_MOST_CODE), 0.44 * self._width)
        called = [*numbers, Paragraph(CALL, space=0.25)]
        room = self._room(called, needed, most, bottom - middle)
        if room < paper.dots(_GOOD_CODE):
            # The code says it as well.
            called, room = numbers, self._room(numbers, needed, most, bottom - middle)
        code = code_for(label.address, room, paper.dots_per_mm)
        quiet = QUIET_ZONE * code.module
        # The code's quiet zone reaches into the label's white edge, where nothing is printed anyway.
        x = int(self._width - code.side - max(quiet, self._edge))
        code = Code(x, round(middle) + quiet, code.module, code.version, code.level)
        column, below = min(x, right - needed), code.y + code.side + self._gap
        size = self._in_one_line(numbers, right - column, 5.6)
        serial = self._write(called, column, below, right - column, bottom - below, size)

        body = min(x - quiet, column - self._gap) - left
        self._write(label.law(), left, middle, body, bottom - middle, self._points(8.0))
        return self._done(code, serial, strand)

    def _widest(self, words: Sequence[Paragraph]) -> float:
        # A little more than measured: another serial's letters may be wider.
        return 1.04 * max(self._measure(one.text, one.face, self._smallest) for one in words)

    def _in_one_line(self, words: Sequence[Paragraph], width: float, most: float) -> float:
        """The size, up to `most` points, at which none of these needs a second line."""
        return min(self._points(most), self._smallest * width / self._widest(words))

    def _room(self, below: Sequence[Paragraph], needed: float, most: float, height: float) -> float:
        """The largest square that leaves room for these words below it."""
        room = most
        while room > self._paper.dots(_LEAST_CODE):
            lines = lines_of(below, max(needed, room - self._edge), self._smallest, self._measure)
            if depth(lines) <= height - room:
                break
            room -= self._paper.dots(0.25)
        return room

    def short(self) -> Design:
        """The code at the left, all words beside it."""
        paper, label = self._paper, self._label
        room = min(self._height - 2 * paper.dots(0.6), 0.46 * self._width, paper.dots(_MOST_CODE))
        code = code_for(label.address, room, paper.dots_per_mm)
        quiet = QUIET_ZONE * code.module
        x = int(max(paper.dots(1.0), quiet))
        code = Code(x, int((self._height - code.side) / 2), code.module, code.version, code.level)
        left = code.x + code.side + quiet
        width = self._width - self._edge - left
        top = paper.dots(_SHORT_EDGE)
        middle, bottom = self._title(left, top, width), self._height - top
        words = label.short()
        if label.serial:
            words.append(Paragraph(serial_line(label.serial), fonts.BOLD))
        size = self._in_one_line(words, width, 7.0)
        serial = self._write(words, left, middle, width, bottom - middle, size)
        return self._done(code, serial, None)

    def _title(self, left: float, top: float, width: float) -> float:
        """The name, in at most a fifth of the label's height; how far down the rest begins."""
        short, name, net = self._paper.short, self._label.name, self._label.net
        words = [Paragraph(f"{name} · {net}" if short and net not in name else name, fonts.BOLD)]
        share = 0.3 if short else 0.21
        lines = fit(words, width, share * self._height, self._points(13), self._smallest, self._measure)
        self._place(words, lines, left, top, width)
        return top + (depth(lines) + self._gap if lines else 0)

    def _write(
        self, words: Sequence[Paragraph], left: float, top: float, width: float, height: float, largest: float
    ) -> Placed | None:
        """Set words into a box; the line of the serial, if it stands among them, is handed back and not kept."""
        lines = fit(words, width, height, max(largest, self._smallest), self._smallest, self._measure)
        return self._place(words, lines, left, top, width)

    def _place(
        self, words: Sequence[Paragraph], lines: Sequence[Line], left: float, top: float, width: float
    ) -> Placed | None:
        self._whole = self._whole and is_whole(words, lines)
        serial = None
        own = serial_line(self._label.serial) if self._label.serial else None
        for line in lines:
            placed = Placed(line.text, line.face, line.size, left, top + line.down, width)
            if line.text == own:
                serial = placed
            else:
                self._lines.append(placed)
        return serial

    def _points(self, size: float) -> float:
        return self._paper.dots(size * _POINT)

    def _done(self, code: Code, serial: Placed | None, strand: Strand | None) -> Design:
        whole = self._whole and (serial is not None or not self._label.serial)
        return Design(self._width, self._height, tuple(self._lines), code, serial, strand, whole)


def _strand(paper: Paper) -> Strand:
    """One strand of noodle up the left edge, a knot for each part of the way, the last one open: the pack."""
    x, sway, step = paper.dots(2.9), paper.dots(1.5), paper.dots(6.7)
    bottom = paper.dots(paper.height)
    count = max(2, int((bottom - paper.dots(5)) / step) + 1)
    knots = [(x, bottom - paper.dots(3.2) - number * step) for number in range(count)]
    line = [(x, bottom)]
    for number, ((_x, low), (_same, high)) in enumerate(pairwise(knots)):
        side = x + (sway if number % 2 else -sway)
        for part in range(13):
            # A Bézier curve from knot to knot, both its handles at the side.
            t = part / 12
            bulge = 3 * t * (1 - t)
            third = low + (high - low) / 3
            y = (1 - t) ** 3 * low + bulge * ((1 - t) * third + t * (2 * third - low)) + t**3 * high
            line.append((x + bulge * (side - x), y))
    return Strand(tuple(line), tuple(knots), paper.dots(0.5), paper.dots(0.62), paper.dots(0.95))
