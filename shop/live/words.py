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
        self.ones = self._values(data["ones"])
        """What is said for a number only behind tens: "mười lăm"."""
        self.tens = frozenset(data["tens"]["words"])
        self.hundreds = frozenset(data["hundreds"]["words"])
        self.multiples = self._values(data["multiples"])
        self.bare_multiples = frozenset(data["bare_multiples"]["words"])
        self.halves = frozenset(data["halves"]["before"])
        self.and_half = frozenset(data["halves"]["after"])
        self.halved = frozenset(data["halves"]["of"])
        self.groups = self.halves | frozenset(self.multiples)
        self.careful = frozenset(data["careful"]["words"])
        self.careful_units = frozenset(data["careful_units"]["words"])
        self.kilos = frozenset(data["kilos"]["words"])
        self.shops = frozenset(data["shops"]["words"])
        self.called = frozenset(data["called"]["words"])
        self.final = frozenset(data["final"]["words"])
        self.names = frozenset(data["names"]["words"])
        self.most_bare: int = data["bare_number"]["most"]
        self.day = frozenset(data["day"]["words"])
        self.countries: list[str] = data["countries"]["codes"]
        self.asides = self._pattern(data["asides"])
        self.story = frozenset(data["story"]["words"])
        self.joins = frozenset(data["joins"]["words"])
        self.now = frozenset(data["story"]["now"])
        self.supposes = frozenset(data["story"]["supposes"])
        self.enjoyed = frozenset(data["story"]["enjoyed"])
        self.long_ago = frozenset(data["story"]["long_ago"])
        self.always = frozenset(data["idioms"]["words"])
        self.raised = frozenset(data["raised"]["words"])
        self.single = frozenset(data["single"]["words"])
        self.sets = frozenset(data["sets"]["words"])
        self.minutes = frozenset(f"{minute:02}" for minute in range(60))
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
        self.marked = frozenset(word for words in (self._written(data), self.numbers, self.ones, self.groups,
                                                   self.tens, self.hundreds, self.units)
                                for entry in words for word in entry.split() if word != plain(word))  # fmt: skip
        """All listed words that have marks."""
        self.no_keys = frozenset(data["no_keys"]["words"])
        for found in self.phrases.values():
            found.sort(key=lambda phrase: -len(phrase[0]))

    @staticmethod
    def _written(data: dict[str, Any]) -> set[str]:
        return {entry for entries in data["classes"].values() for entry in entries}

    @staticmethod
    def _pattern(data: dict[str, Any]) -> re.Pattern[str]:
        """One pattern of all, over words with a space between; none of them repeats without end."""
        sets = {
            name: "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")" for name, words in data["sets"].items()
        }
        return re.compile(
            r"(?<![^ ])(?:" + "|".join(pattern.format(**sets) for pattern in data["patterns"]) + r")(?![^ ])"
        )

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

    def knows(self, low: str) -> bool:
        """Whether a word is listed as it stands."""
        return low in self.classes or low in self.numbers or low in self.units or low in self.digits

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
