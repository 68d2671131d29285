"""Finds what a comment says beside its order: wishes for the delivery, prices, ages, what she ate last week.

Such words make an order doubtful as long as one looks at words only: "không lấy túi ni lông" refuses a bag. The parser
looks for them only where it had a doubt, and reads again what is left without them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from shop.live.tokens import Token
from shop.live.words import LEXICON

_CODE, _NUMBER, _PHONE, _OTHER_SIGN = "§", "#", "☎", "~"
_SIGNS = frozenset(",.;:!?/&+=-\"")
_STOPS = frozenset((",", ".", ";", "!"))
_CLOSES = frozenset(("particle", "weak", "who", "contact", "order", "take", "more", "address", "laugh", "praise"))
"""What may follow an aside. Behind a code, a number or an unknown word it would be about something else."""
_NO_TELLING = frozenset(("not", "notyet", "cancel", "drop", "change", "complaint", "hold", "later", "bargain", "spam",
                         "crowd", "ask", "inquire", "or", "then", "show", "half"))  # fmt: skip
"""What a story before an order must not have: whatever else it says, the order may hang on it."""
_MAX_UNKNOWN = 4


class Asides(NamedTuple):
    """The places of the tokens that say nothing of the order, and the packs that she counted herself to check."""

    dropped: frozenset[int]
    total: int | None = None
    touched: bool = False
    """There are such words, though they may be about what is ordered as well."""


def find(tokens: Sequence[Token]) -> Asides:
    """What can be left out of a comment, nothing if all of it may matter."""
    dropped, total, touched = _phrases(tokens)
    for mark in list_marks(tokens):
        dropped.update((mark, mark + 1))
    _other_question(tokens, dropped)
    rest = [at for at in range(len(tokens)) if at not in dropped]
    dropped.update(_story(tokens, rest))
    return Asides(frozenset(dropped), total, touched)


def _letters(token: Token) -> str:
    if token.kind == "c":
        return _CODE
    if token.kind == "n":
        return _NUMBER
    if token.kind == "p":
        return _PHONE
    if token.kind == "s":
        return token.bare if token.bare in _SIGNS else _OTHER_SIGN
    return token.bare


def _phrases(tokens: Sequence[Token]) -> tuple[set[int], int | None, bool]:
    """Phrases of the lists; of a phrase with a group only the group. Codes in it stay."""
    words = [_letters(token) for token in tokens]
    begins = [0]
    for word in words:
        begins.append(begins[-1] + len(word) + 1)
    text = " ".join(words)
    dropped: set[int] = set()
    total, touched = None, False
    for found in LEXICON.asides.finditer(text):
        start, end = found.span(found.lastindex or 0)
        first, last = bisect_left(begins, start), bisect_left(begins, end + 1)
        touched = True
        if not _closed(tokens, last) or (found.lastgroup == "if" and _PHONE not in words):
            continue
        if found.lastgroup == "sum":
            total = next(_value(token) for token in tokens[first:last] if _letters(token) == _NUMBER)
        dropped.update(at for at in range(first, last) if tokens[at].kind != "c")
    return dropped, total, touched


def _value(token: Token) -> int:
    return int(token.bare) if token.bare.isdecimal() and len(token.bare) < 4 else 0


def _closed(tokens: Sequence[Token], at: int) -> bool:
    if at >= len(tokens) or tokens[at].kind in "sp":
        return True
    return tokens[at].name in _CLOSES or tokens[at].bare in LEXICON.joins


def list_marks(tokens: Sequence[Token]) -> list[int]:
    """Where the numbers of a list stand: "1/ md01 x2 2/ md02 x3", if each line of it has a quantity of its own."""
    marks = numbered(tokens)
    for at, after in zip(marks, [*marks, len(tokens)][1:], strict=True):
        line = tokens[at + 3 : after]
        times = bool(line) and line[0].bare in ("x", "*", ":", "sl")
        if not (times or any(token.name == "unit" for token in line[:2])):
            return []
    return marks


def numbered(tokens: Sequence[Token]) -> list[int]:
    """Where "1." or "1/" before a code, then "2." and so on stand, if a comment begins so."""
    if len(tokens) < 6 or tokens[0].bare != "1":
        return []
    marks = [
        at
        for at in range(len(tokens) - 2)
        if tokens[at].kind == "n" and tokens[at + 1].bare in ("/", ".", ")") and tokens[at + 2].kind == "c"
    ]
    counted = [str(number + 1) for number in range(len(marks))]
    return marks if len(marks) > 1 and [tokens[at].bare for at in marks] == counted else []


def _other_question(tokens: Sequence[Token], dropped: set[int]) -> None:
    """A question at the end about a code that is not ordered: "md01 x2 0912345678. À md02 bao nhiêu?"."""
    if not any(token.kind == "p" for token in tokens):
        return
    at = max((at for at, token in enumerate(tokens[:-1]) if token.bare in _STOPS), default=0)
    asked = {token.name for token in tokens[at:] if token.kind == "c"}
    said = {token.name for token in tokens[:at] if token.kind == "c"}
    asks = any(token.name == "ask" or token.bare == "?" for token in tokens[at:])
    wants = any(token.name in ("order", "take") for token in tokens[at:])
    if at and asks and not wants and asked and not asked & said and any(token.kind == "p" for token in tokens[:at]):
        dropped.update(range(at, len(tokens)))


def asks_of_another(tokens: Sequence[Token]) -> bool:
    """Whether a code is named only between the same stops as a question, and another one elsewhere."""
    clause: set[str] = set()
    asked: set[str] = set()
    said: set[str] = set()
    asks = False
    for token in tokens:
        if token.kind == "c":
            clause.add(token.name)
        elif token.name == "ask" or token.bare == "?":
            asks = True
        if token.kind == "s" and token.bare in (".", ",", ";", "!", "?"):
            (asked if asks else said).update(clause)
            clause, asks = set(), False
    (asked if asks else said).update(clause)
    return bool(said) and bool(asked - said)


def _story(tokens: Sequence[Token], rest: Sequence[int]) -> set[int]:
    """What stands before the order and only tells: "hôm bữa ăn ngon, nay lấy thêm 3 gói md01".

    If the order has no code, the one code of the story stays.
    """
    for place in range(1, len(rest)):
        if tokens[rest[place]].bare not in LEXICON.now and tokens[rest[place]].bare not in _STOPS:
            continue
        order = [tokens[at] for at in rest[place + 1 :]]
        if not _begins_order(order):
            continue
        told = [at for at in rest[:place] if not (tokens[at].name == "particle" or tokens[at].kind == "s")]
        if not told:
            continue
        now = any(tokens[at].bare in LEXICON.now for at in rest[place : place + 4])
        if not _only_tells([tokens[at] for at in rest[:place]], order, now):
            return set()
        codes = [at for at in rest[:place] if tokens[at].kind == "c"]
        keep = set() if any(token.kind == "c" for token in order) else set(codes[:1])
        return set(rest[: place + 1]) - keep
    return set()


def _begins_order(order: Sequence[Token]) -> bool:
    for token in order[:6]:
        if token.name in ("order", "take") or (token.name == "more" and token.bare != "nua"):
            return True
        if not (token.name in ("who", "particle", "weak", "+") or token.bare in LEXICON.now):
            return False
    return False


def _only_tells(story: Sequence[Token], order: Sequence[Token], now: bool) -> bool:
    """Whether a story leaves the order behind it as it stands. `now`: a word says that the order is of today."""
    names = {token.name for token in story}
    if names & _NO_TELLING or any(token.kind == "p" or token.bare in ("@", ":", ">", '"', "?") for token in story):
        return False
    if any(token.name == "unclear" and token.bare not in LEXICON.story for token in story):
        return False
    if "past" in names and not (now or any(token.name == "more" for token in order)):
        return False  # "lần trước ăn ngon, lấy 2 gói": took, or takes?
    unknown = [token for token in story if token.kind == "w" and not token.name and token.bare not in LEXICON.story]
    codes = {token.name for token in story if token.kind == "c"}
    numbers = any(token.kind == "n" or token.name == "number" for token in story)
    if len(unknown) > _MAX_UNKNOWN or len(codes) > 1:
        return False
    if numbers and any(token.bare in LEXICON.now for token in story):
        return False  # "nay md01 60 gói, thêm md02": what comes before is ordered as well
    ordered = {token.name for token in order if token.kind == "c"}
    more = any(token.name == "more" for token in order)
    enjoyed = "praise" in names or any(token.bare in LEXICON.enjoyed for token in story)
    long_ago = any(token.name == "past" and token.bare in LEXICON.long_ago for token in story)
    if codes and any(token.bare in LEXICON.supposes for token in story):
        return False
    if not codes:
        return not numbers and (enjoyed or "past" not in names or more)
    if not ordered:
        return not numbers and enjoyed and not names & {"order", "take"}
    if long_ago and (enjoyed or more):
        return True
    # What was ordered a moment ago may be changed by this: only "thêm" and "nữa" say that it comes on top.
    return not numbers and more and (enjoyed or ("past" in names and ordered != codes))
