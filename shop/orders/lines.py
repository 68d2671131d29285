"""The lines of an order, and which lots fill them. All inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.orders.errors import bad_quantity, too_many_lines, unknown_product
from shop.orders.models import LINES_MAX, QUANTITY_MAX, Allocation, Order, OrderLine
from shop.stock import services as stock
from shop.stock.services import Part
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.products.models import Product


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
    products = {p.gtin: p for p in session.scalars(select(Product).where(Product.gtin.in_(gtins), *is_sold()))}
    units: dict[str, int] = {}
    for index, (gtin, quantity) in enumerate(lines):
        product = products.get(gtins[index])
        if product is None:
            raise unknown_product(f"lines.{index}.gtin", gtin[:20])
        if type(quantity) is int and quantity > 0:
            units[product.id] = quantity = units.get(product.id, 0) + quantity
        check_quantity(quantity, f"lines.{index}.quantity")
    return [Wanted(product_id, quantity) for product_id, quantity in units.items()]


def take(session: Session, order: Order, lines: Sequence[Wanted]) -> None:
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
                id=uuid7(), position=position + index, product_id=product.id, gtin=product.gtin,
                picture=product.picture,
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


def give_up(line: OrderLine, units: int) -> list[Part]:
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


def parts_of(order: Order) -> list[Part]:
    """What the order holds of each lot, one part a lot."""
    units: dict[tuple[str, str], int] = {}
    for line in order.lines:
        for part in line.allocations:
            units[part.batch_id, part.lot] = units.get((part.batch_id, part.lot), 0) + part.units
    return [Part(batch_id, lot, count) for (batch_id, lot), count in units.items()]
