"""Taking packs out of a parcel again. Orders use this, so it knows nothing of them."""

from collections.abc import Iterable

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from shop.picking.models import OrderUnit
from trace.units.models import Unit


def free(session: Session, order_id: str, batch_ids: Iterable[str] | None = None) -> None:
    """Take an order's packs (only those of `batch_ids`, where given) out: they were not sold. In the caller's write."""
    query = select(OrderUnit.unit_id).join(Unit, Unit.id == OrderUnit.unit_id).where(OrderUnit.order_id == order_id)
    if batch_ids is not None:
        query = query.where(Unit.batch_id.in_(list(batch_ids)))
    found = session.scalars(query).all()
    if found:
        session.execute(delete(OrderUnit).where(OrderUnit.unit_id.in_(found)))
        session.execute(update(Unit).where(Unit.id.in_(found)).values(sold_at=None))
