"""Finding a product by what somebody typed: with or without marks, in any order, the last word perhaps half."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from village.text import plain_letters

QUERY_MAX = 80
"""Letters of what is looked for; more is no name."""


@dataclass(frozen=True)
class Told:
    """What a product is found by: its names first, all other texts after them."""

    names: str
    more: str


def rank(query: str, told: Told) -> int | None:
    """How well a product fits: 0 its name as typed, 1 its name without marks, 2 its other texts; None not at all.

    Every word of the query has to begin a word there. `miendong` without a blank is found as well.
    """
    wanted = folded(query)
    if not wanted:
        return None
    names = _words(told.names)
    if _begins(wanted, names) or _glued(wanted, names):
        return 0 if _as_typed(query) in _as_typed(told.names) else 1
    return 2 if _begins(wanted, [*names, *_words(told.more)]) else None


@lru_cache(maxsize=256)
def _words(text: str) -> tuple[str, ...]:
    """A product's own texts are folded once: a long story takes milliseconds, and anybody may search all day."""
    return tuple(folded(text))


def folded(text: str) -> list[str]:
    """The words of a text in lower-case letters without marks, and numbers: `Miến dong 500 g` → mien, dong, 500, g."""
    return [word for word in plain_letters(unicodedata.normalize("NFKC", text)).split("-") if word]


def _as_typed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _begins(wanted: list[str], words: Sequence[str]) -> bool:
    return all(any(word.startswith(one) for word in words) for one in wanted)


def _glued(wanted: list[str], words: Sequence[str]) -> bool:
    """A single longer word that begins at the beginning of one of ours and runs on into the next."""
    if len(wanted) != 1:
        return False
    return any("".join(words[at:]).startswith(wanted[0]) for at in range(len(words)))
