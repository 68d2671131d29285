"""What one cell says: a number however it is punctuated, a day as a date or as words, kilograms, packs, yes or no.

Values that cannot be read raise `Unclear` with a sentence for the sheet's sender.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Literal

from babel.support import LazyProxy

from village.clock import VN
from village.i18n import lazy_gettext as _l

Style = Literal["vi", "en", "both", ""]
"""How a sheet's texts write numbers: 1.250,5 or 1,250.5; some this way and some that; or nobody can tell."""

MOST = Decimal(10) ** 9
_SPACES = re.compile(r"[\s\u00a0\u202f\u2007\u2009']+")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?")
_VI = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+,\d{1,2}|\d+,\d{4,}|0,\d+|\d{1,3}(?:\.\d{3}){2,}")
_EN = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d+\.\d{1,2}|\d+\.\d{4,}|0\.\d+")
_AMBIGUOUS_POINT = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_AMBIGUOUS_COMMA = re.compile(r"[1-9]\d{0,2},\d{3}")
_AMOUNT = re.compile(r"(?P<number>[+-]?[\d.,\s\u00a0\u202f']*\d)\s*(?P<unit>[^\d\s.,;]*)\.?")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_CLOCK = re.compile(r"(\d{1,2})(?::|h|g|giờ)(\d{2})?(?::(\d{2}))?")
EPOCH = dt.datetime(1899, 12, 30)
_SERIALS = (Decimal(32874), Decimal(73051))
"""1990 to 2099, as spreadsheets count days."""
_WEIGHTS = {"": 1000, "kg": 1000, "ki-lo": 1000, "can": 1000, "g": 1, "gam": 1, "gr": 1, "yen": 10_000, "ta": 100_000,
            "tan": 1_000_000, "t": 1_000_000}  # fmt: skip
_PACKS = frozenset(("goi", "tui", "pack", "packs", "hop"))
_YES = frozenset(("dat", "co", "x", "yes", "y", "true", "1", "passed", "ok", "dung"))
_NO = frozenset(("khong", "khong-dat", "no", "n", "false", "0", "failed", "hong", "sai"))


class Num(str):
    """A number as a spreadsheet stores it: digits with a point, whatever the cell shows."""


class Wrong(str):
    """What a spreadsheet could not work out itself, such as #REF!."""


Cell = str | bool | dt.datetime | None
"""A cell as read: text (or Num, or Wrong), yes or no, a date without a zone, or nothing."""


class Unclear(Exception):
    """A cell that says nothing we know. The text is for the sheet's sender."""

    def __init__(self, message: LazyProxy, **details: object) -> None:
        super().__init__(message)
        self._message, self._details = message, details

    def __str__(self) -> str:
        text = str(self._message)
        return text % self._details if self._details else text


def spelled(text: str) -> str:
    """Text in one spelling: NFC, no blanks at its ends, an apostrophe that kept a spreadsheet from reckoning taken
    off."""
    text = unicodedata.normalize("NFC", text).strip()
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@\t" else text


def words(cell: Cell) -> str:
    """Any cell as text; empty for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, Wrong):
        raise Unclear(_l("Ô này bảng tính báo lỗi %(cell)s."), cell=str(cell))
    if isinstance(cell, Num):
        value = Decimal(cell)
        return f"{value:f}" if value != value.to_integral_value() else str(int(value))
    if isinstance(cell, bool):
        return "1" if cell else "0"
    return cell.isoformat(sep=" ") if isinstance(cell, dt.datetime) else spelled(cell)


def style_of(texts: Iterable[str]) -> Style:
    """How these texts write numbers, by those that can be read in one way only."""
    vi = en = False
    for text in texts:
        vi = vi or bool(_VI.fullmatch(text) and not _EN.fullmatch(text) and not _AMBIGUOUS_POINT.fullmatch(text))
        en = en or bool(_EN.fullmatch(text) and not _VI.fullmatch(text) and not _AMBIGUOUS_COMMA.fullmatch(text))
        if vi and en:
            return "both"
    return "vi" if vi else "en" if en else ""


def number(cell: Cell, style: Style = "") -> Decimal:
    """A number. Where a text can be read in two ways (1.250 or 1,250) the sheet's other numbers decide; without any,
    it is read as Vietnamese writes."""
    if isinstance(cell, Wrong):
        raise Unclear(_l("Ô này bảng tính báo lỗi %(cell)s."), cell=str(cell))
    if isinstance(cell, (bool, dt.datetime)) or cell is None:
        raise Unclear(_l("Chỗ này phải là một con số, thí dụ 12,5."))
    if isinstance(cell, Num):
        return _bounded(Decimal(cell))
    text = _SPACES.sub("", spelled(cell))
    if not text.isascii() or not _NUMBER.fullmatch(text):
        raise Unclear(_l("Chỗ này phải là một con số, thí dụ 12,5."))
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    try:
        return _bounded(Decimal(sign + _plain(digits, style)))
    except InvalidOperation:
        raise Unclear(_l("Chỗ này phải là một con số, thí dụ 12,5.")) from None


def _plain(digits: str, style: Style) -> str:
    ambiguous = bool(_AMBIGUOUS_POINT.fullmatch(digits) or _AMBIGUOUS_COMMA.fullmatch(digits))
    if ambiguous and style == "both":
        raise Unclear(
            _l("Không rõ %(number)s là mấy, vì trong bảng chỗ viết 1.250,5 chỗ viết 1,250.5. Bác viết một kiểu nhé."),
            number=digits,
        )
    if ambiguous:
        english = style == "en"
    elif "," in digits and "." in digits:
        english = digits.rindex(".") > digits.rindex(",")
    elif digits.count(",") > 1 or digits.count(".") == 1:
        english = True
    else:
        english = False
    groups, comma = (",", ".") if english else (".", ",")
    whole, _, rest = digits.partition(comma)
    if groups in rest or (groups in whole and not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(groups)}\d{{3}})+", whole)):
        raise InvalidOperation
    return whole.replace(groups, "") + (f".{rest}" if rest else "")


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > MOST:
        raise Unclear(_l("Số này lớn quá, không thể có."))
    return value


def amount(cell: Cell, style: Style = "") -> tuple[Decimal, str]:
    """(how much, of what): grams as `g`, packs as `packs`, or, where no unit stands beside it, as it is and `?`."""
    if isinstance(cell, str) and not isinstance(cell, (Num, Wrong)):
        found = _AMOUNT.fullmatch(spelled(cell))
        if found is None:
            raise Unclear(_l("Chỗ này phải là số cân hoặc số gói, thí dụ 12,5 hoặc 40 gói."))
        unit = _letters(found["unit"])
        if unit in _PACKS:
            return number(found["number"], style), "packs"
        if unit not in _WEIGHTS:
            raise Unclear(_l("Không biết đơn vị %(unit)s. Ghi số cân thì viết kg."), unit=found["unit"][:20])
        value = number(found["number"], style)
        return (value * _WEIGHTS[unit], "g") if unit else (value, "?")
    return number(cell, style), "?"


def grams(value: Decimal, unit: str) -> int:
    """Whole grams of an amount; what no scale shows is refused."""
    if unit == "packs":
        raise Unclear(_l("Thứ này tính bằng cân, không tính bằng gói."))
    exact = value if unit == "g" else value * 1000
    whole = exact.to_integral_value()
    if abs(exact - whole) > Decimal("0.001"):
        raise Unclear(_l("Số cân lẻ quá, chi li đến gam thôi."))
    if whole <= 0:
        raise Unclear(_l("Số cân phải lớn hơn không."))
    return int(whole)


def packs(value: Decimal, unit: str) -> int:
    """A whole number of packs."""
    if unit == "g":
        raise Unclear(_l("Thứ này tính bằng gói, không tính bằng cân."))
    if value != value.to_integral_value() or not 0 < value <= 10**7:
        raise Unclear(_l("Số gói phải là số nguyên, thí dụ 40."))
    return int(value)


def moment(cell: Cell) -> tuple[dt.datetime, bool]:
    """(when, True if only the day was told). A day alone is taken at noon; everything is the village's time."""
    if isinstance(cell, dt.datetime):
        return _at(cell, exact=bool(cell.hour or cell.minute))
    if isinstance(cell, Num) or (isinstance(cell, str) and cell.strip().replace(".", "", 1).isdigit()):
        days = Decimal(cell.strip())
        if _SERIALS[0] <= days < _SERIALS[1]:
            return serial(days)
    text = words(cell)
    if text:
        found = _DAY_FIRST.search(text)
        parts = (found[3], found[2], found[1]) if found else ()
        if found is None and (found := _YEAR_FIRST.search(text)):
            parts = (found[1], found[2], found[3])
        if found is not None:
            rest = (text[: found.start()] + " " + text[found.end() :].lstrip("T")).strip(" ,;").removesuffix("+07:00")
            return _typed(parts, rest)
    raise Unclear(_l("Ngày giờ viết như 20/11/2026 hoặc 20/11/2026 06:30."))


def serial(days: Decimal, *, from_1904: bool = False) -> tuple[dt.datetime, bool]:
    """A day as spreadsheets count them, to the second."""
    start = dt.datetime(1904, 1, 1) if from_1904 else EPOCH
    found = start + dt.timedelta(seconds=int((days * 86400).to_integral_value()))
    return _at(found, exact=days != days.to_integral_value())


def _typed(parts: tuple[str, ...], rest: str) -> tuple[dt.datetime, bool]:
    year, month, day = (int(part) for part in parts)
    year += 2000 if year < 100 else 0
    if month > 12 and day <= 12:
        raise Unclear(_l("Ngày viết trước, tháng viết sau: 20/11/2026."))
    clock = _CLOCK.fullmatch(rest)
    if rest and clock is None:
        raise Unclear(_l("Ngày giờ viết như 20/11/2026 hoặc 20/11/2026 06:30."))
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
    try:
        return _at(dt.datetime(year, month, day, hour, minute, second), exact=clock is not None)
    except ValueError:
        raise Unclear(_l("Không có ngày nào như vậy trong lịch.")) from None


def _at(found: dt.datetime, *, exact: bool) -> tuple[dt.datetime, bool]:
    if not 1990 <= found.year <= 2099:
        raise Unclear(_l("Không có ngày nào như vậy trong lịch."))
    return found.replace(hour=found.hour if exact else 12, microsecond=0, tzinfo=VN), not exact


def yes(cell: Cell) -> bool:
    """An inspection's outcome."""
    if isinstance(cell, bool):
        return cell
    said = _letters(words(cell))
    if said in _YES or said in _NO:
        return said in _YES
    raise Unclear(_l("Chỗ này ghi đạt hoặc không đạt."))


def _letters(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in bare if not unicodedata.combining(c))).strip("-")
