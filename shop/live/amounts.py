"""Reads which numbers of a comment are quantities: not prices, weights, dates, pack sizes or houses."""

import re
from dataclasses import dataclass, field

from shop.live.asides import numbered
from shop.live.beside import beside_packs, both, counts, ending, leads_a_name, led
from shop.live.binding import Item
from shop.live.codes import Codebook
from shop.live.numerals import UNCERTAIN, group, in_words, peek
from shop.live.tokens import Token
from shop.live.words import LEXICON

_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_TIMES = frozenset(("x", "*"))
_JOINTS = frozenset((",", ";", "+", "&", "/", "|"))
_LEADS = frozenset((":", "=", "("))
_BIG = 10**6
_SOFT = frozenset(("unclear", "crowd", "praise", "show", "goods"))
_WISHES = frozenset(("order", "take", "more"))
_OPEN = frozenset(("", "place", "spam", "complaint"))
"""A bare number before a word of these classes is no quantity: "15 Nguyễn Trãi"."""


@dataclass(slots=True)
class Amounts:
    """What the numbers of one comment came to."""

    items: list[Item] = field(default_factory=list)
    problem: str = ""
    """Slug of the first doubt that no explicit quantity can settle."""
    loose: str = ""
    """Slug of a number that is no quantity, harmless only if every code has a quantity of its own."""
    marked: bool = False
    """A quantity is written as one: "x2", "sl 2", "2 gói"."""
    each: bool = False
    kinds: int = 0
    plus: bool = False
    typed_marks: bool = False
    """The comment has marks, so that "con" is no "còn"."""
    strangers: int = 0
    """Unknown words outside addresses."""


def read(tokens: list[Token], book: Codebook, typed_marks: bool = False) -> Amounts:
    """Walks the tokens once and sorts every number. Words that belong to one are named "number" and "unit"."""
    out = Amounts(typed_marks=typed_marks)
    if tokens and tokens[0].bare == "1" and numbered(tokens):
        out.problem = "ambiguous-quantity"  # "1. md01 2. md02": a list, or so many?
    at = 0
    address = False
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "c":
            out.items.append(Item("C", token.name, 1, token.start, token.end))
            after = peek(tokens, at + 1)
            glued = after is not None and after.start == token.end and after.kind == "w" and after.bare != "x"
            if (
                glued
                and after is not None
                and (not after.name or (len(after.low) == 1 and after.low.isascii()))
            ):
                out.problem = out.problem or "ambiguous-code"
            address = False
            at += 1
        elif token.kind == "n":
            at = _number(tokens, at, None, 1, book, address, out)
        elif token.kind == "w":
            word = in_words(tokens, at, led(tokens, at)) if token.low in LEXICON.numbers else None
            if word is not None:
                for part in tokens[at : at + word[1]]:
                    part.name = "number"
                at = _number(tokens, at, word[0], word[1], book, address, out)
                continue
            dozens = group(tokens, at) if token.low in LEXICON.groups else None
            if dozens is not None:
                at = _dozens(tokens, at, dozens, out)
                continue
            step, address = _word(tokens, at, book, address, out)
            at += step
        else:
            before = peek(tokens, at - 1)
            if token.bare == ":" and before is not None and before.kind == "w" and not before.name:
                address = False  # "Lan, đội 7 Điện Biên: 2 md01"
            if token.bare in _JOINTS:
                out.items.append(Item("|", "", 0, token.start, token.end))
            at += 1
    return out


def _dozens(tokens: list[Token], at: int, dozens: tuple[int, int], out: Amounts) -> int:
    value, count = dozens
    for part in tokens[at : at + count]:
        part.name = "number"
    if value == UNCERTAIN:
        out.problem = out.problem or "ambiguous-quantity"
    else:
        out.items.append(Item("Q", "", value, tokens[at].start, tokens[at + count - 1].end))
        out.marked = True
    after = peek(tokens, at + count)
    return at + count + (after is not None and after.name == "unit")


def _word(tokens: list[Token], at: int, book: Codebook, address: bool, out: Amounts) -> tuple[int, bool]:
    token = tokens[at]
    after = peek(tokens, at + 1)
    name = token.name
    if name == "address":
        if token.low in ("dc", "đc") and (
            after is None or (after.kind == "w" and after.name not in ("", "place"))
        ):
            token.name = "particle"
            return 1, address
        return 1, True
    if name == "place":
        return 1, True
    if address and name in _SOFT:
        token.name = "particle"  # "15 Hai Bà Trưng": within an address such words are names
    elif address and name in ("order", "take") and token.low not in LEXICON.bared:
        address = False  # "ở 12 Hai Bà Trưng, lấy 2 md01"
    elif name == "each":
        out.each = True
        out.items.append(Item("E", "", 0, token.start, token.end))
    elif name == "amount" and token.low != "x" and not counts(tokens, at):
        out.problem = out.problem or "unclear"  # "sl md01": how many are there?
    elif name in ("and", "or"):
        out.items.append(Item("|", "", 0, token.start, token.end))
    elif name == "half" or (token.low == "nua" and after is not None and after.low in LEXICON.units):
        out.problem = out.problem or "fraction"
    step = 1
    if after is not None and after.kind == "n" and after.start == token.end:
        if not (name in ("amount", "place", "time") and len(token.low) <= 2) and name != "contact":
            blob = token.bare + after.bare
            last = peek(tokens, at + 2)
            if last is not None and last.start == after.end and last.kind == "w":
                blob += last.bare
            reason = book.near(blob)
            if reason is not None and not (
                address and reason == "unknown-code" and token.bare not in book.prefixes
            ):
                out.problem = out.problem or reason
                return 2, address
    elif token.bare in book.prefixes and not name:
        if after is not None and after.kind in "ns" and after.bare in ("-", ".", "_"):
            after = peek(tokens, at + 2)
        out.problem = out.problem or (
            "unknown-code" if after is not None and after.kind == "n" else "ambiguous-code"
        )
        return step, address
    elif not name and book.half(token.bare):
        out.problem = out.problem or "code-one-edit-away"
    if not name and not address and token.low.isalpha():
        out.strangers += 1
    return step, address


def _number(
    tokens: list[Token], at: int, word: int | None, count: int, book: Codebook, address: bool, out: Amounts
) -> int:
    """Sorts the number at `at` (in words if `word` is its value) and returns where to go on."""
    token = tokens[at]
    before = peek(tokens, at - 1)
    earlier = peek(tokens, at - 2)
    after = peek(tokens, at + count)
    end = tokens[at + count - 1].end
    follow = at + count
    text = token.bare

    if word == UNCERTAIN:
        out.problem = out.problem or "ambiguous-quantity"
        return follow

    # What stands before it.
    marked = False
    start = token.start
    if before is not None:
        sign = before.bare
        after_code = earlier is not None and earlier.kind == "c"
        if sign in _TIMES or before.name == "amount" or (before.name == "+" and ending(tokens, at - 1) == "amount"):
            marked, start = True, before.start
        elif sign in _LEADS and (
            after_code or (sign != "(" and earlier is not None and earlier.name == "amount")
        ):
            marked = True
        elif sign == "-" and before.end == token.start and (earlier is None or earlier.name in _WISHES):
            out.problem = out.problem or "invalid-quantity"  # "-2 md01": a dash before a list, or less than nothing?
        elif sign == "-" and earlier is not None:
            if earlier.bare in _TIMES or earlier.name == "amount":
                out.problem = out.problem or "invalid-quantity"
                return follow
            tight = before.end == token.start
            if after_code and (earlier.end == before.start) == tight:
                marked = True
            elif after_code and not (after is not None and after.low in LEXICON.units):
                out.problem = out.problem or "invalid-quantity"
                return follow
        elif sign in _JOINTS or sign == ".":
            glued = (
                after_code
                and earlier is not None
                and earlier.end == before.start
                and before.end == token.start
            )
            joins = after is not None and after.kind == "c" and after.start == end  # "2md01+1md02"
            if glued and not joins and not (after is not None and after.name == "unit"):
                out.problem = out.problem or "ambiguous-quantity"
            elif sign == "+":
                out.plus = True

        elif before.bare in LEXICON.raised and any(other.kind == "c" for other in tokens[: at - 1]):
            out.problem = out.problem or "change"  # "tăng md01 lên 3 gói"
        elif before.low == "con" and before.name == "who" and not out.typed_marks:
            out.problem = out.problem or "unclear"  # "con 2 goi": "còn 2 gói", so much is left?

    # What stands after it.
    low = after.low if after is not None else ""
    glued_after = after is not None and after.start == end
    unit = LEXICON.units.get(low, "") if after is not None and after.kind == "w" else ""
    if unit == "" and after is not None and low in book.prefixes and low in LEXICON.sets and count == 1:
        beyond = peek(tokens, at + 2)
        unit = "unit" if beyond is not None and beyond.kind == "c" and beyond.bare.startswith(low) else ""
    # "m", "p", "h" after a number with a space are as likely "mình" and the like: only glued are they units.
    if unit == "time" and len(low) == 1 and not glued_after:
        unit = ""
    if unit in ("weight", "money") and low in ("l", "d") and not glued_after:
        unit = ""
    if low == "h" and glued_after and before is not None and before.kind == "c" and beside_packs(tokens, at):
        unit = "unit"  # "md01 2g mk01 1h": a box
    if low == "k" and after is not None and after.kind == "w":
        unit = "money"
    if unit == "time" and marked and low in LEXICON.bared:
        unit = ""  # "x2 Tuan": somebody's name
    if unit == "money" and address and len(low) == 1 and glued_after:
        return follow + 1  # "quốc lộ 4D"
    if unit in ("unit", "weight") and low in LEXICON.careful_units and leads_a_name(tokens, at + count):
        unit = ""
        if address or marked:
            out.problem = out.problem or ("" if address and not marked else "other-number")
            return follow
        out.loose = out.loose or "other-number"
        return follow

    if word is None:
        if "/" in text:
            if address:
                return follow
            if text in LEXICON.always:
                out.loose = out.loose or "other-number"
                return follow
            dated = before is not None and before.low in LEXICON.day  # "trước ngày 20/11"
            if dated or (after is not None and after.kind == "w" and after.name in ("", "place")):
                out.loose = out.loose or "other-number"  # "25/7 Nguyễn Trãi"
            else:
                out.problem = out.problem or "fraction"
            return follow
        if "." in text or "," in text:
            if unit == "weight":
                out.loose = out.loose or "weight"
                return follow + 1
            if _THOUSANDS.fullmatch(text) and not marked:
                out.loose = out.loose or "price"
                return follow
            if not address or marked:
                out.problem = out.problem or ("above-limit" if _THOUSANDS.fullmatch(text) else "fraction")
            return follow
        value = int(text) if len(text) < 7 else _BIG
        if len(text) >= 7 and not marked:
            if not text.startswith("0"):
                out.loose = out.loose or "odd-number"
            return follow  # else a telephone number with a digit too few or too many
    else:
        value = word

    if low == "g" and after is not None and after.kind == "w" and not (address and glued_after):
        unit = "unit" if value <= 20 else "weight"
        if 20 < value < 50:
            out.problem = out.problem or "weight"
    elif low in ("b", "c") and glued_after and not address:
        unit = "unit"
    elif low in LEXICON.multiples and (after is None or after.low != "ta"):
        value *= LEXICON.multiples[low]
        unit = "unit"
        half = peek(tokens, follow + 1)
        if half is not None and half.low in LEXICON.and_half and LEXICON.multiples[low] in LEXICON.halved:
            value += LEXICON.multiples[low] // 2  # "hai chục rưỡi"
            half.name = "number"
            follow += 1
        after = peek(tokens, follow + 1)
        if after is not None and after.name == "unit":
            follow += 1
    elif low in LEXICON.hundreds:
        value *= 100
        unit = "unit"

    if unit == "weight":
        out.loose = out.loose or "weight"
        if (marked and not (before is not None and before.bare == "(")) or (value > 1 and low in LEXICON.kilos):
            out.problem = out.problem or "weight"
        if peek(tokens, follow + 1) is not None and tokens[follow + 1].name == "half":
            out.problem = out.problem or "weight"
        return follow + 1
    if unit == "money":
        out.loose = out.loose or "price"
        return follow + 1
    if unit == "time":
        minutes = peek(tokens, follow + 1)
        clock = low == "h" and after is not None and minutes is not None and minutes.start == after.end
        if clock and minutes is not None and minutes.bare in LEXICON.minutes:
            follow += 1  # "17h30"
        if not address and not (before is not None and before.bare in ("sau", "truoc")):
            out.loose = out.loose or "other-number"
        return follow + 1
    if unit == "bigunit":
        out.problem = out.problem or "unit"
        return follow + 1
    if (after is not None and after.name == "half") or unit == "half":
        out.problem = out.problem or "fraction"
        return follow + 1
    if after is not None and after.name in ("kind", "code") and not marked and not glued_after:
        out.kinds = value
        return follow + 1
    if after is not None and after.bare in ("-", "~") and word is None:
        beyond = peek(tokens, at + count + 1)
        if beyond is not None and beyond.kind == "n" and not address:
            out.problem = out.problem or "ambiguous-quantity"
            return follow
    if after is not None and after.kind == "w" and after.bare == "x":
        beyond = peek(tokens, at + count + 1)
        if beyond is not None and beyond.kind == "c":
            out.items.append(Item("Q", "", value, start, after.end))
            out.marked = True
            return follow + 1
        if beyond is None or beyond.kind != "n":
            out.items.append(Item("Q", "", value, start, after.end))
            out.marked = True
            return follow + 1

    summed = before is not None and before.name in ("total", "+") and ending(tokens, at - 1) == "total"
    if summed and sum(other.kind == "n" or other.name == "number" for other in tokens) > 1:
        out.problem = out.problem or "ambiguous-quantity"  # her own sum of the packs
        return follow + (unit == "unit")
    if unit == "unit":
        if follow < len(tokens):
            end = tokens[follow].end
            tokens[follow].name = "unit"
        out.items.append(Item("X" if marked else "Q", "", value, start, end))
        out.marked = True
        return follow + 1
    if marked:
        out.items.append(Item("X", "", value, start, end))
        out.marked = True
        return follow

    # A bare number.
    if before is not None and before.bare == "ca" and both(tokens, value):
        return follow  # "md01 md02 lấy cả 2"
    asked = before is not None and before.name in ("each", "+") and led(tokens, at)
    each = asked and len({other.name for other in tokens if other.kind == "c"}) > 1
    if before is not None and before.low in LEXICON.day and not each:
        if asked:
            out.problem = out.problem or "unclear"  # "md01 mỗi thứ 2": on Mondays
        out.loose = out.loose or "other-number"
        return follow
    if before is not None and before.name == "place":
        return follow
    if before is not None and before.name in ("ordinal", "kind") and not out.each:
        out.loose = out.loose or "other-number"
        return follow
    if word is None and (text in book.numeric or text.lstrip("0") in book.numeric):
        return _numeric_code(tokens, at, book, out)
    if word is None and text.startswith("0") and text != "0" and not address:
        out.problem = out.problem or "ambiguous-code"
        return follow
    if before is not None and before.name == "code":
        out.problem = out.problem or "ambiguous-code"
        return follow
    if glued_after and after is not None and after.kind == "w" and not after.name:
        if not address:
            out.loose = out.loose or "other-number"
            reason = book.near(text + after.bare)
            out.problem = out.problem or (reason or "")
        return follow + 1
    if address:
        if after is not None and after.kind == "c":
            out.problem = out.problem or "ambiguous-quantity"
        return follow
    if before is not None and before.kind == "w" and before.end == token.start and len(before.low) == 1:
        out.loose = out.loose or "other-number"  # "B12": somebody else's code
        if earlier is not None and earlier.kind == "n":
            out.problem = out.problem or "odd-number"  # "1e3"
        return follow
    if after is not None and after.low in LEXICON.kin and before is not None and before.kind != "c":
        out.loose = out.loose or "other-number"  # "2 vợ chồng"
        return follow
    if after is not None and after.kind == "w" and after.name in _OPEN:
        out.loose = out.loose or "other-number"
        return follow
    if before is not None and before.bare == "(":
        out.loose = out.loose or "other-number"
        return follow
    if value > LEXICON.most_bare:
        out.problem = out.problem or "odd-number"
    out.items.append(Item("Q", "", value, start, end))
    out.marked = out.marked or each
    return follow


def _numeric_code(tokens: list[Token], at: int, book: Codebook, out: Amounts) -> int:
    """A live code that is a number only: taken if it is led by "mã", followed by "x2" or the only number."""
    token = tokens[at]
    before, after, beyond = peek(tokens, at - 1), peek(tokens, at + 1), peek(tokens, at + 2)
    led = before is not None and (before.name == "code" or before.bare == "#")
    times = after is not None and (after.bare in _TIMES or after.name == "amount") and beyond is not None
    only = not any(other.kind in "cn" for other in tokens if other is not token)
    code = book.numeric.get(token.bare)
    if code is None or not (led or times or only):
        out.problem = out.problem or "ambiguous-code"
    else:
        out.items.append(Item("C", code, 1, token.start, token.end))
    return at + 1
