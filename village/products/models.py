"""Products: what a batch is a batch of. Tubers and starch have a GTIN as well as the packs that are sold."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from village import clock
from village.db import Base, Id, Moment
from village.i18n import in_language
from village.ids import uuid7
from village.people.models import Member
from village.places.models import Cooperative

COMBO = "combo"
"""Process and material of what is sold as one and packed as several: no process file has that name, so that nothing
can be recorded as made into one."""


class Product(Base):
    """A trade item. It is sold when it has a net weight and a price; without, it is an inner stage's material."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("net_grams > 0", name="net_grams"),
        CheckConstraint("price > 0", name="price"),
        CheckConstraint("price IS NULL OR net_grams IS NOT NULL", name="sold_in_packs"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    gtin: Mapped[str] = mapped_column(String(14), unique=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name_vi: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    brand: Mapped[str] = mapped_column(String(80), default="", server_default="")
    """The brand (nhãn hiệu) under which it is sold, in whatever language it is written; empty where it has none."""
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)
    process: Mapped[str] = mapped_column(String(40))
    """Key of the process file that it comes from."""
    material: Mapped[str] = mapped_column(String(40))
    """Key of the process's material that it is."""
    net_grams: Mapped[int | None]
    """Net weight of one pack; None for what is weighed and not packed."""
    price: Mapped[int | None]
    """Đồng for one pack; None while it is not sold."""
    shelf_days: Mapped[int | None]
    """Days from the pack's production to its best-before date."""
    ingredients_vi: Mapped[str] = mapped_column(Text, default="")
    ingredients_en: Mapped[str] = mapped_column(Text, default="")
    usage_vi: Mapped[str] = mapped_column(Text, default="")
    usage_en: Mapped[str] = mapped_column(Text, default="")
    storage_vi: Mapped[str] = mapped_column(Text, default="")
    storage_en: Mapped[str] = mapped_column(Text, default="")
    warning_vi: Mapped[str] = mapped_column(Text, default="")
    warning_en: Mapped[str] = mapped_column(Text, default="")
    story_vi: Mapped[str] = mapped_column(Text, default="")
    story_en: Mapped[str] = mapped_column(Text, default="")
    picture: Mapped[str] = mapped_column(String(40), default="pack")
    """Name of a drawing in static/pictures, without its ending."""
    active: Mapped[bool] = mapped_column(default=True)

    cooperative: Mapped[Cooperative] = relationship()

    @property
    def packed(self) -> bool:
        """True for what batches are packed as, and counted in packs."""
        return self.net_grams is not None and not self.combo

    @property
    def combo(self) -> bool:
        """True for several products that are sold as one: it has no batches of its own."""
        return self.process == COMBO

    @property
    def name(self) -> str:
        """In the reader's language."""
        return in_language(self.name_vi, self.name_en)


class ProductPrice(Base):
    """What a product cost from a moment on. Rows are only added; the last one says what Product.price says."""

    __tablename__ = "product_price"
    __table_args__ = (
        CheckConstraint("price > 0", name="price"),
        Index("ix_product_price_history", "product_id", "since"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    product_id: Mapped[Id] = mapped_column(ForeignKey("product.id"))
    price: Mapped[int | None]
    """Đồng for one pack; None from when it was not sold any more."""
    since: Mapped[Moment] = mapped_column(default=clock.now)
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """Who set it; None for prices that are older than this list."""

    member: Mapped[Member | None] = relationship()
