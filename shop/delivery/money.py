"""`/seller/cod` and `/coop/delivery`: what carriers owe, and what buyers pay for delivery."""

from dataclasses import asdict

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.delivery import cod, services, shown
from shop.delivery.cod import Settled
from shop.delivery.services import province_names
from shop.orders.steps import WORKERS
from village.db import db
from village.errors import SoiError
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import number
from village.people.access import requires, signed_in
from village.people.models import Role

pages = Blueprint("delivery_money", __name__, template_folder="templates")


@pages.get("/seller/cod")
@requires(*WORKERS)
def owed() -> ResponseReturnValue:
    """What was collected at doors and is not here yet."""
    return _owed(Form())


@pages.post("/seller/cod")
@requires(*WORKERS)
def settle() -> ResponseReturnValue:
    """The money of the ticked parcels is here."""
    form = Form.typed()
    try:
        done = cod.settle(signed_in(), form.texts("parcel"), form.text("total"), form.text("reference"))
    except SoiError as error:
        return make_response(_owed(form.refused(error)), error.status)
    return _settled(done)


@pages.post("/seller/cod/statement")
@requires(*WORKERS)
def settle_statement() -> ResponseReturnValue:
    """A carrier's statement, pasted."""
    form = Form.typed()
    try:
        done = cod.settle_statement(signed_in(), "ghn", form.text("statement"), form.text("statement_reference"))
    except SoiError as error:
        return make_response(_owed(form.refused(error), pasted=True), error.status)
    if done.unknown or done.before or done.differing:
        return _owed(Form(), settled=done)
    return _settled(done)


@pages.get("/coop/delivery")
@requires(Role.OFFICE)
def fees() -> ResponseReturnValue:
    """The cooperative's table of delivery fees."""
    table = asdict(services.fees_of(db.session(), signed_in().cooperative_id))
    return _fees(Form({name: number(value) if isinstance(value, int) else value for name, value in table.items()}))


@pages.post("/coop/delivery")
@requires(Role.OFFICE)
def set_fees() -> ResponseReturnValue:
    """Write it anew."""
    form = Form.typed()
    try:
        services.set_fees(signed_in(), request.form)
    except SoiError as error:
        return make_response(_fees(form.refused(error)), error.status)
    flash(_("Đã ghi cước giao hàng. Đơn mới tính theo bảng này."), "done")
    return redirect(url_for("delivery_money.fees"), 303)


def _settled(done: Settled) -> ResponseReturnValue:
    said = _("Đã nhận tiền của %(count)s kiện, %(amount)s đ.", count=number(done.count), amount=number(done.amount))
    flash(said, "done")
    return redirect(url_for("delivery_money.owed"), 303)


def _owed(form: Form, *, settled: Settled | None = None, pasted: bool = False) -> Response:
    page = render_template(
        "delivery/cod.html", owed=cod.owed(signed_in()), form=form, settled=settled, pasted=pasted, shown=shown,
        carrier_open=services.carrier_open(signed_in().cooperative_id),
    )  # fmt: skip
    return make_response(page)


def _fees(form: Form) -> Response:
    page = render_template(
        "delivery/fees.html", form=form, provinces=province_names(),
        carrier_open=services.carrier_open(signed_in().cooperative_id),
    )  # fmt: skip
    return make_response(page)


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
