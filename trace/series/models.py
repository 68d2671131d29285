"""The reduced series of an event's readings: kept for good, since its hash stands on the ledger."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from village.db import Base, Bytes, Id


class EventSeries(Base):
    """The canonical bytes of one series. `position` is the reading's place in its event."""

    __tablename__ = "event_series"

    event_id: Mapped[Id] = mapped_column(ForeignKey("event.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[bytes] = mapped_column(Bytes)
