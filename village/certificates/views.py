"""The office's pages on certificates."""

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from village import clock
from village.certificates import services
from village.certificates.models import Certificate
from village.certificates.schemas import certificate_fields
from village.errors import BadInput
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role
from village.products.services import products_of

certificates = Blueprint("certificates", __name__, url_prefix="/coop/certificates", template_folder="templates")

KIND_NAMES = {
    "ocop": _l("Sao OCOP"), "food-safety": _l("An toàn thực phẩm"), "quality": _l("Công bố chất lượng"),
    "business": _l("Đăng ký kinh doanh"), "barcode": _l("Mã số mã vạch"), "environment": _l("Giấy về môi trường"),
    "contract": _l("Hợp đồng nguyên liệu"),
}  # fmt: skip
DRAWINGS = {
    "ocop": "seal", "food-safety": "inspect", "quality": "proof", "business": "house", "barcode": "scan",
    "environment": "weather", "contract": "records",
}  # fmt: skip
SOON = dt.timedelta(days=90)


@certificates.get("")
@requires(Role.OFFICE, Role.AUDITOR)
def all_certificates() -> ResponseReturnValue:
    """The cooperative's certificates."""
    who = signed_in()
    return render_template(
        "certificates/certificates.html", certificates=services.certificates_of(who.cooperative_id),
        kind_names=KIND_NAMES, products=dict(_products()), soon=clock.today() + SOON, office=who.has(Role.OFFICE),
    )  # fmt: skip


@certificates.get("/new")
@requires(Role.OFFICE)
def new() -> ResponseReturnValue:
    """The form for a certificate."""
    return _form(Form())


@certificates.post("/new")
@requires(Role.OFFICE)
def add() -> ResponseReturnValue:
    """Put a certificate on the list."""
    form = Form.typed()
    try:
        services.add_certificate(signed_in(), certificate_fields(form))
    except BadInput as error:
        return _form(form.refused(error)), 422
    flash(_("Đã ghi giấy chứng nhận."), "done")
    return redirect(url_for("certificates.all_certificates"))


@certificates.get("/<certificate_id>")
@requires(Role.OFFICE)
def one(certificate_id: str) -> ResponseReturnValue:
    """A certificate, with the form to correct it."""
    it = services.certificate_of(signed_in(), certificate_id)
    values = {
        "kind": it.kind, "number": it.number, "issuer": it.issuer, "stars": it.stars, "product": it.product_id,
        "issued_on": it.issued_on.isoformat(), "expires_on": it.ends.isoformat() if it.ends else "",
    }  # fmt: skip
    return _form(Form(values), it)


@certificates.post("/<certificate_id>")
@requires(Role.OFFICE)
def edit(certificate_id: str) -> ResponseReturnValue:
    """Correct a certificate."""
    form, who = Form.typed(), signed_in()
    try:
        services.edit_certificate(who, certificate_id, certificate_fields(form))
    except BadInput as error:
        return _form(form.refused(error), services.certificate_of(who, certificate_id)), 422
    flash(_("Đã sửa."), "done")
    return redirect(url_for("certificates.all_certificates"))


@certificates.post("/<certificate_id>/remove")
@requires(Role.OFFICE)
def remove(certificate_id: str) -> ResponseReturnValue:
    """Take a certificate off."""
    services.remove_certificate(signed_in(), certificate_id)
    flash(_("Đã bỏ giấy này."), "done")
    return redirect(url_for("certificates.all_certificates"))


def _products() -> list[tuple[str, str]]:
    found = products_of(signed_in().cooperative_id)
    return [(product.id, in_language(product.name_vi, product.name_en)) for product in found]


def _form(form: Form, it: Certificate | None = None) -> str:
    choices = [("", _("Cả hợp tác xã")), *_products()]
    kinds = [(kind, name, DRAWINGS[kind], "") for kind, name in KIND_NAMES.items()]
    return render_template(
        "certificates/certificate.html", form=form, it=it, products=choices, kinds=kinds, kind_names=KIND_NAMES
    )
