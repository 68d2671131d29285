"""The columns of a sheet: what each is called, and which one a heading means."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from batches.processes.catalogue import all_processes
from village.i18n import current_language
from village.text import plain_letters


@dataclass(frozen=True)
class Column:
    """One column. `others`: further headings that mean it, in plain letters. `ignored`: for people, not read back."""

    key: str
    vi: str
    en: str
    others: tuple[str, ...] = ()
    ignored: bool = False

    @property
    def heading(self) -> str:
        """What it is called in the reader's language."""
        return self.vi if current_language() == "vi" else self.en


WHEN, HOUSEHOLD, SITE, PROCESS, STAGE = "when", "household", "site", "process", "stage"
TAKES, PRODUCT, AMOUNT, LOT = "takes", "product", "amount", "lot"
PASSED, REASON, ORIGIN, VALUE, NOTE, REF, EVENT = "passed", "reason", "origin", "value", "note", "ref", "event"
READING = "reading:"
"""Begins the key of a column of readings; the rest is the reading's type."""
NEEDED = (WHEN, STAGE)
"""Without these a table is none of ours."""

_FIRST = (
    Column(REF, "Số hiệu", "Ref", ("stt", "so-thu-tu", "no")),
    Column(WHEN, "Ngày giờ", "Date and time", ("ngay", "thoi-gian", "ngay-lam", "date", "when", "time")),
    Column(HOUSEHOLD, "Hộ", "Household", ("ho-gia-dinh", "ten-ho", "ho-lam")),
    Column(SITE, "Nơi làm", "Place", ("noi", "xuong", "site")),
    Column(PROCESS, "Quy trình", "Process", ("mat-hang",)),
    Column(STAGE, "Bước", "Stage", ("cong-doan", "viec", "step")),
    Column(TAKES, "Lấy từ", "Taken from", ("lay-tu-me", "dau-vao", "inputs", "input")),
    Column(PRODUCT, "Làm ra", "Made", ("san-pham", "dau-ra", "product")),
    Column(AMOUNT, "Số lượng", "Amount", ("so-can", "kg", "khoi-luong", "so-luong-kg", "quantity")),
    Column(LOT, "Mã lô", "Lot", ("lo", "so-lo", "lot-code")),
)
_READINGS = {
    "Moisture": ("Độ ẩm %", "Moisture %"),
    "DryMatter": ("Chất khô %", "Dry matter %"),
    "Temperature": ("Nhiệt độ °C", "Temperature °C"),
    "RelativeHumidity": ("Độ ẩm không khí %", "Air humidity %"),
}
_LAST = (
    Column(PASSED, "Đạt", "Passed", ("kiem-tra", "ket-qua", "dat-khong", "result")),
    Column(REASON, "Lý do hao", "Reason of loss", ("ly-do", "ly-do-mat", "reason")),
    Column(ORIGIN, "Mua từ", "Bought from", ("nguon-goc", "noi-mua", "origin")),
    Column(VALUE, "Giá trị đ", "Value đ", ("gia-tri", "thanh-tien", "so-tien", "value")),
    Column(NOTE, "Ghi chú", "Note", ("ghi-chu-ly-do", "notes")),
    Column(EVENT, "Mã lần ghi", "Event id"),
    Column("entry", "Dòng sổ", "Ledger entry", ignored=True),
    Column("doubts", "Chỗ lạ", "Doubts", ignored=True),
)


@cache
def columns() -> tuple[Column, ...]:
    """All columns, in the order in which they are handed out: one for each kind of reading that any stage asks for."""
    types: dict[str, Column] = {}
    for process in all_processes().values():
        for stage in process.stages:
            for need in stage.readings:
                vi, en = _READINGS.get(need.type, (f"Số đo {need.type}", f"Reading {need.type}"))
                types.setdefault(need.type, Column(READING + need.type, vi, en, (plain_letters(need.type),)))
    return (*_FIRST, *(types[key] for key in sorted(types)), *_LAST)


@cache
def _by_heading() -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column in columns():
        for heading in (plain_letters(column.vi), plain_letters(column.en), column.key, *column.others):
            found.setdefault(heading, column)
    return found


def column_of(heading: str) -> Column | None:
    """The column that a heading means, however it is accented or spaced."""
    return _by_heading().get(plain_letters(heading)[:80])


def column(key: str) -> Column:
    """The column of this key. Raises KeyError."""
    return _by_key()[key]


@cache
def _by_key() -> dict[str, Column]:
    return {one.key: one for one in columns()}


def known(cells: Sequence[object]) -> int:
    """How many of these cells are headings of ours."""
    return len({found.key for cell in cells if isinstance(cell, str) and (found := column_of(cell)) is not None})
