"""One household's statement: of a closed period from what was written down, of the running one from the orders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.settlement.models import Settlement, SettlementHousehold, SettlementLot, SettlementPayout
from shop.settlement.services import READERS, SHOWN, Open, no_settlement
from shop.settlement.sharing import LotPart
from shop.settlement.weighing import Balance, Weighed
from trace.lots.models import Batch
from village.db import db, in_parts
from village.ids import is_uuid
from village.people.access import Actor
from village.people.models import Role
from village.places.models import Household
from village.products.models import Product

FIGURES = ("units", "goods", "share", "fee", "delivery", "refund")


@dataclass(frozen=True)
class LotLine:
    """What was sold of one lot."""

    gtin: str
    lot: str
    name_vi: str
    name_en: str
    orders: int
    part: LotPart


@dataclass(frozen=True)
class Statement:
    """What a household is told."""

    household: Household
    lines: Sequence[LotLine]
    balance: Balance
    period: Settlement | None = None
    """None for the running one."""
    payout: SettlementPayout | None = None

    @property
    def part(self) -> LotPart:
        """The sum of its lots."""
        return sum((line.part for line in self.lines), LotPart())


def closed(who: Actor, settlement_id: str, household_id: str) -> Statement:
    """A household's statement of a closed period. For the office and auditor of its cooperative, and for the
    household's own producers; NotFound for anybody else."""
    session = db.session()
    own = who.has(Role.PRODUCER) and who.household_id == household_id
    period = session.get(Settlement, settlement_id) if is_uuid(settlement_id) else None
    share = session.get(SettlementHousehold, (settlement_id, household_id)) if period else None
    if period is None or share is None or period.cooperative_id != who.cooperative_id or not (own or who.has(*READERS)):
        raise no_settlement()
    lot = SettlementLot
    rows = session.execute(
        select(lot.batch_id, func.count(), *(func.sum(getattr(lot, name)) for name in FIGURES))
        .where(lot.settlement_id == period.id, lot.household_id == household_id)
        .group_by(lot.batch_id)
    )
    found = {batch_id: (count, LotPart(*map(int, sums))) for batch_id, count, *sums in rows}
    return Statement(
        session.get_one(Household, household_id), _lines(session, found), Balance(share.net, share.brought), period,
        session.get(SettlementPayout, (period.id, household_id)),
    )  # fmt: skip


def running(household: Household, period: Open) -> Statement:
    """As the running period stands for a household."""
    weighed = period.weighed
    balance = weighed.balances.get(household.id, Balance(0, 0)) if weighed else Balance(0, 0)
    found: dict[str, tuple[int, LotPart]] = {}
    for batch_id, part in _parts_of(weighed, household.id):
        count, before = found.get(batch_id, (0, LotPart()))
        found[batch_id] = count + 1, before + part
    return Statement(household, _lines(db.session(), found), balance)


def of_household(household_id: str) -> list[tuple[Settlement, SettlementHousehold, SettlementPayout | None]]:
    """A household's closed periods, the newest first, and whether it has its money."""
    rows = db.session.execute(
        select(Settlement, SettlementHousehold, SettlementPayout)
        .join(SettlementHousehold, SettlementHousehold.settlement_id == Settlement.id)
        .outerjoin(
            SettlementPayout,
            (SettlementPayout.settlement_id == Settlement.id)
            & (SettlementPayout.household_id == SettlementHousehold.household_id),
        )
        .where(SettlementHousehold.household_id == household_id)
        .order_by(Settlement.number.desc())
        .limit(SHOWN)
    )
    return [(period, share, payout) for period, share, payout in rows]


def _parts_of(weighed: Weighed | None, household_id: str) -> Iterable[tuple[str, LotPart]]:
    for one in weighed.told if weighed else ():
        for batch_id, part in one.part.lots.items():
            if one.household[batch_id] == household_id:
                yield batch_id, part


def _lines(session: Session, found: dict[str, tuple[int, LotPart]]) -> list[LotLine]:
    lines: list[LotLine] = []
    for ids in in_parts(sorted(found)):
        rows = session.execute(
            select(Batch.id, Batch.gtin, Batch.lot, Product.name_vi, Product.name_en)
            .join(Product, Product.id == Batch.product_id).where(Batch.id.in_(ids))
        )  # fmt: skip
        lines += [LotLine(gtin, lot, vi, en, *found[batch_id]) for batch_id, gtin, lot, vi, en in rows]
    return sorted(lines, key=lambda line: (line.gtin, line.lot))
