"""Folds what viewers type to one plain form, keeping a letter for a letter so that words can be quoted.

Comments come in decomposed Unicode, mathematical letters, Cyrillic look-alikes, keycap digits and with
invisible characters inside words. `fold` undoes all of these, `plain` strips the marks of Vietnamese.
"""

import re
import sys
import unicodedata
from typing import NamedTuple

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3"
    "\u3164\ufdf0-\ufdff\ufe00-\ufe0f\ufeff\uffa0\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\U000e0000-\U000e0fff]+"
)
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
# More marks than Vietnamese needs: cut before normalising, whose sorting of marks is quadratic.
_MARK_PILE = re.compile("([\u0300-\u036f]{3})[\u0300-\u036f]+")
_TURNED = re.compile("[\u202b\u202d\u202e\u2067]")
# A telephone's address book puts these about a number that is copied from it; digits stand as they would.
_COPIED = re.compile("\u202d([0-9 +().\u00a0-]{8,20})\u202c")
_TAGS = re.compile("<[^<>]{0,200}>")
# "md01 ²" is no "md01 2": what stands raised or as a Roman number is not how people write a quantity.
_ODD = re.compile("[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070\u2074-\u2079\u2080-\u2089\u2150-\u2188]")

_LOOKALIKES = {
    # Cyrillic
    **dict(zip("асԁеһіјкмнорԛѕтухвԝӏ", "acdehijkmhopqstyxbwl", strict=True)),
    # Greek
    **dict(zip("αβεζηικμνορτυχω", "abeznikmvoptuxw", strict=True)),
    # Small capitals and stray Latin letters
    **dict(zip("ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıɡɑƒøłßæđð", "abcdeghijklmnoprstuvwyzigafolsadd", strict=True)),
    "✕": "x", "✖": "x", "╳": "x", "⨯": "x", "×": "x",
    **dict.fromkeys("‐‑‒–—―−﹣➖", "-"),
    **dict.fromkeys("，、،‚", ","), "⁄": "/", "∕": "/", "：": ":", "∶": ":", "＋": "+", "➕": "+",
    **dict.fromkeys("？؟❓❔⁇⁈⁉", "?"), **dict.fromkeys("’‘`´ʼ", "'"),
    **dict.fromkeys("“”„«»❝❞", '"'), "，": ",", "（": "(", "）": ")", "＠": "@", "﹫": "@",
}  # fmt: skip


def _table() -> dict[int, str]:
    table = {ord(letter): plain for letter, plain in _LOOKALIKES.items()}
    for at in range(0x1F130, 0x1F18A):  # squared and circled capitals
        row = (at - 0x1F130) % 32
        if row < 26:
            table[at] = chr(ord("a") + row)
    for at in range(0x1F1E6, 0x1F200):  # halves of flags
        table[at] = chr(ord("a") + at - 0x1F1E6)
    for at in range(0x80, sys.maxunicode + 1):
        letter = chr(at)
        if unicodedata.category(letter) == "Nd":
            table[at] = str(unicodedata.digit(letter))
        elif 0xC0 <= at < 0x250 or 0x1E00 <= at < 0x1F00:
            base = unicodedata.normalize("NFD", letter)[0].lower()
            if base.isascii():
                table[at] = base
        elif at > 0x20000:
            if 0x1D7CE <= at < 0x1FC00:
                continue
            break
    return table


_PLAIN = _table() | {digit: str(unicodedata.digit(chr(digit))) for digit in range(0x1D7CE, 0x1D800)}


class Folded(NamedTuple):
    """`shown` is for quoting, `low` keeps the marks, `bare` has none; all three have equal length."""

    shown: str
    low: str
    bare: str
    turned: bool
    """The text changes its own reading direction, so what is seen may differ from what is stored."""
    odd: bool
    """It has numbers that are raised, lowered, Roman or fractions in one letter."""


def plain(word: str) -> str:
    """The lower-case letters of a word without marks: "Miến" → "mien"."""
    return unicodedata.normalize("NFC", word).lower().translate(_PLAIN)


def fold(text: str) -> Folded:
    """Folds one comment. Linear in its length; letters of other scripts stay as they are."""
    if text.isascii():
        shown = _INVISIBLE.sub("", text) if not text.isprintable() else text
        turned = odd = False
    else:
        text = _COPIED.sub(r"\1", text) if "\u202d" in text else text
        turned = _TURNED.search(text) is not None
        odd = _ODD.search(text) is not None
        shown = _INVISIBLE.sub("", text.replace("🔟", "10"))
        shown = unicodedata.normalize("NFKC", _MARK_PILE.sub(r"\1", shown))
        shown = _MARKS.sub("", shown)
    if "<" in shown:
        shown = _TAGS.sub(" ", shown)
    low = shown.lower()
    if len(low) != len(shown):
        shown = low
    return Folded(shown, low, low if low.isascii() else low.translate(_PLAIN), turned, odd)
