"""Placing and changing orders. The steps that sellers take afterwards are in `shop.orders.steps`.

For other channels (the livestream), inside their own `write()` and stable:

    place_in(session, lines, buyer, *, channel, …) -> Order      a new order, its packs reserved
    add_lines_in(session, order, lines, …) -> Order              more lines for an order that is still `placed`
    set_quantity_in(session, order, product_id, quantity, …)     more or fewer packs of one product; 0 takes it out
    set_buyer_in(session, order, buyer, …) -> Order              name, telephone, address, when they become known
    cancel_in(session, order_id, *, actor, note, sources) -> Order   the packs go back to the shelf
    shop.stock.services.reserve / release / lock                 packs without an order (lock first, see there)

Each is all or nothing by itself: when it raises (OutOfStock, BadInput, Conflict), what it did is undone, and the
caller's transaction is as it was and may go on. A transaction that places several orders first calls
`stock.lock(session, product_ids)` with all their products, or commits after each order.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from shop.orders.errors import bad_quantity, moved_on, no_order, unknown_product
from shop.orders.models import (
    OPEN,
    QUANTITY_MAX,
    Allocation,
    Channel,
    Order,
    OrderLine,
    OrderStep,
    Payment,
    Status,
)
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from shop.stock.services import Part
from trace.gs1.lots import READABLE
from village import clock, idempotency
from village.db import write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.ids import secret_token, uuid7
from village.people.access import Actor
from village.people.phones import clean_phone
from village.products.models import Product
from village.text import clean_line, clean_name, clean_text

LINES_MAX = 50
NOTE_MAX = 500
SCOPE = "orders"


@dataclass(frozen=True)
class Wanted:
    """So many packs of a product; at the product's own price, unless a channel promised another one."""

    product_id: str
    quantity: int
    unit_price: int | None = None


@dataclass(frozen=True)
class Buyer:
    """Who gets it. None where not known yet."""

    name: str | None = None
    phone: str | None = None
    address: str | None = None


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


def is_sold() -> tuple[Any, ...]:
    """Conditions of a product that the shop offers."""
    return Product.active.is_(True), Product.price.is_not(None)


def place(
    actor: Actor | None,
    lines: Sequence[tuple[str, int]],
    buyer: Buyer,
    *,
    channel: Channel,
    idempotency_key: str | None,
    payment: str = "cod",
    note: str = "",
    expected_total: int | None = None,
) -> Placed:
    """Place an order of `(gtin, quantity)` lines in a transaction of its own, once for each key.

    Raises BadInput (a quantity, an unknown GTIN, another payment), OutOfStock, or Conflict: the key was used with
    another body, or the total is no longer `expected_total` because a price changed. `buyer` is clean already.
    """
    key = idempotency.check_key(idempotency_key)
    scope = f"{SCOPE}:{actor.id}" if actor else SCOPE
    body = {"lines": [list(line) for line in lines], "buyer": asdict(buyer), "payment": payment, "note": note}
    if payment != "cod":
        raise BadInput("payment-not-open", _l("Hiện chỉ nhận trả tiền khi nhận hàng (cod)."), field="payment")
    note = clean_text(note, "note", NOTE_MAX)
    with write() as session:
        before = idempotency.recall(session, scope, key, body)
        if before is not None:
            return Placed(before.body, again=True)
        wanted = _wanted(session, lines)
        order = place_in(session, wanted, buyer, channel=channel, note=note, actor=actor)
        if expected_total is not None and order.total != expected_total:
            raise Conflict(
                "price-changed", _l("Giá vừa đổi, bác xem lại tổng tiền rồi đặt nhé."), total=order.total
            )
        answer = describe(order)
        idempotency.remember(session, scope, key, body, 201, answer)
        return Placed(answer)


def place_in(
    session: Session,
    lines: Sequence[Wanted],
    buyer: Buyer,
    *,
    channel: Channel,
    payment: Payment = "cod",
    note: str = "",
    actor: Actor | None = None,
    live_session_id: str | None = None,
    live_author: str | None = None,
) -> Order:
    """A new order with its packs reserved. Raises BadInput or OutOfStock, and then there is none."""
    check_lines(lines)
    order = Order(
        id=uuid7(), number=_new_number(session), token=secret_token(), status=Status.PLACED,
        channel=channel, payment=payment, total=0, note=note, lines=[], steps=[],
        buyer_name=buyer.name, buyer_phone=buyer.phone, buyer_address=buyer.address,
        live_session_id=live_session_id, live_author=live_author,
        created_at=clock.now(), updated_at=clock.now(),
    )  # fmt: skip

    def fill() -> None:
        session.add(order)
        _take(session, order, lines)
        record(order, Status.PLACED, actor)

    _whole(session, lines, fill)
    return order


def add_lines_in(
    session: Session, order: Order, lines: Sequence[Wanted], *, actor: Actor | None = None
) -> Order:
    """More packs for an order that is still `placed`. Raises BadInput, OutOfStock or Conflict, and nothing changed."""
    check_lines(lines)

    def fill() -> None:
        still_placed(session, order, actor)
        _take(session, order, lines)
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
        line = next((line for line in order.lines if line.product_id == product_id), None)
        if line is None:
            raise BadInput("no-such-line", _l("Trong đơn không có món này."), field="product_id")
        if quantity > line.quantity:
            allocate(line, stock.reserve(session, product_id, quantity - line.quantity))
        elif quantity < line.quantity:
            stock.release(session, _give_up(line, line.quantity - quantity))
        line.quantity = quantity
        if quantity == 0:
            order.lines.remove(line)
        order.total = sum(line.amount for line in order.lines)
        record(order, "changed", actor)

    if quantity == 0 and all(line.product_id == product_id for line in order.lines):
        return cancel_in(session, order.id, actor=actor, sources=(Status.PLACED,))
    _whole(session, [Wanted(product_id, max(quantity, 1))], change, order)
    return order


def set_buyer_in(session: Session, order: Order, buyer: Buyer, *, actor: Actor | None = None) -> Order:
    """Who gets it, as far as it is known; what is None stays as it was. Conflict once the order was sent."""
    touch(session, order, OPEN, actor)
    order.buyer_name = buyer.name or order.buyer_name
    order.buyer_phone = buyer.phone or order.buyer_phone
    order.buyer_address = buyer.address or order.buyer_address
    record(order, "addressed", actor)
    session.flush()
    return order


def cancel_in(
    session: Session,
    order_id: str,
    *,
    actor: Actor | None = None,
    note: str = "",
    sources: Sequence[Status] = OPEN,
) -> Order:
    """Cancel an order that is in one of `sources`; exactly its packs go back. Conflict when it has moved on."""
    order = move(session, order_id, Status.CANCELLED, sources, actor, note)
    stock.release(session, parts_of(order))
    for line in order.lines:
        line.allocations.clear()
    session.flush()
    return order


def check_lines(lines: Sequence[Wanted]) -> None:
    """BadInput unless there are 1 to LINES_MAX lines with quantities in bounds."""
    if not lines:
        raise BadInput("no-lines", _l("Đơn chưa có món nào."), field="lines")
    if len(lines) > LINES_MAX:
        raise too_many_lines(len(lines))
    for index, line in enumerate(lines):
        check_quantity(line.quantity, f"lines.{index}.quantity")


def check_quantity(quantity: object, field: str, least: int = 1) -> None:
    """BadInput unless it is a whole number from `least` to QUANTITY_MAX."""
    if type(quantity) is not int or not least <= quantity <= QUANTITY_MAX:
        raise bad_quantity(field)


def too_many_lines(count: int) -> BadInput:
    """For an order that no village fills."""
    message = _l("Một đơn nhiều nhất %(max)s món, đơn này có %(count)s.")
    return BadInput("too-many-lines", message, field="lines", max=LINES_MAX, count=count)


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
                "lots": [{"lot": part.lot, "quantity": part.units} for part in line.allocations],
            }
            for line in order.lines
        ],
        "pay": {"method": order.payment, "amount": order.total},
    }


def parts_of(order: Order) -> list[Part]:
    """What the order holds of each lot, one part a lot."""
    units: dict[tuple[str, str], int] = {}
    for line in order.lines:
        for part in line.allocations:
            units[part.batch_id, part.lot] = units.get((part.batch_id, part.lot), 0) + part.units
    return [Part(batch_id, lot, count) for (batch_id, lot), count in units.items()]


def move(
    session: Session,
    order_id: str,
    to: Status,
    sources: Iterable[Status],
    actor: Actor | None,
    note: str = "",
) -> Order:
    """One step of an order by one conditional UPDATE: of two at once, one wins and the other gets Conflict."""
    session.flush()
    changed = session.execute(
        update(Order)
        .where(Order.id == order_id, Order.status.in_(list(sources)))
        .values(status=to, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    order = session.get(Order, order_id, populate_existing=True)
    if order is None:
        raise no_order()
    if changed.rowcount == 0:
        raise moved_on(order, last_hand(order) if actor else "")
    record(order, to, actor, note)
    return order


def touch(session: Session, order: Order, sources: Iterable[Status], actor: Actor | None = None) -> None:
    """Take the order's row for this transaction; Conflict unless it is in one of `sources`."""
    session.flush()
    held = session.execute(
        update(Order)
        .where(Order.id == order.id, Order.status.in_(list(sources)))
        .values(updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    assert isinstance(held, CursorResult)
    session.refresh(order)
    if held.rowcount == 0:
        raise moved_on(order, last_hand(order) if actor else "")


def still_placed(session: Session, order: Order, actor: Actor | None) -> None:
    """Take the order's row; Conflict when a seller has begun on it."""
    touch(session, order, (Status.PLACED,), actor)


def last_hand(order: Order) -> str:
    """The name of the member who did the last step; empty when it was the buyer."""
    member = order.steps[-1].member if order.steps else None
    return member.name if member else ""


def record(order: Order, what: str, actor: Actor | None, note: str = "") -> None:
    """Add to the order's timeline."""
    order.steps.append(
        OrderStep(
            position=len(order.steps),
            what=str(what),
            at=clock.now(),
            member_id=actor.id if actor else None,
            note=note,
        )
    )


def _wanted(session: Session, lines: Sequence[tuple[str, int]]) -> list[Wanted]:
    """The lines by product, those of one product added up. GTINs may have 8, 12, 13 or 14 digits."""
    if len(lines) > LINES_MAX:
        raise too_many_lines(len(lines))
    gtins = [gtin.zfill(14) for gtin, _ in lines]
    products = {
        p.gtin: p for p in session.scalars(select(Product).where(Product.gtin.in_(gtins), *is_sold()))
    }
    units: dict[str, int] = {}
    for index, (gtin, quantity) in enumerate(lines):
        product = products.get(gtins[index])
        if product is None:
            raise unknown_product(f"lines.{index}.gtin", gtin[:20])
        if type(quantity) is int and quantity > 0:
            units[product.id] = quantity = units.get(product.id, 0) + quantity
        check_quantity(quantity, f"lines.{index}.quantity")
    return [Wanted(product_id, quantity) for product_id, quantity in units.items()]


def _whole(
    session: Session, lines: Sequence[Wanted], act: Callable[[], None], order: Order | None = None
) -> None:
    """Do `act` wholly or not at all; an OutOfStock out of it tells what is left of all these products."""
    try:
        with session.begin_nested():
            act()
    except OutOfStock:
        if order is not None:
            session.refresh(order)
        raise stock.out_of_stock(session, sorted({line.product_id for line in lines})) from None


def _take(session: Session, order: Order, lines: Sequence[Wanted]) -> None:
    """Reserve for each line, in the order of products' ids, and put it into the order."""
    ids = {line.product_id for line in lines}
    products = {p.id: p for p in session.scalars(select(Product).where(Product.id.in_(ids), *is_sold()))}
    position = max((line.position + 1 for line in order.lines), default=0)
    filled: dict[int, OrderLine] = {}
    for index, wanted in sorted(enumerate(lines), key=lambda pair: (pair[1].product_id, pair[0])):
        product = products.get(wanted.product_id)
        if product is None or product.price is None:
            raise unknown_product(f"lines.{index}.gtin", wanted.product_id)
        price = wanted.unit_price or product.price
        line = _line_for(order, list(filled.values()), product.id, price)
        if line is None:
            line = OrderLine(
                id=uuid7(), position=position + index, product_id=product.id, gtin=product.gtin, picture=product.picture,
                name_vi=product.name_vi, name_en=product.name_en, unit_price=price, quantity=0, allocations=[],
            )  # fmt: skip
            filled[index] = line
        line.quantity += wanted.quantity
        check_quantity(line.quantity, f"lines.{index}.quantity")
        allocate(line, stock.reserve(session, product.id, wanted.quantity))
    order.lines.extend(line for _, line in sorted(filled.items()))
    order.total = sum(line.amount for line in order.lines)


def _line_for(order: Order, new: Sequence[OrderLine], product_id: str, price: int) -> OrderLine | None:
    """The line that already has this product at this price."""
    lines = (*order.lines, *new)
    return next((line for line in lines if line.product_id == product_id and line.unit_price == price), None)


def allocate(line: OrderLine, parts: Iterable[Part]) -> None:
    """Let reserved packs fill a line, one row a lot."""
    held = {part.batch_id: part for part in line.allocations}
    for part in parts:
        if part.batch_id in held:
            held[part.batch_id].units += part.units
        else:
            line.allocations.append(Allocation(batch_id=part.batch_id, lot=part.lot, units=part.units))


def _give_up(line: OrderLine, units: int) -> list[Part]:
    """Take so many packs out of a line's allocations; what they were, to be released."""
    given: list[Part] = []
    for part in reversed(list(line.allocations)):
        count = min(units, part.units)
        if not count:
            break
        given.append(Part(part.batch_id, part.lot, count))
        units -= count
        part.units -= count
        if part.units == 0:
            line.allocations.remove(part)
    return given


def _new_number(session: Session) -> str:
    """BL- and six letters and digits that cannot be mistaken for one another, not taken yet."""
    while True:
        number = "BL-" + "".join(secrets.choice(READABLE) for _ in range(6))
        if session.scalar(select(Order.id).where(Order.number == number)) is None:
            return number
