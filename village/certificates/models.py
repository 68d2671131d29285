"""Certificates, each about a product, a household or a cooperative, each with an end."""

import datetime as dt
from typing import Literal

from sqlalchemy import CheckConstraint, Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Id
from village.ids import uuid7

CertificateKind = Literal["ocop", "food-safety", "quality", "business", "barcode", "environment", "contract"]
KINDS: tuple[CertificateKind, ...] = (
    "ocop", "food-safety", "quality", "business", "barcode", "environment", "contract",
)  # fmt: skip
SHOWN_KINDS: tuple[CertificateKind, ...] = ("ocop", "food-safety", "quality")
"""What buyers are shown. The others are for dossiers: a contract, for one, names people who agreed to no such thing."""
NO_END = dt.date(9999, 12, 31)
"""The last day of a paper that says none, such as a business registration: after every other day."""
OCOP_MONTHS = 36
"""How long OCOP stars are valid (Quyết định 148/QĐ-TTg, 2023)."""


class Certificate(Base):
    """A certificate, or another paper that a dossier asks for, as its issuer gave it. OCOP ones carry three to five
    stars."""

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("(kind = 'ocop') = (stars IS NOT NULL)", name="stars_are_ocop"),
        CheckConstraint("stars IS NULL OR stars BETWEEN 3 AND 5", name="stars"),
        CheckConstraint("expires_on > issued_on", name="has_an_end"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[CertificateKind] = mapped_column(Enum(*KINDS, name="certificate_kind", native_enum=False))
    number: Mapped[str] = mapped_column(String(60))
    issuer: Mapped[str] = mapped_column(String(200))
    stars: Mapped[int | None]
    issued_on: Mapped[dt.date]
    expires_on: Mapped[dt.date]
    product_id: Mapped[Id | None] = mapped_column(ForeignKey("product.id"), index=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), index=True)

    def valid_on(self, day: dt.date) -> bool:
        """True from the day of issue to the day of expiry, both included."""
        return self.issued_on <= day <= self.expires_on

    @property
    def ends(self) -> dt.date | None:
        """The last day, where the paper says one."""
        return None if self.expires_on == NO_END else self.expires_on

    @property
    def valid(self) -> bool:
        """True today."""
        return self.valid_on(clock.today())


def ocop_expiry(issued_on: dt.date) -> dt.date:
    """The last day of OCOP stars issued on that day: 36 months on, less a day."""
    year = issued_on.year + OCOP_MONTHS // 12
    try:
        same_day = issued_on.replace(year=year)
    except ValueError:  # 29 February
        same_day = dt.date(year, 3, 1)
    return same_day - dt.timedelta(days=1)
