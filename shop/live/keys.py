"""Words whose keystrokes no keyboard program turned into marks: "laays" (Telex) and "la61y" (VNI) are "lấy"."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from shop.live.fold import Folded, fold, plain
from shop.live.words import LEXICON

_TELEX_TONES = {"s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323"}
_VNI_TONES = {"1": "\u0301", "2": "\u0300", "3": "\u0309", "4": "\u0303", "5": "\u0323"}
_TELEX_LETTERS = {"uow": "ươ", "aa": "â", "ee": "ê", "oo": "ô", "aw": "ă", "ow": "ơ", "uw": "ư", "dd": "đ"}
_VNI_LETTERS = {"a6": "â", "e6": "ê", "o6": "ô", "o7": "ơ", "u7": "ư", "a8": "ă", "d9": "đ"}
_TELEX = re.compile(r"(?:[a-z]*(?:aa|ee|oo|dd|[aou]w)[a-z]*|[a-z]*[aeiouy][a-z]*[sfrxj][a-z]{0,2})", re.ASCII)
_TONE_KEY = re.compile(r"(?<=[aeiouyâêôăơư])([a-zâêôăơư]*?)([sfrxj])(?=[a-z]{0,2}$)")
_LONGEST = 9
_INSIDE = re.compile(r"(?<![a-z0-9])[a-z]+(?:[1-9]{1,2}[a-z]+)+[1-9]?(?![a-z0-9])")
_AT_END = re.compile(r"(?<![a-z0-9])(?P<after>[0-9]+ )?(?P<word>[a-z]+[1-9]{1,2})(?![a-z0-9])")


def _apart(word: str) -> tuple[str, str]:
    """A word's letters with hats and horns, and its tone: where the tone stands, people differ."""
    tone = "".join(mark for mark in unicodedata.normalize("NFD", word) if mark in _TELEX_TONES.values())
    letters = "".join(mark for mark in unicodedata.normalize("NFD", word) if mark not in tone)
    return unicodedata.normalize("NFC", letters), tone


def _index(words: Iterable[str]) -> dict[tuple[str, str], str]:
    return {_apart(word): word for word in sorted(words, reverse=True) if word != plain(word)}


_WORDS = _index(LEXICON.marked)


@lru_cache(maxsize=8192)
def telex(word: str) -> str | None:
    """The listed word that these keys were meant to write, None for a word that is listed itself, or for no word."""
    if not 2 < len(word) <= _LONGEST or LEXICON.knows(word) or word in LEXICON.no_keys or not _TELEX.fullmatch(word):
        return None
    letters = word
    for keys, letter in _TELEX_LETTERS.items():
        letters = letters.replace(keys, letter)
    toned = _TONE_KEY.search(letters)
    if toned is not None:
        bare = letters[: toned.start(2)] + letters[toned.end(2) :]
        return _WORDS.get((bare, _TELEX_TONES[toned[2]]))
    return _WORDS.get((letters, "")) if letters != word else None


def _vni(word: str) -> str | None:
    if len(word) > _LONGEST + 3:
        return None
    tone = ""
    letters = ""
    for key in word:
        if not key.isdigit():
            letters += key
        elif key in _VNI_TONES:
            if tone:
                return None
            tone = _VNI_TONES[key]
        else:
            at = max((letters.rfind(letter[0]) for letter in _VNI_LETTERS if letter[1] == key), default=-1)
            if at < 0:
                return None
            letters = letters[:at] + _VNI_LETTERS[letters[at] + key] + letters[at + 1 :]
    return _WORDS.get((letters, tone))


def numbered(folded: Folded) -> Folded:
    """A comment with its VNI words written out, if a digit within a word shows that there are some.

    A digit behind a word is a mark only then, and behind a unit only if a number stands before: "2 go1i", "3 tui1".
    """
    if not any(_vni(found[0]) for found in _INSIDE.finditer(folded.bare)):
        return folded
    text = _INSIDE.sub(lambda found: _vni(found[0]) or found[0], folded.low)

    def written(found: re.Match[str]) -> str:
        word = _vni(found["word"])
        if word is None or (word in LEXICON.units and not found["after"]):
            return found[0]
        return (found["after"] or "") + word

    again = fold(_AT_END.sub(written, text))
    return again._replace(turned=folded.turned, odd=folded.odd)
