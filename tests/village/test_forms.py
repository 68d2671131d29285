"""Numbers, days and GS1 numbers as people type them into a form."""

import datetime as dt

import pytest

from village import gs1
from village.errors import BadInput
from village.forms import choice, day, optional_degrees, optional_number, whole_number


@pytest.mark.parametrize(("typed", "meant"), [("35000", 35000), ("35.000", 35000), ("1 250 000", 1250000), (" 7 ", 7)])
def test_a_whole_number_may_have_its_thousands_apart(typed: str, meant: int) -> None:
    assert whole_number(typed, "price", 1, 10**9) == meant


@pytest.mark.parametrize("typed", ["1.5", "1,5", "-3", "٣", "1e3", "3.50.000", "0", "99999999999", "9" * 5000, "½"])
def test_a_doubtful_number_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        whole_number(typed, "price", 1, 10**9)


def test_nothing_typed_is_no_number() -> None:
    assert optional_number(" ", "price", 1, 9) is None
    assert optional_degrees(None, "latitude", 90) is None


def test_degrees_take_a_comma() -> None:
    assert optional_degrees("22,3865", "latitude", 90) == 22.3865
    with pytest.raises(BadInput):
        optional_degrees("91", "latitude", 90)


def test_a_day_is_written_in_two_ways() -> None:
    assert day("2026-11-20", "issued_on") == day("20/11/2026", "issued_on") == dt.date(2026, 11, 20)
    for typed in ("20/13/2026", "31/02/2026", "mai", "0001-01-01"):
        with pytest.raises(BadInput):
            day(typed, "issued_on")


def test_only_what_is_on_the_list_can_be_chosen() -> None:
    assert choice("field", "kind", ("field", "store")) == "field"
    with pytest.raises(BadInput):
        choice("castle", "kind", ("field", "store"))


def test_a_gtin_with_a_right_check_digit_gets_fourteen_digits() -> None:
    assert gs1.gtin14("9506000140445") == "09506000140445"
    assert gs1.gtin14(" 0950 6000 140445 ") == "09506000140445"


def test_a_gtin_with_a_wrong_check_digit_says_which_one_it_needs() -> None:
    with pytest.raises(BadInput) as caught:
        gs1.gtin14("9506000140446")
    assert caught.value.slug == "wrong-check-digit"
    assert caught.value.details == {"found": 6, "expected": 5}
    assert caught.value.field == "gtin"


@pytest.mark.parametrize("typed", ["", "950600014044", "95060001404x5", "９506000140445", None, 9506000140445])
def test_what_is_no_gln_is_refused(typed: object) -> None:
    with pytest.raises(BadInput):
        gs1.gln13(typed)
