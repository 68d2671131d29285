"""A laboratory's report, as the office copied it from the paper."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trace.events.models import Event
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.places.models import Site
from village.products.models import Product


class LabReport(Base):
    """A report about one of three: lots (then `event` says which, and the ledger has the paper's hash), a product, or
    a place. `sha256` names the paper's file."""

    __tablename__ = "lab_report"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN event_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN product_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN site_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_subject",
        ),
        CheckConstraint("expires_on IS NULL OR expires_on >= issued_on", name="ends_after_it_begins"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    event_id: Mapped[Id | None] = mapped_column(ForeignKey("event.id"), unique=True)
    product_id: Mapped[Id | None] = mapped_column(ForeignKey("product.id"), index=True)
    site_id: Mapped[Id | None] = mapped_column(ForeignKey("site.id"), index=True)
    laboratory: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(String(60))
    issued_on: Mapped[dt.date]
    expires_on: Mapped[dt.date | None]
    """The last day that it is good for; None where the laboratory says none."""
    passed: Mapped[bool]
    parameters: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """`{"name", "value", "unit", "limit", "passed"}` each: texts as on the paper, `passed` true, false or null."""
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    mime: Mapped[str] = mapped_column(String(20))
    public: Mapped[bool]
    """Whether everybody may read the paper itself, which may carry names and signatures."""
    recorded_at: Mapped[Moment] = mapped_column(default=clock.now)

    event: Mapped[Event | None] = relationship()
    product: Mapped[Product | None] = relationship()
    site: Mapped[Site | None] = relationship()

    @property
    def stands(self) -> bool:
        """False once its event was declared wrong."""
        return self.event is None or self.event.stands

    def valid_on(self, day: dt.date) -> bool:
        """True from the day of issue to the last day, both included."""
        return self.issued_on <= day and (self.expires_on is None or day <= self.expires_on)
