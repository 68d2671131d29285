"""Canonical JSON: the one byte form of a ledger entry (RFC 8785, with Unicode NFC added).

JCS does not normalise Unicode and `json.loads` lets duplicate keys pass, so both are done here. Numbers
beyond 2^53 are refused because other readers (JavaScript among them) would round them and see another entry.
"""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any, NoReturn

import rfc8785

from trace.ledger import quick
from trace.ledger.encoding import shown
from trace.ledger.errors import MalformedEntry

MAX_ENTRY_BYTES = 16 * 1024
"""Our bound; C2SP entry bundles would allow 65,535."""

MAX_DEPTH = quick.MAX_DEPTH
"""Objects and lists within each other."""

_MAX_INTEGER = 2**53 - 1
_MAX_NUMBER_DIGITS = 40


def canonical(obj: object, *, limit: int = MAX_ENTRY_BYTES) -> bytes:
    """The canonical bytes of `obj`: NFC-normalised, then RFC 8785.

    Raises MalformedEntry for what JSON cannot carry, and beyond `limit` bytes.
    `parse(canonical(obj))` equals the normalised object for every object that is not refused.
    """
    data = quick.write(obj)
    if data is None:
        data = written_strictly(obj)
    if len(data) > limit:
        raise MalformedEntry(f"the entry has {len(data)} bytes; at most {limit} are allowed")
    return data


def around(members: Mapping[str, Any], name: str, written: bytes, *, limit: int = MAX_ENTRY_BYTES) -> bytes:
    """The canonical bytes of `members` with one more of that plain ASCII `name`, whose bytes are canonical already.

    Equal to `canonical` of the whole object, without writing anew what was just written to be signed.
    """
    data = quick.write_around(members, name, written)
    if data is None:
        before = canonical({key: value for key, value in members.items() if key < name})
        after = canonical({key: value for key, value in members.items() if key > name})
        parts = [part for part in (before[1:-1], b'"%b":%b' % (name.encode("ascii"), written), after[1:-1]) if part]
        data = b"{" + b",".join(parts) + b"}"
    if len(data) > limit:
        raise MalformedEntry(f"the entry has {len(data)} bytes; at most {limit} are allowed")
    return data


def written_strictly(obj: object) -> bytes:
    """What `canonical` gives, by the library that implements RFC 8785. Raises MalformedEntry."""
    try:
        data = rfc8785.dumps(normalise(obj))
    except rfc8785.CanonicalizationError as error:
        raise MalformedEntry(f"cannot be written as canonical JSON: {error}") from error
    return data


def parse(data: bytes, *, limit: int = MAX_ENTRY_BYTES) -> dict[str, Any]:
    """Read an entry. Its bytes must already be in canonical form: nothing is repaired.

    Raises MalformedEntry, and nothing else, for any input.
    """
    return parse_with(data, "event", limit=limit)[0]


def parse_with(data: bytes, member: str, *, limit: int = MAX_ENTRY_BYTES) -> tuple[dict[str, Any], bytes | None]:
    """As `parse`; with it the canonical bytes of the object's own member of that plain ASCII name, if it has one.

    They are the very bytes that stand in `data`: whoever checks a signature over them need not write them anew.
    """
    found = quick.read(data, member) if len(data) <= limit else None
    if found is not None:
        return found
    obj = parsed_strictly(data, limit=limit)
    return obj, written_strictly(obj[member]) if member in obj else None


def parsed_strictly(data: bytes, *, limit: int = MAX_ENTRY_BYTES) -> dict[str, Any]:
    """What `parse` gives, step by step. Raises MalformedEntry."""
    obj = loads(data, limit=limit)
    if not isinstance(obj, dict):
        raise MalformedEntry("the entry is not a JSON object")
    if written_strictly(obj) != data:
        raise MalformedEntry("the bytes are not their own canonical form (RFC 8785 with NFC)")
    return obj


def loads(data: bytes, *, limit: int = MAX_ENTRY_BYTES) -> Any:
    """Read JSON that need not be canonical (a phone's request), with the same refusals otherwise."""
    if len(data) > limit:
        raise MalformedEntry(f"the JSON has {len(data)} bytes; at most {limit} are allowed")
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise MalformedEntry(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise MalformedEntry(f"not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError:
        raise MalformedEntry(f"nested deeper than {MAX_DEPTH} levels") from None


def normalise(obj: object) -> Any:
    """A copy of `obj` with all text in Unicode NFC. Raises MalformedEntry for what JSON cannot carry."""
    return _normalise(obj, 0)


def _normalise(obj: object, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise MalformedEntry(f"nested deeper than {MAX_DEPTH} levels")
    if obj is None or isinstance(obj, bool):
        return obj
    if isinstance(obj, str):
        return _text(obj)
    if isinstance(obj, int):
        return _checked_integer(int(obj))
    if isinstance(obj, float):
        return _checked_float(float(obj))
    if isinstance(obj, (list, tuple)):
        return [_normalise(item, depth + 1) for item in obj]
    if isinstance(obj, dict):
        result: dict[str, Any] = {}
        for key, value in obj.items():
            if not isinstance(key, str):
                raise MalformedEntry(f"an object's key is not text: {shown(repr(key))}")
            name = _text(key)
            if name in result:
                raise MalformedEntry(f"two keys become the same in NFC: {shown(name)}")
            result[name] = _normalise(value, depth + 1)
        return result
    raise MalformedEntry(f"a {type(obj).__name__} has no place in JSON")


def _text(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedEntry(f"a lone surrogate in text at character {error.start}") from error
    return unicodedata.normalize("NFC", text)


def _checked_integer(number: int) -> int:
    if not -_MAX_INTEGER <= number <= _MAX_INTEGER:
        raise MalformedEntry(f"an integer of {number.bit_length()} bits is beyond 2^53")
    return number


def _checked_float(number: float) -> float:
    # Written so that NaN fails too. Every float beyond 2^53 is an integer that readers would disagree about.
    if not -_MAX_INTEGER <= number <= _MAX_INTEGER:
        raise MalformedEntry(f"the number {number} is not finite or is beyond 2^53")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise MalformedEntry(f"the key {shown(key)} appears twice in one object")
        result[key] = value
    return result


def _integer(digits: str) -> int:
    if len(digits) > _MAX_NUMBER_DIGITS:
        raise MalformedEntry(f"an integer of {len(digits)} characters is beyond 2^53")
    return _checked_integer(int(digits))


def _float(digits: str) -> float:
    if len(digits) > _MAX_NUMBER_DIGITS:
        raise MalformedEntry(f"a number of {len(digits)} characters is longer than any canonical one")
    return _checked_float(float(digits))


def _constant(name: str) -> NoReturn:
    raise MalformedEntry(f"{name} is not JSON")
