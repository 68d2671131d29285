"""One chunk of the stored log: a run of entries that begins at a multiple of CHUNK, with all that belongs to them.

A chunk is checked without knowing the others' outcome: what it needs of them (the time of the entry before it, the
links that its own follow) it reads from rows that their own chunks compare with the bytes.
"""

import datetime as dt
import gc
import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from trace.ledger.audit.raw import CouldNotCheck, Raw
from trace.ledger.canonical import parse_with
from trace.ledger.encoding import to_base64
from trace.ledger.errors import LedgerError
from trace.ledger.keyring import Keyring
from trace.ledger.merkle import leaf_hash, node_hash

LEVEL = 10
CHUNK = 1 << LEVEL
"""Entries in a chunk, so that a full one is a complete subtree."""

VERSION = 1
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_NO_LINK = (None,) * 6

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Fault:
    """Something that does not hold. `index` is the entry at fault; None when it is the log's state as a whole."""

    index: int | None
    what: str


@dataclass(frozen=True)
class Checked:
    """What was found in the entries [start, end). `end` is the entry at fault if there is one."""

    start: int
    end: int
    edge: tuple[bytes, ...]
    """The complete subtrees of these entries, largest first: for a full chunk its root."""
    fault: Fault | None = None
    keys: tuple[int, ...] = ()
    """Entries of type `key`."""
    numbers: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By device, the numbers that it used, as ranges with both ends included."""
    unexplained: tuple[tuple[int, str], ...] = ()
    """Commitments whose value is neither kept nor said to be erased: entry and name."""


def check_chunk(raw: Raw, keyring: Keyring, start: int, end: int) -> Checked:
    """Check the entries [start, end), of which `start` is a multiple of CHUNK and `end` at most one CHUNK further."""
    with _without_collector():
        try:
            raw.take_any_text(False)
            return _checked(raw, keyring, start, end)
        except CouldNotCheck:
            # Perhaps some text is no UTF-8: then its own entry is at fault, and is to be named.
            raw.take_any_text(True)
            return _checked(raw, keyring, start, end)


def _checked(raw: Raw, keyring: Keyring, start: int, end: int) -> Checked:
    with raw.snapshot():
        return _Chunk(raw, keyring, start, end).check()


@contextmanager
def _without_collector() -> Iterator[None]:
    """What is read here is much and has no circles: looking for some again and again would cost a tenth of all time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _Chunk:
    def __init__(self, raw: Raw, keyring: Keyring, start: int, end: int) -> None:
        self.raw, self.keyring, self.start, self.end = raw, keyring, start, end
        self.leaves: list[bytes] = []
        self.keys: list[int] = []
        self.used: dict[str, set[int]] = defaultdict(set)
        self.unexplained: list[tuple[int, str]] = []
        self.links = self._grouped(
            # With each link the one that it follows.
            "SELECT one.entry_index, one.batch, one.seq, one.leaf_hash, before.entry_index, before.leaf_hash "
            "FROM ledger_link AS one LEFT JOIN ledger_link AS before "
            "ON before.batch = one.batch AND before.seq = one.seq - 1 WHERE {range}",
            "one.entry_index",
        )
        self.kept = self._grouped(
            "SELECT entry_index, name, salt, value FROM ledger_commitment WHERE {range}", "entry_index"
        )
        self.erased = self._grouped(
            "SELECT entry_index, name, told_entry FROM ledger_erasure WHERE {range}", "entry_index"
        )
        self.told = self._grouped(
            "SELECT told_entry, entry_index, name FROM ledger_erasure WHERE {range}", "told_entry"
        )
        self.recorded = self._time_before()
        self.moment: tuple[str, str] | None = None

    def check(self) -> Checked:
        """All entries in their order up to the first that does not hold, then the tree over them."""
        fault = self._entries()
        trees = _trees(self.leaves)
        fault = self._nodes(trees) or fault
        if fault is not None and fault.index is not None:
            trees = _trees(self.leaves[: fault.index - self.start])
        return Checked(
            self.start,
            self.start + len(trees[0]),
            _edge(trees),
            fault,
            tuple(self.keys),
            {key: list(ranges(sorted(used))) for key, used in self.used.items()},
            tuple(self.unexplained),
        )

    def _grouped(self, sql: str, column: str) -> dict[Any, list[Row]]:
        groups: dict[Any, list[Row]] = defaultdict(list)
        within = f"{column} >= {self.start} AND {column} < {self.end}"
        for row in self.raw.rows(sql.format(range=within)):
            groups[row[0]].append(row)
        return groups

    def _time_before(self) -> str:
        stored = self.raw.one(
            f'SELECT {self.raw.moment("recorded_at")} FROM ledger_entry WHERE "index" = {self.start - 1}'
        )
        return stored if isinstance(stored, str) else ""

    def _entries(self) -> Fault | None:
        entries = self.raw.each(
            f'SELECT "index", leaf_hash, body, {self.raw.moment("recorded_at")} FROM ledger_entry '
            f'WHERE "index" >= {self.start} AND "index" < {self.end} ORDER BY "index"'
        )
        index = self.start
        for number, leaf, body, stored_at in entries:
            if number != index:
                return Fault(index, f"entry {index} is missing; the next one stored is {number}")
            try:
                what = self._entry(index, leaf, body, stored_at)
            except LedgerError as error:
                what = str(error)
            except _UNREADABLE as error:
                what = f"it cannot be read as an entry: {error!r}"
            if what:
                return Fault(index, what)
            self.leaves.append(leaf)
            index += 1
        if index < self.end:
            return Fault(index, f"entry {index} is missing")
        for left in (self.links, self.kept, self.erased, self.told):
            if left:
                return Fault(int(min(left)), "there are rows of it that are of no whole entry")
        return None

    def _entry(self, index: int, leaf: bytes, body: bytes, stored_at: str) -> str | None:
        if leaf_hash(body) != leaf:
            return "its bytes do not hash to its stored leaf hash"
        try:
            record, event = parse_with(body, "event")
        except LedgerError as error:
            return f"its bytes are no entry: {error}"
        version = record["v"]
        if type(version) is not int or version != VERSION:
            return f"it is of a version {version} that is not known here"
        return (
            self._time(record["recordedAt"], stored_at)
            or self._chain(index, leaf, record["chain"])
            or self._signature(index, record, event)
            or self._commitments(index, record["commitments"])
            or self._erasures(index, record)
        )

    def _time(self, told: str, stored: str) -> str | None:
        if (told, stored) == self.moment:
            return None
        dt.datetime.fromisoformat(told)
        if not _MOMENT.fullmatch(told):
            return f"its time {told!r} is not in UTC with milliseconds"
        if f"{told[:10]} {told[11:23]}000" != stored:
            return f"its stored time {stored} is not the {told} in its bytes"
        if stored < self.recorded:
            return f"its time {stored} is before the time {self.recorded} of the entry before"
        self.recorded = stored
        self.moment = told, stored
        return None

    def _chain(self, index: int, leaf: bytes, chain: Sequence[dict[str, Any]]) -> str | None:
        rows = self.links.pop(index, [])
        if len(rows) > len(chain):
            # Where two entries are one number of a batch, the next follows the first of them; the other is the fork.
            rows.sort(key=lambda row: row[4] or 0, reverse=True)
        stored = {row[1]: row for row in rows}
        if len(stored) != len(chain):
            return "the stored links are not those in its bytes"
        for link in chain:
            seq, prev = link["seq"], link["prev"]
            _, _, stored_seq, stored_leaf, before, before_leaf = stored.pop(link["batch"], _NO_LINK)
            if type(seq) is not int or stored_seq != seq or stored_leaf != leaf:
                return "the stored links are not those in its bytes"
            if seq == 0 and before is None and prev is None:
                continue
            if seq <= 0 or before is None or before >= index or to_base64(before_leaf) != prev:
                return f"its link of {link['batch']} does not follow entry {seq - 1} of that batch"
        return None

    def _signature(self, index: int, record: dict[str, Any], event: bytes | None) -> str | None:
        if record["type"] == "key":
            self.keys.append(index)
        signed = self.keyring.check(index, record, event)
        if signed.seq is not None:
            used = self.used[signed.key]
            if signed.seq in used:
                return f"its phone's key {signed.key} had used the number {signed.seq} before"
            used.add(signed.seq)
        return None

    def _commitments(self, index: int, told: dict[str, str]) -> str | None:
        kept = self.kept.pop(index, ())
        for _, name, salt, value in kept:
            if told.get(name) != to_base64(_mac(salt, value.encode())):
                return f"the kept value of {name} is not the one that it commits to"
        if index not in self.erased and len(kept) == len(told):
            return None
        erased = {name for _, name, _ in self.erased.pop(index, ())}
        if not erased.issubset(told):
            return "it is said that something was erased of it that it does not have"
        there = {name for _, name, _, _ in kept}
        if twice := sorted(there & erased):
            return f"the value of {twice[0]} is kept, though it is said to be erased"
        self.unexplained += [(index, name) for name in sorted(told.keys() - erased - there)]
        return None

    def _erasures(self, index: int, record: dict[str, Any]) -> str | None:
        rows = self.told.pop(index, ())
        if record["type"] != "erasure":
            return "something is stored as erased by it, but it erases nothing" if rows else None
        of = record["erasure"]["of"]
        if sorted((entry, name) for _, entry, name in rows) != sorted((entry, name) for entry, name in of):
            return "what is stored as erased by it is not what it says"
        if any(not entry < index for entry, _ in of):
            return "it erases something of an entry that comes after it"
        return None

    def _nodes(self, trees: Sequence[Sequence[bytes]]) -> Fault | None:
        """Compare the stored nodes within the chunk; of those that do not fit, name the first to be completed."""
        first: Fault | None = None
        for level, hashes in enumerate(trees[1:], start=1):
            begin = self.start >> level
            stored = self.raw.rows(
                f"SELECT position, hash FROM ledger_node WHERE level = {level} "
                f"AND position >= {begin} AND position < {begin + len(hashes)} ORDER BY position"
            )
            wanted = list(enumerate(hashes, start=begin))
            if stored != wanted:
                position = next((place for place, hash in wanted if stored.count((place, hash)) != 1), begin)
                completed = ((position + 1) << level) - 1
                if first is None or first.index is None or completed < first.index:
                    first = Fault(completed, f"the stored tree node ({level}, {position}) is not what entries hash to")
        return first


def _mac(salt: bytes, value: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104), for a key within one block: half the time that the library needs to set one up."""
    if len(salt) > 64:
        return hmac.digest(salt, value, hashlib.sha256)
    key = salt.ljust(64, b"\0")
    inner = hashlib.sha256(key.translate(_INNER) + value).digest()
    return hashlib.sha256(key.translate(_OUTER) + inner).digest()


def _trees(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The complete nodes over the leaves of a chunk, level by level up to its root's."""
    levels: list[Sequence[bytes]] = [leaves]
    while len(levels) <= LEVEL:
        below = levels[-1]
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return levels


def _edge(levels: Sequence[Sequence[bytes]]) -> tuple[bytes, ...]:
    size = len(levels[0])
    return tuple(levels[level][-1] for level in range(LEVEL, -1, -1) if size >> level & 1)


def ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as ranges, both ends included."""
    if not numbers:
        return
    low = high = numbers[0]
    for number in numbers[1:]:
        if number != high + 1:
            yield low, high
            low = number
        high = number
    yield low, high
