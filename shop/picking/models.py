"""The packs in an order's parcel, by their own numbers."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trace.units.models import Unit
from village.db import Base, Id, Moment
from village.people.models import Member


class OrderUnit(Base):
    """One pack in one parcel. A pack goes into one only; the row goes when it is taken out again."""

    __tablename__ = "order_unit"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """Who put it in."""
    at: Mapped[Moment]

    unit: Mapped[Unit] = relationship()
    member: Mapped[Member | None] = relationship()
