"""What other rooms and parts ask of single packs."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trace.units.issuing import issue, left
from trace.units.models import Unit

__all__ = ["issue", "left", "unit"]


def unit(session: Session, gtin: str, serial: str) -> Unit | None:
    """The pack that a label names, with its lot; None for a number that was never issued."""
    query = select(Unit).where(Unit.gtin == gtin, Unit.serial == serial).options(joinedload(Unit.batch))
    return session.scalar(query)
