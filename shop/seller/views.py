"""`/seller/orders`: the list, one step for many, and each order with everything that can be done about it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from babel.support import LazyProxy
from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from shop.delivery.shown import carrier_name, parcels
from shop.orders import shown, steps
from shop.orders.desk import province_choices
from shop.orders.errors import STATUS_WORDS
from shop.orders.forms import Form as BuyerForm
from shop.orders.lines import waiting_of
from shop.orders.models import OPEN, Order, Status
from shop.payments.services import payment_of
from shop.payments.stripe.refunds import of_order
from shop.seller import bulk, returns, services, words
from shop.seller.filters import Filter
from shop.stock.services import lots_stopped
from village.db import db
from village.errors import BadInput, Conflict, NotFound, SoiError
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor, requires, signed_in
from village.people.phones import shown_phone
from village.reference import reference

pages = Blueprint("seller", __name__, url_prefix="/seller/orders", template_folder="templates")

STEPS: dict[str, tuple[Callable[[Actor, str], Order], LazyProxy]] = {
    "confirm": (steps.confirm, _l("Đã xác nhận đơn %(number)s.")),
    "called": (partial(steps.confirm, called=True), _l("Đã xác nhận đơn %(number)s.")),
    "pick": (steps.pick, _l("Đơn %(number)s đã soạn xong.")),
    "reallocate": (steps.reallocate, _l("Đơn %(number)s đã xem lại lô.")),
    "dispatch": (bulk.send_by_hand, _l("Đơn %(number)s đã gửi, đã ghi vào sổ chung.")),
    "deliver": (steps.deliver, _l("Đơn %(number)s đã tới tay người mua.")),
}


@pages.get("")
@requires(*steps.WORKERS)
def orders() -> ResponseReturnValue:
    """Orders by what is to be done next, or by what is asked for."""
    return _list(request.args)


@pages.post("/bulk")
@requires(*steps.WORKERS)
def take_steps() -> ResponseReturnValue:
    """One step for all ticked orders."""
    step = request.form.get("do", "")
    try:
        outcome = bulk.run(signed_in(), step, request.form.getlist("order"), request.form.get("reason", ""))
    except BadInput as error:
        return make_response(_list(request.form, str(error)), error.status)
    wanted = Filter.from_query(request.form)
    if outcome.failed:
        return render_template("seller/bulk.html", outcome=outcome, done=str(words.DONE[step]), back=_address(wanted))
    flash(str(words.DONE[step]) % {"count": len(outcome.done)}, "done")
    return redirect(_address(wanted), 303)


@pages.get("/<order_id>")
@requires(*steps.WORKERS)
def order(order_id: str) -> ResponseReturnValue:
    """One order with its lots, its money, its parcels, its buyer and its timeline."""
    return _order(order_id)


@pages.post("/<order_id>/<step>")
@requires(*steps.WORKERS)
def take_step(order_id: str, step: str) -> ResponseReturnValue:
    """Confirm (`called`: after its buyer was rung), pick, reallocate, dispatch, deliver."""
    if step not in STEPS:
        raise NotFound("no-such-step", _l("Không có bước này."))
    act, done = STEPS[step]
    try:
        moved = act(signed_in(), order_id)
    except Conflict as error:
        return _order(order_id, problem=str(error)), error.status
    flash(str(done) % {"number": moved.number}, "done")
    return _back(order_id)


@pages.post("/<order_id>/cancel")
@requires(*steps.WORKERS)
def cancel(order_id: str) -> ResponseReturnValue:
    """Call an order off, with a reason."""
    try:
        steps.cancel(signed_in(), order_id, request.form.get("reason", ""))
    except (BadInput, Conflict) as error:
        return _order(order_id, **_told(error)), error.status
    flash(_("Đã huỷ đơn, hàng đã trả về kho."), "done")
    return _back(order_id)


@pages.post("/<order_id>/buyer")
@requires(*steps.WORKERS)
def set_buyer(order_id: str) -> ResponseReturnValue:
    """Write down to whom and where it goes."""
    form = BuyerForm.typed()
    buyer = form.buyer()
    if buyer is None:
        return _order(order_id, form=form), BadInput.status
    try:
        steps.set_buyer(signed_in(), order_id, buyer)
    except Conflict as error:
        return _order(order_id, problem=str(error)), error.status
    flash(_("Đã ghi người nhận."), "done")
    return _back(order_id)


@pages.post("/<order_id>/returned")
@requires(*steps.WORKERS)
def take_back(order_id: str) -> ResponseReturnValue:
    """Write down what the buyer brought back."""
    try:
        returns.take(signed_in(), order_id, request.form)
    except (BadInput, Conflict) as error:
        return _order(order_id, **_told(error)), error.status
    flash(_("Đã ghi hàng trả lại. Trả lại tiền thì bác bấm ở mục Tiền."), "done")
    return _back(order_id)


def _list(asked: MultiDict[str, str], problem: str = "") -> str:
    who, wanted = signed_in(), Filter.from_query(asked)
    after = request.args.get("after", "")
    found = services.find(who, wanted, after if is_uuid(after) else "")
    own = [one for one in reference(db.session()).products.values() if one.cooperative_id == who.cooperative_id]
    named = {one.id: one.name for one in own if one.price}
    return render_template(
        "seller/list.html", found=found, wanted=wanted, told=words.told(wanted, named), tabs=words.TABS,
        problem=problem, ticked=set(asked.getlist("order")), tick_all=request.args.get("tick") == "all",
        bulk=words.BULK.get(wanted.status or Status.DELIVERED),
        products=sorted(named.items(), key=lambda pair: pair[1]), **naming(),
    )  # fmt: skip


def _order(
    order_id: str, problem: str = "", errors: dict[str, str] | None = None, form: BuyerForm | None = None
) -> Response:
    found = steps.by_id(signed_in(), order_id)
    page = render_template(
        "seller/order.html", order=found, timeline=shown.timeline(found), because=shown.cancelled_because(found),
        parcels=parcels(found), lots=shown.lots(found), refunds=of_order(found), said=shown.said,
        address=shown.address(found), payment=payment_of(db.session(), order_id), problem=problem,
        errors=errors or {}, typed=request.form, form=form or BuyerForm.of(found), provinces=province_choices(),
        stopped=bool(lots_stopped(db.session(), waiting_of(found))),
        **naming(),
    )  # fmt: skip
    return make_response(page)


def _told(error: SoiError) -> dict[str, Any]:
    return {"errors": {error.field: str(error)}} if error.field else {"problem": str(error)}


def naming() -> dict[str, Any]:
    """What the console's pages need to name things."""
    return {
        "next_steps": words.NEXT,
        "call_step": words.CALL,
        "badges": shown.BADGES,
        "status_words": STATUS_WORDS,
        "payments": words.PAYMENTS,
        "payment_words": words.PAYMENT_STATES,
        "payment_badges": words.PAYMENT_BADGES,
        "channels": words.CHANNELS,
        "carrier_name": carrier_name,
        "phone": shown_phone,
        "short_dong": words.short_dong,
        "open_statuses": OPEN,
    }


def _back(order_id: str) -> ResponseReturnValue:
    """To the list that it was done from, or to the order."""
    listed = request.form.get("from", "")
    if listed in set(Status):
        return redirect(url_for("seller.orders", status=listed), 303)
    return redirect(url_for("seller.order", order_id=order_id), 303)


def _address(wanted: Filter) -> str:
    return f"{url_for('seller.orders')}?{urlencode(wanted.query())}"


@pages.after_request
def private(response: Response) -> Response:
    """Buyers' names stay in no cache."""
    response.headers["Cache-Control"] = "no-store"
    return response
