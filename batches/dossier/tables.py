"""The dossier's tables, each as XLSX and CSV. In the village's own language, as all of it: a council reads it.

A household that did not agree to be named appears by where it lives.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from batches.dossier.evidence import Evidence
from batches.processes.catalogue import all_processes
from batches.sheets.written_safely import CsvTable, Value, Workbook
from trace.gs1.digital_link import DigitalLink
from trace.scan import words
from village import clock, i18n
from village.places.models import Household

Rows = tuple[str, Sequence[str], list[Sequence[Value]]]
"""A sheet: its name, its headings, its rows."""

_HOLDS = {"none": "", "held": "đang tạm giữ", "recalled": "đã thu hồi"}


def write_tables(folder: Path, name: str, sheets: Iterable[Rows]) -> list[Path]:
    """Write `<name>.xlsx` with all sheets and one CSV for each; the paths, the XLSX first."""
    book = Workbook(folder / f"{name}.xlsx")
    paths = [folder / f"{name}.xlsx"]
    for number, (title, head, rows) in enumerate(sheets, start=1):
        with book.sheet(title, [22] * len(head)) as table:
            table.row(head)
            for row in rows:
                table.row(row)
        paths.append(folder / f"{name}-{number}.csv")
        with CsvTable(paths[-1]) as text:
            text.row(head)
            for row in rows:
                text.row(row)
    book.close()
    return paths


def balance_sheets(found: Evidence, homes: dict[str, Household]) -> list[Rows]:
    """The mass balance: every band, what each stage gave, the households beside each other."""
    balance = found.balance.balance
    bands: list[Sequence[Value]] = [(row.source, row.target, _kg(row.grams)) for row in balance.rows]
    stages: list[Sequence[Value]] = [
        (row.stage, _kg(row.yielded.taken), _kg(row.yielded.given), i18n.percent(Decimal(row.yielded.share) / 10000, 2))
        for row in balance.yields
    ]
    figures: list[Sequence[Value]] = [
        (
            words.who(homes[home.id]) if home.id in homes else "", _kg(f.harvested), _kg(f.bought), _kg(f.received),
            _kg(f.made), _kg(f.packed), _kg(f.sold), _kg(f.lost), _kg(f.left_raw + f.left_between + f.left_goods),
        )
        for home in found.balance.homes
        for f in (home.figures,)
    ]  # fmt: skip
    return [
        ("Các dải", ("Từ", "Sang", "kg"), bands),
        ("Mỗi bước", ("Bước", "Vào kg", "Ra kg", "Được"), stages),
        (
            "Các hộ",
            ("Hộ", "Thu kg", "Mua kg", "Nhận kg", "Làm ra kg", "Đóng gói kg", "Gửi đi kg", "Hao kg", "Còn kg"),
            figures,
        ),
    ]


def lot_sheets(found: Evidence, public_url: str) -> list[Rows]:
    """The lots of the period, with what lies behind each."""
    there = {key for lot in found.lots for key in lot.origins}
    # In the order in which the process comes to them; shares of unknown origin have keys of their own, and no column.
    names = {one.key: one.name.vi for one in all_processes()[found.product.process].materials if one.key in there}
    head = ("Mã lô", "Ngày làm", "Hạn dùng", "Làm ra gói", "Còn gói", "Tạm giữ", "Hộ", "Nơi làm", "Mua ngoài từ",
            *(f"Từ {name.lower()}, kg" for name in names.values()), "Trang của lô")  # fmt: skip
    rows: list[Sequence[Value]] = [
        (
            lot.lot, lot.made_at.astimezone(clock.VN),
            lot.best_before.strftime("%d/%m/%Y") if lot.best_before else None, lot.made_units,
            lot.left_units, _HOLDS[lot.hold], words.who(lot.household), words.place(lot.site),
            lot.outside, *(_kg(lot.origins[key]) if key in lot.origins else None for key in names),
            DigitalLink(lot.gtin, lot=lot.lot).under(public_url),
        )
        for lot in found.lots
    ]  # fmt: skip
    return [("Các lô", head, rows)]


def inspection_sheets(found: Evidence) -> list[Rows]:
    """Every inspection of these lots and of what they were made of. Notes stay at home: they are people's own words."""
    rows: list[Sequence[Value]] = [
        (
            event.occurred_at.astimezone(clock.VN), event.name_vi,
            "; ".join(part.batch.lot for part in event.parts if part.part == "about"),
            "đạt" if event.passed else "chưa đạt", " ".join(words.reading(one) for one in event.readings),
            words.who(event.household), event.entry_index,
        )
        for event in found.inspections
    ]  # fmt: skip
    return [("Kiểm tra", ("Lúc nào", "Bước", "Mẻ", "Kết quả", "Số đo", "Hộ", "Dòng trong sổ"), rows)]


def report_sheets(found: Evidence, names: dict[str, str]) -> list[Rows]:
    """What laboratories measured, line by line; `names`: the file of each report's paper, by its hash."""
    rows: list[Sequence[Value]] = [
        (
            report.laboratory, report.number, report.issued_on.strftime("%d/%m/%Y"),
            report.expires_on.strftime("%d/%m/%Y") if report.expires_on else "không ghi hạn",
            "đạt" if report.passed else "chưa đạt", str(line.get("name", "")), str(line.get("value", "")),
            str(line.get("unit", "")), str(line.get("limit", "")), names.get(report.sha256, ""),
        )
        for report in found.reports
        for line in (report.parameters or [{}])
    ]  # fmt: skip
    head = (
        "Phòng kiểm nghiệm", "Số phiếu", "Ngày", "Đến ngày", "Kết quả", "Đo gì", "Số đo", "Đơn vị", "Giới hạn", "Tệp",
    )  # fmt: skip
    return [("Kiểm nghiệm", head, rows)]


def _kg(grams: int) -> Decimal:
    return Decimal(grams) / 1000
