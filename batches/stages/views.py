"""The producer's pages: what I have, what I do next, how much came out. Each works without JavaScript."""

from dataclasses import replace
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from batches.devices.services import keys_of
from batches.devices.shown import signers_of
from batches.devices.signing import origin
from batches.processes.catalogue import all_processes
from batches.processes.models import WHOLE, Kind, Process, Stage
from batches.stages import forms, queries
from batches.stages.corrections import Correction, as_wanted, correct, event_for
from batches.stages.services import record_stage, rehearse
from batches.stages.wanted import Make, Take, Wanted
from trace.events.models import Event
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from village import clock
from village.errors import BadInput, NotFound, SoiError
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import Actor, requires, signed_in
from village.people.models import Role
from village.text import clean_text
from village.web.problems import wants_json

Part = TypeVar("Part", Take, Make)
pages = Blueprint("stages", __name__, url_prefix="/batches", template_folder="templates")


@pages.get("")
@requires(Role.PRODUCER, Role.OFFICE)
def home() -> ResponseReturnValue:
    """What the household has, and the one next thing to do."""
    who = signed_in()
    households = queries.households_of(who)
    household_id = _household(who, request.args.get("household"))
    have = queries.held(household_id) if household_id else []
    work = next((one for one in have if one.next and one.batch.hold == "none" and not one.batch.made_units), None)
    return render_template(
        "batches/home.html",
        households=households,
        household_id=household_id,
        have=have,
        work=work,
        latest=queries.latest(household_id) if household_id else [],
        beginnings=queries.beginnings(who),
    )


@pages.get("/<uuid:batch_id>")
@requires(Role.PRODUCER, Role.OFFICE, Role.AUDITOR)
def batch(batch_id: object) -> ResponseReturnValue:
    """One batch: how much is left, what comes next, its story, its label."""
    who = signed_in()
    held, events, parents, children = queries.batch_page(who, str(batch_id))
    link = DigitalLink(held.batch.gtin, lot=held.batch.lot)
    return render_template(
        "batches/batch.html",
        held=held,
        events=events,
        signers=signers_of([event.entry_index for event in events]),
        parents=parents,
        children=children,
        scan_path=link.path,
        can_work=who.works_for(held.batch.household_id, held.batch.cooperative_id),
        can_forget=who.has(Role.OFFICE) and who.cooperative_id == held.batch.cooperative_id,
    )


@pages.route("/record/<process_key>/<stage_key>", methods=("GET", "POST"))
@requires(Role.PRODUCER, Role.OFFICE)
def record(process_key: str, stage_key: str) -> ResponseReturnValue:
    """The form of one stage. Sent twice, it is written once: the form carries the event's id."""
    who = signed_in()
    process, stage = _stage(process_key, stage_key)
    typed = {key: value for key, value in request.form.items()}
    if request.method == "GET":
        return _form(who, process, stage, Form({"event_id": uuid7()}), request.args.get("batch", ""))
    form = Form.typed()
    try:
        wanted = forms.wanted(process, stage, typed, typed.get("event_id", ""))
        if typed.get("claim"):
            # A phone asks what it would sign. Where its script went away meanwhile, the form is shown again.
            claim = rehearse(who, replace(wanted, household=None))
            if wants_json():
                return {"claim": claim, "note": wanted.note}
            return _form(who, process, stage, form, typed.get("batch", ""))
        answer = record_stage(who, wanted, {"form": forms.unsigned(typed)})
    except SoiError as error:
        if error.status not in (403, 409, 422, 404):
            raise
        if error.slug == "idempotency-key-reused":
            form.values = {**typed, "event_id": uuid7()}
        return _form(who, process, stage, form.refused(error), typed.get("batch", "")), error.status
    flash(_("Đã ghi vào sổ, dòng số %(index)s.", index=answer["entry"]["index"]), "done")
    for warning in answer["warnings"]:
        flash(warning["detail"], "warning")
    if answer["batches"]:
        return redirect(url_for("stages.batch", batch_id=answer["batches"][0]["id"]))
    return redirect(url_for("stages.batch", batch_id=wanted.inputs[0].batch))


@pages.route("/events/<uuid:event_id>/correct", methods=("GET", "POST"))
@requires(Role.PRODUCER, Role.OFFICE)
def correction(event_id: object) -> ResponseReturnValue:
    """Put a wrong event right: other figures, or it never was."""
    who = signed_in()
    event = event_for(who, str(event_id))
    before = as_wanted(event)
    if request.method == "GET":
        return _correction_form(event, Form({**_figures(before), "correction_id": uuid7()}))
    typed = dict(request.form.items())
    form = Form.typed()
    try:
        told = _told(before, typed) if typed.get("reason") == "incorrect_data" else None
        if typed.get("reason") not in ("incorrect_data", "did_not_occur"):
            raise BadInput("which-reason", _l("Bác chọn giúp sai số hay không có việc này."), field="reason")
        note = clean_text(typed.get("note", ""), "note", 500, required=True)
        reason = "did_not_occur" if told is None else "incorrect_data"
        wanted = Correction(typed.get("correction_id", ""), event.id, reason, note, told)  # type: ignore[arg-type]  # one of the two literals
        correct(who, wanted, {"form": typed})
    except SoiError as error:
        if error.status not in (403, 409, 422, 404):
            raise
        return _correction_form(event_for(who, str(event_id)), form.refused(error)), error.status
    flash(_("Đã ghi lại cho đúng. Lần ghi cũ vẫn nằm trong sổ, có ghi rõ là sai."), "done")
    part = next(iter(before.inputs), None)
    made = [p.batch_id for p in event.parts if p.part == "output"]
    target = made[0] if made else (part.batch if part else "")
    return redirect(url_for("stages.batch", batch_id=target))


def _stage(process_key: str, stage_key: str) -> tuple[Process, Stage]:
    process = all_processes().get(process_key)
    stage = next((s for s in process.stages if s.key == stage_key), None) if process else None
    if process is None or stage is None:
        raise NotFound("unknown-stage", _l("Không có bước này trong quy trình."))
    return process, stage


def _household(who: Actor, asked: str | None) -> str | None:
    """Whose batches to show: one's own, or for the office the one asked for."""
    mine = {household.id for household in queries.households_of(who)}
    if asked and asked not in mine:
        raise NotFound("no-household", _l("Hợp tác xã mình không có hộ này."))
    return asked or who.household_id or next(iter(sorted(mine)), None)


def _form(who: Actor, process: Process, stage: Stage, form: Form, batch_id: str) -> str:
    first = _input(who, batch_id)
    asked = form.text("household") or request.args.get("household")
    household_id = first.household_id if first else _household(who, asked)
    usable = queries.usable(household_id, process, stage) if household_id and stage.inputs else []
    chosen = [b for b in usable if b.id == batch_id or form.text(f"take-{b.id}")]
    if not chosen and usable and stage.inputs:
        chosen = usable[:1]
    bounds = stage.yields.get(chosen[0].material) if len(chosen) == 1 else None
    shares = (bounds.usual_min, bounds.usual_max) if bounds else ()
    usual = tuple(_round(chosen[0].left_grams * share // WHOLE) for share in shares)
    return render_template(
        "batches/record.html",
        process=process,
        stage=stage,
        kind=Kind,
        form=form,
        keys=keys_of(who) if household_id == who.household_id else [],
        owner=who.id,
        log=origin(),
        bad_field=forms.field_of(stage, form.error if isinstance(form.error, SoiError) else None),  # type: ignore[arg-type]  # any error of ours has a field
        chosen=chosen,
        others=[b for b in usable if b not in chosen],
        products=queries.products_for(who, process, stage),
        sites=queries.sites_for(who, household_id or "", stage),
        usual=usual,
        household_id=household_id,
        batch_id=batch_id,
        now=clock.now().astimezone(clock.VN).strftime("%Y-%m-%dT%H:%M"),
        shown_kilograms=forms.shown_kilograms,
    )


def _round(grams: int) -> int:
    """As precise as a household's scale: whole kilograms, tenths below ten."""
    step = 1000 if grams >= 10_000 else 100
    return (grams + step // 2) // step * step


def _input(who: Actor, batch_id: str) -> Batch | None:
    if not batch_id:
        return None
    held, *_rest = queries.batch_page(who, batch_id)
    return held.batch


def _correction_form(event: Event, form: Form) -> str:
    process = all_processes()[event.process]
    stage = next((s for s in process.stages if s.key == event.stage), None)
    return render_template(
        "batches/correct.html",
        event=event,
        stage=stage,
        form=form,
        bad_field=forms.field_of(stage, form.error) if stage and form.error else None,  # type: ignore[arg-type]  # any error of ours has a field
        inputs=[p for p in event.parts if p.part == "input"],
        outputs=[p for p in event.parts if p.part == "output"],
        can_undo=event.kind != "dispatch",
    )


def _figures(wanted: Wanted) -> dict[str, str]:
    """An event's figures as its form shows them."""
    values = {"occurred_at": wanted.occurred_at.astimezone(clock.VN).strftime("%Y-%m-%dT%H:%M")}
    for number, take in enumerate(wanted.inputs):
        values[f"in-{number}"] = str(take.units) if take.units is not None else forms.shown_kilograms(take.grams or 0)
    for number, make in enumerate(wanted.outputs):
        values[f"out-{number}"] = str(make.units) if make.units is not None else forms.shown_kilograms(make.grams or 0)
    for reading in wanted.readings:
        values[f"reading-{reading.type}"] = format(reading.value, "f").replace(".", ",")
    values["passed"] = "no" if wanted.passed is False else "yes"
    return values


def _told(before: Wanted, typed: dict[str, str]) -> Wanted:
    """The event with the figures as they were typed anew."""
    stage = all_processes()[before.process].stage(before.stage)

    def told(part: Part, name: str) -> Part:
        text = typed.get(name, "")
        if part.units is not None:
            return replace(part, units=forms.units(text, name))
        return replace(part, grams=forms.grams(text, name))

    looking = stage.kind in (Kind.OBSERVE, Kind.INSPECT)
    inputs = before.inputs if looking else tuple(told(take, f"in-{n}") for n, take in enumerate(before.inputs))
    outputs = tuple(told(make, f"out-{n}") for n, make in enumerate(before.outputs))
    return replace(
        before,
        occurred_at=forms.moment(typed.get("occurred_at", "")),
        inputs=inputs,
        outputs=outputs,
        readings=forms.readings(stage, typed),
        passed=typed.get("passed") != "no" if stage.kind is Kind.INSPECT else None,
    )
