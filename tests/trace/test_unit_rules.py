"""Signs of copying as rules over counted days, and what they find in a small simulated season."""

import datetime as dt
import random
from pathlib import Path

import pytest

from tests.bench.copies import PATTERNS, caught, honest
from tests.support.buyers import World, first_sign, lot_sign, seen
from trace.units import drawing, hands, provinces, rules, words
from trace.units.drawing import Told
from trace.units.rules import Life, LotLife, Seen

RULES = rules.load()
TODAY = dt.date(2026, 12, 1)
KEY = b"k" * 32


def day(ago: int, networks: int, place: str = "", hands_too: int = 0) -> Seen:
    """A day with so many networks (and hands), seen so long ago."""
    return Seen(TODAY - dt.timedelta(days=ago), place, networks, marks(max(hands_too, networks)), marks(networks))


def marks(told: int) -> int:
    """Marks that are told as so many, or as just fewer: with more of them, several hands share one."""
    return max(found for set_ in range(64) if hands.count(found := (1 << set_) - 1) <= told)


def least(slug: str) -> int:
    """What marks can tell that reaches the rule's threshold."""
    return min(told for set_ in range(64) if (told := hands.count((1 << set_) - 1)) >= rule(slug).at_least)


def found(*days: Seen, **more: object) -> set[str]:
    """Slugs of the rules that hold."""
    return {one.rule.slug for one in rules.signs_of_unit(Life(days, **more), RULES, TODAY)}  # type: ignore[arg-type]


def rule(slug: str) -> rules.Rule:
    return next(one for one in (*RULES.unit, *RULES.lot) if one.slug == slug)


def test_a_quiet_pack_shows_no_sign() -> None:
    assert found(day(0, 2), day(3, 1), day(9, 1)) == set()


def test_each_threshold_holds_at_its_number_and_not_below() -> None:
    assert "many-networks" in found(day(0, least("many-networks")))
    assert "many-networks" not in found(day(0, rule("many-networks").at_least - 1))
    assert "many-hands" in found(day(0, 1, hands_too=least("many-hands")))
    assert "many-hands" not in found(day(0, 1, hands_too=rule("many-hands").at_least - 1))


def test_networks_of_many_days_add_up_within_the_window_only() -> None:
    some = rule("many-days").at_least // 4 + 1
    assert "many-days" in found(*(day(ago, some) for ago in range(4)))
    assert "many-days" not in found(*(day(ago, some) for ago in (0, 1, 40, 41)))


def test_places_count_no_more_than_networks_do() -> None:
    at = rule("many-places").at_least
    names = list(provinces.PROVINCES)[:at]
    apart = [Seen(TODAY - dt.timedelta(days=n), place, 1, 1, 1) for n, place in enumerate(names)]
    assert "many-places" in found(*apart)
    assert "many-places" not in found(*(Seen(TODAY, place, 1, 1, 1) for place in names))


def test_a_pack_that_was_silent_for_long_and_appears_elsewhere_is_a_sign() -> None:
    assert "long-after-far" in found(day(100, 1, "01"), day(0, 2, "79"))
    assert "long-after-far" not in found(day(100, 1, "01"), day(0, 2, "01"))
    assert "long-after-far" not in found(day(100, 1, "01"), day(30, 1, "01"), day(0, 2, "79"))
    assert "long-after-far" not in found(day(0, 2, "79"))


def test_a_voided_label_that_is_scanned_the_day_after_is_a_sign() -> None:
    assert found(day(0, 1), voided=TODAY - dt.timedelta(days=1)) == {"voided"}
    assert found(day(0, 1), voided=TODAY) == set()


def test_what_the_office_found_harmless_is_found_again_only_by_later_days() -> None:
    at, slugs = least("many-networks"), ("many-networks", "many-days")
    assert found(day(0, at), fine_until=dict.fromkeys(slugs, TODAY)) == set()
    assert found(day(0, at), fine_until=dict.fromkeys(slugs, TODAY - dt.timedelta(days=1))) == set(slugs)


def test_a_lot_is_doubted_by_share_and_by_number() -> None:
    doubled = rule("doubled")
    few, many = LotLife((), 10, doubled.at_least), LotLife((), 100_000, doubled.at_least)
    assert [one.rule.slug for one in rules.signs_of_lot(few, RULES, TODAY)] == ["doubled"]
    assert rules.signs_of_lot(many, RULES, TODAY) == []


def test_a_pack_lives_again_when_it_is_scanned_after_weeks_of_silence() -> None:
    silence = rule("doubled").silence
    assert rules.again([day(0, 1), day(silence, 1)], RULES)
    assert not rules.again([day(0, 1), day(silence - 1, 1), day(1, 1)], RULES)


def test_every_rule_has_its_words(app: object) -> None:
    for one in (*RULES.unit, *RULES.lot):
        assert words.rule(one.slug) != one.slug
        assert "7" in words.counted(one.slug, "7")
        assert words.to_do(one.slug)
    assert all("0213" in words.to_buyer(one.slug, "0213") for one in RULES.unit)


@pytest.mark.parametrize(
    "broken",
    ['slug="a"\ncounts="nothing"\nat_least=1', 'slug="a"\ncounts="hands"\nat_least=0',
     'slug="a"\ncounts="hands"\nat_least=1\ndays=0'],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f'[[unit]]\n{broken}\n[[lot]]\nslug="b"\ncounts="unknown"\nat_least=1\n', "utf-8")
    with pytest.raises(ValueError, match="'a'"):
        rules.load(path)


@pytest.mark.parametrize(("true", "off"), [(1, 0), (5, 1), (10, 2), (40, 12), (100, 35)])
def test_marks_tell_how_many_hands_there_were(true: int, off: int) -> None:
    for subject in range(20):
        marks = 0
        for hand in range(true):
            marks |= hands.mark(KEY, str(subject), f"{hand}")
        assert abs(hands.count(marks) - true) <= off + 1 * (true > 1)


def test_a_hand_leaves_other_marks_on_other_packs_and_under_other_keys() -> None:
    on_packs = {hands.mark(KEY, f"pack {n}", "one reader") for n in range(200)}
    by_keys = {hands.mark(bytes([n]) * 32, "one pack", "one reader") for n in range(200)}
    assert len(on_packs) > 50
    assert len(by_keys) > 50
    assert all(mark.bit_count() == 1 and mark < 1 << 63 for mark in on_packs)


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0"), ("::ffff:203.0.113.77", "203.0.113.0"), ("2001:db8:1:2::9", "2001:db8:1::"),
     ("fe80::1%eth0", "fe80::"), ("unix", ""), ("", "")],
)  # fmt: skip
def test_only_an_addresses_network_is_looked_at(address: str, network: str) -> None:
    assert hands.network(address) == network


@pytest.mark.parametrize(
    ("header", "place"),
    [("VN-HN", "01"), ("hn", "01"), ("VN-01", "12"), ("VN-71", "11"), ("FR-75", "99"), ("VN-99", ""), ("", ""),
     ("VN-", ""), ("<b>", ""), ("VN-SG ", "79")],
)  # fmt: skip
def test_a_proxys_word_for_a_province_is_understood_or_dropped(header: str, place: str) -> None:
    assert provinces.of_header(header) == place


def test_the_picture_puts_days_and_places_apart_and_many_places_together() -> None:
    told = [Told(TODAY + dt.timedelta(days=n), place, n + 1, 7) for n, place in enumerate(provinces.PROVINCES)]
    drawn = drawing.draw(told)
    assert len(drawn.rows) == drawing.MOST_ROWS
    assert drawn.rows[-1].place == drawing.OTHERS or any(row.place == drawing.OTHERS for row in drawn.rows)
    assert sum(row.scans for row in drawn.rows) == sum(one.scans for one in told) == sum(d.scans for d in drawn.dots)
    assert all(drawing.LEFT < dot.x < drawing.RIGHT and dot.many for dot in drawn.dots)
    assert drawing.draw([]).dots == ()
    one = drawing.draw(told[:1])
    assert (len(one.dots), len(one.ticks)) == (1, 1)


def test_a_short_season_notices_copies_and_leaves_honest_packs_alone() -> None:
    quiet = honest(7, RULES, True, 3_000)
    assert quiet.scanned > 500
    assert quiet.alarms <= 15
    for pattern in PATTERNS:
        if (pattern.words, pattern.copies) in {
            ("one label, printed again and again", 500), ("invented serial numbers", 500),
            ("labels that were voided", 50),
        }:  # fmt: skip
            times = 3
            assert len(caught(pattern, 7, RULES, True, times).days or ()) == times, pattern


def test_five_copies_that_nobody_scans_are_not_noticed() -> None:
    world = World(random.Random(3))
    assert first_sign(seen(world, "pack", []), RULES) is None
    assert lot_sign([[], []], RULES) is None
