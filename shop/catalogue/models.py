"""What a combo holds, and products' pictures."""

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7

PICTURES_MAX = 8
"""Pictures of one product."""
WORDS_MAX = 200
"""Letters of the words beside a picture."""


class ComboPart(Base):
    """So many packs of one product in each combo. A combo's GTIN stands for just these packs, so rows never change.

    A combo is a Product that has rows here; what it is made of are plain products, never combos again.
    """

    __tablename__ = "combo_part"
    __table_args__ = (
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("part_id <> product_id", name="other"),
    )

    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"), primary_key=True)
    part_id: Mapped[Id] = mapped_column(ForeignKey("product.id"), primary_key=True, index=True)
    units: Mapped[int]


class ProductPicture(Base):
    """A photo of a product; the file lies in the instance's `pictures` folder under its hash."""

    __tablename__ = "product_picture"
    __table_args__ = (CheckConstraint("width > 0 AND height > 0", name="size"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    """Of the cleaned file."""
    mime: Mapped[str] = mapped_column(String(10))
    width: Mapped[int]
    height: Mapped[int]
    position: Mapped[int]
    """The least is shown first, and alone where there is room for one."""
    words_vi: Mapped[str] = mapped_column(String(WORDS_MAX), default="")
    words_en: Mapped[str] = mapped_column(String(WORDS_MAX), default="")
    added_at: Mapped[Moment] = mapped_column(default=clock.now)
