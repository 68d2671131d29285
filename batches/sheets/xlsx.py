"""Reading XLSX (ECMA-376) as from a stranger: streamed, bounded, no document types, no entities, nothing reckoned.

Python's own zip and expat do the work; each part is read in pieces, and never more of it than `limits` allows.
"""

import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from batches.sheets import limits
from batches.sheets.cells import Cell, Num, Unclear, Wrong, serial
from batches.sheets.limits import Unreadable, broken, too_much
from village.i18n import lazy_gettext as _l

PIECE = 64 * 1024
_END = b"PK\x05\x06"
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_DATES = frozenset((*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)))
"""Number formats that are dates by themselves."""
_NOT_DATE = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


@dataclass
class Row:
    """A row as it stands: its number in the sheet, its cells by column (from 0)."""

    number: int
    cells: list[Cell]
    hidden: bool = False


@dataclass
class Found:
    """What else was noticed on the way."""

    formulas: list[str] = field(default_factory=list)
    """Cells whose value a formula gave."""
    empty_formulas: set[tuple[int, int]] = field(default_factory=set)
    """(row, column) of formulas without a value that was worked out."""
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Merged ranges as first row, first column, last row, last column; rows from 1, columns from 0."""


@dataclass(frozen=True)
class Tab:
    """One sheet of the workbook."""

    name: str
    part: str
    hidden: bool


class Workbook:
    """An XLSX file that is open. Raises Unreadable for whatever is none."""

    def __init__(self, path: Path) -> None:
        _check_directory(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, struct.error) as error:
            raise broken() from error
        self._names = {info.filename: info for info in self._zip.infolist()}
        for info in self._names.values():
            if info.flag_bits & 1:
                raise Unreadable(
                    "sheet-locked", _l("Tệp có mật khẩu nên mình không mở được. Bác bỏ mật khẩu rồi gửi lại.")
                )
        self._from_1904 = False
        self.tabs = self._read_tabs()
        self._dates = self._read_styles()
        self._strings: list[str] | None = None

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def rows(self, tab: Tab, found: Found, go_on: Callable[[], None] = lambda: None) -> Iterator[Row]:
        """The rows of one sheet, in order."""
        if self._strings is None:
            self._strings = self._read_strings()
        reader = _Rows(self._strings, self._dates, self._from_1904, found)
        for _piece in self._feed(tab.part, limits.SHEET, reader.parser):
            yield from reader.take()
            go_on()
        yield from reader.take()

    def _read_tabs(self) -> list[Tab]:
        targets: dict[str, str] = {}
        tabs: list[tuple[str, str, bool]] = []

        def relation(name: str, given: dict[str, str]) -> None:
            if name == "Relationship" and given.get("TargetMode") != "External":
                targets[given.get("Id", "")] = given.get("Target", "")

        def sheet(name: str, given: dict[str, str]) -> None:
            if name == "sheet" and len(tabs) < limits.PARTS:
                relation_id = next((value for key, value in given.items() if key.endswith(":id") or key == "id"), "")
                tabs.append((given.get("name", ""), relation_id, given.get("state", "visible") != "visible"))
            elif name == "workbookPr":
                self._from_1904 = given.get("date1904") in ("1", "true")

        if "xl/workbook.xml" not in self._names:
            raise broken()
        self._small("xl/_rels/workbook.xml.rels", relation)
        self._small("xl/workbook.xml", sheet)
        parts = [(name, targets.get(key, ""), hidden) for name, key, hidden in tabs]
        return [
            Tab(name, part.lstrip("/") if part.startswith("/") else f"xl/{part}", hidden)
            for name, part, hidden in parts
            if part
        ]

    def _read_styles(self) -> list[bool]:
        """Whether each cell format shows a date."""
        own: dict[int, bool] = {}
        dates: list[bool] = []
        within: list[str] = []

        def style(name: str, given: dict[str, str]) -> None:
            if name in ("cellXfs", "cellStyleXfs", "dxfs"):
                within[:] = [name]
            elif name == "numFmt" and given.get("numFmtId", "").isdigit():
                own[int(given["numFmtId"])] = _is_date(given.get("formatCode", ""))
            elif name == "xf" and within == ["cellXfs"] and len(dates) < 100_000:
                number = given.get("numFmtId", "0")
                key = int(number) if number.isdigit() else 0
                dates.append(own.get(key, key in _DATES))

        self._small("xl/styles.xml", style)
        return dates

    def _small(self, part: str, see: Callable[[str, dict[str, str]], None]) -> None:
        parser = _parser()
        parser.StartElementHandler = lambda name, given: see(name.rpartition(":")[2], given)
        if part in self._names:
            for _piece in self._feed(part, limits.SMALL_PART, parser):
                pass

    def _read_strings(self) -> list[str]:
        reader = _Strings()
        if "xl/sharedStrings.xml" in self._names:
            for _piece in self._feed("xl/sharedStrings.xml", limits.STRINGS, reader.parser):
                pass
        return reader.found

    def _feed(self, part: str, most: int, parser: Any) -> Iterator[None]:
        """Give a part to the parser, piece by piece."""
        info = self._names.get(part)
        if info is None or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise broken()
        if info.file_size > most:
            raise too_much()
        try:
            with self._zip.open(info) as stream:
                yield from _pieces(stream, most, parser)
        except (expat.ExpatError, zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise broken() from error
        except RuntimeError as error:  # what zipfile raises for a part that is locked
            raise broken() from error
        except Exception as error:
            if type(error).__module__ == "zlib":
                raise broken() from error
            raise


def _pieces(stream: IO[bytes], most: int, parser: Any) -> Iterator[None]:
    read = 0
    while piece := stream.read(PIECE):
        read += len(piece)
        # What the list of files says of a part's size may be a lie.
        if read > most:
            raise too_much()
        parser.Parse(piece, False)
        yield
    parser.Parse(b"", True)


def _check_directory(path: Path) -> None:
    """Look at the list of files before it is read: a million of them would fill the memory."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_557))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise broken()
    parts, directory = struct.unpack("<H", tail[at + 10 : at + 12])[0], struct.unpack("<I", tail[at + 12 : at + 16])[0]
    if parts > limits.PARTS or directory > limits.DIRECTORY:
        raise too_much()


def _is_date(code: str) -> bool:
    plain = _NOT_DATE.sub("", code.lower())
    return any(letter in plain for letter in "dyhs") or plain in ("m", "mm", "mmm", "mmmm")


def _parser() -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = PIECE

    def refuse(*_declared: object) -> None:
        raise broken()

    # Spreadsheets declare no document type; entities live there, and nowhere else.
    parser.StartDoctypeDeclHandler = refuse
    return parser


class _Strings:
    """Collects the shared texts."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._parts: list[str] = []
        self._length = 0
        self._takes = False
        self._sound = False
        self._depth = 0

    def _start(self, name: str, _given: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > limits.DEPTH or len(self.found) > limits.CELLS:
            raise too_much()
        tag = name.rpartition(":")[2]
        if tag == "si":
            self._parts, self._length = [], 0
        elif tag == "rPh":
            self._sound = True
        elif tag == "t":
            self._takes = not self._sound

    def _text(self, text: str) -> None:
        if self._takes:
            self._length += len(text)
            if self._length > limits.TEXT:
                raise too_much()
            self._parts.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        tag = name.rpartition(":")[2]
        if tag == "t":
            self._takes = False
        elif tag == "rPh":
            self._sound = False
        elif tag == "si":
            self.found.append("".join(self._parts))


class _Rows:
    """Makes rows out of a sheet's elements."""

    def __init__(self, strings: list[str], dates: list[bool], from_1904: bool, found: Found) -> None:
        self._strings, self._dates, self._from_1904, self._found = strings, dates, from_1904, found
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._done: list[Row] = []
        self._row: Row | None = None
        self._last = 0
        self._column = -1
        self._type, self._style = "n", ""
        self._parts: list[str] = []
        self._length = 0
        self._takes = False
        self._formula = False
        self._cells = self._rows = 0
        self._depth = 0

    def take(self) -> list[Row]:
        """The rows that are whole by now."""
        done, self._done = self._done, []
        return done

    def _start(self, name: str, given: dict[str, str]) -> None:
        self._depth += 1
        tag = name if ":" not in name else name.rpartition(":")[2]
        if tag == "c":
            self._cell(given)
        elif tag in ("v", "t"):
            self._takes = True
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._begin_row(given)
        elif tag == "mergeCell":
            self._merge(given.get("ref", ""))
        elif self._depth > limits.DEPTH:
            raise too_much()

    def _text(self, text: str) -> None:
        if self._takes:
            self._length += len(text)
            if self._length > limits.TEXT:
                raise too_much()
            self._parts.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        tag = name if ":" not in name else name.rpartition(":")[2]
        if tag in ("v", "t"):
            self._takes = False
        elif tag == "c":
            self._end_cell()
        elif tag == "row" and self._row is not None:
            if any(cell is not None for cell in self._row.cells):
                self._done.append(self._row)
            self._row = None

    def _begin_row(self, given: dict[str, str]) -> None:
        number = given.get("r", "")
        self._last = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else self._last + 1
        self._rows += 1
        if self._rows > 1_048_576:
            raise too_much()
        self._row = Row(self._last, [], given.get("hidden") in ("1", "true"))
        self._column = -1

    def _cell(self, given: dict[str, str]) -> None:
        place = _CELL.fullmatch(given.get("r", ""))
        self._column = _column(place[1]) if place else self._column + 1
        self._cells += 1
        if self._cells > limits.CELLS:
            raise too_much()
        self._type, self._style = given.get("t", "n"), given.get("s", "")
        self._parts, self._length, self._formula = [], 0, False

    def _end_cell(self) -> None:
        if self._row is None or self._column >= limits.COLUMNS:
            return
        if self._formula:
            if len(self._found.formulas) < 1000:
                self._found.formulas.append(f"{_letters(self._column)}{self._row.number}")
            if not self._parts:
                self._found.empty_formulas.add((self._row.number, self._column))
        if not self._parts:
            return
        cells = self._row.cells
        if self._column >= len(cells):
            cells.extend([None] * (self._column - len(cells) + 1))
        cells[self._column] = self._value("".join(self._parts))

    def _value(self, text: str) -> Cell:
        match self._type:
            case "s":
                number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else -1
                if not 0 <= number < len(self._strings):
                    raise broken()
                return self._strings[number] or None
            case "str" | "inlineStr":
                return text
            case "b":
                return text.strip() == "1"
            case "e":
                return Wrong(text[:40])
            case "d":
                return text
            case _:
                return self._number(text.strip())

    def _number(self, text: str) -> Cell:
        try:
            value = Decimal(text)
        except InvalidOperation:
            return Wrong(text[:40])
        if not value.is_finite() or len(text) > 40 or abs(value.adjusted()) > 30:
            return Wrong(text[:40])
        if self._style.isdigit() and int(self._style) < len(self._dates) and self._dates[int(self._style)]:
            try:
                moment, day_only = serial(value, from_1904=self._from_1904)
            except (Unclear, OverflowError):
                return Num(text)
            plain = moment.replace(tzinfo=None)
            return plain.replace(hour=0) if day_only else plain
        return Num(text)

    def _merge(self, ref: str) -> None:
        first, _, last = ref.partition(":")
        ends = _CELL.fullmatch(first), _CELL.fullmatch(last or first)
        if ends[0] and ends[1] and len(self._found.merged) < 10_000:
            self._found.merged.append((int(ends[0][2]), _column(ends[0][1]), int(ends[1][2]), _column(ends[1][1])))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _letters(column: int) -> str:
    text, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text
