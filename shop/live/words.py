"""The parser's word lists, read once from `words.toml` and indexed for look-up word by word."""

import re
import tomllib
from pathlib import Path
from typing import Any

from shop.live.fold import plain

_TONES = {
    "òa": "oà", "óa": "oá", "ỏa": "oả", "õa": "oã", "ọa": "oạ", "òe": "oè", "óe": "oé", "ỏe": "oẻ",
    "ọe": "oẹ", "ùy": "uỳ", "úy": "uý", "ủy": "uỷ", "ũy": "uỹ", "ụy": "uỵ",
}  # fmt: skip
_DOUBLED = re.compile(r"(.)\1+")


def _spellings(word: str) -> set[str]:
    other = word
    for old, new in _TONES.items():
        other = other.replace(old, new)
    return {word, other}


class Lexicon:
    """Words → classes, with and without marks; phrases by the bare form of their first word."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.classes: dict[str, str] = {}
        self.phrases: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], str]]] = {}
        self.openings: set[tuple[str, ...]] = set()
        self.numbers = self._values(data["numbers"])
        self.tens = self._values(data["tens"])
        self.multiples = self._values(data["multiples"])
        self.careful = frozenset(data["careful"]["words"])
        self.units: dict[str, str] = {}
        bare: dict[str, str] = dict(data["bare"])
        for name, entries in data["classes"].items():
            for entry in entries:
                for spelling in _spellings(entry):
                    words = tuple(spelling.split())
                    if len(words) > 1:
                        shape = tuple(plain(word) for word in words)
                        self.openings.add(shape[:2])
                        self.phrases.setdefault(shape[0], []).append((words, shape, name))
                    elif name in ("unit", "bigunit", "weight", "money", "time", "half"):
                        # What follows a number is read apart: "k" is a thousand there and "no" elsewhere.
                        self.units.setdefault(spelling, name)
                        if plain(spelling) not in data["marked_units"]["words"]:
                            self.units.setdefault(plain(spelling), name)
                        self.classes.setdefault(spelling, name)
                        bare.setdefault(plain(spelling), name)
                    else:
                        self.classes.setdefault(spelling, name)
                        bare.setdefault(plain(spelling), name)
        self.classes.update({word: bare.get(word, "") for word in bare})
        for found in self.phrases.values():
            found.sort(key=lambda phrase: -len(phrase[0]))

    @staticmethod
    def _values(table: dict[str, int]) -> dict[str, int]:
        values: dict[str, int] = {}
        for word, value in table.items():
            values[word] = value
            values.setdefault(plain(word), value)
        return values

    def word(self, low: str) -> str:
        """The class of one word, "" for one that is not listed. Stretched words count: "nhaaa", "chốttt"."""
        known = self.classes.get(low)
        if known is None:
            known = self.classes.get(_DOUBLED.sub(r"\1", low), "") if len(low) < 20 else ""
        return known

    def phrase(self, low: list[str], bare: list[str], at: int) -> tuple[str, int] | None:
        """The class and length in words of the longest phrase that begins at word `at`."""
        for words, shape, name in self.phrases.get(bare[at], ()):
            if bare[at : at + len(shape)] == list(shape) and all(
                typed in (word, plain_word)
                for typed, word, plain_word in zip(low[at : at + len(words)], words, shape, strict=True)
            ):
                return name, len(shape)
        return None


LEXICON = Lexicon(tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8")))
"""The lists as they are shipped."""
