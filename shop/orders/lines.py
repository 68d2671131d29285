"""The lines of an order, and which lots fill them. All inside the caller's transaction."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from shop.catalogue.combos import available, parts_of
from shop.orders.errors import bad_quantity, several_sellers, too_many_lines, unknown_product
from shop.orders.models import LINES_MAX, QUANTITY_MAX, Allocation, Order, OrderLine
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from shop.stock.services import Part
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.products.models import Product
from village.reference import reference

Reserve = Callable[[Session, str, int], list[Part]]
"""Promises so many packs of a product: all of them, or OutOfStock and none."""


@dataclass(frozen=True)
class Wanted:
    """So many packs of a product; at the product's own price, unless a channel promised another one."""

    product_id: str
    quantity: int
    unit_price: int | None = None


def is_sold() -> tuple[Any, ...]:
    """Conditions of a product that the shop offers."""
    return Product.active.is_(True), Product.price.is_not(None)


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


def by_product(session: Session, lines: Sequence[tuple[str, int]]) -> list[Wanted]:
    """The lines by product, those of one product added up. GTINs may have 8, 12, 13 or 14 digits."""
    if len(lines) > LINES_MAX:
        raise too_many_lines(len(lines))
    gtins = [gtin.zfill(14) for gtin, _ in lines]
    products = {product.gtin: product for product in reference(session).sold.values()}
    units: dict[str, int] = {}
    for index, (gtin, quantity) in enumerate(lines):
        product = products.get(gtins[index])
        if product is None:
            raise unknown_product(f"lines.{index}.gtin", gtin[:20])
        if type(quantity) is int and quantity > 0:
            units[product.id] = quantity = units.get(product.id, 0) + quantity
        check_quantity(quantity, f"lines.{index}.quantity")
    return [Wanted(product_id, quantity) for product_id, quantity in units.items()]


def take(session: Session, order: Order, lines: Sequence[Wanted], reserve: Reserve = stock.reserve) -> None:
    """Reserve for each line and put it into the order. What a combo holds is reserved as the packs that it is made of.

    Each product's packs are reserved at once, in the order of the products' ids, and then shared out to the lines.
    A channel that holds the lots itself gives them out by its own `reserve`.
    """
    sold = reference(session).sold
    products = {line.product_id: sold[line.product_id] for line in lines if line.product_id in sold}
    sellers: set[str | None] = {product.cooperative_id for product in products.values()}
    if len(sellers | {order.cooperative_id} if order.lines else sellers) > 1:
        raise several_sellers()
    combos = parts_of(session, [one.id for one in products.values() if one.combo])
    position = max((line.position + 1 for line in order.lines), default=0)
    new: dict[int, OrderLine] = {}
    claims: dict[str, list[tuple[OrderLine, int]]] = {}
    for index, wanted in enumerate(lines):
        product = products.get(wanted.product_id)
        if product is None or product.price is None:
            raise unknown_product(f"lines.{index}.gtin", wanted.product_id)
        price = wanted.unit_price or product.price
        line = _line_for(order, list(new.values()), product.id, price)
        if line is None:
            line = OrderLine(
                id=uuid7(), order_id=order.id, position=position + index, product_id=product.id, gtin=product.gtin,
                picture=product.picture,
                name_vi=product.name_vi, name_en=product.name_en, unit_price=price, quantity=0, allocations=[],
            )  # fmt: skip
            new[index] = line
        line.quantity += wanted.quantity
        check_quantity(line.quantity, f"lines.{index}.quantity")
        for part_id, units in combos.get(product.id, ((product.id, 1),)):
            claims.setdefault(part_id, []).append((line, wanted.quantity * units))
    for product_id in sorted(claims):
        _share(claims[product_id], reserve(session, product_id, sum(units for _, units in claims[product_id])))
    order.lines.extend(new.values())
    (order.cooperative_id,) = sellers
    add_up(order)


def _share(claims: Sequence[tuple[OrderLine, int]], reserved: Iterable[Part]) -> None:
    """Let each line have its packs out of those that were reserved for all of them."""
    left = list(reserved)
    for line, units in claims:
        while units:
            part = left.pop(0)
            count = min(units, part.units)
            allocate(line, [part._replace(units=count)])
            units -= count
            if part.units > count:
                left.insert(0, part._replace(units=part.units - count))


def take_more(session: Session, line: OrderLine, quantity: int) -> None:
    """Reserve for so many more of a line's product."""
    combo = parts_of(session, [line.product_id]).get(line.product_id, ((line.product_id, 1),))
    for part_id, units in combo:
        allocate(line, stock.reserve(session, part_id, quantity * units))


def add_up(order: Order) -> None:
    """The order's total after its lines have changed."""
    order.total = sum(line.amount for line in order.lines) + order.delivery_fee


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
            row = Allocation(order_line_id=line.id, batch_id=part.batch_id, lot=part.lot, units=part.units, sent=0)
            line.allocations.append(row)


def give_up(session: Session, line: OrderLine, quantity: int) -> list[Part]:
    """Take the packs of so many of a line's product out of its allocations; what they were, to be released."""
    combo = parts_of(session, [line.product_id]).get(line.product_id)
    if combo is None:
        return _give_up(line, list(line.allocations), quantity)
    product_of = stock.products_of(session, [part.batch_id for part in line.allocations])
    given: list[Part] = []
    for part_id, units in combo:
        mine = [part for part in line.allocations if product_of[part.batch_id] == part_id]
        given += _give_up(line, mine, quantity * units)
    return given


def _give_up(line: OrderLine, parts: Sequence[Allocation], units: int) -> list[Part]:
    given: list[Part] = []
    for part in reversed(parts):
        count = min(units, part.waiting)
        if not count:
            continue
        given.append(Part(part.batch_id, part.lot, count))
        units -= count
        part.units -= count
        if part.units == 0:
            line.allocations.remove(part)
    return given


def give_up_rest(session: Session, order: Order) -> list[Part]:
    """Take all packs that have not left out of the order; what they were, to be released.

    A line of which nothing left goes; of a combo that left in part, as many stay as were begun.
    """
    given = waiting_of(order)
    combos = parts_of(session, {line.product_id for line in order.lines})
    product_of = stock.products_of(session, [part.batch_id for line in order.lines for part in line.allocations])
    for line in list(order.lines):
        sent: dict[str, int] = {}
        for part in list(line.allocations):
            part.units = part.sent
            sent[product_of[part.batch_id]] = sent.get(product_of[part.batch_id], 0) + part.sent
            if part.sent == 0:
                line.allocations.remove(part)
        units = dict(combos.get(line.product_id, ()))
        line.quantity = max((-(-count // units.get(product, 1)) for product, count in sent.items()), default=0)
        if line.quantity == 0:
            order.lines.remove(line)
    add_up(order)
    return given


def waiting_of(order: Order) -> list[Part]:
    """What the order holds of each lot and has not sent, one part a lot."""
    return _by_lot(order, lambda part: part.waiting)


def packs_of(order: Order) -> list[Part]:
    """What the order has of each lot, sent or not, without what came back; one part a lot."""
    return _by_lot(order, lambda part: part.units - part.returned)


def _by_lot(order: Order, count: Callable[[Allocation], int]) -> list[Part]:
    units: dict[tuple[str, str], int] = {}
    for line in order.lines:
        for part in line.allocations:
            units[part.batch_id, part.lot] = units.get((part.batch_id, part.lot), 0) + count(part)
    return [Part(batch_id, lot, held) for (batch_id, lot), held in units.items() if held]


def out_of_stock(session: Session, product_ids: Sequence[str]) -> OutOfStock:
    """The error that says what is left of these products, combos among them."""
    return stock.out_of_stock(session, product_ids, available(session, product_ids))
