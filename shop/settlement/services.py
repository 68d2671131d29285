"""Closing periods, paying households, and reading what was closed. The cooperative's office writes; its auditor reads;
a producer reads her own household's."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.settlement.facts import first_day
from shop.settlement.models import (
    Settlement,
    SettlementHousehold,
    SettlementLot,
    SettlementOrder,
    SettlementPayout,
)
from shop.settlement.weighing import Draft, Weighed, balances, draft, latest, renewed, weigh
from village import clock
from village.db import db, insert_later, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.places.services import alone_in
from village.text import clean_line

READERS = (Role.OFFICE, Role.AUDITOR)
DAY = dt.timedelta(days=1)
SHOWN = 60
"""Periods in a list: five years of months."""


@dataclass(frozen=True)
class Open:
    """The period that is not closed yet."""

    first: dt.date
    last: dt.date
    weighed: Weighed | None
    """None while no rule is set."""

    @property
    def closable(self) -> bool:
        """True once its last day is over."""
        return self.first <= self.last < clock.today()


@dataclass(frozen=True)
class Sums:
    """Where a period's money went, in đồng."""

    received: int
    carrier: int
    provider: int
    held: int
    cooperative: int
    households: int


def opened(who: Actor, last: dt.date | None = None) -> Open:
    """The running period up to a day, as it stands now; without one to the last whole month's end where that is still
    open, else to today. For who reads the books, and for producers."""
    session = db.session()
    first = _first(session, who.cooperative_id)
    if last is None:
        month_end = clock.today().replace(day=1) - DAY
        last = month_end if first <= month_end else clock.today()
    last = max(first, min(last, clock.today()))
    return Open(first, last, weigh(session, who.cooperative_id, last))


def close(who: Actor, last: dt.date, owed: int) -> Settlement:
    """Close the running period with the day `last`, which is over. `owed` is what the office saw for the households:
    when it is something else by now, Conflict, and nothing was closed."""
    if not who.has(Role.OFFICE):
        raise wrong_role()
    if last >= clock.today():
        raise BadInput("period-not-over", _l("Chỉ chốt được đến hết hôm qua."), field="last")
    # To weigh years of orders takes long, and on SQLite nobody could sell anything meanwhile: so that is done before,
    # and within the transaction only what has changed since.
    begun = draft(db.session(), who.cooperative_id, last)
    with write() as session:
        # One office at a time.
        alone_in(session, who.cooperative_id)
        first = _first(session, who.cooperative_id)
        if last < first:
            raise Conflict("period-closed", _l("Những ngày ấy chốt rồi. Bác mở lại trang xem nhé."))
        if begun is None:
            raise Conflict("no-rule", _l("Chưa có cách chia. Bác ghi cách chia trước rồi chốt nhé."))
        made = renewed(session, begun)
        if made is None or made.households != owed:
            raise Conflict("books-moved", _l("Vừa có đơn thay đổi nên số khác rồi. Bác xem lại rồi chốt nhé."))
        before = latest(session, who.cooperative_id)
        period = Settlement(
            cooperative_id=who.cooperative_id, number=before.number + 1 if before else 1, first=first, last=last,
            closed_at=clock.now(), member_id=who.id,
        )  # fmt: skip
        session.add(period)
        session.flush()
        _write_down(session, period, made)
        return period


def _first(session: Session, cooperative_id: str) -> dt.date:
    """The day after the last closed one; before any was closed, the day of the first order."""
    before = latest(session, cooperative_id)
    if before is not None:
        return before.last + DAY
    return min(first_day(session, cooperative_id) or clock.today(), clock.today() - DAY)


def _write_down(session: Session, period: Settlement, made: Draft) -> None:
    told = made.told.values()
    orders = [
        {
            "settlement_id": period.id, "order_id": one.order_id, "cooperative_id": period.cooperative_id,
            "received": one.part.received, "carrier": one.part.carrier, "provider": one.part.provider,
            "held": one.part.held, "cooperative": one.part.cooperative, "households": one.part.households,
            **{f"seen_{name}": value for name, value in one.seen._asdict().items()},
        }
        for one in told
    ]  # fmt: skip
    lots = [
        {
            "settlement_id": period.id, "order_id": one.order_id, "batch_id": batch_id,
            "household_id": one.household[batch_id], "units": part.units, "goods": part.goods, "share": part.share,
            "fee": part.fee, "delivery": part.delivery, "refund": part.refund, "net": part.net,
        }
        for one in told
        for batch_id, part in one.part.lots.items()
    ]  # fmt: skip
    homes = [
        {
            "settlement_id": period.id, "household_id": key, "net": balance.net, "brought": balance.brought,
            "due": balance.due, "carried": balance.carried,
        }
        for key, balance in balances(session, made).items()
    ]  # fmt: skip
    for table, rows in ((SettlementOrder, orders), (SettlementLot, lots), (SettlementHousehold, homes)):
        insert_later(session, table.__table__, rows)


def settlements_of(who: Actor) -> list[tuple[Settlement, Sums]]:
    """The closed periods, the newest first, with their sums."""
    _reader(who)
    mine = select(Settlement).where(Settlement.cooperative_id == who.cooperative_id)
    found = list(db.session.scalars(mine.order_by(Settlement.number.desc()).limit(SHOWN)))
    sums = _sums(db.session(), [one.id for one in found])
    return [(one, sums.get(one.id, Sums(0, 0, 0, 0, 0, 0))) for one in found]


def settlement_of(who: Actor, settlement_id: str) -> tuple[Settlement, Sums]:
    """A closed period of the asker's cooperative; NotFound for any other."""
    _reader(who)
    found = _period(settlement_id, who.cooperative_id)
    return found, _sums(db.session(), [found.id]).get(found.id, Sums(0, 0, 0, 0, 0, 0))


def payouts(settlement_id: str) -> dict[str, SettlementPayout]:
    """Who has been paid for a period, by household id."""
    rows = db.session.scalars(select(SettlementPayout).where(SettlementPayout.settlement_id == settlement_id))
    return {row.household_id: row for row in rows}


def pay(who: Actor, settlement_id: str, household_id: str, reference: object) -> SettlementPayout:
    """Note that a household was paid what it is due for a closed period. Once: afterwards Conflict."""
    if not who.has(Role.OFFICE):
        raise wrong_role()
    how = clean_line(reference, "reference", 120, required=False)
    with write() as session:
        alone_in(session, who.cooperative_id)
        period = _period(settlement_id, who.cooperative_id, session)
        share = session.get(SettlementHousehold, (period.id, household_id))
        if share is None:
            raise no_settlement()
        if not share.due:
            raise Conflict("nothing-due", _l("Kỳ này không phải trả cho hộ ấy."))
        if session.get(SettlementPayout, (period.id, household_id)) is not None:
            raise Conflict("paid-already", _l("Kỳ này đã trả cho hộ ấy rồi."))
        payout = SettlementPayout(
            settlement_id=period.id, household_id=household_id, amount=share.due, paid_at=clock.now(),
            member_id=who.id, reference=how,
        )  # fmt: skip
        session.add(payout)
        session.flush()
        return payout


def no_settlement() -> NotFound:
    """For a period that there is none of, or that is not the asker's."""
    return NotFound("no-settlement", _l("Không có bản chia tiền này."))


def _period(settlement_id: str, cooperative_id: str, session: Session | None = None) -> Settlement:
    found = (session or db.session()).get(Settlement, settlement_id) if is_uuid(settlement_id) else None
    if found is None or found.cooperative_id != cooperative_id:
        raise no_settlement()
    return found


def _sums(session: Session, ids: Sequence[str]) -> dict[str, Sums]:
    it = SettlementOrder
    rows = session.execute(
        select(it.settlement_id, func.sum(it.received), func.sum(it.carrier), func.sum(it.provider), func.sum(it.held),
               func.sum(it.cooperative), func.sum(it.households))
        .where(it.settlement_id.in_(ids)).group_by(it.settlement_id)
    )  # fmt: skip
    return {row[0]: Sums(*(int(value) for value in row[1:])) for row in rows}


def _reader(who: Actor) -> None:
    if not who.has(*READERS):
        raise wrong_role()
