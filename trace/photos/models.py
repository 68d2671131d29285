"""A photo as the village keeps it, and which events name it."""

from typing import Literal

from sqlalchemy import CheckConstraint, Enum, Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Id, Moment

State = Literal["kept", "erased"]


class Photo(Base):
    """One picture, known by the SHA-256 of its file. The row of an erased one stays, so that it does not come back."""

    __tablename__ = "photo"
    __table_args__ = (
        CheckConstraint("(lat IS NULL) = (lon IS NULL)", name="place"),
        CheckConstraint("(state = 'erased') = (erased_at IS NOT NULL)", name="erased"),
    )

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    mime: Mapped[str] = mapped_column(String(20))
    taken_at: Mapped[Moment | None]
    """When the camera says it was taken; here and in `lat`, `lon` only what its sender agreed to tell."""
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"), index=True)
    """Who sent it first."""
    uploaded_at: Mapped[Moment] = mapped_column(default=clock.now)
    state: Mapped[State] = mapped_column(Enum("kept", "erased", name="photo_state", native_enum=False), default="kept")
    erased_at: Mapped[Moment | None]


class PhotoUse(Base):
    """An event names a photo, which may not have arrived yet."""

    __tablename__ = "photo_use"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[Id] = mapped_column(ForeignKey("event.id"), primary_key=True, index=True)
