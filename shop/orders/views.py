"""Checkout without an account, the order's page behind its token, and its receipt."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.cart import services as carts
from shop.cart.services import Cart, Wish
from shop.delivery.shown import parcels
from shop.orders import services, shown, steps
from shop.orders.desk import Desk, chosen_payment, chosen_way, desk, payment_choices, province_choices, who_sells
from shop.orders.forms import Form, fees_seen, lines_sent, total_seen
from shop.orders.models import Order, Status
from shop.orders.services import Buyer, Placed
from shop.payments.shown import at_door, pay_block
from shop.refusals.services import PAY_AHEAD
from shop.refusals.shown import appeal_path
from shop.stock.errors import OutOfStock
from village.errors import BadInput, Conflict
from village.i18n import current_language
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import actor

pages = Blueprint("orders", __name__, template_folder="templates")


@pages.get("/checkout")
def checkout() -> ResponseReturnValue:
    """Who gets it, and where it goes."""
    cart = carts.show().of(request.args.get("seller", ""))
    if not cart.ready:
        return redirect(url_for("cart.cart"), 303)
    return _checkout(cart, desk(cart.seller, cart.lines, "", ""), Form())


@pages.post("/checkout")
def place() -> ResponseReturnValue:
    """Order what the page showed. Sent twice (a double click), it is one order."""
    form = Form.typed()
    try:
        lines = lines_sent()
        wish = carts.wished(lines)
    except BadInput as error:
        form.problem = str(error)
        return _as_gathered(form), error.status
    buyer = form.buyer()
    offered = desk(wish.seller, wish.lines, *_place_of(form, buyer))
    if buyer is None:
        return _checkout(wish.cart(), offered, form), BadInput.status
    try:
        placed = _place(wish, offered, form, buyer, lines)
    except OutOfStock as error:
        return render_template("cart/cart.html", cart=carts.show(), problem=str(error)), error.status
    except BadInput as error:
        form.tell(error)
        return _checkout(wish.cart(), offered, form), error.status
    except Conflict as error:
        if error.slug == "idempotency-key-reused":
            raise Conflict(
                "already-ordered", _l("Đơn từ trang này đã đặt rồi. Muốn đặt thêm, bác mở lại giỏ hàng nhé.")
            ) from error
        form.problem = str(error)
        if error.slug == PAY_AHEAD:
            return _checkout(wish.cart(), offered.without_cash(), form, appeal=appeal_path(wish.seller)), error.status
        return _checkout(wish.cart(), offered, form), error.status
    carts.take_out(wish.units)
    if not placed.again:
        flash(_("Đặt xong rồi. Hàng đã được giữ riêng cho bác."), "done")
    return redirect(url_for("orders.order", token=placed.token), 303)


@pages.get("/orders/<token>")
def order(token: str) -> ResponseReturnValue:
    """How the order stands: for whoever holds its token."""
    return _order(steps.by_token(token))


@pages.get("/orders/<token>/receipt")
def receipt(token: str) -> ResponseReturnValue:
    """What was bought of whom and what was paid, to print."""
    found = steps.by_token(token)
    return render_template("orders/receipt.html", order=found, at_door=at_door(found), **_told(found))


@pages.post("/orders/<token>/cancel")
def cancel(token: str) -> ResponseReturnValue:
    """The buyer calls it off."""
    try:
        steps.cancel_by_buyer(token)
    except Conflict as error:
        return _order(steps.by_token(token), problem=str(error)), error.status
    return redirect(url_for("orders.order", token=token), 303)


@pages.post("/orders/<token>/buyer")
def set_buyer(token: str) -> ResponseReturnValue:
    """The buyer of a livestream order says where it goes."""
    form = Form.typed()
    found = steps.by_token(token)
    buyer = form.buyer()
    if buyer is None:
        return _order(found, form), BadInput.status
    try:
        steps.set_buyer_by_token(token, buyer)
    except BadInput as error:
        form.tell(error)
        return _order(steps.by_token(token), form), error.status
    except Conflict as error:
        return _order(steps.by_token(token), problem=str(error)), error.status
    return redirect(url_for("orders.order", token=token), 303)


def _place(wish: Wish, offered: Desk, form: Form, buyer: Buyer, lines: list[tuple[str, int]]) -> Placed:
    """Place it at the fee that the page showed or a lower one; what costs more is shown first, and asked again."""
    payment = chosen_payment(offered, form.payment)
    seen = fees_seen().get(form.delivery)
    way = chosen_way(offered, form.delivery, seen, buyer.province, lambda: wish.cart().total)
    goods = total_seen()
    return services.place(
        actor(), lines, buyer, channel="web", payment=payment, note=form.note, idempotency_key=form.key,
        delivery=way.key, delivery_fee=way.fee, language=current_language(),
        expected_total=None if goods is None else goods + way.fee, network=request.remote_addr,
    )  # fmt: skip


def _as_gathered(form: Form) -> Response:
    """The page again with what the cart holds; what was typed stays."""
    cart = carts.show().of("")
    if not cart.ready:
        return make_response(render_template("cart/cart.html", cart=carts.show(), problem=form.problem))
    return _checkout(cart, desk(cart.seller, cart.lines, form.province, form.ward), form)


def _place_of(form: Form, buyer: Buyer | None) -> tuple[str, str]:
    """Province and ward for the fees, as far as they are known."""
    if buyer is not None:
        return buyer.province or "", buyer.ward or ""
    return form.province, form.ward


def _checkout(cart: Cart, offered: Desk, form: Form, appeal: str = "") -> Response:
    if offered.way(form.delivery) is None and offered.ways:
        form.delivery = offered.ways[0].key
    if form.payment not in offered.methods:
        form.payment = offered.methods[0]
    page = render_template(
        "orders/checkout.html", cart=cart, desk=offered, seller=who_sells(cart.seller), form=form,
        provinces=province_choices(), payments=payment_choices(offered.methods), appeal=appeal,
    )  # fmt: skip
    return make_response(page)


def _order(found: Order, form: Form | None = None, problem: str = "") -> Response:
    page = render_template(
        "orders/order.html", order=found, timeline=shown.timeline(found), form=form or Form.of(found),
        problem=problem, cancellable=found.status is Status.PLACED, because=shown.word_of_cancelling(found),
        pay=pay_block(found), parcels=parcels(found), provinces=province_choices(), shots=shown.shots(found),
        asks_address=found.status is Status.PLACED and not found.sendable, **_told(found),
    )  # fmt: skip
    return make_response(page)


def _told(found: Order) -> dict[str, object]:
    """What order page and receipt have in common."""
    return {
        "lots": shown.lots(found),
        "sellers": shown.sellers(found),
        "address": shown.address(found),
        "hidden_phone": shown.hidden_phone,
        "payment_words": shown.payment_words(found),
        "delivery_words": shown.delivery_words(found),
    }


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
