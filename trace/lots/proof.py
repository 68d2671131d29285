"""The lot proof: everything that the ledger says of a lot and its ancestors, in one document that proves itself.

Format: docs/formats.md. What belongs in it is decided by the entries' own bytes; the rows only tell where to look.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from trace.gs1.digital_link import class_uri
from trace.gs1.errors import Gs1Error
from trace.ledger import keys, published
from trace.ledger.canonical import parse
from trace.ledger.lotproof import Line as ProofLine
from trace.ledger.lotproof import Link, LotProof, Record, ancestry, links_of
from trace.ledger.models import LedgerEntry, LedgerKey, LedgerLink
from trace.ledger.published import Enough, Head
from trace.lots.models import Batch
from trace.lots.services import reachable
from trace.scan.family import snapshot
from village.errors import NotFound
from village.i18n import lazy_gettext as _l

_AT_ONCE = 500


@dataclass(frozen=True)
class Served:
    """A lot proof's bytes; None when the asker has them already. `etag` changes with the checkpoint."""

    etag: str
    document: bytes | None


@dataclass(frozen=True)
class _Entry:
    body: bytes
    record: Record
    links: tuple[Link, ...]


def lot_proof(gtin: str, lot: str, enough: Enough, known: Iterable[str] = ()) -> Served:
    """The proof of a lot, or NotFound. `known` are the etags that the asker has."""
    try:
        epc = class_uri(gtin, lot)
    except Gs1Error as error:
        raise _no_lot(lot) from error
    with snapshot() as session:
        batch = session.scalar(select(Batch.id).where(Batch.epc == epc))
        if batch is None:
            raise _no_lot(lot)
        ids = {batch} | reachable(session, [batch], "up")
        indexes = _on_chains(session, set(session.scalars(select(Batch.epc).where(Batch.id.in_(ids)))))
        if not indexes:
            raise _no_lot(lot)
        head = published.covering(session, max(indexes), enough)
        digest = hashlib.sha256(f"{epc} {head.note}".encode()).hexdigest()
        etag = f"{head.size}-{digest[:16]}"
        if etag in known:
            return Served(etag, None)
        return Served(etag, _document(session, epc, indexes, head))


def _document(session: Session, epc: str, indexes: set[int], head: Head) -> bytes:
    entries = _entries(session, {index for index in indexes if index < head.size})
    while True:
        batches = ancestry(epc, [(one.record, one.links) for one in entries.values()])
        # An event that was corrected made nothing, so no row leads to what went into it; its entry still names it.
        more = {index for index in _on_chains(session, set(batches)) if index < head.size} - entries.keys()
        if not more:
            break
        entries |= _entries(session, more)
    told = set(batches)
    entries = {index: one for index, one in entries.items() if any(link.batch in told for link in one.links)}
    devices = {
        str(signed["key"]) for one in entries.values() if isinstance(signed := one.record.get("device"), dict)
    }
    entries |= _entries(session, {index for index in _of_keys(session, devices) if index < head.size})
    order = sorted(entries)
    paths = published.paths(session, order, head.size)
    lines = (
        ProofLine(index, entries[index].body, path, entries[index].record, entries[index].links)
        for index, path in zip(order, paths, strict=True)
    )
    return LotProof(epc, head.note, tuple(lines)).format()


def _on_chains(session: Session, epcs: set[str]) -> set[int]:
    """The entries on these batches' chains."""
    found: set[int] = set()
    for some in _chunks(sorted(epcs)):
        found |= set(session.scalars(select(LedgerLink.entry_index).where(LedgerLink.batch.in_(some))))
    return found


def _of_keys(session: Session, devices: set[str]) -> set[int]:
    """Where the log's own keys, and these phones', begin and end."""
    rows = session.execute(
        select(LedgerKey.enrolled_entry, LedgerKey.ended_entry).where(
            or_(LedgerKey.role.in_((keys.LEDGER, keys.CUSTODIAN)), LedgerKey.key.in_(devices))
        )
    )
    return {0} | {index for row in rows for index in row if index is not None}


def _entries(session: Session, indexes: set[int]) -> dict[int, _Entry]:
    table = LedgerEntry.__table__
    found: dict[int, _Entry] = {}
    for some in _chunks(sorted(indexes)):
        for index, body in session.execute(select(table.c.index, table.c.body).where(table.c.index.in_(some))):
            record = parse(bytes(body))
            found[index] = _Entry(bytes(body), record, links_of(record))
    return found


def _chunks(items: list[Any]) -> Iterable[list[Any]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _no_lot(lot: str) -> NotFound:
    return NotFound("no-lot", _l("Không có lô nào mang mã %(lot)s."), lot=lot[:40])
