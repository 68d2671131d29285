"""A pack with a number of its own, how often its label was scanned, and the signs of copying found in that."""

import datetime as dt
from typing import Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trace.lots.models import Batch
from village.db import Base, Id, Moment
from village.people.models import Member

SERIAL_LENGTH = 12
"""Characters of a serial number: 25^12 of them, 55.7 bits, so that a guess hits one of a million packs once in 6e10."""
Verdict = Literal["open", "fine", "copied"]


class Unit(Base):
    """One pack of a lot, from the moment that its label was made."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("gtin", "serial"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), index=True)
    gtin: Mapped[str] = mapped_column(String(14))
    serial: Mapped[str] = mapped_column(String(20))
    """GS1 AI 21, unique with the GTIN."""
    run_id: Mapped[Id] = mapped_column(ForeignKey("label_run.id"), index=True)
    """The printing of labels for which it was issued."""
    issued_at: Mapped[Moment]
    voided_at: Mapped[Moment | None]
    """When its label was spoilt or called in; the pack may then get another."""
    sold_at: Mapped[Moment | None]
    """When it was put into a buyer's parcel, where the seller says so."""
    first_scan_at: Mapped[Moment | None]
    """The first scan by a reader, to the second in which it was written down."""
    scans: Mapped[int] = mapped_column(default=0)
    """How many scans in all."""
    again: Mapped[bool] = mapped_column(default=False)
    """True once it was scanned again after weeks of silence (`trace.units.rules.again`)."""
    alarm: Mapped[str] = mapped_column(String(40), default="")
    """The strongest rule (its slug) whose sign the office has not found to be harmless; empty for none."""

    batch: Mapped[Batch] = relationship()


class UnitScan(Base):
    """What one pack's label went through on one day in one province. Nobody is in it: see docs/units.md."""

    __tablename__ = "unit_scan"
    __table_args__ = (CheckConstraint("scans >= 0", name="scans"),)

    unit_id: Mapped[Id] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    """By the village's calendar."""
    place: Mapped[str] = mapped_column(String(2), primary_key=True)
    """A province's number; empty where nobody said."""
    scans: Mapped[int]
    hands: Mapped[int] = mapped_column(BigInteger)
    """A mark (bit) for each hand, by `trace.units.hands`: how many hands there were can be told, not which."""
    networks: Mapped[int] = mapped_column(BigInteger)
    """A mark for each network that they came from, likewise."""


class LotScan(Base):
    """A lot's day, where no single pack can be named or none should be."""

    __tablename__ = "lot_scan"

    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    unknown: Mapped[int] = mapped_column(default=0)
    """Scans with a serial number that was never issued in this lot."""
    recalled: Mapped[int] = mapped_column(default=0)
    """Scans of packs while the lot was recalled."""
    expired: Mapped[int] = mapped_column(default=0)
    """Scans of packs past their date."""


class Sign(Base):
    """A rule that was found to hold for a pack, or for a lot as a whole, and what the office said of it."""

    __tablename__ = "unit_sign"
    __table_args__ = (
        UniqueConstraint("batch_id", "subject", "rule"),
        Index("ix_unit_sign_open", "batch_id", sqlite_where=text("verdict = 'open'"),
              postgresql_where=text("verdict = 'open'")),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), index=True)
    subject: Mapped[str] = mapped_column(String(36))
    """The unit's id; empty for the whole lot."""
    unit_id: Mapped[Id | None] = mapped_column(ForeignKey("unit.id"), index=True)
    rule: Mapped[str] = mapped_column(String(40))
    count: Mapped[int]
    """What the rule counted, at its most."""
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]
    verdict: Mapped[Verdict] = mapped_column(
        Enum("open", "fine", "copied", name="sign_verdict", native_enum=False), default="open"
    )
    looked_at: Mapped[Moment | None]
    looked_by: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    note: Mapped[str] = mapped_column(String(500), default="")

    batch: Mapped[Batch] = relationship()
    unit: Mapped[Unit | None] = relationship()
    member: Mapped[Member | None] = relationship()


class ScanSalt(Base):
    """What makes a day's marks secret, together with the village's own secret. Goes when the day is over."""

    __tablename__ = "scan_salt"

    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
