"""Taking in what others claim, and telling it again. A claim goes on the ledger with its maker's name, chained to those
of our lots that it names; it changes no stock, no weight and no hold."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from trace.capture import errors
from trace.capture.models import MAX_KEY, Captured, CapturedKey, CaptureJob, Party
from trace.capture.naming import lots_of
from trace.capture.personal import tells_of_a_person
from trace.epcis.hashing import hash_id
from trace.epcis.query import keys_of, spelled
from trace.epcis.reading import Fault, Read, moment_of
from trace.epcis.vocabulary import NAMESPACES, web
from trace.events.models import Event
from trace.ledger import foreign, store
from trace.ledger.canonical import canonical
from trace.ledger.errors import MalformedEntry
from trace.ledger.models import LedgerLink
from village import clock
from village.db import db, insert_now, part, write
from village.errors import Conflict, Forbidden, SoiError
from village.i18n import lazy_gettext as _l
from village.jobs import services as jobs
from village.people.access import Actor
from village.people.models import Member, MemberRole, Role
from village.places.models import Cooperative
from village.scrub import scrub
from village.text import clean_name

CAPTURE = "epcis-capture"
"""The kind of job that works through a document."""
CAPTURERS = (Role.PARTNER, Role.OFFICE)
MAX_LOTS = 40
"""Lots of ours that one event may name: each has its link in the entry."""
MAX_CLAIMS = 200
"""Claims that one lot takes: each is an entry in its chain, which every scan page and lot proof goes through."""
MAX_EVENT = 256 * 1024
"""Bytes of one event's canonical JSON."""
LEFT, KEPT = dt.timedelta(days=2), dt.timedelta(days=30)
"""How long a job may be on its way, and how long it is kept after its end."""
SHOWN = 50
"""Claims that a scan page tells at most."""


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


@dataclass(frozen=True)
class Refused:
    """An event that cannot be taken in, and why."""

    read: Read
    error: SoiError


@dataclass(frozen=True)
class Claim:
    """What a scan page tells of one claim."""

    by: str
    biz_step: str
    """A word of CBV, or an address of somebody's own."""
    happened_at: dt.datetime
    entry_index: int
    withdrawn: bool
    """True when its maker declared it wrong later."""


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


# ---- Jobs -----------------------------------------------------------------------------------------------------------


def ask(who: Actor, body: bytes, *, proceed: bool) -> str:
    """Have a document worked through that was found to be one; the capture job's id."""
    with write() as session:
        name_of(session, who)
        job = CaptureJob(member_id=who.id, cooperative_id=who.cooperative_id, proceed=proceed, body=body)
        session.add(job)
        session.flush()
        jobs.ask(session, CAPTURE, who, {"capture": job.id})
        return job.id


def job_for(who: Actor, capture_id: str) -> CaptureJob:
    """A capture job of one's own, or of one's office's partners; NotFound for any other."""
    job = db.session.get(CaptureJob, capture_id, populate_existing=True)
    if job is None or not _may_see(who, job):
        raise errors.nothing(capture_id)
    return job


def _may_see(who: Actor, job: CaptureJob) -> bool:
    return job.member_id == who.id or (who.has(Role.OFFICE) and job.cooperative_id == who.cooperative_id)


def jobs_of(who: Actor, before: str | None, count: int) -> list[CaptureJob]:
    """Jobs that the asker may see, newest first, made before the job `before` (their ids are in order of time)."""
    mine = CaptureJob.member_id == who.id
    if who.has(Role.OFFICE):
        mine = CaptureJob.cooperative_id == who.cooperative_id
    query = select(CaptureJob).where(mine).order_by(CaptureJob.id.desc()).limit(count)
    if before is not None:
        query = query.where(CaptureJob.id < before)
    return list(db.session.scalars(query))


def prepare_all(reads: Sequence[Read], go_on: Callable[[], None] = lambda: None) -> list[Prepared | Refused]:
    """Each event made ready, or why it cannot be; outside of any transaction."""
    found: list[Prepared | Refused] = []
    for read in reads:
        go_on()
        try:
            found.append(prepare(read))
        except SoiError as error:
            found.append(Refused(read, error))
    return found


def work_through(session: Session, who: Actor, job: CaptureJob, events: Sequence[Prepared | Refused]) -> None:
    """Take in a document's events, in the caller's transaction: all of them or none, or with `proceed` those that are
    right. What was wrong is kept with the job."""
    by = name_of(session, who)
    faults: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    rows: dict[str, None] = {}
    try:
        with part(session):
            for at, one in enumerate(events):
                try:
                    if isinstance(one, Refused):
                        raise one.error
                    rows[take(session, who, by, one).id] = None
                except SoiError as error:
                    faults.append(_problem(error, at, one.read))
                    continue
                if one.personal:
                    warnings.append({"pointer": one.read.pointer, "code": "personal-data", "eventID": one.event_id})
            if faults and not job.proceed:
                raise _Undo
    except _Undo:
        rows, warnings = {}, []
    job = session.get_one(CaptureJob, job.id, populate_existing=True)
    job.events, job.captured = len(events), len(rows)
    job.errors, job.warnings = faults, warnings
    job.body, job.ended_at = None, clock.now()


def end_with(capture_id: str, error: SoiError) -> None:
    """End a job of which nothing can be taken in."""
    with write() as session:
        job = session.get_one(CaptureJob, capture_id)
        job.errors = [{"type": f"problems/{error.slug}", "title": str(error.title), "detail": str(error)}]
        job.body, job.ended_at = None, clock.now()


def tidy() -> None:
    """End jobs that were left lying, and forget those that ended long ago."""
    now = clock.now()
    with write() as session:
        left = select(CaptureJob).where(CaptureJob.ended_at.is_(None), CaptureJob.made_at < now - LEFT)
        for job in session.scalars(left):
            job.errors = [{"type": "problems/not-done", "title": str(_l("Chưa làm xong"))}]
            job.body, job.ended_at = None, now
        session.execute(delete(CaptureJob).where(CaptureJob.ended_at < now - KEPT))


class _Undo(Exception):
    """All of the document's events are to be as if they had not been."""


def _problem(error: SoiError, at: int, read: Read) -> dict[str, Any]:
    details = error.details
    return {
        "type": f"problems/{error.slug}",
        "title": str(error.title),
        "status": error.status,
        "detail": str(error),
        "event": at,
        "pointer": details.get("pointer", read.pointer),
        **({"errors": details["errors"]} if "errors" in details else {}),
    }


# ---- Telling -------------------------------------------------------------------------------------------------------


def claims_of(session: Session, epcs: Collection[str]) -> list[Claim]:
    """What others claim of these lots, in the order in which it happened; the newest SHOWN of them."""
    if not epcs:
        return []
    chained = select(LedgerLink.entry_index).where(LedgerLink.batch.in_(sorted(epcs)))
    rows = session.scalars(
        select(Captured)
        .where(Captured.entry_index.in_(chained))
        .order_by(Captured.event_time.desc(), Captured.entry_index.desc())
        .limit(2 * SHOWN)
    ).all()
    withdrawn = {row.event_id for row in rows if row.declared}
    found = [
        Claim(row.by, row.biz_step, row.event_time, row.entry_index, row.event_id in withdrawn)
        for row in rows
        if not row.declared
    ]
    return list(reversed(found[:SHOWN]))


def claimed_bytes(sha256: str) -> bytes:
    """A claimed event's bytes by the hash that the ledger holds; NotFound where they were erased or never were."""
    kept = select(Captured.body).where(Captured.sha256 == sha256, Captured.body.is_not(None))
    body = db.session.scalar(kept.limit(1))
    if body is None:
        raise errors.nothing(sha256)
    return bytes(body)


# ---- The office ----------------------------------------------------------------------------------------------------


def partners_of(who: Actor) -> list[tuple[Member, str]]:
    """The cooperative's partners, each with the name that their claims bear; empty while there is none."""
    rows = db.session.execute(
        select(Member, Party.name)
        .join(MemberRole, MemberRole.member_id == Member.id)
        .outerjoin(Party, Party.member_id == Member.id)
        .where(Member.cooperative_id == who.cooperative_id, MemberRole.role == Role.PARTNER, Member.active)
        .order_by(Member.name)
    )
    return [(member, name or "") for member, name in rows]


def name_partner(who: Actor, member_id: str, name: str) -> None:
    """Set the name that a partner's claims bear from now on; what stands on the ledger keeps its own."""
    clean = clean_name(name, "name")
    with write() as session:
        member = session.get(Member, member_id)
        if member is None or member.cooperative_id != who.cooperative_id:
            raise errors.nothing(member_id)
        session.merge(Party(member_id=member_id, name=clean, set_at=clock.now()))


def recent(who: Actor, count: int = 30) -> list[Captured]:
    """The newest claims of the cooperative's partners and office."""
    query = (
        select(Captured)
        .where(Captured.cooperative_id == who.cooperative_id)
        .order_by(Captured.entry_index.desc())
        .limit(count)
    )
    return list(db.session.scalars(query))


def personal_count(session: Session, cooperative_id: str) -> int:
    """Claims whose bytes are kept though they look as if they told of a person: for the office to look at."""
    query = select(func.count()).where(
        Captured.cooperative_id == cooperative_id, Captured.personal, Captured.body.is_not(None)
    )
    return session.scalars(query).one()


def erase(who: Actor, captured_id: str) -> None:
    """Erase the bytes of a claim that does not stand on the ledger itself; its hash there stays, and proves nothing of
    what it said."""
    with write() as session:
        row = session.get(Captured, captured_id)
        if row is None or row.cooperative_id != who.cooperative_id or row.inline:
            raise errors.nothing(captured_id)
        row.body = None
        session.execute(delete(CapturedKey).where(CapturedKey.captured_id == row.id))
    scrub(Captured, CapturedKey)

