"""What no chunk sees: the log's state, rows that lie outside of the log, and the nodes above the chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trace.ledger.audit.chunk import LEVEL, Fault
from trace.ledger.audit.kept import check_kept, signed
from trace.ledger.audit.keys import Keys, read_keys
from trace.ledger.audit.raw import Raw
from trace.ledger.errors import LedgerError
from trace.ledger.keyring import Keyring
from trace.ledger.merkle import node_hash

_STATE = "size, frontier, checkpoint, origin, vkey, next_vkey, custodian_vkey"


@dataclass(frozen=True)
class State:
    """The one row that moves, as it was when the check began."""

    size: int
    frontier: bytes
    checkpoint: str
    origin: str
    ledger: tuple[str, ...]
    """The keys that sign now: one, or two in an overlap."""
    custodian: str


@dataclass(frozen=True)
class Snapshot:
    """What was read in one instant, before the chunks: `size` entries are there to be checked."""

    state: State | None
    size: int
    keys: Keys
    high: tuple[tuple[Any, ...], ...]
    """Stored nodes above the chunks: level, position, hash."""
    faults: tuple[Fault, ...]


def look(raw: Raw) -> Snapshot:
    """Read the log's state, and check what is kept beside the entries."""
    with raw.snapshot():
        state, signed_at, faults = _state(raw)
        if state is None:
            there = raw.one("SELECT count(*) FROM ledger_entry")
            if there and not faults:
                faults = [Fault(None, "the log was never born, yet has entries")]
            return Snapshot(None, 0, Keys("", (), ()), (), tuple(faults))
        there = raw.one(f'SELECT count(*) FROM ledger_entry WHERE "index" >= 0 AND "index" < {state.size}')
        keys, wrong = read_keys(raw, state.origin, state.size)
        faults += wrong
        faults += _outside(raw, state.size)
        if there < state.size:
            # The chunks name an entry that is missing between others; this is about those after the last.
            faults.append(Fault(there, f"the log says that it has {state.size} entries, but {there} are stored"))
        ring = keys.ring()
        faults += _checkpoint(state, ring, keys.custodian)
        newest = raw.one(f'SELECT {raw.moment("recorded_at")} FROM ledger_entry WHERE "index" = {state.size - 1}')
        if newest is not None and newest != signed_at:
            faults.append(Fault(None, f"the checkpoint's stored time {signed_at} is not its newest entry's {newest}"))
        faults += check_kept(raw, ring, state.size)
        high = raw.rows(f"SELECT level, position, hash FROM ledger_node WHERE level > {LEVEL} ORDER BY level, position")
        return Snapshot(state, there, keys, tuple(high), tuple(faults))


def check_high(high: Sequence[tuple[Any, ...]], roots: Sequence[bytes]) -> tuple[list[Sequence[bytes]], Fault | None]:
    """The complete nodes over the full chunks' roots, level by level, and the first that is stored differently."""
    levels: list[Sequence[bytes]] = [roots]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    wanted = {
        (level, position): value
        for level, row in enumerate(levels[1:], start=LEVEL + 1)
        for position, value in enumerate(row)
    }
    stored = {(level, position): value for level, position, value in high}
    wrong = [place for place, value in wanted.items() if stored.get(place) != value]
    if not wrong:
        return levels, None
    level, position = min(wrong, key=lambda place: (place[1] + 1) << place[0])
    what = f"the stored tree node ({level}, {position}) is not what entries hash to"
    return levels, Fault(((position + 1) << level) - 1, what)


def _state(raw: Raw) -> tuple[State | None, str, list[Fault]]:
    rows = raw.rows(f"SELECT {_STATE}, {raw.moment('signed_at')}, id FROM ledger_state")
    if not rows:
        return None, "", []
    size, frontier, checkpoint, origin, vkey, next_vkey, custodian, signed_at, number = rows[0]
    texts = [checkpoint, origin, vkey, custodian, signed_at, *([] if next_vkey is None else [next_vkey])]
    whole = type(size) is int and size >= 0 and isinstance(frontier, bytes) and all(isinstance(t, str) for t in texts)
    if len(rows) != 1 or number != 1 or not whole:
        return None, "", [Fault(None, "the log's state cannot be read")]
    ledger = (vkey,) if next_vkey is None else (vkey, next_vkey)
    return State(size, frontier, checkpoint, origin, ledger, custodian), signed_at, []


def _outside(raw: Raw, size: int) -> Iterator[Fault]:
    """Rows of entries that the log does not have."""
    columns = (
        ("ledger_entry", "index"), ("ledger_link", "entry_index"), ("ledger_commitment", "entry_index"),
        ("ledger_erasure", "entry_index"), ("ledger_erasure", "told_entry"),
    )  # fmt: skip
    for table, column in columns:
        found = raw.rows(
            f'SELECT "{column}" FROM {table} WHERE "{column}" < 0 OR "{column}" >= {size} OR "{column}" IS NULL '
            f'ORDER BY "{column}" LIMIT 1'
        )
        if found:
            index = found[0][0] if type(found[0][0]) is int else None
            yield Fault(index, f"there is a row of it in {table}, but the log has {size} entries")
    nodes = raw.one("SELECT count(*) FROM ledger_node")
    if nodes != size - size.bit_count():
        yield Fault(None, f"{nodes} tree nodes are stored, but {size} entries have {size - size.bit_count()}")


def _checkpoint(state: State, ring: Keyring, custodian: str | None) -> Iterator[Fault]:
    """Who signed; of which tree, the end of the check compares."""
    try:
        signed(state.checkpoint, state.size, ring)
    except (LedgerError, ValueError) as error:
        yield Fault(None, f"the stored checkpoint does not hold: {error}")
    good = {key.vkey for key in ring.ledger_at(max(state.size, 1))}
    if good != set(state.ledger) or len(good) != len(state.ledger):
        yield Fault(None, "the ledger's keys in the log's state are not those that the log names")
    if state.custodian != custodian:
        yield Fault(None, "the custodian's key in the log's state is not the one on the log")
