"""The cart's page and its three forms."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.cart import services
from village.errors import BadInput
from village.i18n import gettext as _

pages = Blueprint("cart", __name__, template_folder="templates")


@pages.get("/cart")
def cart() -> ResponseReturnValue:
    """What is in it, at today's prices."""
    return render_template("cart/cart.html", cart=services.show())


@pages.post("/cart/add")
def add() -> ResponseReturnValue:
    """Put packs of a product in."""
    try:
        services.add(request.form.get("product", ""), services.quantity_of(request.form.get("quantity", "1")))
    except BadInput as error:
        return _again(error)
    flash(_("Đã cho vào giỏ."), "done")
    return redirect(url_for("cart.cart"), 303)


@pages.post("/cart/set")
def put() -> ResponseReturnValue:
    """Change a product's quantity; 0 takes it out."""
    try:
        services.put(
            request.form.get("product", ""), services.quantity_of(request.form.get("quantity"), least=0)
        )
    except BadInput as error:
        return _again(error)
    return redirect(url_for("cart.cart"), 303)


@pages.post("/cart/remove")
def remove() -> ResponseReturnValue:
    """Take a product out."""
    services.put(request.form.get("product", ""), 0)
    return redirect(url_for("cart.cart"), 303)


@pages.post("/cart/fit")
def fit() -> ResponseReturnValue:
    """Take what is left."""
    services.fit()
    return redirect(url_for("cart.cart"), 303)


def _again(error: BadInput) -> ResponseReturnValue:
    return render_template("cart/cart.html", cart=services.show(), problem=str(error)), error.status
