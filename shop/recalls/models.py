"""Which orders a recall reached."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.orders.models import Order
from village.db import Base, Id


class Reached(StrEnum):
    """Where packs of an order were when the recall began."""

    STOPPED = "stopped"
    """Promised, and not sent."""
    SHIPPING = "shipping"
    """On the way: sent, and not told to have arrived."""
    DELIVERED = "delivered"


class RecallOrder(Base):
    """So many packs of a recalled lot in an order when the recall began. What it holds now is the order's matter."""

    __tablename__ = "recall_order"
    __table_args__ = (CheckConstraint("units > 0", name="units"),)

    recall_id: Mapped[Id] = mapped_column(ForeignKey("recall.id"), primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id"), primary_key=True, index=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("stock_lot.batch_id"), primary_key=True)
    lot: Mapped[str] = mapped_column(String(20))
    units: Mapped[int]
    state: Mapped[Reached] = mapped_column(
        Enum(
            Reached, name="recall_reached", native_enum=False, length=10,
            values_callable=lambda e: [s.value for s in e],
        )
    )  # fmt: skip
    message_id: Mapped[Id | None] = mapped_column(ForeignKey("message.id"))
    """What its buyer was told; None in a drill, and for a buyer whose number nobody has."""

    order: Mapped[Order] = relationship()
