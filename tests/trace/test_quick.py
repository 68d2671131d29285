"""The quick way of reading and writing canonical JSON says nothing that the strict way would not say."""

import datetime as dt
import enum
import json
import uuid
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.soak import times
from trace.ledger import quick
from trace.ledger.canonical import MAX_DEPTH, canonical, parse_with, parsed_strictly, written_strictly
from trace.ledger.errors import MalformedEntry

ODD = [
    "event", "e\u0302", "ê", "\u0338", "1.5", "e5", "😀", "\uffff", "\x1f", '"', "\\", "\x7f", "\u2028",
    "a.5,", "[1e5]",
]  # fmt: skip
TEXT = st.text(max_size=8) | st.sampled_from(ODD)
TENTHS = st.decimals(-99, 99, places=1).map(float)
FLOATS = st.floats() | st.floats(-1e3, 1e3) | TENTHS
NUMBERS = st.integers() | st.integers(2**53 - 2, 2**53 + 2) | st.integers(-9, 9) | FLOATS
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=14,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=6)
BITS = [b"0", b".0", b"e1", b",", b" ", b"\\u0041", b"-", b"9" * 16]
SPELLINGS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "sort_keys": st.booleans(),
        "separators": st.sampled_from([(",", ":"), (", ", ": ")]),
    }
)


def strictly(data: bytes) -> dict[str, Any] | None:
    try:
        return parsed_strictly(data)
    except MalformedEntry:
        return None


def agree(data: bytes) -> None:
    found = quick.read(data, "event")
    if found is None:
        return
    obj, event = found
    assert repr(obj) == repr(strictly(data))
    assert event == (written_strictly(obj["event"]) if "event" in obj else None)
    assert event is None or b'"event":' + event in data


@settings(max_examples=times(150), deadline=None)
@given(OBJECTS, SPELLINGS)
def test_json_in_any_spelling_is_read_as_strictly_or_not_at_all(obj: dict[str, Any], spelling: dict[str, Any]) -> None:
    agree(json.dumps(obj, **spelling).encode("utf-8", "surrogatepass"))


@settings(max_examples=times(150), deadline=None)
@given(OBJECTS, st.data())
@example({"a": 1.5, "event": {"b": [1.25, "x"]}}, None)
def test_canonical_bytes_with_some_of_them_changed_are_read_as_strictly_or_not_at_all(
    obj: dict[str, Any], data: Any
) -> None:
    try:
        good = canonical(obj)
    except MalformedEntry:
        return
    agree(good)
    if data is None:
        return
    at = data.draw(st.integers(0, len(good)))
    put = data.draw(st.binary(max_size=2) | st.sampled_from(BITS))
    agree(good[:at] + put + good[at + data.draw(st.integers(0, 2)) :])


@settings(max_examples=times(150), deadline=None)
@given(JSON | OBJECTS)
@example(1.0)
@example({"a": 13.2})
@example({"a": 1e16, "b": 1e-5, "c": -0.0})
def test_what_is_written_quickly_is_what_the_library_of_rfc_8785_writes(obj: Any) -> None:
    found = quick.write(obj)
    if found is not None:
        assert found == written_strictly(obj)


@settings(max_examples=times(100), deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_quickly_only_as_ecmascript_would(number: float) -> None:
    found = quick.write({"a": number})
    assert found is None or found == written_strictly({"a": number})


def test_every_character_is_written_as_strictly() -> None:
    # One object for 256 characters; those that change in NFC, or lie beyond U+FFFF, may be left to the strict way.
    taken = 0
    for start in [*range(0, 0xD800, 256), *range(0xE000, 0x10000, 256), 0x1F600]:
        chars = [chr(code) for code in range(start, start + 256)]
        for obj in ({"a": chars}, dict.fromkeys(chars, 1)):
            found = quick.write(obj)
            if found is not None:
                taken += 1
                assert found == written_strictly(obj)
                assert quick.read(found, "a") is not None
    assert taken > 200


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    "obj",
    [
        {1: 2}, {None: 1}, {"a": dt.date(2026, 1, 1)}, {"a": uuid.UUID(int=1)}, {"a": Colour.RED}, {"a": b"x"},
        {"a": {1}}, {"a": float("nan")}, {"a": float("inf")}, {"a": "\ud800"}, {"a": 2**53}, {"a": -(2**53)},
    ],
)  # fmt: skip
def test_what_json_cannot_carry_is_left_to_the_strict_way_which_refuses_it(obj: object) -> None:
    assert quick.write(obj) is None
    with pytest.raises(MalformedEntry):
        canonical(obj)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":1e5}', b'{"a":-0}', b'{"a":-0.0}', b'{"a":9007199254740992}',
        b'{"a":NaN}', b'{"b":1,"a":1}', b'{"a": 1}', b'{"a":1}\n', b'{"a":"\\u0041"}', b'{"a":"\\ud800"}', b"[1]",
        b"1", b'{"a":"\xff"}', b'\xef\xbb\xbf{"a":1}', '{"e\u0302":1}'.encode(), b'{"a":1.50}', b'{"a":0.1e1}',
        b'{"a":"\\/"}',
    ],
)  # fmt: skip
def test_another_spelling_is_not_read_quickly_and_refused_strictly(data: bytes) -> None:
    assert quick.read(data, "a") is None
    assert strictly(data) is None


@pytest.mark.parametrize("fill", [1, []])
def test_depth_ends_where_it_ends_strictly(fill: object) -> None:
    for depth in (MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1):
        nested: object = fill
        for _ in range(depth):
            nested = [nested]
        # Brackets beside it, so that counting them does not answer.
        obj = {"a": nested, "b": [[]] * MAX_DEPTH}
        data = json.dumps(obj, separators=(",", ":")).encode()
        assert (quick.read(data, "a") is None) == (strictly(data) is None)
        assert (quick.write(obj) is None) == (strictly(data) is None)


def test_an_ordinary_entry_goes_the_quick_way_with_its_event_cut_out_exactly() -> None:
    event = {"soi:stage": "dry", "value": 13.2, "event": {"event": 1}, "name": "Miến dong Bình Lư"}
    entry = {"chain": [{"batch": '"event":', "seq": 0}], "custodian": {"event": 2}, "event": event, "v": 1}
    data = canonical(entry)
    assert quick.write(entry) == data
    assert quick.read(data, "event") == (entry, canonical(event))
    assert parse_with(data, "event") == (entry, canonical(event))
