"""Names and notes as people type them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village.errors import BadInput
from village.text import clean_line, clean_name, clean_text, plain_letters


def slug_of(call: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(BadInput) as caught:
        call(*args, **kwargs)  # type: ignore[operator]
    assert caught.value.field == "name"
    return caught.value.slug


def test_a_name_typed_decomposed_is_the_same_name() -> None:
    assert clean_name(unicodedata.normalize("NFD", "Nguyễn Thị Sợi"), "name") == "Nguyễn Thị Sợi"


def test_blanks_around_and_inside_a_name_are_tidied() -> None:
    assert clean_name("  Hộ\u00a0 bà \t Mỷ ", "name") == "Hộ bà Mỷ"


def test_a_name_of_only_combining_marks_is_refused() -> None:
    assert slug_of(clean_name, "\u0301\u0309\u0323", "name") == "marks-without-letter"


def test_a_name_without_a_letter_is_refused() -> None:
    assert slug_of(clean_name, "123 !!", "name") == "name-without-letter"


def test_a_name_buried_under_marks_is_refused() -> None:
    assert slug_of(clean_name, "Sợi" + "\u0336" * 9, "name") == "marks-without-letter"


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\ud800", "\U000e0041"])
def test_a_name_with_a_hidden_character_is_refused(hidden: str) -> None:
    assert slug_of(clean_name, f"Miến{hidden}dong", "name") == "bad-character"


@pytest.mark.parametrize("blank", ["\u3164", "\u115f", "\uffa0", "\u2800", "\u17b4"])
def test_a_name_that_nobody_can_see_is_refused(blank: str) -> None:
    assert slug_of(clean_name, blank * 3, "name") == "bad-character"


@pytest.mark.parametrize("none", ["\uffff", "\ufffe", "\ufdd0", "\U0001ffff"])
def test_a_text_that_no_label_can_carry_is_refused(none: str) -> None:
    assert slug_of(clean_text, f"Miến{none}", "name", 20) == "bad-character"


def test_zero_width_blanks_pasted_from_a_chat_are_dropped() -> None:
    assert clean_line("\ufeffMiến\u200b dong", "name", 20) == "Miến dong"


def test_an_empty_name_says_that_it_is_missing() -> None:
    assert slug_of(clean_name, " \u200b ", "name") == "missing"


def test_a_name_is_counted_in_characters_and_not_in_bytes() -> None:
    assert clean_line("ợ" * 20, "name", 20) == "ợ" * 20
    assert slug_of(clean_line, "ợ" * 21, "name", 20) == "too-long"


@pytest.mark.parametrize("value", [None, 7, ["Mỷ"], {"name": "Mỷ"}])
def test_a_name_that_is_no_text_is_refused(value: object) -> None:
    assert slug_of(clean_name, value, "name") == "not-text"


def test_a_story_keeps_its_paragraphs_and_its_emoji() -> None:
    assert clean_text("Nhà tôi \r\n\r\n\r\n\r\nlàm miến 👩‍🌾", "name", 99) == "Nhà tôi\n\nlàm miến 👩‍🌾"


def test_an_address_has_no_marks() -> None:
    assert plain_letters("Miến dong Bình Lư – 500 g, Đặc biệt") == "mien-dong-binh-lu-500-g-dac-biet"


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    try:
        once = clean_line(text, "name", 200, required=False)
    except BadInput:
        return
    assert clean_line(once, "name", 200, required=False) == once
    assert "\n" not in once and once == unicodedata.normalize("NFC", once)
