"""`/c/<code>`: a viewer's own page, for whoever holds her link. No account; the link is the key."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from shop.cart.services import CartLine
from shop.live.claims import claiming, declining, ending, joining, page
from shop.live.claims.errors import not_a_link, order_changed
from shop.live.log import mark
from shop.live.models import LiveClaim
from shop.live.texts import shown as visible
from shop.orders import shown
from shop.orders.desk import Desk, chosen_payment, chosen_way, desk, payment_choices, province_choices, who_sells
from shop.orders.forms import Form, fees_seen, total_seen
from shop.orders.models import Order
from shop.orders.services import Buyer
from shop.refusals.services import PAY_AHEAD
from shop.refusals.shown import appeal_path
from village import clock
from village.errors import BadInput, Conflict, NotFound
from village.i18n import current_language
from village.i18n import gettext as _
from village.outbox.addresses import clean_mail
from village.people import throttle

pages = Blueprint("live_claims", __name__, template_folder="../templates", url_prefix="/c")
MISSES = 300
"""Links that are nobody's from one network address in a quarter of an hour: none is found by trying, and one troll does
not shut out all who have the same mobile operator."""
ACTS = 60
"""What is sent from one network address in a quarter of an hour; a hamlet may share one."""


@pages.get("/<code>")
def claim(code: str) -> ResponseReturnValue:
    """What she has, where she stands in the queue, and the form for where it goes."""
    return _page(_known(code))


@pages.post("/<code>")
def fill(code: str) -> ResponseReturnValue:
    """Where it goes and how it is paid; on to the order's own page. Sent twice, it is done once."""
    mine = _acting(code)
    form = Form.typed()
    order_id = request.form.get("order", "")
    order = next((one for one in _orders(mine) if one.id == order_id), None)
    if order is None:
        return _page(mine, form, problem=str(order_changed())), Conflict.status
    if order.sendable:
        return redirect(url_for("orders.order", token=order.token), 303)
    buyer = form.buyer()
    if buyer is None:
        return _page(mine, form), BadInput.status
    try:
        token = _fill(mine, order, form, buyer)
    except BadInput as error:
        form.tell(error)
        return _page(mine, form), error.status
    except Conflict as error:
        told = {"problem": str(error)}
        if error.slug == PAY_AHEAD:
            told["ahead"] = appeal_path(mine.live.cooperative_id)
        return _page(mine, form, **told), error.status
    flash(_("Ghi xong rồi. Mọi việc của đơn bác xem ở trang này."), "done")
    return redirect(url_for("orders.order", token=token), 303)


@pages.post("/<code>/take")
def accept(code: str) -> ResponseReturnValue:
    """She wants the packs that came back."""
    return _answer(code, claiming.accept, _("Mấy gói ấy là của bác rồi."))


@pages.post("/<code>/decline")
def decline(code: str) -> ResponseReturnValue:
    """She does not want them; the next one's turn comes."""
    return _answer(code, declining.decline, _("Mình nhường người sau rồi, cảm ơn bác báo sớm."))


def _answer(code: str, act: Callable[[str, str], None], done: str) -> ResponseReturnValue:
    """Her word about the offer that her form names."""
    mine = _acting(code)
    try:
        act(mine.code, request.form.get("offer", ""))
    except Conflict as error:
        return _page(mine, problem=str(error)), error.status
    flash(done, "done")
    return redirect(url_for("live_claims.claim", code=mine.code), 303)


@pages.post("/<code>/join")
def join(code: str) -> ResponseReturnValue:
    """The order of another session of hers goes along in this parcel."""
    mine = _acting(code)
    link = request.form.get("link", "").strip()
    try:
        joining.join(mine.code, _other(link))
    except (BadInput, NotFound, Conflict) as error:
        return _page(mine, link=link, link_error=str(error)), error.status
    flash(_("Gộp rồi, hai phiên gửi chung một chuyến."), "done")
    return redirect(url_for("live_claims.claim", code=mine.code), 303)


@pages.post("/<code>/remind")
def remind(code: str) -> ResponseReturnValue:
    """She leaves a mail address to be reminded at."""
    mine = _acting(code)
    mail = request.form.get("remind", "")
    try:
        claiming.leave_address(mine.code, clean_mail(mail, "remind").lower())
    except (BadInput, Conflict) as error:
        return _page(mine, mail=mail, mail_error=str(error)), error.status
    flash(_("Gần hết giờ mà bác chưa ghi nơi nhận thì mình nhắc qua thư."), "done")
    return redirect(url_for("live_claims.claim", code=mine.code), 303)


def _known(code: str) -> LiveClaim:
    """The claim of this link; what is nobody's counts against who tries."""
    network = request.remote_addr or ""
    throttle.refuse_many("claim-miss", network, MISSES)
    try:
        found = page.by_code(code)
    except NotFound:
        throttle.count_act("claim-miss", network, MISSES)
        raise
    if found.until is not None and found.until <= clock.now():
        # Nobody is shown, or asked to pay for, packs that are not kept any more.
        ending.expire(found.code)
    return found


def _acting(code: str) -> LiveClaim:
    found = _known(code)
    throttle.count_act("claim", request.remote_addr or "", ACTS)
    return found


def _other(link: str) -> str:
    """The code of another session's link, as it was pasted: the whole address, or its end."""
    code = link.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
    if not code:
        raise not_a_link()
    return _known(code).code


def _orders(mine: LiveClaim) -> list[Order]:
    found = page.read(mine)
    return [*([found.order] if found.order else []), *found.others]


def _fill(mine: LiveClaim, order: Order, form: Form, buyer: Buyer) -> str:
    """The key to the order's page. At the fee that the page showed or a lower one, as at checkout."""
    offered = _desk(order, buyer.province or "", buyer.ward or "")
    payment = chosen_payment(offered, form.payment)
    goods = order.total - order.delivery_fee
    way = chosen_way(offered, form.delivery, fees_seen().get(form.delivery), buyer.province, lambda: goods)
    wish = claiming.Wish(
        order.id, total_seen(), buyer, way.key, way.fee, payment, note=form.note, language=current_language(),
        network=request.remote_addr,
    )  # fmt: skip
    return claiming.fill(mine.code, wish).token


def _desk(order: Order, province: str, ward: str) -> Desk:
    lines = [CartLine(line.product_id, line.quantity, None) for line in order.lines]
    return desk(str(order.cooperative_id), lines, province, ward)


def _page(mine: LiveClaim, form: Form | None = None, **told: str) -> Response:
    """The page as it stands now; `told` has what was typed into its small forms, and what was wrong with it;
    `ahead`, where to object to it, that cash is not offered this time."""
    found = page.read(mine)
    order = found.order
    offered = None
    form = form or (Form.of(order) if order else Form())
    if order is not None:
        offered = _desk(order, form.province, form.ward)
        if told.get("ahead"):
            offered = offered.without_cash()
        if offered.way(form.delivery) is None and offered.ways:
            form.delivery = offered.ways[0].key
        if form.payment not in offered.methods:
            form.payment = offered.methods[0]
    body = render_template(
        "live/claim.html", page=found, order=order, desk=offered, form=form, told=told,
        shots=shown.shots(order) if order else {}, provinces=province_choices(),
        payments=payment_choices(offered.methods) if offered else [],
        seller=who_sells(found.live.cooperative_id), words=shown, texts=visible,
        marks={comment.id: mark(comment) for comment in found.said},
    )  # fmt: skip
    return make_response(body)


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
