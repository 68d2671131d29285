"""The top-level resources of EPCIS: which event types, keys, steps, places and dispositions the repository knows."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trace.capture.models import Captured, CapturedKey
from trace.epcis.vocabulary import EVENT_TYPES, FAMILIES, web
from trace.events.models import Event
from trace.gs1.digital_link import parcel_uri, place_uri
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry
from trace.lots.models import Batch, LogisticUnit
from village.places.models import Site

OWN_KEPT = 60.0
"""Seconds for which what our own events know is kept: to list it, all of them are looked through."""
_kept: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}
_CASES = "https://id.gs1.org/00/"
Lister = Callable[[Session, str, int], list[str]]


def epcs(session: Session, after: str, count: int) -> list[str]:
    """Lots, cases, and whatever others named."""
    lots = session.scalars(select(Batch.epc).where(Batch.epc > after).order_by(Batch.epc).limit(count))
    cases = session.scalars(
        select(LogisticUnit.sscc)
        .where(LogisticUnit.sscc > (after.removeprefix(_CASES) if after.startswith(_CASES) else ""))
        .order_by(LogisticUnit.sscc)
        .limit(count)
    )
    keys = session.scalars(
        select(CapturedKey.key).where(CapturedKey.key > after).distinct().order_by(CapturedKey.key).limit(count)
    )
    found = {*lots, *(uri for sscc in cases if (uri := parcel_uri(sscc)) > after), *keys}
    return sorted(found)[:count]


def event_types(session: Session, after: str, count: int) -> list[str]:
    """Those of the five of which there are events."""
    kinds = _own(session, "kind", lambda: session.scalars(select(Event.kind).distinct()))
    found = set(session.scalars(select(Captured.type).where(Captured.body.is_not(None)).distinct()))
    if kinds & {"transform", "split", "merge", "pack"}:
        found.add("TransformationEvent")
    if kinds & {"case", "uncase"}:
        found.add("AggregationEvent")
    if kinds - {"transform", "split", "merge", "pack", "case", "uncase"}:
        found.add("ObjectEvent")
    return _page(sorted(found & set(EVENT_TYPES)), after, count)


def biz_steps(session: Session, after: str, count: int) -> list[str]:
    """Business steps, CBV's own as bare words."""
    return _page(_words(session, "bizStep", Captured.biz_step), after, count)


def dispositions(session: Session, after: str, count: int) -> list[str]:
    """Dispositions, CBV's own as bare words."""
    return _page(_words(session, "disposition", Captured.disposition), after, count)


def read_points(session: Session, after: str, count: int) -> list[str]:
    """Where something was read."""
    return _places(session, Captured.read_point, after, count)


def biz_locations(session: Session, after: str, count: int) -> list[str]:
    """Where something is."""
    return _places(session, Captured.biz_location, after, count)


def _words(session: Session, family: str, column: Any) -> list[str]:
    words, start, _urn = FAMILIES[family]
    found = set(session.scalars(select(column).where(Captured.body.is_not(None), column != "").distinct()))
    found |= _own(session, family, lambda: (web(family, word) for word in _own_words(session, family)))
    bare = {start + word: word for word in words}
    return sorted(bare.get(one, one) for one in found)


def _own_words(session: Session, member: str) -> Iterator[str]:
    """Of our own events one of each stage says it for all: a stage's step and disposition are its process's."""
    samples = select(func.min(Event.entry_index)).group_by(
        Event.process, Event.process_version, Event.stage, Event.kind
    )
    for (body,) in session.execute(select(LedgerEntry.body).where(LedgerEntry.index.in_(samples))):
        told = parse(bytes(body))["event"].get(member)
        if isinstance(told, str):
            yield told


def _places(session: Session, column: Any, after: str, count: int) -> list[str]:
    used = select(Site.gln).where(Site.id.in_(select(Event.site_id).distinct()))
    own = _own(session, "place", lambda: (place_uri(gln) for gln in session.scalars(used)))
    claimed = set(session.scalars(select(column).where(Captured.body.is_not(None), column != "").distinct()))
    return _page(sorted(own | claimed), after, count)


def _own(session: Session, what: str, read: Callable[[], Iterable[str]]) -> frozenset[str]:
    key = (str(session.get_bind().engine.url), what)
    until, found = _kept.get(key, (0.0, frozenset()))
    if time.monotonic() >= until:
        found = frozenset(read())
        _kept[key] = (time.monotonic() + OWN_KEPT, found)
    return found


def _page(everything: list[str], after: str, count: int) -> list[str]:
    return [one for one in everything if one > after][:count]


LISTS: dict[str, tuple[Lister, str, str]] = {
    "eventTypes": (event_types, "EventTypeItemList", "eventType"),
    "epcs": (epcs, "EPCItemList", "epc"),
    "bizSteps": (biz_steps, "BizStepItemList", "bizStep"),
    "bizLocations": (biz_locations, "BizLocationItemList", "bizLocation"),
    "readPoints": (read_points, "ReadPointItemList", "readPoint"),
    "dispositions": (dispositions, "DispositionItemList", "disposition"),
}
"""By address: how to list them, the list's type, and the member that holds them."""
