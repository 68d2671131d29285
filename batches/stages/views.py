"""The producer's pages: what I have, what I do next, how much came out. Each works without JavaScript."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from batches.devices.services import keys_of
from batches.devices.shown import signers_of
from batches.devices.signing import origin
from batches.evidence.services import largest_form, take_form_photos
from batches.processes.models import WHOLE, Byproduct, Kind, Material, Process, Stage
from batches.stages import forms, queries
from batches.stages.services import record_stage, rehearse
from batches.stages.wanted import Wanted
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from trace.photos.services import shots
from trace.scan import words
from village import clock
from village.db import db
from village.errors import NotFound, SoiError
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import Actor, requires, signed_in
from village.people.models import Role
from village.products.models import Product
from village.web.bodies import up_to
from village.web.problems import wants_json

pages = Blueprint("stages", __name__, url_prefix="/batches", template_folder="templates")


@pages.get("")
@requires(Role.PRODUCER, Role.OFFICE)
def home() -> ResponseReturnValue:
    """What the household has, and the one next thing to do."""
    who = signed_in()
    households = queries.households_of(who)
    household_id = _household(who, request.args.get("household"))
    have = queries.held(household_id) if household_id else []
    work = next((one for one in have if _is_work(one)), None)
    beginnings, purchases = queries.beginnings(who)
    return render_template(
        "batches/home.html",
        households=households,
        household_id=household_id,
        have=have,
        work=work,
        latest=queries.latest(household_id) if household_id else [],
        beginnings=beginnings,
        purchases=purchases,
    )


def _is_work(one: queries.Held) -> bool:
    """True for a batch that waits for its next step; packs wait for a buyer, and residue for nobody."""
    return bool(one.next) and one.batch.hold == "none" and not one.batch.made_units and not one.beside


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
        shots=shots(db.session(), {sha256 for event in events for sha256 in event.photos}),
        reading=words.reading,
        inspected=words.inspected,
        reason_of=queries.reason_of,
        cases=queries.closed_cases(held.batch.household_id, held.batch.id) if held.batch.made_units else [],
        scan_path=link.path,
        can_work=who.works_for(held.batch.household_id, held.batch.cooperative_id),
        can_forget=who.has(Role.OFFICE) and who.cooperative_id == held.batch.cooperative_id,
    )


@pages.route("/record/<process_key>/<stage_key>", methods=("GET", "POST"))
@up_to(largest_form)
@requires(Role.PRODUCER, Role.OFFICE)
def record(process_key: str, stage_key: str) -> ResponseReturnValue:
    """The form of one stage. Sent twice, it is written once: the form carries the event's id."""
    who = signed_in()
    typed = {key: value for key, value in request.form.items()}
    process, stage = _stage(process_key, stage_key, typed)
    if request.method == "GET":
        return _form(who, process, stage, Form({"event_id": uuid7()}), request.args.get("batch", ""))
    form = Form.typed()
    try:
        photos = take_form_photos(request.files.getlist("photos"), "consent" in typed, typed.get("photos_kept", ""))
        form.values = typed = {**typed, "photos_kept": ",".join(photos)}
        wanted = replace(forms.wanted(process, stage, typed, typed.get("event_id", "")), photos=photos)
        if typed.get("claim"):
            # A phone asks what it would sign. Where its script went away meanwhile, the form is shown again.
            claim = rehearse(who, replace(wanted, household=None))
            if wants_json():
                return {"claim": claim, "note": wanted.note, "photos_kept": typed["photos_kept"]}
            return _form(who, process, stage, form, typed.get("batch", ""))
        answer = record_stage(who, wanted, {"form": forms.unsigned(typed)})
    except SoiError as error:
        if error.status not in (403, 409, 422, 404):
            raise
        if error.slug == "idempotency-key-reused":
            form.values = {**typed, "event_id": uuid7()}
        return _form(who, process, stage, form.refused(error), typed.get("batch", "")), error.status
    flash(_("Đã ghi vào sổ, dòng số %(index)s.", index=answer["entry"]["index"]), "done")
    if stage.kind is Kind.CASE:
        flash(_("Số của thùng là %(sscc)s.", sscc=answer["sscc"]), "done")
    for warning in answer["warnings"]:
        flash(warning["detail"], "warning")
    return redirect(_after(wanted, answer, typed))


def _after(wanted: Wanted, answer: dict[str, Any], typed: dict[str, str]) -> str:
    """Where to go when a stage is written: to what was made, else to what it was made of."""
    made = [one["id"] for one in answer["batches"]]
    about = [*made, *(take.batch for take in wanted.inputs), typed.get("batch", "")]
    return url_for("stages.batch", batch_id=about[0]) if about[0] else url_for("stages.home")


def _stage(process_key: str, stage_key: str, typed: dict[str, str]) -> tuple[Process, Stage]:
    """A stage of the process in the version under which the form's batches began."""
    named = {name.partition("-")[2] for name in typed if name.startswith(("take-", "packs-"))}
    named |= {request.args.get("batch", ""), typed.get("batch", "")}
    process = queries.process_for(process_key, named)
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
    chosen = [b for b in usable if b.id == batch_id or form.text(f"take-{b.id}") or form.text(f"packs-{b.id}")]
    if not chosen and usable:
        chosen = usable[:1]
    if stage.kind is Kind.SPLIT:
        chosen = [b for b in chosen if b.id == batch_id] or chosen[:1]
    if stage.kind is Kind.MERGE and chosen:
        # All that could go together; what is not ticked stays out.
        first_one = next((b for b in chosen if b.id == batch_id), chosen[0])
        chosen = [first_one] + [b for b in usable if b.product_id == first_one.product_id and b is not first_one]
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
        bad_field=forms.field_of(stage, form.error),
        chosen=chosen,
        others=[b for b in usable if b not in chosen],
        products=queries.products_for(who, process, stage.output),
        beside=_beside(who, process, stage),
        counted=forms.counted(process, stage),
        sold=stage.kind is Kind.DISPATCH and not forms.counted(process, stage),
        origins=queries.origins_for(who, process) if stage.kind is Kind.BUY else [],
        cases=queries.closed_cases(household_id, batch_id) if stage.kind is Kind.UNCASE and household_id else [],
        parts=forms.PARTS,
        sites=queries.sites_for(who, household_id or "", stage),
        usual=usual,
        household_id=household_id,
        batch_id=batch_id,
        now=clock.now().astimezone(clock.VN).strftime("%Y-%m-%dT%H:%M"),
        shown_kilograms=forms.shown_kilograms,
    )


def _beside(who: Actor, process: Process, stage: Stage) -> list[tuple[Material, Product, Byproduct]]:
    """The by-products that the cooperative gave a GTIN, and so can write down."""
    found = [(process.material(one.material), queries.products_for(who, process, one.material), one)
             for one in stage.byproducts]  # fmt: skip
    return [(material, products[0], one) for material, products, one in found if products]


def _round(grams: int) -> int:
    """As precise as a household's scale: whole kilograms, tenths below ten."""
    step = 1000 if grams >= 10_000 else 100
    return (grams + step // 2) // step * step


def _input(who: Actor, batch_id: str) -> Batch | None:
    if not batch_id:
        return None
    held, *_rest = queries.batch_page(who, batch_id)
    return held.batch
