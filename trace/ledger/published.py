"""What the log shows to strangers: checkpoints with their cosignatures, receipts, consistency proofs, its keys.

Everything here only reads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.ledger import keys, merkle, store
from trace.ledger.encoding import MAX_SIZE
from trace.ledger.errors import MalformedNote
from trace.ledger.merkle import NodeId
from trace.ledger.models import Cosignature, KeptCheckpoint, LedgerEntry, LedgerKey, LedgerState
from trace.ledger.note import parse_signature_line
from trace.ledger.proof import Proof
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l

_AT_ONCE = 2000
"""Tree nodes asked for in one query."""
_LOOK_BACK = 200
"""Cosignatures looked through for a checkpoint that has enough of them."""

Enough = Callable[[frozenset[str]], bool]
"""Whether the witnesses with these key IDs (hex) are what the policy asks for."""


@dataclass(frozen=True)
class Head:
    """A signed checkpoint with its cosignatures, as it is served."""

    size: int
    note: str


def newest(session: Session) -> Head:
    """The newest signed checkpoint, with the cosignatures that there are for this very size."""
    state = session.get_one(LedgerState, 1, populate_existing=True)
    return Head(state.size, state.checkpoint + _cosignatures(session, state.size))


def kept(session: Session, size: int) -> Head:
    """The kept checkpoint of this size, or NotFound."""
    row = session.get(KeptCheckpoint, size) if 0 <= size <= MAX_SIZE else None
    if row is None:
        raise NotFound("no-checkpoint", _l("Sổ không giữ bản ký nào ở %(size)s dòng."), size=size)
    return Head(size, row.note + _cosignatures(session, size))


def covering(session: Session, index: int, enough: Enough) -> Head:
    """The newest kept checkpoint over entry `index` that enough witnesses cosigned, else the newest signed one."""
    rows = session.execute(
        select(Cosignature.size, Cosignature.key_id)
        .where(Cosignature.size > index)
        .order_by(Cosignature.size.desc())
        .limit(_LOOK_BACK)
    )
    for size, group in groupby(rows, key=lambda row: row[0]):
        if enough(frozenset(key_id for _, key_id in group)):
            return kept(session, size)
    return newest(session)


def _cosignatures(session: Session, size: int) -> str:
    rows = session.execute(
        select(Cosignature.line).where(Cosignature.size == size).order_by(Cosignature.name, Cosignature.key_id)
    )
    return "".join(line for (line,) in rows if _is_line(line))


def _is_line(line: str) -> bool:
    # One bad row must not spoil the whole note for every reader.
    try:
        parse_signature_line(line.removesuffix("\n"))
    except MalformedNote:
        return False
    return line.endswith("\n") and line.count("\n") == 1


def receipt(index: int, enough: Enough) -> Proof:
    """The receipt of entry `index`, with the entry's own bytes in it. NotFound beyond the log's end."""
    size = store.ensure_born().size
    session = db.session()
    entry = session.get(LedgerEntry, index) if 0 <= index < size else None
    if entry is None:
        raise NotFound("no-entry", _l("Sổ chưa có dòng số %(index)s."), index=index)
    head = covering(session, index, enough)
    (path,) = paths(session, [index], head.size)
    return Proof(index, path, head.note, entry.body)


def paths(session: Session, indexes: list[int], size: int) -> list[tuple[bytes, ...]]:
    """The inclusion paths of these entries in the tree of `size` entries."""
    plans = [merkle.inclusion_plan(index, size) for index in indexes]
    needed = sorted({node for plan in plans for node in merkle.nodes_needed(plan)})
    found: dict[NodeId, bytes] = {}
    for start in range(0, len(needed), _AT_ONCE):
        found |= store.nodes(session, needed[start : start + _AT_ONCE])
    return [merkle.assemble(plan, found) for plan in plans]


def consistency(old: int, new: int) -> tuple[bytes, ...]:
    """The consistency proof between two sizes of this log. NotFound where there are no such sizes."""
    size = store.ensure_born().size
    if not 0 <= old <= new <= size:
        raise NotFound("no-consistency", _l("Sổ có %(size)s dòng, không có hai cỡ như thế."), size=size)
    plan = merkle.consistency_plan(old, new)
    return merkle.assemble(plan, store.nodes(db.session(), merkle.nodes_needed(plan)))


def vkeys(session: Session) -> list[str]:
    """Every key that ever signed the log's checkpoints, newest first."""
    state = session.get_one(LedgerState, 1, populate_existing=True)
    known = session.scalars(
        select(LedgerKey.key).where(LedgerKey.role == keys.LEDGER).order_by(LedgerKey.enrolled_entry.desc())
    )
    return list(dict.fromkeys([*([state.next_vkey] if state.next_vkey else []), *known, state.vkey]))


def rotations(session: Session) -> list[int]:
    """The entries in which the log changed the key that signs its checkpoints."""
    rows = session.execute(
        select(LedgerKey.enrolled_entry, LedgerKey.ended_entry).where(LedgerKey.role == keys.LEDGER)
    )
    # The first key came with the log itself: entry 0 says nothing of it.
    return sorted({index for row in rows for index in row if index})
