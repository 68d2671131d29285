"""How the log stands before strangers: its keys, its witnesses, its last time stamp, what was found against it."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trace.ledger.keys import CUSTODIAN, LEDGER
from trace.ledger.models import Anchor, Cosignature, Evidence, LedgerKey, LedgerState, SelfCheck, WitnessSeen
from trace.ledger.note import Verifier
from trace.ledger.policy import Policy, satisfied

PHONE = "device"


@dataclass(frozen=True)
class Key:
    """One of the log's own keys. `state` is current, coming (in an overlap) or retired."""

    vkey: str
    role: str
    state: str
    enrolled: int
    ended: int | None


@dataclass(frozen=True)
class Witness:
    """A witness of the policy, and how far it has come."""

    name: str
    signed: int | None
    """Entries of the log under its newest cosignature; None before its first."""
    signed_at: dt.datetime | None
    """Its own time, which its signature covers."""
    behind: int
    trouble: str
    """Why its last answer was no cosignature, as a slug for `witnesses.said`; empty when it was one."""


@dataclass(frozen=True)
class Stamp:
    """The newest time stamp of an independent authority."""

    size: int
    authority: str
    stamped_at: dt.datetime
    number: int
    """The how many-th over the log at this size, from 1: it is published under that number."""


@dataclass(frozen=True)
class Standing:
    """All of it."""

    keys: tuple[Key, ...]
    """The current ones first, old ones after them, newest first."""
    phones: int
    """Phones whose keys sign now."""
    witnesses: tuple[Witness, ...]
    policy_known: bool
    """False while the file that names the witnesses cannot be read."""
    quorum: bool
    """True when the policy asks for witnesses at all."""
    witnessed: int | None
    """The largest size that as many witnesses cosigned as the policy asks for."""
    witnessed_at: dt.datetime | None
    """When the last of them did."""
    stamp: Stamp | None
    evidence: int
    check: SelfCheck | None
    """The last check of the whole log by itself."""


def standing(session: Session, state: LedgerState, policy: Policy | None) -> Standing:
    """How the log stands, in eight queries. `policy` None: it cannot be read now."""
    rows = session.scalars(
        select(LedgerKey).where(LedgerKey.role.in_((LEDGER, CUSTODIAN))).order_by(LedgerKey.enrolled_entry.desc())
    ).all()
    phones = select(func.count()).select_from(LedgerKey)
    newest = {
        (name, key_id): (size, at)
        for name, key_id, size, at in session.execute(
            select(
                Cosignature.name, Cosignature.key_id, func.max(Cosignature.size), func.max(Cosignature.cosigned_at)
            ).group_by(Cosignature.name, Cosignature.key_id)
        )
    }
    known = policy is not None
    policy = policy or Policy()
    seen = {one.vkey: one for one in session.scalars(select(WitnessSeen))}
    witnesses = tuple(_witness(one.key, newest, seen, state.size) for one in policy.witnesses)
    witnessed, witnessed_at = _witnessed(session, policy)
    return Standing(
        keys=tuple(sorted((_key(row, state) for row in rows), key=lambda key: _ORDER.index(key.state))),
        phones=session.scalars(phones.where(LedgerKey.role == PHONE, LedgerKey.ended_entry.is_(None))).one(),
        witnesses=witnesses,
        policy_known=known,
        quorum=not satisfied(policy, ()),
        witnessed=witnessed,
        witnessed_at=witnessed_at,
        stamp=_stamp(session),
        evidence=session.scalars(select(func.count()).select_from(Evidence)).one(),
        check=session.scalars(select(SelfCheck).order_by(SelfCheck.id.desc()).limit(1)).first(),
    )


_ORDER = ("current", "coming", "retired")
_LOOK_BACK = 200
"""Cosignatures looked through for a checkpoint that has enough of them."""


def _key(row: LedgerKey, state: LedgerState) -> Key:
    told = {state.vkey: "current", state.custodian_vkey: "current", state.next_vkey: "coming"}
    return Key(row.key, row.role, told.get(row.key, "retired"), row.enrolled_entry, row.ended_entry)


def _witness(
    key: Verifier,
    newest: dict[tuple[str, str], tuple[int, dt.datetime]],
    seen: dict[str, WitnessSeen],
    size: int,
) -> Witness:
    signed, at = newest.get((key.name, key.key_id.hex()), (None, None))
    met = seen.get(key.vkey)
    return Witness(key.name, signed, at, size - (signed or 0), met.trouble if met else "")


def _witnessed(session: Session, policy: Policy) -> tuple[int | None, dt.datetime | None]:
    public = {one.key.key_id.hex(): one.key.public_key for one in policy.witnesses}
    if not public:
        return None, None
    rows = session.execute(
        select(Cosignature.size, Cosignature.key_id, Cosignature.cosigned_at)
        .where(Cosignature.key_id.in_(public))
        .order_by(Cosignature.size.desc(), Cosignature.cosigned_at)
        .limit(_LOOK_BACK)
    )
    signed: dict[int, list[bytes]] = {}
    for size, key_id, at in rows:
        signed.setdefault(size, []).append(public[key_id])
        if satisfied(policy, signed[size]):
            return size, at
    return None, None


def _stamp(session: Session) -> Stamp | None:
    last = select(func.max(Anchor.size)).scalar_subquery()
    rows = session.execute(
        select(Anchor.size, Anchor.authority, Anchor.stamped_at)
        .where(Anchor.size == last)
        .order_by(Anchor.stamped_at, Anchor.authority)
    ).all()
    return Stamp(*rows[-1], number=len(rows)) if rows else None
