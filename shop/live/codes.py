"""Recognises the codes that are live in a session, as loosely as is safe, and those that are nearly one."""

import re
from collections.abc import Iterator
from functools import lru_cache

from shop.live.fold import plain
from shop.live.words import LEXICON

_SEGMENTS = re.compile(r"[a-z]+|[0-9]+")
_SHAPE = re.compile(r"[a-z]{2,6}[0-9]{1,4}")
_GLUE = "chot|lay|mua|dat|order|sl|ma|cho|them|x"


def _zeros(digits: str) -> str:
    return digits.replace("0", "[0o]")


def _one_less(word: str) -> Iterator[str]:
    for at in range(len(word)):
        yield word[:at] + "\x00" + word[at + 1 :]
        yield word[:at] + word[at + 1 :]
    yield word


class Codebook:
    """The live codes of one session, compiled. `names` maps a pattern's group to the code as it is sold."""

    def __init__(self, live: frozenset[str]) -> None:
        self.names: dict[str, str] = {}
        self.numeric: dict[str, str] = {}
        self.prefixes: set[str] = set()
        self.whole: dict[str, str] = {}
        self._near: set[str] = set()
        folded: dict[str, str] = {}
        for code in sorted(live):
            key = "".join(_SEGMENTS.findall(plain(code)))
            if key:
                folded.setdefault(key, code)
        keys = [_SEGMENTS.findall(key) for key in folded]
        short: dict[tuple[str, ...], int] = {}
        for parts in keys:
            slim = tuple(part.lstrip("0") for part in parts)
            short[slim] = short.get(slim, 0) + 1
        patterns: list[tuple[int, str, str]] = []
        for key, parts in zip(folded, keys, strict=True):
            if key.isdigit():
                self.numeric[key] = folded[key]
                continue
            alone = short[tuple(part.lstrip("0") for part in parts)] == 1
            patterns.append((len(key), self._pattern(parts, alone), folded[key]))
            if len(key) >= 4:
                self._near.update(_one_less(key))
            if parts[0].isalpha() and len(parts) > 1:
                self.prefixes.add(parts[0])
                self.whole[key] = folded[key]
        patterns.sort(key=lambda pattern: (-pattern[0], pattern[2]))
        named: list[str] = []
        for number, (_, pattern, code) in enumerate(patterns):
            self.names[f"c{number}"] = code
            named.append(f"(?P<c{number}>{pattern})")
        anycode = "|".join(pattern for _, pattern, _ in patterns)
        rest = r"(?P<n>\d+(?:[.,/]\d+)*)|(?P<p>\x01)|(?P<w>d/c(?![a-z])|[^\W\d_]+(?:'[^\W\d_]+)?)|(?P<s>\S)"
        glue = [f"(?P<g>(?:{_GLUE})(?={anycode}))"] if patterns else []
        self.tokens = re.compile("|".join([*named, *glue, rest]))
        self.anywhere = re.compile(f"(?<![a-z])(?:{anycode})") if patterns else None

    @staticmethod
    def _pattern(parts: list[str], alone: bool) -> str:
        written = [part if part.isalpha() else _zeros(part) for part in parts]
        loose = list(written)
        for at, part in enumerate(parts):
            slim = part.lstrip("0")
            if part.isdigit() and slim and slim != part and alone:
                loose[at] = f"[0o]{{0,{len(part) - len(slim)}}}" + _zeros(slim)
        end = "(?![0-9])" if parts[-1].isdigit() else "(?![a-z0-9])"
        if loose != written:
            end = "(?![0-9]|o(?![a-z]))"  # "md1o" is MD10, and not MD01
        # "mk 1" may be "mình 1": with a space, a prefix that is a word takes only its full digits.
        word = parts[0].isalpha() and bool(LEXICON.word(parts[0])) and parts[0] != "combo"
        if len(parts) == 1 or len(parts[0]) < 2 or word:
            pattern = "[-_.]?".join(loose)
            if len(parts) > 1 and word and parts[1].startswith("0"):
                pattern = f"(?:{pattern}|{' '.join(written)})"
        else:
            pattern = r" ?[-_.]? ?".join(loose)
        if len(parts) == 2 and len(parts[0]) > 1 and parts[1].isdigit():
            pattern = f"(?:{pattern}|{'[.]'.join([*parts[0], *parts[1]])})"  # "m.d.0.1"
        return pattern + end

    def near(self, blob: str) -> str | None:
        """Why a word with digits is nearly a code, as a reason's slug; None for any other word."""
        if len(blob) > 20:
            return None
        if len(blob) >= 4 and any(form in self._near for form in _one_less(blob)):
            return "code-one-edit-away"
        letters = _SEGMENTS.match(blob)
        if letters is None:
            return None
        if letters[0] in self.prefixes:
            return "unknown-code"
        if _SHAPE.fullmatch(blob) and not LEXICON.word(letters[0]) and letters[0] not in LEXICON.units:
            return "unknown-code"
        return None

    def half(self, word: str) -> bool:
        """Whether a word is the letters of a live code without its digits, or with letters for them."""
        return any(
            word.startswith(prefix) and not word[len(prefix) :].strip("oil") and len(word) <= len(prefix) + 3
            for prefix in self.prefixes
            if len(prefix) > 1
        )


@lru_cache(maxsize=256)
def codebook(live: frozenset[str]) -> Codebook:
    """The compiled codes of a session; compiled once for each set of codes."""
    return Codebook(live)
