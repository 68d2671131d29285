"""Passwords: Argon2id, stored in PHC form.

Cost: 46 MiB, one pass, one lane, from OWASP's Password Storage Cheat Sheet: about 75 ms on the village's box,
which nobody notices on signing in and a guesser pays for each guess.
"""

import os
import unicodedata
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from village.errors import BadInput
from village.i18n import lazy_gettext as _l

MEMORY_KIB = 47104
PASSES = 1
LANES = 1
SHORTEST = 10
LONGEST = 200
DIFFERENT = 5
"""Different characters that a password needs: 1111111111 has one."""


def hash_password(password: str) -> str:
    """The PHC string of a new password."""
    return _hash(_bytes(password))


def check_new(password: str, field: str = "password") -> None:
    """BadInput when `password` is not fit to be set."""
    length = len(unicodedata.normalize("NFC", password))
    if length < SHORTEST:
        message = _l("Mật khẩu cần ít nhất %(shortest)s ký tự. Một câu ngắn dễ nhớ là tốt nhất.")
        raise BadInput("password-too-short", message, field=field, shortest=SHORTEST)
    if length > LONGEST:
        message = _l("Mật khẩu dài quá, nhiều nhất là %(longest)s ký tự.")
        raise BadInput("password-too-long", message, field=field, longest=LONGEST)
    if len(set(password)) < DIFFERENT or password in "01234567890123456789" or password in "98765432109876543210":
        raise BadInput("password-too-simple", _l("Mật khẩu này dễ đoán quá, bác chọn câu khác nhé."), field=field)


def verify(password: str, stored: str | None) -> bool:
    """True when `password` is the one behind `stored`.

    Takes as long without a stored one, so that the time does not tell who is a member.
    """
    try:
        Argon2id.verify_phc_encoded(_bytes(password[: LONGEST * 4]), stored or _nobodys())
    except InvalidKey:
        return False
    return stored is not None


def _bytes(password: str) -> bytes:
    # Phones compose Vietnamese letters differently; the same keys must stay the same password.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _hash(secret: bytes) -> str:
    derivation = Argon2id(salt=os.urandom(16), length=32, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB)
    return derivation.derive_phc_encoded(secret)


@cache
def _nobodys() -> str:
    return _hash(os.urandom(16))
