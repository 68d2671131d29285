"""Where transfers go to, each one that came, and what each day's comparison with the bank found."""

import datetime as dt
from typing import Literal

from sqlalchemy import BigInteger, CheckConstraint, Date, Enum, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.payments.models import Payment
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member
from village.places.models import Cooperative

Watcher = Literal["sepay", "payos", "none"]
"""Who tells us when money comes: a service, or nobody, and then the office loads the bank's statement."""
Source = Literal["sepay", "payos", "statement"]


class BankAccount(Base):
    """The one account that a cooperative's buyers transfer to."""

    __tablename__ = "bank_account"

    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"), primary_key=True)
    bin: Mapped[str] = mapped_column(String(6))
    """The bank's number at NAPAS."""
    account: Mapped[str] = mapped_column(String(19), index=True)
    holder: Mapped[str] = mapped_column(String(80))
    """As the bank writes it: capitals without marks."""
    watcher: Mapped[Watcher] = mapped_column(Enum("sepay", "payos", "none", name="bank_watcher", native_enum=False))
    open: Mapped[bool] = mapped_column(default=True)
    """False: buyers are not offered it now."""
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """Who wrote it down last."""
    changed_at: Mapped[Moment] = mapped_column(default=clock.now)

    cooperative: Mapped[Cooperative] = relationship()
    member: Mapped[Member | None] = relationship()


class PayosLink(Base):
    """The payment request at payOS of one payment; its code and account are None until payOS gave them."""

    __tablename__ = "payos_link"

    payment_id: Mapped[Id] = mapped_column(ForeignKey("shop_payment.id"), primary_key=True)
    tries: Mapped[int] = mapped_column(default=0)
    """How often it was asked for: each one has an order code of its own, for none is told of twice."""
    link: Mapped[str | None] = mapped_column(String(80))
    """payOS's id of it."""
    bin: Mapped[str | None] = mapped_column(String(6))
    account: Mapped[str | None] = mapped_column(String(40))
    holder: Mapped[str | None] = mapped_column(String(80))
    memo: Mapped[str | None] = mapped_column(String(80))
    qr: Mapped[str | None] = mapped_column(String(512))
    made_at: Mapped[Moment | None] = mapped_column(index=True)


class Transfer(Base):
    """Money that came to an account, once, whoever told us of it first.

    amount = booked + what the puzzles about it hold, until a person has decided those too.
    """

    __tablename__ = "bank_transfer"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("booked >= 0 AND booked <= amount", name="booked"),
        Index("ix_bank_transfer_day", "cooperative_id", "at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    source: Mapped[Source] = mapped_column(
        Enum("sepay", "payos", "statement", name="transfer_source", native_enum=False)
    )
    key: Mapped[str] = mapped_column(String(255))
    """The source's own id of it."""
    account: Mapped[str] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(80), default="", index=True)
    """The bank's number of it; empty when it was not told."""
    amount: Mapped[int] = mapped_column(BigInteger)
    booked: Mapped[int] = mapped_column(BigInteger, default=0)
    """Đồng of it that went into orders."""
    memo: Mapped[str] = mapped_column(String(300), default="")
    """What the sender wrote, and what banks put around it."""
    at: Mapped[Moment]
    """When it came, as the bank has it."""
    payment_id: Mapped[Id | None] = mapped_column(ForeignKey("shop_payment.id"), index=True)
    webhook_id: Mapped[Id | None] = mapped_column(ForeignKey("webhook_event.id"))
    """The notice that told of it; None when a statement did."""
    noted_at: Mapped[Moment] = mapped_column(default=clock.now)

    payment: Mapped[Payment | None] = relationship()


class Reconciliation(Base):
    """One comparison of an account's day with what was booked."""

    __tablename__ = "bank_reconciliation"
    __table_args__ = (Index("ix_bank_reconciliation_day", "cooperative_id", "day"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    day: Mapped[dt.date] = mapped_column(Date)
    """In the village's time; of a statement that spans several days, the last one."""
    source: Mapped[Source] = mapped_column(
        Enum("sepay", "payos", "statement", name="reconciliation_source", native_enum=False)
    )
    lines: Mapped[int]
    """Credits that the bank has."""
    amount: Mapped[int] = mapped_column(BigInteger)
    """Đồng of them."""
    known: Mapped[int]
    """Of them, told before."""
    missing: Mapped[int]
    """Of them, never told before: taken in now."""
    unknown: Mapped[int]
    """Transfers that we have and the bank does not."""
    faults: Mapped[int]
    """Transfers whose đồng do not add up here."""
    done_at: Mapped[Moment] = mapped_column(default=clock.now)
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("member.id"))
    """Who loaded the statement; None when the shop fetched it."""

    member: Mapped[Member | None] = relationship()

    @property
    def whole(self) -> bool:
        """True when nothing was missing and all of it adds up."""
        return not (self.missing or self.unknown or self.faults)
