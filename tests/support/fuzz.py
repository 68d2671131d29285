"""Mutations: true inputs, broken in the ways in which bytes break and in those in which somebody would break them.

Everything follows from the seed, so that an input that was found can be made again.
"""

import base64
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

LONGEST = 40_000
"""Bytes that a mutated input has at most, unless its source is longer: size limits have tests of their own."""

_NUMBER = re.compile(rb"[0-9]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{12,}={0,2}")
_NUMBERS = (
    b"0", b"1", b"-1", b"00", b"01", b"+1", b"255", b"256", b"257", b"65535", b"65536", b"2147483648", b"4294967296",
    b"9007199254740991", b"9007199254740992", b"9223372036854775807", b"9223372036854775808", b"18446744073709551615",
    b"18446744073709551616", b"9" * 60, b"9" * 5000, b"1e999", b"-0", b"0.1", b"1_0", b"NaN", b"Infinity", b"true",
    "٧".encode(), "７".encode(), b"0x10", b"",
)  # fmt: skip
_TRICKS = (
    "\ufeff".encode(), "\u200b".encode(), "\u00a0".encode(), "\u2028".encode(), "\u0085".encode(), "\u202e".encode(),
    "\u0301".encode(), "\u1ea4".encode(), "\U000e0041".encode(), "—".encode(), "－".encode(), b"--", b"\x00", b"\r",
    b"\r\n", b"\t", b"\x0b", b"\x7f", b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff\xfe",
    b"\n\n", b"\n", b" ", b"+", b"=", b"==", b"\\ud800", b"\\u0000", b"\\u0041", b'"', b"\\", b"{", b"}", b"[", b"]",
    b'{"a":1,"a":1}', b"null", b"[[[[[[[[", b'","', b"x999/", b".p/", b"..", b"/", b"%2e",
)  # fmt: skip

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**53 - 1, 0.5, -1e-7, "", "a", "0", "2026-02-30T25:61:00Z", "+99:99", [], {}, [None],
    [[]], [{}], {"a": None}, [0, 0], "\ud7ff", "é" * 100, "A" * 43, "A" * 88, ["A" * 88, "A" * 88],
)  # fmt: skip

_NAMES = ("role", "key", "jwk", "crv", "x", "seq", "claim", "type", "sig", "new")


class Mutator:
    """Makes inputs out of these true ones."""

    def __init__(self, sources: Sequence[bytes], seed: str) -> None:
        self.sources = sources
        self.chance = random.Random(seed)
        self.ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._octet, self._cut, self._drop, self._twice, self._noise, self._splice, self._lines,
            self._number, self._length, self._trick, self._base64, self._case, self._nest, self._swap,
        )  # fmt: skip

    def next(self) -> bytes:
        """Another input: one to four mutations of a true one."""
        data = self.chance.choice(self.sources)
        longest = max(LONGEST, len(data))
        for _ in range(self.chance.choice((1, 1, 1, 2, 2, 3, 4))):
            data = self.chance.choice(self.ways)(data)
        return data[:longest]

    def _at(self, data: bytes) -> int:
        return self.chance.randrange(len(data) + 1)

    def _span(self, data: bytes) -> tuple[int, int]:
        start = self._at(data)
        return start, min(len(data), start + self.chance.choice((1, 1, 2, 3, 8, 32, 200)))

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        changed = bytearray(data)
        changed[self.chance.randrange(len(data))] ^= 1 << self.chance.randrange(8)
        return bytes(changed)

    def _octet(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + bytes([self.chance.randrange(256)]) + data[at + 1 :]

    def _cut(self, data: bytes) -> bytes:
        return data[: self._at(data)] if self.chance.random() < 0.7 else data[self._at(data) :]

    def _drop(self, data: bytes) -> bytes:
        start, end = self._span(data)
        return data[:start] + data[end:]

    def _twice(self, data: bytes) -> bytes:
        start, end = self._span(data)
        times = self.chance.choice((1, 1, 2, 70, 300))
        return data[:end] + data[start:end] * times + data[end:]

    def _noise(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self.chance.randbytes(self.chance.choice((1, 2, 16, 100))) + data[at:]

    def _splice(self, data: bytes) -> bytes:
        other = self.chance.choice(self.sources)
        return data[: self._at(data)] + other[self._at(other) :]

    def _lines(self, data: bytes) -> bytes:
        """Lines said twice, left out, put elsewhere, taken from another input."""
        lines = data.split(b"\n")
        at, to = self.chance.randrange(len(lines)), self.chance.randrange(len(lines))
        way = self.chance.randrange(5)
        if way == 0:
            lines.insert(to, lines[at])
        elif way == 1:
            del lines[at]
        elif way == 2:
            lines[at], lines[to] = lines[to], lines[at]
        elif way == 3:
            lines.insert(to, self.chance.choice(self.chance.choice(self.sources).split(b"\n")))
        else:
            lines[at:at] = [lines[at]] * self.chance.choice((2, 20, 64, 101, 300))
        return b"\n".join(lines)

    def _number(self, data: bytes) -> bytes:
        return self._replace(data, _NUMBER, self.chance.choice(_NUMBERS))

    def _length(self, data: bytes) -> bytes:
        """A lie in a binary length."""
        at = self._at(data)
        lie = self.chance.choice((b"\x00\x00", b"\xff\xff", b"\x00\x01", b"\x40\x00", b"\x7f\xff"))
        return data[:at] + lie + data[at + 2 :]

    def _trick(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self.chance.choice(_TRICKS) + data[at + self.chance.randrange(2) :]

    def _base64(self, data: bytes) -> bytes:
        """Another base64 in place of one: a second spelling, a bit changed underneath, or one from elsewhere."""
        found = list(_BASE64.finditer(data))
        if not found:
            return data
        spot = self.chance.choice(found)
        text = spot.group()
        way = self.chance.randrange(5)
        if way == 0:
            text = text.rstrip(b"=")
        elif way == 1:
            text = text[:-1] + bytes([text[-1] + 1]) if text[-1:] != b"=" else text.replace(b"=", b"A")
        elif way == 2:
            text = text.replace(b"+", b"-").replace(b"/", b"_")
        elif way == 3:
            whole = len(text) // 4 * 4 - 4
            raw = bytearray(base64.b64decode(text[:whole]))
            raw[self.chance.randrange(len(raw))] ^= 1 << self.chance.randrange(8)
            text = base64.b64encode(bytes(raw)) + text[whole:]
        else:
            text = self.chance.choice(found).group()
        return data[: spot.start()] + text + data[spot.end() :]

    def _case(self, data: bytes) -> bytes:
        start, end = self._span(data)
        return data[:start] + data[start:end].swapcase() + data[end:]

    def _nest(self, data: bytes) -> bytes:
        depth = self.chance.choice((2, 31, 33, 100, 5000))
        opened, closed = self.chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
        start, end = self._span(data)
        return data[:start] + opened * depth + data[start:end] + closed * depth + data[end:]

    def _swap(self, data: bytes) -> bytes:
        cuts = sorted(self._at(data) for _ in range(4))
        a, b, c, d = cuts
        return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]

    def _replace(self, data: bytes, what: re.Pattern[bytes], new: bytes) -> bytes:
        found = list(what.finditer(data))
        if not found:
            return data
        spot = self.chance.choice(found)
        return data[: spot.start()] + new + data[spot.end() :]


class JsonMutator(Mutator):
    """Mutates what a JSON document says as well: its form stays good, so that it comes to the checks behind."""

    def __init__(self, sources: Sequence[bytes], seed: str, write: Callable[[Any], bytes]) -> None:
        super().__init__(sources, seed)
        self.write = write
        self.told = [json.loads(source) for source in sources]

    def next(self) -> bytes:
        """Another input: most are documents of which one to three members say something else."""
        if self.chance.random() < 0.3:
            return super().next()
        document = json.loads(self.chance.choice(self.sources))
        for _ in range(self.chance.choice((1, 1, 1, 2, 3))):
            self._change(document)
        return self.write(document)

    def _change(self, document: Any) -> None:
        places = list(_places(document))
        if not places:
            return
        holder, name = self.chance.choice(places)
        way = self.chance.randrange(6)
        if way == 0:
            del holder[name]
        elif way == 1:
            holder[name] = _copy(self.chance.choice(_VALUES))
        elif way == 2:
            other, theirs = self.chance.choice(list(_places(self.chance.choice(self.told))))
            holder[name] = _copy(other[theirs])
        elif way == 3:
            other, theirs = self.chance.choice(places)
            holder[name], other[theirs] = _copy(other[theirs]), _copy(holder[name])
        elif way == 4 and isinstance(holder, dict):
            holder[self.chance.choice(_NAMES)] = _copy(holder[name])
        elif isinstance(holder, list):
            holder.insert(name, _copy(holder[name]))
        elif isinstance(holder[name], str):
            text = holder[name]
            at = self._at(text.encode("ascii", "replace"))
            holder[name] = text[:at] + self.chance.choice(("", "0", "A", "=", "é", "Z", "+")) + text[at + 1 :]
        else:
            holder[name] = [holder[name]]


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and item within a document, as its holder and its name there."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield document, name
            yield from _places(value)
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield document, number
            yield from _places(value)
