"""An entry's JSON for human eyes: nothing hidden in it, and nothing that makes it read as something else."""

import json
import unicodedata
from typing import Any

_ORDER = frozenset(("R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"))
"""Unicode's bidirectional classes that turn the order of what stands around them."""
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"))
"""Control, format, surrogate, private, unassigned, separators, and marks that sit on their neighbours. In NFC no
Vietnamese letter needs a mark of its own."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs to Unicode, nothing to an eye."""


def readable(record: Any) -> str:
    """Indented JSON that means the same, with every character escaped that an eye would not see as it is."""
    text = json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True)
    return "\n".join(visible(line) for line in text.split("\n"))


def readable_bytes(data: bytes) -> str:
    """Bytes that are no JSON of ours, as well as they can be shown."""
    return visible(data.decode("utf-8", "backslashreplace"))


def visible(text: str) -> str:
    """One line of text out of an entry, hidden characters escaped."""
    return "".join(character if _plain(character) else _escaped(character) for character in text)


def _plain(character: str) -> bool:
    if " " <= character <= "~":
        return True
    return not (
        unicodedata.category(character) in _HIDDEN
        or unicodedata.category(character) == "Zs"
        or character in _BLANK
        or unicodedata.bidirectional(character) in _ORDER
    )


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
