"""Corrections: nothing is edited. The event at fault is declared wrong, and another tells it right."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from batches.stages import names
from batches.stages.descendants import carry_on
from batches.stages.services import INSPECTION_FAILED, SCOPE, answer_for, entry_answer, record_in, refuse_taken
from batches.stages.wanted import Make, Measure, Take, Wanted
from trace.epcis.events import ErrorReason
from trace.events.models import Event, EventBatch
from trace.events.services import Recorded, declare_error
from trace.lots import cases
from trace.lots.holding import OFFICE_STAGES, RETURN
from trace.lots.models import Batch
from trace.lots.services import reachable, refresh_holds
from trace.signals import batch_changed, units_left
from village import idempotency
from village.db import db, insert_now, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor, not_yours
from village.people.models import Role


@dataclass(frozen=True)
class Correction:
    """What is to be put right. `told` None: the event never happened."""

    id: str
    event_id: str
    reason: ErrorReason
    note: str
    told: Wanted | None = None


def correct(who: Actor, wanted: Correction, body: Mapping[str, Any]) -> dict[str, Any]:
    """Correct one event, whole or not at all; the same id and body again give the same answer."""
    if not is_uuid(wanted.id):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="id")
    with write(ledger=True) as session:
        before = idempotency.recall(session, SCOPE, wanted.id, {"by": who.id, **body})
        if before is not None:
            return dict(before.body)
        refuse_taken(session, wanted.id)
        event = _own_event(session, who, wanted.event_id)
        if wanted.told is None:
            _undo(session, event)
            entry = declare_error(session, event, "did_not_occur", None)
            if event.kind == "inspect":
                # Only now does it no longer count: it holds nothing any more, and frees nothing.
                for part in event.parts:
                    refresh_holds(session, part.batch_id, INSPECTION_FAILED)
            answer = {"id": wanted.id, "entry": entry_answer(entry), "batches": [], "warnings": []}
        else:
            corrected = _redo(session, who, event, replace(wanted.told, id=wanted.id, note=wanted.note))
            answer = answer_for(corrected)
        idempotency.remember(session, SCOPE, wanted.id, {"by": who.id, **body}, 201, answer)
    return answer


def event_for(who: Actor, event_id: str) -> Event:
    """An event of this member's household or cooperative, to look at."""
    event = db.session.get(Event, event_id)
    if event is None:
        raise _no_event(event_id)
    if not who.works_for(event.household_id, event.household.cooperative_id):
        raise not_yours()
    return event


def as_wanted(event: Event) -> Wanted:
    """The event as it was asked for, to be changed and told again."""
    zone = dt.timezone(dt.timedelta(minutes=event.offset_minutes))
    return Wanted(
        id=event.id,
        process=event.process,
        stage=event.stage,
        occurred_at=event.occurred_at.astimezone(zone),
        site=event.site_id,
        inputs=tuple(
            Take(p.batch_id, p.grams if p.units is None else None, p.units) for p in event.parts if p.part != "output"
        ),
        outputs=tuple(
            Make(p.batch.product_id, p.grams if p.units is None else None, p.units, p.batch.lot)
            for p in event.parts
            if p.part == "output"
        ),
        readings=tuple(Measure(r["type"], Decimal(r["value"]), r["unit"]) for r in event.readings),
        photos=tuple(event.photos),
        note=event.note,
        passed=event.passed,
        # Where it was copied from is true of that record alone: this one is made by hand.
        facts={name: text for name, text in event.facts.items() if name != "source"},
        value_dong=event.value_dong,
        household=event.household_id,
    )


def _own_event(session: Session, who: Actor, event_id: str) -> Event:
    event = session.get(Event, event_id, with_for_update=True)
    if event is None:
        raise _no_event(event_id)
    if not who.works_for(event.household_id, event.household.cooperative_id):
        raise not_yours()
    if event.stage in OFFICE_STAGES and not who.has(Role.OFFICE):
        raise not_yours()
    if not event.stands:
        raise Conflict("already-corrected", _l("Lần ghi này đã được sửa rồi."), event=event.id)
    if event.kind == "dispatch" or event.stage == RETURN:
        raise Conflict("already-gone", _l("Hàng đã đi thì không sửa ở đây được; bác báo văn phòng hợp tác xã nhé."))
    return event


def _no_event(event_id: str) -> NotFound:
    return NotFound("no-event", _l("Không có lần ghi nào mang mã %(event)s."), event=event_id)


def _undo(session: Session, event: Event) -> None:
    """Take back what an event did: what came out must be untouched, what went in is there again."""
    changed = []
    for part in event.parts:
        batch = session.get_one(Batch, part.batch_id, with_for_update=True)
        if part.part == "output":
            if batch.left_grams != batch.made_grams or reachable(session, [batch.id], "down"):
                raise Conflict(
                    "already-used",
                    _l("Mẻ %(lot)s đã đem làm bước sau rồi. Bác sửa bước sau trước nhé."),
                    lot=batch.lot,
                )
            batch.void = True
            batch.left_grams = batch.made_grams = 0
            if batch.made_units is not None:
                batch.made_units = batch.left_units = 0
            changed.append(batch)
        elif part.part == "input":
            _give_back(batch, part)
    session.flush()
    cases.refuse_uncovered(session, changed)
    _case_again(session, event, gone=True)
    for batch in changed:
        batch_changed.send(None, session=session, batch=batch)
    if event.kind == "lose":
        _tell_lost(session, _units_of(event), {})


def _case_again(session: Session, event: Event, *, gone: bool) -> None:
    """Put a case back to how it was before this event, which never was (`gone`), or is about to be told again."""
    sscc = event.facts.get("sscc")
    if sscc is None:
        return
    if event.kind != "case":
        cases.close_again(session, sscc)
    elif gone:
        cases.unpack(session, sscc, event.id)
    else:
        cases.empty(session, sscc)


def _units_of(event: Event) -> dict[str, int]:
    """Packs that went in, by batch."""
    return {part.batch_id: part.units for part in event.parts if part.part == "input" and part.units is not None}


def _tell_lost(session: Session, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Stock follows the difference between what was said to be lost and what is said now."""
    for batch_id in before:
        more = after.get(batch_id, 0) - before[batch_id]
        if more:
            units_left.send(None, session=session, batch=session.get_one(Batch, batch_id), units=more, lost=True)


def _redo(session: Session, who: Actor, event: Event, told: Wanted) -> Recorded:
    """Tell the event again with other figures. Its batches stay the same ones, so that labels stay true."""
    before, told = as_wanted(event), names.resolved(session, who, told)
    if (told.process, told.stage) != (before.process, before.stage):
        raise BadInput("other-stage", _l("Sửa số liệu thì vẫn phải là bước ấy."), field="event.stage")
    if [take.batch for take in told.inputs] != [take.batch for take in before.inputs]:
        raise BadInput("other-batches", _l("Sửa số liệu thì vẫn phải là các mẻ ấy."), field="event.inputs")
    if [make.product for make in told.outputs] != [make.product for make in before.outputs]:
        raise BadInput("other-batches", _l("Sửa số liệu thì vẫn phải là các mẻ ấy."), field="event.outputs")
    if told.facts.get("sscc") != before.facts.get("sscc"):
        raise BadInput("other-case", _l("Sửa số liệu thì vẫn phải là thùng ấy."), field="event.facts.sscc")
    keep = [session.get_one(Batch, p.batch_id, with_for_update=True) for p in event.parts if p.part == "output"]
    for part in event.parts:
        if part.part == "input":
            _give_back(session.get_one(Batch, part.batch_id, with_for_update=True), part)
    session.flush()
    _case_again(session, event, gone=False)
    declare_error(session, event, "incorrect_data", told.id)
    corrected = record_in(session, who, told, corrects=event, keep=keep)
    insert_now(session)
    event.corrected_by = corrected.event_id
    session.flush()
    cases.refuse_uncovered(session, keep)
    carry_on(session, keep)
    for batch in keep:
        batch_changed.send(None, session=session, batch=batch)
    if event.kind == "lose":
        after = {s.batch.id: s.units for s in corrected.happening.inputs if s.units is not None}
        _tell_lost(session, _units_of(event), after)
    return corrected


def _give_back(batch: Batch, part: EventBatch) -> None:
    batch.left_grams += part.grams or 0
    if part.units is not None:
        batch.left_units = (batch.left_units or 0) + part.units
