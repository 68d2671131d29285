"""The sellers' pages of delivery: slips, making up a parcel, parcels on their way."""

from typing import cast

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from shop.delivery import desk as desks
from shop.delivery import rounds, shipping, shown, slips
from shop.delivery import steps as parcels
from shop.delivery.errors import no_parcel
from shop.delivery.goods import Goods, goods_of
from shop.delivery.services import province_names
from shop.delivery.shipping import GRAMS_MAX, Part, Ready, Wish
from shop.delivery.states import ON_THE_WAY
from shop.orders import steps
from shop.orders.models import Delivery
from shop.refusals import shown as refusals
from trace.labels.qr import svg
from village.db import db
from village.errors import Conflict, NotFound, SoiError
from village.forms import Form, choice, whole_number
from village.i18n import gettext as _
from village.ids import is_uuid, uuid7
from village.people.access import requires, signed_in
from village.people.phones import shown_phone
from village.places.services import cooperative_of
from village.text import clean_line

pages = Blueprint("delivery", __name__, url_prefix="/seller", template_folder="templates")

PACKS_MAX = 10_000


@pages.get("/orders/<order_id>/slip")
@requires(*steps.WORKERS)
def slip(order_id: str) -> ResponseReturnValue:
    """What goes into one order's parcel, to print."""
    return _slips([order_id], url_for("seller.order", order_id=order_id))


@pages.get("/slips")
@requires(*steps.WORKERS)
def many_slips() -> ResponseReturnValue:
    """The slips of several orders, a page each."""
    return _slips(request.args.getlist("order"), url_for("seller.orders"))


@pages.get("/orders/<order_id>/ship")
@requires(*steps.WORKERS)
def ship(order_id: str) -> ResponseReturnValue:
    """Which packs go, who brings them, and what is to be collected."""
    return _ship(order_id, Form({"shipment": uuid7()}))


@pages.post("/orders/<order_id>/ship")
@requires(*steps.WORKERS)
def send(order_id: str) -> ResponseReturnValue:
    """Let the packs leave; or ask what the carrier would want for it. Sent twice, it is one parcel."""
    form = Form.typed()
    try:
        wish = _wish(order_id, form)
        if form.text("do") == "quote":
            return _ship(order_id, form, fee=shipping.quote(signed_in(), order_id, wish))
        shipping.keep_place(signed_in(), order_id, wish)
        shipment_id = shipping.send(signed_in(), order_id, wish)
    except NotFound:
        raise
    except SoiError as error:
        # After a Conflict this form's parcel is called off; after silence the same form has to go on.
        values = {**request.form.to_dict(), "shipment": uuid7()} if isinstance(error, Conflict) else request.form
        return make_response(_ship(order_id, Form(values, error)), error.status)
    flash(_("Kiện hàng đã đi, đã ghi vào sổ chung."), "done")
    return redirect(url_for("delivery.parcel", shipment_id=shipment_id), 303)


@pages.get("/parcels")
@requires(*steps.WORKERS)
def on_the_way() -> ResponseReturnValue:
    """Parcels that want a hand first, then those on their way."""
    after = request.args.get("after", "")
    found = desks.look(signed_in(), after if is_uuid(after) else "")
    return render_template("delivery/list.html", found=found, shown=shown)


@pages.get("/parcels/<shipment_id>")
@requires(*steps.WORKERS)
def parcel(shipment_id: str) -> ResponseReturnValue:
    """One parcel: its packs, its story, and what can be done about it."""
    return _parcel(shipment_id)


@pages.get("/parcels/<shipment_id>/label")
@requires(*steps.WORKERS)
def label(shipment_id: str) -> ResponseReturnValue:
    """The carrier's own label, on the carrier's page."""
    shipment = parcels.find(signed_in(), shipment_id)
    carrier, tracking, seller = shipment.carrier, shipment.tracking, shipment.order.cooperative_id
    db.session.remove()
    if tracking is None:
        raise no_parcel()
    with shipping.carrier_of(carrier, seller) as asked:
        return redirect(asked.label(tracking), 303)


@pages.post("/parcels/<shipment_id>/ask")
@requires(*steps.WORKERS)
def look_again(shipment_id: str) -> ResponseReturnValue:
    """Ask the carrier where it is."""
    try:
        rounds.look_again(signed_in(), shipment_id)
    except NotFound:
        raise
    except SoiError as error:
        return make_response(_parcel(shipment_id, error), error.status)
    return redirect(url_for("delivery.parcel", shipment_id=shipment_id), 303)


@pages.post("/parcels/<shipment_id>/stop")
@requires(*steps.WORKERS)
def stop(shipment_id: str) -> ResponseReturnValue:
    """Call it off before the carrier fetches it."""
    try:
        rounds.stop(signed_in(), shipment_id)
    except NotFound:
        raise
    except SoiError as error:
        return make_response(_parcel(shipment_id, error), error.status)
    flash(_("Đã báo thôi không gửi. Hàng còn đây, bác xem lại rồi xếp lên kệ nhé."), "done")
    return redirect(url_for("delivery.parcel", shipment_id=shipment_id), 303)


@pages.post("/parcels/<shipment_id>/tell")
@requires(*steps.WORKERS)
def tell(shipment_id: str) -> ResponseReturnValue:
    """How it went with a parcel that the seller brings herself."""
    try:
        parcels.tell(signed_in(), shipment_id, request.form.get("what", ""), request.form.get("note", ""))
    except NotFound:
        raise
    except SoiError as error:
        return make_response(_parcel(shipment_id, error), error.status)
    flash(_("Đã ghi vào kiện hàng."), "done")
    return redirect(url_for("delivery.parcel", shipment_id=shipment_id), 303)


@pages.post("/parcels/<shipment_id>/back")
@requires(*steps.WORKERS)
def take_back(shipment_id: str) -> ResponseReturnValue:
    """What came back: so many packs go on the shelf again, the others are lost."""
    try:
        shipment = parcels.find(signed_in(), shipment_id)
        good = {
            (part.order_line_id, part.batch_id): whole_number(
                request.form.get(f"good-{part.order_line_id}-{part.batch_id}"), "good", 0, part.units
            )
            for part in shipment.parts
        }
        parcels.take_back(signed_in(), shipment_id, good, request.form.get("why", ""))
    except NotFound:
        raise
    except SoiError as error:
        return make_response(_parcel(shipment_id, error), error.status)
    flash(_("Đã nhận lại hàng, kho và sổ chung đã ghi."), "done")
    return redirect(url_for("delivery.parcel", shipment_id=shipment_id), 303)


def _wish(order_id: str, form: Form) -> Wish:
    shipment_id = form.text("shipment")
    if not is_uuid(shipment_id):
        raise no_parcel()
    carrier = cast(Delivery, choice(form.text("carrier"), "carrier", ("hand", "ghn")))
    ready = shipping.ready(signed_in(), order_id)
    parts: list[Part] = []
    for row in ready.rows:
        name = f"units-{row.line_id}-{row.batch_id}"
        units = whole_number(form.text(name) or "0", name, 0, PACKS_MAX)
        if units:
            parts.append((row.line_id, row.batch_id, units))
    return Wish(
        shipment_id, carrier, tuple(parts),
        grams=whole_number(form.text("grams"), "grams", 1, GRAMS_MAX) if carrier != "hand" else 0,
        ward=clean_line(form.text("ward"), "ward", 80, required=False),
        province=clean_line(form.text("province"), "province", 40, required=False),
    )  # fmt: skip


def _ship(order_id: str, form: Form, fee: int | None = None) -> Response:
    found: Ready = shipping.ready(signed_in(), order_id)
    page = render_template(
        "delivery/ship.html", ready=found, order=found.order, form=form, fee=fee, shown=shown, phone=shown_phone,
        sendable=found.order.status in shipping.TO_SEND and found.order.sendable, provinces=province_names(),
    )  # fmt: skip
    return make_response(page)


def _slips(order_ids: list[str], back: str) -> Response:
    found = slips.slips(signed_in(), [one for one in order_ids if is_uuid(one)])
    return make_response(
        render_template(
            "delivery/slips.html", slips=found, qr=_qr, phone=shown_phone, back=back,
            sender=cooperative_of(signed_in()),
        )
    )  # fmt: skip


def _parcel(shipment_id: str, error: SoiError | None = None) -> Response:
    found = parcels.find(signed_in(), shipment_id)
    goods = goods_of(db.session(), {part.batch_id for part in found.parts})
    whys, likely = refusals.choices(db.session(), found)
    page = render_template(
        "delivery/parcel.html", parcel=shown.parcel(found, goods), row=found, order=found.order, goods=goods,
        error=error, stoppable=parcels.may_call_off(found), to_take_back=parcels.waits_to_be_taken_back(found),
        on_the_way=found.state in ON_THE_WAY, phone=shown_phone, lost=found.state == "lost_damaged",
        whys=whys, likely=likely, kept=refusals.kept_as(db.session(), shipment_id),
    )  # fmt: skip
    return make_response(page)


def _qr(goods: Goods) -> Markup:
    """The code of a lot's scan page, drawn into the slip."""
    address = goods.link.under(current_app.extensions["soi"].public_url)
    return Markup(svg(address, _("Mã quét của lô %(lot)s", lot=goods.lot), 20))


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
