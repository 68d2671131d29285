"""A phone's key: who asked for it, what the office decided, and which of its signatures we have."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Enum, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village.db import Base, Id, Moment
from village.people.models import Member


class Status(StrEnum):
    """Where a key stands."""

    PENDING = "pending"
    """The phone asked; the office has not decided."""
    ENROLLED = "enrolled"
    REFUSED = "refused"
    REVOKED = "revoked"
    LOST = "lost"


class Device(Base):
    """A key that a phone made and never gives away. What is public about it stands on the log as well."""

    __tablename__ = "device"

    key: Mapped[str] = mapped_column(String(43), primary_key=True)
    """Its JWK thumbprint (RFC 7638, SHA-256, base64url)."""
    jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The public key: OKP/Ed25519 or EC/P-256, required members only."""
    proof: Mapped[str] = mapped_column(String(100))
    """The key's own signature over its enrolment."""
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"), index=True)
    label: Mapped[str] = mapped_column(String(60), default="")
    """What its owner calls the phone."""
    status: Mapped[Status] = mapped_column(
        Enum(Status, name="device_status", native_enum=False, values_callable=lambda e: [s.value for s in e])
    )
    asked_at: Mapped[Moment]
    decided_at: Mapped[Moment | None]
    decided_by: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    ended_at: Mapped[Moment | None]
    enrolled_entry: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.index"))
    ended_entry: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.index"))
    repeats: Mapped[int] = mapped_column(default=0)
    """How often a number was sent again for something else: each was refused."""
    last_repeat: Mapped[str] = mapped_column(Text, default="")

    member: Mapped[Member] = relationship(foreign_keys=[member_id])


class DeviceUse(Base):
    """One signature of a device: each of its numbers is used once."""

    __tablename__ = "device_use"
    __table_args__ = (CheckConstraint("seq > 0", name="seq"),)

    key: Mapped[str] = mapped_column(ForeignKey("device.key"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_index: Mapped[int] = mapped_column(ForeignKey("ledger_entry.index"), unique=True)
