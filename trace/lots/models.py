"""A batch: so much of one product, made at one time by one household, known by GTIN and lot.

The rows here are a projection of the ledger that services keep in the same transaction as the entry.
"""

import datetime as dt
from typing import Literal

from sqlalchemy import JSON, BigInteger, CheckConstraint, Enum, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village.db import Base, Id, Moment
from village.places.models import Household, Site
from village.products.models import Product

Hold = Literal["none", "held", "recalled"]
UnitStatus = Literal["closed", "opened", "shipped", "lost"]


class Batch(Base):
    """What was made, and how much of it is left. Weights in grams, packs in units."""

    __tablename__ = "batch"
    __table_args__ = (
        UniqueConstraint("gtin", "lot"),
        CheckConstraint("left_grams BETWEEN 0 AND made_grams", name="grams_left"),
        CheckConstraint("left_units BETWEEN 0 AND made_units", name="units_left"),
        CheckConstraint("(made_units IS NULL) = (left_units IS NULL)", name="units"),
        Index("ix_batch_household_open", "household_id", "left_grams"),
        Index("ix_batch_held", "id", sqlite_where=text("hold = 'held'"), postgresql_where=text("hold = 'held'")),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    epc: Mapped[str] = mapped_column(String(200), unique=True)
    """Its canonical GS1 Digital Link, by which ledger entries name it."""
    gtin: Mapped[str] = mapped_column(String(14))
    lot: Mapped[str] = mapped_column(String(20))
    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"), index=True)
    household_id: Mapped[Id] = mapped_column(ForeignKey("household.id"), index=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    site_id: Mapped[Id] = mapped_column(ForeignKey("site.id"))
    process: Mapped[str] = mapped_column(String(40))
    process_version: Mapped[int]
    material: Mapped[str] = mapped_column(String(40))
    made_grams: Mapped[int]
    left_grams: Mapped[int]
    made_units: Mapped[int | None]
    left_units: Mapped[int | None]
    origins: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    """Grams of each ancestor material behind it (tubers, starch), shared out by weight, where known."""
    moisture: Mapped[int | None]
    """Last measured moisture in basis points (13.2 % is 1320)."""
    made_at: Mapped[Moment]
    best_before: Mapped[dt.date | None]
    hold: Mapped[Hold] = mapped_column(Enum("none", "held", "recalled", name="hold", native_enum=False), default="none")
    hold_reason: Mapped[str] = mapped_column(String(300), default="")
    outside: Mapped[str | None] = mapped_column(String(80))
    """Where it was bought, as the buyer is told it; None for what the village made itself."""
    void: Mapped[bool] = mapped_column(default=False)
    """True when a correction said that it was never made."""

    product: Mapped[Product] = relationship()
    household: Mapped[Household] = relationship()
    site: Mapped[Site] = relationship()


class Edge(Base):
    """One step of ancestry: some of `parent` went into `child` in `event`. Goes when a correction undoes the event."""

    __tablename__ = "batch_edge"
    __table_args__ = (Index("ix_batch_edge_parent_id", "parent_id", "child_id"),)

    child_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    parent_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    event_id: Mapped[Id] = mapped_column(ForeignKey("event.id"), primary_key=True, index=True)
    grams: Mapped[int]
    """Grams of the parent in this child, shared out over the event's outputs by weight."""


class LogisticUnit(Base):
    """A case of packs under a number of its own (GS1's SSCC). What lies in it is in its parts, for good."""

    __tablename__ = "logistic_unit"
    __table_args__ = (Index("ix_logistic_unit_cooperative_made", "cooperative_id", "made_at"),)

    sscc: Mapped[str] = mapped_column(String(18), primary_key=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    household_id: Mapped[Id] = mapped_column(ForeignKey("household.id"))
    status: Mapped[UnitStatus] = mapped_column(
        Enum("closed", "opened", "shipped", "lost", name="unit_status", native_enum=False), default="closed"
    )
    packed_event: Mapped[Id] = mapped_column(ForeignKey("event.id"))
    opened_event: Mapped[Id | None] = mapped_column(ForeignKey("event.id"))
    """What ended it: it was opened, shipped or lost; the packing itself where that turned out never to have been."""
    made_at: Mapped[Moment]

    parts: Mapped[list["LogisticUnitPart"]] = relationship(
        order_by="LogisticUnitPart.batch_id", cascade="all, delete-orphan"
    )
    household: Mapped[Household] = relationship()


class LogisticUnitPart(Base):
    """So many packs of a batch in a case."""

    __tablename__ = "logistic_unit_part"
    __table_args__ = (CheckConstraint("units > 0", name="units"),)

    sscc: Mapped[str] = mapped_column(ForeignKey("logistic_unit.sscc"), primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), primary_key=True, index=True)
    units: Mapped[int]

    batch: Mapped[Batch] = relationship()


class SsccCounter(Base):
    """How many SSCCs were given under one GS1 company prefix. A number is never given twice, used or not."""

    __tablename__ = "sscc_counter"

    prefix: Mapped[str] = mapped_column(String(12), primary_key=True)
    given: Mapped[int] = mapped_column(BigInteger)
