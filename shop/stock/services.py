"""Reserving, releasing and selling packs. Every function works inside its caller's transaction.

Each change is one conditional UPDATE whose row count is checked, so that two sellers, two processes or two channels
cannot promise the same pack; the CHECK on the table is there should anybody forget. Lots are always visited in one
order (product, then first expiry first, then id), and a lot once passed is not visited again: no two transactions
can wait for each other, as long as each reserves for its products in the order of their ids (`lock` for those that
cannot).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from shop.stock.errors import Left, OutOfStock
from shop.stock.models import StockLot
from trace.lots.services import listed
from village import clock
from village.db import core
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.products.models import Product

FREE = StockLot.packed - StockLot.reserved - StockLot.sold - StockLot.lost
HAS_LEFT: ColumnElement[bool] = (
    StockLot.packed - StockLot.reserved - StockLot.sold - StockLot.lost > literal_column("0")
)
"""True for lots with packs that can still be promised. The 0 is no parameter, so that a partial index is found."""
FIRST_OUT = (StockLot.product_id, StockLot.best_before.is_(None), StockLot.best_before, StockLot.batch_id)


class Part(NamedTuple):
    """So many packs of one lot."""

    batch_id: str
    lot: str
    units: int


def sellable(today: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
    """Lots that may be promised today: not on hold, not past their best-before day. Statements that are built once
    for many days name the parameter that says which it is."""
    return and_(
        StockLot.on_hold.is_(False),
        or_(StockLot.best_before.is_(None), StockLot.best_before >= (clock.today() if today is None else today)),
    )


_AVAILABLE = (
    select(StockLot.product_id, func.sum(FREE))
    .where(StockLot.product_id.in_(bindparam("ids", expanding=True)), sellable(bindparam("today")), HAS_LEFT)
    .group_by(StockLot.product_id)
)
_FIRST_OUT = (
    select(StockLot.batch_id, StockLot.lot, FREE)
    .where(StockLot.product_id == bindparam("product"), sellable(bindparam("today")), HAS_LEFT)
    .order_by(*FIRST_OUT)
)
_RESERVE = (
    update(StockLot)
    .where(StockLot.batch_id == bindparam("lot_id"), sellable(bindparam("today")), bindparam("units") <= FREE)
    .values(reserved=StockLot.reserved + bindparam("units"))
)
_RELEASE = (
    update(StockLot)
    .where(StockLot.batch_id == bindparam("lot_id"), StockLot.reserved >= bindparam("units"))
    .values(reserved=StockLot.reserved - bindparam("units"))
)


def available(session: Session, product_ids: Iterable[str]) -> dict[str, int]:
    """Packs of each product that can be promised now; 0 for one that has none."""
    ids = list(product_ids)
    found = session.execute(_AVAILABLE, {"ids": ids, "today": clock.today()})
    return {**dict.fromkeys(ids, 0), **{product_id: int(units) for product_id, units in found}}


def lock(session: Session, product_ids: Iterable[str]) -> None:
    """Hold all lots of these products to the transaction's end, in the one order (PostgreSQL; SQLite needs none).

    For a transaction that reserves for several orders, and so cannot keep to the order of products by itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        wanted = select(StockLot.batch_id).where(StockLot.product_id.in_(list(product_ids)))
        session.execute(wanted.order_by(*FIRST_OUT).with_for_update())


def lock_lots(session: Session, batch_ids: Collection[str]) -> None:
    """Hold these lots to the transaction's end, in the one order (PostgreSQL; SQLite needs none)."""
    if session.get_bind().dialect.name == "postgresql":
        wanted = select(StockLot.batch_id).where(StockLot.batch_id.in_(listed(session, batch_ids)))
        session.execute(wanted.order_by(*FIRST_OUT).with_for_update())


def reserve(session: Session, product_id: str, units: int) -> list[Part]:
    """Promise `units` packs, first expiry first; all of them, or OutOfStock and none."""
    if units < 1:
        raise ValueError("a reservation is of one pack or more")
    lots = session.execute(_FIRST_OUT, {"product": product_id, "today": clock.today()}).all()
    parts: list[Part] = []
    missing = units
    for batch_id, lot, free in lots:
        taken = _reserve_from(session, batch_id, min(free, missing))
        if taken:
            parts.append(Part(batch_id, lot, taken))
            missing -= taken
        if not missing:
            return parts
    release(session, parts)
    raise out_of_stock(session, [product_id])


def promise(session: Session, parts: Iterable[Part]) -> None:
    """Promise just these packs, one part a lot, of lots that the caller holds and has counted. One statement."""
    rows = [{"lot_id": part.batch_id, "units": part.units, "today": clock.today()} for part in parts]
    if rows and core(session).execute(_RESERVE, rows).rowcount != len(rows):
        raise RuntimeError("packs were to be promised that are not there, though their lots were held")


def give_back(session: Session, parts: Iterable[Part]) -> None:
    """The same for promised packs that go back to the shelf. One statement."""
    rows = [{"lot_id": part.batch_id, "units": part.units} for part in parts]
    if rows and core(session).execute(_RELEASE, rows).rowcount != len(rows):
        raise RuntimeError("packs were to be released that are not reserved, though their lots were held")


def _reserve_from(session: Session, batch_id: str, wanted: int) -> int:
    """Take up to `wanted` packs of one lot; another may have been quicker, then of what that one left."""
    while wanted > 0:
        values = {"lot_id": batch_id, "units": wanted, "today": clock.today()}
        if core(session).execute(_RESERVE, values).rowcount:
            return wanted
        left = session.scalar(select(FREE).where(StockLot.batch_id == batch_id, sellable()))
        wanted = min(wanted, left or 0)
    return 0


def release(session: Session, parts: Iterable[Part]) -> None:
    """Give promised packs back to the shelf."""
    for part in in_order(session, parts):
        if not _change(
            session, part.batch_id, StockLot.reserved >= part.units, reserved=StockLot.reserved - part.units
        ):
            raise RuntimeError(f"lot {part.lot}: {part.units} packs were to be released, but fewer are reserved")


def mark_sold(session: Session, parts: Iterable[Part]) -> None:
    """Promised packs leave. Conflict when a lot was held or recalled in the meantime."""
    for part in in_order(session, parts):
        moved = _change(
            session,
            part.batch_id,
            StockLot.on_hold.is_(False),
            StockLot.reserved >= part.units,
            reserved=StockLot.reserved - part.units,
            sold=StockLot.sold + part.units,
        )
        if not moved:
            raise lot_on_hold(part.lot)


def take_back(session: Session, parts: Iterable[Part]) -> None:
    """Sold packs came back and stand on the shelf again."""
    for part in in_order(session, parts):
        if not _change(session, part.batch_id, StockLot.sold >= part.units, sold=StockLot.sold - part.units):
            raise _not_sold(part)


def write_off(session: Session, parts: Iterable[Part]) -> None:
    """Sold packs are lost: on the way, or they came back spoilt."""
    for part in in_order(session, parts):
        values = {"sold": StockLot.sold - part.units, "lost": StockLot.lost + part.units}
        if not _change(session, part.batch_id, StockLot.sold >= part.units, **values):
            raise _not_sold(part)


def _not_sold(part: Part) -> RuntimeError:
    return RuntimeError(f"lot {part.lot}: {part.units} packs were to come back, but fewer are sold")


def lots_stopped(session: Session, parts: Iterable[Part]) -> set[str]:
    """Ids of those lots that may not be sent today: held, recalled or past their day."""
    ids = {part.batch_id for part in parts}
    return set(session.scalars(select(StockLot.batch_id).where(StockLot.batch_id.in_(ids), ~sellable())))


def in_order(session: Session, parts: Iterable[Part]) -> list[Part]:
    """One part a lot, in the order in which lots are visited."""
    by_lot: dict[str, Part] = {}
    for part in parts:
        before = by_lot.get(part.batch_id)
        by_lot[part.batch_id] = part._replace(units=part.units + before.units) if before else part
    if len(by_lot) < 2:
        return list(by_lot.values())
    ordered = session.scalars(select(StockLot.batch_id).where(StockLot.batch_id.in_(by_lot)).order_by(*FIRST_OUT))
    return [by_lot[batch_id] for batch_id in ordered]


def products_of(session: Session, batch_ids: Iterable[str]) -> dict[str, str]:
    """Which product each of these lots is of."""
    query = select(StockLot.batch_id, StockLot.product_id).where(StockLot.batch_id.in_(list(batch_ids)))
    return {batch_id: product_id for batch_id, product_id in session.execute(query)}


def out_of_stock(
    session: Session, product_ids: Sequence[str], left: Mapping[str, int] | None = None
) -> OutOfStock:
    """The error that says what is left of these products: `left`, where the caller has counted it already."""
    left = available(session, product_ids) if left is None else left
    gtins = session.execute(select(Product.id, Product.gtin).where(Product.id.in_(product_ids)))
    return OutOfStock([Left(gtin, left[product_id]) for product_id, gtin in gtins])


def lot_on_hold(lot: str) -> Conflict:
    """For a lot that may not be sent."""
    message = _l("Lô %(lot)s đang bị giữ lại hoặc đã quá hạn, không gửi đi được. Bác đổi sang lô khác nhé.")
    return Conflict("lot-on-hold", message, lot=lot)


def _change(session: Session, batch_id: str, *conditions: ColumnElement[bool], **values: ColumnElement[int]) -> bool:
    """One conditional UPDATE of one lot; False when its conditions do not hold (any more)."""
    result = session.execute(
        update(StockLot)
        .where(StockLot.batch_id == batch_id, *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
