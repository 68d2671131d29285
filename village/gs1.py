"""Numbers that GS1 hands out to the village: GTIN of a product, GLN of a place.

Only what a form needs to refuse a mistyped number; identifiers at large live in trace/gs1.
Source: GS1 General Specifications, section 7.9 (modulo-10 check digit: weights 3 and 1, from the right).
"""

from village.errors import BadInput
from village.i18n import lazy_gettext as _l

GTIN_LENGTHS = (8, 12, 13, 14)
GLN_LENGTHS = (13,)


def check_digit(body: str) -> int:
    """The digit that belongs behind `body`, a string of digits."""
    return -sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body))) % 10


def gtin14(text: object, field: str = "gtin") -> str:
    """The 14 digits of a GTIN-8, -12, -13 or -14, shorter ones with zeros in front; BadInput otherwise."""
    return _checked(text, field, GTIN_LENGTHS).zfill(14)


def gln13(text: object, field: str = "gln") -> str:
    """The 13 digits of a GLN; BadInput otherwise."""
    return _checked(text, field, GLN_LENGTHS)


def _checked(text: object, field: str, lengths: tuple[int, ...]) -> str:
    digits = text.strip().replace(" ", "") if isinstance(text, str) else ""
    if not (digits.isascii() and digits.isdigit()):
        raise BadInput("not-digits", _l("Mã này chỉ gồm các chữ số 0 đến 9."), field=field)
    if len(digits) not in lengths:
        message = _l("Mã có %(length)s chữ số; phải là %(allowed)s chữ số.")
        allowed = ", ".join(map(str, lengths))
        raise BadInput("wrong-length", message, field=field, length=len(digits), allowed=allowed)
    expected = check_digit(digits[:-1])
    if int(digits[-1]) != expected:
        message = _l("Số cuối là %(found)s, nhưng phải là %(expected)s. Bác xem lại có gõ nhầm số nào không.")
        raise BadInput("wrong-check-digit", message, field=field, found=int(digits[-1]), expected=expected)
    return digits
