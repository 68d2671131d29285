"""What phones could not send, and when they were last heard of."""

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from batches.devices.models import Device
from village.db import Base, Id, Moment
from village.people.models import Member


class RefusedRecord(Base):
    """A stage that a phone signed and the village did not write down. Its note is not kept.

    It is settled once an event has its id, or its producer dropped it.
    """

    __tablename__ = "refused_record"

    event_id: Mapped[Id] = mapped_column(primary_key=True)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True)
    device_key: Mapped[str] = mapped_column(ForeignKey("device.key"))
    seq: Mapped[int]
    """The phone's number, which stays unused unless the record is sent again."""
    process: Mapped[str] = mapped_column(String(40))
    stage: Mapped[str] = mapped_column(String(40))
    slug: Mapped[str] = mapped_column(String(60))
    """The problem's name, as the phone was told last."""
    detail: Mapped[str] = mapped_column(String(500))
    """The problem's words, as the phone was told last."""
    batches: Mapped[list[str]] = mapped_column(JSON)
    """The batches that it names, canonical Digital Links."""
    grams: Mapped[int | None] = mapped_column(BigInteger)
    """Grams that came out, or else that went in."""
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]
    times: Mapped[int]
    dropped_at: Mapped[Moment | None]
    why: Mapped[str] = mapped_column(String(200), default="")
    """Why its producer dropped it, in her words."""

    member: Mapped[Member] = relationship()
    device: Mapped[Device] = relationship()


class PhoneHeard(Base):
    """What a phone last told of itself."""

    __tablename__ = "phone_heard"

    key: Mapped[str] = mapped_column(ForeignKey("device.key"), primary_key=True)
    heard_at: Mapped[Moment]
    waiting: Mapped[int]
    """Records that it still kept then."""
    oldest_at: Mapped[Moment | None]
    """When the oldest of them was made."""

    device: Mapped[Device] = relationship()
