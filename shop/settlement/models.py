"""Periods that were closed, and what each household was owed then. Rows are only added; triggers refuse the rest."""

import datetime as dt

from sqlalchemy import DDL, BigInteger, CheckConstraint, Enum, ForeignKey, Index, String, Table, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.orders.models import Order
from shop.settlement.sharing import Bearer
from trace.ledger.models import guards
from trace.lots.models import Batch
from village import clock
from village.db import Base, Id, Moment
from village.ids import uuid7
from village.people.models import Member
from village.places.models import Household


class SettlementRule(Base):
    """What a cooperative's members agreed on, for orders placed from a day on. The first holds for older ones, too."""

    __tablename__ = "settlement_rule"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "starts_on"),
        CheckConstraint("share_bp BETWEEN 0 AND 10000", name="share_bp"),
        CheckConstraint("card_fee_bp BETWEEN 0 AND 10000", name="card_fee_bp"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    starts_on: Mapped[dt.date]
    share_bp: Mapped[int]
    """The cooperative's share of the goods' money, in basis points."""
    card_fee_bp: Mapped[int]
    """What the card provider keeps of what is paid by card, in basis points."""
    costs_by: Mapped[Bearer] = mapped_column(
        Enum("households", "cooperative", name="settlement_costs_by", native_enum=False)
    )
    refunds_by: Mapped[Bearer] = mapped_column(
        Enum("households", "cooperative", name="settlement_refunds_by", native_enum=False)
    )
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[Moment] = mapped_column(default=clock.now)


class Settlement(Base):
    """A closed period: the orders placed up to its last day, as they stood when it was closed."""

    __tablename__ = "settlement"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "number"),
        CheckConstraint("first <= last", name="days"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=uuid7)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    number: Mapped[int]
    """1, 2 … within its cooperative, without a gap."""
    first: Mapped[dt.date]
    last: Mapped[dt.date]
    closed_at: Mapped[Moment] = mapped_column(default=clock.now)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))

    member: Mapped[Member] = relationship()
    households: Mapped[list["SettlementHousehold"]] = relationship(order_by="SettlementHousehold.household_id")


class SettlementOrder(Base):
    """Where an order's money is, as far as no earlier period told it. Đồng, negative where something was undone."""

    __tablename__ = "settlement_order"
    __table_args__ = (
        CheckConstraint("received = carrier + provider + held + cooperative + households", name="zero_sum"),
        Index("ix_settlement_order_order_id", "order_id", "cooperative_id"),
    )

    settlement_id: Mapped[Id] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id"), primary_key=True)
    cooperative_id: Mapped[Id] = mapped_column(ForeignKey("cooperative.id"))
    received: Mapped[int] = mapped_column(BigInteger)
    """What came in, less what went back."""
    carrier: Mapped[int] = mapped_column(BigInteger)
    provider: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)
    """The buyer's: packs to be sent yet, money to go back."""
    cooperative: Mapped[int] = mapped_column(BigInteger)
    households: Mapped[int] = mapped_column(BigInteger)
    seen_paid: Mapped[int] = mapped_column(BigInteger)
    """This and the next ones: how far the order had come since it was last told, by which a change is noticed."""
    seen_refunded: Mapped[int] = mapped_column(BigInteger)
    seen_carrier: Mapped[int] = mapped_column(BigInteger)
    seen_sent: Mapped[int]
    seen_returned: Mapped[int]

    order: Mapped[Order] = relationship()


class SettlementLot(Base):
    """What a lot's household has from an order, as far as no earlier period told it."""

    __tablename__ = "settlement_lot"
    __table_args__ = (
        CheckConstraint("net = goods - share - fee + delivery - refund", name="net"),
        Index("ix_settlement_lot_household_id", "household_id", "settlement_id"),
        Index("ix_settlement_lot_order_id", "order_id"),
    )

    settlement_id: Mapped[Id] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("shop_order.id"), primary_key=True)
    batch_id: Mapped[Id] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    household_id: Mapped[Id] = mapped_column(ForeignKey("household.id"))
    units: Mapped[int]
    """Packs that were sold and paid."""
    goods: Mapped[int] = mapped_column(BigInteger)
    share: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger)
    delivery: Mapped[int] = mapped_column(BigInteger)
    refund: Mapped[int] = mapped_column(BigInteger)
    net: Mapped[int] = mapped_column(BigInteger)

    batch: Mapped[Batch] = relationship()


class SettlementHousehold(Base):
    """What a household is paid for a period. What it owes is carried into its next one."""

    __tablename__ = "settlement_household"
    __table_args__ = (
        CheckConstraint("due >= 0 AND carried <= 0 AND (due = 0 OR carried = 0)", name="due"),
        CheckConstraint("brought <= 0 AND due + carried = net + brought", name="balance"),
    )

    settlement_id: Mapped[Id] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    household_id: Mapped[Id] = mapped_column(ForeignKey("household.id"), primary_key=True, index=True)
    net: Mapped[int] = mapped_column(BigInteger)
    """The sum of its lots' parts."""
    brought: Mapped[int] = mapped_column(BigInteger)
    """What it owed from before."""
    due: Mapped[int] = mapped_column(BigInteger)
    """What it is to be paid."""
    carried: Mapped[int] = mapped_column(BigInteger)
    """What it owes, for the next period."""

    household: Mapped[Household] = relationship()


class SettlementPayout(Base):
    """That a household has its money."""

    __tablename__ = "settlement_payout"

    settlement_id: Mapped[Id] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    household_id: Mapped[Id] = mapped_column(ForeignKey("household.id"), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    paid_at: Mapped[Moment] = mapped_column(default=clock.now)
    member_id: Mapped[Id] = mapped_column(ForeignKey("member.id"))
    reference: Mapped[str] = mapped_column(String(120), default="")
    """The bank's number of the transfer, or who took the cash."""

    member: Mapped[Member] = relationship()


FROZEN = (Settlement, SettlementOrder, SettlementLot, SettlementHousehold, SettlementPayout)

for _model in FROZEN:
    _table = _model.__table__
    assert isinstance(_table, Table)
    for _dialect in ("sqlite", "postgresql"):
        for _statement in guards(_table.name, _dialect, [column.name for column in _table.primary_key]):
            _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # the library has no type here
            event.listen(_table, "after_create", _ddl.execute_if(dialect=_dialect))
