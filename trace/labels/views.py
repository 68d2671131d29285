"""Labels: `/labels/<gtin>/<lot>.svg`, `.png`, `.pdf` for anybody; a page to print them from, and what was printed,
for members."""

from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink
from trace.gs1.errors import Gs1Error
from trace.labels import files, making, render, runs, services, words
from trace.labels.papers import papers
from trace.labels.runs import Wish
from trace.lots.models import Batch
from trace.units.services import left
from village.db import db
from village.errors import BadInput, Conflict, Malformed, NotFound, SoiError
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.i18n import number
from village.jobs.models import State
from village.people.access import requires, signed_in
from village.people.models import Role

pages = Blueprint("labels", __name__, template_folder="templates")
PRINTERS = (Role.PRODUCER, Role.OFFICE, Role.SELLER)


@pages.get("/labels/<gtin>/<path:name>", merge_slashes=False)
def label(gtin: str, name: str) -> ResponseReturnValue:
    """A label as a file, or without an ending the page that prints it."""
    lot, _dot, kind = name.rpartition(".")
    if kind not in services.TYPES:
        return _page(_link(gtin, name))
    sheet = request.args.get("sheet")
    if sheet is not None and kind != "pdf":
        raise NotFound("sheet-is-pdf", _l("Tờ nhiều tem chỉ có dạng PDF."))
    batch = services.labelled(_link(gtin, lot))
    printed = services.printed(batch, kind, services.sheet_size(sheet))
    response = Response(printed.body, mimetype=printed.mimetype)
    response.set_etag(printed.etag)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Disposition"] = f'inline; filename="{printed.file_name}"'
    return response.make_conditional(request)


@requires(*PRINTERS)
def _page(link: DigitalLink) -> ResponseReturnValue:
    return _lot(services.labelled(link), Form(request.args))


def _lot(batch: Batch, form: Form) -> str:
    """The lot's page: what to print, and, once that is chosen, how it will look."""
    mine = runs.may_print(signed_in(), batch)
    free = left(db.session(), batch) if mine else 0
    before = runs.printed_before(db.session(), batch.id) if mine else 0
    first = free if form.text("what") == "unit" else (batch.made_units or 0) - before
    wish, design, reason = None, None, False
    if mine and "paper" in form.values:
        try:
            wish = Wish.typed(form.values, max(1, first))
            design = making.drawn(runs.order_for(batch, wish))
            reason = runs.needs_reason(db.session(), batch, wish)
        except BadInput as error:
            form.refused(error)
    return render_template(
        "labels/label.html", batch=batch, mine=mine, free=free, before=before, form=form, wish=wish, design=design,
        reason=reason, words=words, text=services.text_of(batch), most=render.MAX_LABELS,
        scan=DigitalLink(batch.gtin, batch.lot).path, per_sheet=render.PER_SHEET, files=_address(batch),
        printed=runs.of_lot(batch.id, 1)[0][:5] if mine else [],
        wanted=min(batch.left_units or batch.made_units or 1, render.MAX_LABELS),
        suggested=min(max(1, first), runs.MOST["pdf"]), most_run=runs.MOST["pdf"], **_choices(),
    )  # fmt: skip


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What forms let one choose, in words."""
    return {
        "papers_named": [(key, words.paper(one)) for key, one in papers().items()],
        "forms_named": [(key, words.form(key)) for key in runs.MOST],
    }


def _address(batch: Batch) -> str:
    """The lot's own address of labels, without an ending."""
    return f"/labels{DigitalLink(batch.gtin, batch.lot).path.removeprefix('/01').replace('/10/', '/', 1)}"


@pages.get("/labels/preview/<uuid:batch_id>.png")
@requires(*PRINTERS)
def preview(batch_id: UUID) -> ResponseReturnValue:
    """The first page of what would be printed, as a picture of its size."""
    batch = services.printable(runs.batch_for(signed_in(), str(batch_id)))
    wish = Wish.typed(request.args, 1)
    answer = Response(making.preview(runs.order_for(batch, wish)), mimetype="image/png")
    answer.headers["Cache-Control"] = "private, max-age=60"
    return answer


@pages.post("/labels/runs")
@requires(*PRINTERS)
def print_them() -> ResponseReturnValue:
    """Have labels printed."""
    form = Form.typed()
    batch = runs.batch_for(signed_in(), form.text("batch"))
    try:
        run = runs.start(signed_in(), batch.id, Wish.typed(form.values, 1), form.text("why"))
    except (BadInput, Conflict) as error:
        if error.field is None:
            raise
        return _lot(runs.batch_for(signed_in(), batch.id), form.refused(error)), error.status
    return redirect(url_for("labels.run", run_id=run.id), 303)


@pages.get("/labels/lots/<uuid:batch_id>")
@requires(*PRINTERS)
def printed(batch_id: UUID) -> ResponseReturnValue:
    """All that was printed for a lot."""
    batch = runs.batch_for(signed_in(), str(batch_id))
    page = max(1, min(request.args.get("page", 1, int), 10_000))
    found, count = runs.of_lot(batch.id, page)
    return render_template(
        "labels/printed.html", batch=batch, runs=found, page=page, pages=count, words=words, papers=papers(),
        files=_address(batch),
    )  # fmt: skip


@pages.get("/labels/runs/<uuid:run_id>")
@requires(*PRINTERS)
def run(run_id: UUID) -> ResponseReturnValue:
    """One printing: how far it is, its file, and what to do about spoilt labels."""
    return _run(str(run_id), Form())


def _run(run_id: str, form: Form) -> str:
    found = runs.standing(signed_in(), run_id)
    batch = found.run.batch
    return render_template(
        "labels/run.html", run=found.run, job=found.job, batch=batch, form=form, words=words, papers=papers(),
        ready=files.made(run_id, found.order.ending).exists(), files=_address(batch),
        parts=found.order.ending == "zip", **_choices(),
    )  # fmt: skip


@pages.get("/labels/runs/<uuid:run_id>/file")
@requires(*PRINTERS)
def file(run_id: UUID) -> ResponseReturnValue:
    """What was made."""
    found = runs.standing(signed_in(), str(run_id))
    services.printable(found.run.batch)
    ending = found.order.ending
    path = files.made(str(run_id), ending)
    if not path.exists():
        if found.job is not None and found.job.state is not State.DONE:
            raise Conflict("not-yet", _l("Tem chưa vẽ xong."))
        raise NotFound("labels-gone", _l("Tệp tem này cũ quá, đã dọn đi rồi. Bác in lại nhé."))
    name = f"{services.file_name(found.run.batch)}-{found.run.made_at:%Y%m%d-%H%M}.{ending}"
    return send_file(path, mimetype=files.TYPES[ending], as_attachment=True, download_name=name)


@pages.post("/labels/runs/<uuid:run_id>/again")
@requires(*PRINTERS)
def again(run_id: UUID) -> ResponseReturnValue:
    """Print them once more."""
    form = Form.typed()
    found = runs.standing(signed_in(), str(run_id))
    try:
        wish = Wish.typed(form.values, found.run.count)
        more = runs.again(signed_in(), str(run_id), wish, form.text("why"), runs.named(form.text("serials")))
    except BadInput as error:
        return _refused(str(run_id), form, error)
    return redirect(url_for("labels.run", run_id=more.id), 303)


@pages.post("/labels/runs/<uuid:run_id>/spoilt")
@requires(*PRINTERS)
def spoilt(run_id: UUID) -> ResponseReturnValue:
    """Void the numbers of spoilt labels."""
    form = Form.typed()
    try:
        count = runs.spoil(signed_in(), str(run_id), runs.named(form.text("spoilt")))
    except BadInput as error:
        error.field = "spoilt"
        return _refused(str(run_id), form, error)
    flash(_("Đã huỷ %(count)s số. Gói ấy in tem mới được rồi.", count=number(count)), "done")
    return redirect(url_for("labels.run", run_id=run_id), 303)


def _refused(run_id: str, form: Form, error: SoiError) -> ResponseReturnValue:
    return _run(run_id, form.refused(error)), error.status


def _link(gtin: str, lot: str) -> DigitalLink:
    try:
        return DigitalLink(gtin, lot)
    except Gs1Error as error:
        raise Malformed(
            error.slug,
            _l("Địa chỉ của tem không đúng: cần GTIN 14 số đúng số kiểm tra, rồi đến mã lô."),
        ) from error
