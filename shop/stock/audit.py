"""Proves that stock is what the ledger's batches and the orders say, lot by lot."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from shop.orders.models import GONE, OPEN, Allocation, Order, OrderLine
from shop.stock.models import StockLot
from trace.lots.models import Batch
from village.products.models import Product


@dataclass(frozen=True)
class Audited:
    """One lot's sum, in packs, and what does not agree with it (nothing, when all is well)."""

    lot: str
    packed: int
    free: int
    reserved: int
    sold: int
    on_hold: bool
    faults: tuple[str, ...]


def audit(session: Session) -> Iterator[Audited]:
    """Every packed batch and every stock lot, in the order of lots."""
    held, gone = _by_orders(session)
    packed_batches = (
        select(Batch, StockLot)
        .join(Product, Product.id == Batch.product_id)
        .outerjoin(StockLot, StockLot.batch_id == Batch.id)
        .where(
            (StockLot.batch_id.is_not(None))
            | (Product.net_grams.is_not(None) & Batch.made_units.is_not(None))
        )
        .order_by(Batch.gtin, Batch.lot)
        .execution_options(yield_per=500)
    )
    for batch, row in session.execute(packed_batches):
        if row is None:
            yield Audited(batch.lot, batch.made_units or 0, 0, 0, 0, False, ("the batch has no stock row",))
            continue
        faults = tuple(_faults(batch, row, held.get(batch.id, 0), gone.get(batch.id, 0)))
        yield Audited(row.lot, row.packed, row.free, row.reserved, row.sold, row.on_hold, faults)


def _faults(batch: Batch, row: StockLot, held: int, gone: int) -> Iterator[str]:
    made = 0 if batch.void or batch.made_units is None else batch.made_units
    if row.packed != row.free + row.reserved + row.sold or min(row.free, row.reserved, row.sold) < 0:
        yield f"packed {row.packed} is not free {row.free} + reserved {row.reserved} + sold {row.sold}"
    if row.packed != made:
        yield f"packed {row.packed}, but the batch made {made}"
    if row.reserved != held:
        yield f"reserved {row.reserved}, but open orders hold {held}"
    if row.sold < gone:
        yield f"sold {row.sold}, but dispatched orders took {gone}"
    if not batch.void and batch.left_units is not None and row.packed - row.sold != batch.left_units:
        yield f"{row.packed - row.sold} not sold, but the batch has {batch.left_units} left"
    if (row.gtin, row.lot, row.product_id) != (batch.gtin, batch.lot, batch.product_id):
        yield f"stands as {row.gtin}/{row.lot}, but the batch is {batch.gtin}/{batch.lot}"
    if row.on_hold != (batch.hold != "none"):
        yield f"on hold {row.on_hold}, but the batch says {batch.hold}"


def _by_orders(session: Session) -> tuple[dict[str, int], dict[str, int]]:
    """Packs of each lot that open orders hold, and that sent orders took."""
    units = select(
        Allocation.batch_id,
        func.sum(case((Order.status.in_(OPEN), Allocation.units), else_=0)),
        func.sum(case((Order.status.in_(GONE), Allocation.units), else_=0)),
    )
    joined = units.join(OrderLine, OrderLine.id == Allocation.order_line_id).join(
        Order, Order.id == OrderLine.order_id
    )
    rows = session.execute(joined.group_by(Allocation.batch_id)).all()
    return {batch: int(held) for batch, held, _ in rows}, {batch: int(gone) for batch, _, gone in rows}
