"""The newest lines of the log in plain words. What is said comes from the entries' own bytes, names from the rows."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from trace.events.models import Event
from trace.gs1.digital_link import parse_class_uri
from trace.gs1.errors import Gs1Error
from trace.ledger import words
from trace.ledger.canonical import parse
from trace.ledger.errors import LedgerError
from trace.ledger.models import LedgerEntry
from village.i18n import in_language


@dataclass(frozen=True)
class Line:
    """One entry, shown."""

    index: int
    what: str
    when: dt.datetime
    lots: tuple[tuple[str, str], ...]
    """(lot, address of its scan page)"""
    more_lots: int
    leaf: str
    kind: str
    """One of `words.KINDS`, unknown or unreadable."""


def latest(session: Session, size: int, count: int) -> list[Line]:
    """The newest `count` entries of a log of this size, newest first, and after them entry 0, where it all began."""
    entries = session.scalars(
        select(LedgerEntry)
        .where(or_(LedgerEntry.index.between(size - count, size - 1), LedgerEntry.index == 0))
        .order_by(LedgerEntry.index.desc())
    ).all()
    indexes = [entry.index for entry in entries]
    events = session.scalars(
        select(Event).where(Event.entry_index.in_(indexes) | Event.correction_entry.in_(indexes))
    ).all()
    names = {event.entry_index: in_language(event.name_vi, event.name_en) for event in events}
    names |= {
        event.correction_entry: in_language(event.name_vi, event.name_en)
        for event in events
        if event.correction_entry is not None
    }
    return [_line(entry, names.get(entry.index, "")) for entry in entries]


def _line(entry: LedgerEntry, name: str) -> Line:
    try:
        record = parse(entry.body)
    except LedgerError:
        record = {}
    chain = record.get("chain")
    lots = [found for link in chain if (found := _lot(link)) is not None] if isinstance(chain, list) else []
    return Line(
        index=entry.index,
        what=words.title(record, name),
        when=entry.recorded_at,
        lots=tuple(lots[:3]),
        more_lots=max(len(lots) - 3, 0),
        leaf=entry.leaf_hash.hex(),
        kind=words.kind_of(record),
    )


def _lot(link: Any) -> tuple[str, str] | None:
    try:
        found = parse_class_uri(str(link["batch"]))
    except (Gs1Error, KeyError, TypeError):
        return None
    return (found.lot or "", found.path)
