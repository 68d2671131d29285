"""`python -m tests.bench.copies`: copied labels among honest buyers, over simulated seasons, into docs/bench-copies.md.

`python -m tests.bench.copies tune` prints the same for the one season on which the thresholds were chosen.
"""

import datetime as dt
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import wsgi  # noqa: F401  # first: it sees to it that `trace` is ours  # isort: skip
from tests.support.buyers import BEGIN, SCANS, Visit, World, first_sign, lot_sign, seen, unknown_sign
from trace.units import rules
from trace.units.rules import Found, Rules
from village.settings import ROOT

TUNED, STATED = 1, (2, 3, 4)
HONEST, LOT = 20_000, 1_000
"""Honest packs of a season, and packs of a lot."""
SPREAD = 45
"""Days over which copies are sold."""
Noticed = tuple[dt.date, list[Found]] | None


Played = tuple[dt.date, Noticed]
"""The day of the first copy, and what was noticed."""


@dataclass(frozen=True)
class Pattern:
    """A way to copy: its words, how many copies, how often it is played in a season, and the play."""

    words: str
    copies: int
    times: int
    play: Callable[[World, Rules, int, bool], Played]
    """The last is False to play the same packs without any copy: what would have been noticed by mere chance."""


def _one_label(world: World, told: Rules, copies: int, copied: bool) -> Played:
    begin, visits = _sold(world, copies if copied else 0)
    return begin, first_sign(seen(world, "one", world.pack() + visits), told)


def _some_labels(labels: int) -> Callable[[World, Rules, int, bool], Played]:
    """Each of some labels again and again: noticed by its own number."""

    def play(world: World, told: Rules, copies: int, copied: bool) -> Played:
        begin = BEGIN + dt.timedelta(days=world.chance.randint(5, 25))
        each = copies // labels if copied else 0
        packs = (seen(world, f"{label}", world.pack() + _sold(world, each, begin)[1]) for label in range(labels))
        return begin, _first([first_sign(days, told) for days in packs])

    return play


def _roll(lot: int) -> Callable[[World, Rules, int, bool], Played]:
    """Labels of a lot, each once more: noticed, if at all, by the lot as a whole."""

    def play(world: World, told: Rules, copies: int, copied: bool) -> Played:
        begin = BEGIN + dt.timedelta(days=world.chance.randint(5, 25))
        packs = [
            seen(world, f"{label}", world.pack() + (_sold(world, 1, begin)[1] if copied and label < copies else []))
            for label in range(lot)
        ]
        return begin, lot_sign(packs, told)

    return play


def _refilled(world: World, told: Rules, copies: int, copied: bool) -> Played:
    """Old bags with their labels, filled and sold again months later."""
    begin, found = BEGIN + dt.timedelta(days=150), []
    for number in range(copies):
        again = world.pack(begin + dt.timedelta(days=world.chance.randrange(SPREAD))) if copied else []
        before = world.pack(BEGIN + dt.timedelta(days=world.chance.randrange(40)))
        sign = first_sign(seen(world, f"{number}", before + again), told)
        if sign and sign[0] >= begin:
            found.append(sign)
    return begin, _first(found)


def _invented(world: World, told: Rules, copies: int, copied: bool) -> Played:
    begin, visits = _sold(world, copies if copied else 0)
    return begin, unknown_sign(sorted(visits, key=lambda one: one.day), told)


def _voided(world: World, told: Rules, copies: int, copied: bool) -> Played:
    begin, found = BEGIN + dt.timedelta(days=20), []
    for number in range(copies if copied else 0):
        visits = world.pack(begin + dt.timedelta(days=world.chance.randrange(SPREAD)))
        found.append(first_sign(seen(world, f"{number}", visits), told, voided=BEGIN))
    return begin, _first(found)


def _sold(world: World, copies: int, begin: dt.date | None = None) -> tuple[dt.date, list[Visit]]:
    """Copies sold in three provinces' markets."""
    begin = begin or BEGIN + dt.timedelta(days=world.chance.randint(5, 25))
    markets = [world.home().province for _market in range(3)]
    visits: list[Visit] = []
    for _copy in range(copies):
        day = begin + dt.timedelta(days=world.chance.randrange(SPREAD))
        visits += world.pack(day, world.chance.choice(markets))
    return begin, visits


def _first(found: Sequence[Noticed]) -> Noticed:
    return min((one for one in found if one), key=lambda one: one[0], default=None)


PATTERNS = (
    *(Pattern("one label, printed again and again", n, times, _one_label)
      for n, times in ((5, 100), (20, 100), (50, 60), (100, 40), (500, 20), (5000, 3))),
    Pattern("20 labels, 10 times each", 200, 10, _some_labels(20)),
    Pattern("20 labels, 50 times each", 1000, 6, _some_labels(20)),
    Pattern("100 labels, 50 times each", 5000, 3, _some_labels(100)),
    Pattern("100 labels of a lot of 1,000, once more", 100, 20, _roll(1000)),
    Pattern("500 labels of a lot of 1,000, once more", 500, 20, _roll(1000)),
    Pattern("all labels of a lot of 1,000, once more", 1000, 20, _roll(1000)),
    Pattern("all labels of a lot of 5,000, once more", 5000, 4, _roll(5000)),
    *(Pattern("invented serial numbers", n, times, _invented)
      for n, times in ((5, 60), (50, 40), (500, 10), (5000, 3))),
    *(Pattern("old bags filled again after five months", n, times, _refilled)
      for n, times in ((5, 60), (50, 40), (500, 6), (5000, 2))),
    *(Pattern("labels that were voided", n, times, _voided) for n, times in ((5, 60), (50, 20))),
)  # fmt: skip


@dataclass
class Honest:
    """False alarms among honest packs."""

    packs: int = 0
    scanned: int = 0
    alarms: int = 0
    lots: int = 0
    lots_alarmed: int = 0
    by_rule: Counter[str] | None = None


def honest(seed: int, told: Rules, named: bool, packs: int = HONEST) -> Honest:
    """A season without any copy."""
    world = World(random.Random(seed * 1000 + named), named)
    result = Honest(by_rule=Counter())
    assert result.by_rule is not None
    lot: list[list[rules.Seen]] = []
    for number in range(packs):
        days = seen(world, f"{number}", world.pack())
        sign = first_sign(days, told)
        result.packs += 1
        result.scanned += bool(days)
        if sign:
            result.alarms += 1
            result.by_rule[sign[1][0].rule.slug] += 1
        lot.append(days)
        if len(lot) == LOT:
            result.lots += 1
            result.lots_alarmed += lot_sign(lot, told) is not None
            lot = []
    return result


@dataclass
class Caught:
    """How a pattern fared."""

    played: int = 0
    days: list[int] | None = None
    by_rule: Counter[str] | None = None


def caught(pattern: Pattern, seed: int, told: Rules, named: bool, times: int, copied: bool = True) -> Caught:
    """Play a pattern so many times; without any copy where `copied` is False."""
    result = Caught(days=[], by_rule=Counter())
    assert result.days is not None and result.by_rule is not None
    for number in range(times):
        world = World(random.Random(f"{seed} {named} {pattern.words} {pattern.copies} {number} {copied}"), named)
        begin, noticed = pattern.play(world, told, pattern.copies, copied)
        result.played += 1
        if noticed:
            result.days.append(max((noticed[0] - begin).days, 0))
            result.by_rule[noticed[1][0].rule.slug] += 1
    return result


def report(seeds: Sequence[int]) -> str:
    """The tables of these seasons."""
    told = rules.load()
    lines: list[str] = []
    for named in (True, False):
        lines += ["", "## " + ("Where a proxy names the reader's province" if named else
                  "Where only a reader's own tap does (one in twelve)"), ""]  # fmt: skip
        sums = [honest(seed, told, named) for seed in seeds]
        packs, alarms = sum(one.packs for one in sums), sum(one.alarms for one in sums)
        by_rule: Counter[str] = sum((one.by_rule or Counter() for one in sums), Counter())
        each = ", ".join(f"{10_000 * one.alarms / one.packs:.1f}" for one in sums)
        lots, wrong = sum(one.lots for one in sums), sum(one.lots_alarmed for one in sums)
        lines += [
            f"Honest: {packs:,} packs, {sum(one.scanned for one in sums):,} of them scanned. False alarms: "
            f"**{10_000 * alarms / packs:.1f} in 10,000 packs** (by season {each}; by rule "
            f"{', '.join(f'{slug} {count}' for slug, count in by_rule.most_common()) or 'none'}); "
            f"lots of 1,000 wrongly under suspicion as a whole: {wrong} of {lots}.",
            "",
            "| copies | pattern | played | noticed | without copies | days until noticed, median (9 of 10) | by |",
            "|---:|---|---:|---:|---:|---:|---|",
        ]
        for pattern in PATTERNS:
            found = [caught(pattern, seed, told, named, pattern.times) for seed in seeds]
            chance = [caught(pattern, seed, told, named, pattern.times, copied=False) for seed in seeds]
            days = sorted(day for one in found for day in one.days or ())
            played = sum(one.played for one in found)
            slugs: Counter[str] = sum((one.by_rule or Counter() for one in found), Counter())
            when = f"{median(days):.0f} ({days[int(len(days) * 0.9)] if len(days) > 9 else days[-1]})" if days else "–"
            lines.append(
                f"| {pattern.copies:,} | {pattern.words} | {played} | {100 * len(days) / played:.0f} % "
                f"| {100 * sum(len(one.days or ()) for one in chance) / played:.0f} % | {when} "
                f"| {', '.join(slug for slug, _count in slugs.most_common(2))} |"
            )
    return "\n".join(lines)


HEAD = """# Copied labels, noticed or not

`python -m tests.bench.copies` plays seasons of invented buyers (tests/support/buyers.py) and of people who copy
labels, and asks the rules (trace/units/rules.toml) exactly as the server does, over the same marks. One buyer in
{scans:.0f} scans at all; that is a guess, as all figures of the simulation are, and it bounds everything: a copy
that nobody scans is seen by nobody.

Thresholds were chosen on the season of seed {tuned} (for lots: on random worlds beside it);
the figures are of seeds {stated}, which they had not seen.
"Noticed" is the first sign that reaches the office; beside it stands how often the same packs would have shown one
without any copy. A buyer who scans a number that was never issued, or a voided one,
is told at once, each time.
"""
FOOT = """

## What it cannot see

- A label without a serial number: all packs of a lot carry the same one. Only the packs' count could tell.
- A handful of copies: with one buyer in five scanning, five copies bring one scan. Nobody can tell it from a gift.
- A roll printed once more, each number twice, where nobody knows where readers are.
- Who is the copy: the rules say that a number lives twice, never which pack is the true one.
- A link to a pack that goes around the internet looks like a copied label. Readers who come from another page are not
  counted, but not every app says so; the office looks, says "harmless", and the buyers' warning goes.
"""


def main() -> None:
    """Play, print, and write."""
    began = time.monotonic()
    if sys.argv[1:] == ["tune"]:
        print(report((TUNED,)))
        return
    text = HEAD.format(scans=1 / SCANS, tuned=TUNED, stated=", ".join(map(str, STATED))) + report(STATED) + FOOT
    (ROOT / "docs" / "bench-copies.md").write_text(text, "utf-8")
    print(text, f"\n{time.monotonic() - began:.0f} s", sep="")


if __name__ == "__main__":
    main()
