"""The parser's word lists, read once from `words.toml` and indexed for look-up word by word."""

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from shop.live.fold import plain

_TONES = {
    "òa": "oà", "óa": "oá", "ỏa": "oả", "õa": "oã", "ọa": "oạ", "òe": "oè", "óe": "oé", "ỏe": "oẻ",
    "ọe": "oẹ", "ùy": "uỳ", "úy": "uý", "ủy": "uỷ", "ũy": "uỹ", "ụy": "uỵ",
}  # fmt: skip
_DOUBLED = re.compile(r"(.)\1+")
# The young write k for h: "nka", "ckốt".
_K_FOR_H = re.compile(r"^([cnt])k(?=[^\W\d_])")


def _spellings(word: str) -> set[str]:
    other = word
    for old, new in _TONES.items():
        other = other.replace(old, new)
    return {word, other}


class Lexicon:
    """Words → classes, with and without marks; phrases by the bare form of their first two words."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.classes: dict[str, str] = {}
        self.phrases: dict[tuple[str, ...], list[tuple[tuple[str, ...], tuple[str, ...], str]]] = {}
        self.word: Callable[[str], str] = lru_cache(maxsize=8192)(self._word)
        """The class of one word, "" for one that is not listed. Stretched words count: "nhaaa", "chốttt"."""
        self.numbers = self._values(data["numbers"])
        self.tens = self._values(data["tens"])
        self.multiples = self._values(data["multiples"])
        self.careful = frozenset(data["careful"]["words"])
        self.careful_units = frozenset(data["careful_units"]["words"])
        self.kilos = frozenset(data["kilos"]["words"])
        self.shops = frozenset(data["shops"]["words"])
        self.final = frozenset(data["final"]["words"])
        self.names = frozenset(data["names"]["words"])
        self.most_bare: int = data["bare_number"]["most"]
        self.day = frozenset(data["day"]["words"])
        self.kin = frozenset(data["kin"]["words"])
        self.units: dict[str, str] = {}
        self.signs: dict[str, str] = {}
        for name, row in data["signs"].items():
            self.signs.update(dict.fromkeys(row, name))
        self.digits = self._values_as_text(data["digits"])
        self.domains = frozenset(data["domains"]["words"])
        self.with_marks: dict[str, str] = dict(data["with_marks"])
        bare: dict[str, str] = dict(data["bare"])
        for name, entries in data["classes"].items():
            for entry in entries:
                for spelling in _spellings(entry):
                    words = tuple(spelling.split())
                    if len(words) > 1:
                        shape = tuple(plain(word) for word in words)
                        self.phrases.setdefault(shape[:2], []).append((words, shape, name))
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
        self.bared = frozenset(word for word in bare if word not in self._written(data))
        """Words that stand in the lists only with marks, as they look without."""
        for found in self.phrases.values():
            found.sort(key=lambda phrase: -len(phrase[0]))

    @staticmethod
    def _written(data: dict[str, Any]) -> set[str]:
        return {entry for entries in data["classes"].values() for entry in entries}

    @staticmethod
    def _values_as_text(table: dict[str, int]) -> dict[str, str]:
        return {spelling: str(value) for word, value in table.items() for spelling in (word, plain(word))}

    @staticmethod
    def _values(table: dict[str, int]) -> dict[str, int]:
        values: dict[str, int] = {}
        for word, value in table.items():
            values[word] = value
            values.setdefault(plain(word), value)
        return values

    def _word(self, low: str) -> str:
        known = self.classes.get(low)
        if known is None:
            short = _DOUBLED.sub(r"\1", low) if len(low) < 20 else ""
            known = self.classes.get(short, "") if len(short) > 1 else ""
            if not known and "k" in short[1:2]:
                known = self.classes.get(_K_FOR_H.sub(r"\1h", short), "")
        return known

    def phrase(self, low: Sequence[str], bare: tuple[str, ...]) -> tuple[str, int] | None:
        """The class and length in words of the longest phrase that these words begin with."""
        for words, shape, name in self.phrases.get(bare[:2], ()):
            if bare[: len(shape)] == shape and all(
                typed in (word, plain_word)
                for typed, word, plain_word in zip(low[: len(words)], words, shape, strict=True)
            ):
                return name, len(shape)
        return None


LEXICON = Lexicon(tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8")))
"""The lists as they are shipped."""
