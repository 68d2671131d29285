"""Numbers in words: "mười lăm", "hai chục rưỡi", "nửa chục"; without marks only where a unit or a code shows it."""

from shop.live.tokens import Token
from shop.live.words import LEXICON

UNCERTAIN = -1
"""Stands for a number that may be two: "hai ba gói" is two or three."""


def peek(tokens: list[Token], at: int) -> Token | None:
    """The token at a place, None outside the comment."""
    return tokens[at] if 0 <= at < len(tokens) else None


def _unit(token: Token | None) -> bool:
    return token is not None and (token.low in LEXICON.units or token.low in LEXICON.multiples)


def _one(token: Token, beyond: Token | None) -> int:
    """What a word adds to tens: "lăm" 5; a word that without marks is a common one only before a unit."""
    value = LEXICON.ones.get(token.low) or LEXICON.numbers.get(token.low, 0)
    unsure = token.low in LEXICON.careful
    return value if value < 10 and (not unsure or _unit(beyond)) else 0


def in_words(tokens: list[Token], at: int, led: bool) -> tuple[int, int] | None:
    """The value and the count of tokens of a number in words that begins here, if it is one here.

    `led`: what stands before it asks for a number ("sl", "mỗi loại").
    """
    first = tokens[at]
    value = LEXICON.numbers.get(first.low)
    if value is None:
        return None
    stop = at + 1
    total = value
    while (after := peek(tokens, stop)) is not None and stop < at + 4:
        if after.low in LEXICON.tens and total < 10:
            total *= 10
        elif after.low in LEXICON.hundreds:
            total *= 100
        elif total >= 10 and total % 10 == 0 and (more := _one(after, peek(tokens, stop + 1))):
            total += more
        else:
            break
        stop += 1
    after, before = peek(tokens, stop), peek(tokens, at - 1)
    if total < 10 and after is not None and LEXICON.numbers.get(after.low, 10) < 10:
        beyond = peek(tokens, stop + 1)
        if beyond is not None and beyond.low in LEXICON.units:
            return UNCERTAIN, stop + 1 - at
    if led or _unit(after):
        return total, stop - at
    if first.low in LEXICON.careful and stop == at + 1:
        # "chot nam md01": five of it, or somebody's name?
        asked = before is not None and before.name in ("order", "take", "more")
        return (UNCERTAIN, 1) if asked and after is not None and after.kind == "c" else None
    near_code = (after is not None and after.kind == "c") or (
        before is not None
        and before.kind == "c"
        and (after is None or after.name in ("particle", "weak", "more", "who"))
    )
    return (total, stop - at) if near_code or stop > at + 1 else None


def group(tokens: list[Token], at: int) -> tuple[int, int] | None:
    """The value and the count of tokens of "chục", "nửa chục", "chục rưỡi", "tá", "cặp" that begins here."""
    token, after = tokens[at], peek(tokens, at + 1)
    if token.low in LEXICON.halves:
        size = LEXICON.multiples.get(after.low, 0) if after is not None else 0
        if size not in LEXICON.halved:
            return None
        # "nua chuc": half of ten, or ten more ("nữa")?
        return (size // 2 if token.low != token.bare else UNCERTAIN), 2
    value = LEXICON.multiples.get(token.low)
    if value is None:
        return None
    if token.low in LEXICON.careful:
        return (UNCERTAIN, 1) if _unit(after) else None  # "ta goi": a dozen packs, or "we call"?
    if value in LEXICON.halved and after is not None and after.low in LEXICON.and_half:
        return value + value // 2, 2
    if token.low in LEXICON.bare_multiples and not (_unit(after) or (after is not None and after.kind == "c")):
        return None  # "chuc shop": a wish
    return value, 1
