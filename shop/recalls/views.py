"""`/coop/recalls`: choose, look, start or rehearse; follow until every pack is known of; the sheet; closing."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from batches.processes.catalogue import all_processes
from batches.sensors.kinds import MEASURES
from shop.recalls import services, sheet
from trace.recalls import choosing, counting, drawing, reading
from trace.recalls import services as recalling
from trace.recalls.choosing import Choice, Wish
from trace.recalls.models import Source, What
from village.db import db
from village.errors import BadInput, Conflict, Forbidden, NotFound, SoiError
from village.forms import Form, choice, day, whole_number
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.people.access import requires, signed_in
from village.people.models import Role
from village.people.phones import shown_phone
from village.places.services import sites_of

pages = Blueprint("recalls", __name__, url_prefix="/coop/recalls", template_folder="templates")

CHOSEN_MAX = choosing.SHOWN
PAGE = services.PAGE
UNITS = {"P1": "%", "CEL": "°C"}
FORMS = {
    "csv": (sheet.csv, "text/csv; charset=utf-8"),
    "xlsx": (sheet.xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": (sheet.pdf, "application/pdf"),
}


@pages.get("")
@requires(Role.OFFICE, Role.AUDITOR)
def all_recalls() -> ResponseReturnValue:
    """Recalls and drills, newest first."""
    who = signed_in()
    return render_template("shop_recalls/list.html", recalls=reading.all_of(who), office=who.has(Role.OFFICE))


@pages.get("/new")
@requires(Role.OFFICE)
def choose() -> ResponseReturnValue:
    """Where it begins."""
    form = Form(request.args)
    try:
        found = choosing.choose(signed_in(), _wish(form))
    except BadInput as error:
        return _choose(form.refused(error), Choice(())), error.status
    return _choose(form, found)


@pages.post("/preview")
@requires(Role.OFFICE)
def preview() -> ResponseReturnValue:
    """What it would take in, before anything is done."""
    return _preview(Form.typed())


@pages.post("")
@requires(Role.OFFICE)
def begin() -> ResponseReturnValue:
    """Start it, or rehearse it."""
    form = Form.typed()
    drill = form.text("how") != "real"
    try:
        if not drill and not form.ticked("sure"):
            raise BadInput("not-sure", _l("Bác đánh dấu vào ô này thì mình mới thu hồi thật."), field="sure")
        answer = recalling.start(
            signed_in(), form.texts("batch"), form.text("reason"), drill=drill, idempotency_key=form.text("key")
        )
    except (BadInput, Conflict) as error:
        return _preview(form.refused(error))
    flash(_("Đã ghi buổi diễn tập.") if drill else _("Đã giữ hàng, dừng đơn và xếp lời báo cho người mua."), "done")
    return redirect(url_for("recalls.one", recall_id=answer["id"]), 303)


@pages.get("/<uuid:recall_id>")
@requires(Role.OFFICE, Role.AUDITOR)
def one(recall_id: UUID) -> ResponseReturnValue:
    """Follow one."""
    return _one(str(recall_id), Form())


@pages.post("/<uuid:recall_id>/counts")
@requires(Role.OFFICE)
def count(recall_id: UUID) -> ResponseReturnValue:
    """So many packs were found, came back or were destroyed."""
    form = Form.typed()
    try:
        counting.count(signed_in(), str(recall_id), _count(form))
    except (BadInput, Conflict) as error:
        return _refused(str(recall_id), form, error)
    flash(_("Đã ghi."), "done")
    return redirect(url_for("recalls.one", recall_id=recall_id), 303)


@pages.post("/<uuid:recall_id>/close")
@requires(Role.OFFICE)
def close(recall_id: UUID) -> ResponseReturnValue:
    """Nothing more is looked for."""
    form = Form.typed()
    try:
        services.close(signed_in(), str(recall_id), form.text("note"), form.text("step_id"))
    except (BadInput, Conflict) as error:
        return _refused(str(recall_id), form, error)
    flash(_("Đã khép đợt thu hồi."), "done")
    return redirect(url_for("recalls.one", recall_id=recall_id), 303)


@pages.post("/<uuid:recall_id>/lift")
@requires(Role.OFFICE)
def lift(recall_id: UUID) -> ResponseReturnValue:
    """It was a mistake."""
    form = Form.typed()
    try:
        recalling.lift(signed_in(), str(recall_id), form.text("why"), form.text("step_id"))
    except (BadInput, Conflict) as error:
        return _refused(str(recall_id), form, error)
    flash(_("Đã bỏ thu hồi. Sổ ghi lại việc này."), "done")
    return redirect(url_for("recalls.one", recall_id=recall_id), 303)


@pages.post("/<uuid:recall_id>/reallocate")
@requires(Role.OFFICE)
def reallocate(recall_id: UUID) -> ResponseReturnValue:
    """Fill stopped orders from clean lots."""
    done, left = services.reallocate(signed_in(), str(recall_id))
    if done:
        flash(_("Đã đổi lô cho %(count)s đơn.", count=done), "done")
    if left:
        flash(_("Còn %(count)s đơn chưa có lô khác đủ gói.", count=left), "warning")
    return redirect(url_for("recalls.one", recall_id=recall_id), 303)


@pages.get("/<uuid:recall_id>/sheet")
@requires(Role.OFFICE, Role.AUDITOR)
def sheet_page(recall_id: UUID) -> ResponseReturnValue:
    """The sheet for the authorities, to look at and sort."""
    followed = services.follow(signed_in(), str(recall_id))
    sort, page = request.args.get("sort", ""), _page(request.args.get("page", ""))
    found = sheet.lines(followed, sort)
    shown = found[(page - 1) * PAGE : page * PAGE]
    return render_template(
        "shop_recalls/sheet.html", followed=followed, recall=followed.recall, lines=shown, sort=sort, page=page,
        pages=max(1, -(-len(found) // PAGE)), summary=sheet.summary(followed), left=sheet.weights(found),
    )  # fmt: skip


@pages.get("/<uuid:recall_id>/sheet.<form>")
@requires(Role.OFFICE, Role.AUDITOR)
def sheet_file(recall_id: UUID, form: str) -> ResponseReturnValue:
    """The sheet as a file."""
    if form not in FORMS:
        raise NotFound("no-such-form", _l("Bảng này có ở dạng CSV, XLSX và PDF."))
    make, mimetype = FORMS[form]
    response = make_response(make(services.follow(signed_in(), str(recall_id))))
    response.mimetype = mimetype.partition(";")[0]
    response.headers["Content-Disposition"] = f'attachment; filename="thu-hoi-{str(recall_id)[:8]}.{form}"'
    return response


def _choose(form: Form, found: Choice) -> str:
    who = signed_in()
    sites = [("", _("Nơi nào cũng được")), *((site.id, site.name) for site in sites_of(who.cooperative_id))]
    return render_template(
        "shop_recalls/choose.html", form=form, found=found, sites=sites, readings=_readings(), most=CHOSEN_MAX,
        asked=any(form.text(name) for name in ("lot", "site", "since", "until", "reading", "bought")),
    )  # fmt: skip


def _preview(form: Form) -> ResponseReturnValue:
    ids = form.texts("batch")
    status = form.error.status if form.error else 200
    try:
        scope, reached = recalling.preview(signed_in(), ids)
    except (BadInput, Forbidden, NotFound) as error:
        return _choose(Form({}).refused(error), Choice(())), error.status
    drawn = drawing.draw(db.session(), scope.chosen, {lot.id for lot in scope.lots})
    page = render_template(
        "shop_recalls/preview.html", form=form, scope=scope, reached=reached, drawn=drawn, batches=sorted(scope.chosen),
        key=form.text("key") or uuid7(), fresh=len(scope.fresh), reason_max=recalling.REASON_MAX,
    )  # fmt: skip
    return page, status


def _one(recall_id: str, form: Form) -> str:
    who = signed_in()
    followed = services.follow(who, recall_id)
    recall = followed.recall
    drawn = drawing.draw(
        db.session(), {lot.batch_id for lot in followed.lots if lot.chosen}, {lot.batch_id for lot in followed.lots}
    )
    page = _page(request.args.get("page", ""))
    return render_template(
        "shop_recalls/one.html", followed=followed, recall=recall, drawn=drawn, form=form, step_id=uuid7(),
        own=who.has(Role.OFFICE) and recall.cooperative_id == who.cooperative_id, begun=services.started_of(recall),
        buyers=followed.buyers[(page - 1) * PAGE : page * PAGE], page=page,
        pages=max(1, -(-len(followed.buyers) // PAGE)), phone=shown_phone, office=who.has(Role.OFFICE),
    )  # fmt: skip


def _refused(recall_id: str, form: Form, error: SoiError) -> ResponseReturnValue:
    return _one(recall_id, form.refused(error)), error.status


def _wish(form: Form) -> Wish:
    known = {key for key, _words in _readings()}
    reading = form.text("reading")
    return Wish(
        lot=form.text("lot").strip()[:200],
        site=form.text("site")[:36],
        since=day(form.text("since"), "since") if form.text("since") else None,
        until=day(form.text("until"), "until") if form.text("until") else None,
        reading=choice(reading, "reading", known) if reading else "",
        low=choosing.number(form.text("low"), "low"),
        high=choosing.number(form.text("high"), "high"),
        bought=form.text("bought").strip()[:80],
    )


def _readings() -> list[tuple[str, str]]:
    """What is measured in this village, by people or sensors: type, and words."""
    found = {key: (one.name, one.unit) for key, one in MEASURES.items()}
    for process in all_processes().values():
        for one in (measured for stage in process.stages for measured in stage.readings):
            found.setdefault(one.type, (one.type, one.unit))
    return [(key, f"{name} ({UNITS.get(unit, unit)})") for key, (name, unit) in found.items()]


def _count(form: Form) -> counting.Count:
    text = form.text("units").strip()
    minus = text.startswith("-")
    units = whole_number(text.removeprefix("-"), "units", 1, counting.UNITS_MAX)
    what = choice(form.text("what"), "what", ("found", "returned", *(f"destroyed-{one.value}" for one in Source)))
    kind, _dash, source = what.partition("-")
    return counting.Count(
        form.text("step_id"), What(kind), Source(source) if source else None, form.text("lot"),
        -units if minus else units, form.text("note"),
    )  # fmt: skip


def _page(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 10_000 else 1


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


TEMPLATE_GLOBALS: dict[str, Any] = {
    "recall_of_order": services.of_order,
    "recall_stops": services.stopped_orders,
    "recall_of_product": services.of_product,
}
