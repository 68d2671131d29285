"""QR symbols (ISO/IEC 18004) for runs of a hundred thousand labels, each with a code of its own.

The library `qrcode` gives the tables and the fixed patterns; it needs five to ten milliseconds a symbol, a quarter of
an hour for such a run. Here a symbol is one long integer, a bit a module, and the choice of its mask is arithmetic on
it: a fifth of a millisecond. The modules are the same ones (tests/trace/test_label_symbol.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import qrcode  # type: ignore[import-untyped]  # it ships no types
from qrcode import base, util

Level = Literal["L", "M", "Q", "H"]
LEVELS: tuple[Level, ...] = ("H", "Q", "M", "L")
"""Error correction, the strongest first: about 30, 25, 15 and 7 % of a symbol may be lost."""
QUIET_ZONE = 4
"""White modules that the standard asks for on each side."""

_IN_LIBRARY = {
    "L": qrcode.constants.ERROR_CORRECT_L,
    "M": qrcode.constants.ERROR_CORRECT_M,
    "Q": qrcode.constants.ERROR_CORRECT_Q,
    "H": qrcode.constants.ERROR_CORRECT_H,
}
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE = {letter: value for value, letter in enumerate(_ALPHANUMERIC)}
# A shorter run of these letters does not pay for the two headers around it.
_DENSE = re.compile(f"[{re.escape(_ALPHANUMERIC)}]{{12,}}")
_MASKS = 8


@dataclass(frozen=True)
class Symbol:
    """A symbol without its quiet zone: `bits` row by row from the upper left, the first module highest."""

    size: int
    bits: int

    def rows(self) -> list[int]:
        """Each row as an integer of `size` bits, dark ones set, the leftmost module highest."""
        row = (1 << self.size) - 1
        return [self.bits >> self.size * (self.size - 1 - y) & row for y in range(self.size)]


def size_of(version: int) -> int:
    """Modules on a side."""
    return 17 + 4 * version


def version_for(address: str, level: Level) -> int:
    """The smallest version that holds `address`. ValueError for one that no QR code holds."""
    for version in range(1, 41):
        _bits, length = _encoded(address, version)
        if length <= _room(version, level):
            return version
    raise ValueError(f"An address of {len(address)} characters is too long for a QR code.")


def symbol(address: str, version: int, level: Level) -> Symbol:
    """The symbol of this version and level, under the mask that the standard prefers. ValueError if it is too small."""
    frame = _frame(version, level)
    placed = int(bytes(map(_codewords(address, version, level).__getitem__, frame.order)), 2)
    masked = (placed ^ pattern | fixed for pattern, fixed in zip(frame.patterns, frame.fixed, strict=True))
    return Symbol(frame.size, min(masked, key=lambda bits: _penalty(bits, frame.size)))


def _parts(address: str) -> Iterator[tuple[bool, str]]:
    """(dense, text): a scan address is capital letters, digits and slashes behind its host, 5.5 bits each, not 8."""
    done = 0
    for found in _DENSE.finditer(address):
        if found.start() > done:
            yield False, address[done : found.start()]
        yield True, found.group()
        done = found.end()
    if done < len(address):
        yield False, address[done:]


def _encoded(address: str, version: int) -> tuple[int, int]:
    """The segments' bits and how many they are."""
    bits = length = 0

    def put(value: int, wide: int) -> None:
        nonlocal bits, length
        bits, length = bits << wide | value, length + wide

    for dense, text in _parts(address):
        if dense:
            put(0b0010, 4)
            put(len(text), 9 if version < 10 else 11 if version < 27 else 13)
            for at in range(0, len(text) - 1, 2):
                put(_VALUE[text[at]] * 45 + _VALUE[text[at + 1]], 11)
            if len(text) % 2:
                put(_VALUE[text[-1]], 6)
        else:
            raw = text.encode()
            put(0b0100, 4)
            put(len(raw), 8 if version < 10 else 16)
            put(int.from_bytes(raw), 8 * len(raw))
    return bits, length


@cache
def _room(version: int, level: Level) -> int:
    return 8 * sum(int(block.data_count) for block in base.rs_blocks(version, _IN_LIBRARY[level]))


def _codewords(address: str, version: int, level: Level) -> bytes:
    """Data and error correction in the order of placing, as the letters 0 and 1, a 0 behind them for what is over."""
    bits, length = _encoded(address, version)
    room = _room(version, level)
    if length > room:
        raise ValueError(f"{len(address)} characters do not go into version {version}-{level}.")
    end = min(4, room - length)
    end += -(length + end) % 8
    data = (bits << end).to_bytes((length + end) // 8)
    data += bytes(0xEC if at % 2 == 0 else 0x11 for at in range(room // 8 - len(data)))
    blocks, corrections = [], []
    for block in base.rs_blocks(version, _IN_LIBRARY[level]):
        blocks.append(data[: block.data_count])
        corrections.append(_correction(data[: block.data_count], block.total_count - block.data_count))
        data = data[block.data_count :]
    longest = max(map(len, blocks))
    ordered = [block[at] for at in range(longest) for block in blocks if at < len(block)]
    ordered += [part[at] for at in range(len(corrections[0])) for part in corrections]
    whole = bytes(ordered)
    return f"{int.from_bytes(whole):0{8 * len(whole)}b}0".encode()


def _correction(data: bytes, count: int) -> bytes:
    """`count` bytes of Reed–Solomon: the remainder of a division, a table's look-up for each byte."""
    steps = _steps(count)
    top, keep = 8 * (count - 1), (1 << 8 * count) - 1
    rest = 0
    for byte in data:
        rest = (rest << 8 & keep) ^ steps[rest >> top ^ byte]
    return rest.to_bytes(count)


@cache
def _steps(count: int) -> list[int]:
    """What each leading byte takes off the remainder: that byte times the generator polynomial."""
    generator = [1]
    for power in range(count):
        root = base.gexp(power)
        generator = [
            first ^ _times(second, root) for first, second in zip([*generator, 0], [0, *generator], strict=True)
        ]
    return [int.from_bytes(bytes(_times(byte, one) for one in generator[1:])) for byte in range(256)]


def _times(one: int, other: int) -> int:
    return int(base.gexp(base.glog(one) + base.glog(other))) if one and other else 0


@dataclass(frozen=True)
class _Frame:
    """What is the same in all symbols of a version and level."""

    size: int
    order: tuple[int, ...]
    """For each module, the number of the bit that goes there; on fixed modules that of the 0 behind the last bit."""
    fixed: tuple[int, ...]
    """For each mask: the fixed patterns and what tells level and mask."""
    patterns: tuple[int, ...]
    """For each mask: the data modules that it turns over."""


@cache
def _frame(version: int, level: Level) -> _Frame:
    size = size_of(version)
    blank = _fixed_modules(version, level, 0)
    cells = [(row, column) for row in range(size) for column in range(size)]
    placed = {cell: number for number, cell in enumerate(_way(size, blank))}
    total = 8 * sum(block.total_count for block in base.rs_blocks(version, _IN_LIBRARY[level]))
    fixed, patterns = [], []
    for mask in range(_MASKS):
        turned = util.mask_func(mask)
        modules = _fixed_modules(version, level, mask)
        fixed.append(_joined(bool(modules[row][column]) for row, column in cells))
        patterns.append(_joined(cell in placed and turned(*cell) for cell in cells))
    return _Frame(
        size,
        tuple(min(placed.get(cell, total), total) for cell in cells),
        tuple(fixed),
        tuple(patterns),
    )


def _fixed_modules(version: int, level: Level, mask: int) -> list[list[bool | None]]:
    """The library's own drawing of finders, timing, alignment and format; None where data goes."""
    code = qrcode.QRCode(version=version, error_correction=_IN_LIBRARY[level])
    size = code.modules_count = size_of(version)
    code.modules = [[None] * size for _row in range(size)]
    for row, column in ((0, 0), (size - 7, 0), (0, size - 7)):
        code.setup_position_probe_pattern(row, column)
    code.setup_position_adjust_pattern()
    code.setup_timing_pattern()
    code.setup_type_info(False, mask)
    if version >= 7:
        code.setup_type_number(False)
    found: list[list[bool | None]] = code.modules
    return found


def _way(size: int, blank: list[list[bool | None]]) -> Iterator[tuple[int, int]]:
    """The data modules in the order in which bits are placed: two columns at a time, up and down, from the right."""
    up = True
    for right in range(size - 1, 0, -2):
        # The timing column is passed over.
        column = right if right > 6 else right - 1
        for row in reversed(range(size)) if up else range(size):
            for one in (column, column - 1):
                if blank[row][one] is None:
                    yield row, one
        up = not up


def _joined(bits: Iterator[bool]) -> int:
    return int("".join("1" if bit else "0" for bit in bits), 2)


@cache
def _windows(size: int, across: int, down: int) -> int:
    """The modules from which so many more, across and down, still lie within the symbol."""
    return _joined(row + down <= size and column + across <= size for row in range(size) for column in range(size))


def _penalty(bits: int, size: int) -> int:
    """How hard a symbol is to read, by the standard's four rules (ISO/IEC 18004, 7.8.3.1)."""
    whole = _windows(size, 1, 1)
    light = whole ^ bits
    points = 0
    same: list[int] = []
    for step, windows in ((1, _across), (size, _down)):
        alike = (bits & bits << step | light & light << step) & windows(size, 2)
        same.append(alike)
        five = alike & alike << step
        five &= five << 2 * step
        five &= windows(size, 5)
        # A run of n ≥ 5 costs n - 2: it has n - 4 beginnings of five, and one beginning of its own.
        points += five.bit_count() + 2 * (five & ~(five >> step)).bit_count()
        finder = bits & light << step & bits << 2 * step & bits << 3 * step & bits << 4 * step
        finder &= light << 5 * step & bits << 6 * step
        four = light & light << step
        four &= four << 2 * step
        before, after = four & finder << 4 * step, finder & four << 7 * step
        eleven = windows(size, 11)
        points += 40 * ((before & eleven).bit_count() + (after & eleven).bit_count())
    across, down = same
    points += 3 * (across & down & across << size).bit_count()
    return points + 10 * int(abs(bits.bit_count() * 100 / (size * size) - 50) / 5)


def _across(size: int, count: int) -> int:
    return _windows(size, count, 1)


def _down(size: int, count: int) -> int:
    return _windows(size, 1, count)
