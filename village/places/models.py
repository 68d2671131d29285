"""Who stands behind a batch, and where things happen."""

from typing import Literal

from sqlalchemy import CheckConstraint, Enum, Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village.db import Base, Id
from village.ids import uuid7

SiteKind = Literal["field", "workshop", "store"]


class Cooperative(Base):
    """A cooperative: the seller by law, and the one that GS1 gave a company prefix."""

    __tablename__ = "cooperative"

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    gln: Mapped[str] = mapped_column(String(13), unique=True)
    address: Mapped[str] = mapped_column(String(300))
    phone: Mapped[str] = mapped_column(String(20))
    registration: Mapped[str] = mapped_column(String(60))
    """Business registration or tax number: the producer's identifier that the law asks for."""


class Hamlet(Base):
    """A bản of the commune. The office keeps the list of all 35."""

    __tablename__ = "hamlet"

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class Household(Base):
    """A producing household, member of a cooperative."""

    __tablename__ = "household"

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    hamlet_id: Mapped[Id] = mapped_column(ForeignKey("hamlet.id"), index=True)
    story: Mapped[str] = mapped_column(String(1000), default="")
    """What the household tells buyers of itself."""
    named: Mapped[bool] = mapped_column(default=False)
    """True when the household agreed, in so many words, that scan pages show its name."""

    cooperative: Mapped[Cooperative] = relationship()
    hamlet: Mapped[Hamlet] = relationship()


class Site(Base):
    """A field, workshop or store. A household's own, or (without one) the cooperative's, open to its households."""

    __tablename__ = "site"
    __table_args__ = (
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="whole_position"),
        CheckConstraint("area_m2 > 0", name="area"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[SiteKind] = mapped_column(Enum("field", "workshop", "store", name="site_kind", native_enum=False))
    gln: Mapped[str] = mapped_column(String(13), unique=True)
    hamlet_id: Mapped[Id] = mapped_column(ForeignKey("hamlet.id"), index=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    household_id: Mapped[Id | None] = mapped_column(ForeignKey("household.id"), index=True)
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    area_m2: Mapped[int | None]
    """A field's area in square metres, where it is known."""
    active: Mapped[bool] = mapped_column(default=True)

    hamlet: Mapped[Hamlet] = relationship()
    cooperative: Mapped[Cooperative] = relationship()
    household: Mapped[Household | None] = relationship()
