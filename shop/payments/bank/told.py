"""A credit to an account as somebody told us of it, and the small readers that all of them need."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from village.clock import VN

AMOUNT_MAX = 10**13
YEARS = range(2000, 2100)
"""Of money: the calendar's own ends overflow as soon as they are reckoned with."""
MEMO_MAX = 300


class Unreadable(ValueError):
    """What was told cannot be read; its text says which value, for a programmer."""


@dataclass(frozen=True)
class Told:
    """Money that came to an account. `at` is UTC, `amount` whole đồng."""

    source: str
    key: str
    """The source's own id of it: told again, it is the same money."""
    account: str
    amount: int
    at: dt.datetime
    reference: str = ""
    memo: str = ""
    currency: str = "VND"
    code: int | None = None
    """payOS's order code, by which it knows its order without a memo."""


def text(value: object, name: str, most: int, *, empty: bool = False) -> str:
    """A text of one line, as it came but for what nobody can see, cut off at `most`; numbers are taken as texts."""
    if value is None and empty:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unreadable(f"{name} is no text")
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())[:most]
    if not line and not empty:
        raise Unreadable(f"{name} is empty")
    return line


def dong(value: object, name: str) -> int:
    """Whole đồng, also written `18067000.00`; Unreadable for a part of a đồng, and for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unreadable(f"{name} is no amount")
    try:
        amount = Decimal(str(value))
        if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount < AMOUNT_MAX:
            raise Unreadable(f"{name} is no whole amount")
    except InvalidOperation as error:
        raise Unreadable(f"{name} is no amount") from error
    return int(amount)


def moment(value: object, name: str) -> dt.datetime:
    """A time as both services write it, `2026-11-20 14:02:37` in Vietnam's, or ISO 8601 with its zone; in UTC."""
    try:
        found = dt.datetime.fromisoformat(text(value, name, 40))
    except ValueError as error:
        raise Unreadable(f"{name} is no time") from error
    if found.year not in YEARS:
        raise Unreadable(f"{name} is no time of ours")
    return (found if found.tzinfo else found.replace(tzinfo=VN)).astimezone(dt.UTC)


def members(value: Any, name: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is no object")
    return value
