"""A pack's label: SVG and PNG of its code, and PDFs to print, one label of 60 × 40 mm or A4 sheets of them.

In one ink, so that the village's thermal printer can make it. On so small a label (under 80 cm²) letters may
go down to 0.9 mm: Roboto's x-height reaches that at 4.85 pt, the smallest size before text is cut short.
"""

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from itertools import pairwise

from reportlab.lib.units import mm  # type: ignore[import-untyped]  # it ships no types
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it ships no types

from trace.labels import fonts, qr
from trace.labels.layout import Line, Paragraph, fit

WIDTH, HEIGHT = 60 * mm, 40 * mm
A4 = (210 * mm, 297 * mm)
COLUMNS, ROWS = 3, 7
PER_SHEET = COLUMNS * ROWS
MAX_LABELS = 2100
CALL = "Quét để xem cả đường đi của gói này"

_EDGE = 2 * mm
_STRAND = 5.6 * mm
_QR = 23 * mm
_SMALLEST = 4.85
_NBSP = "\u00a0"


@dataclass(frozen=True)
class LabelText:
    """What stands on a pack's label. `address` is the scan address in the code; weights are grams."""

    name: str
    net_grams: int
    lot: str
    produced: date
    expires: date
    producer: str
    producer_address: str
    ingredients: str
    gtin: str
    address: str
    usage: str = ""

    def __post_init__(self) -> None:
        # Decomposed marks would be set beside their letters.
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str):
                object.__setattr__(self, field.name, " ".join(unicodedata.normalize("NFC", value).split()))

    @property
    def net(self) -> str:
        """`500 g`, `1 kg`, `1,25 kg`."""
        if self.net_grams < 1000:
            return f"{self.net_grams} g"
        whole, rest = divmod(self.net_grams, 1000)
        return f"{whole},{rest:03d}".rstrip("0").rstrip(",") + " kg"


def label_svg(label: LabelText) -> str:
    """The QR code alone, 25 mm wide, titled with the product and its lot."""
    return qr.svg(label.address, f"{label.name}, lô {label.lot}. {CALL}.")


def label_png(label: LabelText) -> bytes:
    """The QR code with name, lot, dates and GTIN below, for screens and messages."""
    dates = f"NSX {_day(label.produced)} · HSD {_day(label.expires)}"
    lines = (f"{label.name} · {label.net}", f"Lô {label.lot}", dates, f"GTIN {label.gtin}")
    return qr.png(label.address, lines)


def label_pdf(label: LabelText) -> bytes:
    """One label on a page of its own size, for a roll printer."""
    out = io.BytesIO()
    canvas = _canvas(out, (WIDTH, HEIGHT), label)
    _draw(canvas, label)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def sheet_pdf(label: LabelText, count: int) -> bytes:
    """`count` copies (1 to `MAX_LABELS`) on A4, three across and seven down, with thin cutting marks."""
    if not 1 <= count <= MAX_LABELS:
        raise ValueError(f"A print run has 1 to {MAX_LABELS} labels, not {count}.")
    out = io.BytesIO()
    canvas = _canvas(out, A4, label)
    # The label is drawn once and referred to: a thousand labels stay one small file.
    canvas.beginForm("label", 0, 0, WIDTH, HEIGHT)
    _draw(canvas, label)
    canvas.endForm()
    for first in range(0, count, PER_SHEET):
        for x, y in list(_cells())[: count - first]:
            canvas.saveState()
            canvas.translate(x, y)
            canvas.doForm("label")
            canvas.restoreState()
        _cutting_marks(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _canvas(out: io.BytesIO, size: tuple[float, float], label: LabelText) -> Canvas:
    fonts.register()
    # invariant: the same label gives the same bytes, so that its ETag holds.
    canvas = Canvas(out, pagesize=size, invariant=True, lang="vi")
    canvas.setTitle(f"{label.name} · Lô {label.lot}")
    canvas.setAuthor(label.producer)
    return canvas


def _draw(canvas: Canvas, label: LabelText) -> None:
    _draw_strand(canvas)
    left, right = _STRAND, WIDTH - _EDGE
    top, bottom = HEIGHT - 1.6 * mm, 1.6 * mm
    # A long name takes at most a fifth of the label; then it shrinks.
    title = fit([Paragraph(label.name, fonts.BOLD)], right - left, 8 * mm, 13.0, 5.0)
    _write(canvas, title, left, top)
    middle = top - (title[-1].down + 0.30 * title[-1].size if title else 0) - 0.8 * mm

    # The code's own quiet zone reaches into the label's white edge, where nothing is printed anyway.
    side = min(_QR, middle - bottom - 4.2 * mm)
    quiet = side * qr.QUIET_ZONE / len(qr.matrix(label.address))
    code_left = right - side + min(quiet, _EDGE)
    code_top = middle + min(quiet, 0.8 * mm)
    _draw_code(canvas, label.address, code_left, code_top - side, side)
    foot = [Paragraph(CALL, fonts.BOLD), Paragraph(f"GTIN {label.gtin}", space=0.1)]
    caption_top = code_top - side
    caption = fit(foot, side - quiet, caption_top - bottom, 5.6, 4.0)
    _write(canvas, caption, code_left + quiet / 2, caption_top)

    body = fit(_body(label), code_left - left, middle - bottom, 6.6, _SMALLEST)
    _write(canvas, body, left, middle)


def _body(label: LabelText) -> list[Paragraph]:
    found = [
        Paragraph(f"Khối lượng tịnh: {label.net.replace(' ', _NBSP)}", fonts.BOLD, 1.15),
        Paragraph(f"Lô: {label.lot}", fonts.BOLD, 1.0, 0.15),
        Paragraph(f"NSX:{_NBSP}{_day(label.produced)} HSD:{_NBSP}{_day(label.expires)}"),
        Paragraph(f"Thành phần: {label.ingredients}", space=0.25),
        Paragraph(f"Sản xuất: {label.producer}", space=0.25),
        Paragraph(f"Địa chỉ: {label.producer_address}"),
    ]
    if label.usage:
        found.append(Paragraph(label.usage, space=0.25))
    return found


def _draw_code(canvas: Canvas, address: str, left: float, bottom: float, side: float) -> None:
    modules = qr.matrix(address)
    unit = side / len(modules)
    path = canvas.beginPath()
    for x, y, length in qr.runs(modules):
        path.rect(left + x * unit, bottom + side - (y + 1) * unit, length * unit, unit)
    canvas.drawPath(path, stroke=0, fill=1)


def _draw_strand(canvas: Canvas) -> None:
    """One strand of noodle up the left edge, a knot for each part of the way, the last one open: the pack."""
    x, sway = 2.9 * mm, 0.75 * mm
    knots = [3.2 * mm + number * 6.7 * mm for number in range(6)]
    canvas.setLineWidth(0.5 * mm)
    canvas.setLineCap(1)
    path = canvas.beginPath()
    path.moveTo(x, 0)
    path.curveTo(x, 1 * mm, x, 2 * mm, x, knots[0])
    for number, (low, high) in enumerate(pairwise(knots)):
        side = sway if number % 2 else -sway
        third = (high - low) / 3
        path.curveTo(x + 2 * side, low + third, x + 2 * side, high - third, x, high)
    canvas.drawPath(path, stroke=1, fill=0)
    for knot in knots[:-1]:
        canvas.circle(x, knot, 0.62 * mm, stroke=0, fill=1)
    canvas.setFillGray(1)
    canvas.circle(x, knots[-1], 0.95 * mm, stroke=1, fill=1)
    canvas.setFillGray(0)


def _write(canvas: Canvas, lines: list[Line], left: float, top: float) -> None:
    for line in lines:
        canvas.setFont(line.face, line.size)
        canvas.drawString(left, top - line.down, line.text)


def _cells() -> Iterator[tuple[float, float]]:
    """Lower left corners on the sheet, row by row from the top."""
    x0, y0 = _margins()
    for row in range(ROWS):
        for column in range(COLUMNS):
            yield x0 + column * WIDTH, A4[1] - y0 - (row + 1) * HEIGHT


def _cutting_marks(canvas: Canvas) -> None:
    x0, y0 = _margins()
    canvas.setLineWidth(0.1 * mm)
    for column in range(COLUMNS + 1):
        x = x0 + column * WIDTH
        canvas.line(x, 3 * mm, x, y0 - 1.5 * mm)
        canvas.line(x, A4[1] - 3 * mm, x, A4[1] - y0 + 1.5 * mm)
    for row in range(ROWS + 1):
        y = y0 + row * HEIGHT
        canvas.line(5 * mm, y, x0 - 1.5 * mm, y)
        canvas.line(A4[0] - 5 * mm, y, A4[0] - x0 + 1.5 * mm, y)


def _margins() -> tuple[float, float]:
    return (A4[0] - COLUMNS * WIDTH) / 2, (A4[1] - ROWS * HEIGHT) / 2


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"
