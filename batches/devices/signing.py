"""A phone's signature under an event: whose key it is, whether it holds, and that each number is used once."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from batches.devices.models import Device, DeviceUse, Status
from batches.stages.wanted import NOTE_LENGTH, Signed
from trace.ledger import store
from trace.ledger.canonical import MAX_ENTRY_BYTES, loads, normalise
from trace.ledger.encoding import from_base64
from trace.ledger.errors import LedgerError, MalformedEntry
from trace.ledger.keyring import device_key, device_message
from village import clock
from village.db import core, insert_later, read_once, write
from village.errors import BadInput, Conflict, Forbidden
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.text import clean_text

MOST_NUMBER = 2**31 - 1
SALT_BYTES = 32
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
"""One spelling of a time that every verifier reads alike, in any language."""
TAKEN = "soi_device_numbers"
"""Numbers that the transaction under way took, before their rows are inserted."""
ORIGIN = "soi.origin"
UNSIGNED = frozenset(("device", "note", "value_dong"))
"""Members of a body that its claim leaves out: the signature itself, and what stays off the ledger."""

_D, _U = Device.__table__.c, DeviceUse.__table__.c
_READ = select(_D.jwk, _D.member_id, _D.status, _D.enrolled_entry).where(_D.key == bindparam("key"))
_STATUS = select(_D.status).where(_D.key == bindparam("key"))
_USED = select(_U.entry_index).where(_U.key == bindparam("key"), _U.seq == bindparam("seq"))


class NumberUsed(Conflict):
    """The phone gave this number to something else before."""


def read_body(raw: bytes) -> dict[str, Any]:
    """A signed request's JSON as every reader of it sees it: no name twice, no number beyond 2^53, text in NFC."""
    try:
        body = normalise(loads(raw, limit=MAX_ENTRY_BYTES))
    except MalformedEntry as error:
        raise BadInput(
            "unreadable-claim", _l("Dữ liệu đã ký không đọc được: %(why)s"), field="device", why=str(error)
        ) from error
    if not isinstance(body, dict):
        raise BadInput("unreadable-claim", _l("Dữ liệu đã ký không đọc được: %(why)s"), field="device", why="[]")
    return body


def claim_of_body(body: Mapping[str, Any], salt: bytes | None) -> dict[str, Any]:
    """What the sender of a JSON body signed: the body without what is private, and the note's commitment."""
    claim = {name: value for name, value in body.items() if name not in UNSIGNED}
    if "commitments" in claim:
        raise BadInput("commitments-are-made", _l("Phần này sổ tự tính từ ghi chú."), field="commitments")
    return claim | commitments(str(body.get("note") or ""), salt)


def refuse_unclear(claim: Mapping[str, Any]) -> None:
    """What our own reading of a request is easy about, every verifier of a claim must read alike."""
    if not _TIME.fullmatch(str(claim.get("occurred_at"))):
        raise BadInput(
            "claimed-time", _l("Giờ đã ký phải viết như 2026-11-20T06:30:00.000+07:00."), field="occurred_at"
        )
    if not isinstance(claim.get("passed"), (bool, type(None))):
        raise BadInput("claimed-outcome", _l("Kết quả đã ký phải là true hoặc false."), field="passed")


def commitments(note: str, salt: bytes | None) -> dict[str, Any]:
    """The claim's `commitments`; empty without a note. Note and salt come together, and the note as it will be kept."""
    if not note and salt is None:
        return {}
    if not note or salt is None:
        raise BadInput("note-and-salt", _l("Ghi chú và muối của nó phải đi cùng nhau."), field="device.salt")
    kept = clean_text(note, "note", NOTE_LENGTH)
    if kept != note:
        raise BadInput(
            "untidy-note", _l("Ghi chú đã ký còn thừa dấu cách hoặc chưa ở dạng NFC."), field="note", tidy=kept
        )
    return {"commitments": {"note": store.commitment(salt, note)}}


def salt_of(text: str | None) -> bytes | None:
    """A salt in base64; None where there is none."""
    if not text:
        return None
    salt = from_base64(text)
    if salt is None or len(salt) != SALT_BYTES:
        raise BadInput("bad-salt", _l("Muối phải là 32 byte viết bằng base64."), field="device.salt")
    return salt


def check(who: Actor, signed: Signed) -> None:
    """The signature is by a key of this very member and holds. Before the ledger's lock: it takes its time."""
    if not 1 <= signed.seq <= MOST_NUMBER:
        raise BadInput(
            "bad-number", _l("Số thứ tự của máy đếm từ 1 đến %(most)s."), field="device.seq", most=MOST_NUMBER
        )
    row = next(iter(read_once(_READ, {"key": signed.key})), None) if len(signed.key) == 43 else None
    if row is None or (row.member_id != who.id and row.enrolled_entry is None):
        raise BadInput(
            "unknown-device",
            _l("Chưa có điện thoại nào mang khoá %(key)s được hợp tác xã duyệt, nên chưa nhận chữ ký của nó."),
            field="device.key",
            key=signed.key,
        )
    if row.member_id != who.id:
        raise Forbidden("not-your-device", _l("Khoá này là của máy người khác."), field="device.key")
    signature = from_base64(signed.signature)
    try:
        message = device_message(origin(), signed.key, signed.seq, signed.claim)
        device_key(row.jwk).verify(message, signature or b"")
    except LedgerError as error:
        raise BadInput(
            "bad-signature", _l("Chữ ký của máy không khớp với những gì gửi lên, nên chưa ghi gì cả."),
            field="device.signature",
        ) from error  # fmt: skip


def take_number(session: Session, signed: Signed, event_id: str) -> None:
    """Under the ledger's lock: the key still signs, and this number was not used before."""
    status = core(session).execute(_STATUS, {"key": signed.key}).scalar_one()
    if status is not Status.ENROLLED:
        raise _not_enrolled(status)
    refuse_used(session, signed, event_id)
    session.info[TAKEN] = session.info.get(TAKEN, frozenset()) | {(signed.key, signed.seq)}


def refuse_used(session: Session, signed: Signed, event_id: str) -> None:
    """NumberUsed when an entry has this number of this key already, or will have it with this transaction."""
    taken = (signed.key, signed.seq) in session.info.get(TAKEN, frozenset())
    if taken or core(session).execute(_USED, {"key": signed.key, "seq": signed.seq}).first() is not None:
        raise NumberUsed(
            "device-number-used",
            _l("Máy này đã dùng số %(seq)s cho một lần ghi khác rồi. Lần này chưa ghi gì cả."),
            field="device.seq",
            seq=signed.seq,
            id=event_id,
        )


def keep_number(session: Session, signed: Signed, index: int) -> None:
    """The number now stands on the ledger, at entry `index`."""
    insert_later(session, DeviceUse.__table__, [{"key": signed.key, "seq": signed.seq, "entry_index": index}])


def count_repeat(signed: Signed, event_id: str) -> None:
    """Remember, in a transaction of its own, that a number came again for something else: a copied key, or worse."""
    told = json.dumps({"seq": signed.seq, "at": clock.now().isoformat(timespec="seconds"), "event": event_id})
    with write() as session:
        mine = update(Device).where(Device.key == signed.key)
        session.execute(mine.values(repeats=Device.repeats + 1, last_repeat=told))


def last_repeat(device: Device) -> tuple[int, dt.datetime] | None:
    """The number that came again last, and when; None when none did."""
    if not device.last_repeat:
        return None
    told = json.loads(device.last_repeat)
    return int(told["seq"]), dt.datetime.fromisoformat(told["at"])


def _not_enrolled(status: Status) -> Conflict:
    told = {
        Status.PENDING: _l("Khoá của máy này còn chờ văn phòng duyệt, chưa ký được."),
        Status.REFUSED: _l("Văn phòng không nhận khoá của máy này, nên nó không ký được."),
        Status.REVOKED: _l("Khoá của máy này đã thôi dùng, nên nó không ký được nữa."),
        Status.LOST: _l("Máy này đã báo mất, nên khoá của nó không ký được nữa."),
    }
    return Conflict(f"device-{status.value}", told[status], field="device.key")


def origin() -> str:
    """The log's name, which never changes."""
    kept = current_app.extensions
    if ORIGIN not in kept:
        kept[ORIGIN] = store.ensure_born().origin
    return str(kept[ORIGIN])

