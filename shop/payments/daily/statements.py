"""A bank's statement as a CSV file, read strictly: all of its credits, or a refusal that names the line.

Every bank has its own columns, so they are known by their headings, with or without marks, in Vietnamese or English.
What stands above the heading (the account's name, the balance) and below the last line (sums) is passed over.
"""

import csv
import datetime as dt
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from shop.payments.bank.told import MEMO_MAX, YEARS, Told
from village.clock import VN

LINES_MAX = 20_000
HEADING_WITHIN = 40
_HEADINGS = {
    "at": ("ngay giao dich", "ngay gd", "thoi gian", "thoi gian giao dich", "ngay hach toan", "ngay",
           "transaction date", "date", "posting date", "tnx date"),
    "credit": ("ghi co", "so tien ghi co", "phat sinh co", "co", "tien vao", "credit", "credit amount", "amount in"),
    "amount": ("so tien", "so tien giao dich", "amount", "transaction amount"),
    "memo": ("noi dung", "noi dung giao dich", "dien giai", "mo ta", "noi dung chi tiet", "description", "details",
             "remark", "transactions in detail"),
    "reference": ("so tham chieu", "so giao dich", "ma giao dich", "so but toan", "so ct", "so chung tu", "reference",
                  "reference number", "ref no", "doc no", "transaction number"),
}  # fmt: skip
_DATES = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y", "%Y-%m-%d %H:%M:%S",
          "%Y-%m-%d", "%d/%m/%y")  # fmt: skip
_NUMBER = re.compile(r"(\d{1,15}|\d{1,3}(?:[.,  ]\d{3}){1,5})(?:[.,]0{1,2})?")
_MONEY_WORDS = re.compile(r"(vnd|vnđ|đ|d)$")


class BadStatement(Exception):
    """Not a statement, or one with a line that cannot be read: `line` is its number in the file, 0 for the whole."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


@dataclass(frozen=True)
class Statement:
    """All credits of a statement, and which days it speaks of: `last` is its latest moment."""

    credits: tuple[Told, ...]
    first: dt.date
    last: dt.datetime


def read(body: bytes, account: str) -> Statement:
    """The credits of an account's statement. Raises BadStatement (`no-text`, `no-heading`, `too-long`, `empty`, or for
    one line `date`, `amount`)."""
    rows = _rows(_text(body))
    heading, columns = _heading(rows)
    credits: list[Told] = []
    times: list[dt.datetime] = []
    seen = Counter[str]()
    for number, row in enumerate(rows[heading + 1 :], start=heading + 2):
        cell = {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}
        if not any(character.isdigit() for character in cell["at"]):
            continue  # an empty line, a sum, a signature
        at = _time(cell["at"], number)
        times.append(at)
        amount = _credit(cell, number)
        if amount is None:
            continue
        memo = " ".join(cell["memo"].split())[:MEMO_MAX]
        reference = " ".join(cell.get("reference", "").split())[:80]
        told = f"{account}\n{at.isoformat()}\n{amount}\n{memo}\n{reference}"
        seen[told] += 1
        # Two that are alike in everything are two: each bears its number among them.
        key = hashlib.sha256(f"{told}\n{seen[told]}".encode()).hexdigest()
        credits.append(Told("statement", key, account, amount, at, reference, memo))
    if not times:
        raise BadStatement("empty")
    return Statement(tuple(credits), min(times).astimezone(VN).date(), max(times))


def _text(body: bytes) -> str:
    for start, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if body.startswith(start):
            try:
                return body.decode(name)
            except UnicodeDecodeError:
                break
    raise BadStatement("no-text")


def _rows(text: str) -> list[list[str]]:
    if "\0" in text:
        raise BadStatement("no-text")
    split = max(",;\t", key=lambda sign: sum(line.count(sign) for line in text.splitlines()[:HEADING_WITHIN]))
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=split):
            rows.append(row)
            if len(rows) > LINES_MAX:
                raise BadStatement("too-long")
    except csv.Error as error:
        raise BadStatement("no-text", len(rows) + 1) from error
    return rows


def _heading(rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]]:
    for at, row in enumerate(rows[:HEADING_WITHIN]):
        names = [_plain(cell) for cell in row]
        columns = {
            what: place
            for what, known in _HEADINGS.items()
            if (place := next((place for place, name in enumerate(names) if name in known), None)) is not None
        }
        if "at" in columns and "memo" in columns and ("credit" in columns or "amount" in columns):
            return at, columns
    raise BadStatement("no-heading")


def _plain(text: str) -> str:
    """`Ngày GD (VN)` → `ngay gd`: what stands in brackets or after a stroke is the other language's name."""
    bare = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    bare = "".join(c for c in bare if not unicodedata.combining(c))
    bare = re.split(r"[(/\n]", bare)[0]
    return " ".join(re.sub(r"[^a-z ]", " ", bare).split())


def _time(text: str, line: int) -> dt.datetime:
    joined = " ".join(text.split())
    for form in _DATES:
        try:
            found = dt.datetime.strptime(joined, form)
        except ValueError:
            continue
        if found.year in YEARS:
            return found.replace(tzinfo=VN).astimezone(dt.UTC)
    raise BadStatement("date", line)


def _credit(cell: dict[str, str], line: int) -> int | None:
    """Đồng that came in; None for a line about money that went out."""
    typed = cell.get("credit") if "credit" in cell else cell["amount"]
    text = _MONEY_WORDS.sub("", (typed or "").lower().strip()).strip()
    signed = "credit" not in cell
    if not text or text == "-" or (signed and text.startswith("-")):
        return None
    number = _NUMBER.fullmatch(text.removeprefix("+").strip())
    if number is None:
        raise BadStatement("amount", line)
    return int(re.sub(r"\D", "", number[1])) or None
