"""Passwords and telephone numbers."""

import time
import unicodedata

import pytest

from village.errors import BadInput
from village.people import passwords
from village.people.phones import clean_phone, normal_phone, shown_phone


def test_a_password_is_kept_as_argon2id_and_recognised() -> None:
    stored = passwords.hash_password("miến dong ngon lắm")
    assert stored.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert passwords.verify("miến dong ngon lắm", stored)
    assert not passwords.verify("miến dong ngon lam", stored)


def test_the_same_password_typed_on_another_phone_is_recognised() -> None:
    stored = passwords.hash_password(unicodedata.normalize("NFD", "miến dong ngon lắm"))
    assert passwords.verify(unicodedata.normalize("NFC", "miến dong ngon lắm"), stored)


def test_nobody_has_any_password() -> None:
    assert not passwords.verify("miến dong ngon lắm", None)
    assert not passwords.verify("\ud800" * 300, None)


def test_guessing_at_an_unknown_member_takes_as_long() -> None:
    stored = passwords.hash_password("miến dong ngon lắm")
    passwords.verify("x", None)  # the first one also makes nobody's hash

    def took(kept: str | None) -> float:
        start = time.perf_counter()
        passwords.verify("sai rồi bác ơi", kept)
        return time.perf_counter() - start

    known, unknown = min(took(stored) for _ in range(3)), min(took(None) for _ in range(3))
    assert unknown > known / 3


@pytest.mark.parametrize(
    ("password", "slug"),
    [("ngắn thôi", "password-too-short"), ("ợ" * 201, "password-too-long"), ("1111111111", "password-too-simple"),
     ("1234567890", "password-too-simple")],
)  # fmt: skip
def test_a_password_that_is_no_good_says_why(password: str, slug: str) -> None:
    with pytest.raises(BadInput) as caught:
        passwords.check_new(password)
    assert caught.value.slug == slug
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0912 345 678", "+84912345678"), ("+84 912.345.678", "+84912345678"), ("84912345678", "+84912345678"),
        ("0162 345 6789", "+84323456789"), ("01203456789", "+84703456789"), ("+841993456789", "+84593456789"),
        ("02133 875 123", "+842133875123"), ("+49 30 901820", "+4930901820"),
    ],
)  # fmt: skip
def test_a_telephone_number_has_one_spelling(typed: str, kept: str) -> None:
    assert normal_phone(typed) == kept


@pytest.mark.parametrize("typed", ["0120٣٤٥٦٧٨٩", "٠٩١٢٣٤٥٦٧٨", "０９１２ 345 678"])
def test_a_telephone_number_is_kept_in_plain_digits(typed: str) -> None:
    assert (normal_phone(typed) or "").isascii()


@pytest.mark.parametrize("typed", ["", "12", "0912 345 67", "mỷ", "0162 345 678", "9" * 99, None, 912345678])
def test_what_is_no_telephone_number_is_refused(typed: object) -> None:
    with pytest.raises(BadInput) as caught:
        clean_phone(typed)
    assert caught.value.slug == "not-a-phone"


def test_a_telephone_number_is_shown_as_people_write_it() -> None:
    assert shown_phone("+84912345678") == "0912 345 678"
