import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace.gs1.errors import Gs1Error, NotDigits, WrongCheckDigit, WrongLength
from trace.gs1.gtin import check_digit, parse_gln, parse_gtin, parse_sscc, with_check_digit

digits = st.text(alphabet="0123456789", min_size=13, max_size=13)


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("09506000134352", "09506000134352"),
        ("9506000134352", "09506000134352"),
        ("614141007349", "00614141007349"),
        ("96385074", "00000096385074"),
        (" 9506000134352 ", "09506000134352"),
    ],
)
def test_a_product_number_is_known_by_its_fourteen_digits(written: str, whole: str) -> None:
    assert parse_gtin(written) == whole


def test_a_mistyped_number_is_told_the_digit_that_would_be_right() -> None:
    with pytest.raises(WrongCheckDigit, match=r"09506000134353 ends in 3.*must be 2") as caught:
        parse_gtin("09506000134353")
    assert caught.value.params["right"] == 2
    assert caught.value.params["value"] == "09506000134353"
    assert isinstance(caught.value, Gs1Error)


@pytest.mark.parametrize(
    "written", ["", "950600013435X", "٠٩٥٠٦٠٠٠١٣٤٣٥٢", "9506000134³52", "-9506000134352"]
)
def test_only_plain_digits_make_a_number(written: str) -> None:
    with pytest.raises(NotDigits):
        parse_gtin(written)


@pytest.mark.parametrize("written", ["9", "950600013", "095060001343521"])
def test_a_number_of_another_length_is_no_product_number(written: str) -> None:
    with pytest.raises(WrongLength):
        parse_gtin(written)


def test_places_and_parcels_have_check_digits_too() -> None:
    assert parse_gln("9506000117843") == "9506000117843"
    assert parse_sscc(with_check_digit("00614141123456789"[:17])) == with_check_digit("00614141123456789")
    with pytest.raises(WrongCheckDigit):
        parse_gln("9506000117844")
    with pytest.raises(WrongLength):
        parse_sscc("9506000117843")


@given(digits)
def test_every_body_and_its_check_digit_are_accepted(body: str) -> None:
    assert parse_gtin(with_check_digit(body)) == f"{body}{check_digit(body)}"


@given(digits, st.integers(0, 13), st.integers(1, 9))
def test_no_single_wrong_digit_slips_through(body: str, place: int, shift: int) -> None:
    right = with_check_digit(body)
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    with pytest.raises(WrongCheckDigit):
        parse_gtin(wrong)
