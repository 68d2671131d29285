"""An event's readings: as its row keeps them, and as EPCIS has them.

A row keeps `{"type", "value" (decimal text), "unit"}`. What a sensor told over a window has also "low", "high", "start"
and "end" (ISO 8601), "count", "left_out", "ranks" ([[rank, decimal text], …]), "sensor" (its id) and "series" (SHA-256
in hex); its "value" is the mean.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trace.epcis.events import Reading, Span
from trace.series.reduced import Series, digest
from village.clock import VN


def epcis_reading(stored: Mapping[str, Any]) -> Reading:
    """A row's reading as EPCIS has it. Raises KeyError, TypeError, ValueError or ArithmeticError for what is none."""
    kind, value, unit = str(stored["type"]), Decimal(str(stored["value"])), str(stored["unit"])
    if "series" not in stored:
        return Reading(kind, value, unit)
    span = Span(
        start=dt.datetime.fromisoformat(stored["start"]),
        end=dt.datetime.fromisoformat(stored["end"]),
        low=Decimal(str(stored["low"])),
        high=Decimal(str(stored["high"])),
        ranks=tuple((int(rank), Decimal(str(at))) for rank, at in stored["ranks"]),
        count=int(stored["count"]),
        left_out=int(stored["left_out"]),
        series=str(stored["series"]),
    )
    return Reading(kind, value, unit, device=f"urn:uuid:{stored['sensor']}", span=span)


def row_of(series: Series, body: bytes) -> dict[str, Any]:
    """A series, whose bytes are `body`, as an event's row keeps it. A series without rows: ValueError."""
    summary = series.summary()
    return {
        "type": series.type,
        "value": thousandths(summary.mean),
        "unit": series.unit,
        "low": thousandths(summary.low),
        "high": thousandths(summary.high),
        "ranks": [[rank, thousandths(value)] for rank, value in summary.ranks],
        "count": summary.count,
        "left_out": series.left_out,
        "start": _moment(series.start),
        "end": _moment(series.end),
        "sensor": series.sensor,
        "series": digest(body),
    }


def thousandths(value: int) -> str:
    """`13200` as `13.2`."""
    text = format(Decimal(value).scaleb(-3), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, VN).isoformat()
