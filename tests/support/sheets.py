"""Sheets for tests and the bench: a season of a village, as an office would have written it down."""

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from batches.sheets import services
from batches.sheets.models import Sheet, SheetFault
from batches.sheets.written_safely import Value, Workbook
from tests.support.village import Village
from village import clock
from village.db import db
from village.jobs.worker import work_off

HEADS = (
    "Số hiệu", "Ngày giờ", "Hộ", "Quy trình", "Bước", "Lấy từ", "Làm ra", "Số lượng", "Mã lô", "Độ ẩm %", "Đạt",
    "Ghi chú",
)  # fmt: skip


def season(rows: int, households: Sequence[str] = ("Hộ A", "Hộ B")) -> Iterator[list[Value]]:
    """At least so many rows of miến dong, seven to a story from the field to the packs. Each row refers to the one
    that it takes from by its own reference."""
    start = clock.now().astimezone(clock.VN).replace(tzinfo=None, second=0, microsecond=0) - dt.timedelta(days=300)
    for story in range((rows + 6) // 7):
        at = start + dt.timedelta(minutes=story * 3)
        home = households[story % len(households)]
        for number, (stage, takes, product, amount, moisture, passed) in enumerate(_story(story)):
            yield [
                f"s{story}-{number}", at + dt.timedelta(days=number), home, "Miến dong", stage, takes, product, amount,
                "", moisture, passed, "",
            ]  # fmt: skip


def _story(n: int) -> list[tuple[str, str, str, Value, Value, str]]:
    tuber = 160_000 + n % 50 * 1000
    starch = tuber // 4
    rested = tuber * 14 // 100
    noodles = rested * 9 // 10 // 1000 * 1000
    dry = Decimal("13.2")

    def kg(grams: int) -> Decimal:
        return Decimal(grams) / 1000

    def take(number: int, grams: int) -> str:
        return f"s{n}-{number} {kg(grams):f}".replace(".", ",")

    return [
        ("Thu hoạch", "", "", kg(tuber), None, ""),
        ("Lọc và lắng bột", take(0, tuber), "", kg(starch), None, ""),
        ("Tráng bánh", take(1, starch), "", kg(starch), None, ""),
        ("Phơi tái và ủ", take(2, starch), "", kg(rested), None, ""),
        ("Phơi miến", take(3, rested), "", kg(noodles), dry, ""),
        ("Kiểm tra", f"s{n}-4", "", None, dry, "đạt"),
        ("Đóng gói", take(4, noodles), "gói miến 500 g", noodles // 500, None, ""),
    ]


def write_xlsx(path: Path, rows: Iterator[list[Value]], heads: Sequence[str] = HEADS) -> None:
    """A workbook with these rows."""
    book = Workbook(path)
    with book.sheet("Ghi chép", [14] * len(heads)) as table:
        table.row(heads)
        for row in rows:
            table.row(row)
    book.close()


def as_csv(rows: Iterator[list[Value]] | Sequence[Sequence[Any]], heads: Sequence[str] = HEADS, mark: str = ";") -> str:
    """The same as text, numbers as Vietnamese writes them."""
    text = StringIO()
    writer = csv.writer(text, delimiter=mark)
    writer.writerow(heads)
    for row in rows:
        writer.writerow([_text(cell) for cell in row])
    return text.getvalue()


def _text(cell: Value) -> str:
    if isinstance(cell, dt.datetime):
        return cell.strftime("%d/%m/%Y %H:%M")
    return f"{cell:f}".replace(".", ",") if isinstance(cell, Decimal) else "" if cell is None else str(cell)


def send(village: Village, content: bytes | str, who: str = "office", name: str = "vu.csv") -> Sheet:
    """Send a sheet in as this member and have it looked over; its row, read afresh."""
    data = content.encode() if isinstance(content, str) else content
    sheet = services.take_in(village.actor(who), name, BytesIO(data))
    work_off()
    return again(sheet.id)


def write(village: Village, sheet: Sheet, who: str = "office") -> Sheet:
    """Have it recorded; its row, read afresh."""
    services.start_writing(village.actor(who), sheet.id)
    work_off()
    return again(sheet.id)


def again(sheet_id: str) -> Sheet:
    """The sheet's row, read afresh."""
    db.session.rollback()
    return db.session.get_one(Sheet, sheet_id, populate_existing=True)


def faults(sheet: Sheet) -> list[tuple[int, str, str]]:
    """(line, column, reason) of all that is wrong with it."""
    rows = db.session.query(SheetFault).filter_by(sheet_id=sheet.id).order_by(SheetFault.number)
    return [(row.line, row.column, row.reason) for row in rows]
