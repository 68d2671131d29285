"""`/coop/copies`: signs of copied labels, for the office; and where a reader says in which province she is."""

from babel.support import LazyProxy
from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from trace.gs1.digital_link import DigitalLink
from trace.units import drawing, office, page, services, words
from trace.units.models import Verdict
from trace.units.provinces import known
from trace.units.reader import is_scan
from village.db import db
from village.errors import BadInput, Conflict, NotFound
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role

pages = Blueprint("units", __name__, template_folder="templates")

TABS: tuple[tuple[Verdict, LazyProxy], ...] = (
    ("open", _l("Chưa xem")),
    ("copied", _l("Bị chép")),
    ("fine", _l("Không sao")),
)


@pages.post("/units/<gtin>/<serial>/place")
def place(gtin: str, serial: str) -> ResponseReturnValue:
    """A reader says in which province she is: it is added to the pack's day there, and nothing of her is kept."""
    told = known(request.form.get("place", ""))
    if not told:
        raise BadInput("bad-place", _l("Bác chọn một tỉnh trong danh sách nhé."), field="place")
    found = services.unit(db.session(), gtin, serial)
    if found is None:
        raise NotFound("no-unit", _l("Không có gói nào mang số này."))
    address = DigitalLink(found.gtin, found.batch.lot, found.serial).path
    if is_scan("GET", lambda name: request.headers.get(name, "") if name == "User-Agent" else "", False):
        page.counter().scan(found.id, found.batch_id, page.of_request(), place=told, scans=0)
    answer = make_response(render_template("units/told.html", place=words.place(told), address=address))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/coop/copies")
@requires(Role.OFFICE, Role.AUDITOR)
def copies() -> ResponseReturnValue:
    """Signs by what was said of them, the newest first."""
    asked = request.args.get("q", "").strip()[:40]
    verdict = next((one for one, _words in TABS if one == request.args.get("verdict")), TABS[0][0])
    number = _number(request.args.get("page", ""))
    found = office.signs(signed_in(), verdict, asked, number)
    return render_template(
        "units/copies.html", found=found, verdict=verdict, asked=asked, tabs=TABS, number=number, words=words
    )


@pages.get("/coop/copies/<uuid:sign_id>")
@requires(Role.OFFICE, Role.AUDITOR)
def copy(sign_id: object) -> ResponseReturnValue:
    """One sign, drawn by day and place."""
    return _copy(str(sign_id))


@pages.post("/coop/copies/<uuid:sign_id>/look")
@requires(Role.OFFICE)
def look(sign_id: object) -> ResponseReturnValue:
    """Looked at: harmless, or a copy."""
    try:
        office.look(signed_in(), str(sign_id), request.form.get("verdict", ""), request.form.get("note", ""))
    except BadInput as error:
        return _copy(str(sign_id), {str(error.field): str(error)}), error.status
    flash(_("Đã ghi lại."), "done")
    return redirect(url_for("units.copy", sign_id=str(sign_id)), 303)


@pages.post("/coop/copies/<uuid:sign_id>/void")
@requires(Role.OFFICE)
def void(sign_id: object) -> ResponseReturnValue:
    """Call the serial number in."""
    try:
        office.void(signed_in(), str(sign_id))
    except (BadInput, Conflict) as error:
        return _copy(str(sign_id), {"void": str(error)}), error.status
    flash(_("Đã huỷ số này. Ai soi cũng được nhắc khoan dùng gói ấy."), "done")
    return redirect(url_for("units.copy", sign_id=str(sign_id)), 303)


def _copy(sign_id: str, errors: dict[str, str] | None = None) -> str:
    found = office.sign(signed_in(), sign_id)
    told = office.told(found)
    return render_template(
        "units/copy.html", sign=found, told=sorted(told, key=lambda one: (one.day, one.place)),
        drawn=drawing.draw(told), others=office.others(found), errors=errors or {}, typed=request.form, words=words,
        acts=signed_in().has(Role.OFFICE), link=DigitalLink(found.batch.gtin, found.batch.lot).path,
        rows={drawing.OTHERS: _("nơi khác"), office.UNKNOWN_SERIALS: _("số lạ")},
    )  # fmt: skip


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 10_000 else 1
