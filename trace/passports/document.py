"""Documents on A4 with the village's strand down their edge: titles, paragraphs, lists of facts, tables. Pure.

In one ink and a green that prints as dark grey. The same words give the same bytes.
"""

import io
import unicodedata
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]  # it ships no types
from reportlab.lib.enums import TA_RIGHT  # type: ignore[import-untyped]  # it ships no types
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]  # it ships no types
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]  # it ships no types
from reportlab.lib.units import mm  # type: ignore[import-untyped]  # it ships no types
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it ships no types
from reportlab.platypus import (  # type: ignore[import-untyped]  # it ships no types
    CondPageBreak,
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from trace.labels import fonts, qr

LEAF, INK, SOFT, LINE = HexColor("#1d5737"), HexColor("#1b2a21"), HexColor("#4b574b"), HexColor("#c9c2ae")
_LEFT, _RIGHT, _TOP, _BOTTOM = 24 * mm, 16 * mm, 16 * mm, 18 * mm
_PADDING = 6
"""What reportlab's frames keep free inside of their edges."""
WIDTH = A4[0] - _LEFT - _RIGHT - 2 * _PADDING
_MOST_LETTERS = 20_000
"""Of one text: what is longer is cut, said with an ellipsis."""


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    settings = {"fontName": fonts.REGULAR, "textColor": INK, "leading": size * 1.4, **more}
    return ParagraphStyle(name, fontSize=size, **settings)


_TITLE = _style("title", 20, fontName=fonts.BOLD, textColor=LEAF, leading=25, spaceAfter=4)
_HEADING = _style("heading", 13, fontName=fonts.BOLD, textColor=LEAF, spaceBefore=12, spaceAfter=4)
_TEXT = _style("text", 10, spaceAfter=4)
_SMALL = _style("small", 8.5, textColor=SOFT, spaceAfter=3)
_CELL = _style("cell", 9.5)
_TERM = _style("term", 9.5, fontName=fonts.BOLD)
_SOURCE = _style("source", 8, textColor=SOFT, leading=11)
_HASH = _style("hash", 6.2, leading=8, textColor=SOFT)
_NUMBER = _style("number", 9.5, alignment=TA_RIGHT)


class Sheet:
    """A document being put together. Texts are plain: whatever they hold is shown and never read as markup."""

    def __init__(self, title: str, foot: str) -> None:
        fonts.register()
        self._title, self._foot = title, foot
        self._parts: list[Flowable] = [_text(title, _TITLE)]

    def heading(self, text: str) -> None:
        """Begin a part."""
        # Not alone at the foot of a page.
        self._parts += [CondPageBreak(30 * mm), _text(text, _HEADING)]

    def text(self, text: str, *, small: bool = False) -> None:
        """A paragraph; line breaks are kept."""
        self._parts.append(_text(text, _SMALL if small else _TEXT))

    def code(self, address: str, words: str, millimetres: int = 26) -> None:
        """A QR code of an address, with words beside it."""
        side = millimetres * mm
        widths = [side + 4 * mm, WIDTH - side - 4 * mm]
        table = Table([[_Code(address, side), _text(words, _CELL)]], colWidths=widths, hAlign="LEFT")
        table.setStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
        self._parts += [table, Spacer(1, 4)]

    def facts(self, rows: Sequence[tuple[str, Sequence[str], str]]) -> None:
        """Term, values and where they come from, one below the other."""
        cells = [
            [
                _text(term, _TERM),
                [*(_text(one, _CELL) for one in values), *(_text(one, _SOURCE) for one in (source,) if one)],
            ]
            for term, values, source in rows
        ]
        self._table(cells, [46 * mm, WIDTH - 46 * mm])

    def table(
        self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float], hashes: int = -1
    ) -> None:
        """A table whose columns take these shares of the width; column `hashes` holds hashes, in small letters."""
        whole = sum(shares)
        cells = [[_text(one, _TERM) for one in head]]
        cells += [[_text(one, _HASH if at == hashes else _CELL) for at, one in enumerate(row)] for row in rows]
        self._table(cells, [WIDTH * share / whole for share in shares], head=1)

    def _table(self, cells: list[list[Any]], widths: list[float], head: int = 0) -> None:
        if len(cells) <= head:
            return
        # A row may be taller than a page: it goes on overleaf.
        table = Table(cells, colWidths=widths, repeatRows=head, splitInRow=1, hAlign="LEFT")
        table.setStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )  # fmt: skip
        self._parts += [table, Spacer(1, 4)]

    def pdf(self) -> bytes:
        """The finished file."""
        out = io.BytesIO()
        frame = SimpleDocTemplate(
            out, pagesize=A4, leftMargin=_LEFT, rightMargin=_RIGHT, topMargin=_TOP, bottomMargin=_BOTTOM,
            title=_plain(self._title), author="Soi", invariant=1, lang="vi",
        )  # fmt: skip
        frame.build(self._parts, onFirstPage=self._edge, onLaterPages=self._edge)
        return out.getvalue()

    def _edge(self, canvas: Canvas, document: Any) -> None:
        """The strand, a knot for each fifth of the page, and the foot."""
        canvas.saveState()
        canvas.setStrokeColor(LEAF)
        canvas.setFillColor(LEAF)
        canvas.setLineWidth(1.4)
        x, step = 13 * mm, A4[1] / 5
        path = canvas.beginPath()
        path.moveTo(x, 0)
        for number in range(5):
            sway = (2 * mm) * (1 if number % 2 else -1)
            low = number * step
            path.curveTo(x + sway, low + step / 3, x + sway, low + 2 * step / 3, x, low + step)
        canvas.drawPath(path, stroke=1, fill=0)
        for number in range(1, 5):
            canvas.circle(x, number * step, 1.3 * mm, stroke=0, fill=1)
        canvas.setFillColor(SOFT)
        canvas.setFont(fonts.REGULAR, 8)
        canvas.drawString(_LEFT + _PADDING, 10 * mm, _cut(_plain(self._foot), WIDTH - 20 * mm, 8))
        canvas.drawRightString(A4[0] - _RIGHT - _PADDING, 10 * mm, str(document.page))
        canvas.restoreState()


class _Code(Flowable):  # type: ignore[misc]  # reportlab ships no types
    """A QR code as a drawing."""

    def __init__(self, address: str, side: float) -> None:
        super().__init__()
        self._modules = qr.matrix(address)
        self.width = self.height = side

    def draw(self) -> None:
        """All modules in one path."""
        unit = self.width / len(self._modules)
        path = self.canv.beginPath()
        for x, y, length in qr.runs(self._modules):
            path.rect(x * unit, self.height - (y + 1) * unit, length * unit, unit)
        self.canv.drawPath(path, stroke=0, fill=1)


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_plain(text)).replace("\n", "<br/>"), style)


def _plain(text: str) -> str:
    """Composed, without what no eye can see, and of a length that a document may hold."""
    shown = "".join(c for c in unicodedata.normalize("NFC", text) if c == "\n" or unicodedata.category(c)[0] != "C")
    return shown if len(shown) <= _MOST_LETTERS else shown[: _MOST_LETTERS - 1] + "…"


def _cut(text: str, width: float, size: float) -> str:
    if fonts.width(text, fonts.REGULAR, size) <= width:
        return text
    while text and fonts.width(text + "…", fonts.REGULAR, size) > width:
        text = text[:-1]
    return text + "…"
