"""The ledger's tables. Entries, links and nodes are only ever added to; triggers refuse anything else.

What can be computed from the entries (nodes, links, the state) is stored as well, so that a proof is one query;
`flask ledger verify` computes it all again from the entries' own bytes.
"""

from collections.abc import Sequence

from sqlalchemy import DDL, CheckConstraint, ForeignKey, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from village.db import Base, Bytes, Moment

MAX_ENTRY = 16 * 1024
"""Bytes in an entry at most; the tile format would take 65,535."""


class LedgerEntry(Base):
    """One entry: the very bytes that were hashed, never serialised again."""

    __tablename__ = "ledger_entry"
    __table_args__ = (CheckConstraint(f"length(body) <= {MAX_ENTRY}", name="size"),)

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaf_hash: Mapped[bytes] = mapped_column(Bytes(32))
    body: Mapped[bytes] = mapped_column(Bytes)
    recorded_at: Mapped[Moment] = mapped_column(index=True)


class LedgerLink(Base):
    """An entry's place in one batch's own chain."""

    __tablename__ = "ledger_link"

    batch: Mapped[str] = mapped_column(String(200), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), index=True)
    leaf_hash: Mapped[bytes] = mapped_column(Bytes(32))
    """The entry's leaf hash: what the batch's next entry names as its `prev`."""


class LedgerNode(Base):
    """The hash of a complete subtree: 2^level leaves from position × 2^level on. Leaves themselves are level 0."""

    __tablename__ = "ledger_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(Bytes(32))


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
    frontier: Mapped[bytes] = mapped_column(Bytes)
    """Hashes of the complete subtrees on the right edge, largest first, 32 bytes each."""
    checkpoint: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[Moment]
    next_vkey: Mapped[str | None] = mapped_column(String(300))
    """In the overlap of a rotation, the ledger's coming key: both sign."""
    halted: Mapped[str | None] = mapped_column(Text)
    """Why nothing more is signed, such as a witness who holds another history; None while the log goes on."""


class LedgerKey(Base):
    """A key that entries of the log enrolled, and perhaps ended: where to find them. The entries themselves decide."""

    __tablename__ = "ledger_key"

    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    """The vkey of a ledger's or custodian's key; the JWK thumbprint (RFC 7638) of a device's."""
    role: Mapped[str] = mapped_column(String(20))
    """ledger, custodian or device."""
    enrolled_entry: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"))
    ended_entry: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.index"))
    """The entry that retired or revoked it, or said it was lost; what it signed before that entry stays good."""


class KeptCheckpoint(Base):
    """A signed checkpoint that was shown to witnesses or anchored, kept for ever."""

    __tablename__ = "ledger_checkpoint"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    """With the log's own signatures only; cosignatures are rows of their own."""
    kept_at: Mapped[Moment]


class Cosignature(Base):
    """One witness's line under a kept checkpoint."""

    __tablename__ = "ledger_cosignature"

    size: Mapped[int] = mapped_column(ForeignKey("ledger_checkpoint.size"), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    """The cosigning key's ID in hex."""
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    """The signature line, with its newline."""
    cosigned_at: Mapped[Moment]
    """The witness's own time, which the signature covers."""


class WitnessSeen(Base):
    """How we stand with a witness of the policy: what it last held, and what was the matter."""

    __tablename__ = "ledger_witness"

    vkey: Mapped[str] = mapped_column(String(300), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int | None]
    """The size that it last told or cosigned; None before it ever answered."""
    answered_at: Mapped[Moment | None]
    asked_at: Mapped[Moment]
    trouble: Mapped[str] = mapped_column(Text, default="")
    """Why its last answer was no cosignature; empty when it was one."""


class Evidence(Base):
    """Something that must not be lost: two histories, or a witness that knows more than we do."""

    __tablename__ = "ledger_evidence"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    """behind-witness, fork, bad-cosignature."""
    found_at: Mapped[Moment]
    about: Mapped[str] = mapped_column(Text)
    """Who and what, in one sentence."""
    ours: Mapped[str] = mapped_column(Text, default="")
    theirs: Mapped[str] = mapped_column(Text, default="")


class Anchor(Base):
    """A time-stamp token (RFC 3161) of an independent authority over a kept checkpoint's bytes."""

    __tablename__ = "ledger_anchor"

    size: Mapped[int] = mapped_column(ForeignKey("ledger_checkpoint.size"), primary_key=True)
    authority: Mapped[str] = mapped_column(String(200), primary_key=True)
    """The authority's address."""
    token: Mapped[bytes] = mapped_column(Bytes)
    """The whole TimeStampResp in DER, as `openssl ts` reads it."""
    stamped_at: Mapped[Moment]
    """The authority's own time."""


class Erasure(Base):
    """A personal value that was forgotten. Its commitment stays on the log, without anything that it commits to."""

    __tablename__ = "ledger_erasure"

    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    erased_at: Mapped[Moment]
    told_entry: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"))
    """The entry that says that it was erased."""


class SelfCheck(Base):
    """One scheduled check of the whole stored log."""

    __tablename__ = "ledger_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    began_at: Mapped[Moment] = mapped_column(index=True)
    ended_at: Mapped[Moment]
    size: Mapped[int]
    holds: Mapped[bool]
    first_bad: Mapped[int | None]
    """The first entry at fault; None when nothing is, or it is the log as a whole."""
    what: Mapped[str] = mapped_column(Text, default="")


class Commitment(Base):
    """What a commitment on the ledger is about. Erasing a row forgets the value; every proof stays valid."""

    __tablename__ = "ledger_commitment"

    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    salt: Mapped[bytes] = mapped_column(Bytes(32))
    value: Mapped[str] = mapped_column(Text)


APPEND_ONLY = (LedgerEntry, LedgerLink, LedgerNode)
"""The log itself; `flask ledger verify` looks for their triggers."""

KEPT = (KeptCheckpoint, Cosignature, Evidence, Anchor, Erasure)
"""What was kept about the log: added to as well, and by the same triggers."""

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


for _model in (*APPEND_ONLY, *KEPT):
    _table = _model.__table__
    assert isinstance(_table, Table)
    for _dialect in ("sqlite", "postgresql"):
        for _statement in guards(_table.name, _dialect, [column.name for column in _table.primary_key]):
            _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # the library has no type here
            event.listen(_table, "after_create", _ddl.execute_if(dialect=_dialect))
