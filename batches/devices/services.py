"""A phone's key from its request to its end. What becomes of it stands on the ledger; whose it is, does not."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from batches.devices.models import Device, Status
from trace.ledger import store
from trace.ledger.encoding import from_base64
from trace.ledger.errors import LedgerError
from trace.ledger.keyring import device_key, enrol_message, thumbprint
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, not_yours, wrong_role
from village.people.models import Member, Role
from village.text import clean_line

WAITS = dt.timedelta(days=30)
"""How long a request waits for the office."""
MOST_PENDING = 5
MOST_ACTIVE = 10
LABEL_LENGTH = 60
Ending = Literal["revoked", "lost"]


def waiting(device: Device) -> bool:
    """True while the office can still decide about it."""
    return device.status is Status.PENDING and device.asked_at > clock.now() - WAITS


def ask(who: Actor, jwk: dict[str, str], proof: str, label: str) -> Device:
    """A member's phone asks that its key be known. Asked again for the same key, it is the same request."""
    label = clean_line(label, "label", LABEL_LENGTH)
    key = _proven(jwk, proof)
    with write() as session:
        # Whoever asks from two phones at once is counted one after the other.
        session.execute(select(Member.id).where(Member.id == who.id).with_for_update())
        device = session.get(Device, key, with_for_update=True)
        if device is not None and device.member_id != who.id:
            raise Conflict("key-taken", _l("Khoá này không dùng cho bác được. Bác làm khoá mới trên máy này nhé."))
        if device is not None and device.status in (Status.REVOKED, Status.LOST):
            raise Conflict("key-ended", _l("Khoá này đã thôi dùng rồi. Bác làm khoá mới nhé."))
        if device is None or (device.status is not Status.ENROLLED and not waiting(device)):
            _refuse_too_many(session, who)
            if device is None:
                device = Device(key=key, jwk=jwk, proof=proof, member_id=who.id, repeats=0, last_repeat="")
                session.add(device)
            device.label, device.status, device.asked_at = label, Status.PENDING, clock.now()
            device.proof, device.decided_at, device.decided_by = proof, None, None
    if current_app.extensions["soi"].training and device.status is Status.PENDING:
        # There is no office in a training village, and nothing to guard.
        return approve(replace(who, roles=who.roles | {Role.OFFICE}), key)
    return device


def _proven(jwk: dict[str, str], proof: str) -> str:
    """The key's thumbprint, if it is a sound key and its owner has it."""
    try:
        public = device_key(jwk)
    except LedgerError as error:
        told = _l("Khoá này không đúng dạng, không dùng được.")
        raise BadInput("bad-key", told, field="jwk", why=str(error)) from error
    try:
        public.verify(enrol_message(store.ensure_born().origin, jwk), from_base64(proof) or b"")
    except LedgerError as error:
        raise BadInput("bad-proof", _l("Chữ ký kèm theo không phải của khoá này."), field="proof") from error
    return thumbprint(jwk)


def _refuse_too_many(session: Session, who: Actor) -> None:
    mine = select(func.count()).select_from(Device).where(Device.member_id == who.id)
    pending = mine.where(Device.status == Status.PENDING, Device.asked_at > clock.now() - WAITS)
    if (session.scalar(pending) or 0) >= MOST_PENDING:
        raise Conflict(
            "too-many-requests",
            _l("Bác đã xin cho %(most)s máy mà văn phòng chưa duyệt. Bác chờ văn phòng, hoặc thôi bớt nhé."),
            most=MOST_PENDING,
        )
    _refuse_too_many_active(session, who.id)


def _refuse_too_many_active(session: Session, member_id: str) -> None:
    active = select(func.count()).select_from(Device)
    active = active.where(Device.member_id == member_id, Device.status == Status.ENROLLED)
    if (session.scalar(active) or 0) >= MOST_ACTIVE:
        raise Conflict(
            "too-many-devices",
            _l("Một người có nhiều nhất %(most)s máy. Thôi bớt máy cũ rồi thêm nhé."),
            most=MOST_ACTIVE,
        )


def approve(who: Actor, key: str) -> Device:
    """The office lets a key sign: it is enrolled on the ledger."""
    with write(ledger=True) as session:
        device = _to_decide(session, who, key)
        _refuse_too_many_active(session, device.member_id)
        if not device.member.active:
            raise Conflict("member-gone", _l("Người này không còn làm ở hợp tác xã nữa."))
        index = _tell(
            session, device,
            {"role": "device", "status": "enrolled", "key": key, "jwk": device.jwk, "proof": device.proof},
        )  # fmt: skip
        store.note_key(session, key, "device", enrolled=index)
        device.status, device.enrolled_entry = Status.ENROLLED, index
        device.decided_at, device.decided_by = clock.now(), who.id
    return device


def refuse(who: Actor, key: str) -> Device:
    """The office does not let a key sign. Nothing of it was ever public, and nothing becomes so."""
    with write() as session:
        device = _to_decide(session, who, key)
        device.status, device.decided_at, device.decided_by = Status.REFUSED, clock.now(), who.id
    return device


def end(who: Actor, key: str, how: Ending) -> Device:
    """The key signs no more: its owner or her office stops it, or says that the phone is lost.

    What it signed before stays good. A request that was not decided yet is only taken back.
    """
    with write(ledger=True) as session:
        device = _device(session, key)
        if device.member_id != who.id and not _is_office_of(who, device):
            raise not_yours()
        if device.status is Status.PENDING:
            device.status, device.decided_at, device.decided_by = Status.REFUSED, clock.now(), who.id
            return device
        if device.status is not Status.ENROLLED:
            raise Conflict("key-ended", _l("Khoá này đã thôi dùng rồi. Bác làm khoá mới nhé."))
        index = _tell(session, device, {"role": "device", "status": how, "key": key})
        store.note_key(session, key, "device", ended=index)
        device.status, device.ended_entry, device.ended_at = Status(how), index, clock.now()
    return device


def _tell(session: Session, device: Device, what: dict[str, object]) -> int:
    """Put on the ledger what happened to a key, and commit to whose it is."""
    draft = store.Draft("key", None, private={"member": device.member_id}, extra={"key": what})
    (appended,) = store.append(session, [draft])
    return appended.index


def _device(session: Session, key: str) -> Device:
    device = session.get(Device, key, with_for_update=True) if len(key) == 43 else None
    if device is None:
        raise NotFound("no-device", _l("Không có khoá máy nào như vậy."))
    return device


def _to_decide(session: Session, who: Actor, key: str) -> Device:
    device = _device(session, key)
    if not who.has(Role.OFFICE):
        raise wrong_role()
    if not _is_office_of(who, device):
        raise not_yours()
    if device.status is not Status.PENDING:
        raise Conflict("already-decided", _l("Máy này đã được xem xét rồi."))
    if not waiting(device):
        raise Conflict("request-expired", _l("Yêu cầu này lâu quá rồi. Bà con gửi lại từ máy của mình nhé."))
    return device


def _is_office_of(who: Actor, device: Device) -> bool:
    return who.has(Role.OFFICE) and who.cooperative_id == device.member.cooperative_id


def devices_of(who: Actor) -> Sequence[Device]:
    """A member's own phones, newest first."""
    mine = select(Device).where(Device.member_id == who.id).options(joinedload(Device.member))
    return db.session.scalars(mine.order_by(Device.asked_at.desc(), Device.key)).all()


def devices_of_cooperative(who: Actor) -> Sequence[Device]:
    """All phones of the cooperative's members, newest first, for its office and its auditor."""
    theirs = select(Device).join(Device.member).options(contains_eager(Device.member))
    theirs = theirs.where(Member.cooperative_id == who.cooperative_id)
    return db.session.scalars(theirs.order_by(Device.asked_at.desc(), Device.key)).all()


def keys_of(who: Actor) -> list[str]:
    """The keys with which a member's phones may sign now."""
    mine = select(Device.key).where(Device.member_id == who.id, Device.status == Status.ENROLLED)
    return list(db.session.scalars(mine.order_by(Device.key)))
