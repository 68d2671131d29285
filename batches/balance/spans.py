"""A season, or any chosen span of days, as moments."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from village.clock import VN
from village.errors import BadInput
from village.i18n import lazy_gettext as _l

FIRST_MONTH = 8
"""A season runs from August to July: planted in spring, dug from November, worked up until summer."""
LONGEST = dt.timedelta(days=10 * 366)
OLDEST_YEAR = 2000
SEASONS = 5
"""How many seasons are offered and compared, this one among them."""


@dataclass(frozen=True)
class Span:
    """From the first day to the last, both whole, as the village's calendar has them. `season`: its first year."""

    first: dt.date
    last: dt.date
    season: int | None = None

    @property
    def begin(self) -> dt.datetime:
        """The moment at which it begins."""
        return dt.datetime.combine(self.first, dt.time(), VN)

    @property
    def stop(self) -> dt.datetime:
        """The first moment after it."""
        return dt.datetime.combine(self.last + dt.timedelta(days=1), dt.time(), VN)


def season(year: int) -> Span:
    """The season that begins in August of `year`."""
    return Span(dt.date(year, FIRST_MONTH, 1), dt.date(year + 1, FIRST_MONTH, 1) - dt.timedelta(days=1), year)


def season_of(day: dt.date) -> Span:
    """The season that a day lies in."""
    return season(day.year if day.month >= FIRST_MONTH else day.year - 1)


def seasons(today: dt.date) -> list[Span]:
    """The last seasons, this one first."""
    now = season_of(today).season or today.year
    return [season(now - back) for back in range(SEASONS)]


def asked(args: Mapping[str, str], today: dt.date) -> Span:
    """The span that an address asks for: `from` and `to` (days), or `season` (a year), or this season."""
    if args.get("from") or args.get("to"):
        first, last = _day(args.get("from", ""), "from"), _day(args.get("to", ""), "to")
        if not first <= last <= first + LONGEST:
            raise BadInput("bad-span", _l("Ngày đầu phải trước ngày cuối, cách nhau không quá mười năm."), field="to")
        return Span(first, last)
    year = args.get("season", "")
    if not year:
        return season_of(today)
    if not (year.isascii() and year.isdecimal() and len(year) == 4 and OLDEST_YEAR <= int(year) <= today.year):
        raise BadInput("bad-season", _l("Không có mùa nào như vậy."), field="season")
    return season(int(year))


def _day(text: str, field: str) -> dt.date:
    try:
        found = dt.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        found = None
    if found is None or not OLDEST_YEAR <= found.year < 2100:
        raise BadInput("bad-day", _l("Bác chọn giúp một ngày, thí dụ 01/08/2026."), field=field)
    return found
