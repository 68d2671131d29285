"""The ledger's tables. Entries, links and nodes are only ever added to; triggers refuse anything else.

What can be computed from the entries (nodes, links, the state) is stored as well, so that a proof is one query;
`flask ledger verify` computes it all again from the entries' own bytes.
"""

from collections.abc import Sequence

from sqlalchemy import DDL, CheckConstraint, ForeignKey, LargeBinary, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from village.db import Base, Moment

MAX_ENTRY = 16 * 1024
"""Bytes in an entry at most; the tile format would take 65,535."""


class LedgerEntry(Base):
    """One entry: the very bytes that were hashed, never serialised again."""

    __tablename__ = "ledger_entry"
    __table_args__ = (CheckConstraint(f"length(body) <= {MAX_ENTRY}", name="size"),)

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_at: Mapped[Moment] = mapped_column(index=True)


class LedgerLink(Base):
    """An entry's place in one batch's own chain."""

    __tablename__ = "ledger_link"

    batch: Mapped[str] = mapped_column(String(200), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), index=True)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    """The entry's leaf hash: what the batch's next entry names as its `prev`."""


class LedgerNode(Base):
    """The hash of a complete subtree: 2^level leaves from position × 2^level on. Leaves themselves are level 0."""

    __tablename__ = "ledger_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerState(Base):
    """The one row that moves: how long the log is, its right edge, and its signed checkpoint."""

    __tablename__ = "ledger_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin: Mapped[str] = mapped_column(String(200))
    """Set once, when the log is born; never changes."""
    vkey: Mapped[str] = mapped_column(String(300))
    """The log's own verifier key: a key file that does not fit it is refused."""
    custodian_vkey: Mapped[str] = mapped_column(String(300))
    size: Mapped[int]
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    """Hashes of the complete subtrees on the right edge, largest first, 32 bytes each."""
    checkpoint: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[Moment]


class Commitment(Base):
    """What a commitment on the ledger is about. Erasing a row forgets the value; every proof stays valid."""

    __tablename__ = "ledger_commitment"

    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    value: Mapped[str] = mapped_column(Text)


APPEND_ONLY = (LedgerEntry, LedgerLink, LedgerNode)

PG_REFUSE = """
CREATE OR REPLACE FUNCTION soi_append_only() RETURNS trigger AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is only added to: % on % refused', TG_OP, TG_TABLE_NAME;
END $$ LANGUAGE plpgsql
"""


def no_replace(table: str, keys: Sequence[str]) -> str:
    """SQLite's statement against REPLACE, which takes a row away without a word to its DELETE trigger."""
    same = " AND ".join(f'"{key}" = NEW."{key}"' for key in keys)
    return (
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) OR EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid) "
        f"BEGIN SELECT RAISE(ABORT, 'the ledger is only added to: REPLACE on {table} refused'); END"
    )


def guards(table: str, dialect: str, keys: Sequence[str]) -> list[str]:
    """The statements that make `table`, whose primary key is `keys`, append-only in 'sqlite' or 'postgresql'."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is only added to: {verb} on {table} refused'); END"
            for verb in ("UPDATE", "DELETE")
        ] + [no_replace(table, keys)]
    return [
        PG_REFUSE,
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION soi_append_only()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION soi_append_only()",
    ]


for _model in APPEND_ONLY:
    _table = _model.__table__
    assert isinstance(_table, Table)
    for _dialect in ("sqlite", "postgresql"):
        for _statement in guards(_table.name, _dialect, [column.name for column in _table.primary_key]):
            _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # the library has no type here
            event.listen(_table, "after_create", _ddl.execute_if(dialect=_dialect))
