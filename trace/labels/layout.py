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


def fit(
    paragraphs: Sequence[Paragraph], width: float, height: float, largest: float, smallest: float
) -> list[Line]:
    """Lines for a box, at the largest size at which all fits.

    If even the smallest size is too large, the last lines that fit end in an ellipsis. Sizes, width and
    height are in one unit.
    """
    size = largest
    while size > smallest:
        lines = _set(paragraphs, width, size)
        if _depth(lines) <= height:
            return lines
        size -= 0.1
    return _cut(_set(paragraphs, width, smallest), width, height)


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


def _set(paragraphs: Sequence[Paragraph], width: float, size: float) -> list[Line]:
    lines: list[Line] = []
    down = 0.0
    for paragraph in paragraphs:
        own = size * paragraph.scale
        if lines:
            down += paragraph.space * size
        for text in wrap(paragraph.text, width, lambda t, f=paragraph.face, s=own: fonts.width(t, f, s)):  # type: ignore[misc]  # defaults bind the loop's values
            # Roboto's tallest stacked marks (Ễ, Ậ) reach 0.95 em above the baseline.
            down += own * (LEADING if lines else 0.95)
            lines.append(Line(text, paragraph.face, own, down))
    return lines


def _depth(lines: Sequence[Line]) -> float:
    """Down to the lowest descender (0.22 em)."""
    return lines[-1].down + 0.22 * lines[-1].size if lines else 0.0


def _cut(lines: list[Line], width: float, height: float) -> list[Line]:
    kept = [line for line in lines if line.down + 0.22 * line.size <= height]
    if kept and len(kept) < len(lines):
        last = kept[-1]
        text = last.text + ELLIPSIS
        while len(text) > 1 and fonts.width(text, last.face, last.size) > width:
            text = text[:-2].rstrip() + ELLIPSIS
        kept[-1] = Line(text, last.face, last.size, last.down)
    return kept
