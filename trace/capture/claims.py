"""Telling what others claim: on a lot's page, as bytes, and to the office, which names its partners."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from trace.capture import errors
from trace.capture.models import Captured, CapturedKey, Party
from trace.ledger.models import LedgerLink
from village import clock
from village.db import db, write
from village.people.access import Actor
from village.people.models import Member, MemberRole, Role
from village.scrub import scrub
from village.text import clean_name

SHOWN = 50
"""Claims that a scan page tells at most."""


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
