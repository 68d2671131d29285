"""Files as strangers send them: old encodings, bombs, formulas, hidden rows, merged cells. Each gets its clear word."""

import struct
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from batches.sheets import limits
from batches.sheets.cells import words
from batches.sheets.limits import Unreadable
from batches.sheets.table import Table, read
from batches.sheets.written_safely import CsvTable, Workbook, defused

HEADS = ["Ngày giờ", "Hộ", "Bước", "Số lượng", "Ghi chú"]
ROW: list[Any] = ["20/11/2026", "Hộ A", "Thu hoạch", "1.250,5", "đất tốt"]
BOOK = "xl/workbook.xml"
SHEET = "xl/worksheets/sheet1.xml"

pytestmark = pytest.mark.usefixtures("app")


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "sent"
    path.write_bytes(content)
    return path


def workbook(*rows: list[Any], change: Callable[[Any], None] = lambda sheet: None) -> bytes:
    """An XLSX as another program writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEADS, *rows):
        sheet.append(row)
    change(sheet)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_part(content: bytes, part: str, text: bytes) -> bytes:
    """The same XLSX with another file in the place of one of its parts."""
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, text if info.filename == part else old.read(info))
    return stream.getvalue()


def refused(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(Unreadable) as told:
        read(saved(tmp_path, content))
    assert str(told.value).endswith(".")
    return told.value.slug


def only(table: Table) -> dict[str, Any]:
    (row,) = table.rows
    return dict(row.cells)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_tables_are_read_in_every_usual_spelling(tmp_path: Path, encoding: str, mark: str) -> None:
    text = "\r\n".join(mark.join(f'"{cell}"' for cell in row) for row in (HEADS, ROW))
    assert only(read(saved(tmp_path, text.encode(encoding))))["note"] == "đất tốt"


def test_old_vietnamese_windows_is_told_from_western(tmp_path: Path) -> None:
    def old(row: list[Any]) -> bytes:
        """Windows 1258 writes a tone as a mark of its own, behind its letter."""
        letters = []
        for letter in ";".join(map(str, row)):
            parts = unicodedata.normalize("NFD", letter)
            tones = "".join(c for c in parts if c in "\u0300\u0301\u0303\u0309\u0323")
            letters.append(unicodedata.normalize("NFC", "".join(c for c in parts if c not in tones)) + tones)
        return "".join(letters).encode("cp1258")

    found = only(read(saved(tmp_path, old(HEADS) + b"\r\n" + old(ROW))))
    assert (words(found["household"]), words(found["note"])) == ("Hộ A", "đất tốt")
    western = "Date and time;Stage;Household;Note\r\n20/11/2026;Harvest;Hộ A;".replace("ộ", "o").encode() + b"caf\xe9"
    assert refused(tmp_path, western) == "sheet-encoding"


def test_an_encoding_that_nobody_can_know_is_not_guessed(tmp_path: Path) -> None:
    assert refused(tmp_path, b"Date,Stage,Household,Note\r\n20/11/2026,x,y,\xe9\xf0\xd2") == "sheet-encoding"


def test_a_heading_above_the_headings_and_totals_below_are_passed_over(tmp_path: Path) -> None:
    rows = [["Sổ vụ đông 2026"], [], HEADS, ROW, ["Tổng cộng", "", "", "1.250,5", ""], ["", "", "Cộng", "5", ""]]
    table = read(saved(tmp_path, "\n".join(";".join(map(str, row)) for row in rows).encode()))
    assert [row.number for row in table.rows] == [4] and len(table.notes) == 1
    assert table.style == "vi"


def test_a_workbook_of_another_program_is_read(tmp_path: Path) -> None:
    content = workbook([datetime(2026, 11, 20, 6, 30), "Hộ A", "Thu hoạch", 1250.5, None])
    cells = only(read(saved(tmp_path, content)))
    assert cells == {
        "when": datetime(2026, 11, 20, 6, 30), "household": "Hộ A", "stage": "Thu hoạch", "amount": "1250.5",
    }  # fmt: skip


def test_a_formula_is_taken_at_its_kept_value_or_not_at_all(tmp_path: Path) -> None:
    kept = workbook(["20/11/2026", "Hộ A", "Thu hoạch", 5, ""])
    with zipfile.ZipFile(BytesIO(kept)) as book:
        sheet = book.read(SHEET)
    worked_out = sheet.replace(b"<v>5</v>", b"<f>WEBSERVICE(&quot;http://127.0.0.1/&quot;)</f><v>7</v>")
    table = read(saved(tmp_path, with_part(kept, SHEET, worked_out)))
    assert only(table)["amount"] == "7" and "D2" in table.notes[0]
    table = read(saved(tmp_path, workbook(["20/11/2026", "Hộ A", "Thu hoạch", "=2+3", ""])))
    assert "amount" not in only(table) and table.rows[0].unreckoned == {"amount"}


def test_hidden_rows_and_merged_cells_are_marked(tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.merge_cells("B2:B3")

    table = read(saved(tmp_path, workbook(ROW, ROW, change=change)))
    assert [row.hidden for row in table.rows] == [False, True]
    assert table.merged == {2: {"household"}, 3: {"household"}}


def test_a_gigabyte_of_zeros_is_refused_and_costs_no_memory(tmp_path: Path) -> None:
    stream = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(workbook(ROW))) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for info in old.infolist():
            if info.filename != SHEET:
                new.writestr(info.filename, old.read(info))
        with new.open(SHEET, "w", force_zip64=True) as part:
            part.write(b"<worksheet><sheetData>")
            for _ in range(128):
                part.write(bytes(8 * 1024 * 1024))
    content = stream.getvalue()
    assert len(content) < 8 * 1024 * 1024
    tracemalloc.start()
    assert refused(tmp_path, content) in ("sheet-too-large", "sheet-broken")
    assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    tracemalloc.stop()


def test_a_part_that_lies_about_its_size_is_still_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SHEET", 100_000)
    long = b"<worksheet><sheetData>" + b" " * 1_000_000 + b"</sheetData></worksheet>"
    content = bytearray(with_part(workbook(ROW), SHEET, long))
    at = content.rfind(SHEET.encode()) - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = struct.pack("<I", 1000)
    assert refused(tmp_path, bytes(content)) in ("sheet-too-large", "sheet-broken")


def test_a_million_sheets_are_refused_before_their_names_are_read(tmp_path: Path) -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as book:
        for number in range(5000):
            book.writestr(f"xl/worksheets/sheet{number}.xml", b"")
    assert refused(tmp_path, stream.getvalue()) == "sheet-too-large"


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><worksheet/>',
        b"<worksheet><sheetData><row>",
        b"\x00" * 100,
        b"",
        b'<worksheet><sheetData><row><c t="s"><v>999999</v></c></row></sheetData></worksheet>',
        b"<a>" * 50_000,
    ],
    ids=["entities", "external", "dtd", "cut off", "zeros", "empty", "no such text", "deep"],
)
def test_a_part_that_is_no_sheet_is_refused(tmp_path: Path, text: bytes) -> None:
    assert refused(tmp_path, with_part(workbook(ROW), SHEET, text)) in ("sheet-broken", "sheet-too-large")


def test_entities_in_the_list_of_sheets_are_refused_as_well(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>'
    assert refused(tmp_path, with_part(workbook(ROW), BOOK, bomb)) == "sheet-broken"


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "sheet-old"),
        (b"PK\x03\x04 and then nothing", "sheet-broken"),
        (b"%PDF-1.7", "sheet-broken"),
        (b"\x89PNG\r\n", "sheet-broken"),
        (b"a,b,c\n1,2,3\n", "sheet-without-headings"),
        (b"\x00\x01\x02\x03" * 500, "sheet-without-headings"),
        ("Ngày giờ,Bước,Hộ,Bước\n".encode(), "sheet-heading-twice"),
        (b"\xff\xfeN", "sheet-encoding"),
    ],
)
def test_what_is_no_table_of_ours_gets_its_clear_word(tmp_path: Path, content: bytes, slug: str) -> None:
    assert refused(tmp_path, content) == slug


def test_a_cell_without_end_is_refused(tmp_path: Path) -> None:
    long = "Ngày giờ;Bước;Hộ\n20/11/2026;Thu hoạch;" + "x" * 100_000
    assert refused(tmp_path, long.encode()) == "sheet-encoding"
    assert refused(tmp_path, (";".join(HEADS) + "\n" + ";" * 500 + "x").encode()) == "sheet-too-large"


def test_what_is_written_opens_elsewhere_and_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "made.xlsx"
    book = Workbook(path)
    with book.sheet('Sổ & "khác"', [20, 20]) as table:
        table.row(["Tên", "Số"])
        table.row(["=1+1 <b>&", 5])
        table.row([datetime(2026, 11, 20, 6, 30), None])
    book.close()
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None and sheet.title == 'Sổ & "khác"'
    assert [cell.value for cell in sheet[2]] == ["=1+1 <b>&", 5] and sheet["A2"].data_type in ("s", "inlineStr")
    assert sheet["A3"].value == datetime(2026, 11, 20, 6, 30)
    with CsvTable(tmp_path / "made.csv") as text:
        text.row(["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "bình thường", 7])
    content = (tmp_path / "made.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") and content.decode("utf-8-sig").count("'=cmd") == 1
    assert all(defused(c + "x").startswith("'") for c in "=+-@\t\r")
