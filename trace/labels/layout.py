"""Setting lines of text into a box: wrap at words, shrink until all fits, never overflow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trace.labels import fonts

ELLIPSIS = "…"
LEADING = 1.22


@dataclass(frozen=True)
class Paragraph:
    """Text of one face; `scale` is relative to the box's size, `space` is the gap above in ems."""

    text: str
    face: str = fonts.REGULAR
    scale: float = 1.0
    space: float = 0.0


@dataclass(frozen=True)
class Line:
    """One line: its text, face and size, and how far its baseline lies below the box's top."""

    text: str
    face: str
    size: float
    down: float


Measure = Callable[[str, str, float], float]
"""How wide a text runs in a face of a size."""


def fit(
    paragraphs: Sequence[Paragraph],
    width: float,
    height: float,
    largest: float,
    smallest: float,
    measure: Measure = fonts.width,
) -> list[Line]:
    """Lines for a box, at the largest size at which all fits.

    If even the smallest size is too large, the last lines that fit end in an ellipsis. Sizes, width and
    height are in one unit.
    """
    step = smallest / 50
    fits, too_large = -1, max(0, int((largest - smallest) / step)) + 1
    found: list[Line] = []
    # Halving: a long text is measured letter by letter, and there are some fifty sizes to try.
    while too_large - fits > 1:
        tried = (fits + too_large) // 2
        lines = lines_of(paragraphs, width, smallest + tried * step, measure)
        if depth(lines) <= height:
            fits, found = tried, lines
        else:
            too_large = tried
    return found if fits >= 0 else _cut(lines_of(paragraphs, width, smallest, measure), width, height, measure)


def is_whole(paragraphs: Sequence[Paragraph], lines: Sequence[Line]) -> bool:
    """True when no letter of the paragraphs was cut off."""
    wanted = "".join(one.text for one in paragraphs).replace(" ", "")
    return wanted == "".join(line.text for line in lines).replace(" ", "")


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """`text` in lines no wider than `width`; a word that alone is wider is broken, a no-break space holds."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        tried = f"{line} {word}" if line else word
        if measure(tried) <= width:
            line = tried
            continue
        if line:
            lines.append(line)
        while measure(word) > width and len(word) > 1:
            head = 1  # upwards: from the end, one word of two thousand letters would hold the printer for an hour
            while measure(word[: head + 1]) <= width:
                head += 1
            lines.append(word[:head])
            word = word[head:]
        line = word
    return [*lines, line] if line else lines


def lines_of(
    paragraphs: Sequence[Paragraph], width: float, size: float, measure: Measure = fonts.width
) -> list[Line]:
    """The paragraphs in lines of this size, however deep they reach."""
    lines: list[Line] = []
    down = 0.0
    for paragraph in paragraphs:
        own = size * paragraph.scale
        if lines:
            down += paragraph.space * size
        for text in wrap(paragraph.text, width, lambda t, f=paragraph.face, s=own: measure(t, f, s)):  # type: ignore[misc]  # defaults bind the loop's values
            # Roboto's tallest stacked marks (Ễ, Ậ) reach 0.95 em above the baseline.
            down += own * (LEADING if lines else 0.95)
            lines.append(Line(text, paragraph.face, own, down))
    return lines


def depth(lines: Sequence[Line]) -> float:
    """Down to the lowest descender (0.22 em)."""
    return lines[-1].down + 0.22 * lines[-1].size if lines else 0.0


def _cut(lines: list[Line], width: float, height: float, measure: Measure) -> list[Line]:
    kept = [line for line in lines if line.down + 0.22 * line.size <= height]
    if kept and len(kept) < len(lines):
        last = kept[-1]
        text = last.text + ELLIPSIS
        while len(text) > 1 and measure(text, last.face, last.size) > width:
            text = text[:-2].rstrip() + ELLIPSIS
        kept[-1] = Line(text, last.face, last.size, last.down)
    return kept
