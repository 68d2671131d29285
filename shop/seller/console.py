"""`/seller`: what waits today, the picking list by lot, figures, and tables of orders to take away."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from shop.orders import steps
from shop.orders.models import Status
from shop.seller import drawing, exporting, files, views
from shop.seller.figures import SPANS, figures
from shop.seller.filters import Filter
from shop.seller.picklist import to_pick
from shop.seller.services import WORKING
from shop.seller.today import today
from shop.seller.words import TABS
from village import clock
from village.errors import Conflict, NotFound
from village.forms import choice
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.jobs.models import State
from village.jobs.services import job_for
from village.people.access import requires, signed_in

pages = Blueprint("console", __name__, url_prefix="/seller", template_folder="templates")
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORTNIGHT = 14
pages.after_request(views.private)


@pages.get("")
@requires(*steps.WORKERS)
def home() -> ResponseReturnValue:
    """What waits."""
    who = signed_in()
    standing, lately = today(who), figures(who, FORTNIGHT)
    names = dict(TABS)
    # Orders of which a part is still here stand out only where there are any.
    steps_ = [one for one in WORKING if one is not Status.PARTLY_DISPATCHED or standing.steps[one].count]
    drawn = drawing.strand([standing.steps[one].count for one in steps_])
    return render_template(
        "seller/today.html", today=standing, drawn=drawn, lately=lately, names=names, statuses=steps_,
        chart=drawing.columns([one.dong for _day, one in lately.days]), day=clock.today(), **views.naming(),
    )  # fmt: skip


@pages.get("/picking")
@requires(*steps.WORKERS)
def picking() -> ResponseReturnValue:
    """What is to be fetched of each lot: for the ticked orders, or for all that wait for it."""
    chosen = [one for one in request.args.getlist("order") if is_uuid(one)]
    found = to_pick(signed_in(), chosen)
    return render_template("seller/picking.html", picking=found, chosen=bool(chosen), day=clock.now())


@pages.get("/figures")
@requires(*steps.WORKERS)
def sums() -> ResponseReturnValue:
    """What was ordered, drawn."""
    asked = request.args.get("days", "")
    span = next((one for one in SPANS if str(one) == asked), 30)
    found = figures(signed_in(), span)
    return render_template(
        "seller/figures.html", found=found, span=span, spans=SPANS, share=drawing.share,
        chart=drawing.columns([one.dong for _day, one in found.days]), **views.naming(),
    )  # fmt: skip


@pages.post("/orders/export")
@requires(*steps.WORKERS)
def export() -> ResponseReturnValue:
    """Have a table made of the orders that the list shows."""
    form = choice(request.form.get("form", ""), "form", ("csv", "xlsx"))
    job = exporting.ask_for(signed_in(), Filter.from_query(request.form), "csv" if form == "csv" else "xlsx")
    return redirect(url_for("jobs.one", job_id=job.id), 303)


@pages.get("/orders/export/<uuid:job_id>")
@requires(*steps.WORKERS)
def exported(job_id: UUID) -> ResponseReturnValue:
    """The table that was made."""
    job = job_for(signed_in(), str(job_id))
    if job.kind != exporting.EXPORT:
        raise NotFound("no-job", _l("Không có việc nào mang mã này."), job=job.id)
    if job.state is not State.DONE:
        raise Conflict("not-yet", _l("Bảng này chưa làm xong."))
    form = "csv" if job.args["form"] == "csv" else "xlsx"
    path = files.table(job.id, form)
    if not path.exists():
        raise NotFound("table-gone", _l("Bảng này có tên người mua nên chỉ giữ một ngày. Bác lấy lại lần nữa nhé."))
    name = f"soi-don-{job.made_at:%Y%m%d}.{form}"
    return send_file(path, mimetype=TYPES[form], as_attachment=True, download_name=name)
