"""Whose orders are."""

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, aliased

from shop.orders.models import Order, OrderLine
from village.products.models import Product


def sold_by_cooperative(cooperative_id: str) -> ColumnElement[bool]:
    """True for orders in which this cooperative sells something.

    Old orders of several sellers are found by their lines: looked up once for a statement, by an index of such orders
    alone, and not asked of each order.
    """
    old, line, product = aliased(Order), aliased(OrderLine), aliased(Product)
    several = (
        select(old.id)
        .join(line, line.order_id == old.id)
        .join(product, product.id == line.product_id)
        .where(old.cooperative_id.is_(None), product.cooperative_id == cooperative_id)
    )
    return or_(Order.cooperative_id == cooperative_id, Order.id.in_(several.correlate(None)))


def sellers_of(session: Session, order: Order) -> list[str]:
    """The cooperatives whose products the order has: one, but for old orders."""
    if order.cooperative_id is not None:
        return [order.cooperative_id]
    ids = {line.product_id for line in order.lines}
    return list(session.scalars(select(Product.cooperative_id).where(Product.id.in_(ids)).distinct()))
