"""Stock by lot. Nobody types these numbers: packs come from the ledger, reservations from orders."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from village.db import Base, Id

LEFT = text("packed - reserved - sold - lost > 0")


class StockLot(Base):
    """One packed batch as the shop sees it, in packs. packed = free + reserved + sold + lost, always."""

    __tablename__ = "stock_lot"
    __table_args__ = (
        CheckConstraint("packed >= 0", name="packed"),
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("sold >= 0", name="sold"),
        CheckConstraint("reserved + sold <= packed", name="never_oversold"),
        CheckConstraint("lost >= 0 AND reserved + sold + lost <= packed", name="lost"),
        Index("ix_stock_lot_first_out", "product_id", "best_before", "batch_id"),
        # What is on the shelf is asked for all the time, among ever more lots that are sold out.
        Index(
            "ix_stock_lot_left", "product_id", "best_before", "batch_id", sqlite_where=LEFT, postgresql_where=LEFT
        ),
    )

    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"))
    gtin: Mapped[str] = mapped_column(String(14))
    lot: Mapped[str] = mapped_column(String(20))
    best_before: Mapped[dt.date | None]
    """The last day on which it is sold; None for what keeps for ever."""
    packed: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    """Promised to orders that have not left yet."""
    sold: Mapped[int] = mapped_column(default=0)
    """Gone to buyers: with an order, or dispatched without one as the ledger tells. What came back is not counted."""
    lost: Mapped[int] = mapped_column(default=0)
    """Gone without a buyer: the ledger tells of a loss, or a parcel was lost or came back spoilt."""
    on_hold: Mapped[bool] = mapped_column(default=False)
    """True while the lot is held or recalled: nothing of it is promised or sent."""

    @property
    def free(self) -> int:
        """Packs that are neither promised nor gone."""
        return self.packed - self.reserved - self.sold - self.lost
