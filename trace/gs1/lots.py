"""Lot and serial codes (AI 10, 21, 22): 1 to 20 characters of GS1's character set 82.

Source: GS1 General Specifications, sections 3.4.1 and 7.11 (figure 7.11-1).
"""

from collections.abc import Callable
from datetime import date

from trace.gs1.errors import ForeignCharacter, WrongLength

CHARSET_82 = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
MAX_LENGTH = 20

# A code is read aloud and copied by hand: none of 0 O, 1 I L, 2 Z, 5 S, 8 (B), U (V).
READABLE = "34679ABCDEFGHJKMNPQRTVWXY"
MONTH_LETTERS = "ABCDEFGHJKMN"
RANDOM_LENGTH = 5


def check_lot(text: str, kind: str = "lot") -> str:
    """`text` itself, if it may stand behind AI 10, 21 or 22. Raises `WrongLength` or `ForeignCharacter`."""
    if not 1 <= len(text) <= MAX_LENGTH:
        raise WrongLength(
            f"The {kind} code {text[:40]!r} has {len(text)} characters; it needs 1 to {MAX_LENGTH}.",
            kind=kind,
            value=text[:40],
            length=len(text),
            allowed=f"1–{MAX_LENGTH}",
        )
    if text in (".", ".."):
        raise ForeignCharacter(
            f"The {kind} code {text!r} would be taken for a folder in an address; use letters, digits, hyphens.",
            kind=kind,
            value=text,
            character=".",
        )
    for character in text:
        if character not in CHARSET_82:
            raise ForeignCharacter(
                f"The {kind} code {text!r} holds {character!r}; use plain letters, digits, hyphens.",
                kind=kind,
                value=text,
                character=character,
            )
    return text


def new_lot(prefix: str, day: date, randbelow: Callable[[int], int], suffix: str = "") -> str:
    """A new lot code such as `BL26M-7K3Q9` or, with the suffix of its step, `BL26M-7K3Q9-T`.

    `prefix` names the village, then come two digits of the year, a letter for the month (A January,
    N December, no I or L) and five random letters and digits that cannot be mistaken for one another.
    `randbelow(n)` gives an integer from 0 up to n-1: `secrets.randbelow` outside tests.
    About ten million codes a month; the caller still asks its database whether one is taken.
    """
    drawn = randbelow(len(READABLE) ** RANDOM_LENGTH)
    random = "".join(READABLE[drawn // len(READABLE) ** place % len(READABLE)] for place in range(RANDOM_LENGTH))
    month = MONTH_LETTERS[day.month - 1]
    tail = f"-{suffix}" if suffix else ""
    return check_lot(f"{prefix}{day.year % 100:02d}{month}-{random}{tail}")
