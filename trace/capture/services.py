"""Taking in what others claim, and telling it again. A claim goes on the ledger with its maker's name, chained to those
of our lots that it names; it changes no stock, no weight and no hold."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trace.capture import errors
from trace.capture.models import MAX_KEY, Captured, CapturedKey, Party
from trace.capture.naming import lots_of
from trace.capture.personal import tells_of_a_person
from trace.epcis.content import keys_of, spelled
from trace.epcis.faults import Fault, moment_of
from trace.epcis.hashing import hash_id
from trace.epcis.reading import Read
from trace.epcis.vocabulary import NAMESPACES, web
from trace.events.models import Event
from trace.ledger import foreign, store
from trace.ledger.canonical import canonical
from trace.ledger.errors import MalformedEntry
from trace.ledger.models import LedgerLink
from village.db import insert_now, write
from village.errors import Conflict, Forbidden
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.people.models import Role
from village.places.models import Cooperative

CAPTURERS = (Role.PARTNER, Role.OFFICE)
MAX_LOTS = 40
"""Lots of ours that one event may name: each has its link in the entry."""
MAX_CLAIMS = 200
"""Claims that one lot takes: each is an entry in its chain, which every scan page and lot proof goes through."""
MAX_EVENT = 256 * 1024
"""Bytes of one event's canonical JSON."""


@dataclass(frozen=True)
class Prepared:
    """A claimed event, ready to be written down."""

    read: Read
    event: Mapping[str, Any]
    """As it is kept: with its id, its own namespaces, and without the time at which somebody else recorded it."""
    body: bytes
    event_id: str
    own_id: bool
    """Whether its maker gave it its id."""
    declared: str
    hash_id: str
    personal: bool


def prepare(read: Read) -> Prepared:
    """Everything about a read event that needs no database. Raises Malformed for one that is not right."""
    if read.faults:
        raise errors.invalid(read.faults)
    event = {name: value for name, value in read.event.items() if name not in ("@context", "recordTime")}
    for key in (*keys_of(event), event.get("eventID", "")):
        if len(key) > MAX_KEY:
            raise errors.invalid([Fault(read.pointer, "too-long", f"a key longer than {MAX_KEY} characters")])
    digest = hash_id(event, read.namespaces)
    given = event.get("eventID")
    event["eventID"] = given or digest
    if read.namespaces:
        event["@context"] = [dict(sorted(read.namespaces.items()))]
    declaration = event.get("errorDeclaration")
    moment = moment_of(declaration.get("declarationTime")) if isinstance(declaration, dict) else None
    try:
        body = canonical(event, limit=MAX_EVENT)
    except MalformedEntry as error:
        raise errors.invalid([Fault(read.pointer, "not-kept", str(error))]) from error
    return Prepared(
        read,
        event,
        body,
        event["eventID"],
        given is not None,
        moment.astimezone(dt.UTC).isoformat() if moment else "",
        digest,
        tells_of_a_person(event),
    )


def name_of(session: Session, who: Actor) -> str:
    """The name that this member's claims bear. Raises Forbidden while a partner has none yet."""
    party = session.get(Party, who.id)
    if party is not None:
        return party.name
    if who.has(Role.OFFICE):
        return session.get_one(Cooperative, who.cooperative_id).name
    raise Forbidden(
        "no-party-name", _l("Hợp tác xã chưa đặt tên cho bên bác, nên chưa nhận được. Bác nhắc văn phòng giúp.")
    )


def capture_one(who: Actor, read: Read) -> Captured:
    """Take one event in, in a transaction of its own; the same one twice gives the same row."""
    prepared = prepare(read)
    with write(ledger=True) as session:
        return take(session, who, name_of(session, who), prepared)


def take(session: Session, who: Actor, by: str, prepared: Prepared) -> Captured:
    """Write one claim down in the caller's `write(ledger=True)`; the row that is there already for the same event."""
    known = _known(session, who, prepared)
    if known is not None:
        return known
    event = prepared.event
    keys = sorted({spelled(key) for key in keys_of(event)})
    lots = lots_of(session, keys_of(event))
    if len(lots) > MAX_LOTS:
        raise errors.invalid(
            [Fault(prepared.read.pointer, "too-many-lots", f"it names {len(lots)} lots of ours; {MAX_LOTS} at most")]
        )
    _leave_room(session, lots)
    inline = len(prepared.body) <= foreign.MAX_INLINE - 250 * len(lots) and not prepared.personal
    told = foreign.claim(by, prepared.body, event if inline else None)
    (appended,) = store.append(session, [store.Draft(foreign.TYPE, None, tuple(lots), extra={"claim": told})])
    # Captured rows refer to the entry.
    insert_now(session)
    recorded = store.take_up(session).moment
    namespaces = {**NAMESPACES, **prepared.read.namespaces}
    happened = moment_of(event["eventTime"])
    assert happened is not None and recorded is not None
    row = Captured(
        event_id=prepared.event_id,
        declared=prepared.declared,
        hash_id=prepared.hash_id,
        entry_index=appended.index,
        sha256=told["sha256"],
        body=prepared.body,
        inline=inline,
        personal=prepared.personal,
        type=event["type"],
        event_time=happened,
        biz_step=_word(event, "bizStep", namespaces),
        disposition=_word(event, "disposition", namespaces),
        read_point=_place(event, "readPoint"),
        biz_location=_place(event, "bizLocation"),
        member_id=who.id,
        cooperative_id=who.cooperative_id,
        by=by,
        recorded_at=recorded,
    )
    session.add(row)
    session.flush()
    session.add_all(CapturedKey(captured_id=row.id, key=key) for key in keys)
    session.flush()
    return row


def _known(session: Session, who: Actor, prepared: Prepared) -> Captured | None:
    """The same event, told before. Raises Conflict where another event bears its id."""
    same = select(Captured).where(Captured.event_id == prepared.event_id, Captured.declared == prepared.declared)
    found = session.scalar(same)
    if found is None and not prepared.own_id:
        found = session.scalar(
            select(Captured)
            .where(
                Captured.hash_id == prepared.hash_id,
                Captured.declared == prepared.declared,
                Captured.member_id == who.id,
            )
            .order_by(Captured.entry_index)
            .limit(1)
        )
    if found is not None:
        if found.hash_id != prepared.hash_id or found.member_id != who.id:
            raise errors.taken(prepared.event_id)
        return found
    if prepared.own_id:
        # A declaration of error is its maker's to give, and the village's own events are nobody else's.
        other = select(Captured.id).where(Captured.event_id == prepared.event_id, Captured.member_id != who.id)
        ours = select(Event.id).where(Event.id == prepared.event_id.removeprefix("urn:uuid:").lower())
        if session.scalar(other.limit(1)) or session.scalar(ours):
            raise errors.taken(prepared.event_id)
    return None


def _leave_room(session: Session, lots: Sequence[str]) -> None:
    """Refuse what would make a lot's chain so long that nobody could check it any more."""
    crowded = session.scalars(
        select(LedgerLink.batch)
        .join(Captured, Captured.entry_index == LedgerLink.entry_index)
        .where(LedgerLink.batch.in_(lots))
        .group_by(LedgerLink.batch)
        .having(func.count() >= MAX_CLAIMS)
    ).first()
    if crowded is not None:
        raise Conflict(
            "too-many-claims", _l("Về lô này đã có %(most)s lời của bên ngoài, sổ không nhận thêm."),
            exception="epcisException:CaptureLimitExceededException", most=MAX_CLAIMS, epc=crowded,
        )  # fmt: skip


def _word(event: Mapping[str, Any], name: str, namespaces: Mapping[str, str]) -> str:
    told = event.get(name)
    return web(name, told, namespaces)[:MAX_KEY] if isinstance(told, str) else ""


def _place(event: Mapping[str, Any], name: str) -> str:
    told = event.get(name)
    return spelled(str(told["id"]))[:MAX_KEY] if isinstance(told, dict) else ""
