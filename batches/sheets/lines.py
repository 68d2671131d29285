"""One row as it is meant: its cells read, its names looked up. What cannot be read is told, all of it at once."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

from batches.processes.models import Kind, Process, Stage
from batches.sheets import cells
from batches.sheets.cells import Cell, Style, Unclear
from batches.sheets.columns import (
    AMOUNT,
    EVENT,
    HOUSEHOLD,
    LOT,
    NOTE,
    ORIGIN,
    PASSED,
    PROCESS,
    PRODUCT,
    READING,
    REASON,
    REF,
    SITE,
    STAGE,
    TAKES,
    VALUE,
    WHEN,
)
from batches.sheets.names import Names
from batches.sheets.table import Raw, shown
from batches.stages.wanted import NOTE_LENGTH, Measure
from trace.lots.holding import OFFICE_STAGES, RETURN
from village.errors import SoiError
from village.i18n import lazy_gettext as _l
from village.i18n import marked, translations
from village.ids import is_uuid
from village.text import clean_line, clean_text, plain_letters

T = TypeVar("T")
MOST_PARTS = 100
SAMPLE_NOTE = marked("Thí dụ, bác xoá dòng này")
"""The note of the example rows that the village hands out: they never happened."""
ELSEWHERE = frozenset((Kind.CASE, Kind.UNCASE))
"""Stages that a sheet leaves to the pages about cases."""


@dataclass(frozen=True)
class Fault:
    """Something wrong in a row."""

    line: int
    column: str
    """A column's key; empty for the row as a whole."""
    value: str
    reason: str


@dataclass(frozen=True)
class Source:
    """So much out of a batch, by its lot code or by the own reference of another row."""

    name: str
    amount: Decimal | None
    unit: str


@dataclass(frozen=True)
class Result:
    """So much of a product. `product` None: whatever went in, of a split or a blend."""

    product: str | None
    amount: Decimal
    unit: str
    lot: str | None


@dataclass
class Line:
    """A row that could be read."""

    number: int
    when: dt.datetime
    day_only: bool
    household: str
    site: str
    process: str
    stage: str
    kind: Kind
    sources: tuple[Source, ...] = ()
    results: tuple[Result, ...] = ()
    readings: tuple[Measure, ...] = ()
    passed: bool | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    value: int | None = None
    note: str = ""
    ref: str = ""
    event: str = ""
    """The id of an event that this row was handed out for."""


class _Told:
    """Gathers what is wrong in a row."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self.faults: list[Fault] = []

    def tell(self, column: str, reason: object) -> None:
        """This is wrong in this column."""
        value = shown(self._raw.cells.get(column))
        self.faults.append(Fault(self._raw.number, column, value, str(reason)[:600]))

    def read(self, column: str, how: Callable[[], T], other: T) -> T:
        """What `how` reads; `other` when it cannot, and the fault is noted."""
        try:
            return how()
        except (Unclear, SoiError) as error:
            self.tell(column, error)
            return other


class Reader:
    """Reads the rows of one sheet."""

    def __init__(self, names: Names, style: Style) -> None:
        self._names = names
        self._style = style
        self._moments: dict[Cell, tuple[dt.datetime, bool]] = {}

    def line(self, raw: Raw, merged: set[str] | None = None) -> tuple[Line | None, list[Fault]]:
        """The row as it is meant, or all that is wrong in it. Neither for a row that is left to other pages."""
        told = _Told(raw)
        get, read, tell, faults = raw.cells.get, told.read, told.tell, told.faults
        if raw.hidden:
            tell("", _l("Dòng này đang bị ẩn trong bảng. Bác cho hiện ra để xem lại, hoặc xoá đi."))
        for column in sorted(merged or ()):
            tell(column, _l("Ô này bị gộp với ô khác. Bác tách ra, mỗi dòng ghi riêng."))
        for column in sorted(raw.unreckoned):
            tell(column, _l("Ô này là công thức chưa có kết quả. Bác ghi thẳng con số vào."))
        if faults:
            return None, faults

        if get(STAGE) in (*OFFICE_STAGES, RETURN):
            return None, []
        nobody: tuple[str, str] | None = None
        found = read(STAGE, lambda: self._stage(get(PROCESS), get(STAGE)), nobody)
        stage_of = self._names.stage(*found) if found else None
        if stage_of is not None and stage_of[1].kind in ELSEWHERE:
            return None, []
        when, day_only = read(WHEN, lambda: self._moment(get(WHEN)), (_NEVER, False))
        household = read(HOUSEHOLD, lambda: self._names.household(cells.words(get(HOUSEHOLD))), "")
        if stage_of is None:
            return None, faults
        process, stage = stage_of
        site = ""
        if household:
            site = read(SITE, lambda: self._names.site(cells.words(get(SITE)), household, stage), "")
        line = Line(
            raw.number, when, day_only, household, site, process.key, stage.key, stage.kind,
            sources=read(TAKES, lambda: self._sources(get(TAKES)), ()),
            results=self._results(process, stage, told, get),
            readings=self._readings(stage, raw, told),
            passed=read(PASSED, lambda: cells.yes(get(PASSED)), None) if get(PASSED) is not None else None,
            facts=self._facts(stage, told, get),
            value=read(VALUE, lambda: self._value(get(VALUE)), None) if get(VALUE) is not None else None,
            note=read(NOTE, lambda: _note(cells.words(get(NOTE))), ""),
            ref=read(REF, lambda: _name(cells.words(get(REF))), "") if get(REF) is not None else "",
            event=read(EVENT, lambda: _event(cells.words(get(EVENT))), ""),
        )  # fmt: skip
        return (None if faults else line), faults

    def _stage(self, process: Cell, stage: Cell) -> tuple[str, str]:
        said = cells.words(stage)
        if not said:
            raise Unclear(_l("Bác ghi giúp làm bước nào."))
        return self._names.stage_key(cells.words(process), said)

    def _moment(self, cell: Cell) -> tuple[dt.datetime, bool]:
        if isinstance(cell, bool) or cell is None:
            raise Unclear(_l("Bác ghi giúp ngày giờ, thí dụ 20/11/2026 06:30."))
        found = self._moments.get(cell)
        if found is None:
            found = cells.moment(cell)
            if len(self._moments) < 50_000:
                self._moments[cell] = found
        return found

    def _sources(self, cell: Cell) -> tuple[Source, ...]:
        parts = [part.strip() for part in cells.words(cell).split(";")]
        found = [self._source(part) for part in parts if part]
        if len(found) > MOST_PARTS:
            raise Unclear(_l("Một dòng nhiều mẻ quá. Bác chia ra vài dòng."))
        return tuple(found)

    def _source(self, part: str) -> Source:
        for mark in ("=", ":"):
            name, found, rest = part.partition(mark)
            if found:
                break
        else:
            name, _, rest = part.partition(" ")
        name, rest = name.strip(), rest.strip()
        if not rest:
            return Source(_name(name), None, "?")
        return Source(_name(name), *cells.amount(rest, self._style))

    def _results(self, process: Process, stage: Stage, told: _Told, get: Callable[[str], Cell]) -> tuple[Result, ...]:
        amounts = self._split(get(AMOUNT))
        products: list[str] = told.read(PRODUCT, lambda: self._split_text(get(PRODUCT)), [])
        lots: list[str] = told.read(LOT, lambda: self._split_text(get(LOT)), [])
        if not any(amounts) and not any(products) and not any(lots):
            return ()

        def made() -> list[Result]:
            count = max(len(amounts), len(products), len(lots))
            if count > MOST_PARTS:
                raise Unclear(_l("Một dòng nhiều mẻ quá. Bác chia ra vài dòng."))
            if len(amounts) != count or not all(amounts):
                raise Unclear(_l("Mỗi thứ làm ra ghi một số lượng, cách nhau bằng dấu chấm phẩy."))
            return [
                Result(
                    self._names.product(process, stage, products[n] if n < len(products) else ""),
                    *cells.amount(amount, self._style),
                    lots[n] if n < len(lots) and lots[n] else None,
                )
                for n, amount in enumerate(amounts)
            ]

        column = PRODUCT if any(products) and all(amounts) else AMOUNT
        return tuple(told.read(column, made, []))

    def _split(self, cell: Cell) -> list[Cell]:
        if isinstance(cell, str) and ";" in cell:
            return [part.strip() or None for part in cell.split(";")]
        return [] if cell is None else [cell]

    def _split_text(self, cell: Cell) -> list[str]:
        return [] if cell is None else [cells.spelled(one) for one in cells.words(cell).split(";")]

    def _readings(self, stage: Stage, raw: Raw, told: _Told) -> tuple[Measure, ...]:
        found: list[Measure] = []
        for column, cell in raw.cells.items():
            if column.startswith(READING) and cell is not None:
                found += told.read(column, partial(self._reading, stage, column, cell), [])
        return tuple(found)

    def _reading(self, stage: Stage, column: str, cell: Cell) -> list[Measure]:
        need = stage.reading(column.removeprefix(READING))
        if need is None:
            raise Unclear(_l("Bước này không đo cái ấy."))
        if isinstance(cell, str) and not isinstance(cell, cells.Num):
            cell = cells.spelled(cell).removesuffix("%").removesuffix("°C").strip()
        value = cells.number(cell, self._style)
        if abs(value) > 10**6:
            raise Unclear(_l("Số này lớn quá, không thể có."))
        return [Measure(need.type, value.quantize(Decimal("0.001")).normalize(), need.unit)]

    def _facts(self, stage: Stage, told: _Told, get: Callable[[str], Cell]) -> Mapping[str, str]:
        facts: dict[str, str] = {}
        if get(REASON) is not None:
            facts["reason"] = told.read(REASON, lambda: _reason(stage, cells.words(get(REASON))), "")
        if get(ORIGIN) is not None:
            facts["origin"] = told.read(ORIGIN, lambda: clean_line(cells.words(get(ORIGIN)), "facts.origin", 80), "")
        return facts

    def _value(self, cell: Cell) -> int:
        if isinstance(cell, str) and not isinstance(cell, cells.Num):
            cell = cells.spelled(cell).lower().removesuffix("đ").removesuffix("vnd").strip()
        value = cells.number(cell, self._style)
        if value != value.to_integral_value() or value < 0:
            raise Unclear(_l("Số tiền ghi bằng đồng, không lẻ, thí dụ 1.250.000."))
        return int(value)


_NEVER = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)


def _name(text: str) -> str:
    if not 0 < len(text) <= 60 or any(mark in text for mark in ";=") or len(text.split()) != 1:
        raise Unclear(_l("Mã mẻ hay số hiệu viết liền một chữ, không có dấu cách, rồi mới tới số lượng."))
    return text


def _note(text: str) -> str:
    if text in (SAMPLE_NOTE, translations("en").gettext(SAMPLE_NOTE)):
        raise Unclear(_l("Dòng này là thí dụ của bảng mẫu. Bác xoá đi rồi gửi lại."))
    return clean_text(text, NOTE, NOTE_LENGTH) if text else ""


def _event(text: str) -> str:
    if text and not is_uuid(text):
        raise Unclear(_l("Đây không phải mã lần ghi. Bác cứ để trống cột này."))
    return text


def _reason(stage: Stage, said: str) -> str:
    plain = plain_letters(said)
    for reason in stage.reasons:
        if plain in (reason.key, plain_letters(reason.name.vi), plain_letters(reason.name.en)):
            return reason.key
    if not stage.reasons:
        raise Unclear(_l("Bước này không ghi lý do hao."))
    raise Unclear(_l("Lý do là một trong: %(reasons)s."), reasons=", ".join(reason.name.vi for reason in stage.reasons))
