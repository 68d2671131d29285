"""Viewers' texts, which may be hostile: made fit to keep, to be a name, and to be shown."""

import re
import unicodedata

from village.errors import BadInput
from village.text import MARKS_MAX, NAME_MAX, clean_name

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILE = re.compile(f"({_MARK}{{{MARKS_MAX}}}){_MARK}+")
_JOINS_EMOJI = "\u200d\ufe0f"
_BLANK = re.compile(r"\s+")


def kept(text: str, most: int) -> str:
    """What a database can keep of a text: at most `most` characters, the impossible ones as U+FFFD."""
    return _UNKEEPABLE.sub("\ufffd", text[:most])


def shown(text: str) -> str:
    """A text on one line in which nothing is hidden: what is invisible or turns the line stands as its number."""
    line = _PILE.sub(r"\1", _BLANK.sub(" ", text)).strip()
    return "".join(_visible(character) for character in line)


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs")
    return f"[U+{ord(character):04X}]" if hidden and character not in _JOINS_EMOJI else character


def name_of(text: str) -> str | None:
    """A viewer's name as an order may carry it, in one spelling; None when there is no letter in it."""
    bare = "".join(c for c in text[: 2 * NAME_MAX] if unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))
    try:
        return clean_name(_PILE.sub(r"\1", bare)[:NAME_MAX], "name")
    except BadInput:
        return None
