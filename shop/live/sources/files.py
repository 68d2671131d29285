"""A platform's or a reader's export of comments: TXT, CSV or XLSX. Only reading: no database.

A text file has one comment a line, as they are pasted. A table has a line of headings somewhere at its top; which
column is which is told by words that such exports use. Without a column of numbers the file's own digest and the row
make one, so that the same file sent twice is the same comments.
"""

import csv
import datetime as dt
import hashlib
import io
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from batches.sheets.limits import Unreadable, broken
from batches.sheets.xlsx import Found, Workbook
from shop.live.log import Said
from shop.live.models import AUTHOR_MAX
from shop.live.sources.pasting import author_of, pasted
from village.clock import VN
from village.i18n import lazy_gettext as _l
from village.text import plain_letters

FILE_MAX = 8 * 1024 * 1024
ROWS_MAX = 20_000
CELLS_MAX = 60
HEAD_ROWS = 20
ENCODINGS = ("utf-8-sig", "utf-16", "cp1258")
FILED = "file:"
_ID = re.compile(r"[\x21-\x7e]{1,150}")
_SPLIT = re.compile(r"[\s\-_/]+")
COLUMNS = {
    "id": frozenset(("id", "comment-id", "ma", "ma-binh-luan", "ma-loi-nhan", "message-id")),
    "who": frozenset(("author-id", "user-id", "uid", "from-id", "ma-khach", "profile-id", "sender-id")),
    "name": frozenset(("name", "author", "author-name", "user", "user-name", "username", "nickname", "ten", "ten-khach",
                       "khach", "nguoi-xem", "nguoi-binh-luan", "ho-ten", "sender", "from")),
    "text": frozenset(("text", "comment", "message", "content", "body", "binh-luan", "noi-dung", "loi-nhan",
                       "tin-nhan", "chat")),
    "at": frozenset(("time", "at", "date", "datetime", "created-time", "created-at", "timestamp", "thoi-gian", "gio",
                     "luc", "ngay-gio")),
}  # fmt: skip
"""A heading's words in small letters without marks, and what its column holds."""
_DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%H:%M:%S %d/%m/%Y", "%H:%M %d/%m/%Y")


def comments(body: bytes) -> list[Said]:
    """The comments in a file, in its order. Raises Unreadable (a BadInput) for what is none, or is too large."""
    if len(body) > FILE_MAX:
        raise _too_large()
    digest = hashlib.sha256(body).hexdigest()[:24]
    if body.startswith(b"PK"):
        said = _table(_sheet(body), digest)
    else:
        text = _text(body)
        lines = text.splitlines()
        said = _table(_cells(text), digest) if _looks_like_table(lines) else pasted(text, FILED + digest)
    if not said:
        raise Unreadable("no-comments", _l("Trong tệp không có lời nhắn nào."), field="file")
    if len(said) > ROWS_MAX:
        raise _too_large()
    return said


def _text(body: bytes) -> str:
    if b"\x00" in body and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise broken()
    for encoding in ENCODINGS:
        if encoding == "utf-16" and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            return body.decode(encoding)
        except UnicodeError:
            continue
    raise broken()


def _delimiter(line: str) -> str:
    return max((",", ";", "\t", "|"), key=line.count)


def _looks_like_table(lines: Sequence[str]) -> bool:
    return any("text" in _places(line.replace('"', "").split(_delimiter(line))) for line in lines[:HEAD_ROWS]
               if _delimiter(line) in line)  # fmt: skip


def _cells(text: str) -> Iterable[Sequence[str]]:
    head = next(line for line in text.splitlines() if "text" in _places(line.replace('"', "").split(_delimiter(line))))
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(head))
    except csv.Error as error:
        raise broken() from error


def _sheet(body: bytes) -> Iterable[Sequence[str]]:
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(body)
        file.flush()
        book = Workbook(Path(file.name))
        try:
            for tab in [tab for tab in book.tabs if not tab.hidden][:1]:
                for row in book.rows(tab, Found()):
                    yield ["" if cell is None else _spelled(cell) for cell in row.cells]
        finally:
            book.close()


def _spelled(cell: object) -> str:
    return cell.isoformat(sep=" ") if isinstance(cell, dt.datetime) else str(cell)


def _table(rows: Iterable[Sequence[str]], digest: str) -> list[Said]:
    places: dict[str, int] = {}
    said: list[Said] = []
    for number, row in enumerate(rows, start=1):
        if len(said) > ROWS_MAX:
            raise _too_large()
        if not places:
            found = _places(row)
            if "text" in found:
                places = found
            elif number > HEAD_ROWS:
                break
            continue
        one = _comment(row, places, f"{FILED}{digest}:{number}")
        if one is not None:
            said.append(one)
    if not places:
        message = _l("Không thấy cột nào ghi lời nhắn. Dòng đầu bảng cần có chữ như «Tên», «Bình luận», «Thời gian».")
        raise Unreadable("no-comment-column", message, field="file")
    return said


def _places(row: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, cell in enumerate(row[:CELLS_MAX]):
        heading = "-".join(_SPLIT.split(plain_letters(cell[:60])))
        for key, words in COLUMNS.items():
            if heading in words:
                found.setdefault(key, place)
    return found


def _comment(row: Sequence[str], places: dict[str, int], own_id: str) -> Said | None:
    def cell(key: str) -> str:
        place = places.get(key)
        return row[place].strip() if place is not None and place < len(row) else ""

    words, name, number, who = cell("text"), cell("name"), cell("id"), cell("who")
    if not words:
        return None
    comment_id = number if _ID.fullmatch(number) else own_id
    author = who if _ID.fullmatch(who) and len(who) <= AUTHOR_MAX else author_of(name) if name else own_id
    return Said(comment_id, author, name, words, _time(cell("at")))


def _time(text: str) -> dt.datetime | None:
    """A time as exports write it, the village's where it has no zone; None where it cannot be read."""
    if not text:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
        for form in _DAY_FIRST:
            try:
                found = dt.datetime.strptime(text[:40], form)
                break
            except ValueError:
                continue
        if found is None:
            return None
        at = found
    try:
        return (at if at.tzinfo else at.replace(tzinfo=VN)).astimezone(dt.UTC)
    except (OverflowError, ValueError):
        return None


def _too_large() -> Unreadable:
    message = _l("Tệp nhiều quá %(max)s lời nhắn. Bác chia ra gửi làm mấy lần nhé.")
    return Unreadable("file-too-large", message, field="file", max=ROWS_MAX)
