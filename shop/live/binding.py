"""Gives the quantities of a comment to its codes, or says that more than one reading is possible."""

import re
from typing import NamedTuple


class Item(NamedTuple):
    """`kind`: C a code, X a quantity that belongs to what stands before it ("x2"), Q any other, E "each", | a joint."""

    kind: str
    code: str
    value: int
    start: int
    end: int


class Bound(NamedTuple):
    """One code with its quantity, `given` if a number said so, and the span of the words that gave it."""

    code: str
    quantity: int
    given: bool
    start: int
    end: int


_BACKWARD = re.compile(r"(?:C[QX])+")
_FORWARD = re.compile(r"(?:[QX]C)+")
_EACH = re.compile(r"(?P<own>(?:C[QX])*)(?P<shared>C{2,})E[QX](?P<rest>(?:C[QX])*)")
_MIXED = re.compile(r"(?:CX)+C*|C+")


def _pair(code: Item, amount: Item) -> Bound:
    return Bound(code.code, amount.value, True, min(code.start, amount.start), max(code.end, amount.end))


def _pairs(items: list[Item], backward: bool) -> list[Bound]:
    return [
        _pair(items[at], items[at + 1]) if backward else _pair(items[at + 1], items[at])
        for at in range(0, len(items), 2)
    ]


def _alone(item: Item) -> Bound:
    return Bound(item.code, 1, False, item.start, item.end)


def _word(items: list[Item]) -> str:
    return "".join(item.kind for item in items)


def _segments(items: list[Item]) -> list[list[Item]]:
    found: list[list[Item]] = [[]]
    for item in items:
        if item.kind == "|":
            found.append([])
        else:
            found[-1].append(item)
    return [segment for segment in found if segment]


def bind(items: list[Item], each: bool) -> list[Bound] | None:
    """The lines of a comment in its order (a code may come twice), or None where it is ambiguous."""
    solid = [item for item in items if item.kind not in "|E"]
    codes = [item for item in solid if item.kind == "C"]
    amounts = [item for item in solid if item.kind != "C"]
    distinct = {item.code for item in codes}
    shape = _word(solid)
    if each:
        if len(amounts) != 1:
            return _each_and_others([item for item in items if item.kind != "|"])
        return [_pair(code, amounts[0]) for code in {code.code: code for code in codes}.values()]
    if not amounts:
        return [_alone(code) for code in codes]
    if len(amounts) == 1 and len(distinct) == 1:
        nearest = min(codes, key=lambda code: abs(code.start - amounts[0].start))
        return [_pair(nearest, amounts[0])]
    if len(codes) == 1 and len({item.value for item in amounts}) == 1:
        return [_pair(codes[0], amounts[0])]  # "md01 x3 (ba gói)"
    segments = _segments([item for item in items if item.kind != "E"])
    if _BACKWARD.fullmatch(shape) and not any(_word(part).startswith(("QC", "XC")) for part in segments):
        return _pairs(solid, backward=True)
    if _FORWARD.fullmatch(shape) and not any("CQ" in _word(part) and len(segments) > 1 for part in segments):
        return _pairs(solid, backward=False)
    if len(distinct) == 1:
        return None
    if all(item.value == 1 for item in amounts) and len(amounts) <= len(codes) == len(distinct):
        return [_alone(code) for code in codes]
    return _by_segment(segments)


def _each_and_others(items: list[Item]) -> list[Bound] | None:
    """"md01 md02 mỗi thứ 2, mk01 1 hộp": codes that share a quantity, beside others with one of their own."""
    found = _EACH.fullmatch(_word(items))
    if found is None:
        return None
    first, last = found.span("shared")
    amount = items[last + 1]
    shared = [_pair(code, amount) for code in items[first:last]]
    return [*_pairs(items[:first], backward=True), *shared, *_pairs(items[last + 2 :], backward=True)]


def _by_segment(segments: list[list[Item]]) -> list[Bound] | None:
    lines: list[Bound] = []
    backward = False
    for part in reversed(segments):
        shape = _word(part)
        if _FORWARD.fullmatch(shape):
            found = _pairs(part, backward=False)
            if any(not line.given for line in lines):
                return None  # "2 gói md01 và md02": of the second, one or two?
        elif _BACKWARD.fullmatch(shape):
            found = _pairs(part, backward=True)
        elif _MIXED.fullmatch(shape):
            found = []
            for at, item in enumerate(part):
                if item.kind == "C":
                    after = part[at + 1] if at + 1 < len(part) else None
                    found.append(_pair(item, after) if after and after.kind != "C" else _alone(item))
            if backward and any(not line.given for line in found):
                return None  # "md01, md02 x2": of the first, one or two?
        else:
            return None
        if not _FORWARD.fullmatch(shape) and any(line.quantity > 1 for line in found):
            backward = True
        lines[:0] = found
    return lines
