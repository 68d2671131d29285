"""The carrier's words folded into ours: twice, late, out of order, and after the end."""

import datetime as dt
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.delivery.fees import Fees, by_carrier, by_hand
from shop.delivery.states import ENDS, WORDS, DeliveryState, Report, fold, may_follow
from village.settings import SettingsError, from_env

S = DeliveryState
START = dt.datetime(2026, 11, 20, 2, 0, tzinfo=dt.UTC)


def at(minute: int) -> dt.datetime:
    return START + dt.timedelta(minutes=minute)


def tell(*states: DeliveryState) -> list[Report]:
    return [Report(state, at(minute)) for minute, state in enumerate(states, start=1)]


def test_a_story_is_told_once_however_often_it_is_heard() -> None:
    story = tell(S.PICKING, S.PICKED, S.TRANSIT, S.TRANSIT, S.DELIVERING, S.DELIVERED)
    first = fold(S.CREATED, [(S.CREATED, at(0))], story, S.DELIVERED, at(9))
    assert [report.state for report in first.new] == [S.PICKING, S.PICKED, S.TRANSIT, S.DELIVERING, S.DELIVERED]
    kept = [(S.CREATED, at(0)), *((report.state, report.at) for report in first.new)]
    again = fold(first.state, kept, story, S.DELIVERED, at(10))
    assert (again.new, again.state) == ((), S.DELIVERED)


def test_each_failed_attempt_is_told_and_a_hall_only_once() -> None:
    story = tell(S.TRANSIT, S.TRANSIT, S.FAIL_ATTEMPT, S.FAIL_ATTEMPT, S.RETURNING, S.RETURNING)
    heard = fold(S.CREATED, [], story, S.RETURNING, at(9))
    assert [report.state for report in heard.new] == [S.TRANSIT, S.FAIL_ATTEMPT, S.FAIL_ATTEMPT, S.RETURNING]


def test_delivered_is_the_end_whatever_is_said_later() -> None:
    kept = [(S.DELIVERED, at(1))]
    for later in DeliveryState:
        heard = fold(S.DELIVERED, kept, [Report(later, at(5))], later, at(6))
        assert (heard.new, heard.state) == ((), S.DELIVERED)


def test_what_was_lost_can_be_found_again() -> None:
    heard = fold(S.LOST_DAMAGED, [(S.LOST_DAMAGED, at(1))], [Report(S.DELIVERED, at(5))], S.DELIVERED, at(6))
    assert ([report.state for report in heard.new], heard.state) == ([S.DELIVERED], S.DELIVERED)


def test_an_end_that_the_carrier_does_not_stand_by_is_none() -> None:
    heard = fold(S.CREATED, [], tell(S.PICKED, S.LOST_DAMAGED, S.DELIVERING), S.DELIVERING, at(9))
    assert [report.state for report in heard.new] == [S.PICKED, S.DELIVERING]


def test_a_state_without_a_story_stands_with_the_moment_of_asking() -> None:
    heard = fold(S.CREATED, [(S.CREATED, at(3))], [], S.DELIVERED, at(2))
    assert heard.new == (Report(S.DELIVERED, at(3)),)


def test_an_unknown_word_moves_nothing() -> None:
    assert "exception" not in WORDS
    heard = fold(S.TRANSIT, [(S.TRANSIT, at(1))], [], None, at(2))
    assert (heard.new, heard.state) == ((), S.TRANSIT)


reports = st.lists(st.sampled_from(list(DeliveryState)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(reports, st.sampled_from(list(DeliveryState)), st.integers(0, 2**32))
def test_hearing_a_story_in_pieces_and_out_of_order_comes_to_the_same_end(
    states: list[DeliveryState], now: DeliveryState, seed: int
) -> None:
    story = tell(*states)
    shuffled = story * 2
    random.Random(seed).shuffle(shuffled)
    one = fold(S.CREATED, [], story, now, at(99))
    other = fold(S.CREATED, [], shuffled, now, at(99))
    assert one.state == other.state == (now if may_follow(S.CREATED, now) else S.CREATED)
    assert [report.at for report in one.new] == sorted({report.at for report in one.new})
    assert all(report.state is one.state for report in one.new if report.state in ENDS)
    again = fold(one.state, [(report.state, report.at) for report in one.new], shuffled, now, at(100))
    assert again.state is one.state
    assert again.new == ()


@pytest.mark.parametrize(
    ("ward", "province", "fee"),
    [
        ("Xã Bình Lư", "Lai Châu", 0), ("binh lu", "tỉnh lai châu", 0), ("Tả Lèng", "Lai Châu", 20_000),
        ("", "Lai Châu", 20_000), ("Bình Lư", "Hà Nội", 35_000), ("Bình Lư", "", 35_000),
    ],
)  # fmt: skip
def test_delivery_by_hand_goes_by_commune_and_province(ward: str, province: str, fee: int) -> None:
    table = Fees("Bình Lư", "Lai Châu", commune=0, near=20_000, far=35_000)
    assert by_hand(table, ward, province) == fee


def test_an_unknown_place_of_our_own_is_like_no_other() -> None:
    assert by_hand(Fees(commune=1, near=2, far=3), "", "") == 3


@pytest.mark.parametrize(
    ("grams", "fee"), [(1, 30_000), (1000, 30_000), (1001, 35_000), (1500, 35_000), (1501, 40_000), (50_001, None)]
)
def test_the_carrier_is_paid_by_the_started_half_kilogram(grams: int, fee: int | None) -> None:
    table = Fees("", "Lai Châu", carrier_near=18_000, carrier_far=30_000, carrier_more=5_000)
    assert by_carrier(table, "Hà Nội", grams) == fee
    assert by_carrier(Fees(), "Hà Nội", grams) is None


ACCOUNT = {"GHN_TOKEN": "f48a8928-9fcb-11ea-b2e6", "GHN_SHOP": "885", "GHN_HOOK": "x" * 24}


def test_the_carriers_account_is_whole_or_not_there(tmp_path: Path) -> None:
    base = {"SOI_ENV": "test", "INSTANCE": str(tmp_path)}
    found = from_env({**base, **ACCOUNT})
    assert (found.ghn_shop, found.ghn_url) == ("885", "https://online-gateway.ghn.vn")
    assert from_env(base).ghn_token == ""
    for wrong in (
        {"GHN_SHOP": ""}, {"GHN_TOKEN": ""}, {"GHN_TOKEN": "short"}, {"GHN_SHOP": "88 5"}, {"GHN_HOOK": "guess"},
        {"GHN_HOOK": "x" * 23 + "/"}, {"GHN_URL": "http://ghn.example"}, {"GHN_URL": "https://u:p@ghn.example"},
        {"GHN_TOKEN": "", "GHN_SHOP": ""},
    ):  # fmt: skip
        with pytest.raises(SettingsError, match="GHN_"):
            from_env({**base, **ACCOUNT, **wrong})
