"""What a buyer may ask for (`/orders/<token>/data`), and what she is told before she buys (`/seller-info`, `/terms`,
`/privacy`)."""

import json

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.orders.models import QUANTITY_MAX, Order
from shop.orders.shown import sellers as sellers_of
from shop.refusals.services import months
from shop.rights import exporting, forgetting, imprints, retention
from village.db import db
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.people.access import requires, signed_in
from village.people.models import Role
from village.people.phones import shown_phone
from village.people.throttle import count_act

pages = Blueprint("rights", __name__, template_folder="templates")
ASKS = 20
"""From one network address in a quarter of an hour: a telephone number is not found by trying."""
DAYS_IN_MONTH = 30


@pages.get("/orders/<token>/data")
def data(token: str) -> ResponseReturnValue:
    """What is kept of the buyer, why and how long, and the two things that she can do."""
    return _data(forgetting.by_token(token), Form())


@pages.post("/orders/<token>/data")
def export(token: str) -> ResponseReturnValue:
    """All of it as a file, for whoever knows the order's telephone number too."""
    count_act("order-data", request.remote_addr or "", ASKS)
    order, form = forgetting.by_token(token), Form.typed()
    try:
        forgetting.check_phone(order, form.text("phone"))
    except BadInput as error:
        return _data(order, form.refused(error)), error.status
    body = json.dumps(exporting.data_of(order), ensure_ascii=False, indent=2)
    answer = Response(body, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{order.number}.json"'
    return answer


@pages.get("/orders/<token>/forget")
def ask_to_forget(token: str) -> ResponseReturnValue:
    """What would be gone, and what stays."""
    return _forget(forgetting.by_token(token), Form())


@pages.post("/orders/<token>/forget")
def forget(token: str) -> ResponseReturnValue:
    """Forget her for good."""
    count_act("order-data", request.remote_addr or "", ASKS)
    form = Form.typed()
    try:
        forgetting.forget(token, form.text("phone"), form.ticked("sure"))
    except (BadInput, Conflict) as error:
        return _forget(forgetting.by_token(token), form.refused(error)), error.status
    flash(_("Đã xoá hẳn. Không ai ở đây còn biết đơn này của ai."), "done")
    return redirect(url_for("rights.data", token=token), 303)


@pages.get("/seller-info/<gln>")
def seller(gln: str) -> ResponseReturnValue:
    """Who sells, and where to complain."""
    return render_template("rights/seller.html", seller=imprints.by_gln(gln), gln=gln)


@pages.get("/terms")
def terms() -> ResponseReturnValue:
    """On what terms it is sold."""
    return render_template("rights/terms.html", sellers=imprints.sellers(), most=QUANTITY_MAX)


@pages.get("/privacy")
def privacy() -> ResponseReturnValue:
    """What is kept of whom, why, and how long."""
    return render_template(
        "rights/privacy.html", sellers=imprints.sellers(), sold=_months(retention.SOLD_KEPT.days),
        cancelled=_months(retention.CANCELLED_KEPT.days), posted=_months(retention.POSTED_KEPT.days),
        talk=_months(retention.TALK_KEPT.days), parcels=months(),
    )  # fmt: skip


@pages.get("/coop/seller-info")
@requires(Role.OFFICE)
def own() -> ResponseReturnValue:
    """What the cooperative tells buyers of itself beyond its name."""
    info = imprints.info_of(signed_in())
    values = {
        "registered_on": info.registered_on.isoformat() if info.registered_on else "",
        "registered_by": info.registered_by, "email": info.email, "hours": info.hours,
        "representative": info.representative, "notice_url": info.notice_url,
        "complaints_phone": shown_phone(info.complaints_phone) if info.complaints_phone else "",
    }  # fmt: skip
    return _own(Form(values))


@pages.post("/coop/seller-info")
@requires(Role.OFFICE)
def edit_own() -> ResponseReturnValue:
    """Change it."""
    form = Form.typed()
    try:
        imprints.edit(signed_in(), imprints.fields_of(form))
    except BadInput as error:
        return _own(form.refused(error)), error.status
    flash(_("Đã sửa."), "done")
    return redirect(url_for("rights.own"), 303)


def _own(form: Form) -> str:
    return render_template("rights/own.html", form=form, seller=imprints.own_imprint(signed_in()))


def _data(order: Order, form: Form) -> str:
    return render_template(
        "rights/data.html", order=order, form=form, sold=_months(retention.SOLD_KEPT.days),
        open_matter=forgetting.open_matter(db.session(), order), sellers=sellers_of(order), parcels=months(),
    )  # fmt: skip


def _forget(order: Order, form: Form) -> str:
    return render_template(
        "rights/forget.html", order=order, form=form, open_matter=forgetting.open_matter(db.session(), order)
    )


def _months(days: int) -> int:
    return days // DAYS_IN_MONTH


@pages.after_request
def _private(response: Response) -> Response:
    if request.path.startswith("/orders/"):
        response.headers["Cache-Control"] = "no-store"
    return response
