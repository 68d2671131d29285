"""Proves that stock is what the ledger's batches, the orders and the livestreams say, lot by lot."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from shop.live.models import LiveAside
from shop.orders.models import OPEN, Allocation, Order, OrderLine
from shop.stock.models import StockLot
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch
from village.products.models import Product

PARTS = ("in_stock", "reserved", "sold", "held", "lost")
"""Where a packed pack can be."""


@dataclass(frozen=True)
class Audited:
    """One lot's sum, in packs, and what does not agree with it (nothing, when all is well).

    packed = in_stock + reserved + sold + held + lost: what is free stands in stock, or is held with its lot.
    """

    gtin: str
    lot: str
    packed: int
    in_stock: int
    reserved: int
    sold: int
    held: int
    lost: int
    faults: tuple[str, ...]

    @property
    def packs(self) -> dict[str, int]:
        """The sum by its names."""
        return {name: getattr(self, name) for name in ("packed", *PARTS)}


@dataclass(frozen=True)
class _Told:
    """What orders, livestreams and the ledger say of a lot, in packs."""

    reserved: int = 0
    sold: int = 0
    """With orders. Others left without one: those the batch itself tells of."""
    lost: int = 0


def audit(session: Session) -> Iterator[Audited]:
    """Every packed batch and every stock lot, in the order of lots."""
    told = _by_orders(session)
    aside = _kept_aside(session)
    gone = _lost_on_ledger(session)
    packed_batches = (
        select(Batch, StockLot)
        .join(Product, Product.id == Batch.product_id)
        .outerjoin(StockLot, StockLot.batch_id == Batch.id)
        .where((StockLot.batch_id.is_not(None)) | (Product.net_grams.is_not(None) & Batch.made_units.is_not(None)))
        .order_by(Batch.gtin, Batch.lot)
        .execution_options(yield_per=500)
    )
    for batch, row in session.execute(packed_batches):
        if row is None:
            yield Audited(batch.gtin, batch.lot, batch.made_units or 0, 0, 0, 0, 0, 0, ("the batch has no stock row",))
            continue
        mine = told.get(batch.id, _Told())
        mine = replace(mine, reserved=mine.reserved + aside.get(batch.id, 0))
        faults = tuple(_faults(batch, row, mine, gone.get(batch.id, 0)))
        stands, held = (0, row.free) if row.on_hold else (row.free, 0)
        yield Audited(row.gtin, row.lot, row.packed, stands, row.reserved, row.sold, held, row.lost, faults)


def _faults(batch: Batch, row: StockLot, told: _Told, gone: int) -> Iterator[str]:
    made = 0 if batch.void or batch.made_units is None else batch.made_units
    if min(row.free, row.reserved, row.sold, row.lost) < 0:
        yield f"packed {row.packed} is less than reserved {row.reserved} + sold {row.sold} + lost {row.lost}"
    if row.packed != made:
        yield f"packed {row.packed}, but the batch made {made}"
    if row.reserved != told.reserved:
        yield f"reserved {row.reserved}, but open orders and livestreams hold {told.reserved}"
    if row.sold < told.sold:
        yield f"sold {row.sold}, but dispatched orders took {told.sold}"
    if row.lost != told.lost + gone:
        yield f"lost {row.lost}, but the ledger tells of {gone} and orders of {told.lost}"
    if not batch.void and batch.left_units is not None and row.packed - row.sold - row.lost != batch.left_units:
        yield f"{row.packed - row.sold - row.lost} not sold or lost, but the batch has {batch.left_units} left"
    if (row.gtin, row.lot, row.product_id) != (batch.gtin, batch.lot, batch.product_id):
        yield f"stands as {row.gtin}/{row.lot}, but the batch is {batch.gtin}/{batch.lot}"
    if row.on_hold != (batch.hold != "none"):
        yield f"on hold {row.on_hold}, but the batch says {batch.hold}"


def _by_orders(session: Session) -> dict[str, _Told]:
    waiting = case((Order.status.in_(OPEN), Allocation.units - Allocation.sent), else_=0)
    sums = select(
        Allocation.batch_id,
        func.sum(waiting),
        func.sum(Allocation.sent - Allocation.returned),
        func.sum(Allocation.lost),
    )
    joined = sums.join(OrderLine, OrderLine.id == Allocation.order_line_id).join(Order, Order.id == OrderLine.order_id)
    rows = session.execute(joined.group_by(Allocation.batch_id)).all()
    return {batch: _Told(int(reserved), int(sold), int(lost)) for batch, reserved, sold, lost in rows}


def _kept_aside(session: Session) -> dict[str, int]:
    """Packs of each lot that are kept from the shelf for a livestream."""
    kept = select(LiveAside.batch_id, func.sum(LiveAside.units)).group_by(LiveAside.batch_id)
    return {batch: int(units) for batch, units in session.execute(kept)}


def _lost_on_ledger(session: Session) -> dict[str, int]:
    """Packs of each lot that standing events call lost."""
    rows = session.execute(
        select(EventBatch.batch_id, func.sum(EventBatch.units))
        .join(Event, Event.id == EventBatch.event_id)
        .where(Event.kind == "lose", Event.corrected_by.is_(None), EventBatch.units.is_not(None))
        .group_by(EventBatch.batch_id)
    )
    return {batch: int(units or 0) for batch, units in rows}
