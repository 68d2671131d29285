"""Reading CSV as people have it: commas, semicolons or tabs; UTF-8, UTF-16 or an old Windows code page."""

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from batches.sheets import limits
from batches.sheets.columns import known
from batches.sheets.limits import Unreadable, broken, too_much
from batches.sheets.xlsx import Row
from village.i18n import lazy_gettext as _l

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 64 * 1024
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def encoding_of(path: Path) -> str:
    """The file's encoding, as far as it can be known; Unreadable where two are as likely."""
    head = path.open("rb").read(SAMPLE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) * 4 < len(head) or min(even, odd) * 10 > len(head):
            raise broken()
        return "utf-16-le" if odd > even else "utf-16-be"
    if _is_utf8(path):
        return "utf-8"
    return _code_page(head)


def _is_utf8(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="strict") as file:
            while file.read(1024 * 1024):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _code_page(head: bytes) -> str:
    """Of the two code pages that Vietnamese Windows wrote, the one under which more of the headings are ours."""
    scores = {}
    for name in ("cp1258", "cp1252"):
        text = unicodedata.normalize("NFC", head.decode(name, "replace"))
        scores[name] = max(known(row) for row in _first_rows(text))
    best = max(scores, key=lambda name: scores[name])
    if scores["cp1258"] == scores["cp1252"]:
        raise Unreadable(
            "sheet-encoding",
            _l("Mình không chắc chữ trong tệp ghi theo bảng mã nào, nên không đoán. Bác lưu lại dạng CSV UTF-8 nhé."),
        )
    return best


def _first_rows(text: str) -> list[list[str]]:
    lines = text.splitlines()[: limits.HEAD_ROWS]
    return [line.split(mark) for mark in DELIMITERS for line in lines] or [[]]


def delimiter_of(text: str) -> str:
    """What stands between the cells: that under which one of the first rows has the most headings of ours."""
    lines = text.splitlines()[: limits.HEAD_ROWS]
    return max(DELIMITERS, key=lambda mark: max((known(line.split(mark)) for line in _unquoted(lines)), default=0))


def _unquoted(lines: list[str]) -> list[str]:
    return [line.replace('"', "") for line in lines]


def rows(path: Path) -> Iterator[Row]:
    """The rows, each with the number of the line on which it begins."""
    encoding = encoding_of(path)
    csv.field_size_limit(limits.TEXT * 2)
    try:
        with path.open(encoding=encoding, errors="strict", newline="") as file:
            sample = file.read(SAMPLE)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter_of(unicodedata.normalize("NFC", sample)))
            before = 0
            for cells in reader:
                number, before = before + 1, reader.line_num
                if len(cells) > limits.COLUMNS:
                    raise too_much()
                if any(cell.strip() for cell in cells):
                    yield Row(number, [cell if cell.strip() else None for cell in cells])
    except (UnicodeError, csv.Error) as error:
        raise Unreadable(
            "sheet-encoding",
            _l("Chữ trong tệp bị hỏng ở giữa chừng, mình không đọc được. Bác lưu lại dạng CSV UTF-8 nhé."),
        ) from error
