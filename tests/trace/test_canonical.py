"""The one byte form of a ledger entry. Samples from RFC 8785 and its appendices."""

import json
import struct
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace.ledger.canonical import MAX_DEPTH, MAX_ENTRY_BYTES, canonical, joined, loads, normalise, parse
from trace.ledger.errors import MalformedEntry

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_the_sample_of_rfc_8785_is_written_as_published() -> None:
    sample = {
        "numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert (
        canonical(sample)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def test_keys_are_sorted_by_utf_16_units_as_in_rfc_8785() -> None:
    keys = ["\u20ac", "\r", "\U0001f600", "1", "\u0080", "\u00f6", "\u05d3"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 1)))) == [
        "\r", "1", "\u0080", "\u00f6", "\u05d3", "€", "😀",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
    ],
)
def test_numbers_are_written_as_in_appendix_b_of_rfc_8785(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical({"n": number}) == b'{"n":%s}' % text.encode()


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(TEXT, JSON, max_size=5))
def test_what_is_written_reads_back_to_the_same_bytes(obj: dict[str, Any]) -> None:
    try:
        data = canonical(obj)
    except MalformedEntry as error:
        assert "the same in NFC" in str(error)
        return
    assert parse(data) == normalise(obj)
    assert canonical(parse(data)) == data
    assert unicodedata.is_normalized("NFC", data.decode())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]":,\\u0d8e+-.1 ', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_and_never_crash(data: bytes) -> None:
    try:
        parse(data)
    except MalformedEntry as error:
        assert str(error)


def test_a_name_typed_in_two_ways_becomes_one() -> None:
    composed, decomposed = "Nếp Cẩm", unicodedata.normalize("NFD", "Nếp Cẩm")
    assert composed != decomposed
    assert canonical({"a": [decomposed]}) == canonical({"a": [composed]})
    assert canonical({decomposed: 1}) == canonical({composed: 1})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"b":{"a":1,"\\u0061":2}}', "twice"),
        (b'{"a":9007199254740992}', "2^53"),
        (b'{"a":-9007199254740992}', "2^53"),
        (b'{"a":' + b"9" * 5000 + b"}", "2^53"),
        (b'{"a":1e30}', "2^53"),
        (b'{"a":1e999}', "finite"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"", "not JSON"),
        (b'{"a":1} ', "canonical form"),
        (b'{"a": 1}', "canonical form"),
        (b'{"b":1,"a":1}', "canonical form"),
        (b'{"a":1.0}', "canonical form"),
        (b'{"a":-0}', "canonical form"),
        (b'{"a":"\\u0041"}', "canonical form"),
        ('{"a":"e\u0302"}'.encode(), "canonical form"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested"),
        (b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", "nested"),
        (b'{"a":"' + b"x" * MAX_ENTRY_BYTES + b'"}', "at most"),
    ],
)
def test_an_entry_in_any_other_form_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedEntry) as refused:
        parse(data)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "obj",
    [
        {"a": 2**53}, {"a": float("nan")}, {"a": float("inf")}, {"a": 1e16}, {"a": b"bytes"}, {1: 2},
        {"a": {1, 2}}, {"a": "\ud800"}, {"\ud800": 1}, {"e\u0302": 1, "ê": 2}, {"a": "x" * MAX_ENTRY_BYTES},
    ],
)  # fmt: skip
def test_what_json_cannot_carry_is_not_written(obj: object) -> None:
    with pytest.raises(MalformedEntry):
        canonical(obj)


def test_an_entry_within_itself_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(MalformedEntry, match="nested"):
        canonical({"a": circle})


def test_the_deepest_entry_that_is_written_can_be_read() -> None:
    obj: object = 1
    for _ in range(MAX_DEPTH - 1):
        obj = [obj]
    assert parse(canonical({"a": obj})) == {"a": obj}


def test_a_phone_may_send_json_that_is_not_canonical() -> None:
    assert loads(b' {"b": 1, "a": [2.50]} ') == {"b": 1, "a": [2.5]}


@given(st.dictionaries(st.text("abcdefghijklmnopqrstuvwxyzAZ_09", min_size=1), JSON, max_size=6))
def test_members_written_one_by_one_make_the_same_bytes(obj: dict[str, Any]) -> None:
    assert joined({name: canonical(value) for name, value in obj.items()}) == canonical(obj)
