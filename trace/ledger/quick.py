"""The quick way to read and write canonical JSON, by a parser in machine code, wherever its answer is certain.

`None` says only "not certain": the caller then goes the strict way, which alone decides what is refused and why.
Certain are bytes that the quick writer gives back one by one, and in which nothing stands where it and RFC 8785 differ:

- numbers: integers within 2^53, which the writer sees to; floats without exponent that are not whole and are spelled
  as Python's `repr` spells them, which in that range is ECMAScript's shortest form;
- order: the writer sorts keys by code point, RFC 8785 by UTF-16 unit: the same without characters beyond U+FFFF;
- keys that stand twice, escapes and white space that nobody needs: the writer would not give them back;
- NFC: the text as a whole is in it. Normalisation forms are closed under substrings (UAX #15), and neither a quote,
  a backslash nor a control character composes with what follows, so all text within is in NFC as well.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import orjson

MAX_DEPTH = 32
"""Objects and lists within each other. EPCIS events need about eight."""

_HOW = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
# Each begins with a plain byte, which makes them quick; what they find within text costs only time.
_FRACTION = re.compile(rb"\.[0-9]+[,}\]]")
_EXPONENT = re.compile(rb"e[+-]?[0-9]+[,}\]]")
_DIGITS, _MINUS, _BEFORE = b"0123456789", ord("-"), b":,["
_SIGNED = b"e+" in orjson.dumps(1e300) and b"e-" in orjson.dumps(1e-300)
"""Whether this writer puts a sign into every exponent, so that most texts need not be searched for one."""
_NOT_CERTAIN = (ValueError, TypeError, RecursionError)


def read(data: bytes, member: str) -> tuple[dict[str, Any], bytes | None] | None:
    """The object whose canonical bytes are `data`, and the canonical bytes of its own member of that name."""
    try:
        obj = orjson.loads(data)
        if type(obj) is not dict or orjson.dumps(obj, option=_HOW) != data or not _certain(data, obj):
            return None
        # Written alone, a member has the bytes that it has within the whole.
        return obj, orjson.dumps(obj[member], option=_HOW) if member in obj else None
    except _NOT_CERTAIN:
        return None


def write(obj: object) -> bytes | None:
    """The canonical bytes of `obj`."""
    if isinstance(obj, float):
        # Floats are looked for by what follows them.
        return None
    try:
        data = orjson.dumps(obj, option=_HOW)
        # Not equal where the writer was more lenient than we are: a date, a tuple, a number that is none.
        return data if orjson.loads(data) == obj and _certain(data, obj) else None
    except _NOT_CERTAIN:
        return None


def write_around(members: Mapping[str, Any], name: str, written: bytes) -> bytes | None:
    """The canonical bytes of `members` with one more of that name, whose canonical bytes are at hand."""
    alone = write(members)
    if alone is None or name in members:
        return None
    return orjson.dumps({**members, name: orjson.Fragment(written)}, option=_HOW)


def _certain(data: bytes, obj: object) -> bool:
    return (data.isascii() or _plain(data.decode("utf-8"))) and _safe_floats(data) and _shallow(data, obj)


def _plain(text: str) -> bool:
    """True when the text is in NFC and has no character beyond U+FFFF."""
    return unicodedata.is_normalized("NFC", text) and len(text.encode("utf-16-le")) == 2 * len(text)


def _safe_floats(data: bytes) -> bool:
    if (not _SIGNED or b"e+" in data or b"e-" in data) and _EXPONENT.search(data):
        return False
    return all(_is_float(data, found.start(), found.end() - 1) for found in _FRACTION.finditer(data))


def _is_float(data: bytes, point: int, end: int) -> bool:
    """Whether the digits around a point are a whole token, and spelled as every language spells that float."""
    start = point
    while data[start - 1] in _DIGITS:
        start -= 1
    if data[start - 1] == _MINUS:
        start -= 1
    token = data[start:end]
    return data[start - 1] in _BEFORE and not token.endswith(b".0") and repr(float(token)).encode("ascii") == token


def _shallow(data: bytes, obj: object) -> bool:
    # Most have fewer brackets in all than may lie within each other.
    return data.count(b"{") + data.count(b"[") <= MAX_DEPTH or not _deeper(obj, MAX_DEPTH)


def _deeper(obj: object, levels: int) -> bool:
    if levels < 0:
        return True
    if isinstance(obj, dict):
        return any(_deeper(value, levels - 1) for value in obj.values())
    return isinstance(obj, list) and any(_deeper(value, levels - 1) for value in obj)
