"""The order in which rows are recorded: by time, but never before the rows whose batches they take. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

K = TypeVar("K")


def in_order(wanted: Sequence[K], needs: Mapping[K, Sequence[K]]) -> tuple[list[K], set[K]]:
    """(all of `wanted`, each after what it needs and otherwise in the given order; those that need themselves, through
    however many others)."""
    ordered: list[K] = []
    placed: set[K] = set()
    open_: dict[K, int] = {}
    turning: set[K] = set()
    for first in wanted:
        if first in placed:
            continue
        way: list[K] = [first]
        open_[first] = 0
        while way:
            here = way[-1]
            at = open_[here]
            needed = needs.get(here, ())
            if at < len(needed):
                open_[here] = at + 1
                one = needed[at]
                if one in open_ and one not in placed:
                    turning.update(way[way.index(one) :])
                elif one not in placed:
                    open_[one] = 0
                    way.append(one)
            else:
                way.pop()
                if here not in placed:
                    placed.add(here)
                    ordered.append(here)
    return ordered, turning
