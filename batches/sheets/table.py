"""The one table in a file: which columns it has, and its rows, each cell under its column's key."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batches.sheets import limits, text_table, xlsx
from batches.sheets.cells import Cell, Num, Style, spelled, style_of, words
from batches.sheets.columns import AMOUNT, NEEDED, READING, TAKES, VALUE, column, column_of, known
from batches.sheets.limits import Unreadable, broken, too_much
from batches.sheets.xlsx import Found, Row
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.text import plain_letters

MOST_MERGED = 20_000
"""Cells that are told to be merged; with so many the rest is no news."""
_TOTALS = ("tong", "cong", "tong-cong", "tong-so", "total", "totals", "sum", "subtotal", "grand-total")


@dataclass
class Raw:
    """A row of the table, its cells by column."""

    number: int
    cells: Mapping[str, Cell]
    hidden: bool = False
    unreckoned: frozenset[str] = frozenset()
    """Columns whose formula has no value that was worked out."""


@dataclass
class Table:
    """What was read. Notes are what its sender should know, in her language."""

    rows: list[Raw] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    style: Style = ""
    merged: dict[int, set[str]] = field(default_factory=dict)
    """Columns by row in which a cell is merged with others."""


def read(path: Path, go_on: Callable[[], None] = lambda: None) -> Table:
    """Read the file's table. Raises Unreadable."""
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PK"):
        return _read_workbook(path, go_on)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            "sheet-old", _l("Tệp này là Excel đời cũ hoặc có mật khẩu. Bác lưu lại dạng .xlsx rồi gửi nhé.")
        )
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8", b"{", b"<")):
        raise broken()
    table = Table()
    heads = _heads_or_none(_watched(text_table.rows(path), go_on), table, Found())
    if heads is None:
        raise _no_heads()
    return table


def _read_workbook(path: Path, go_on: Callable[[], None]) -> Table:
    book = xlsx.Workbook(path)
    try:
        shown = [tab for tab in book.tabs if not tab.hidden]
        for tab in shown[:5]:
            table, found = Table(), Found()
            heads = _heads_or_none(_watched(book.rows(tab, found, go_on), lambda: None), table, found)
            if heads is None:
                continue
            _tell_of(table, found, heads)
            if len(shown) > 1:
                table.notes.append(_("Mình chỉ đọc trang “%(tab)s” của tệp.", tab=tab.name[:60]))
            return table
    finally:
        book.close()
    raise _no_heads()


def _watched(rows: Iterator[Row], go_on: Callable[[], None]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number % 1000 == 0:
            go_on()
        yield row


def _heads_or_none(rows: Iterator[Row], table: Table, found: Found) -> dict[int, str] | None:
    """Read all rows into the table; the columns by place, or None when no row has our headings."""
    heads = None
    for seen, row in enumerate(rows):
        if known(row.cells) >= 3 and (heads := _heads(row, table)):
            break
        if seen >= limits.HEAD_ROWS:
            break
    if heads is None:
        return None
    totals: list[str] = []
    for row in rows:
        if len(table.rows) >= limits.ROWS:
            raise too_much()
        cells = {heads[place]: cell for place, cell in enumerate(row.cells) if place in heads and cell is not None}
        unreckoned = frozenset(
            heads[place] for at, place in found.empty_formulas if at == row.number and place in heads
        ) if found.empty_formulas else frozenset[str]()  # fmt: skip
        if _is_total(row, cells):
            totals.append(str(row.number))
        elif cells or unreckoned:
            table.rows.append(Raw(row.number, cells, row.hidden, unreckoned))
        elif any(isinstance(cell, str) and len(cell) > 3 for cell in row.cells):
            table.rows.append(Raw(row.number, {}, row.hidden))
    if totals:
        table.notes.append(_("Dòng cộng tổng thì mình bỏ qua: dòng %(lines)s.", lines=", ".join(totals[:20])))
    table.style = style_of(_numbers(table.rows))
    return heads


def _heads(row: Row, table: Table) -> dict[int, str] | None:
    """The columns by place, when all are there that must be."""
    heads: dict[int, str] = {}
    unknown: list[str] = []
    for place, cell in enumerate(row.cells):
        if not isinstance(cell, str) or not cell.strip():
            continue
        found = column_of(cell)
        if found is None:
            unknown.append(spelled(cell)[:40])
        elif found.key in heads.values():
            raise Unreadable("sheet-heading-twice", _l("Cột “%(column)s” có hai lần trong bảng."), column=found.heading)
        elif not found.ignored:
            heads[place] = found.key
    if not set(NEEDED) <= set(heads.values()):
        return None
    if unknown:
        table.notes.append(_("Những cột này mình không biết nên không đọc: %(names)s.", names=", ".join(unknown[:20])))
    return heads


def _is_total(row: Row, cells: Mapping[str, Cell]) -> bool:
    """A line that only sums up others: it names no stage, and says so."""
    if any(key in cells and not _says_total(cells[key]) for key in NEEDED):
        return False
    return any(_says_total(cell) for cell in row.cells)


def _says_total(cell: Cell) -> bool:
    if not isinstance(cell, str) or isinstance(cell, Num) or len(cell) > 60:
        return False
    said = plain_letters(cell)
    return said in _TOTALS or said.startswith(("tong-cong-", "tong-so-", "cong-thang-", "tong-thang-", "cong-ca-"))


def _numbers(rows: list[Raw]) -> Iterator[str]:
    """Texts that are numbers, as people typed them, without blanks between digits."""
    for row in rows:
        for key, cell in row.cells.items():
            if isinstance(cell, str) and not isinstance(cell, Num):
                if key in (AMOUNT, VALUE) or key.startswith(READING):
                    yield from _bare(cell)
                elif key == TAKES:
                    for part in cell.split(";"):
                        yield from _bare(part.replace("=", " ").replace(":", " ").rpartition(" ")[2])


def _bare(text: str) -> Iterator[str]:
    plain = "".join(text.split()).rstrip("kKgG%")
    if plain[:1].isdigit():
        yield plain


def _tell_of(table: Table, found: Found, heads: dict[int, str]) -> None:
    """What a workbook has besides values."""
    if found.formulas:
        table.notes.append(
            _(
                "Có ô là công thức (%(cells)s): mình lấy kết quả bảng tính đã tính sẵn, không tính lại.",
                cells=", ".join(found.formulas[:8]) + ("…" if len(found.formulas) > 8 else ""),
            )
        )
    last = max((row.number for row in table.rows), default=0)
    first = min((row.number for row in table.rows), default=0)
    marked = 0
    for top, left, bottom, right in found.merged:
        for place in range(left, min(right, limits.COLUMNS) + 1):
            for number in range(max(top, first), min(bottom, last) + 1) if place in heads else ():
                marked += 1
                if marked > MOST_MERGED:
                    return
                table.merged.setdefault(number, set()).add(heads[place])


def _no_heads() -> Unreadable:
    return Unreadable(
        "sheet-without-headings",
        _l(
            "Mình không thấy dòng đầu bảng. Phải có ít nhất cột “%(when)s” và “%(stage)s”;"
            " bác tải bảng mẫu về dùng nhé."
        ),
        when=column(NEEDED[0]).heading,
        stage=column(NEEDED[1]).heading,
    )


def shown(cell: Cell) -> str:
    """A cell as its sender knows it again, cut short."""
    if cell is None:
        return ""
    return str(cell)[:200] if isinstance(cell, str) else words(cell)[:200]
