"""What the words beside a number make of it: "sl", "mỗi loại", "cả", a street's name."""

import itertools

from shop.live.numerals import peek
from shop.live.tokens import Token
from shop.live.words import LEXICON


def beside_packs(tokens: list[Token], at: int) -> bool:
    """Whether somebody who writes "2g" for two packs may write "1h" for a box here, and no hour."""
    beyond = peek(tokens, at + 2)
    ends = beyond is None or beyond.kind in "csp" or beyond.name in ("particle", "who")
    return ends and any(one.kind == "n" and two.low == "g" for one, two in itertools.pairwise(tokens))


def both(tokens: list[Token], value: int) -> bool:
    """Whether a number behind "cả" is the count of the codes named, which are more than one."""
    return value > 1 and value == len({other.name for other in tokens if other.kind == "c"})


def ending(tokens: list[Token], at: int) -> str:
    """The class of the word or phrase that ends at `at`: "each" of "mỗi loại"."""
    while at > 0 and tokens[at].name == "+":
        at -= 1
    return tokens[at].name if at >= 0 else ""


def led(tokens: list[Token], at: int) -> bool:
    """Whether what stands before `at` asks for a number: "sl", "mỗi loại"."""
    return at > 0 and ending(tokens, at - 1) in ("each", "amount")


def counts(tokens: list[Token], at: int) -> bool:
    """Whether a number stands beside "sl"."""
    near = tokens[max(0, at - 1) : at + 5]
    return any(word.kind == "n" or word.low in LEXICON.numbers or word.low in LEXICON.multiples for word in near)


def leads_a_name(tokens: list[Token], at: int) -> bool:
    """Whether a word that may be a unit stands before strange words: "9 Phan Đình Phùng"."""
    return any(word.kind == "w" and not word.name for word in tokens[at + 1 : at + 3])
