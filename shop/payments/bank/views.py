"""/coop/account: where a cooperative's buyers transfer to."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from shop.payments.bank import accounts
from shop.payments.bank.accounts import Typed
from shop.payments.bank.banks import BANKS
from trace.labels.qr import svg
from village.errors import BadInput
from village.forms import Form
from village.i18n import gettext as _
from village.people.access import requires, signed_in
from village.people.models import Role

pages = Blueprint("bank_account", __name__, template_folder="../templates")


@pages.get("/coop/account")
@requires(Role.OFFICE)
def account() -> ResponseReturnValue:
    """The account as it stands, and the form to change it."""
    found = accounts.account_of(signed_in())
    if found is None:
        return _page(Form({"watcher": accounts.watchers(signed_in())[0], "open": "1"}))
    values = {"bin": found.bin, "account": found.account, "holder": found.holder, "watcher": found.watcher}
    return _page(Form(values | ({"open": "1"} if found.open else {})))


@pages.post("/coop/account")
@requires(Role.OFFICE)
def save() -> ResponseReturnValue:
    """Write it down."""
    form = Form.typed()
    typed = Typed(
        form.text("bin"), form.text("account"), form.text("holder"), form.text("watcher"), form.ticked("open")
    )
    try:
        accounts.save(signed_in(), typed)
    except BadInput as error:
        return _page(form.refused(error)), error.status
    flash(_("Đã ghi tài khoản. Bác quét thử mã bên dưới xem có đúng tên mình không."), "done")
    return redirect(url_for("bank_account.account"), 303)


def _page(form: Form) -> Response:
    found = accounts.account_of(signed_in())
    trial = Markup(svg(accounts.trial(found), _("Mã thử để xem tên chủ tài khoản"), 45)) if found else None
    words = {
        "sepay": _("SePay báo ngay, đơn tự chuyển sang đã trả"),
        "payos": _("payOS báo ngay, mỗi đơn một mã riêng"),
        "none": _("Không ai báo, mình tải sao kê lên"),
    }
    choices = [(key, words[key]) for key in accounts.watchers(signed_in())]
    page = render_template(
        "payments/account.html", form=form, account=found, trial=trial, banks=[("", _("Chọn ngân hàng")), *_banks()],
        watchers=choices,
    )  # fmt: skip
    return make_response(page)


def _banks() -> list[tuple[str, str]]:
    return sorted(BANKS.items(), key=lambda bank: bank[1].lower())


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
