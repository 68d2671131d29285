"""What a seller tells of itself beyond its name, and which orders were forgotten."""

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Id, Moment


class SellerInfo(Base):
    """A cooperative's particulars that the e-commerce law asks for and nothing else here needs."""

    __tablename__ = "seller_info"

    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), primary_key=True)
    registered_on: Mapped[dt.date | None]
    """The day of its business registration."""
    registered_by: Mapped[str] = mapped_column(String(120), default="")
    """Which office gave it."""
    representative: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who stands for it by law, as its registration names them."""
    notice_url: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """The state's page that confirms that its shop was notified; empty before that."""
    email: Mapped[str] = mapped_column(String(254), default="")
    complaints_phone: Mapped[str] = mapped_column(String(16), default="")
    """Where complaints are taken, E.164; empty: the cooperative's own number."""
    hours: Mapped[str] = mapped_column(String(120), default="")
    """When somebody answers there, in its own words."""
    updated_at: Mapped[Moment] = mapped_column(default=clock.now)
