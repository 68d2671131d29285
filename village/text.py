"""Text that people typed, made fit to keep and to show: one spelling, no characters that cannot be seen.

Vietnamese is typed composed on one phone and decomposed on the next; NFC gives both one spelling. Control and
direction-changing characters can make a name on a label read as another one, so they are refused and not dropped.
"""

import re
import unicodedata

from babel.support import LazyProxy

from village.errors import BadInput
from village.i18n import lazy_gettext as _l

NAME_MAX = 120
MARKS_MAX = 3
"""Combining marks in a row that NFC could not join to a letter; more than these only smear over other lines."""

_DROPPED = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
"""Soft hyphen, zero-width space, word joiner, byte order mark: chat apps paste them, nobody types them."""
_BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Hangul fillers, Khmer's inherent vowels, braille's empty cell: letters or signs to Unicode, nothing to an eye."""
_JOINERS = "\u200c\u200d"
"""They hold emoji together, so running text may keep them."""
_LINE_BREAK = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
_BLANK = re.compile(r"\s+")
_BLANK_IN_LINE = re.compile(r"[^\S\n]+")
_MANY_BREAKS = re.compile(r"\n{3,}")


def clean_line(text: object, field: str, max: int, *, required: bool = True) -> str:
    """`text` on one line, in NFC, blanks collapsed, at most `max` characters; BadInput that names `field` otherwise."""
    line = _BLANK.sub(" ", _readable(text, field, allowed="\t\n ")).strip()
    return _bounded(line, field, max, required)


def clean_name(text: object, field: str, max: int = NAME_MAX) -> str:
    """A line that names somebody or something: it has a letter in it."""
    name = clean_line(text, field, max)
    if not any(unicodedata.category(c).startswith("L") for c in name):
        raise BadInput("name-without-letter", _l("Tên phải có ít nhất một chữ cái đọc được."), field=field)
    return name


def clean_text(text: object, field: str, max: int, *, required: bool = False) -> str:
    """Running text: paragraphs kept, in NFC, at most `max` characters; BadInput that names `field` otherwise."""
    body = _readable(text, field, allowed="\t\n " + _JOINERS)
    body = "\n".join(line.strip() for line in _BLANK_IN_LINE.sub(" ", body).split("\n"))
    return _bounded(_MANY_BREAKS.sub("\n\n", body).strip(), field, max, required)


def plain_letters(text: str) -> str:
    """Lower-case ASCII letters and digits joined by dashes: `Miến dong Bình Lư` → `mien-dong-binh-lu`."""
    bare = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in bare if not unicodedata.combining(c))).strip("-")


def _readable(text: object, field: str, allowed: str) -> str:
    if not isinstance(text, str):
        raise BadInput("not-text", _l("Chỗ này cần chữ, không phải kiểu khác."), field=field)
    normal = unicodedata.normalize("NFC", _LINE_BREAK.sub("\n", text).translate(_DROPPED))
    marks = MARKS_MAX  # as if marks came before: a text that begins with one would sit on what stands before it
    for character in normal:
        category = unicodedata.category(character)
        # Cc control, Cf format (direction overrides among them), Cs half a surrogate pair, Co private use
        hidden = category in ("Cc", "Cf", "Cs", "Co") or character in _BLANK_LETTERS or _is_no_character(character)
        if hidden and character not in allowed:
            raise _bad_character(field, f"U+{ord(character):04X}")
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > MARKS_MAX:
            raise BadInput("marks-without-letter", _l("Có dấu thừa không đi với chữ nào."), field=field)
    return normal


def _is_no_character(character: str) -> bool:
    """Unicode's noncharacters, such as U+FFFF: no XML may hold one, and so no label."""
    return ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"


def _bad_character(field: str, character: str) -> BadInput:
    message = _l("Có ký tự ẩn (%(character)s) không dùng được. Bác xóa đi rồi gõ lại nhé.")
    return BadInput("bad-character", message, field=field, character=character)


def _bounded(text: str, field: str, max: int, required: bool) -> str:
    if required and not text:
        raise missing(field)
    if len(text) > max:
        message = _l("Dài quá: %(length)s ký tự, nhiều nhất là %(max)s.")
        raise BadInput("too-long", message, field=field, length=len(text), max=max)
    return text


def missing(field: str, message: LazyProxy | None = None) -> BadInput:
    """For a value that has to be there."""
    return BadInput("missing", message or _l("Chỗ này bác chưa điền."), field=field)
