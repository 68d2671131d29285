"""How stock follows the ledger: listeners on trace's notices, each inside the transaction that writes the entry."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from shop.stock.models import StockLot
from shop.stock.services import FREE, lock_lots
from trace import signals
from trace.lots.models import Batch
from trace.lots.services import listed
from village.db import insert_later
from village.errors import Conflict
from village.i18n import lazy_gettext as _l


def listen() -> None:
    """Follow the ledger from now on."""
    signals.batch_made.connect(batch_made)
    signals.units_left.connect(units_left)
    signals.batch_changed.connect(batch_changed)
    signals.holds_changed.connect(holds_changed)


def batch_made(_sender: object, *, session: Session, batch: Batch, **_rest: object) -> None:
    """Packs go on the shelf. What is weighed and not packed never does."""
    if batch.made_units is None:
        return
    row = {
        "batch_id": batch.id,
        "product_id": batch.product_id,
        "gtin": batch.gtin,
        "lot": batch.lot,
        "best_before": batch.best_before,
        "packed": batch.made_units,
        "reserved": 0,
        "sold": 0,
        "lost": 0,
        "on_hold": batch.hold != "none",
    }
    insert_later(session, StockLot.__table__, [row])


def units_left(
    _sender: object, *, session: Session, batch: Batch, units: int, lost: bool = False, **_rest: object
) -> None:
    """Packs left the house without an order (negative: came back), for a buyer or as a loss. Refused when orders were
    promised them."""
    column = StockLot.lost if lost else StockLot.sold
    moved = session.execute(
        update(StockLot)
        .where(StockLot.batch_id == batch.id, units <= FREE, column + units >= 0)
        .values({column: column + units})
        .execution_options(synchronize_session=False)
    )
    assert isinstance(moved, CursorResult)
    if moved.rowcount == 0 and session.get(StockLot, batch.id) is not None:
        raise Conflict(
            "promised-to-orders",
            _l("Lô %(lot)s không còn đủ gói để lấy ra: số còn lại đã có người đặt."),
            lot=batch.lot,
            units=units,
        )


def batch_changed(_sender: object, *, session: Session, batch: Batch, **_rest: object) -> None:
    """A correction said that more or fewer packs were made. Refused below what is promised or gone."""
    packed = 0 if batch.void or batch.made_units is None else batch.made_units
    moved = session.execute(
        update(StockLot)
        .where(StockLot.batch_id == batch.id, StockLot.reserved + StockLot.sold + StockLot.lost <= packed)
        .values(packed=packed, best_before=batch.best_before, gtin=batch.gtin, lot=batch.lot)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(moved, CursorResult)
    if moved.rowcount:
        return
    row = session.get(StockLot, batch.id, populate_existing=True)
    if row is not None:
        raise Conflict(
            "promised-to-orders",
            _l("Lô %(lot)s đã có %(taken)s gói bán hoặc có người đặt, không sửa xuống %(packed)s gói được."),
            lot=batch.lot,
            taken=row.reserved + row.sold + row.lost,
            packed=packed,
        )
    if packed:
        batch_made(_sender, session=session, batch=batch)


def holds_changed(_sender: object, *, session: Session, batches: Sequence[Batch], **_rest: object) -> None:
    """Held and recalled lots are neither promised nor sent from this moment on. A recall brings thousands at once."""
    lock_lots(session, [batch.id for batch in batches])
    for on_hold in (True, False):
        ids = [batch.id for batch in batches if (batch.hold != "none") is on_hold]
        if ids:
            session.execute(
                update(StockLot)
                .where(StockLot.batch_id.in_(listed(session, ids)))
                .values(on_hold=on_hold)
                .execution_options(synchronize_session=False)
            )
