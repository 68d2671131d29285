"""The page on which a wrong event is put right: other figures, or it never was. Works without JavaScript."""

from dataclasses import replace
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from batches.processes.catalogue import process_of
from batches.processes.models import Kind, Stage
from batches.stages import forms
from batches.stages.corrections import Correction, as_wanted, correct, event_for
from batches.stages.views import pages
from batches.stages.wanted import Make, Take, Wanted
from trace.events.models import Event
from village import clock
from village.errors import BadInput, SoiError
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import requires, signed_in
from village.people.models import Role
from village.text import clean_text

Part = TypeVar("Part", Take, Make)
FIXED = (Kind.OBSERVE, Kind.INSPECT, Kind.UNCASE)
"""Kinds whose inputs have no amount of their own to put right."""


@pages.route("/events/<uuid:event_id>/correct", methods=("GET", "POST"))
@requires(Role.PRODUCER, Role.OFFICE)
def correction(event_id: object) -> ResponseReturnValue:
    """Put a wrong event right: other figures, or it never was."""
    who = signed_in()
    event = event_for(who, str(event_id))
    before = as_wanted(event)
    if request.method == "GET":
        return _form(event, Form({**_figures(before), "correction_id": uuid7()}))
    typed = dict(request.form.items())
    form = Form.typed()
    try:
        told = _told(event, before, typed) if typed.get("reason") == "incorrect_data" else None
        if typed.get("reason") not in ("incorrect_data", "did_not_occur"):
            raise BadInput("which-reason", _l("Bác chọn giúp sai số hay không có việc này."), field="reason")
        note = clean_text(typed.get("note", ""), "note", 500, required=True)
        reason = "did_not_occur" if told is None else "incorrect_data"
        wanted = Correction(typed.get("correction_id", ""), event.id, reason, note, told)  # type: ignore[arg-type]  # one of the two literals
        correct(who, wanted, {"form": typed})
    except SoiError as error:
        if error.status not in (403, 409, 422, 404):
            raise
        return _form(event_for(who, str(event_id)), form.refused(error)), error.status
    flash(_("Đã ghi lại cho đúng. Lần ghi cũ vẫn nằm trong sổ, có ghi rõ là sai."), "done")
    made = [part.batch_id for part in event.parts if part.part == "output"]
    about = [*made, *(take.batch for take in before.inputs)]
    return redirect(url_for("stages.batch", batch_id=about[0]))


def _stage(event: Event) -> Stage | None:
    """The event's stage as it was then; None for what has no stage, such as what sensors told."""
    process = process_of(event.process, event.process_version)
    return next((stage for stage in process.stages if stage.key == event.stage), None)


def _form(event: Event, form: Form) -> str:
    stage = _stage(event)
    weighed = stage is not None and stage.kind not in FIXED
    return render_template(
        "batches/correct.html",
        event=event,
        stage=stage,
        kind=Kind,
        form=form,
        inputs=[part for part in event.parts if part.part != "output"] if weighed else [],
        outputs=[part for part in event.parts if part.part == "output"],
        can_undo=event.kind != "dispatch",
    )


def _figures(wanted: Wanted) -> dict[str, str]:
    """An event's figures as its form shows them."""
    values = {"occurred_at": wanted.occurred_at.astimezone(clock.VN).strftime("%Y-%m-%dT%H:%M")}
    for number, take in enumerate(wanted.inputs):
        values[f"in-{number}"] = _figure(take)
    for number, make in enumerate(wanted.outputs):
        values[f"out-{number}"] = _figure(make)
    for reading in wanted.readings:
        values[f"reading-{reading.type}"] = format(reading.value, "f").replace(".", ",")
    values["passed"] = "no" if wanted.passed is False else "yes"
    values["value"] = "" if wanted.value_dong is None else str(wanted.value_dong)
    return {**values, "origin": wanted.facts.get("origin", ""), "why": wanted.facts.get("reason", "")}


def _figure(part: Take | Make) -> str:
    return str(part.units) if part.units is not None else forms.shown_kilograms(part.grams or 0)


def _told(event: Event, before: Wanted, typed: dict[str, str]) -> Wanted:
    """The event with the figures as they were typed anew."""
    stage = _stage(event)
    if stage is None:
        # What sensors told has no stage of the process: nobody types it anew.
        raise BadInput("only-undo", _l("Lần ghi này không sửa số được, chỉ bỏ được thôi."), field="reason")

    def told(part: Part, name: str) -> Part:
        text = typed.get(name, "")
        if part.units is not None:
            return replace(part, units=forms.units(text, name))
        return replace(part, grams=forms.grams(text, name))

    fixed = stage.kind in FIXED
    inputs = before.inputs if fixed else tuple(told(take, f"in-{n}") for n, take in enumerate(before.inputs))
    outputs = tuple(told(make, f"out-{n}") for n, make in enumerate(before.outputs))
    return replace(
        before,
        occurred_at=forms.moment(typed.get("occurred_at", "")),
        inputs=inputs,
        outputs=outputs,
        readings=forms.readings(stage, typed),
        passed=typed.get("passed") != "no" if stage.kind is Kind.INSPECT else None,
        facts=_facts(stage, before, typed),
        value_dong=forms.dong(typed) if stage.kind is Kind.BUY else before.value_dong,
    )


def _facts(stage: Stage, before: Wanted, typed: dict[str, str]) -> dict[str, str]:
    """A loss's reason and a purchase's origin can be put right; a case stays the case that it was."""
    if stage.kind not in (Kind.BUY, Kind.LOSE):
        return dict(before.facts)
    sscc = {key: text for key, text in before.facts.items() if key == "sscc"}
    return {**forms.facts(stage, {**typed, "reason": typed.get("why", "")}), **sscc}
