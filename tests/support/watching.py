"""Someone who keeps what the log once showed and holds it to that: every entry, every root, every receipt."""

import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.merkle import Frontier, leaf_hash
from trace.ledger.note import Verifier
from trace.ledger.proof import verify_proof
from village.db import db

BACK = 60.0
"""Seconds that a killed database may take to come back."""

_ENTRIES = text('SELECT "index", leaf_hash, body FROM ledger_entry WHERE "index" >= :first ORDER BY "index"')


@dataclass(frozen=True)
class Promise:
    """What a writer was told."""

    index: int
    leaf: bytes
    receipt: str


class Watcher:
    """Reads the log from where it stopped, past all code of the store: what it has seen must stay."""

    def __init__(self, origin: str, vkey: str) -> None:
        self.origin = origin
        self.key = Verifier.parse(vkey)
        self.leaves: list[bytes] = []
        self.bodies: list[bytes] = []
        self.frontier = Frontier()
        self.roots = [self.frontier.root()]

    def look(self) -> None:
        """Take in what was added; the signed checkpoint must be of just that, and no older entry may differ."""
        size, note, rows = self._read()
        assert [row[0] for row in rows] == list(range(self._again(), size)), "a gap, or more than was signed"
        for index, leaf, body in rows:
            assert leaf_hash(body) == leaf, f"entry {index} does not hash to its leaf hash"
            if index < len(self.leaves):
                assert (leaf, body) == (self.leaves[index], self.bodies[index]), f"entry {index} was replaced"
                continue
            self.leaves.append(leaf)
            self.bodies.append(body)
            self.frontier, _ = self.frontier.append(leaf)
            self.roots.append(self.frontier.root())
        assert len(self.leaves) == size, "the log is shorter than it was"
        head = open_checkpoint(note, self.origin, [self.key]).checkpoint
        assert (head.size, head.root) == (size, self.roots[-1]), "the checkpoint is of another tree"

    def hold(self, promise: Promise) -> None:
        """What a writer was promised must be so, and its receipt must hold and be of this very log."""
        assert promise.index < len(self.leaves), f"entry {promise.index} was promised, and is lost"
        assert self.leaves[promise.index] == promise.leaf, f"another entry stands in the place of {promise.index}"
        result = verify_proof(self.bodies[promise.index], promise.receipt, self.origin, [self.key])
        assert result.holds and result.signed is not None, result.reason
        assert result.index == promise.index
        head = result.signed.checkpoint
        assert head.size <= len(self.leaves), "a receipt was signed over more than there is"
        assert head.root == self.roots[head.size], f"a receipt was signed over another log of {head.size} entries"

    def _again(self) -> int:
        """The last entries are read again: they are what a kill would strike."""
        return max(0, len(self.leaves) - 50)

    def _read(self) -> tuple[int, str, list[tuple[int, bytes, bytes]]]:
        deadline = time.monotonic() + BACK
        while True:
            try:
                with db.engine.connect() as connection:
                    if connection.dialect.name == "postgresql":
                        connection = connection.execution_options(isolation_level="REPEATABLE READ")
                    state = connection.execute(text("SELECT size, checkpoint FROM ledger_state")).one()
                    rows = connection.execute(_ENTRIES, {"first": self._again()})
                    return state.size, state.checkpoint, [(row[0], bytes(row[1]), bytes(row[2])) for row in rows]
            except DBAPIError:
                assert time.monotonic() < deadline, "the database did not come back"
                db.engine.dispose()
                time.sleep(0.05)
