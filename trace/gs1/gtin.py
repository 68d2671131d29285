"""Numbers with a check digit: GTIN, GLN and SSCC.

Source: GS1 General Specifications, section 7.9 (modulo-10 check digit: weights 3 and 1, from the right).
"""

from trace.gs1.errors import NotDigits, WrongCheckDigit, WrongLength

GTIN_LENGTHS = (8, 12, 13, 14)
GLN_LENGTH = 13
SSCC_LENGTH = 18


def check_digit(body: str) -> int:
    """The digit that belongs behind `body` (the number without its last digit)."""
    _digits_only(body, "number")
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return -total % 10


def with_check_digit(body: str) -> str:
    """`body` and its check digit."""
    return f"{body}{check_digit(body)}"


def parse_gtin(text: str) -> str:
    """The 14 digits of a GTIN-8, -12, -13 or -14; shorter ones get zeros in front.

    Raises `NotDigits`, `WrongLength` or `WrongCheckDigit`.
    """
    return _parse(text, "GTIN", GTIN_LENGTHS).zfill(14)


def parse_gln(text: str) -> str:
    """The 13 digits of a GLN, the number of a place or a party (AI 414). Raises as `parse_gtin`."""
    return _parse(text, "GLN", (GLN_LENGTH,))


def parse_sscc(text: str) -> str:
    """The 18 digits of an SSCC, the number of a parcel or pallet (AI 00). Raises as `parse_gtin`."""
    return _parse(text, "SSCC", (SSCC_LENGTH,))


def _parse(text: str, kind: str, lengths: tuple[int, ...]) -> str:
    number = text.strip()
    _digits_only(number, kind)
    if len(number) not in lengths:
        allowed = ", ".join(str(length) for length in lengths)
        raise WrongLength(
            f"{kind} {number!r} has {len(number)} digits; it needs {allowed}.",
            kind=kind,
            value=number,
            length=len(number),
            allowed=allowed,
        )
    right = check_digit(number[:-1])
    if int(number[-1]) != right:
        raise WrongCheckDigit(
            f"{kind} {number} ends in {number[-1]}, but its check digit must be {right}. "
            "One of its digits was mistyped.",
            kind=kind,
            value=number,
            found=int(number[-1]),
            right=right,
        )
    return number


def _digits_only(text: str, kind: str) -> None:
    # str.isdigit() alone also accepts superscripts and other scripts' digits.
    if not (text.isascii() and text.isdigit()):
        raise NotDigits(f"{kind} {text!r} may hold only the digits 0 to 9.", kind=kind, value=text)
