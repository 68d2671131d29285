"""A recall as the JSON contract has it, told from its own rows: the same however often it is asked for."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace import signals
from trace.lots.models import Batch
from trace.recalls.models import Recall, RecallLot, RecallStep, What
from trace.recalls.reach import Reach
from village.products.models import Product


def answer(session: Session, recall_id: str, reached: Reach | None = None) -> dict[str, Any]:
    """What `POST /api/recalls` gives. With `reached`, of a recall that has just begun, nobody looks for it again."""
    recall = session.get_one(Recall, recall_id)
    elapsed = session.scalar(
        select(RecallStep.elapsed_ms).where(RecallStep.recall_id == recall_id, RecallStep.what == What.STARTED)
    )
    units = {"packed": recall.packed, "in_stock": recall.in_stock, "sold": recall.sold, "shipping": recall.shipping}
    return {
        "id": recall.id,
        "drill": recall.drill,
        "lots": _lots(session, recall_id),
        "units": units,
        "orders": _orders(reached or _reached(session, recall_id)),
        "buyers": recall.buyers,
        "buyers_notified": recall.notified,
        "elapsed_ms": elapsed or 0,
    }


def _lots(session: Session, recall_id: str) -> list[dict[str, Any]]:
    rows = session.execute(
        select(
            Batch.id, Batch.gtin, Batch.lot, Product.name_vi, RecallLot.packed, RecallLot.in_stock, Batch.made_units
        )
        .select_from(RecallLot)
        .join(Batch, Batch.id == RecallLot.batch_id)
        .join(Product, Product.id == Batch.product_id)
        .where(RecallLot.recall_id == recall_id)
    )  # fmt: skip
    # Sorted here: the database would sort rows of long texts.
    return [
        {
            "id": one, "gtin": gtin, "lot": lot, "product": name,
            "packed": packed if units is not None else None, "in_stock": in_stock if units is not None else None,
        }
        for one, gtin, lot, name, packed, in_stock, units in sorted(rows, key=lambda row: str(row[0]))
    ]  # fmt: skip


def _reached(session: Session, recall_id: str) -> Reach:
    answers = signals.recall_told.send(None, session=session, recall_id=recall_id)
    return next((found for _, found in answers), Reach())


def _by_code(parts: dict[str, tuple[str, int]]) -> Collection[tuple[str, int]]:
    return sorted(parts.values()) if len(parts) > 1 else parts.values()


def _orders(reached: Reach) -> list[dict[str, Any]]:
    return [
        {
            "number": order.number, "status": order.state, "units": order.packs,
            "lots": [{"lot": lot, "quantity": units} for lot, units in _by_code(order.parts)],
        }
        for order in sorted(reached.orders, key=lambda one: one.number)
    ]  # fmt: skip
