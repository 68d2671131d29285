"""What is flagged to the office: figures out of their bounds, or far from a household's own."""

import datetime as dt
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.balance.flags import (
    Doubt,
    Flag,
    Happened,
    amount_flags,
    field_flags,
    season_flags,
    told_flags,
    yield_flags,
)  # fmt: skip
from batches.balance.flows import Part, network
from batches.balance.robust import usual
from batches.processes.catalogue import all_processes
from batches.processes.models import Kind

SINCE = dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
NEWEST = all_processes()
MIEN = NEWEST["mien-dong"]
A_DAY = 150_000
"""Grams of noodles that a household makes in a day."""


def happened(stage: str, day: float, took: dict[str, int], gave: dict[str, int], home: str = "A") -> Happened:
    when = SINCE + dt.timedelta(days=day)
    return Happened(f"{home}-{stage}-{day}", home, MIEN, MIEN.stage(stage), when, "field", took, gave)


def settled(day: float, share: int, home: str = "A") -> Happened:
    """A settling of a tonne of tubers that gave `share` basis points."""
    return happened("settle", day, {"tuber": 1_000_000}, {"wet-starch": share * 100, "residue": 600_000}, home)


def slugs(flags: list[Flag]) -> list[str]:
    return [flag.slug for flag in flags]


@given(st.lists(st.integers(1, 100_000), min_size=8, max_size=60))
def test_what_is_usual_is_the_median_and_its_mad(history: list[int]) -> None:
    found = usual(history)
    assert found is not None
    middle = statistics.median(history)
    mad = max(statistics.median(abs(value - middle) for value in history), middle / 100)
    assert found.median == int(middle)
    assert found.low == pytest.approx(middle - 3.5 * 1.4826 * mad, abs=1.01)
    assert found.high == pytest.approx(middle + 3.5 * 1.4826 * mad, abs=1.01)
    assert found.low <= middle - 3.5 * 1.4826 * mad + 1e-6 * middle
    assert found.high >= middle + 3.5 * 1.4826 * mad - 1e-6 * middle


def test_seven_figures_say_nothing() -> None:
    assert usual([5] * 7) is None
    assert usual([5] * 8) is not None


def test_a_yield_outside_its_bounds_is_flagged_and_an_impossible_one_loudly() -> None:
    low, usual_one, impossible = settled(1, 1_700), settled(2, 2_500), settled(3, 4_600)
    flags = yield_flags([low, usual_one, impossible], SINCE)
    assert slugs(flags) == ["yield-bounds", "yield-bounds"]
    assert [(f.figure, f.low, f.high, f.loud) for f in flags] == [
        (1_700, 1_800, 3_200, False), (4_600, 1_800, 3_200, True)
    ]  # fmt: skip
    # The residue is no yield: it would have made any of them impossible.
    assert flags[0].params == {"in": 1_000_000, "out": 170_000}


def test_a_yield_far_from_a_households_own_is_flagged_though_within_bounds() -> None:
    history = [settled(-20 + day, 2_500 + 10 * (day % 3)) for day in range(8)]
    assert slugs(yield_flags([*history, settled(1, 2_900)], SINCE)) == ["yield-history"]
    assert yield_flags([*history, settled(1, 2_550)], SINCE) == []
    assert yield_flags([*history[1:], settled(1, 2_900)], SINCE) == [], "seven earlier ones are not enough"
    others = [settled(-20 + day, 2_500, "B") for day in range(8)]
    assert yield_flags([*others, settled(1, 2_900)], SINCE) == [], "another household's history says nothing"
    assert yield_flags([*history, settled(-1, 2_900)], SINCE) == [], "last season's are not told again"


def test_a_flag_says_what_was_expected() -> None:
    history = [settled(-20 + day, 2_500) for day in range(10)]
    (flag,) = yield_flags([*history, settled(1, 2_900)], SINCE)
    assert (flag.params["median"], flag.params["count"], flag.figure) == (2_500, 10, 2_900)
    assert flag.low is not None and flag.high is not None and flag.low < 2_500 < flag.high < 2_900


def dried(day: float, grams: int) -> Happened:
    return happened("dry", day, {"strands": grams * 10 // 9}, {"noodles": grams})


def test_more_noodles_in_a_day_than_a_household_makes_are_flagged() -> None:
    two_days = 2 * A_DAY
    assert amount_flags([dried(1, two_days)], SINCE, NEWEST) == []
    (flag,) = amount_flags([dried(1, two_days - 5), dried(1.1, 6)], SINCE, NEWEST)
    assert (flag.slug, flag.figure, flag.high) == ("day-amount", two_days + 1, two_days)
    assert amount_flags([dried(-1, two_days + 1)], SINCE, NEWEST) == []


def test_a_workshop_that_always_makes_as_much_is_not_flagged_daily() -> None:
    days = [dried(-70 + 7 * n, 500_000) for n in range(13)]
    told = [flag for flag in amount_flags(days, SINCE, NEWEST) if flag.slug == "day-amount"]
    assert told == []


def test_seven_days_in_a_row_count_together() -> None:
    week = 7 * A_DAY
    even = [dried(1 + day, week // 7) for day in range(7)]
    assert amount_flags(even, SINCE, NEWEST) == []
    flags = amount_flags([*even[:-1], dried(7, week // 7 + 1)], SINCE, NEWEST)
    assert [(f.slug, f.figure, f.high) for f in flags] == [("week-amount", week + 1, week)]


def test_a_field_that_gives_more_than_grows_on_it_is_flagged() -> None:
    dug = [happened("harvest", day, {}, {"tuber": 21_000_000}) for day in (1, 5)]
    assert field_flags(dug, {}, SINCE, NEWEST) == [], "nobody knows how large it is"
    (flag,) = field_flags(dug, {"field": 10_000}, SINCE, NEWEST)
    assert (flag.slug, flag.figure, flag.loud) == ("per-hectare", 42_000_000, False)
    (flag,) = field_flags(dug, {"field": 5_000}, SINCE, NEWEST)
    assert (flag.figure, flag.loud) == (84_000_000, True)
    assert field_flags(dug, {"field": 10_500}, SINCE, NEWEST) == []


def test_a_season_beyond_its_harvest_and_packs_beyond_noodles_are_loud() -> None:
    parts = [
        Part("harvest", Kind.COMMISSION, True, "tuber", 1_000),
        Part("dry", Kind.TRANSFORM, True, "noodles", 201),
        Part("pack", Kind.PACK, False, "noodles", 221),
        Part("pack", Kind.PACK, True, "packs", 221),
    ]
    whole = network(parts, [], {}, {"noodles": -20})
    flags = season_flags(MIEN, {"A": whole}, 2026)
    assert [(f.slug, f.figure, f.high, f.loud) for f in flags] == [
        ("season-beyond", 201, 200, True), ("packs-beyond", 20, 0, True)
    ]  # fmt: skip
    fine = network([parts[0], Part("dry", Kind.TRANSFORM, True, "noodles", 200)], [], {}, {"noodles": 200})
    assert season_flags(MIEN, {"A": fine}, 2026) == []


def test_a_doubt_is_told_once() -> None:
    low = settled(1, 1_700)
    flags = yield_flags([low], SINCE)
    doubts = [
        Doubt(low.id, "A", "mien-dong", low.when, "yield-unusual", {"out": 170_000}),
        Doubt(low.id, "A", "mien-dong", low.when, "dry-matter-changed", {"before": 5, "after": 3}),
    ]
    told = told_flags(doubts, flags)
    assert [(flag.what, flag.figure) for flag in told] == [("dry-matter-changed", 3)]
    assert [flag.what for flag in told_flags(doubts, [])] == ["yield-unusual", "dry-matter-changed"]
