"""The newest lines of the log in plain words. What is said comes from the entries' own bytes, names from the rows."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.events.models import Event
from trace.gs1.digital_link import parse_class_uri
from trace.gs1.errors import Gs1Error
from trace.ledger.canonical import parse
from trace.ledger.errors import LedgerError
from trace.ledger.models import LedgerEntry
from village.i18n import gettext as _
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
    """event, correction, key, or unreadable."""


def latest(session: Session, count: int) -> list[Line]:
    """The newest `count` entries, newest first."""
    entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.index.desc()).limit(count)).all()
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
    kind = str(record.get("type", "unreadable"))
    lots = [found for link in record.get("chain", []) if (found := _lot(link)) is not None]
    return Line(
        index=entry.index,
        what=_said(kind, name),
        when=entry.recorded_at,
        lots=tuple(lots[:3]),
        more_lots=max(len(lots) - 3, 0),
        leaf=entry.leaf_hash.hex(),
        kind=kind,
    )


def _said(kind: str, name: str) -> str:
    match kind:
        case "event":
            return name or _("Một bước làm")
        case "correction":
            return _("Khai lại một bước ghi nhầm: %(name)s", name=name) if name else _("Khai lại một bước ghi nhầm")
        case "key":
            return _("Khoá của người giữ sổ được ghi vào sổ")
        case _:
            return _("Một dòng không đọc được")


def _lot(link: dict[str, Any]) -> tuple[str, str] | None:
    try:
        found = parse_class_uri(link["batch"])
    except Gs1Error:
        return None
    return (found.lot or "", found.path)
