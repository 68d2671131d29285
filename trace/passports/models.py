"""What passports said, version by version."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Bytes, Id, Moment


class PassportVersion(Base):
    """One version of a product's passport. A new one is made only when what the passport says has changed."""

    __tablename__ = "passport_version"

    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[Moment] = mapped_column(default=clock.now)
    """When the change was seen: as soon as anybody asks for the passport, within the hour at the latest."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of `body`."""
    body: Mapped[bytes] = mapped_column(Bytes)
    """What it says, as canonical JSON (RFC 8785); format in docs/formats.md."""
