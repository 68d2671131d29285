"""The one byte form of a ledger entry. Samples from RFC 8785 and its appendices."""

import json
import struct
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace.ledger.canonical import MAX_DEPTH, MAX_ENTRY_BYTES, around, canonical, loads, normalise, parse
from trace.ledger.errors import MalformedEntry

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_by_utf_16_units_as_in_rfc_8785() -> None:
    keys = ["\u20ac", "\r", "\U0001f600", "1", "\u0080", "\u00f6", "\u05d3"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 1)))) == [
        "\r", "1", "\u0080", "\u00f6", "\u05d3", "€", "😀",
    ]  # fmt: skip


APPENDIX_B = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]
"""RFC 8785, appendix B: a double's bits and how it is written."""


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B)
def test_numbers_are_written_as_in_appendix_b_of_rfc_8785_or_refused_as_too_large(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    if abs(number) < 2**53:
        assert canonical({"n": number}) == b'{"n":%s}' % text.encode()
    else:
        with pytest.raises(MalformedEntry, match="2\\^53"):
            canonical({"n": number})


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_what_appendix_b_of_rfc_8785_calls_an_error_is_refused(bits: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    with pytest.raises(MalformedEntry):
        canonical({"n": number})


PUBLISHED = {
    # Sections 3.2.2 and 3.2.3, and the samples that the RFC's authors publish beside it.
    r'''{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
 "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}''': (
        r'''{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'''
        r'''"string":"€$\u000f\nA'B\"\\\\\"/"}'''
    ),
    r'''{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
 "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}''': (
        r'''{"\r":"Carriage Return","1":"One","''' + "\u0080" + r'''":"Control",'''
        r'''"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","'''
        + "\ufb33" + r'''":"Hebrew Letter Dalet With Dagesh"}'''
    ),
    r'''[56, {"d": true, "10": null, "1": [ ]}]''': r'''[56,{"1":[],"10":null,"d":true}]''',
    r'''{"peach": "This sorting order", "péché": "is wrong according to French",
 "pêche": "but canonicalization MUST", "sin": "ignore locale"}''': (
        r'''{"peach":"This sorting order","péché":"is wrong according to French",'''
        r'''"pêche":"but canonicalization MUST","sin":"ignore locale"}'''
    ),
    r'''{"1": {"f": {"f": "hi", "F": 5}, "\n": 56.0}, "10": { }, "": "empty", "a": { },
 "111": [{"e": "yes", "E": "no"}], "A": { }}''': (
        r'''{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}'''
    ),
    r'''{"Unnormalized Unicode": "A\u030a"}''': '{"Unnormalized Unicode":"A\u030a"}',
}
"""RFC 8785's samples: JSON, and its canonical form."""
SAMPLES = list(PUBLISHED)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_samples_of_rfc_8785_are_written_as_published_but_for_nfc_and_huge_numbers(sample: str) -> None:
    if "1E30" in sample:
        with pytest.raises(MalformedEntry, match="2\\^53"):
            loads(sample.encode())
        sample, published = sample.replace("1E30", "1E3"), PUBLISHED[sample].replace("1e+30", "1000")
    else:
        published = PUBLISHED[sample]
    written = canonical(loads(sample.encode()))
    if unicodedata.is_normalized("NFC", published):
        assert written.decode() == published
    else:
        assert json.loads(written) == normalise(json.loads(published)) != json.loads(published)


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


NAMES = st.text("abcdefghijklmnopqrstuvwxyzAZ_09", min_size=1)


@given(st.dictionaries(NAMES, JSON, max_size=6), NAMES, JSON)
def test_members_around_one_that_is_written_make_the_same_bytes(obj: dict[str, Any], name: str, value: Any) -> None:
    obj.pop(name, None)
    assert around(obj, name, canonical(value)) == canonical({**obj, name: value})
