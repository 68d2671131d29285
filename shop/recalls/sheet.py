"""The sheet for the authorities: every lot of a recall, what it was, where it went, what came back. Nobody's name."""

import datetime as dt
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib import colors  # type: ignore[import-untyped]  # it ships no types
from reportlab.lib.pagesizes import A4, landscape  # type: ignore[import-untyped]  # it ships no types
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]  # it ships no types
from reportlab.lib.units import mm  # type: ignore[import-untyped]  # it ships no types
from reportlab.platypus import (  # type: ignore[import-untyped]  # it ships no types
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)
from sqlalchemy import func, select

from batches.sheets.written_safely import CsvTable, Value, Workbook
from shop.recalls.models import Reached, RecallOrder
from shop.recalls.services import Followed
from trace.labels import fonts
from trace.recalls.counting import counted
from trace.recalls.models import RecallLot
from village import clock
from village.db import db
from village.i18n import gettext as _
from village.i18n import in_language, kilograms, moment, number, percent

PDF_LOTS = 3_000
"""Lots on paper; the spreadsheets have them all."""
WIDTHS = (16, 30, 18, 24, 14, 12, 10, 10, 10, 10, 10, 10, 10, 12)


@dataclass(frozen=True)
class Line:
    """A lot. Packs, but for `left_grams`; `entry` is its line on the ledger."""

    gtin: str
    product: str
    lot: str
    household: str
    made_at: dt.datetime
    best_before: dt.date | None
    packed: int
    in_stock: int
    shipping: int
    delivered: int
    other: int
    returned: int
    destroyed: int
    left_grams: int
    entry: int | None

    @property
    def values(self) -> list[Value]:
        """As a row of a spreadsheet."""
        best = self.best_before.strftime("%d/%m/%Y") if self.best_before else ""
        made = self.made_at.astimezone(clock.VN)
        return [
            self.gtin, self.product, self.lot, self.household, made, best, self.packed, self.in_stock, self.shipping,
            self.delivered, self.other, self.returned, self.destroyed, self.entry,
        ]  # fmt: skip


def headings() -> list[str]:
    """The columns' names."""
    return [
        _("Mã hàng (GTIN)"), _("Sản phẩm"), _("Lô"), _("Hộ làm"), _("Làm lúc"), _("Hạn dùng"), _("Đóng gói"),
        _("Trong kho"), _("Đang đi đường"), _("Đã tới tay"), _("Xuất cách khác"), _("Đã thu về"), _("Đã huỷ"),
        _("Dòng trên sổ"),
    ]  # fmt: skip


SORTS: dict[str, Callable[[Line], tuple[object, ...]]] = {
    "lot": lambda line: (line.lot, line.gtin),
    "product": lambda line: (line.product, line.lot),
    "household": lambda line: (line.household, line.lot),
    "made": lambda line: (line.made_at, line.lot),
    "packed": lambda line: (-line.packed, line.lot),
    "stock": lambda line: (-line.in_stock, line.lot),
    "out": lambda line: (line.in_stock - line.packed, line.lot),
    "back": lambda line: (-line.returned, line.lot),
}
"""What the table can be sorted by; packs with the most on top."""


def lines(followed: Followed, sort: str = "") -> list[Line]:
    """All lots of a recall, sorted; as they stand in the recall where `sort` is none."""
    rows = db.session.execute(
        select(RecallOrder.batch_id, RecallOrder.state, func.sum(RecallOrder.units))
        .where(RecallOrder.recall_id == followed.recall.id)
        .group_by(RecallOrder.batch_id, RecallOrder.state)
    )
    ordered = {(batch, state): int(units) for batch, state, units in rows}
    found = [_line(followed, lot, ordered) for lot in followed.lots]
    by = SORTS.get(sort)
    return sorted(found, key=by) if by else found


def _line(followed: Followed, lot: RecallLot, ordered: dict[tuple[str, Reached], int]) -> Line:
    batch = lot.batch
    shipping = ordered.get((lot.batch_id, Reached.SHIPPING), 0)
    delivered = ordered.get((lot.batch_id, Reached.DELIVERED), 0)
    came = counted(followed.recall.steps, lot.batch_id)
    return Line(
        batch.gtin, in_language(batch.product.name_vi, batch.product.name_en), batch.lot, batch.household.name,
        batch.made_at, batch.best_before, lot.packed, lot.in_stock, shipping, delivered,
        lot.packed - lot.in_stock - shipping - delivered,
        sum(one.units for one in came if one.what == "returned"),
        sum(one.units for one in came if one.what == "destroyed"),
        lot.left_grams if not lot.packed else 0, lot.entry_index,
    )  # fmt: skip


def csv(followed: Followed) -> bytes:
    """The table as CSV."""

    def fill(path: Path) -> None:
        with CsvTable(path) as table:
            table.row(headings())
            for line in lines(followed):
                table.row(line.values)

    return _written(fill)


def xlsx(followed: Followed) -> bytes:
    """The figures, the lots and the orders as a workbook."""

    def fill(path: Path) -> None:
        book = Workbook(path)
        with book.sheet(_("Tóm tắt"), (34, 60)) as table:
            table.row([_("Thu hồi"), ""])
            for term, words in summary(followed):
                table.row([term, words])
        with book.sheet(_("Các lô"), WIDTHS) as table:
            table.row(headings())
            for line in lines(followed):
                table.row(line.values)
        with book.sheet(_("Các đơn"), (14, 16, 10, 40, 24)) as table:
            table.row([_("Đơn"), _("Lúc thu hồi"), _("Số gói"), _("Lô"), _("Báo cho người mua")])
            for one in followed.buyers:
                told = told_words()[one.message.state.value if one.message else ""]
                lots = ", ".join(one.lots)
                table.row([one.order.number, state_words()[one.state.value], one.units, lots, told])
        book.close()

    return _written(fill)


def told_words() -> dict[str, str]:
    """What became of a message, by its state; empty for a buyer whose number nobody has."""
    return {
        "waiting": _("Chờ báo"), "sent": _("Đã báo"), "failed": _("Chưa báo được"), "cancelled": _("Không báo nữa"),
        "": _("Không có số điện thoại"),
    }  # fmt: skip


def state_words() -> dict[str, str]:
    """Where an order's packs were when the recall began."""
    return {"stopped": _("chưa gửi"), "shipping": _("đang đi đường"), "delivered": _("đã tới tay")}


def summary(followed: Followed) -> list[tuple[str, str]]:
    """The recall in a few lines."""
    recall, account = followed.recall, followed.account
    return [
        (_("Người gọi thu hồi"), recall.cooperative.name),
        (_("Lúc"), moment(recall.started_at)),
        (_("Vì sao"), recall.reason),
        (_("Số lô"), number(recall.lots)),
        (_("Gói đã làm"), number(recall.packed)),
        (_("Còn trong kho khi thu hồi"), number(recall.in_stock)),
        (_("Đang đi đường"), number(followed.states["shipping"])),
        (_("Đã tới tay người mua"), number(followed.states["delivered"])),
        (_("Xuất cách khác"), number(followed.states["other"])),
        (_("Người mua"), number(recall.buyers)),
        (_("Đã đếm trong kho, cất riêng"), number(account.found)),
        (_("Đã thu về"), number(account.returned)),
        (_("Đã huỷ"), number(account.destroyed)),
        (_("Ở người mua đã được báo"), number(account.told)),
        (_("Chưa rõ"), number(account.unknown)),
        (_("Đã biết chỗ"), percent(account.share)),
        *([(_("Diễn tập"), _("không có gì bị giữ lại"))] if recall.drill else []),
    ]


def pdf(followed: Followed) -> bytes:
    """The same on paper: A4, lying."""
    fonts.register()
    plain = ParagraphStyle("plain", fontName=fonts.REGULAR, fontSize=8.5, leading=11)
    small = ParagraphStyle("small", fontName=fonts.REGULAR, fontSize=7, leading=8.6)
    bold = ParagraphStyle("bold", fontName=fonts.BOLD, fontSize=7, leading=8.6)
    head = ParagraphStyle("head", fontName=fonts.BOLD, fontSize=15, leading=19)
    title = _("Diễn tập thu hồi") if followed.recall.drill else _("Bảng thu hồi")
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=landscape(A4), leftMargin=12 * mm, rightMargin=12 * mm, topMargin=12 * mm, bottomMargin=14 * mm,
        title=title, author=followed.recall.cooperative.name,
    )  # fmt: skip
    facts = LongTable(
        [[_text(term, bold), _text(words, plain)] for term, words in summary(followed)],
        colWidths=(52 * mm, 150 * mm), hAlign="LEFT",
    )  # fmt: skip
    facts.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
                               ("TOPPADDING", (0, 0), (-1, -1), 1)]))  # fmt: skip
    found = lines(followed)
    rows = [[_text(name, bold) for name in headings()]]
    rows += [[_text(_cell(value), small) for value in line.values] for line in found[:PDF_LOTS]]
    table = LongTable(
        rows, repeatRows=1,
        colWidths=[w * mm for w in (26, 38, 27, 30, 22, 17, 14, 14, 15, 14, 15, 14, 13, 14)],
    )  # fmt: skip
    table.setStyle(TableStyle([
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.HexColor("#85774f")),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#f5e7c0")), ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2), ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]))  # fmt: skip
    story = [_text(title, head), Spacer(1, 3 * mm), facts, Spacer(1, 5 * mm), table]
    if len(found) > PDF_LOTS:
        left = len(found) - PDF_LOTS
        story += [Spacer(1, 3 * mm), _text(_("và %(count)s lô nữa, có đủ trong bảng tính", count=number(left)), plain)]

    def foot(canvas: object, document: object) -> None:
        draw: object = canvas
        draw.setFont(fonts.REGULAR, 7)  # type: ignore[attr-defined]  # reportlab's canvas has no types
        words = f"{title}, {followed.recall.id} · {document.page}"  # type: ignore[attr-defined]  # nor has its document
        draw.drawString(12 * mm, 8 * mm, words)  # type: ignore[attr-defined]

    page.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _text(words: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), style)


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.strftime("%d/%m/%Y %H:%M")
    return number(value) if isinstance(value, int) else str(value)


def _written(fill: Callable[[Path], None]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="soi-recall-") as folder:
        path = Path(folder) / "sheet"
        fill(path)
        return path.read_bytes()


def weights(found: Sequence[Line]) -> str:
    """What is left of the lots that are weighed, in words."""
    return kilograms(sum(line.left_grams for line in found))
