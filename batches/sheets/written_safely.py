"""Writing tables that any spreadsheet opens and that run nothing there: CSV and XLSX, row by row. Pure.

XLSX: ECMA-376 with texts inline, so that nothing has to be known before the first row is written.
"""

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self
from xml.sax.saxutils import escape

Value = str | int | Decimal | dt.datetime | None
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is a formula to some spreadsheet."""
PIECE = 256 * 1024
EPOCH = dt.datetime(1899, 12, 30)


_INSIDE = re.compile(r"(?<=[,;|\t\r\n])(?=[+\-]|\s*[=@])")
"""Where a spreadsheet that splits at another sign than ours, or knows no quotes within a cell, would begin one."""


def defused(text: str) -> str:
    """Text that no spreadsheet takes for a formula, at whatever sign it splits the line. An apostrophe at the beginning
    is taken off when the table is read back; one further in is rare, and stays."""
    text = _INSIDE.sub("'", text)
    return f"'{text}" if text.startswith(DANGEROUS) else text


class Table(Protocol):
    """A table that is being written."""

    def row(self, values: Sequence[Value]) -> None:
        """Write one more row."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class CsvTable:
    """CSV with a byte order mark, which spreadsheets need to see UTF-8. Numbers have a decimal comma."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, delimiter=";")

    def row(self, values: Sequence[Value]) -> None:
        """Write one more row."""
        self._writer.writerow([_text(value) for value in values])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


def _text(value: Value) -> str:
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",")
    if isinstance(value, dt.datetime):
        return value.strftime("%d/%m/%Y %H:%M:%S" if value.second else "%d/%m/%Y %H:%M")
    return "" if value is None else str(value)


_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/styles.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>{sheets}</Types>'
)
_SHEET_TYPE = (
    '<Override PartName="/xl/worksheets/sheet{n}.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
)
_RELS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rels}</Relationships>'
)
_REL = (
    '<Relationship Id="rId{n}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" '
    'Target="{target}"/>'
)
_BOOK = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{sheets}</sheets></workbook>'
)
_STYLES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<numFmts count="1"><numFmt numFmtId="170" formatCode="dd/mm/yyyy\\ hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="170" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView>'
    "</sheetViews><cols>{cols}</cols><sheetData>"
)


class Workbook:
    """An XLSX of one sheet or several, each written from its first row to its last before the next one begins."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=5)
        self._names: list[str] = []

    def sheet(self, name: str, widths: Sequence[int]) -> "XlsxTable":
        """Begin a sheet, with its columns so many characters wide."""
        self._names.append(name[:31])
        return XlsxTable(self._zip, len(self._names), widths)

    def close(self) -> None:
        """Write what holds the sheets together."""
        numbers = range(1, len(self._names) + 1)
        sheets = "".join(
            f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, self._names, strict=True)
        )
        rels = "".join(_REL.format(n=n, kind="worksheet", target=f"worksheets/sheet{n}.xml") for n in numbers)
        styles = _REL.format(n=len(self._names) + 1, kind="styles", target="styles.xml")
        parts = {
            "[Content_Types].xml": _TYPES.format(sheets="".join(_SHEET_TYPE.format(n=n) for n in numbers)),
            "_rels/.rels": _RELS.format(rels=_REL.format(n=1, kind="officeDocument", target="xl/workbook.xml")),
            "xl/workbook.xml": _BOOK.format(sheets=sheets),
            "xl/_rels/workbook.xml.rels": _RELS.format(rels=rels + styles),
            "xl/styles.xml": _STYLES,
        }
        for part, text in parts.items():
            self._zip.writestr(_part(part), text)
        self._zip.close()


def _part(name: str) -> zipfile.ZipInfo:
    """A part of a workbook, without the time: the same rows give the same file."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


class XlsxTable:
    """One sheet of a workbook."""

    def __init__(self, book: zipfile.ZipFile, number: int, widths: Sequence[int]) -> None:
        self._part: IO[bytes] = book.open(_part(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True)
        cols = "".join(f'<col min="{n}" max="{n}" width="{w}" customWidth="1"/>' for n, w in enumerate(widths, start=1))
        self._text = io.StringIO()
        self._text.write(_HEAD.format(cols=cols))
        self._rows = 0

    def row(self, values: Sequence[Value]) -> None:
        """Write one more row; the first is the headings'."""
        style = ' s="1"' if self._rows == 0 else ""
        self._rows += 1
        self._text.write(f"<row>{''.join(_cell(value, style) for value in values)}</row>")
        if self._text.tell() > PIECE:
            self._flush()

    def _flush(self) -> None:
        self._part.write(self._text.getvalue().encode("utf-8", "replace"))
        self._text = io.StringIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._text.write("</sheetData></worksheet>")
        self._flush()
        self._part.close()


def _cell(value: Value, style: str) -> str:
    if value is None or value == "":
        return f"<c{style}/>"
    if isinstance(value, str):
        shown = "".join(c for c in value if c >= " " or c in "\t\n")
        return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{escape(shown)}</t></is></c>'
    if isinstance(value, dt.datetime):
        days = (value.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1)
        return f'<c s="2"><v>{days:.10f}</v></c>'
    return f"<c{style}><v>{value:f}</v></c>" if isinstance(value, Decimal) else f"<c{style}><v>{value}</v></c>"
