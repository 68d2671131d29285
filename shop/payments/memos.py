"""What a transfer has to say so that its order is known: `BLN` and eight letters or digits.

Banks strip marks, change case, glue their own words before and after, break lines anywhere; all keep letters and
digits. So a memo is found inside of any text once everything else is taken out. Seven characters are random, the last
one checks them (Luhn's rule to the base 32), so that a slip of the finger finds no order rather than another's.
The letters are Crockford's: no I, L, O, U; a reader who writes O or I for 0 or 1 is understood.
"""

import re
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = "BLN"
LENGTH = 7
_PLACE = {letter: place for place, letter in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_TEXT_MAX = 1000
_MEMO = re.compile(f"(?={PREFIX}([0-9A-TV-Z]{{{LENGTH + 1}}}))")


def new() -> str:
    """A memo that nobody can guess from another; whether it is taken is for the caller to look up."""
    return memo_of(secrets.randbelow(32**LENGTH))


def memo_of(number: int) -> str:
    """The memo of a number below 32⁷."""
    letters = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH)))
    return PREFIX + letters + _check(letters)


def number_of(memo: str) -> int:
    """The number that a memo spells, below 2³⁵: payOS wants order codes in digits. ValueError when it is no memo."""
    found = find(memo)
    if len(found) != 1 or len(memo) != len(PREFIX) + LENGTH + 1:
        raise ValueError("no memo")
    number = 0
    for letter in found[0][len(PREFIX) : -1]:
        number = number << 5 | _PLACE[letter]
    return number


def find(text: str) -> list[str]:
    """All memos that `text` can be read to hold, each once, in one spelling. Whether one is ours is not known here."""
    plain = unicodedata.normalize("NFKD", text[:_TEXT_MAX]).upper().replace("Đ", "D")
    squashed = "".join(c for c in plain if c.isascii() and c.isalnum())
    found: dict[str, None] = {}
    for match in _MEMO.finditer(squashed):
        letters = "".join(ALPHABET[_PLACE[letter]] for letter in match[1])
        if _check(letters[:-1]) == letters[-1]:
            found[PREFIX + letters] = None
    return list(found)


def shown(memo: str) -> str:
    """With a blank, as people read it out: `BLN A7K3Q9ZM`."""
    return f"{memo[: len(PREFIX)]} {memo[len(PREFIX) :]}"


def _check(letters: str) -> str:
    """Luhn mod 32 over the letters: any one wrong letter, and nearly any two neighbours swapped, are found out."""
    total = 0
    for at, letter in enumerate(reversed(letters)):
        value = _PLACE[letter] * (2 - at % 2)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
