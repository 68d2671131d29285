"""Numbers with a check digit: GTIN, GLN and SSCC.

Source: GS1 General Specifications, section 7.9 (modulo-10 check digit: weights 3 and 1, from the right).
"""

from functools import lru_cache

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


@lru_cache(maxsize=4096)
def parse_gtin(text: str) -> str:
    """The 14 digits of a GTIN-8, -12, -13 or -14; shorter ones get zeros in front.

    Raises `NotDigits`, `WrongLength` or `WrongCheckDigit`.
    """
    return _parse(text, "GTIN", GTIN_LENGTHS).zfill(14)


@lru_cache(maxsize=4096)
def parse_gln(text: str) -> str:
    """The 13 digits of a GLN, the number of a place or a party (AI 414). Raises as `parse_gtin`."""
    return _parse(text, "GLN", (GLN_LENGTH,))


def parse_sscc(text: str) -> str:
    """The 18 digits of an SSCC, the number of a parcel or pallet (AI 00). Raises as `parse_gtin`."""
    return _parse(text, "SSCC", (SSCC_LENGTH,))


def sscc_room(prefix: str) -> int:
    """How many SSCCs there are under a GS1 company prefix of 4 to 12 digits."""
    _digits_only(prefix, "GS1 company prefix")
    if not 4 <= len(prefix) <= 12:
        raise WrongLength(
            f"The GS1 company prefix {prefix!r} has {len(prefix)} digits; it needs 4 to 12.",
            kind="GS1 company prefix",
            value=prefix,
            length=len(prefix),
            allowed="4–12",
        )
    return int(10 ** (17 - len(prefix)))


def sscc_of(prefix: str, number: int) -> str:
    """The `number`-th SSCC under a company prefix, from 0: extension digit, prefix, serial reference, check digit.

    Source: GS1 General Specifications, section 3.2 (AI 00). The extension digit counts on where the serial
    reference is at its end. Raises ValueError past `sscc_room`.
    """
    if not 0 <= number < sscc_room(prefix):
        raise ValueError(f"The GS1 company prefix {prefix} has no SSCC number {number}.")
    digits = 16 - len(prefix)
    extension, serial = divmod(number, 10**digits)
    return with_check_digit(f"{extension}{prefix}{serial:0{digits}d}" if digits else f"{extension}{prefix}")


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
