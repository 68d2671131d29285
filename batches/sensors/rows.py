"""Reading what a sensor or gateway sent: JSON, lines of JSON, or CSV. Each row stands or falls alone.

A row is `{"sensor", "at", "value"}` or `[sensor, at, value]`; a key of one sensor may leave `sensor` out. `at` is
ISO 8601 with an offset, or Unix seconds. Nothing here knows of databases: it sifts what came, by what the caller knows.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_ROWS = 10_000
MOST = 10**9
"""No value is larger, in thousandths, whichever its sign."""
MOST_TIME = 40
"""Characters of a time; anything longer is none."""
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_NO_ROW = object()
CUT_OFF = object()
"""Stands for a last line without its end: half a number looks like a number."""


class Unreadable(ValueError):
    """Not even the form of a request; its text is a slug."""


@dataclass(frozen=True)
class Known:
    """What the sender's key may speak for, and from when to when its readings may be (Unix milliseconds)."""

    sensors: Mapping[str, int]
    """Numbers by public id."""
    closed: frozenset[str]
    only: str | None
    """The one sensor that a row means which names none."""
    oldest: int
    newest: int


@dataclass
class Sifted:
    """Rows taken apart. `good` has value and place of each reading, by sensor's number and moment."""

    good: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)
    """(place, reason)"""
    differing: list[tuple[int, int]] = field(default_factory=list)
    """(place, sensor's number) of rows that say another value for a moment of the same request."""


def of_json(told: Any) -> Sequence[Any]:
    """The rows of `{"readings": [...]}`."""
    rows = told.get("readings") if isinstance(told, dict) else None
    if not isinstance(rows, list):
        raise Unreadable("no-readings")
    return rows


def of_lines(body: bytes) -> Sequence[Any]:
    """The rows of NDJSON: one JSON value a line."""
    return [_line(line) for line in _lines(body)]


def of_csv(body: bytes) -> Sequence[Any]:
    """The rows of CSV: `sensor,at,value` or `at,value` a line; a first line that names the columns is passed over."""
    lines = list(_lines(body))
    if lines and lines[0] is not CUT_OFF and lines[0].replace(" ", "").lower() in ("sensor,at,value", "at,value"):
        del lines[0]
    return [CUT_OFF if line is CUT_OFF else _cells(line) for line in lines]


def sift(rows: Sequence[Any], known: Known) -> Sifted:
    """Take the rows apart; one that says again what another said is simply known. Unreadable if there are too many."""
    if len(rows) > MOST_ROWS:
        raise Unreadable("too-many-readings")
    found = Sifted()
    times: dict[object, int] = {}
    for place, row in enumerate(rows):
        try:
            number, at, value = _reading(row, known, times)
        except _Refused as reason:
            found.refused.append((place, str(reason)))
            continue
        moments = found.good.setdefault(number, {})
        before = moments.setdefault(at, (value, place))
        if before[0] != value:
            found.differing.append((place, number))
    return found


class _Refused(Exception):
    """Why a row is not taken: a slug."""


def _reading(row: Any, known: Known, times: dict[object, int]) -> tuple[int, int, int]:
    sensor, told_at, told_value = _parts(row)
    name = known.only if sensor is None else sensor
    number = known.sensors.get(name) if isinstance(name, str) else None
    if number is None:
        raise _Refused("unknown-sensor")
    if name in known.closed:
        raise _Refused("closed-sensor")
    # A gateway sends many sensors' readings of one moment.
    at = times.get(told_at) if isinstance(told_at, str) else None
    if at is None:
        at = _moment(told_at)
        if isinstance(told_at, str):
            times[told_at] = at
    if at > known.newest:
        raise _Refused("future-time")
    if at < known.oldest:
        raise _Refused("too-old")
    return number, at, _value(told_value)


def _parts(row: Any) -> tuple[Any, Any, Any]:
    if isinstance(row, dict) and "at" in row and "value" in row and len(row) <= 3:
        return row.get("sensor"), row["at"], row["value"]
    if isinstance(row, list) and len(row) in (2, 3):
        return (None, *row) if len(row) == 2 else tuple(row)
    raise _Refused("cut-off" if row is CUT_OFF else "no-reading")


def _moment(told: Any) -> int:
    """Unix milliseconds."""
    if isinstance(told, str) and len(told) <= MOST_TIME:
        try:
            moment = dt.datetime.fromisoformat(told)
            if moment.tzinfo is not None:
                return round(moment.timestamp() * 1000)
        except (ValueError, OverflowError):
            pass
    elif isinstance(told, (int, float)) and not isinstance(told, bool) and 0 < told < 10**11:
        return round(told * 1000)
    raise _Refused("bad-time")


def _value(told: Any) -> int:
    """Thousandths."""
    if isinstance(told, bool) or not isinstance(told, (int, float)) or told != told:
        raise _Refused("not-a-number")
    # Compared before it is multiplied: an integer of a thousand digits fits no float.
    if not -MOST <= told * (1000 if -MOST < told < MOST else 1) <= MOST:
        raise _Refused("too-large")
    return round(told * 1000)


def _lines(body: bytes) -> Iterator[Any]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("not-utf-8") from error
    *whole, rest = text.split("\n")
    if len(whole) > MOST_ROWS + 1:
        raise Unreadable("too-many-readings")
    for line in whole:
        if line.strip():
            yield line.strip()
    if rest.strip():
        yield CUT_OFF


def _line(line: Any) -> Any:
    if line is CUT_OFF:
        return line
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return _NO_ROW


def _cells(line: str) -> Any:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) not in (2, 3):
        return _NO_ROW
    *sensor, at, value = cells
    return [
        *sensor,
        float(at) if _NUMBER.fullmatch(at) else at,
        float(value) if _NUMBER.fullmatch(value) else value,
    ]
