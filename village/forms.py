"""What every form of the house shares: its values as typed, the message beside the field, small readers of values."""

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from flask import request
from werkzeug.datastructures import MultiDict

from village.errors import BadInput, SoiError
from village.i18n import lazy_gettext as _l
from village.text import missing

_PLAIN = re.compile(r"\d{1,15}")
_GROUPED = re.compile(r"\d{1,3}(?:[. \u00a0]\d{3})+")
_PAGE = re.compile(r"[1-9][0-9]{0,3}")
_DECIMAL = re.compile(r"-?\d{1,3}(?:[.,]\d{1,10})?")


@dataclass
class Form:
    """A form as it is shown: `form.name` in a template is what was typed, `form.problem("name")` what is wrong."""

    values: Mapping[str, Any] = field(default_factory=dict)
    error: SoiError | None = None

    @classmethod
    def typed(cls) -> Self:
        """The form as it was sent with this request."""
        return cls(request.form)

    def text(self, name: str) -> str:
        """What was typed into a field; empty when it was not sent."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def texts(self, name: str) -> list[str]:
        """All values of a field with several choices."""
        if isinstance(self.values, MultiDict):
            return self.values.getlist(name)
        return [str(value) for value in self.values.get(name, ())]

    def ticked(self, name: str) -> bool:
        """True for a ticked box."""
        return bool(self.values.get(name))

    def refused(self, error: SoiError) -> Self:
        """The same form with what was wrong."""
        self.error = error
        return self

    def problem(self, name: str) -> str:
        """The message beside a field; empty when the field is right."""
        return str(self.error) if self.error is not None and self.error.field == name else ""


def whole_number(text: object, field: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`, also with its thousands apart (`35.000`); BadInput otherwise."""
    typed = str(text or "").strip()
    if not typed:
        raise missing(field)
    if not typed.isascii() or not (_PLAIN.fullmatch(typed) or _GROUPED.fullmatch(typed)):
        raise BadInput("not-a-whole-number", _l("Chỗ này là một số nguyên, thí dụ 35.000."), field=field)
    number = int(re.sub(r"\D", "", typed))
    if not low <= number <= high:
        raise BadInput("out-of-range", _l("Phải từ %(low)s đến %(high)s."), field=field, low=low, high=high)
    return number


def optional_number(text: object, field: str, low: int, high: int) -> int | None:
    """As `whole_number`; None when nothing was typed."""
    return whole_number(text, field, low, high) if str(text or "").strip() else None


def optional_degrees(text: object, field: str, limit: int) -> float | None:
    """A latitude or longitude, with a point or a comma; None when nothing was typed."""
    typed = str(text or "").strip()
    if not typed:
        return None
    if not typed.isascii() or not _DECIMAL.fullmatch(typed) or abs(float(typed.replace(",", "."))) > limit:
        raise BadInput("not-degrees", _l("Chỗ này là số độ, từ -%(limit)s đến %(limit)s."), field=field, limit=limit)
    return float(typed.replace(",", "."))


def page_number(text: str) -> int:
    """The page that an address names, from 1 to 9,999; 1 for anything else."""
    return int(text) if _PAGE.fullmatch(text) else 1


def day(text: object, field: str) -> dt.date:
    """A day as date fields send it (`2026-11-20`) or as people write it (`20/11/2026`); BadInput otherwise."""
    typed = str(text or "").strip()
    if not typed:
        raise missing(field)
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            found = dt.datetime.strptime(typed, form).date()
        except ValueError:
            continue
        if found.year >= 1990:
            return found
    raise BadInput("not-a-day", _l("Ngày viết như 20/11/2026."), field=field)


def choice(text: object, field: str, allowed: Collection[str]) -> str:
    """One of `allowed`; BadInput otherwise."""
    if not text:
        raise missing(field, _l("Bác chọn một cái nhé."))
    if not isinstance(text, str) or text not in allowed:
        raise BadInput("not-a-choice", _l("Chỗ này chỉ chọn trong danh sách."), field=field)
    return text
