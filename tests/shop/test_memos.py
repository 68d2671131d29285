"""Memos: short, found in whatever banks make of them, and never guessed."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.payments import memos
from shop.payments.bank import links

NUMBERS = st.integers(0, 32**7 - 1)
AROUND = st.text(string.ascii_letters + string.digits + " .-/", max_size=30)


@given(NUMBERS, AROUND, AROUND)
def test_a_memo_is_found_between_whatever_a_bank_glues_to_it(number: int, before: str, after: str) -> None:
    memo = memos.memo_of(number)
    assert memo in memos.find(before + memo + after)


@pytest.mark.parametrize(
    "told",
    [
        "MBVCB.3278907687.088123.{memo}.CT tu 0071000888888 NGUYEN THI THU toi HTX",
        "IBFT{memo}",
        "chuyen tien {spaced} cam on",
        "{lower} ck mien dong",
        "thanh toán đơn {spaced}",
        "{split}",
        "{dotted}",
        "{memo} {memo}",
    ],
)
def test_what_real_banks_make_of_a_memo_is_understood(told: str) -> None:
    memo = memos.memo_of(123_456_789)
    text = told.format(
        memo=memo, spaced=memos.shown(memo), lower=memo.lower(), split=memo[:6] + "\n" + memo[6:], dotted=".".join(memo)
    )
    assert memos.find(text) == [memo]
    assert memos.find(unicodedata.normalize("NFD", text)) == [memo]


@given(NUMBERS, st.data())
def test_one_wrong_letter_finds_no_order(number: int, data: st.DataObject) -> None:
    memo = memos.memo_of(number)
    at = data.draw(st.integers(3, len(memo) - 1))
    other = data.draw(st.sampled_from([c for c in memos.ALPHABET if c != memo[at]]))
    assert memos.find(memo[:at] + other + memo[at + 1 :]) == []


@given(NUMBERS)
def test_letters_that_look_like_digits_are_read_as_them(number: int) -> None:
    memo = memos.memo_of(number)
    typed = memo[:3] + memo[3:].replace("0", "O").replace("1", "I")
    assert memos.find(typed) == [memo]


def test_two_memos_in_one_text_are_both_told() -> None:
    one, two = memos.memo_of(1), memos.memo_of(2)
    assert memos.find(f"{one} {two}") == [one, two]


@given(NUMBERS, st.integers(0, links.TRIES - 1))
def test_an_order_code_of_payos_leads_back_to_its_memo(number: int, tries: int) -> None:
    memo = memos.memo_of(number)
    code = links.order_code(memo, tries)
    assert 0 <= code < 2**53
    assert links.memo_of(code) == memo


@pytest.mark.parametrize("code", [-1, 32**7 * links.TRIES, 2**70])
def test_a_code_that_cannot_be_ours_leads_nowhere(code: int) -> None:
    assert links.memo_of(code) is None


@given(st.text(max_size=60))
def test_any_text_is_looked_through(text: str) -> None:
    assert all(memos.find(memo) == [memo] for memo in memos.find(text))
