"""Signs of copying, as rules with thresholds over what was counted. Only computes."""

import datetime as dt
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from trace.units.hands import count

FILE = Path(__file__).with_name("rules.toml")
ALL_DAYS = 3650


@dataclass(frozen=True)
class Rule:
    """One rule: it holds when what it `counts` in the last `days` comes to `at_least`."""

    slug: str
    counts: str
    at_least: int
    days: int = ALL_DAYS
    silence: int = 0
    """Days without any scan that must lie before the window; 0 for a rule that does not ask. For `again`, between any
    two scans of a pack."""
    share: float = 0.0
    """For a lot: percent of its scanned packs that the count must be at least."""


@dataclass(frozen=True)
class Rules:
    """All of them, the strongest first."""

    unit: tuple[Rule, ...]
    lot: tuple[Rule, ...]

    def strongest(self, slugs: Iterable[str]) -> str:
        """The first of these by the file's order; empty for none."""
        held = set(slugs)
        return next((rule.slug for rule in self.unit if rule.slug in held), "")


@dataclass(frozen=True)
class Seen:
    """One pack's day in one province (empty: unknown): its scans, and the marks of hands and networks."""

    day: dt.date
    place: str
    scans: int
    hands: int
    networks: int


@dataclass(frozen=True)
class Life:
    """What is known of one pack, any order of days."""

    days: Sequence[Seen]
    voided: dt.date | None = None
    fine_until: dict[str, dt.date] | None = None
    """For a rule that the office found harmless: up to which day it looks no more."""


@dataclass(frozen=True)
class LotLife:
    """What is known of a lot: of each day (unknown, recalled, expired); how many packs were scanned, and how many of
    them again after a silence."""

    days: Sequence[tuple[dt.date, int, int, int]]
    scanned: int = 0
    again: int = 0
    fine_until: dict[str, dt.date] | None = None
    again_when_fine: int = 0
    """How many those were when the office found that harmless."""


@dataclass(frozen=True)
class Found:
    """A rule that holds, and what it counted."""

    rule: Rule
    count: int


def load(path: Path = FILE) -> Rules:
    """The rules of a file; ValueError names one that makes no sense."""
    read = tomllib.loads(path.read_text("utf-8"))
    rules = Rules(*(tuple(Rule(**one) for one in read[scope]) for scope in ("unit", "lot")))
    for scope, known in (("unit", _UNIT), ("lot", _LOT)):
        for rule in getattr(rules, scope):
            if rule.counts not in known or rule.at_least < 1 or not 1 <= rule.days <= ALL_DAYS or rule.silence < 0:
                raise ValueError(f"the rule {rule.slug!r} of {path.name} makes no sense")
    return rules


def signs_of_unit(life: Life, rules: Rules, today: dt.date) -> list[Found]:
    """The rules that hold for a pack today, the strongest first."""
    found = []
    for rule in rules.unit:
        fine = (life.fine_until or {}).get(rule.slug)
        days = [one for one in life.days if fine is None or one.day > fine]
        since = today - dt.timedelta(days=rule.days - 1)
        late = [one for one in days if one.day >= since]
        if rule.silence:
            quiet = since - dt.timedelta(days=rule.silence)
            # What the window itself began with may have been the first sign of life after the silence.
            if not late or any(quiet <= one.day < since for one in days) or all(one.day >= quiet for one in days):
                continue
        counted = _UNIT[rule.counts](life, days, late)
        if counted >= rule.at_least:
            found.append(Found(rule, counted))
    return found


def signs_of_lot(life: LotLife, rules: Rules, today: dt.date) -> list[Found]:
    """The rules that hold for a lot as a whole today."""
    found = []
    for rule in rules.lot:
        fine = (life.fine_until or {}).get(rule.slug)
        since = today - dt.timedelta(days=rule.days - 1)
        days = [one for one in life.days if one[0] >= since and (fine is None or one[0] > fine)]
        counted = _LOT[rule.counts](life, days)
        if counted >= rule.at_least and counted * 100 >= rule.share * life.scanned:
            found.append(Found(rule, counted))
    return found


def again(days: Sequence[Seen], rules: Rules) -> bool:
    """True for a pack that was scanned again after a silence: eaten and bought once more, as it seems."""
    silence = min((rule.silence for rule in rules.lot if rule.counts == "again"), default=ALL_DAYS)
    scanned = sorted({one.day for one in days})
    return any((later - earlier).days >= silence for earlier, later in pairwise(scanned))


def per_day(days: Sequence[Seen], marks_of: Callable[[Seen], int] = lambda one: one.networks) -> int:
    """Networks (or hands) of each day, added up: from one day to the next nobody can tell them apart."""
    marks: dict[dt.date, int] = {}
    for one in days:
        marks[one.day] = marks.get(one.day, 0) | marks_of(one)
    return sum(count(day) for day in marks.values())


def hands_of(one: Seen) -> int:
    """The marks of hands."""
    return one.hands


def _places(days: Sequence[Seen]) -> int:
    """Provinces, but no more than networks: one reader who names ten has been in one."""
    return min(len({one.place for one in days if one.place}), per_day([one for one in days if one.place]))


def _new_places(late: Sequence[Seen], days: Sequence[Seen]) -> int:
    first = min((one.day for one in late), default=None)
    before = {one.place for one in days if first is not None and one.day < first and one.place}
    return per_day([one for one in late if one.place and one.place not in before]) if before else 0


def _after_void(life: Life, late: Sequence[Seen]) -> int:
    voided = life.voided
    return sum(one.scans for one in late if one.day > voided) if voided else 0


_UNIT: dict[str, Callable[[Life, Sequence[Seen], Sequence[Seen]], int]] = {
    "after-void": lambda life, _days, late: _after_void(life, late),
    "hands": lambda _life, _days, late: per_day(late, hands_of),
    "networks": lambda _life, _days, late: per_day(late),
    "places": lambda _life, _days, late: _places(late),
    "new-places": lambda _life, days, late: _new_places(late, days),
}
_LOT: dict[str, Callable[[LotLife, Sequence[tuple[dt.date, int, int, int]]], int]] = {
    "unknown": lambda _life, days: sum(one[1] for one in days),
    "recalled": lambda _life, days: sum(one[2] for one in days),
    "expired": lambda _life, days: sum(one[3] for one in days),
    "again": lambda life, _days: life.again - life.again_when_fine,
}
