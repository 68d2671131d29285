"""The seller's page for money that goes back."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.orders import steps
from shop.payments.models import Standing
from shop.refunds import services
from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in

pages = Blueprint("refunds", __name__, url_prefix="/seller/orders/<order_id>/refund", template_folder="templates")

WAYS = {"stripe": _l("Về thẻ đã trả"), "vietqr": _l("Chuyển khoản"), "cod": _l("Tiền mặt")}
CHOICES = {
    "stripe": ("account", _l("Soi nhờ bên thẻ gửi về đúng thẻ ấy")),
    "vietqr": ("scan", _l("Bác chuyển trước rồi ghi mã giao dịch vào đây")),
    "cod": ("money", _l("Bác đưa tận tay rồi ghi lại")),
}
"""The picture of a way, and what there is to do."""
STANDINGS = {
    Standing.PENDING: ("waiting", _l("Đang gửi về thẻ")),
    Standing.SUCCEEDED: ("done", _l("Đã trả lại")),
    Standing.FAILED: ("cut", _l("Thẻ không nhận lại")),
    Standing.EXPIRED: ("cut", _l("Đã bỏ")),
}


@pages.get("")
@requires(*steps.WORKERS)
def ask(order_id: str) -> ResponseReturnValue:
    """How much came, what went back, and the form."""
    return _page(order_id, Form())


@pages.post("")
@requires(*steps.WORKERS)
def give_back(order_id: str) -> ResponseReturnValue:
    """Give money back, once for each form."""
    form = Form.typed()
    try:
        refund = services.give_back(signed_in(), order_id, services.read(request.form))
    except (BadInput, Conflict) as error:
        return _page(order_id, form.refused(error)), error.status
    if refund.state is Standing.SUCCEEDED:
        flash(_("Đã ghi trả lại tiền cho người mua."), "done")
    elif refund.state is Standing.PENDING:
        flash(_("Đã nhờ bên thẻ trả lại. Khi nào xong thì ở đây tự báo."), "info")
    else:
        flash(_("Thẻ không nhận lại tiền. Bác trả bằng cách khác giúp nhé."), "warning")
    return redirect(url_for("refunds.ask", order_id=order_id), 303)


def _page(order_id: str, form: Form) -> Response:
    desk = services.desk(signed_in(), order_id)
    offered = [(way, WAYS[way], *CHOICES[way]) for way in desk.ways]
    page = render_template(
        "refunds/refund.html", desk=desk, order=desk.order, form=form, ways=WAYS, standings=STANDINGS, offered=offered
    )
    return make_response(page)


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
