"""Recording a stage: whole or not at all. Each function that takes no session owns its transaction."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from batches.mass import Finding, basis_points
from batches.processes.catalogue import all_processes
from batches.processes.models import Kind, Process, Stage
from batches.stages import checks
from batches.stages.findings import tell
from batches.stages.making import make
from batches.stages.wanted import Make, Wanted
from trace.events.models import Event
from trace.events.services import Happening, Recorded, Share, record
from trace.gs1.digital_link import DigitalLink
from trace.ledger.encoding import to_base64
from trace.ledger.store import Appended
from trace.lots.models import Batch
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
from village.products.models import Product
from village.reference import Reference, reference
from village.together import together

SCOPE = "event"
NOTICED = frozenset((Kind.INSPECT, Kind.PACK, Kind.DISPATCH))
"""Stages after which others read or refer to what was written."""
CLASHES = 2
"""How often a stage is recorded anew when a lot code that was drawn by chance is taken."""
INSPECTION_FAILED = marked("Lần kiểm tra gần nhất chưa đạt.")
"""Why a batch is held; a message's name, translated where it is shown."""


def record_stage(who: Actor, wanted: Wanted, body: Mapping[str, Any]) -> dict[str, Any]:
    """Record one stage and answer as `POST /api/events` does. The same id and body again give the same answer."""
    if not is_uuid(wanted.id):
        raise BadInput("bad-id", _l("Mã của lần ghi phải là một UUID viết thường."), field="id")

    def work(session: Session) -> dict[str, Any]:
        before = idempotency.recall(session, SCOPE, wanted.id, {"by": who.id, **body})
        if before is not None:
            return dict(before.body)
        answer = answer_for(record_in(session, who, wanted))
        idempotency.remember(session, SCOPE, wanted.id, {"by": who.id, **body}, 201, answer)
        return answer

    for _again in range(CLASHES):
        with suppress(IntegrityError):
            return together(work)
        refuse_taken(db.session(), wanted.id)
    return together(work)


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
    process, stage = checks.stage_of(wanted)
    checks.time_of(wanted.occurred_at)
    village = reference(session)
    site = checks.site_of(village, who, wanted.site)
    inputs = checks.take(session, who, stage, wanted.inputs, wanted.occurred_at)
    household = checks.household_of(village, who, wanted, inputs, site)
    products = _products(village, who, process, stage, wanted.outputs)
    findings = checks.balance(process, stage, wanted, inputs, products[0] if products else None)
    outputs = make(session, wanted, process, stage, inputs, products, household, site, keep)
    looking = stage.kind in (Kind.OBSERVE, Kind.INSPECT)
    recorded = record(
        session,
        _happening(process, stage)(
            id=wanted.id,
            occurred_at=wanted.occurred_at,
            site=site,
            household_id=household.id,
            member_id=who.id,
            inputs=() if looking else inputs,
            outputs=outputs,
            about=inputs if looking else (),
            readings=[{"type": r.type, "value": str(r.value), "unit": r.unit} for r in wanted.readings],
            warnings=[{"slug": f.slug, "params": dict(f.params)} for f in findings],
            photos=wanted.photos,
            note=wanted.note,
            passed=_passed(stage, wanted, findings) if stage.kind is Kind.INSPECT else None,
            corrects=corrects.id if corrects else None,
        ),
    )
    _take_out(session, stage, inputs)
    _after(session, stage, wanted, inputs, outputs, told=corrects is not None)
    return recorded


def record_dispatch(
    session: Session, who: Actor, parts: Sequence[tuple[str, int]], *, buyer: str
) -> list[Recorded]:
    """An order leaves: its packs, as (batch id, units), are dispatched in the caller's `write(ledger=True)`.

    One event for each process and household among them. `buyer` is only committed to. Stock is the caller's business:
    no `units_left` is sent. The event stands at the place where the packs were packed.
    """
    groups: dict[tuple[str, str], list[Share]] = {}
    wanted = dict(parts)
    rows = session.scalars(select(Batch).where(Batch.id.in_(wanted)).order_by(Batch.id).with_for_update())
    for batch in rows:
        units = wanted[batch.id]
        if batch.hold != "none":
            raise Conflict(
                "on-hold", _l("Lô %(lot)s đang tạm giữ nên chưa gửi đi được. %(reason)s"),
                lot=batch.lot, reason=_(batch.hold_reason),
            )
        if batch.void or units > (batch.left_units or 0):
            raise Conflict("not-enough-left", _l("Lô %(lot)s không còn đủ gói."), lot=batch.lot, left=batch.left_units)
        share = Share(batch, units * (batch.product.net_grams or 0), units)
        groups.setdefault((batch.process, batch.household_id), []).append(share)
    if sum(len(group) for group in groups.values()) != len(wanted):
        raise Conflict("no-batch", _l("Có lô không còn trong sổ."))
    return [_dispatch(session, who, process, group, buyer) for (process, _), group in groups.items()]


def _dispatch(session: Session, who: Actor, process_key: str, group: list[Share], buyer: str) -> Recorded:
    process = all_processes()[process_key]
    stage = next(stage for stage in process.stages if stage.kind is Kind.DISPATCH)
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
    process = all_processes()[happening.process]
    return {
        "id": recorded.event_id,
        "entry": entry_answer(recorded.entry),
        "batches": [batch_answer(share.batch) for share in happening.outputs],
        "warnings": [_warning(process, warning) for warning in happening.warnings],
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


def _products(
    village: Reference, who: Actor, process: Process, stage: Stage, outputs: Sequence[Make]
) -> list[Product]:
    if stage.output is None:
        if outputs:
            raise BadInput("no-output-here", _l("Bước này không làm ra mẻ mới."), field="outputs")
        return []
    if not outputs:
        raise BadInput("no-output", _l("Bác ghi giúp làm ra được bao nhiêu."), field="outputs")
    if stage.kind is Kind.PACK and len(outputs) != 1:
        raise BadInput("one-pack-size", _l("Mỗi lần đóng gói ghi một cỡ gói thôi nhé."), field="outputs")
    found = []
    for number, one in enumerate(outputs):
        product = checks.product_of(village, who, process, stage, one.product, f"outputs.{number}.product")
        if product.packed != (one.units is not None):
            raise BadInput(
                "grams-or-units",
                _l("Gói thì ghi số gói, còn lại thì ghi số cân."),
                field=f"outputs.{number}.{'units' if product.packed else 'grams'}",
            )
        if product.packed and one.grams not in (None, (one.units or 0) * (product.net_grams or 0)):
            raise BadInput("net-weight", _l("Số cân không khớp với số gói."), field=f"outputs.{number}.grams")
        if not product.packed and (one.grams is None or one.grams <= 0):
            raise BadInput("no-output", _l("Bác ghi giúp làm ra được bao nhiêu."), field=f"outputs.{number}.grams")
        found.append(product)
    return found


def _take_out(session: Session, stage: Stage, inputs: Sequence[Share]) -> None:
    if stage.kind in (Kind.OBSERVE, Kind.INSPECT):
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
    *,
    told: bool,
) -> None:
    """What follows from a stage: moisture, holds, and the notices upward (a correction sends its own)."""
    if stage.kind in NOTICED:
        insert_now(session)
    if stage.kind in (Kind.OBSERVE, Kind.INSPECT):
        moisture = next((basis_points(r.value) for r in wanted.readings if r.type == "Moisture"), None)
        for share in inputs:
            if moisture is not None:
                share.batch.moisture = moisture
        session.flush()
    if stage.kind is Kind.INSPECT:
        for share in inputs:
            refresh_holds(session, share.batch.id, INSPECTION_FAILED)
    if told:
        return
    for share in outputs:
        batch_made.send(None, session=session, batch=share.batch)
    if stage.kind is Kind.DISPATCH:
        for share in inputs:
            units_left.send(None, session=session, batch=share.batch, units=share.units or 0)


def _passed(stage: Stage, wanted: Wanted, findings: Sequence[Finding]) -> bool:
    """What the inspector said; a reading over its limit fails whatever was said."""
    over = any(finding.slug == "reading-over-limit" for finding in findings)
    return not over and wanted.passed is not False
