from itertools import pairwise

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.live.fold import fold
from shop.live.phones import OLD_PREFIXES, find, normalise, take_out


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0912345678", "0912345678"),
        ("0912 345 678", "0912345678"),
        ("0912.345.678", "0912345678"),
        ("0912-345-678", "0912345678"),
        ("O912345678", "0912345678"),
        ("o9l2345678", None),
        ("+84912345678", "0912345678"),
        ("(+84) 912 345 678", "0912345678"),
        ("+84 0912 345 678", "0912345678"),
        ("84912345678", "0912345678"),
        ("0084912345678", "0912345678"),
        ("0️⃣9️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "0912345678"),
        ("０９１２３４５６７８", "0912345678"),
        ("0 9 1 2 3 4 5 6 7 8", "0912345678"),
        ("sdt0912345678", "0912345678"),
        ("đt:0912345678 nha", "0912345678"),
        ("0912345678 2 gói", "0912345678"),
        ("0912345678 ok shop", "0912345678"),
        ("01681234567", "0381234567"),
        ("0120.123.4567", "0701234567"),
        ("0213 3876543", "02133876543"),
        ("(0213) 3876543", "02133876543"),
        ("091234567", None),
        ("09123456789", None),
        ("0112345678", None),
        ("19001234", None),
        ("md01 x2", None),
    ],
)
def test_a_number_is_found_however_it_is_typed(text: str, number: str | None) -> None:
    found = find(fold(text).bare)
    assert [phone.number for phone in found] == ([number] if number else [])


def test_every_old_prefix_leads_to_a_number_that_is_valid_today() -> None:
    for old, new in OLD_PREFIXES.items():
        assert normalise(old + "9234567") == new + "9234567"
        assert normalise("84" + old[1:] + "9234567") == new + "9234567"


def test_a_landline_is_no_mobile() -> None:
    assert [phone.mobile for phone in find("0213 3876543 0912345678")] == [False, True]


def test_a_number_taken_out_leaves_every_other_letter_in_its_place() -> None:
    text = "md01 0912 345 678 x2"
    left = take_out(text, find(text))
    assert len(left) == len(text) and left.startswith("md01 \x01") and left.endswith(" x2")


@given(st.integers(0, 10**10 - 1).map(lambda n: f"0{n:09d}"))
def test_what_is_called_valid_phonenumbers_calls_valid(digits: str) -> None:
    number = normalise(digits)
    if number is not None:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number, "VN"))


@given(st.text(alphabet="0123456789o +()-.", max_size=60))
def test_numbers_found_are_valid_and_do_not_overlap(text: str) -> None:
    found = find(text)
    assert all(normalise(phone.number) == phone.number for phone in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
