"""Which of our lots does a claimed event name? By class, by a pack's serial, or by the case that they lie in."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.epcis.content import spelled
from trace.epcis.identity import ID
from trace.gs1.digital_link import DigitalLink, class_uri, parse_uri
from trace.gs1.errors import Gs1Error
from trace.lots.models import Batch, LogisticUnitPart
from trace.units import services as units
from village.db import in_parts

MAX_SERIALS = 200
"""Serials of one event that are looked up: they come one by one."""


def lots_of(session: Session, keys: Iterable[str]) -> list[str]:
    """The canonical ids of those of our lots that these keys name, sorted."""
    lots, serials, cases = set[str](), set[tuple[str, str]](), set[str]()
    for key in keys:
        plain = spelled(key)
        if plain.startswith(f"{ID}00/"):
            cases.add(plain.removeprefix(f"{ID}00/"))
            continue
        # The one spelling of a pack leaves its lot out; what was sent may name it.
        link = _link(key) or _link(plain)
        if link is None:
            continue
        if link.lot is not None:
            lots.add(class_uri(link.gtin, link.lot))
        elif link.serial is not None and len(serials) < MAX_SERIALS:
            serials.add((link.gtin, link.serial))
    found = set[str]()
    for some in in_parts(sorted(lots)):
        found |= set(session.scalars(select(Batch.epc).where(Batch.epc.in_(some))))
    for some in in_parts(sorted(cases)):
        within = select(LogisticUnitPart.batch_id).where(LogisticUnitPart.sscc.in_(some))
        found |= set(session.scalars(select(Batch.epc).where(Batch.id.in_(within))))
    for gtin, serial in sorted(serials):
        unit = units.unit(session, gtin, serial)
        if unit is not None:
            found.add(unit.batch.epc)
    return sorted(found)


def _link(key: str) -> DigitalLink | None:
    try:
        return parse_uri(key)
    except Gs1Error:
        return None
