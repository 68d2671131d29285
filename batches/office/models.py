"""What the office has looked at."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from village.db import Base, Id, Moment


class CorrectionSeen(Base):
    """A correction that somebody of the office has looked at."""

    __tablename__ = "correction_seen"

    event_id: Mapped[Id] = mapped_column(ForeignKey("event.id"), primary_key=True)
    """The event at fault."""
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    at: Mapped[Moment]
