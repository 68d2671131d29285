"""`/seller/orders/<id>/packs`: which packs go into the parcel."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.orders import steps
from shop.picking import services
from trace.units.words import in_groups
from village.errors import BadInput, Conflict
from village.i18n import gettext as _
from village.people.access import requires, signed_in

pages = Blueprint("picking", __name__, url_prefix="/seller/orders/<order_id>/packs", template_folder="templates")


@pages.get("")
@requires(*steps.WORKERS)
def packs(order_id: str) -> ResponseReturnValue:
    """What the order wants of each lot, what is in, and where to put more."""
    return _page(order_id)


@pages.post("")
@requires(*steps.WORKERS)
def put(order_id: str) -> ResponseReturnValue:
    """Put packs in."""
    try:
        count = services.put(signed_in(), order_id, services.labels(request.form.get("labels", "")))
    except (BadInput, Conflict) as error:
        return _page(order_id, str(error)), error.status
    flash(_("Đã ghi %(count)s gói vào đơn.", count=count), "done")
    return redirect(url_for("picking.packs", order_id=order_id), 303)


@pages.post("/<uuid:unit_id>/out")
@requires(*steps.WORKERS)
def out(order_id: str, unit_id: object) -> ResponseReturnValue:
    """Take one out."""
    services.take_out(signed_in(), order_id, str(unit_id))
    return redirect(url_for("picking.packs", order_id=order_id), 303)


@pages.post("/out")
@requires(*steps.WORKERS)
def all_out(order_id: str) -> ResponseReturnValue:
    """Take all of them out."""
    services.take_all_out(signed_in(), order_id)
    flash(_("Đã bỏ hết gói ra khỏi đơn."), "done")
    return redirect(url_for("picking.packs", order_id=order_id), 303)


def _page(order_id: str, problem: str = "") -> Response:
    found = services.parcel(signed_in(), order_id)
    typed = request.form.get("labels", "")[: services.MAX_TEXT] if problem else ""
    page = render_template(
        "picking/packs.html", parcel=found, order=found.order, open=found.order.status in services.AT_PICKING,
        none_left=found.order.status in services.NONE_LEFT, problem=problem, typed=typed, in_groups=in_groups,
    )  # fmt: skip
    return make_response(page)


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
