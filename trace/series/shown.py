"""Series as pages show them: a drawing, the same in words, and the same as a small table."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from trace.series.curve import Plot, gaps_of, plot
from trace.series.reduced import LONGEST, MalformedSeries, Row, Series, joined, parse
from village import i18n
from village.clock import VN
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l

NAMES = {
    "Temperature": _l("Nhiệt độ"),
    "RelativeHumidity": _l("Độ ẩm không khí"),
    "Moisture": _l("Độ ẩm"),
    "DryMatter": _l("Chất khô"),
}
UNITS = {"P1": "%", "CEL": "°C"}
TABLE_ROWS = 24
GAPS_TOLD = 3
"""More stretches without readings than these are only counted."""
_TABLE_STEPS = (900, 1800, 3600, 2 * 3600, 4 * 3600, 86400, 2 * 86400)


@dataclass(frozen=True)
class Line:
    """A row of the table: from when, and the values in words; `gap` where nothing was measured."""

    when: str
    low: str = ""
    mean: str = ""
    high: str = ""
    gap: bool = False


@dataclass(frozen=True)
class Panel:
    """One sensor's curve."""

    title: str
    unit: str
    window: str
    told: str
    """The curve in a sentence or two."""
    plot: Plot
    lines: tuple[Line, ...]


def panels_of(bodies: Iterable[bytes], names: Mapping[str, str] = MappingProxyType({})) -> list[Panel]:
    """The curves of stored series; `names` by the sensors' ids, for those who may know them. Bytes that are no series
    are left out: whoever checks hashes names them."""
    found = []
    for body in bodies:
        try:
            series = parse(body)
            if series.rows and 0 < series.end - series.start <= 2 * LONGEST:
                found.append(panel(series, name=names.get(series.sensor, "")))
        except (MalformedSeries, ArithmeticError, OSError):
            continue
    return found


def panel(series: Series, usual: tuple[int, int] | None = None, name: str = "") -> Panel:
    """A series drawn and told in the reader's language. `usual`: the band of usual values, in thousandths."""
    title = str(NAMES.get(series.type, series.type))
    return Panel(
        title=f"{title}, {name}" if name else title,
        unit=UNITS.get(series.unit, series.unit),
        window=_window(series),
        told=_told(series),
        plot=plot(series, VN, usual),
        lines=tuple(_lines(series)),
    )


def shown(value: int, digits: int | None = None) -> str:
    """Thousandths as the reader writes them; with `digits`, so many after the comma."""
    exact = Decimal(value).scaleb(-3)
    if digits is None:
        return i18n.number(exact)
    text = format(round(exact, digits) + 0, f".{digits}f")
    return text.replace(".", ",") if i18n.current_language() == "vi" else text


def measure(type_: str, unit: str, value: int) -> str:
    """`48,2 °C`"""
    return f"{shown(value)}\u00a0{UNITS.get(unit, unit)}"


def _window(series: Series) -> str:
    start, end = _moment(series.start), _moment(series.end)
    if start.date() == end.date():
        day = i18n.date(end)
        return _("%(start)s đến %(end)s, ngày %(day)s", start=i18n.clock(start), end=i18n.clock(end), day=day)
    return _("%(start)s đến %(end)s", start=i18n.moment(start), end=i18n.moment(end))


def _told(series: Series) -> str:
    if not series.rows:
        return _("Không có số đo nào.")
    summary = series.summary()
    unit = UNITS.get(series.unit, series.unit)
    said = _(
        "Từ %(low)s đến %(high)s %(unit)s, trung bình %(mean)s %(unit)s, %(count)s lần đo.",
        low=shown(summary.low, 1), high=shown(summary.high, 1), mean=shown(summary.mean, 1), unit=unit,
        count=i18n.number(summary.count),
    )  # fmt: skip
    if series.left_out:
        said += " " + _("Bỏ ra %(count)s lần đo vô lý.", count=i18n.number(series.left_out))
    gaps = gaps_of(series)
    for start, end in gaps[:GAPS_TOLD]:
        said += " " + _("Không có số đo từ %(start)s đến %(end)s.", start=_when(start, series), end=_when(end, series))
    if len(gaps) > GAPS_TOLD:
        said += " " + _("Còn %(count)s quãng khác cũng không có.", count=i18n.number(len(gaps) - GAPS_TOLD))
    return said


def _when(at: int, series: Series) -> str:
    """The time of day alone, where the whole window is a day at most."""
    return (i18n.clock if series.end - series.start <= 86400 else i18n.moment)(_moment(at))


def _lines(series: Series) -> Iterable[Line]:
    """At most some two dozen rows; stretches without a reading are said."""
    span = series.end - series.start
    step = next((one for one in _TABLE_STEPS if one >= series.step and span <= TABLE_ROWS * one), _TABLE_STEPS[-1])
    by_step: dict[int, list[Row]] = {}
    ahead = int((_moment(series.start).utcoffset() or dt.timedelta()).total_seconds())
    for row in series.rows:
        by_step.setdefault((series.at(row) + ahead) // step, []).append(row)
    if not by_step:
        return
    for number in range((series.start + ahead) // step, -(-(series.end + ahead) // step)):
        at = max(number * step - ahead, series.start)
        when = _when(at, series)
        rows = by_step.get(number)
        if rows is None:
            yield Line(when, gap=True)
            continue
        (one,) = joined((0, row.low, row.mean * row.count, row.high, row.count) for row in rows)
        yield Line(when, shown(one.low, 1), shown(one.mean, 1), shown(one.high, 1))


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, VN)


TEMPLATE_GLOBALS: Mapping[str, object] = {"thousandths": shown}
