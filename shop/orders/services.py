"""Placing and changing orders. The steps that sellers take afterwards are in `shop.orders.steps`.

For other channels (the livestream), inside their own `write()` and stable:

    place_in(session, lines, buyer, *, channel, …) -> Order      a new order, its packs reserved, its payment begun
    add_lines_in(session, order, lines, …) -> Order              more lines for an order that is still `placed`
    set_quantity_in(session, order, product_id, quantity, …)     more or fewer packs of one product; 0 takes it out
    set_buyer_in(session, order, buyer, …) -> Order              name, telephone, address, when they become known
    cancel_in(session, order_id, *, actor, note, sources) -> Order   what has not left goes back to the shelf
    new_order(number, buyer, channel, …) + lines.take(…, reserve)   for a channel that holds the lots and counts itself
    shop.stock.services.reserve / release / lock                 packs without an order (lock first, see there)

Each is all or nothing by itself: when it raises (OutOfStock, BadInput, Conflict), what it did is undone, and the
caller's transaction is as it was and may go on. A transaction that places several orders first calls
`stock.lock(session, product_ids)` with all their products, or commits after each order.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast, get_args

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from shop.orders import guests
from shop.orders.cancelling import cancel_in
from shop.orders.errors import order_paid_ahead
from shop.orders.lines import (
    Wanted,
    add_up,
    by_product,
    check_lines,
    check_quantity,
    give_up,
    out_of_stock,
    take,
    take_more,
)
from shop.orders.models import NEW, Channel, Delivery, Order, Payment, PaymentState, Status
from shop.orders.moving import record, still_placed, touch
from shop.refusals import services as refusals
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from trace.gs1.lots import READABLE
from village import clock, idempotency
from village.db import core, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.ids import secret_token, uuid7
from village.people.access import Actor
from village.people.phones import clean_phone
from village.products.models import Product
from village.text import clean_line, clean_name, clean_text

__all__ = ["Buyer", "Placed", "Wanted", "add_lines_in", "cancel_in", "clean_buyer", "describe", "new_numbers",
           "new_order", "place", "place_in", "set_buyer_in", "set_quantity_in"]  # fmt: skip

NOTE_MAX = 500
SCOPE = "orders"
HOLD: dict[Payment, dt.timedelta] = {"vietqr": dt.timedelta(minutes=30), "stripe": dt.timedelta(minutes=35)}
"""How long packs are kept for whoever pays ahead. A card session lives for 30 minutes at least, and ends first."""


@dataclass(frozen=True)
class Buyer:
    """Who gets it. None where not known yet, or not asked for."""

    name: str | None = None
    phone: str | None = None
    address: str | None = None
    email: str | None = None
    ward: str | None = None
    province: str | None = None
    """One of the 34."""

    @property
    def told(self) -> dict[str, str | None]:
        """What makes two requests the same one: parts that came later are left out where they are not given."""
        return {key: value for key, value in asdict(self).items() if value or key in ("name", "phone", "address")}


@dataclass(frozen=True)
class Placed:
    """What placing an order gave: the contract's JSON body; `again` when it is the answer of an earlier sending."""

    answer: dict[str, Any]
    again: bool = False

    @property
    def token(self) -> str:
        """The key to the order's page."""
        return str(self.answer["token"])


def clean_buyer(name: object, phone: object, address: object, prefix: str = "") -> Buyer:
    """A buyer whom we can send to; BadInput that names `<prefix>name`, `<prefix>phone` or `<prefix>address`."""
    return Buyer(
        clean_name(name, f"{prefix}name"),
        clean_phone(phone, f"{prefix}phone"),
        clean_line(address, f"{prefix}address", 300),
    )


def place(
    actor: Actor | None,
    lines: Sequence[tuple[str, int]],
    buyer: Buyer,
    *,
    channel: Channel,
    idempotency_key: str | None,
    payment: str = "cod",
    note: str = "",
    delivery: Delivery = "hand",
    delivery_fee: int = 0,
    language: str = "vi",
    expected_total: int | None = None,
    network: str | None = None,
) -> Placed:
    """Place an order of `(gtin, quantity)` lines in a transaction of its own, once for each key.

    Raises BadInput (a quantity, an unknown GTIN, a payment that is not open), OutOfStock, or Conflict: the key was used
    with another body, the total is no longer `expected_total` because a price changed, or `pay-ahead`
    (`shop.refusals.services`). `buyer` is clean already; `delivery_fee` in đồng. `network` is the network address that
    a guest orders from, whose word has bounds then (`shop.orders.guests`).
    """
    key = idempotency.check_key(idempotency_key)
    scope = f"{SCOPE}:{actor.id}" if actor else SCOPE
    body: dict[str, Any] = {
        "lines": [list(line) for line in lines], "buyer": buyer.told, "payment": payment, "note": note,
    }  # fmt: skip
    if (delivery, delivery_fee) != ("hand", 0):
        body |= {"delivery": delivery, "delivery_fee": delivery_fee}
    if payment not in get_args(Payment):
        raise _payment_not_open()
    note = clean_text(note, "note", NOTE_MAX)
    guest = guests.known_by(network) if actor is None else None
    with refusals.asked_seldom(guest), write() as session:
        before = idempotency.recall(session, scope, key, body)
        if before is not None:
            return Placed(before.body, again=True)
        wanted = by_product(session, lines)
        _refuse_unopened(session, wanted, cast(Payment, payment))
        if guest is not None:
            guests.refuse_many(session, buyer.phone)
        order = place_in(
            session, wanted, buyer, channel=channel, payment=cast(Payment, payment), note=note, actor=actor,
            delivery=delivery, delivery_fee=delivery_fee, language=language,
        )  # fmt: skip
        if expected_total is not None and order.total != expected_total:
            raise Conflict("price-changed", _l("Giá vừa đổi, bác xem lại tổng tiền rồi đặt nhé."), total=order.total)
        if guest is not None:
            guests.count_in(session, order, guest)
        if not refusals.sold_by_hand(actor, order):
            refusals.heed_in(session, order)
        answer = describe(order)
        idempotency.remember(session, scope, key, body, 201, answer)
        return Placed(answer)


def _refuse_unopened(session: Session, lines: Sequence[Wanted], payment: Payment) -> None:
    """Everybody whose goods are in the order must take this payment. Cash needs no account."""
    if payment == "cod":
        return
    from shop.payments.services import methods  # that folder stands on this one

    sellers = select(Product.cooperative_id).where(Product.id.in_([line.product_id for line in lines])).distinct()
    if not all(payment in methods(seller) for seller in session.scalars(sellers)):
        raise _payment_not_open()


def _payment_not_open() -> BadInput:
    return BadInput("payment-not-open", _l("Cách trả tiền này chưa mở. Bác chọn cách khác nhé."), field="payment")


def place_in(
    session: Session,
    lines: Sequence[Wanted],
    buyer: Buyer,
    *,
    channel: Channel,
    payment: Payment = "cod",
    note: str = "",
    actor: Actor | None = None,
    delivery: Delivery = "hand",
    delivery_fee: int = 0,
    language: str = "vi",
    live_session_id: str | None = None,
    live_author: str | None = None,
) -> Order:
    """A new order with its packs reserved. Raises BadInput or OutOfStock, and then there is none."""
    from shop.payments.services import begin_in  # that folder stands on this one

    check_lines(lines)
    order = new_order(
        _new_number(session), buyer, channel, payment=payment, note=note, delivery=delivery,
        delivery_fee=delivery_fee, language=language, live_session_id=live_session_id, live_author=live_author,
    )  # fmt: skip

    def fill() -> None:
        # Into the session with its total: what is flushed meanwhile has to pass the table's checks.
        take(session, order, lines)
        session.add(order)
        record(order, Status.PLACED, actor)
        begin_in(session, order)

    _whole(session, lines, fill)
    return order


def new_order(
    number: str,
    buyer: Buyer,
    channel: Channel,
    *,
    payment: Payment = "cod",
    note: str = "",
    delivery: Delivery = "hand",
    delivery_fee: int = 0,
    language: str = "vi",
    live_session_id: str | None = None,
    live_author: str | None = None,
) -> Order:
    """An order without lines yet, in no session."""
    now = clock.now()
    return Order(
        id=uuid7(), number=number, token=secret_token(), status=Status.PLACED,
        channel=channel, payment=payment, total=0, note=note, lines=[], steps=[],
        payment_state=PaymentState.DUE if payment == "cod" else PaymentState.AWAITING, paid=0, refunded=0,
        hold_until=now + HOLD[payment] if payment in HOLD else None,
        delivery=delivery, delivery_fee=delivery_fee, language=language,
        buyer_name=buyer.name, buyer_phone=buyer.phone, buyer_address=buyer.address,
        buyer_email=buyer.email, buyer_ward=buyer.ward, buyer_province=buyer.province,
        live_session_id=live_session_id, live_author=live_author,
        created_at=now, updated_at=now,
    )  # fmt: skip


def add_lines_in(session: Session, order: Order, lines: Sequence[Wanted], *, actor: Actor | None = None) -> Order:
    """More packs for an order that is still `placed`. Raises BadInput, OutOfStock or Conflict, and nothing changed."""
    check_lines(lines)

    def fill() -> None:
        still_placed(session, order, actor)
        _refuse_paid_ahead(order)
        take(session, order, lines)
        record(order, "changed", actor)

    _whole(session, lines, fill, order)
    return order


def set_quantity_in(
    session: Session, order: Order, product_id: str, quantity: int, *, actor: Actor | None = None
) -> Order:
    """So many packs of a product from now on, at the price of the line that it has; 0 takes the line out.

    Without a line left the order is cancelled. Raises as `add_lines_in`, and BadInput when it has no such line.
    """
    check_quantity(quantity, "quantity", least=0)

    def change() -> None:
        still_placed(session, order, actor)
        _refuse_paid_ahead(order)
        line = next((line for line in order.lines if line.product_id == product_id), None)
        if line is None:
            raise BadInput("no-such-line", _l("Trong đơn không có món này."), field="product_id")
        if quantity > line.quantity:
            take_more(session, line, quantity - line.quantity)
        elif quantity < line.quantity:
            stock.release(session, give_up(session, line, line.quantity - quantity))
        line.quantity = quantity
        if quantity == 0:
            order.lines.remove(line)
        add_up(order)
        record(order, "changed", actor)

    if quantity == 0 and all(line.product_id == product_id for line in order.lines):
        return cancel_in(session, order.id, actor=actor, sources=(Status.PLACED,))
    _whole(session, [Wanted(product_id, max(quantity, 1))], change, order)
    return order


def set_buyer_in(session: Session, order: Order, buyer: Buyer, *, actor: Actor | None = None) -> Order:
    """Who gets it, as far as it is known; what is None stays as it was, but an address goes with its ward and province.

    Conflict once something was sent: the ledger has committed to this buyer.
    """
    touch(session, order, NEW, actor)
    order.buyer_name = buyer.name or order.buyer_name
    order.buyer_phone = buyer.phone or order.buyer_phone
    order.buyer_email = buyer.email or order.buyer_email
    if buyer.address:
        order.buyer_address, order.buyer_ward, order.buyer_province = buyer.address, buyer.ward, buyer.province
    record(order, "addressed", actor)
    session.flush()
    refusals.ask_in(session, order)
    return order


def _refuse_paid_ahead(order: Order) -> None:
    """What somebody is about to pay for, or has paid, does not change under her hands."""
    if order.paid_ahead:
        raise order_paid_ahead(order)


def describe(order: Order) -> dict[str, Any]:
    """The order as the JSON contract has it."""
    return {
        "number": order.number,
        "token": order.token,
        "status": order.status.value,
        "total": order.total,
        "lines": [
            {
                "gtin": line.gtin,
                "quantity": line.quantity,
                "lots": [
                    {"lot": part.lot, "quantity": part.units}
                    for part in sorted(line.allocations, key=lambda part: part.lot)
                ],
            }
            for line in order.lines
        ],
        "pay": {"method": order.payment, "amount": order.total},
    }


def _whole(session: Session, lines: Sequence[Wanted], act: Callable[[], None], order: Order | None = None) -> None:
    """Do `act` wholly or not at all; an OutOfStock out of it tells what is left of all these products."""
    try:
        with session.begin_nested():
            act()
    except OutOfStock:
        if order is not None:
            session.refresh(order)
        raise out_of_stock(session, sorted({line.product_id for line in lines})) from None


def new_numbers(session: Session, count: int) -> list[str]:
    """So many numbers that no order has: BL- and six letters and digits that cannot be mistaken for one another."""
    found: set[str] = set()
    while len(found) < count:
        drawn = {"BL-" + "".join(secrets.choice(READABLE) for _ in range(6)) for _ in range(count - len(found))}
        found |= drawn - set(core(session).execute(_NUMBERED, {"numbers": list(drawn)}).scalars())
    return list(found)


_NUMBERED = select(Order.__table__.c.number).where(Order.__table__.c.number.in_(bindparam("numbers", expanding=True)))


def _new_number(session: Session) -> str:
    return new_numbers(session, 1)[0]
