"""The office's pages on products."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import in_language
from village.people.access import requires, signed_in
from village.people.models import Role
from village.products import materials, schemas, services
from village.products.models import Product

products = Blueprint("products", __name__, url_prefix="/coop/products", template_folder="templates")


@products.get("")
@requires(Role.OFFICE, Role.AUDITOR)
def all_products() -> ResponseReturnValue:
    """The cooperative's products."""
    who = signed_in()
    return render_template(
        "products/products.html", products=services.products_of(who.cooperative_id), office=who.has(Role.OFFICE)
    )


@products.get("/new")
@requires(Role.OFFICE)
def new() -> ResponseReturnValue:
    """The form for a new product."""
    return _form(Form())


@products.post("/new")
@requires(Role.OFFICE)
def add() -> ResponseReturnValue:
    """Put a product on the list."""
    form = Form.typed()
    try:
        identity = schemas.identity(form)
        services.add_product(signed_in(), identity, schemas.product_fields(form, identity.net_grams))
    except (BadInput, Conflict) as error:
        return _form(form.refused(error)), error.status
    flash(_("Đã thêm sản phẩm."), "done")
    return redirect(url_for("products.all_products"))


@products.get("/<product_id>")
@requires(Role.OFFICE)
def one(product_id: str) -> ResponseReturnValue:
    """A product, with the form to change it."""
    product = services.product_of(signed_in(), product_id)
    names = ("name_vi", "name_en", "brand", "price", "shelf_days", "picture")
    return _form(Form({name: getattr(product, name) for name in (*names, *schemas.TEXT_KEYS)}), product)


@products.post("/<product_id>")
@requires(Role.OFFICE)
def edit(product_id: str) -> ResponseReturnValue:
    """Change a product."""
    form, who = Form.typed(), signed_in()
    product = services.product_of(who, product_id)
    try:
        services.edit_product(who, product_id, schemas.product_fields(form, product.net_grams))
    except (BadInput, Conflict) as error:
        return _form(form.refused(error), services.product_of(who, product_id)), error.status
    flash(_("Đã sửa."), "done")
    return redirect(url_for("products.all_products"))


@products.post("/<product_id>/<any(offer, withdraw):what>")
@requires(Role.OFFICE)
def use(product_id: str, what: str) -> ResponseReturnValue:
    """Offer a product, or take it off the list."""
    services.use_product(signed_in(), product_id, what == "offer")
    flash(_("Sản phẩm dùng lại được rồi.") if what == "offer" else _("Đã cất sản phẩm đi."), "done")
    return redirect(url_for("products.all_products"))


def _form(form: Form, product: Product | None = None) -> str:
    choices = [("", _("Chọn một thứ"))]
    choices += [(f"{m.process}/{m.key}", in_language(m.name_vi, m.name_en)) for m in materials.offered()]
    return render_template("products/product.html", form=form, product=product, materials=choices)
