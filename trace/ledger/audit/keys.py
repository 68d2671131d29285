"""The keys of the log, from the entries that the table of keys names, and that table against those entries.

The table is not trusted: an entry of type `key` that it does not name is a fault at that entry, and nothing before
that entry can have been judged wrongly for want of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trace.ledger.audit.chunk import Fault
from trace.ledger.audit.raw import Raw
from trace.ledger.canonical import parse
from trace.ledger.errors import LedgerError
from trace.ledger.keyring import Keyring

_ROWS = "SELECT key, role, enrolled_entry, ended_entry FROM ledger_key"


@dataclass(frozen=True)
class Keys:
    """What a keyring is made of; small enough to be handed to every worker."""

    origin: str
    roots: tuple[str, ...]
    """The ledger's first key: the only one that no entry enrolled."""
    entries: tuple[tuple[int, bytes], ...]
    """Key entries in the log's order, with their bytes."""
    custodian: str | None = None
    """The vkey of the custodian that signs now."""

    def ring(self) -> Keyring:
        """A keyring that has learned all of them; what cannot be learned is a fault that `read_keys` has named."""
        ring = Keyring(self.origin, self.roots)
        for index, body in self.entries:
            try:
                ring.learn(index, parse(body))
            except LedgerError:
                continue
        return ring


def read_keys(raw: Raw, origin: str, size: int) -> tuple[Keys, list[Fault]]:
    """The keys as the table tells of them, and what is wrong in it or in the entries that it names."""
    rows = raw.rows(_ROWS)
    faults: list[Fault] = []
    roots = tuple(sorted({key for key, role, enrolled, _ in rows if role == "ledger" and enrolled == 0}, key=str))
    try:
        if len(roots) != 1:
            raise LedgerError(f"there are {len(roots)}")
        ring = Keyring(origin, roots)
    except (LedgerError, TypeError, ValueError, AttributeError) as error:
        faults.append(Fault(None, f"the table of keys does not tell the ledger's first key: {error}"))
        roots, ring = (), Keyring(origin)
    told: dict[Any, tuple[str, int, int | None]] = {root: ("ledger", 0, None) for root in roots}
    named = {0}
    for index in (index for row in rows for index in row[2:] if index is not None):
        if type(index) is int and 0 <= index < size:
            named.add(index)
        else:
            faults.append(Fault(None, f"the table of keys names an entry {index!r} that is not there"))
    entries: list[tuple[int, bytes]] = []
    for index in sorted(named):
        body = raw.one(f'SELECT body FROM ledger_entry WHERE "index" = {index}')
        if not isinstance(body, bytes):
            continue  # the chunk that it would be in says so
        entries.append((index, body))
        try:
            record = parse(body)
            if record.get("type") != "key":
                faults.append(Fault(index, "the table of keys names it, but it is no key entry"))
                continue
            ring.learn(index, record)
            _tell(told, index, record["key"])
        except LedgerError as error:
            faults.append(Fault(index, f"it is no key entry that holds: {error}"))
    if not faults:
        faults += _differences(rows, told)
    custodian = next((key for key, (role, _, ended) in told.items() if role == "custodian" and ended is None), None)
    return Keys(origin, roots, tuple(entries), custodian), faults


def unnamed(keys: Keys, met: Iterable[int]) -> Fault | None:
    """The first of the key entries that were met on the log but do not stand in the table."""
    named = {index for index, _ in keys.entries}
    missed = min((index for index in met if index not in named), default=None)
    return None if missed is None else Fault(missed, "the table of keys does not know this key entry")


def _tell(told: dict[Any, tuple[str, int, int | None]], index: int, key: dict[str, Any]) -> None:
    """What the table must say after this entry; `key` is one that was learned, and so has the form of its kind."""
    role, name = key["role"], key["key"] if key["role"] == "device" else key["vkey"]
    if key["status"] == "enrolled":
        told[name] = (role, index, None)
    ended = name if key["status"] != "enrolled" else key.get("replaces") if role == "custodian" else None
    if ended in told:
        told[ended] = (*told[ended][:2], index)


def _differences(rows: list[tuple[Any, ...]], told: dict[Any, tuple[str, int, int | None]]) -> list[Fault]:
    stored = {row[0]: row[1:] for row in rows}
    return [
        Fault(
            max((row[1] for row in (stored.get(key), told.get(key)) if row), default=None),
            f"the table of keys tells something else of {key} than the key entries",
        )
        for key in sorted(stored.keys() | told.keys(), key=str)
        if stored.get(key) != told.get(key)
    ]
