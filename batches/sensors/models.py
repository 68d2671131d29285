"""Sensors, the keys they send with, and what they sent."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member
from village.places.models import Site


class Sensor(Base):
    """One sensor at one place. Values are in thousandths of its unit, times of readings in Unix milliseconds.

    `number` is its short name beside each reading, `id` the public one, which the ledger names.
    """

    __tablename__ = "sensor"
    __table_args__ = (
        UniqueConstraint("site_id", "name"),
        CheckConstraint("low < high", name="bounds"),
        CheckConstraint("(usual_low IS NULL) = (usual_high IS NULL)", name="usual"),
        CheckConstraint("silent_minutes > 0", name="silent"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[Id] = mapped_column(unique=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(60))
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    site_id: Mapped[Id] = mapped_column(ForeignKey("site.id"), index=True)
    type: Mapped[str] = mapped_column(String(40))
    unit: Mapped[str] = mapped_column(String(3))
    low: Mapped[int]
    high: Mapped[int]
    """Plausible bounds: outside of them the sensor is broken."""
    usual_low: Mapped[int | None]
    usual_high: Mapped[int | None]
    silent_minutes: Mapped[int] = mapped_column(default=15)
    """So long without a reading, while a batch is there, and the office hears of it."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment] = mapped_column(default=clock.now)
    heard_at: Mapped[Moment | None]
    """When it last sent anything, by our clock."""
    last_at: Mapped[int | None] = mapped_column(BigInteger)
    """The moment of its newest reading, by its own clock."""
    last_value: Mapped[int | None]
    same_since: Mapped[int | None] = mapped_column(BigInteger)
    """Since when its value has not moved."""
    conflicts: Mapped[int] = mapped_column(default=0)
    """How often it told another value for a moment that was known already; the first one stays."""

    site: Mapped[Site] = relationship()


class SensorKey(Base):
    """A secret that sends readings: of one sensor, or as a gateway of all at one site. Stored as its digest."""

    __tablename__ = "sensor_key"
    __table_args__ = (CheckConstraint("(sensor_number IS NULL) <> (site_id IS NULL)", name="whose"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    tail: Mapped[str] = mapped_column(String(4))
    """Its last four characters, by which the office knows it again."""
    label: Mapped[str] = mapped_column(String(60), default="")
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    sensor_number: Mapped[int | None] = mapped_column(ForeignKey("sensor.number"), index=True)
    site_id: Mapped[Id | None] = mapped_column(ForeignKey("site.id"), index=True)
    made_at: Mapped[Moment] = mapped_column(default=clock.now)
    made_by: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]

    site: Mapped[Site | None] = relationship()
    maker: Mapped[Member] = relationship()


class SensorReading(Base):
    """One reading as it came. There are fifty million a year: three integers, in the order of their key, and no
    foreign key, which would be looked up for each of them; rows come from one service alone."""

    __tablename__ = "sensor_reading"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy's own way to say it

    sensor_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    value: Mapped[int]


class SensorQuarter(Base):
    """A quarter of an hour of one sensor, made of readings that were too old to be kept one by one."""

    __tablename__ = "sensor_quarter"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy's own way to say it

    sensor_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """When it begins, in Unix seconds."""
    low: Mapped[int]
    total: Mapped[int] = mapped_column(BigInteger)
    high: Mapped[int]
    count: Mapped[int]
    left_out: Mapped[int]
    """Readings outside of the plausible bounds, which are in none of the other figures."""


class SensorBinding(Base):
    """Which event tells what sensors measured while a batch was made: one for each batch, while its event stands."""

    __tablename__ = "sensor_binding"
    __table_args__ = (Index("ix_sensor_binding_batch", "batch_id"),)

    event_id: Mapped[Id] = mapped_column(ForeignKey("event.id"), primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"))
    made_by_event: Mapped[Id] = mapped_column(ForeignKey("event.id"))
    """The stage in which the batch was made, and over which was measured."""
