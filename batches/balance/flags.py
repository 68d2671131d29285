"""Figures that the office should look at, and why. Pure: events and sums in, flags out.

Rules, in the order of the code:

- `yield-bounds`: a stage gave more or less of what it took than its process calls usual (loud beyond the hard bound).
- `yield-history`: within those bounds, and yet far from what this household's same stage gave before (`robust`).
- `day-amount`: more of the packed goods in a day than the process calls usual; for whoever has at least eight such days
  behind it, more than both that and its own history. `week-amount`: the same over seven days.
- `per-hectare`: more harvested from a field in a season than grows there, where the field's area is known.
- `season-beyond`: more goods in a season than all that was there could give at the hard bound. Loud.
- `packs-beyond`, `used-beyond`: more packed, or used, than was made. Loud.
- anything that a stage found doubtful when it was recorded stands here with its reason.
"""

import datetime as dt
from bisect import bisect_left, insort
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from batches.balance.figures import possible, way_of
from batches.balance.flows import End, Network, end
from batches.balance.robust import ENOUGH, FLOOR, SCALE, SIGMA, TIMES, usual
from batches.processes.models import WHOLE, Kind, Process, Stage
from village.clock import VN

RECENT = 40
"""How many earlier figures a history has at most: a household learns, and its old ways fade."""
DAYS_AT_ONCE = 2
"""Two days' drying may be weighed together: only more than that is flagged."""
WEEK = dt.timedelta(days=7)
HECTARE = 10_000
"""Square metres."""


@dataclass(frozen=True)
class Flag:
    """One figure to look at. `figure`, `low` and `high` are grams, or basis points where `share`.

    A flag is cleared for its key and figure together: when the figure changes, it stands again.
    """

    key: str
    slug: str
    figure: int
    household_id: str
    process: str
    when: dt.datetime | None = None
    event_id: str | None = None
    loud: bool = False
    share: bool = False
    low: int | None = None
    high: int | None = None
    what: str = ""
    """A stage's, material's or site's key, or a warning's slug."""
    params: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Happened:
    """An event's amounts by material."""

    id: str
    household_id: str
    process: Process
    stage: Stage
    when: dt.datetime
    site_id: str
    took: dict[str, int]
    gave: dict[str, int]

    @property
    def taken(self) -> int:
        return sum(self.took.values())

    @property
    def given(self) -> int:
        """What came out, by-products apart."""
        beside = {one.material for one in self.stage.byproducts}
        return sum(grams for key, grams in self.gave.items() if key not in beside)


def yield_flags(events: Iterable[Happened], since: dt.datetime) -> list[Flag]:
    """Yields out of their bounds, or far from the household's own. `events` in the order of time, with those before
    `since`, which only make the history."""
    found = []
    histories: dict[tuple[object, ...], _History] = defaultdict(_History)
    for event in events:
        if event.stage.kind is not Kind.TRANSFORM or not event.taken or not event.given:
            continue
        share = event.given * WHOLE // event.taken
        own = histories[event.household_id, event.process.key, event.stage.key, tuple(sorted(event.took))]
        if event.when >= since and (flag := _bounds(event, share) or own.judge(event, share)):
            found.append(flag)
        own.add(share)
    return found


def _bounds(event: Happened, share: int) -> Flag | None:
    weighed = [(grams, event.stage.yields[key]) for key, grams in event.took.items() if key in event.stage.yields]
    if not weighed or len(weighed) < len(event.took):
        return None
    scaled = event.given * WHOLE
    low, high = (sum(g * b.usual_min for g, b in weighed), sum(g * b.usual_max for g, b in weighed))
    if low <= scaled <= high:
        return None
    hard = (sum(g * (b.hard_min or 0) for g, b in weighed), sum(g * b.hard_max for g, b in weighed))
    loud = not hard[0] <= scaled <= hard[1]
    return _flag(event, "yield-bounds", share, low // event.taken, high // event.taken, loud=loud)


class _History:
    """A household's last yields of one stage, oldest first and sorted."""

    def __init__(self) -> None:
        self.order: deque[int] = deque()
        self.sorted: list[int] = []

    def add(self, share: int) -> None:
        """One more; the oldest goes."""
        self.order.append(share)
        insort(self.sorted, share)
        if len(self.order) > RECENT:
            del self.sorted[bisect_left(self.sorted, self.order.popleft())]

    def judge(self, event: Happened, share: int) -> Flag | None:
        """A flag for a share that is far from these."""
        count = len(self.sorted)
        if count < ENOUGH:
            return None
        middle = self.sorted[(count - 1) // 2] + self.sorted[count // 2]
        # MAD is never less than a hundredth of the median: nearer than that allows, there is nothing to reckon.
        if abs(2 * share - middle) * SCALE * FLOOR <= middle * TIMES * SIGMA:
            return None
        known = usual(self.sorted)
        if known is None or known.has(share):
            return None
        return _flag(event, "yield-history", share, known.low, known.high, count=known.count, median=known.median)


def _flag(
    event: Happened, slug: str, share: int, low: int, high: int, *, loud: bool = False, **params: int
) -> Flag:
    return Flag(
        f"yield:{event.id}", slug, share, event.household_id, event.process.key, event.when, event.id, loud,
        True, low, high, event.stage.key, {"in": event.taken, "out": event.given, **params},
    )  # fmt: skip


def amount_flags(
    events: Iterable[Happened], since: dt.datetime, processes: Mapping[str, Process]
) -> list[Flag]:
    """Days and weeks with more of the packed goods than a household makes. `processes`: the newest version of each, by
    key; what is usual is judged by today's knowledge, under whichever version a batch began."""
    days: dict[tuple[str, str], Counter[dt.date]] = defaultdict(Counter)
    first: dict[tuple[str, str, dt.date], Happened] = {}
    goods_of: dict[tuple[str, int], str] = {}
    for event in events:
        version = (event.process.key, event.process.version)
        goods = goods_of.get(version) or goods_of.setdefault(version, way_of(event.process).goods)
        if event.stage.kind is Kind.TRANSFORM and goods in event.gave:
            day = event.when.astimezone(VN).date()
            days[event.household_id, event.process.key][day] += event.gave[goods]
            first.setdefault((event.household_id, event.process.key, day), event)
    found = []
    for (home, process), amounts in days.items():
        limit = processes[process].usual_a_day
        before: list[int] = []
        week_told: dt.date | None = None
        for day in sorted(amounts):
            event, grams = first[home, process, day], amounts[day]
            own = usual(before[-RECENT:])
            most = max(DAYS_AT_ONCE * limit if limit else 0, own.high if own else 0)
            before.append(grams)
            over = grams > most and (limit is not None or own is not None)
            if over and event.when >= since:
                found.append(_amount(event, "day", grams, most, day))
            ran = sum(amounts.get(day - dt.timedelta(days=back), 0) for back in range(WEEK.days))
            allowed = max(7 * limit, 7 * (own.high if own else 0)) if limit else 0
            if limit and ran > allowed and event.when >= since and (week_told is None or day - week_told >= WEEK):
                # A long run is told once a week, not once a day.
                week_told = day
                found.append(_amount(event, "week", ran, allowed, day))
    return found


def _amount(event: Happened, name: str, grams: int, most: int, day: dt.date) -> Flag:
    key = f"{name}:{event.household_id}:{event.process.key}:{day.isoformat()}"
    goods = way_of(event.process).goods
    return Flag(
        key, f"{name}-amount", grams, event.household_id, event.process.key, event.when, event.id,
        high=most, what=goods,
    )  # fmt: skip


def field_flags(
    events: Iterable[Happened], areas: Mapping[str, int], since: dt.datetime, processes: Mapping[str, Process]
) -> list[Flag]:
    """Fields that gave more in the season than grows on them. `areas`: square metres by site, where known;
    `processes` as for `amount_flags`."""
    sums: Counter[tuple[str, str, str]] = Counter()
    last: dict[tuple[str, str, str], Happened] = {}
    for event in events:
        if event.stage.kind is Kind.COMMISSION and event.when >= since and areas.get(event.site_id):
            where = (event.site_id, event.household_id, event.process.key)
            sums[where] += event.given
            last[where] = event
    found = []
    for (site, home, process), grams in sums.items():
        most, hard = _a_hectare(processes[process], last[site, home, process].stage.key)
        a_hectare = grams * HECTARE // areas[site]
        if most and a_hectare > most:
            event = last[site, home, process]
            key = f"site:{site}:{home}:{since.astimezone(VN).year}"
            found.append(
                Flag(key, "per-hectare", a_hectare, home, process, event.when, event.id, a_hectare > hard, high=most,
                     what=site, params={"grams": grams, "area": areas[site]})
            )  # fmt: skip
    return found


def _a_hectare(process: Process, stage: str) -> tuple[int, int]:
    told = next((one.per_hectare for one in process.stages if one.key == stage), None)
    return told or (0, 0)


def season_flags(process: Process, networks: Mapping[str, Network], year: int) -> list[Flag]:
    """Each household's season against the hard bounds. `networks` by household, of one process."""
    found = []
    packing = {one.key for one in process.stages if one.kind is Kind.PACK}
    goods = way_of(process).goods
    for home, whole in networks.items():
        known = possible(process, whole)
        if not known.holds:
            key = f"season:{home}:{process.key}:{year}"
            found.append(
                Flag(key, "season-beyond", known.made, home, process.key, loud=True, high=known.most, what=goods)
            )
        for flow in whole.flows:
            if flow.source == end(End.MISSING):
                over_packed = flow.target.key in packing or flow.target.key == goods
                slug = "packs-beyond" if over_packed else "used-beyond"
                key = f"known:{home}:{process.key}:{flow.target.key}:{year}"
                found.append(
                    Flag(key, slug, flow.grams, home, process.key, loud=True, high=0, what=flow.target.key,
                         params={"kind": flow.target.kind})
                )  # fmt: skip
    return found


@dataclass(frozen=True)
class Doubt:
    """A warning that was written down with an event."""

    event_id: str
    household_id: str
    process: str
    when: dt.datetime
    slug: str
    params: Mapping[str, int | str]


def told_flags(doubts: Iterable[Doubt], flagged: Sequence[Flag]) -> list[Flag]:
    """What was doubtful when it was recorded. A yield that is flagged already is not told twice."""
    yields = {flag.event_id for flag in flagged if flag.slug == "yield-bounds"}
    return [
        Flag(f"told:{one.event_id}:{one.slug}", "told", _figure(one.params), one.household_id, one.process, one.when,
             one.event_id, what=one.slug, params=one.params)
        for one in doubts
        if not (one.slug == "yield-unusual" and one.event_id in yields)
    ]  # fmt: skip


def _figure(params: Mapping[str, int | str]) -> int:
    """The number that a warning is about, in its own unit."""
    for name in ("out", "grams", "lost", "after"):
        if isinstance(params.get(name), int):
            return int(params[name])
    return 0
