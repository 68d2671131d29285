"""Verification of what is stored: every entry's bytes are read and hashed again, and everything that was computed
from them is computed anew and compared. It reads one snapshot, goes forward once, and so always ends."""

import base64
import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, select, text

from trace.ledger import merkle
from trace.ledger.canonical import canonical, parse
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.errors import LedgerError
from trace.ledger.keys import CUSTODY
from trace.ledger.merkle import Frontier
from trace.ledger.models import APPEND_ONLY, Commitment, LedgerLink, LedgerNode, LedgerState
from trace.ledger.note import Verifier
from trace.ledger.store import commitment
from village.db import db

CHUNK = 1000


@dataclass(frozen=True)
class Fault:
    """Something that does not hold. `index` is the entry at fault; None when it is the log's state as a whole."""

    index: int | None
    what: str


@dataclass(frozen=True)
class Report:
    """What verification found: how many entries were hashed, the root over them, and the first fault if any."""

    entries: int
    root: bytes
    fault: Fault | None

    @property
    def holds(self) -> bool:
        """True when everything did."""
        return self.fault is None


def verify(progress: Callable[[int], None] = lambda _done: None) -> Report:
    """Check the whole stored ledger. `progress` is told now and then how many entries are done."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        return _Check(connection, progress).run()


class _Check:
    def __init__(self, connection: Connection, progress: Callable[[int], None]) -> None:
        self.connection = connection
        self.progress = progress
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.frontier = Frontier()
        self.custodians: dict[str, Ed25519PublicKey] = {}
        self.recorded = ""

    def run(self) -> Report:
        """One pass forward over entries, links, nodes and commitments side by side."""
        # As text too: a time that is none must not end the check.
        state = self.connection.execute(text(f"SELECT * FROM {LedgerState.__tablename__}")).one_or_none()
        links = _grouped(self._rows(LedgerLink, "entry_index", "batch"), "entry_index")
        commitments = _grouped(self._rows(Commitment, "entry_index", "name"), "entry_index")
        fault: Fault | None = None
        for row in self._entries():
            try:
                what = self._entry(row, links, commitments)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                what = f"it cannot be read as an entry: {error!r}"
            if what:
                fault = Fault(min(row.number, self.frontier.size), what)
                break
            if row.number % CHUNK == 0:
                self.progress(row.number)
        size = self.frontier.size
        self.progress(size)
        fault = fault or self._tail(state, size, links, commitments)
        return Report(size, self.frontier.root(), fault)

    def _rows(self, model: type[Any], *order: str) -> Iterator[Row[Any]]:
        table = model.__table__
        statement = select(table).order_by(*(table.c[name] for name in order))
        return iter(self.connection.execution_options(yield_per=CHUNK).execute(statement))

    def _entries(self) -> Iterator[Row[Any]]:
        # As text, without column types: a value of the wrong kind must fail its own entry, not its whole chunk.
        statement = text('SELECT "index" AS number, leaf_hash, body, recorded_at FROM ledger_entry ORDER BY "index"')
        return iter(self.connection.execution_options(yield_per=CHUNK).execute(statement))

    def _entry(self, row: Row[Any], links: "_Groups", commitments: "_Groups") -> str | None:
        index = self.frontier.size
        if row.number != index:
            return f"entry {index} is missing; the next one stored is {row.number}"
        if merkle.leaf_hash(row.body) != row.leaf_hash:
            return "its bytes do not hash to its stored leaf hash"
        try:
            record = parse(row.body)
        except LedgerError as error:
            return f"its bytes are no entry: {error}"
        stored_at = _moment(row.recorded_at)
        if record.get("recordedAt") != stored_at:
            return f"its stored time {stored_at} is not the {record.get('recordedAt')} in its bytes"
        self.recorded = stored_at
        return (
            self._chain(record, row.leaf_hash, links.take(index))
            or self._signature(record)
            or self._commitments(record, commitments.take(index))
            or self._nodes(row.leaf_hash)
        )

    def _chain(self, record: dict[str, Any], leaf: bytes, stored: list[Row[Any]]) -> str | None:
        for link in record["chain"]:
            head = self.heads.get(link["batch"])
            seq, prev = (head[0] + 1, base64.b64encode(head[1]).decode()) if head else (0, None)
            if (link["seq"], link["prev"]) != (seq, prev):
                return f"its link of {link['batch']} does not follow entry {seq - 1} of that batch"
            self.heads[link["batch"]] = (seq, leaf)
        told = sorted((link["batch"], link["seq"], leaf) for link in record["chain"])
        if sorted((row.batch, row.seq, row.leaf_hash) for row in stored) != told:
            return "the stored links are not those in its bytes"
        return None

    def _signature(self, record: dict[str, Any]) -> str | None:
        if record["type"] == "key" and record["key"]["role"] == "custodian":
            key = Verifier.parse(record["key"]["vkey"])
            self.custodians[key.key_id.hex()] = Ed25519PublicKey.from_public_bytes(key.public_key)
        signed = record["custodian"]
        public = self.custodians.get(signed["key"])
        if public is None:
            return f"it is signed with a key {signed['key']} that no earlier entry enrolled"
        try:
            public.verify(base64.b64decode(signed["sig"]), CUSTODY + canonical(record["event"]))
        except InvalidSignature:
            return "its custodian's signature does not fit its event"
        return None

    def _commitments(self, record: dict[str, Any], stored: list[Row[Any]]) -> str | None:
        for row in stored:
            if record["commitments"].get(row.name) != commitment(row.salt, row.value):
                return f"the kept value of {row.name} is not the one that it commits to"
        return None

    def _nodes(self, leaf: bytes) -> str | None:
        self.frontier, complete = self.frontier.append(leaf)
        if not complete:
            return None
        # A leaf completes few nodes, all on one path: their rows are found by key, whatever order they lie in.
        wanted = {(node.level, node.number): node.hash for node in complete}
        table = LedgerNode.__table__
        rows = self.connection.execute(
            select(table.c.level, table.c.position, table.c.hash).where(
                text(" OR ".join(f"(level = {level} AND position = {number})" for level, number in wanted))
            )
        )
        found = {(level, position): value for level, position, value in rows}
        for place, value in wanted.items():
            if found.get(place) != value:
                return f"the stored tree node {place} is not what the entries hash to"
        return None

    def _tail(
        self, state: Row[Any] | None, size: int, links: "_Groups", commitments: "_Groups"
    ) -> Fault | None:
        if state is None:
            return Fault(None, "the log was never born, yet has entries") if size else None
        if state.size != size:
            return Fault(size, f"the log says that it has {state.size} entries, but {size} are stored")
        if (orphan := links.rest()) is not None or (orphan := commitments.rest()) is not None:
            return Fault(orphan, "there are links or commitments of it, but it is not stored")
        nodes = self.connection.execute(text("SELECT count(*) FROM ledger_node")).scalar_one()
        if nodes != size - size.bit_count():
            return Fault(None, f"{nodes} tree nodes are stored, but {size} entries have {size - size.bit_count()}")
        if state.frontier != b"".join(self.frontier.hashes):
            return Fault(None, "the stored right edge of the tree is not what the entries hash to")
        try:
            opened = open_checkpoint(state.checkpoint, state.origin, [Verifier.parse(state.vkey)]).checkpoint
            custodian = Verifier.parse(state.custodian_vkey).key_id.hex()
            signed_at = _moment(state.signed_at)
        except (LedgerError, ValueError, TypeError, AttributeError) as error:
            return Fault(None, f"the stored checkpoint, its keys or its time do not hold: {error}")
        if (opened.size, opened.root) != (size, self.frontier.root()):
            return Fault(None, "the signed checkpoint is of another tree than the stored entries")
        if custodian not in self.custodians:
            return Fault(None, "the custodian's key in the log's state is not on the log")
        if signed_at != self.recorded:
            return Fault(None, f"the checkpoint's stored time {signed_at} is not its newest entry's {self.recorded}")
        return self._guards()

    def _guards(self) -> Fault | None:
        """The triggers must be there: whoever took them away meant to change something."""
        sqlite = self.connection.dialect.name == "sqlite"
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'" if sqlite else "SELECT tgname FROM pg_trigger"
        there = {name for (name,) in self.connection.execute(text(query))}
        endings = ("no_update", "no_delete", "no_replace") if sqlite else ("append_only", "no_truncate")
        for model in APPEND_ONLY:
            for ending in endings:
                if f"{model.__tablename__}_{ending}" not in there:
                    return Fault(None, f"the trigger that guards {model.__tablename__} ({ending}) is gone")
        return None


class _Groups:
    """Rows in the order of their entry, taken entry by entry as the entries go by."""

    def __init__(self, groups: Iterator[tuple[int, Iterator[Row[Any]]]]) -> None:
        self._groups = groups
        self._next: tuple[int, list[Row[Any]]] | None = None
        self._advance()

    def _advance(self) -> None:
        found = next(self._groups, None)
        self._next = (found[0], list(found[1])) if found else None

    def take(self, index: int) -> list[Row[Any]]:
        """The rows of entry `index`; rows of an earlier entry that never came by are left for `rest`."""
        if self._next is None or self._next[0] != index:
            return []
        rows = self._next[1]
        self._advance()
        return rows

    def rest(self) -> int | None:
        """The number of an entry that has rows but never came by; None when nothing is left."""
        return self._next[0] if self._next else None


def _moment(stored: str | dt.datetime) -> str:
    """As in an entry's bytes; SQLite gives text without a zone."""
    moment = dt.datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    return moment.isoformat(timespec="microseconds").replace("000+00:00", "Z")


def _grouped(rows: Iterator[Row[Any]], name: str) -> _Groups:
    return _Groups(itertools.groupby(rows, key=lambda row: getattr(row, name)))
