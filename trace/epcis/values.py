"""Values of a query's parameters: texts as a web address has them, or JSON values as a stored query has them."""

import datetime as dt
from typing import Any

from trace.epcis.asking import QueryFault
from trace.epcis.faults import moment_of

MAX_VALUES = 200
MAX_VALUE = 1000
MOST_EVENTS = 100_000


def texts(name: str, value: Any) -> list[str]:
    """Between 1 and MAX_VALUES texts; QueryFault for anything else."""
    items = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if not items or len(items) > MAX_VALUES:
        raise QueryFault(name, f"between 1 and {MAX_VALUES} values belong here")
    for one in items:
        if not isinstance(one, str) or not one or len(one) > MAX_VALUE:
            raise QueryFault(name, "each value is a text, neither empty nor overlong")
    return items


def time_told(name: str, value: Any) -> dt.datetime:
    """A moment with its offset from UTC; QueryFault for anything else."""
    # A plus sign that was not escaped arrives as a blank.
    moment = moment_of(value.replace(" ", "+")) if isinstance(value, str) else None
    if moment is None:
        raise QueryFault(name, "a time is written YYYY-MM-DDThh:mm:ss with its offset from UTC")
    return moment


def number_told(name: str, value: Any) -> float:
    """A number within 2^53; QueryFault for anything else."""
    try:
        number = float(value) if not isinstance(value, bool) and isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or not abs(number) < 2**53:
        raise QueryFault(name, "a number belongs here")
    return number


def numbers_told(name: str, value: Any) -> list[float]:
    """One number or several; QueryFault for anything else."""
    items = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if not items or len(items) > MAX_VALUES:
        raise QueryFault(name, f"between 1 and {MAX_VALUES} numbers belong here")
    return [number_told(name, one) for one in items]


def count_told(name: str, value: Any) -> int:
    """A whole number from 1 to MOST_EVENTS; QueryFault for anything else."""
    number = number_told(name, value)
    if number != int(number) or not 1 <= number <= MOST_EVENTS:
        raise QueryFault(name, f"a whole number from 1 to {MOST_EVENTS} belongs here")
    return int(number)


def comparable(told: Any) -> float | dt.datetime | None:
    """A value as a number or a time, whichever it is spelled as."""
    if isinstance(told, str):
        moment = moment_of(told.replace(" ", "+") if "T" in told else told)
        if moment is not None:
            return moment
    try:
        number = float(told) if not isinstance(told, bool) and isinstance(told, str | int | float) else None
    except (ValueError, OverflowError):
        return None
    # No number equals one that is none.
    return number if number is not None and number == number else None
