"""Which of the bank's credits are which of our transfers. Pure: no guess is made that could join two that differ."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from shop.payments import memos
from shop.payments.bank.told import Told
from village.clock import VN


@dataclass(frozen=True)
class Ours:
    """A transfer as it is booked here."""

    id: str
    told: Told


@dataclass(frozen=True)
class Compared:
    """`differing` pairs have the same id at the bank's and another amount here."""

    known: tuple[tuple[Told, Ours], ...]
    missing: tuple[Told, ...]
    unknown: tuple[Ours, ...]
    differing: tuple[tuple[Told, Ours], ...]


def compare(theirs: Sequence[Told], ours: Sequence[Ours]) -> Compared:
    """Pair them off, the surest mark first: the source's id; the bank's number with the amount; our memo in it with
    day and amount; the same words with day and amount. Each is paired once."""
    pairs: list[tuple[Told, Ours]] = []
    left, free = list(theirs), list(ours)
    for mark in (_by_id, _by_reference, _by_memo, _by_words):
        found, left, free = _pair(left, free, mark)
        pairs += found
    return Compared(
        tuple(pair for pair in pairs if pair[0].amount == pair[1].told.amount),
        tuple(left),
        tuple(free),
        tuple(pair for pair in pairs if pair[0].amount != pair[1].told.amount),
    )


def _pair(
    left: Sequence[Told], free: Sequence[Ours], mark: Callable[[Told], Hashable | None]
) -> tuple[list[tuple[Told, Ours]], list[Told], list[Ours]]:
    """Pairs by this mark, and what is left of both."""
    waiting: dict[Hashable, deque[Ours]] = defaultdict(deque)
    unmarked: list[Ours] = []
    for one in free:
        key = mark(one.told)
        if key is None:
            unmarked.append(one)
        else:
            waiting[key].append(one)
    found: list[tuple[Told, Ours]] = []
    alone: list[Told] = []
    for told in left:
        key = mark(told)
        if key is not None and waiting.get(key):
            found.append((told, waiting[key].popleft()))
        else:
            alone.append(told)
    return found, alone, [*unmarked, *(one for ones in waiting.values() for one in ones)]


def _by_id(told: Told) -> Hashable:
    return told.source, told.key


def _by_reference(told: Told) -> Hashable | None:
    return (_letters(told.reference), told.amount) if _letters(told.reference) else None


def _by_memo(told: Told) -> Hashable | None:
    found = memos.find(told.memo)
    return (found[0], told.amount, told.at.astimezone(VN).date()) if len(found) == 1 else None


def _by_words(told: Told) -> Hashable | None:
    words = _letters(told.memo)
    return (words, told.amount, told.at.astimezone(VN).date()) if words else None


def _letters(text: str) -> str:
    return "".join(c for c in text.upper() if c.isascii() and c.isalnum())
