"""Recording a stage: whole or not at all. Each function that takes no session owns its transaction."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from batches.devices import signing
from batches.mass import Finding, basis_points
from batches.processes.catalogue import process_of
from batches.processes.models import Kind, Process, Stage
from batches.stages import names
from batches.stages.checks import LOOKING, STAYING
from batches.stages.findings import tell
from batches.stages.making import make
from batches.stages.ready import Ready, claim_of, make_ready
from batches.stages.wanted import Signed, Wanted
from trace.events.models import Event
from trace.events.services import Happening, Recorded, Share, record
from trace.gs1.digital_link import DigitalLink
from trace.ledger.canonical import canonical
from trace.ledger.claims import UnfitClaim
from trace.ledger.encoding import to_base64
from trace.ledger.errors import MalformedEntry
from trace.ledger.store import Appended
from trace.lots import cases
from trace.lots.held import in_hand
from trace.lots.models import Batch, UnitStatus
from trace.lots.services import refresh_holds
from trace.signals import batch_made, units_left
from village import clock, idempotency
from village.db import db, insert_now
from village.errors import BadInput, Conflict
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.i18n import marked
from village.ids import is_uuid, uuid7
from village.people.access import Actor
from village.together import together

SCOPE = "event"
NOTICED = frozenset((Kind.DISPATCH, Kind.LOSE, Kind.CASE, Kind.UNCASE))
"""Stages after which others read or refer to what was written."""
CLASHES = 2
"""How often a stage is recorded anew when a lot code that was drawn by chance is taken."""
INSPECTION_FAILED = marked("Lần kiểm tra gần nhất chưa đạt.")
"""Why a batch is held; a message's name, translated where it is shown."""


def record_stage(who: Actor, wanted: Wanted, body: Mapping[str, Any]) -> dict[str, Any]:
    """Record one stage and answer as `POST /api/events` does. The same id and body again give the same answer."""
    if not is_uuid(wanted.id):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="id")

    signed = wanted.device
    if signed is not None:
        signing.check(who, signed)
        if not signed.as_built:
            signing.refuse_unclear(signed.claim)
            names.refuse_private(wanted)

    def work(session: Session) -> dict[str, Any]:
        before = _recall(session, who, wanted, body)
        if before is not None:
            return dict(before.body)
        if signed is not None:
            signing.take_number(session, signed, wanted.id)
        try:
            recorded = record_in(session, who, wanted)
        except MalformedEntry as error:
            raise _no_entry(error) from error
        if signed is not None:
            signing.keep_number(session, signed, recorded.entry.index)
        answer = answer_for(recorded)
        idempotency.remember(session, SCOPE, wanted.id, {"by": who.id, **body}, 201, answer)
        return answer

    try:
        return _through(work, wanted)
    except signing.NumberUsed:
        assert signed is not None
        signing.count_repeat(signed, wanted.id)
        raise


def _recall(
    session: Session, who: Actor, wanted: Wanted, body: Mapping[str, Any]
) -> idempotency.Answer | None:
    """What was answered to this before. The same id for something else, under a number used before, is a repeat."""
    try:
        return idempotency.recall(session, SCOPE, wanted.id, {"by": who.id, **body})
    except Conflict:
        if wanted.device is not None:
            signing.refuse_used(session, wanted.device, wanted.id)
        raise


def _through(work: Callable[[Session], dict[str, Any]], wanted: Wanted) -> dict[str, Any]:
    for _again in range(CLASHES):
        with suppress(IntegrityError):
            return together(work)
        refuse_taken(db.session(), wanted.id)
    return together(work)


def rehearse(who: Actor, wanted: Wanted) -> dict[str, Any]:
    """What a phone would sign of this stage, which is looked over as if it were recorded. Nothing is written."""
    session = db.session()
    wanted = names.resolved(session, who, wanted)
    return claim_of(make_ready(session, who, wanted), wanted)


def _refuse_changed(ready: Ready, wanted: Wanted, signed: Signed) -> None:
    """A form's claim must be what the server makes of the form now, word for word."""
    built = claim_of(ready, wanted) | signing.commitments(wanted.note, signed.salt)
    if canonical(built) != canonical(signed.claim):
        raise Conflict("claim-changed", _l("Số liệu đã khác lúc máy ký, nên chưa ghi gì cả. Bác bấm ghi lại nhé."))


def _no_entry(error: MalformedEntry) -> BadInput:
    if not isinstance(error, UnfitClaim):
        told = _l("Một lần ghi nhiều thứ quá, sổ không nhận được. Bác chia ra vài lần nhé.")
        return BadInput("entry-too-large", told)
    return BadInput(
        "claim-does-not-fit",
        _l("Chỗ %(member)s máy đã ký không giống điều sổ sẽ ghi, nên chưa ghi gì cả."),
        field=error.member,
        member=error.member,
    )


def refuse_taken(session: Session, event_id: str) -> None:
    """Refuse an id that an event has already, though not through this address: a dispatch made its own."""
    if session.get(Event, event_id) is not None:
        raise Conflict("id-taken", _l("Mã này đã là mã của một lần ghi khác."), field="id", id=event_id)


def record_in(
    session: Session,
    who: Actor,
    wanted: Wanted,
    *,
    corrects: Event | None = None,
    keep: Sequence[Batch] = (),
) -> Recorded:
    """Record one stage inside the caller's transaction.

    For a correction, `corrects` is the event put right and `keep` its output batches, which keep their identity.
    """
    wanted = names.resolved(session, who, wanted)
    ready = make_ready(session, who, wanted, corrects.process_version if corrects else None)
    process, stage, inputs = ready.process, ready.stage, ready.inputs
    signed = wanted.device
    if signed is not None and signed.as_built:
        _refuse_changed(ready, wanted, signed)
    facts = _numbered(session, ready, wanted, corrects)
    passed = verdict(wanted, ready.findings) if stage.kind is Kind.INSPECT else None
    outputs = make(session, wanted, process, stage, inputs, ready.products, ready.household, ready.site, keep)
    recorded = record(
        session,
        _happening(process, stage)(
            id=wanted.id,
            occurred_at=wanted.occurred_at,
            site=ready.site,
            household_id=ready.household.id,
            member_id=who.id,
            inputs=() if ready.looking else inputs,
            outputs=outputs,
            about=inputs if ready.looking else (),
            readings=[{"type": r.type, "value": str(r.value), "unit": r.unit} for r in wanted.readings],
            warnings=[{"slug": f.slug, "params": dict(f.params)} for f in ready.findings],
            photos=wanted.photos,
            facts={**facts, **(held.facts if (held := in_hand(session)) else {})},
            value_dong=wanted.value_dong,
            note=wanted.note,
            passed=passed,
            corrects=corrects.id if corrects else None,
            device=signed.member if signed else None,
            salts=signed.salts if signed else {},
        ),
    )
    _take_out(session, stage, inputs)
    _after(session, stage, wanted, inputs, outputs, passed, told=corrects is not None)
    if "sscc" in facts:
        _case(session, ready, wanted, facts["sscc"])
    return recorded


def _numbered(session: Session, ready: Ready, wanted: Wanted, corrects: Event | None) -> Mapping[str, str]:
    """The facts, with the number that a case gets here. One whose packing is corrected keeps its own."""
    if ready.stage.kind is not Kind.CASE:
        return wanted.facts
    told = wanted.facts.get("sscc")
    sscc = told if told and corrects else cases.new_number(session, ready.household.cooperative_id, told)
    return {**wanted.facts, "sscc": sscc}


def _case(session: Session, ready: Ready, wanted: Wanted, sscc: str) -> None:
    """What a stage does to a case: it is packed, opened, sent off or lost."""
    ends: dict[Kind, UnitStatus] = {Kind.UNCASE: "opened", Kind.DISPATCH: "shipped", Kind.LOSE: "lost"}
    if ready.stage.kind in ends:
        cases.end(session, sscc, wanted.id, ends[ready.stage.kind])
        return
    cases.pack(
        session,
        sscc,
        ready.household,
        wanted.id,
        wanted.occurred_at,
        {share.batch.id: share.units or 0 for share in ready.inputs},
    )


def record_dispatch(
    session: Session, who: Actor, parts: Sequence[tuple[str, int]], *, buyer: str
) -> list[Recorded]:
    """An order leaves: its packs, as (batch id, units), are dispatched in the caller's `write(ledger=True)`.

    One event for each process and household among them. `buyer` is only committed to. Stock is the caller's business:
    no `units_left` is sent. The event stands at the place where the packs were packed.
    """
    groups: dict[tuple[str, str], list[Share]] = {}
    wanted = dict(parts)
    rows = session.scalars(select(Batch).where(Batch.id.in_(wanted)).order_by(Batch.id).with_for_update()).all()
    cased = cases.packed_in(session, wanted)
    for batch in rows:
        units = wanted[batch.id]
        if batch.hold != "none":
            raise Conflict(
                "on-hold", _l("Lô %(lot)s đang tạm giữ nên chưa gửi đi được. %(reason)s"),
                lot=batch.lot, reason=_(batch.hold_reason),
            )
        if batch.void or units > (batch.left_units or 0):
            raise Conflict("not-enough-left", _l("Lô %(lot)s không còn đủ gói."), lot=batch.lot, left=batch.left_units)
        cases.refuse_cased(batch, units, cased.get(batch.id, 0))
        share = Share(batch, units * (batch.product.net_grams or 0), units)
        groups.setdefault((batch.process, batch.household_id), []).append(share)
    if sum(len(group) for group in groups.values()) != len(wanted):
        raise Conflict("no-batch", _l("Có lô không còn trong sổ."))
    return [_dispatch(session, who, process, group, buyer) for (process, _), group in groups.items()]


def _dispatch(session: Session, who: Actor, process_key: str, group: list[Share], buyer: str) -> Recorded:
    process = process_of(process_key, max(share.batch.process_version for share in group))
    packs = {share.batch.material for share in group}
    stage = next(one for one in process.stages if one.kind is Kind.DISPATCH and packs <= set(one.inputs))
    _take_out(session, stage, group)
    return record(
        session,
        _happening(process, stage)(
            id=uuid7(),
            occurred_at=clock.now().astimezone(clock.VN),
            site=group[0].batch.site,
            household_id=group[0].batch.household_id,
            member_id=who.id,
            inputs=group,
            private={"buyer": buyer},
        ),
    )


def _happening(process: Process, stage: Stage) -> Callable[..., Happening]:
    """A happening of this stage, with its names and words as the process file has them today."""
    return partial(
        Happening,
        kind=stage.kind.value,
        process=process.key,
        process_version=process.version,
        stage=stage.key,
        name=(stage.name.vi, stage.name.en),
        story=(stage.story.vi, stage.story.en),
        picture=stage.picture,
        biz_step=stage.biz_step,
        disposition=stage.disposition,
    )


def answer_for(recorded: Recorded) -> dict[str, Any]:
    """The answer of `POST /api/events`: the entry, the batches that came out, what was doubtful."""
    happening = recorded.happening
    process = process_of(happening.process, happening.process_version)
    return {
        "id": recorded.event_id,
        "entry": entry_answer(recorded.entry),
        "batches": [batch_answer(share.batch) for share in happening.outputs],
        "warnings": [_warning(process, warning) for warning in happening.warnings],
        "sscc": happening.facts.get("sscc"),
    }


def _warning(process: Process, warning: Mapping[str, Any]) -> dict[str, Any]:
    told = tell(process, warning["slug"], warning["params"])
    return {"type": warning["slug"], "detail": told, **warning["params"]}


def entry_answer(entry: Appended) -> dict[str, Any]:
    """A ledger entry as the API names it."""
    public_url = current_app.extensions["soi"].public_url
    return {
        "index": entry.index,
        "leaf_hash": to_base64(entry.leaf_hash),
        "receipt": f"{public_url}/ledger/entries/{entry.index}/receipt",
    }


def batch_answer(batch: Batch) -> dict[str, Any]:
    """A batch as the API names it."""
    public_url = current_app.extensions["soi"].public_url
    return {
        "id": batch.id,
        "gtin": batch.gtin,
        "lot": batch.lot,
        "grams": batch.made_grams,
        "units": batch.made_units,
        "scan_url": DigitalLink(batch.gtin, lot=batch.lot).under(public_url),
    }


def _take_out(session: Session, stage: Stage, inputs: Sequence[Share]) -> None:
    if stage.kind in STAYING:
        return
    for share in inputs:
        share.batch.left_grams -= share.grams or 0
        if share.units is not None:
            share.batch.left_units = (share.batch.left_units or 0) - share.units
    session.flush()


def _after(
    session: Session,
    stage: Stage,
    wanted: Wanted,
    inputs: Sequence[Share],
    outputs: Sequence[Share],
    passed: bool | None,
    *,
    told: bool,
) -> None:
    """What follows from a stage: moisture, holds, and the notices upward (a correction sends its own)."""
    if stage.kind in NOTICED:
        insert_now(session)
    if stage.kind in LOOKING:
        moisture = next((basis_points(r.value) for r in wanted.readings if r.type == "Moisture"), None)
        for share in inputs:
            if moisture is not None:
                share.batch.moisture = moisture
        session.flush()
    if stage.kind is Kind.INSPECT:
        for share in inputs:
            # What passes and is on no hold changes nobody's: nothing below is held because of it.
            if not passed or share.batch.hold != "none":
                insert_now(session)
                refresh_holds(session, share.batch.id, INSPECTION_FAILED)
    if told:
        return
    for share in outputs:
        batch_made.send(None, session=session, batch=share.batch)
    if stage.kind in (Kind.DISPATCH, Kind.LOSE):
        for share in inputs:
            if share.units is not None:
                lost = stage.kind is Kind.LOSE
                units_left.send(None, session=session, batch=share.batch, units=share.units, lost=lost)


def verdict(wanted: Wanted, findings: Sequence[Finding]) -> bool:
    """What the inspector said; a reading over its limit fails whatever was said."""
    over = any(finding.slug == "reading-over-limit" for finding in findings)
    return not over and wanted.passed is not False
