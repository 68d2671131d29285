"""The papers themselves behind what the office has on its list of certificates."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from village import clock
from village.db import Base, Id, Moment


class CertificatePaper(Base):
    """A certificate's paper, as the office sent it in. `sha256` names its file; nobody but the office reads it."""

    __tablename__ = "certificate_paper"

    certificate_id: Mapped[Id] = mapped_column(ForeignKey("certificate.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    mime: Mapped[str] = mapped_column(String(20))
    size: Mapped[int]
    added_at: Mapped[Moment] = mapped_column(default=clock.now)
