"""Whose harvest is in a lot: honest shares of where it began. Pure, in exact fractions.

A lot is made of what went into it, in the proportion of the grams that went in (`batch_edge`). Different materials that
went into one step are compared by what each would have given there: its grams times the middle of its usual yield in
that very step, as the process file has it (so 45 kg of wet starch may count like 30 kg of dry starch). Where one step
took one material only, the grams speak alone. What came into the world without parents is where it began: a household's
harvest, or a purchase from outside.
"""

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from graphlib import TopologicalSorter
from typing import NamedTuple, TypeVar

T = TypeVar("T", bound=Hashable)
BITS = 512
"""A share whose denominator is longer than so many bits is rounded down to a multiple of 1/2^BITS: that happens only
with hundreds of blends behind each other, and no reader could tell."""


class Weighed(NamedTuple):
    """So much of `parent` is in `child`, in a unit that is the same for all parents of a child."""

    child: str
    parent: str
    weight: int


def shares_of(lot: str, steps: Iterable[Weighed]) -> dict[str, Fraction]:
    """How much of `lot` began in which of the lots that have no parents; sums to exactly 1.

    `steps` are all those above the lot; others do no harm. Raises `graphlib.CycleError`, a ValueError, for a lot that
    is its own ancestor.
    """
    parents: dict[str, dict[str, int]] = {}
    for step in steps:
        found = parents.setdefault(step.child, {})
        found[step.parent] = found.get(step.parent, 0) + step.weight
    above = _above(lot, parents)
    left = {lot: Fraction(1)}
    began: dict[str, Fraction] = {}
    # Parents come first in a topological order: walked from its end, each lot is whole before it is shared out.
    for one in reversed(list(TopologicalSorter({key: parents.get(key, {}) for key in above}).static_order())):
        mine = left.pop(one, Fraction(0))
        weights = parents.get(one)
        total = sum(weights.values()) if weights else 0
        if not weights or not total:
            began[one] = mine
            continue
        if mine.denominator.bit_length() > BITS:
            mine = Fraction((mine.numerator << BITS) // mine.denominator, 1 << BITS)
        for parent, weight in weights.items():
            left[parent] = left.get(parent, Fraction(0)) + mine * Fraction(weight, total)
    rest = 1 - sum(began.values())
    if rest:
        # Only where one was rounded: the largest share takes what is left.
        most = max(began, key=lambda key: (began[key], key))
        began[most] += rest
    return {key: share for key, share in began.items() if share}


def _above(lot: str, parents: Mapping[str, Mapping[str, int]]) -> set[str]:
    found, waiting = {lot}, [lot]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def grouped(shares: Mapping[str, Fraction], by: Mapping[str, T]) -> dict[T, Fraction]:
    """The shares of all lots that belong together, the largest first."""
    found: dict[T, Fraction] = {}
    for key, share in shares.items():
        found[by[key]] = found.get(by[key], Fraction(0)) + share
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], str(pair[0]))))


def percents(shares: Mapping[T, Fraction]) -> dict[T, int]:
    """Whole per cent by largest remainder: they sum to 100. A small share may become 0; it is there all the same.

    Of equal remainders the earlier one is rounded up.
    """
    whole = {key: int(share * 100) for key, share in shares.items()}
    missing = 100 - sum(whole.values()) if whole else 0
    by_remainder = sorted(shares, key=lambda key: shares[key] * 100 - whole[key], reverse=True)
    for key in by_remainder[:missing]:
        whole[key] += 1
    return whole
