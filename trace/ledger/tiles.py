"""Tiles (c2sp.org/tlog-tiles): the log cut into immutable files that any web server or mirror can hold.

A hash tile at level L holds the complete tree nodes of level 8·L; an entry bundle holds the entries.
Both are 256 wide when full. A partial one (`.p/W`) is a prefix of the full one, so it stays true for ever.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from trace.ledger.encoding import MAX_SIZE, from_decimal, shown
from trace.ledger.errors import MalformedTile
from trace.ledger.merkle import HASH_BYTES, NodeId

WIDTH = 256
ENTRIES = -1
"""The `level` of an entry bundle."""

MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF

_MAX_PATH = 64
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """Which tile: `level` (or ENTRIES), number `n` from the left, and `width` (1 to 256; 256 is full)."""

    level: int
    n: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= MAX_LEVEL:
            raise MalformedTile(f"there is no tile level {self.level}")
        if not 0 <= self.n <= MAX_SIZE:
            raise MalformedTile(f"there is no tile number {self.n}")
        if not 0 < self.width <= WIDTH:
            raise MalformedTile(f"a tile cannot be {self.width} wide")

    @property
    def start(self) -> int:
        """Index, at the tile's level, of its first hash or entry."""
        return self.n * WIDTH

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The tree nodes whose hashes the tile holds; for an entry bundle, the leaves of its entries."""
        level = 8 * max(self.level, 0)
        return tuple(NodeId(level, self.start + i) for i in range(self.width))

    def exists_at(self, size: int) -> bool:
        """Whether a log of `size` entries can serve it; narrower prefixes of what it has count too."""
        return self.start + self.width <= _count(self.level, size)

    def format(self) -> str:
        """The path under the log's URL, without a leading slash, as `tile/0/x001/x234/067.p/5`."""
        digits = str(self.n)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        number = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{number}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path as `format` writes it. Raises MalformedTile for any other spelling."""
        found = _PATH.fullmatch(path) if len(path) <= _MAX_PATH else None
        if not found:
            raise MalformedTile(f"not a tile path: {shown(path)}")
        level = ENTRIES if found[1] == "entries" else from_decimal(found[1])
        n = from_decimal(found[2].replace("/", "").replace("x", "").lstrip("0") or "0")
        width = WIDTH if found[3] is None else from_decimal(found[3])
        if level is None or n is None or width is None:
            raise MalformedTile(f"not a tile path: {shown(path)}")
        tile = cls(level, n, width)
        # Catches x000/ in front, and .p/256 for a full tile: each tile has one address.
        if tile.format() != path:
            raise MalformedTile(f"not the plain spelling of a tile path: {shown(path)}")
        return tile


def tile_at(level: int, n: int, size: int) -> Tile | None:
    """The widest tile `n` of `level` (or ENTRIES) that a log of `size` entries has, None if it has none."""
    width = min(_count(level, size) - n * WIDTH, WIDTH)
    return Tile(level, n, width) if width > 0 else None


def tiles_at(size: int) -> Iterator[Tile]:
    """Every tile and bundle of a log of `size` entries: bundles first, then level by level."""
    return new_tiles(0, size)


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """The tiles and bundles of size `new` that size `old` did not have in that width."""
    for level in range(ENTRIES, MAX_LEVEL + 1):
        before, count = _count(level, old), _count(level, new)
        if count == before:
            # Where a level has not grown, no level above it has.
            return
        for n in range(before // WIDTH, -(-count // WIDTH)):
            tile = tile_at(level, n, new)
            if tile is not None:
                yield tile


def encode_hashes(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a hash tile. Raises MalformedTile."""
    if not 0 < len(hashes) <= WIDTH:
        raise MalformedTile(f"a tile cannot hold {len(hashes)} hashes")
    if any(len(value) != HASH_BYTES for value in hashes):
        raise MalformedTile("a hash in a tile is not 32 bytes")
    return b"".join(hashes)


def decode_hashes(data: bytes, width: int) -> tuple[bytes, ...]:
    """The hashes of a tile that must be `width` wide. Raises MalformedTile."""
    if not 0 < width <= WIDTH or len(data) != width * HASH_BYTES:
        raise MalformedTile(f"a tile of width {width} cannot have {len(data)} bytes")
    return tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle: each entry after its length as a big-endian uint16. Raises MalformedTile."""
    if not 0 < len(entries) <= WIDTH:
        raise MalformedTile(f"a bundle cannot hold {len(entries)} entries")
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise MalformedTile(f"an entry of {len(entry)} bytes does not fit in a bundle")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def decode_entries(data: bytes, width: int) -> tuple[bytes, ...]:
    """The entries of a bundle that must hold exactly `width`. Raises MalformedTile."""
    if not 0 < width <= WIDTH:
        raise MalformedTile(f"a bundle cannot be {width} wide")
    entries: list[bytes] = []
    at = 0
    for number in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise MalformedTile(f"the bundle ends within entry {number} of {width}")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data):
        raise MalformedTile(f"{len(data) - at} bytes follow the last of {width} entries")
    return tuple(entries)


def _count(level: int, size: int) -> int:
    """How many hashes (or entries) there are at a tile level."""
    return size >> (8 * max(level, 0))
