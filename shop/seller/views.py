"""The sellers' console: what waits, one big next step for each order, slips to print."""

from collections.abc import Callable
from typing import Any

from babel.support import LazyProxy
from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from shop.orders import shown, steps
from shop.orders.errors import STATUS_WORDS
from shop.orders.models import OPEN, Order, Status
from shop.orders.services import clean_buyer
from shop.seller import services
from trace.gs1.digital_link import DigitalLink
from trace.labels.qr import svg
from village.errors import BadInput, Conflict, NotFound, SoiError
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor, requires, signed_in
from village.people.phones import shown_phone

pages = Blueprint("seller", __name__, url_prefix="/seller", template_folder="templates")

TABS = (
    (Status.PLACED, _l("Mới đặt")),
    (Status.CONFIRMED, _l("Cần soạn")),
    (Status.PICKED, _l("Chờ gửi")),
    (Status.DISPATCHED, _l("Đang đi")),
    (Status.DELIVERED, _l("Đã tới")),
    (Status.CANCELLED, _l("Đã huỷ")),
)
NEXT = {
    Status.PLACED: ("confirm", _l("Xác nhận đơn")),
    Status.CONFIRMED: ("pick", _l("Đã soạn xong")),
    Status.PICKED: ("dispatch", _l("Đã gửi đi")),
    Status.DISPATCHED: ("deliver", _l("Đã tới tay người mua")),
}
STEPS: dict[str, tuple[Callable[[Actor, str], Order], LazyProxy]] = {
    "confirm": (steps.confirm, _l("Đã xác nhận đơn %(number)s.")),
    "pick": (steps.pick, _l("Đơn %(number)s đã soạn xong.")),
    "reallocate": (steps.reallocate, _l("Đơn %(number)s đã xem lại lô.")),
    "dispatch": (steps.dispatch, _l("Đơn %(number)s đã gửi, đã ghi vào sổ chung.")),
    "deliver": (steps.deliver, _l("Đơn %(number)s đã tới tay người mua.")),
}


@pages.get("")
@requires(*steps.WORKERS)
def orders() -> ResponseReturnValue:
    """Orders by what is to be done next."""
    status = _status(request.args.get("status", "placed"))
    asked = request.args.get("q", "").strip()[:40]
    after = request.args.get("after", "")
    found = services.find(signed_in(), status, asked, after if is_uuid(after) else "")
    return render_template("seller/list.html", found=found, status=status, asked=asked, tabs=TABS, **_words())


@pages.get("/orders/<order_id>")
@requires(*steps.WORKERS)
def order(order_id: str) -> ResponseReturnValue:
    """One order with its lots, its buyer and its timeline."""
    return _order(order_id)


@pages.get("/orders/<order_id>/slip")
@requires(*steps.WORKERS)
def slip(order_id: str) -> ResponseReturnValue:
    """What goes into the parcel, to print."""
    return render_template("seller/slip.html", order=steps.by_id(signed_in(), order_id), qr=_qr, **_words())


@pages.post("/orders/<order_id>/<step>")
@requires(*steps.WORKERS)
def take_step(order_id: str, step: str) -> ResponseReturnValue:
    """Confirm, pick, reallocate, dispatch, deliver."""
    if step not in STEPS:
        raise NotFound("no-such-step", _l("Không có bước này."))
    act, done = STEPS[step]
    try:
        moved = act(signed_in(), order_id)
    except Conflict as error:
        return _order(order_id, problem=str(error)), error.status
    flash(str(done) % {"number": moved.number}, "done")
    return _back(order_id)


@pages.post("/orders/<order_id>/cancel")
@requires(*steps.WORKERS)
def cancel(order_id: str) -> ResponseReturnValue:
    """Call an order off, with a reason."""
    try:
        steps.cancel(signed_in(), order_id, request.form.get("reason", ""))
    except (BadInput, Conflict) as error:
        return _order(order_id, **_told(error)), error.status
    flash(_("Đã huỷ đơn, hàng đã trả về kho."), "done")
    return _back(order_id)


@pages.post("/orders/<order_id>/buyer")
@requires(*steps.WORKERS)
def set_buyer(order_id: str) -> ResponseReturnValue:
    """Write down to whom and where it goes."""
    sent = request.form
    try:
        buyer = clean_buyer(sent.get("name", ""), sent.get("phone", ""), sent.get("address", ""))
        steps.set_buyer(signed_in(), order_id, buyer)
    except (BadInput, Conflict) as error:
        return _order(order_id, **_told(error)), error.status
    flash(_("Đã ghi người nhận."), "done")
    return _back(order_id)


def _order(order_id: str, problem: str = "", errors: dict[str, str] | None = None) -> Response:
    found = steps.by_id(signed_in(), order_id)
    page = render_template(
        "seller/order.html", order=found, timeline=shown.timeline(found), because=shown.cancelled_because(found),
        problem=problem, errors=errors or {}, typed=request.form, **_words(),
    )  # fmt: skip
    return make_response(page)


def _qr(gtin: str, lot: str) -> Markup:
    """The code of a lot's scan page, drawn into the slip."""
    address = DigitalLink(gtin, lot).under(current_app.extensions["soi"].public_url)
    return Markup(svg(address, _("Mã quét của lô %(lot)s", lot=lot), 20))


def _told(error: SoiError) -> dict[str, Any]:
    return {"errors": {error.field: str(error)}} if error.field else {"problem": str(error)}


def _words() -> dict[str, Any]:
    return {
        "next_steps": NEXT,
        "badges": shown.BADGES,
        "status_words": STATUS_WORDS,
        "scan_path": shown.scan_path,
        "phone": shown_phone,
        "open_statuses": OPEN,
    }


def _back(order_id: str) -> ResponseReturnValue:
    """To the list that it was done from, or to the order."""
    listed = request.form.get("from", "")
    if listed in {str(status) for status, _words_ in TABS}:
        return redirect(url_for("seller.orders", status=listed), 303)
    return redirect(url_for("seller.order", order_id=order_id), 303)


def _status(text: str) -> Status | None:
    return Status(text) if text in set(Status) else None


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
