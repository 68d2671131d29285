"""Labels as PDF: sheets of A4, and rolls with a page for each label. Codes lie on whole dots of the printer.

What all labels of a run share is drawn once and referred to, so that each adds only its code and its number: some four
hundred bytes.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import floor
from typing import IO

from PIL import Image
from reportlab import rl_config  # type: ignore[import-untyped]  # it ships no types
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it ships no types

from trace.labels import fonts, raster
from trace.labels.design import Design, Placed
from trace.labels.papers import A4, Paper
from trace.labels.symbol import Symbol

# Streams as bytes: as letters they would be a quarter larger, and a fifth of a run's time goes into the spelling.
rl_config.useA85 = 0
_HAIR = 0.01
"""Dots."""
Label = tuple[Symbol, str]
"""A label's code, and the words of its serial; empty on labels of a lot."""


def sheets(
    out: IO[bytes], design: Design, paper: Paper, labels: Iterable[Label], place: int, title: str, author: str
) -> None:
    """A4 sheets of labels, the first at `place` (from 1). At least one label is given."""
    size = (A4[0] * 72 / 25.4, A4[1] * 72 / 25.4)
    canvas = _canvas(out, size, title, author)
    _as_form(canvas, design, paper, None)
    corners = list(paper.corners())
    high = paper.dots(A4[1])
    for number, label in enumerate(labels, start=place - 1):
        at = number % len(corners)
        if at == 0 and number >= place:
            _end_of_sheet(canvas, paper)
        x, y = corners[at]
        _put(canvas, design, paper, label, x, high - y - design.height)
    _end_of_sheet(canvas, paper)
    canvas.save()


def roll(out: IO[bytes], design: Design, paper: Paper, labels: Iterable[Label], title: str, author: str) -> None:
    """A page of exactly the label's dots for each label, drawn in the printer's own dots."""
    # Rounded down: a hair more would be a whole dot more.
    size = (floor(paper.points(design.width) * 1000) / 1000, floor(paper.points(design.height) * 1000) / 1000)
    canvas = _canvas(out, size, title, author)
    _as_form(canvas, design, paper, raster.base(design))
    for label in labels:
        _put(canvas, design, paper, label, 0, 0, as_dots=True)
        canvas.showPage()
    canvas.save()


def single(out: IO[bytes], design: Design, paper: Paper, label: Label, title: str, author: str) -> None:
    """One label on a page of its own size, as drawn for this paper."""
    canvas = _canvas(out, (paper.points(design.width), paper.points(design.height)), title, author)
    _as_form(canvas, design, paper, None)
    _put(canvas, design, paper, label, 0, 0)
    canvas.showPage()
    canvas.save()


def _canvas(out: IO[bytes], size: tuple[float, float], title: str, author: str) -> Canvas:
    fonts.register()
    # invariant: the same labels give the same bytes, so that an ETag holds.
    canvas = Canvas(out, pagesize=size, invariant=True, lang="vi", pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor(author)
    return canvas


def _as_form(canvas: Canvas, design: Design, paper: Paper, dots: Image.Image | None) -> None:
    canvas.beginForm("label", 0, 0, paper.points(design.width), paper.points(design.height))
    canvas.saveState()
    canvas.scale(paper.points(1), paper.points(1))
    if dots is not None:
        _mask(canvas, 0, 0, design.width, design.height, dots.size, dots.tobytes())
    else:
        for line in design.lines:
            _write(canvas, design, line, line.text)
        _draw_strand(canvas, design)
    canvas.restoreState()
    canvas.endForm()


def _put(
    canvas: Canvas, design: Design, paper: Paper, label: Label, x: float, y: float, *, as_dots: bool = False
) -> None:
    """One label with its lower left corner here, in dots from the page's."""
    symbol, serial = label
    canvas.saveState()
    canvas.translate(paper.points(x), paper.points(y))
    canvas.doForm("label")
    canvas.scale(paper.points(1), paper.points(1))
    code = design.code
    size = (symbol.size, symbol.size)
    _mask(canvas, code.x, design.height - code.y - code.side, code.side, code.side, size, raster.symbol_rows(symbol))
    if serial and design.serial:
        if as_dots:
            strip, left, top = raster.serial_strip(design.serial, serial)
            _mask(canvas, left, design.height - top - strip.height, *strip.size, strip.size, strip.tobytes())
        else:
            _write(canvas, design, design.serial, serial)
    canvas.restoreState()


def _mask(
    canvas: Canvas, x: float, y: float, wide: float, high: float, size: tuple[int, int], light: bytes
) -> None:
    """Dots in black, where `light` (rows of whole bytes) has no bit set: a stencil, with no edges to blur.

    It ends a hair inside of its dots: on the very edge, readers of PDF round to one dot more.
    """
    place = f"{wide - 2 * _HAIR:.2f} 0 0 {high - 2 * _HAIR:.2f} {x + _HAIR:.2f} {y + _HAIR:.2f} cm"
    canvas.addLiteral(
        f"q {place} BI /W {size[0]} /H {size[1]} /IM true /BPC 1 /F /AHx ID {light.hex()}> EI Q"
    )


def _write(canvas: Canvas, design: Design, placed: Placed, text: str) -> None:
    canvas.setFont(placed.face, placed.size_for(text, fonts.width))
    canvas.drawString(placed.x, design.height - placed.y, text)


def _draw_strand(canvas: Canvas, design: Design) -> None:
    strand = design.strand
    if strand is None:
        return
    canvas.setLineWidth(strand.thick)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    path = canvas.beginPath()
    path.moveTo(strand.line[0][0], design.height - strand.line[0][1])
    for _from, (x, y) in pairwise(strand.line):
        path.lineTo(x, design.height - y)
    canvas.drawPath(path, stroke=1, fill=0)
    for x, y in strand.knots[:-1]:
        canvas.circle(x, design.height - y, strand.knot, stroke=0, fill=1)
    canvas.setFillGray(1)
    x, y = strand.knots[-1]
    canvas.circle(x, design.height - y, strand.open_knot, stroke=1, fill=1)
    canvas.setFillGray(0)


def _end_of_sheet(canvas: Canvas, paper: Paper) -> None:
    if paper.cut:
        _cutting_marks(canvas, paper)
    canvas.showPage()


def _cutting_marks(canvas: Canvas, paper: Paper) -> None:
    millimetre = 72 / 25.4
    canvas.saveState()
    canvas.scale(millimetre, millimetre)
    canvas.setLineWidth(0.1)
    for column in range(paper.across + 1):
        x = paper.left + column * paper.width
        canvas.line(x, 3, x, paper.top - 1.5)
        canvas.line(x, A4[1] - 3, x, A4[1] - paper.top + 1.5)
    for row in range(paper.down + 1):
        y = paper.top + row * paper.height
        canvas.line(5, y, paper.left - 1.5, y)
        canvas.line(A4[0] - 5, y, A4[0] - paper.left + 1.5, y)
    canvas.restoreState()
