"""Making up a parcel and letting it leave.

A carrier is asked outside of any transaction, and before the packs leave: a note (`AskedParcel`) says so beforehand and
goes with the transaction in which they do. Whatever breaks in between, the carrier has at most one parcel of a form,
and one that did not leave is called off: at once when somebody else was quicker, else by the next round.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from flask import current_app
from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from shop.delivery.accounts import account_of
from shop.delivery.carrier import Carrier, Hand, Item, Made, Wanted
from shop.delivery.errors import CarrierRefused, CarrierSilent, nothing_to_send
from shop.delivery.ghn import Ghn
from shop.delivery.goods import Goods, goods_of
from shop.delivery.models import AskedParcel, Shipment, ShipmentPart
from shop.delivery.states import BACK
from shop.orders import steps
from shop.orders.errors import moved_on, not_paid
from shop.orders.models import Delivery, Order, Status
from shop.orders.services import Buyer
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, SoiError
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.people.phones import shown_phone

BOX_GRAMS = 200
"""What the box and its filling weigh."""
GRAMS_MAX = 50_000
Part = tuple[str, str, int]
"""So many packs: line id, batch id, units."""
TO_SEND = (Status.PICKED, Status.PARTLY_DISPATCHED)

log = structlog.get_logger("soi.delivery")


@dataclass(frozen=True)
class Row:
    """What is left to send of one lot for one line."""

    line_id: str
    batch_id: str
    goods: Goods
    units: int


@dataclass(frozen=True)
class Ready:
    """An order before its next parcel."""

    order: Order
    rows: tuple[Row, ...]
    grams: int
    """Of all that is left, in its box."""
    cod_amount: int
    """Đồng to be collected with all that is left."""
    carriers: tuple[Delivery, ...]


@dataclass(frozen=True)
class Wish:
    """A parcel as the seller wants it. `shipment_id` is the form's own: sent twice, it is one parcel."""

    shipment_id: str
    carrier: Delivery
    parts: tuple[Part, ...]
    grams: int
    ward: str = ""
    province: str = ""


@contextmanager
def carrier_of(key: Delivery, cooperative_id: str | None) -> Iterator[Carrier]:
    """Who brings this cooperative's parcels, for the length of the block."""
    if key == "hand":
        yield Hand()
        return
    account = account_of(cooperative_id)
    if account is None:
        raise Conflict("carrier-closed", _l("Hợp tác xã chưa nối với bên giao hàng này."))
    with Ghn(current_app.extensions["soi"].ghn_url, account.token, account.shop) as carrier:
        yield carrier


def ready(actor: Actor, order_id: str) -> Ready:
    """What can be sent of an order, for who works on it."""
    order = steps.by_id(actor, order_id)
    rows = _rows(db.session(), order)
    parts = tuple((row.line_id, row.batch_id, row.units) for row in rows)
    carriers: tuple[Delivery, ...] = ("hand", "ghn") if account_of(order.cooperative_id) is not None else ("hand",)
    return Ready(order, rows, grams_of(rows, parts), cod_of(db.session(), order, parts), carriers)


def grams_of(rows: tuple[Row, ...], parts: tuple[Part, ...]) -> int:
    """What a parcel weighs, its box with it."""
    net = {(row.line_id, row.batch_id): row.goods.grams for row in rows}
    return sum(net[line_id, batch_id] * units for line_id, batch_id, units in parts) + BOX_GRAMS


def cod_of(session: Session, order: Order, parts: tuple[Part, ...]) -> int:
    """Đồng to be collected with these packs: their share of the lines' prices, the delivery fee with the first parcel,
    and with the last one all that is still due. Nothing when the order is paid in another way."""
    back = session.execute(
        select(ShipmentPart.order_line_id, func.sum(ShipmentPart.units))
        .join(Shipment, Shipment.id == ShipmentPart.shipment_id)
        .where(Shipment.order_id == order.id, Shipment.state.in_(BACK))
        .group_by(ShipmentPart.order_line_id)
    )
    # Nobody pays for packs that came back or got lost.
    off = sum(_worth(order, line_id, int(units)) for line_id, units in back)
    due = max(0, steps.to_collect(session, order) - off)
    waiting = sum(part.waiting for line in order.lines for part in line.allocations)
    if sum(units for _, _, units in parts) >= waiting:
        return due
    worth = sum(_worth(order, line_id, units) for line_id, units in _by_line(parts).items())
    fee = order.delivery_fee if order.status is Status.PICKED else 0
    return min(due, worth + fee)


def quote(actor: Actor, order_id: str, wish: Wish) -> int:
    """Đồng that the carrier would ask of us for this parcel."""
    order = steps.by_id(actor, order_id)
    wanted, seller = _wanted(db.session(), order, wish), order.cooperative_id
    db.session.remove()
    with carrier_of(wish.carrier, seller) as carrier:
        return carrier.quote(wanted)


def send(actor: Actor, order_id: str, wish: Wish) -> str:
    """Have the carrier make the parcel, and let the packs leave; the shipment's id. Sent again, it is the same parcel.

    Raises BadInput, Conflict (another was quicker, a lot is held, it is not paid), CarrierRefused or CarrierSilent;
    then nothing has left, and nothing of it stays at the carrier.
    """
    seller = steps.by_id(actor, order_id).cooperative_id
    if _sent_already(order_id, wish):
        return wish.shipment_id
    with carrier_of(wish.carrier, seller) as carrier:
        try:
            wanted = _ask(order_id, wish)
        except SoiError:
            # Another's press of the same form was quicker.
            if _sent_already(order_id, wish):
                return wish.shipment_id
            raise
        try:
            made = carrier.create(wanted)
        except CarrierRefused:
            _forget(wish.shipment_id)
            raise
        try:
            _leave(actor, order_id, wish, wanted.cod_amount, made)
        except SoiError:
            # Kept by another's press of the same form, it has left after all.
            if _sent_already(order_id, wish):
                return wish.shipment_id
            call_off(carrier, wish.shipment_id)
            raise
    return wish.shipment_id


def call_off(carrier: Carrier, shipment_id: str) -> bool:
    """Call a parcel off that was asked for and did not leave; False when the carrier could not be reached, and then the
    next round does it."""
    with write() as session:
        # Its time begins anew: a carrier that is silent is not asked again at once.
        claimed = session.execute(
            update(AskedParcel).where(AskedParcel.shipment_id == shipment_id).values(dropped=True, asked_at=clock.now())
        )
        assert isinstance(claimed, CursorResult)
        if not claimed.rowcount:
            return True
    try:
        made = carrier.known(shipment_id)
        if made is not None and made.tracking is not None:
            carrier.cancel(made.tracking)
    except CarrierSilent as error:
        log.warning("a parcel is still to be called off", shipment=shipment_id, why=error.slug)
        return False
    except CarrierRefused:
        # It says that this cannot be done any more: a person has to ring them. The hook and the rounds go on telling.
        log.error("the carrier keeps a parcel that did not leave", shipment=shipment_id)
    with write() as session:
        session.execute(update(AskedParcel).where(AskedParcel.shipment_id == shipment_id).values(closed_at=clock.now()))
    return True


def _ask(order_id: str, wish: Wish) -> Wanted:
    """Note that the carrier is being asked, and what for."""
    with write() as session:
        order = session.get_one(Order, order_id, populate_existing=True)
        if order.status not in TO_SEND:
            raise moved_on(order, "")
        if order.paid_ahead and not order.settled:
            raise not_paid(order)
        wanted = _wanted(session, order, wish)
        if wish.carrier == "hand":
            return wanted
        note = session.get(AskedParcel, wish.shipment_id)
        if note is None:
            session.add(AskedParcel(shipment_id=wish.shipment_id, order_id=order_id))
        elif note.dropped or note.order_id != order_id:
            raise _called_off()
        else:
            note.asked_at = clock.now()
        return wanted


def _leave(actor: Actor, order_id: str, wish: Wish, cod_amount: int, made: Made) -> None:
    with write(ledger=True) as session:
        if wish.carrier != "hand":
            taken = session.execute(
                delete(AskedParcel).where(AskedParcel.shipment_id == wish.shipment_id, AskedParcel.dropped.is_(False))
            )
            assert isinstance(taken, CursorResult)
            if not taken.rowcount:
                raise _called_off()
        # Held from here on: money that comes meanwhile waits, and would change what is to be collected.
        order = session.get_one(Order, order_id, with_for_update=True)
        if cod_of(session, order, wish.parts) != cod_amount:
            raise Conflict("cod-changed", _l("Tiền phải thu vừa đổi. Bác mở lại trang rồi gửi nhé."))
        steps.send_in(
            session, actor, order_id, wish.parts, carrier=wish.carrier, shipment_id=wish.shipment_id,
            cod_amount=cod_amount,
        )  # fmt: skip
        shipment = session.get_one(Shipment, wish.shipment_id)
        shipment.tracking, shipment.fee, shipment.checked_at = made.tracking, made.fee, clock.now()


def _sent_already(order_id: str, wish: Wish) -> bool:
    sent_for = db.session.scalar(select(Shipment.order_id).where(Shipment.id == wish.shipment_id))
    db.session.remove()
    if sent_for not in (None, order_id):
        raise Conflict("form-used", _l("Tờ này đã dùng cho đơn khác rồi. Bác mở lại trang nhé."))
    return sent_for is not None


def _wanted(session: Session, order: Order, wish: Wish) -> Wanted:
    """What to ask the carrier for; BadInput for packs that the order does not wait for, or an unknown address."""
    rows = {(row.line_id, row.batch_id): row for row in _rows(session, order)}
    if not wish.parts:
        raise nothing_to_send()
    for line_id, batch_id, units in wish.parts:
        row = rows.get((line_id, batch_id))
        if row is None or not 0 < units <= row.units:
            raise Conflict("parts-changed", _l("Số gói còn phải gửi vừa đổi. Bác mở lại trang rồi ghi lại nhé."))
    ward, province = order.buyer_ward or wish.ward, order.buyer_province or wish.province
    if wish.carrier != "hand":
        for field, value in (("ward", ward), ("province", province)):
            if not value:
                raise BadInput(
                    "address-in-parts",
                    _l("Bên giao hàng cần biết riêng xã (phường) và tỉnh của người nhận."),
                    field=field,
                )
    items: dict[str, Item] = {}
    for line_id, batch_id, units in wish.parts:
        goods = rows[line_id, batch_id].goods
        before = items.get(goods.gtin)
        items[goods.gtin] = Item(goods.name_vi, units + (before.units if before else 0), goods.grams)
    if not order.sendable:
        raise Conflict("buyer-unknown", _l("Đơn chưa đủ tên, số điện thoại và địa chỉ người nhận."))
    return Wanted(
        client_code=wish.shipment_id, name=order.buyer_name or "", phone=dialled(order.buyer_phone or ""),
        address=order.buyer_address or "", ward=ward, province=province, grams=wish.grams,
        cod_amount=cod_of(session, order, wish.parts),
        worth=sum(_worth(order, line_id, units) for line_id, units in _by_line(wish.parts).items()),
        items=tuple(items.values()), note=order.note,
    )  # fmt: skip


def dialled(phone: str) -> str:
    """A stored number as it is dialled within the country."""
    return shown_phone(phone).replace(" ", "") if phone else ""


def keep_place(actor: Actor, order_id: str, wish: Wish) -> None:
    """Ward and province that the seller filled in for the carrier stand in the order from then on."""
    order = steps.by_id(actor, order_id)
    known = (order.buyer_ward or wish.ward, order.buyer_province or wish.province)
    told = all(known) and known != (order.buyer_ward, order.buyer_province)
    if wish.carrier != "hand" and told and order.status is Status.PICKED:
        steps.set_buyer(actor, order_id, Buyer(address=order.buyer_address, ward=known[0], province=known[1]))


def _rows(session: Session, order: Order) -> tuple[Row, ...]:
    waiting = [(line, part) for line in order.lines for part in line.allocations if part.waiting]
    goods = goods_of(session, {part.batch_id for _, part in waiting})
    return tuple(Row(line.id, part.batch_id, goods[part.batch_id], part.waiting) for line, part in waiting)


def _by_line(parts: tuple[Part, ...]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for line_id, _, units in parts:
        found[line_id] = found.get(line_id, 0) + units
    return found


def _worth(order: Order, line_id: str, units: int) -> int:
    """The share of a line's price that so many of its packs have."""
    line = next(line for line in order.lines if line.id == line_id)
    return line.amount * units // sum(part.units for part in line.allocations)


def _forget(shipment_id: str) -> None:
    with write() as session:
        session.execute(delete(AskedParcel).where(AskedParcel.shipment_id == shipment_id))


def _called_off() -> Conflict:
    return Conflict("parcel-called-off", _l("Kiện này đã thôi không gửi nữa. Bác mở lại trang rồi làm lại nhé."))
