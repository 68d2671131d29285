"""`/seller/products`: words, prices and photos of the cooperative's products, and combos. How much there is of each
is nobody's to say here: it comes from the ledger."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.catalogue import making, pictures, selling
from shop.catalogue.models import PICTURES_MAX, WORDS_MAX
from village.errors import BadInput, Conflict, SoiError
from village.forms import Form, optional_number
from village.i18n import gettext as _
from village.people.access import requires, signed_in
from village.people.models import Role
from village.products import schemas, services
from village.text import clean_line, missing
from village.web.bodies import up_to

pages = Blueprint("seller_products", __name__, url_prefix="/seller/products", template_folder="templates")

FORM_BYTES = 1 << 16
"""What a form weighs beside its file."""


@pages.get("")
@requires(Role.SELLER, Role.OFFICE)
def all_products() -> ResponseReturnValue:
    """The cooperative's products that are sold or could be."""
    return render_template("catalogue/own_list.html", products=selling.own_products(signed_in()))


@pages.get("/combo")
@requires(Role.SELLER, Role.OFFICE)
def new_combo() -> ResponseReturnValue:
    """The form for a new combo."""
    return _combo(Form())


@pages.post("/combo")
@requires(Role.SELLER, Role.OFFICE)
def add_combo() -> ResponseReturnValue:
    """Put products together as one."""
    form, who = Form.typed(), signed_in()
    try:
        combo_id = making.add_combo(who, making.wish(form, making.offered(who)))
    except (BadInput, Conflict) as error:
        return _combo(form.refused(error)), error.status
    flash(_("Đã có bộ mới. Bác thêm ảnh và viết đôi lời về bộ này nhé."), "done")
    return redirect(url_for("seller_products.one", product_id=combo_id), 303)


@pages.get("/<product_id>")
@requires(Role.SELLER, Role.OFFICE)
def one(product_id: str) -> ResponseReturnValue:
    """A product with all that may be changed about it."""
    return _one(product_id)


@pages.post("/<product_id>/price")
@requires(Role.SELLER, Role.OFFICE)
def price(product_id: str) -> ResponseReturnValue:
    """Sell at another price from now on."""
    form = Form.typed()
    try:
        new = schemas.price_of(form)
        seen = optional_number(form.text("seen"), "price", 1, schemas.PRICE_MAX)
        services.change_price(signed_in(), product_id, new, seen, sure=form.ticked("sure"))
    except (BadInput, Conflict) as error:
        return _refused(product_id, error, price=form)
    flash(
        _("Giá mới tính từ bây giờ. Đơn đã đặt vẫn giữ giá cũ.") if new else _("Món này thôi bán từ bây giờ."), "done"
    )
    return _back(product_id)


@pages.post("/<product_id>/words")
@requires(Role.SELLER, Role.OFFICE)
def words(product_id: str) -> ResponseReturnValue:
    """Tell it anew."""
    form = Form.typed()
    try:
        services.edit_words(signed_in(), product_id, schemas.words(form), form.text("seen"))
    except (BadInput, Conflict) as error:
        return _refused(product_id, error, words=form)
    flash(_("Đã sửa lời."), "done")
    return _back(product_id)


@pages.post("/<product_id>/pictures")
@up_to(lambda settings: settings.max_photo + FORM_BYTES)
@requires(Role.SELLER, Role.OFFICE)
def add_picture(product_id: str) -> ResponseReturnValue:
    """Take a photo in."""
    form, who = Form.typed(), signed_in()
    file = request.files.get("picture")
    try:
        if file is None or not file.filename:
            raise missing("picture")
        pictures.add(who, product_id, file.stream.read(current_app.extensions["soi"].max_photo + 1))
    except (BadInput, Conflict) as error:
        return _refused(product_id, error, photo=form)
    flash(_("Đã thêm ảnh."), "done")
    return _back(product_id, "pictures")


@pages.post("/<product_id>/pictures/<picture_id>/words")
@requires(Role.SELLER, Role.OFFICE)
def tell_picture(product_id: str, picture_id: str) -> ResponseReturnValue:
    """Say what is to be seen on a photo."""
    form, who = Form.typed(), signed_in()
    try:
        words_vi, words_en = (
            clean_line(form.text(name), name, WORDS_MAX, required=False) for name in ("words_vi", "words_en")
        )
        pictures.tell(who, product_id, picture_id, words_vi, words_en)
    except BadInput as error:
        return _refused(product_id, error, photo=form)
    flash(_("Đã ghi lời cho ảnh."), "done")
    return _back(product_id, "pictures")


@pages.post("/<product_id>/pictures/<picture_id>/first")
@requires(Role.SELLER, Role.OFFICE)
def first_picture(product_id: str, picture_id: str) -> ResponseReturnValue:
    """Show a photo before the others."""
    pictures.put_first(signed_in(), product_id, picture_id)
    flash(_("Ảnh này giờ đứng đầu."), "done")
    return _back(product_id, "pictures")


@pages.post("/<product_id>/pictures/<picture_id>/remove")
@requires(Role.SELLER, Role.OFFICE)
def remove_picture(product_id: str, picture_id: str) -> ResponseReturnValue:
    """Take a photo away."""
    pictures.remove(signed_in(), product_id, picture_id)
    flash(_("Đã bỏ ảnh."), "done")
    return _back(product_id, "pictures")


def _back(product_id: str, part: str = "") -> ResponseReturnValue:
    return redirect(url_for("seller_products.one", product_id=product_id, _anchor=part or None), 303)


def _refused(product_id: str, error: SoiError, **typed: Form) -> ResponseReturnValue:
    return _one(product_id, **{name: form.refused(error) for name, form in typed.items()}), error.status


def _one(product_id: str, price: Form | None = None, words: Form | None = None, photo: Form | None = None) -> str:
    work = selling.work_on(signed_in(), product_id)
    names = ("name_vi", "name_en", "brand", *schemas.TEXT_KEYS)
    return render_template(
        "catalogue/own.html", work=work, product=work.product,
        price=price or Form({"price": work.product.price}),
        words=words or Form({name: getattr(work.product, name) for name in names}),
        photo=photo or Form(), pictures_max=PICTURES_MAX, words_max=WORDS_MAX,
    )  # fmt: skip


def _combo(form: Form) -> str:
    return render_template(
        "catalogue/combo.html", form=form, offered=making.offered(signed_in()), most=making.UNITS_MAX,
        units=making.UNITS,
    )  # fmt: skip
