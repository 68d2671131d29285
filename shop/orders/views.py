"""Checkout without an account, and the order's page behind its token."""

from dataclasses import dataclass, field

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.cart import services as carts
from shop.cart.services import Cart
from shop.orders import services, shown, steps
from shop.orders.errors import bad_quantity
from shop.orders.models import Order, Status
from shop.stock.errors import OutOfStock
from village.errors import BadInput, Conflict
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import secret_token
from village.people.access import actor

pages = Blueprint("orders", __name__, template_folder="templates")


@dataclass
class Form:
    """What was typed, and what was wrong with it."""

    name: str = ""
    phone: str = ""
    address: str = ""
    note: str = ""
    key: str = field(default_factory=secret_token)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""


@pages.get("/checkout")
def checkout() -> ResponseReturnValue:
    """Who gets it, and where it goes."""
    cart = carts.show()
    if not cart.ready:
        return redirect(url_for("cart.cart"), 303)
    return _checkout(cart, Form())


@pages.post("/checkout")
def place() -> ResponseReturnValue:
    """Order what the page showed. Sent twice (a double click), it is one order."""
    form = _typed()
    try:
        lines = [_line(text) for text in request.form.getlist("line")]
        placed = services.place(
            actor(),
            lines,
            services.clean_buyer(form.name, form.phone, form.address),
            channel="web",
            note=form.note,
            expected_total=_total(request.form.get("total", "")),
            idempotency_key=form.key,
        )
    except OutOfStock as error:
        page = render_template("cart/cart.html", cart=carts.show(), problem=str(error))
        return page, error.status
    except BadInput as error:
        return _wrong(form, error), error.status
    except Conflict as error:
        if error.slug != "price-changed":
            raise Conflict(
                "already-ordered", _l("Đơn từ trang này đã đặt rồi. Muốn đặt thêm, bác mở lại giỏ hàng nhé.")
            ) from error
        form.problem = str(error)
        return _checkout(carts.show(), form), error.status
    carts.empty()
    if not placed.again:
        flash(_("Đặt xong rồi. Hàng đã được giữ riêng cho bác."), "done")
    return redirect(url_for("orders.order", token=placed.token), 303)


@pages.get("/orders/<token>")
def order(token: str) -> ResponseReturnValue:
    """How the order stands: for whoever holds its token."""
    return _order(steps.by_token(token))


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
    form = _typed()
    try:
        steps.set_buyer_by_token(token, services.clean_buyer(form.name, form.phone, form.address))
    except BadInput as error:
        _tell(form, error)
        return _order(steps.by_token(token), form), error.status
    except Conflict as error:
        return _order(steps.by_token(token), problem=str(error)), error.status
    return redirect(url_for("orders.order", token=token), 303)


def _typed() -> Form:
    sent = request.form
    return Form(sent.get("name", ""), sent.get("phone", ""), sent.get("address", ""), sent.get("note", ""),
                sent.get("key", ""))  # fmt: skip


def _line(text: str) -> tuple[str, int]:
    gtin, _colon, quantity = text.partition(":")
    if not (quantity.isascii() and quantity.isdigit() and len(quantity) <= 4):
        raise bad_quantity("lines")
    return gtin, int(quantity)


def _total(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _tell(form: Form, error: BadInput) -> None:
    if error.field in ("name", "phone", "address", "note"):
        form.errors[error.field] = str(error)
    else:
        form.problem = str(error)


def _wrong(form: Form, error: BadInput) -> Response:
    _tell(form, error)
    return _checkout(carts.show(), form)


def _checkout(cart: Cart, form: Form) -> Response:
    return make_response(render_template("orders/checkout.html", cart=cart, form=form))


def _order(found: Order, form: Form | None = None, problem: str = "") -> Response:
    form = form or Form(found.buyer_name or "", found.buyer_phone or "", found.buyer_address or "")
    page = render_template(
        "orders/order.html", order=found, timeline=shown.timeline(found), scan_path=shown.scan_path, form=form,
        problem=problem, cancellable=found.status is Status.PLACED, because=shown.cancelled_because(found),
        hidden_phone=shown.hidden_phone, asks_address=found.status is Status.PLACED and not found.sendable,
    )  # fmt: skip
    return make_response(page)


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
