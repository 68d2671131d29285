"""Signed stages that were refused: remembered, so that the office hears of what is stuck on somebody's phone."""

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Response, request
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from batches.devices import signing
from batches.devices.models import Device
from batches.field.models import PhoneHeard, RefusedRecord
from batches.stages.wanted import Signed
from trace.events.models import Event
from trace.gs1.digital_link import class_uri
from trace.gs1.errors import Gs1Error
from village import clock
from village.db import write
from village.errors import Conflict, SoiError
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor, actor
from village.text import clean_line

log = structlog.get_logger()
TOLD = frozenset((403, 404, 409, 422))
"""Answers after which a phone's record is stuck until a person helps."""
WAITS = frozenset(("device-pending", "unknown-device", "bad-signature"))
"""Not stuck: the office has yet to approve the phone, or nobody knows whose record it is."""
MOST_OPEN = 500
"""Records of one member that are remembered at once: a phone gone wrong cannot fill the table."""
MOST_BATCHES = 20
DETAIL, WHY = 500, 200


def remember_refusal(response: Response) -> Response:
    """After an answer to `POST /api/events`: remember the event if it was refused and truly signed by its sender."""
    who = actor() if response.status_code in TOLD else None
    if who is not None and request.method == "POST":
        try:
            _remember(who, response.get_json(silent=True) or {})
        except SoiError:
            pass  # Not signed, not by her phone, or not readable: nobody's record.
        except Exception as error:  # the refusal itself must reach the phone whatever happens here
            log.error("refusal not remembered", error=type(error).__name__, exc_info=error)
    return response


def _remember(who: Actor, problem: Mapping[str, Any]) -> None:
    slug = str(problem.get("type", "")).rpartition("/")[2][:60]
    body = signing.read_body(request.get_data())
    event_id, told = body.get("id"), body.get("device")
    if slug in WAITS or not isinstance(told, dict) or not isinstance(event_id, str) or not is_uuid(event_id):
        return
    key, seq, signature, salt = (told.get(name) for name in ("key", "seq", "signature", "salt"))
    texts = isinstance(key, str) and isinstance(signature, str) and (salt is None or isinstance(salt, str))
    if not texts or isinstance(seq, bool) or not isinstance(seq, int):
        return
    claim = signing.claim_of_body(body, signing.salt_of(salt))
    signing.check(who, Signed(str(key), seq, str(signature), claim))
    with write() as session:
        row = session.get(RefusedRecord, (event_id, who.id), with_for_update=True)
        if row is None:
            if _open(session, who.id) >= MOST_OPEN:
                return
            row = RefusedRecord(event_id=event_id, member_id=who.id, first_at=clock.now(), times=0, why="")
            session.add(row)
        row.device_key, row.seq, row.slug, row.last_at = str(key), seq, slug, clock.now()
        row.detail = str(problem.get("detail", ""))[:DETAIL]
        row.process, row.stage = (str(claim.get(name, ""))[:40] for name in ("process", "stage"))
        row.batches, row.grams = _batches(claim), _grams(claim)
        row.times += 1


def drop(who: Actor, event_id: str, why: str) -> None:
    """The producer gives a refused record up. One that was recorded after all is refused: it can only be corrected."""
    why = clean_line(why, "why", WHY, required=False)
    with write() as session:
        if session.get(Event, event_id) is not None:
            raise Conflict("already-recorded", _l("Lần ghi này đã vào sổ rồi. Sai thì bác sửa trong sổ."), id=event_id)
        row = session.get(RefusedRecord, (event_id, who.id), with_for_update=True)
        if row is not None and row.dropped_at is None:
            row.dropped_at, row.why = clock.now(), why


def forget_in(session: Session, member_id: str) -> None:
    """Forget what a member's phones could not send and when they were heard of, in the caller's transaction."""
    session.execute(delete(RefusedRecord).where(RefusedRecord.member_id == member_id))
    hers = select(Device.key).where(Device.member_id == member_id)
    session.execute(delete(PhoneHeard).where(PhoneHeard.key.in_(hers)))


def _open(session: Session, member_id: str) -> int:
    rows = select(func.count()).select_from(RefusedRecord)
    return session.scalar(rows.where(RefusedRecord.member_id == member_id, RefusedRecord.dropped_at.is_(None))) or 0


def _batches(claim: Mapping[str, Any]) -> list[str]:
    found = [str(one.get("batch", ""))[:200] for one in _parts(claim, "inputs")]
    for one in _parts(claim, "outputs"):
        if isinstance(one.get("lot"), str):
            try:
                found.append(class_uri(str(one.get("product", "")), one["lot"]))
            except Gs1Error:
                continue
    return [epc for epc in found if epc][:MOST_BATCHES]


def _grams(claim: Mapping[str, Any]) -> int | None:
    for name in ("outputs", "inputs"):
        weights = [one.get("grams") for one in _parts(claim, name)]
        if whole := sum(value for value in weights if isinstance(value, int) and 0 < value < 10**12):
            return whole
    return None


def _parts(claim: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    told = claim.get(name)
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
