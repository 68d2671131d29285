"""Pages: send a sheet in, see what is wrong with it, have it recorded; hand sheets out. The office's for its whole
cooperative at /coop/sheets, a producer's for her household at /batches/sheets."""

import datetime as dt
from io import BytesIO
from uuid import UUID

from flask import Blueprint, Response, current_app, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from batches.processes.catalogue import all_processes
from batches.sheets import files, services
from batches.sheets.exporting import Wish
from batches.sheets.samples import sample
from batches.sheets.services import EXPORT
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound, SoiError
from village.forms import Form, choice, day, page_number
from village.i18n import lazy_gettext as _l
from village.jobs.models import State
from village.jobs.services import ask, job_for
from village.people.access import Actor, requires, signed_in
from village.people.models import Role
from village.reference import reference
from village.settings import MIB

pages = Blueprint("sheets", __name__, template_folder="templates")
BESIDES = 64 * 1024
"""Bytes of a form around its file."""
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pages.get("/coop/sheets")
@requires(Role.OFFICE)
def office() -> ResponseReturnValue:
    """The office's sheets."""
    return _home(Form(), Form())


@pages.get("/batches/sheets")
@requires(Role.PRODUCER, Role.OFFICE)
def mine() -> ResponseReturnValue:
    """A producer's own; the office has its page."""
    if signed_in().has(Role.OFFICE):
        return redirect(url_for("sheets.office"))
    return _home(Form(), Form())


def _home(form: Form, wish: Form) -> str:
    who = signed_in()
    found = reference(db.session()).households.values()
    households = sorted((one.name, one.id) for one in found if who.works_for(one.id, one.cooperative_id))
    return render_template(
        "sheets/home.html",
        form=form,
        wish=wish,
        mib=_most() // MIB,
        sheets=services.latest(who),
        households=households,
        processes=list(all_processes().values()),
    )


def _most() -> int:
    most: int = current_app.extensions["soi"].max_sheet
    return most


@pages.post("/batches/sheets")
@requires(Role.PRODUCER, Role.OFFICE)
def send() -> ResponseReturnValue:
    """Take a sheet in and look it over."""
    # This address alone takes more than a form: it goes to the disk piece by piece.
    request.max_content_length = _most() + BESIDES
    try:
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            raise BadInput("no-file", _l("Bác chọn giúp tệp bảng tính."), field="file")
        sheet = services.take_in(signed_in(), sent.filename, sent.stream)
    except RequestEntityTooLarge:
        error: SoiError = BadInput(
            "sheet-too-large", _l("Tệp to quá, nhiều nhất là %(mib)s MB. Bác chia ra từng vụ nhé."), field="file",
            mib=_most() // MIB,
        )  # fmt: skip
        return _home(Form().refused(error), Form()), 413
    except BadInput as error:
        return _home(Form().refused(error), Form()), 422
    return redirect(url_for("sheets.one", sheet_id=sheet.id))


@pages.get("/batches/sheets/<uuid:sheet_id>")
@requires(Role.PRODUCER, Role.OFFICE)
def one(sheet_id: UUID) -> ResponseReturnValue:
    """One sheet: how far it is, what is wrong, what would be written."""
    standing = services.standing(signed_in(), str(sheet_id))
    page = page_number(request.args.get("page", ""))
    faults, count = services.faults_page(str(sheet_id), page)
    return render_template(
        "sheets/one.html", it=standing, sheet=standing.sheet, job=standing.job, faults=faults, page=page, pages=count,
        stages=_stages(standing.sheet.summary),
    )  # fmt: skip


def _stages(summary: dict[str, object]) -> list[tuple[str, int, int, int]]:
    """(stage, rows, grams, packs) of what would be written, in words."""
    told = summary.get("stages")
    named = []
    for process, key, count, grams, units in told if isinstance(told, list) else []:
        found = all_processes().get(process)
        stage = next((one for one in found.stages if one.key == key), None) if found else None
        named.append((stage, count, grams, units))
    return [(one.name, *rest) for one, *rest in named if one]


@pages.post("/batches/sheets/<uuid:sheet_id>/write")
@requires(Role.PRODUCER, Role.OFFICE)
def write_down(sheet_id: UUID) -> ResponseReturnValue:
    """Have its rows recorded."""
    services.start_writing(signed_in(), str(sheet_id))
    return redirect(url_for("sheets.one", sheet_id=sheet_id))


@pages.get("/batches/sheets/<uuid:sheet_id>/faults.csv")
@requires(Role.PRODUCER, Role.OFFICE)
def faults(sheet_id: UUID) -> ResponseReturnValue:
    """All that is wrong with it, as a table."""
    services.standing(signed_in(), str(sheet_id))
    answer = Response(b"".join(services.faults_csv(str(sheet_id))), content_type=TYPES["csv"])
    answer.headers["Content-Disposition"] = "attachment; filename=loi.csv"
    return answer


@pages.get("/batches/sheets/sample/<process>.<any(csv,xlsx):form>")
@requires(Role.PRODUCER, Role.OFFICE)
def example(process: str, form: str) -> ResponseReturnValue:
    """A table to begin with."""
    found = all_processes().get(process)
    if found is None:
        raise NotFound("no-process", _l("Không có quy trình nào tên %(process)s."), process=process)
    made = sample(db.session(), signed_in(), found, "csv" if form == "csv" else "xlsx")
    return send_file(
        BytesIO(made), mimetype=TYPES[form], as_attachment=True, download_name=f"bang-mau-{found.key}.{form}"
    )


@pages.post("/batches/sheets/export")
@requires(Role.PRODUCER, Role.OFFICE)
def hand_out() -> ResponseReturnValue:
    """Have a table made."""
    form = Form.typed()
    try:
        wish = _wish(signed_in(), form)
    except BadInput as error:
        return _home(Form(), form.refused(error)), 422
    with write() as session:
        job = ask(session, EXPORT, signed_in(), wish.args())
    return redirect(url_for("jobs.one", job_id=job.id))


def _wish(who: Actor, form: Form) -> Wish:
    mine = {one.id for one in reference(db.session()).households.values() if who.works_for(one.id, one.cooperative_id)}
    first = day(form.text("first"), "first") if form.text("first") else None
    last = day(form.text("last"), "last") if form.text("last") else None
    if first and last and last < first:
        raise BadInput("days-turned-round", _l("Ngày cuối phải sau ngày đầu."), field="last")
    return Wish(
        "lots" if choice(form.text("what") or "stages", "what", ("stages", "lots")) == "lots" else "stages",
        "csv" if choice(form.text("form") or "xlsx", "form", ("csv", "xlsx")) == "csv" else "xlsx",
        _iso(first),
        _iso(last),
        choice(form.text("household"), "household", mine) if form.text("household") else "",
        choice(form.text("process"), "process", all_processes()) if form.text("process") else "",
    )


def _iso(one: dt.date | None) -> str:
    return one.isoformat() if one else ""


@pages.get("/batches/sheets/exports/<uuid:job_id>")
@requires(Role.PRODUCER, Role.OFFICE)
def download(job_id: UUID) -> ResponseReturnValue:
    """The table that was made."""
    job = job_for(signed_in(), str(job_id))
    if job.kind != EXPORT:
        raise NotFound("no-job", _l("Không có việc nào mang mã này."), job=job.id)
    if job.state is not State.DONE:
        raise Conflict("not-yet", _l("Bảng này chưa làm xong."))
    wish = Wish.from_args(job.args)
    path = files.handed_out(job.id, wish.form)
    if not path.exists():
        raise NotFound("sheet-gone", _l("Tệp này cũ quá, đã dọn đi rồi. Bác lấy lại lần nữa nhé."))
    name = f"soi-{wish.what}-{job.made_at:%Y%m%d}.{wish.form}"
    return send_file(path, mimetype=TYPES[wish.form], as_attachment=True, download_name=name)
