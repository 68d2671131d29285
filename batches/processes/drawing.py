"""A process as a picture: one strand from the field at the bottom to the pack at the top, in SVG units.

Pure: a process in, numbers and path data out; `templates/processes/drawing.html` draws what `draw` returns. Stages are
knots on the strand and materials hang on it. What only some do parts from it and comes back on the right, by-products
part from it for good, purchases join it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from batches.processes.models import Kind, Process, Stage, Text

WIDTH = 328
MAIN, SIDE = 40, 268
BOUGHT = 64
"""How far to the side a purchase stands of what it joins."""
APART = 74
"""Between two by-products of one stage."""
_STEP, _BUY_STEP, _PART_STEP = 66, 50, 92
_ABOVE, _BELOW = 21, 23
"""How far a knot's ends are from its middle."""
_MAKES = (Kind.TRANSFORM, Kind.PACK, Kind.COMMISSION)


@dataclass(frozen=True)
class Label:
    """Words in the picture, a line each; `x`, `y` is the first line's foot, `anchor` as in SVG."""

    x: int
    y: int
    anchor: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Mark:
    """A knot (`picture` empty) or a picture, with its middle and its words; `key` is a stage's."""

    key: str
    x: int
    y: int
    label: Label
    picture: str = ""

    @property
    def aside(self) -> bool:
        """True for what is not on the strand itself."""
        return self.x != MAIN


@dataclass(frozen=True)
class Thread:
    """A run of noodle; `aside` is one that not every batch goes."""

    path: str
    aside: bool = False


@dataclass(frozen=True)
class Drawing:
    """Everything to draw, in a box of `width` × `height`; later threads lie above."""

    width: int
    height: int
    threads: tuple[Thread, ...]
    marks: tuple[Mark, ...]
    ground: int
    """Where the strand's root is."""


def numbered(process: Process) -> dict[str, int]:
    """The numbers of a process's stages, which the picture and the list beneath it share."""
    usual = [stage for stage in process.stages if not stage.rare]
    return {stage.key: number for number, stage in enumerate((*usual, *(s for s in process.stages if s.rare)), start=1)}


def draw(process: Process, words: Callable[[Text], str]) -> Drawing:
    """The picture of a process; `words` says a text in the reader's language."""
    return _Picture(process, words).drawn()


def wrapped(text: str, most: int) -> tuple[str, ...]:
    """Words in lines of at most `most` characters where they can be broken."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= most or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


class _Picture:
    """Grows upward from the field: y = 0 is the first knot, everything later lies above it, at a negative y."""

    def __init__(self, process: Process, words: Callable[[Text], str]) -> None:
        self.process = process
        self.words = words
        self.numbers = numbered(process)
        self.marks: list[Mark] = []
        self.threads: list[Thread] = []
        self.at: dict[str, int] = {}
        """Where the materials on the strand are."""
        self.free = 200
        """The lowest place of the side that nothing stands on yet."""
        self.waiting: dict[str, list[tuple[int, int]]] = {}
        """Side ways' upper ends (x, y), by the material that they lead to a stage from."""

    def drawn(self) -> Drawing:
        usual = [stage for stage in self.process.stages if not stage.rare]
        main = [stage for stage in usual if not stage.optional and stage.kind in _MAKES and self._first(stage)]
        last = ""
        y = 0
        for stage in main:
            y = self._knot_on_strand(stage, last, y)
            last = stage.output or ""
            y = self._thing_on_strand(stage, y)
            for looking in usual:
                if looking.kind is Kind.INSPECT and not looking.optional and looking.inputs[0] == last:
                    y = self._knot(looking, y - _STEP)
            self._detours(last, y)
        leaving = next((s for s in usual if s.kind is Kind.DISPATCH and last in s.inputs), None)
        if leaving is not None:
            y = self._knot(leaving, y - _STEP)
        self._strand(y - 40)
        return self._moved(min(y - 44, self.free - 20))

    def _strand(self, top: int) -> None:
        """The strand itself, from knot to knot: each knot brings its own piece of it."""
        low = 0
        for knot in [mark.y for mark in self.marks if not mark.picture and not mark.aside] + [top - _BELOW]:
            if low:
                self.threads.append(Thread(f"M{MAIN} {low}L{MAIN} {knot + _BELOW}"))
            low = knot - _ABOVE

    def _first(self, stage: Stage) -> bool:
        return next(s for s in self.process.stages if s.output == stage.output and not s.rare) is stage

    def _knot_on_strand(self, stage: Stage, last: str, y: int) -> int:
        """The knot of a stage that every batch goes through, above all that leads to it."""
        if not last:
            return self._knot(stage, 0)
        ends = [end for key in stage.inputs for end in self.waiting.pop(key, [])]
        y = self._knot(stage, min([y - _STEP, *(top - 66 for _, top in ends)]))
        for x, top in ends:
            self.threads.append(Thread(f"M{x} {top}C{x} {top - 34} {MAIN} {y + 46} {MAIN} {y + _BELOW}", aside=True))
        for key in stage.inputs:
            if key in self.at and key != last:
                low, bow = self.at[key], 0
                path = f"M{MAIN} {low}C{bow} {low - 24} {bow} {y + 50} {MAIN} {y + _BELOW}"
                self.threads.append(Thread(path, aside=True))
        return y

    def _thing_on_strand(self, stage: Stage, y: int) -> int:
        """What a stage gives, with its by-products and with what is bought beside it, above the knot."""
        assert stage.output is not None
        knot = y
        if stage.byproducts:
            y = self._part(stage, y)
        for buying in self._buying(stage.output):
            y = y - _BUY_STEP
            self._buy(buying, MAIN, y, 1)
        y = min(y - _STEP, knot - (_PART_STEP if stage.byproducts else _STEP))
        self._thing(stage.output, MAIN, y, Label(MAIN + 32, y, "start", ()), 18)
        self.at[stage.output] = y
        return y

    def _part(self, stage: Stage, y: int) -> int:
        """By-products leave the strand at a knot, beside one another, and what is done with them stands above."""
        top = min(y - 40, self.free - 44)
        left = SIDE - APART * (len(stage.byproducts) - 1) // 2
        spots = {one.material: left + APART * number for number, one in enumerate(stage.byproducts)}
        for material, x in reversed(spots.items()):
            self.threads.append(
                Thread(f"M{MAIN} {y}C{MAIN} {y - 34} {MAIN + 60} {top + 4} {x - 40} {top + 4}L{x} {top}", aside=True)
            )
            self._thing(material, x, top, Label(x, top + 36, "middle", ()), 11)
        self.free = top - 24
        for taker in self.process.stages:
            taken = [key for key in taker.inputs if key in spots]
            if taken and not taker.rare:
                high = top - 62
                for key in taken:
                    x = spots[key]
                    path = f"M{x} {top}C{x} {top - 24} {SIDE} {top - 20} {SIDE} {high + _BELOW}"
                    self.threads.append(Thread(path, aside=True))
                lines = self._name(taker, 15)
                self._mark(Mark(taker.key, SIDE, high, Label(SIDE, high - 20 - 15 * len(lines), "middle", lines)))
                self.threads.append(Thread(f"M{SIDE} {high - _ABOVE}L{SIDE} {high - 28}", aside=True))
                self.free = high - 40 - 15 * len(lines)
        return y

    def _detours(self, last: str, y: int) -> None:
        """Ways that only some batches go from a material on the strand: up the side, and back where they are taken."""
        key, x, low = last, MAIN, y
        while (stage := self._optional(key)) is not None and stage.output is not None:
            knot = min(low - 54, self.free - 60)
            if key == last:
                leaving = min(low, knot + 64)
                path = f"M{x} {leaving}C{x} {leaving - 30} {SIDE} {leaving - 2} {SIDE} {knot + _BELOW}"
            else:
                path = f"M{SIDE} {low}L{SIDE} {knot + _BELOW}"
            self.threads.append(Thread(path, aside=True))
            lines = self._name(stage, 17)
            self._mark(Mark(stage.key, SIDE, knot, Label(SIDE - 26, _foot(knot, lines), "end", lines)))
            top = knot
            for buying in self._buying(stage.output):
                top -= _BUY_STEP
                self._buy(buying, SIDE, top, -1)
            top -= 62
            self.threads.append(Thread(f"M{SIDE} {knot - _ABOVE}L{SIDE} {top}", aside=True))
            self._thing(stage.output, SIDE, top, Label(SIDE - 30, top, "end", ()), 17)
            self.waiting.setdefault(stage.output, []).append((SIDE, top))
            key, low, self.free = stage.output, top, top - 30

    def _optional(self, material: str) -> Stage | None:
        takers = (s for s in self.process.stages if material in s.inputs and s.optional and s.kind is Kind.TRANSFORM)
        return next(takers, None)

    def _buying(self, material: str) -> list[Stage]:
        return [stage for stage in self.process.stages if stage.kind is Kind.BUY and stage.output == material]

    def _buy(self, stage: Stage, x: int, y: int, side: int) -> None:
        """A purchase joins the strand from beside it."""
        away = x + side * BOUGHT
        bend = x + side * BOUGHT // 2
        self.threads.append(Thread(f"M{away} {y}C{bend} {y} {x} {y - 4} {x} {y - 30}", aside=True))
        lines = self._name(stage, 17 if side > 0 else 14)
        anchor = "start" if side > 0 else "end"
        label = Label(away + side * 20, _foot(y, lines), anchor, lines)
        self._mark(Mark(stage.key, away, y, label, stage.picture))

    def _knot(self, stage: Stage, y: int) -> int:
        lines = self._name(stage, 24 if stage.kind is not Kind.TRANSFORM else 21)
        self._mark(Mark(stage.key, MAIN, y, Label(MAIN + 32, _foot(y, lines), "start", lines)))
        return y

    def _thing(self, material: str, x: int, y: int, label: Label, most: int) -> None:
        found = self.process.material(material)
        lines = wrapped(self.words(found.name), most)
        foot = label.y if label.anchor == "middle" else _foot(y, lines)
        self._mark(Mark("", x, y, Label(label.x, foot, label.anchor, lines), found.picture))

    def _name(self, stage: Stage, most: int) -> tuple[str, ...]:
        return wrapped(f"{self.numbers[stage.key]}. {self.words(stage.name)}", most)

    def _mark(self, mark: Mark) -> None:
        self.marks.append(mark)

    def _moved(self, top: int) -> Drawing:
        """Everything moved down, so that the highest point is at 0."""
        by = -top
        marks = tuple(
            replace(m, y=m.y + by, label=replace(m.label, y=m.label.y + by)) for m in self.marks
        )
        threads = sorted(self.threads, key=lambda thread: not thread.aside)
        return Drawing(
            WIDTH, by + 62, tuple(replace(t, path=_lowered(t.path, by)) for t in threads), marks, by + 14
        )


def _foot(middle: int, lines: Sequence[str]) -> int:
    """Where the first of several lines stands so that all are centred on `middle`."""
    return middle + 5 - 8 * (len(lines) - 1)


def _lowered(path: str, by: int) -> str:
    """The same path, `by` further down: each second number is a y."""
    runs = re.findall(r"([MCL]?) ?(-?\d+)", path)
    return " ".join(f"{letter}{int(value) + by if place % 2 else value}" for place, (letter, value) in enumerate(runs))
