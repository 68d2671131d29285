"""Flags that the office has looked at."""

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from village.db import Base, Id, Moment


class FlagCleared(Base):
    """A flag that somebody of the office cleared, at the figure that it had then."""

    __tablename__ = "balance_flag_cleared"

    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    figure: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    why: Mapped[str] = mapped_column(String(300))
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    at: Mapped[Moment]
