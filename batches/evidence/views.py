"""The office's pages: what is held back, laboratories' reports, and the careful page before a photo is erased."""

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from batches.evidence import erasing, reports
from batches.evidence import holds as holding
from batches.evidence.fields import report_fields
from batches.evidence.services import largest_photo
from village import clock
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import requires, signed_in
from village.people.models import Role
from village.places.services import sites_of
from village.products.services import products_of
from village.web.bodies import up_to

pages = Blueprint("evidence", __name__, url_prefix="/coop", template_folder="templates")


@pages.get("/holds")
@requires(Role.OFFICE, Role.AUDITOR)
def holds() -> ResponseReturnValue:
    """What is held back."""
    who = signed_in()
    return render_template("evidence/holds.html", held=holding.held(who), office=who.has(Role.OFFICE))


@pages.get("/holds/new")
@requires(Role.OFFICE)
def hold() -> ResponseReturnValue:
    """Which lot to hold, and why."""
    return _hold(Form({"lot": request.args.get("lot", ""), "event_id": uuid7()}))


@pages.post("/holds/new")
@requires(Role.OFFICE)
def hold_now() -> ResponseReturnValue:
    """Hold a lot."""
    form = Form.typed()
    try:
        holding.hold(signed_in(), form.text("lot"), form.text("reason"), form.text("event_id"))
    except (BadInput, Conflict) as error:
        return _hold(form.refused(error)), error.status
    flash(_("Đã tạm giữ, cả những gì làm ra từ lô này."), "done")
    return redirect(url_for("evidence.holds"))


@pages.get("/holds/<uuid:batch_id>/release")
@requires(Role.OFFICE)
def release(batch_id: UUID) -> ResponseReturnValue:
    """Why to let it go again."""
    return _release(batch_id, Form({"event_id": uuid7()}))


@pages.post("/holds/<uuid:batch_id>/release")
@requires(Role.OFFICE)
def release_now(batch_id: UUID) -> ResponseReturnValue:
    """Let it go again."""
    form = Form.typed()
    try:
        holding.release(signed_in(), str(batch_id), form.text("reason"), form.text("event_id"))
    except BadInput as error:
        return _release(batch_id, form.refused(error)), error.status
    flash(_("Đã cho dùng lại. Sổ ghi lại việc này."), "done")
    return redirect(url_for("evidence.holds"))


@pages.get("/reports")
@requires(Role.OFFICE, Role.AUDITOR)
def all_reports() -> ResponseReturnValue:
    """Laboratories' reports, those that end first on top."""
    who = signed_in()
    today = clock.today()
    return render_template(
        "evidence/reports.html", reports=reports.reports_of(who), today=today, soon=today + reports.SOON,
        days=reports.SOON.days, office=who.has(Role.OFFICE),
    )  # fmt: skip


@pages.get("/reports/new")
@requires(Role.OFFICE)
def new_report() -> ResponseReturnValue:
    """The form for a report."""
    return _report(Form({"lot": request.args.get("lot", ""), "passed": "yes", "report_id": reports.new_id()}))


@pages.post("/reports/new")
@up_to(largest_photo)
@requires(Role.OFFICE)
def add_report() -> ResponseReturnValue:
    """Take a report in."""
    form = Form.typed()
    file = request.files.get("paper")
    most = current_app.extensions["soi"].max_photo
    try:
        data = file.stream.read(most + 1) if file else b""
        reports.add_report(signed_in(), report_fields(form), data, form.text("report_id"))
    except (BadInput, Conflict) as error:
        return _report(form.refused(error)), error.status
    flash(_("Đã ghi phiếu kiểm nghiệm."), "done")
    return redirect(url_for("evidence.all_reports"))


@pages.post("/reports/<uuid:report_id>/remove")
@requires(Role.OFFICE)
def remove_report(report_id: UUID) -> ResponseReturnValue:
    """Take a report off."""
    reports.remove_report(signed_in(), str(report_id))
    flash(_("Đã bỏ phiếu này."), "done")
    return redirect(url_for("evidence.all_reports"))


@pages.get("/photos/<sha256>/erase")
@requires(Role.OFFICE)
def erase_photo(sha256: str) -> ResponseReturnValue:
    """What will be gone of a photo, and what stays."""
    return _erase(sha256, Form())


@pages.post("/photos/<sha256>/erase")
@requires(Role.OFFICE)
def erase_photo_now(sha256: str) -> ResponseReturnValue:
    """Erase a photo for good."""
    form, who = Form.typed(), signed_in()
    found = erasing.photo_of(who, sha256)
    if not form.ticked("sure"):
        error = BadInput("not-sure", _l("Bác đánh dấu vào ô này thì mình mới xoá."), field="sure")
        return _erase(sha256, form.refused(error)), error.status
    erasing.erase_photo(who, sha256)
    flash(_("Đã xoá hẳn ảnh này."), "done")
    if found.events:
        return redirect(url_for("stages.batch", batch_id=found.events[-1].parts[0].batch_id))
    return redirect("/coop")


def _hold(form: Form) -> str:
    return render_template("evidence/hold.html", form=form)


def _release(batch_id: UUID, form: Form) -> str:
    return render_template("evidence/release.html", one=holding.held_one(signed_in(), str(batch_id)), form=form)


def _report(form: Form) -> str:
    who = signed_in()
    products = [(p.id, in_language(p.name_vi, p.name_en)) for p in products_of(who.cooperative_id)]
    sites = [(site.id, site.name) for site in sites_of(who.cooperative_id)]
    return render_template("evidence/report.html", form=form, products=products, sites=sites)


def _erase(sha256: str, form: Form) -> str:
    return render_template("evidence/erase.html", found=erasing.photo_of(signed_in(), sha256), form=form)
