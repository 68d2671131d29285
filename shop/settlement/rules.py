"""What a cooperative's members agreed on, as data."""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from typing import Self

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from shop.settlement.models import Settlement, SettlementRule
from shop.settlement.sharing import WHOLE, Rule
from village import clock
from village.db import db, write
from village.errors import BadInput
from village.forms import Form, choice, day
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.places.services import alone_in

BEARERS = ("households", "cooperative")


@dataclass(frozen=True)
class Rules:
    """All rules of a cooperative, by the day on which an order was placed."""

    known: tuple[tuple[dt.date, Rule], ...]
    """Each with its first day, the first first."""

    @classmethod
    def of(cls, session: Session, cooperative_id: str) -> Self:
        """As they are in the database."""
        return cls(
            tuple(
                (row.starts_on, Rule(row.share_bp, row.card_fee_bp, row.costs_by, row.refunds_by))
                for row in rules_in(session, cooperative_id)
            )
        )

    def __bool__(self) -> bool:
        return bool(self.known)

    def on(self, placed: dt.date) -> Rule:
        """What holds for an order placed on a day; the first rule also for those before it. ValueError without any."""
        if not self.known:
            raise ValueError("no rule was set")
        return self.known[max(0, bisect_right(self.known, placed, key=lambda one: one[0]) - 1)][1]


def rules_in(session: Session, cooperative_id: str) -> list[SettlementRule]:
    """They, the first first."""
    rows = select(SettlementRule).where(SettlementRule.cooperative_id == cooperative_id)
    return list(session.scalars(rows.order_by(SettlementRule.starts_on)))


def rules_of(who: Actor) -> list[SettlementRule]:
    """The rules of the asker's cooperative."""
    return rules_in(db.session(), who.cooperative_id)


def set_rule(who: Actor, form: Form) -> SettlementRule:
    """Agree on a rule. Before the first closing it is the only one and holds at once; afterwards it begins on a day to
    come, so that nothing that was told changes. BadInput otherwise."""
    if not who.has(Role.OFFICE):
        raise wrong_role()
    share, card = per_cent(form.text("share"), "share"), per_cent(form.text("card_fee"), "card_fee")
    costs = choice(form.text("costs_by"), "costs_by", BEARERS)
    refunds = choice(form.text("refunds_by"), "refunds_by", BEARERS)
    with write() as session:
        # One office at a time.
        alone_in(session, who.cooperative_id)
        periods = select(func.max(Settlement.last)).where(Settlement.cooperative_id == who.cooperative_id)
        closed = session.scalar(periods)
        mine = delete(SettlementRule).where(SettlementRule.cooperative_id == who.cooperative_id)
        if closed is None:
            starts = clock.today()
            session.execute(mine)
        else:
            starts = day(form.text("starts_on"), "starts_on")
            if starts <= clock.today():
                raise BadInput(
                    "rule-in-the-past",
                    _l("Đã có kỳ chốt rồi nên cách chia mới chỉ tính từ ngày mai trở đi."),
                    field="starts_on",
                )
            session.execute(mine.where(SettlementRule.starts_on == starts))
        rule = SettlementRule(
            cooperative_id=who.cooperative_id, starts_on=starts, share_bp=share, card_fee_bp=card,
            costs_by=costs, refunds_by=refunds, member_id=who.id,
        )  # fmt: skip
        session.add(rule)
        session.flush()
        return rule


def per_cent(text: str, field: str) -> int:
    """`10` or `2,5` (also `2.5`) per cent as basis points, from 0 to 100; BadInput otherwise."""
    whole, _point, part = text.strip().replace(",", ".").partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 3) or not (
        not part or (part.isascii() and part.isdigit() and len(part) <= 2)
    ):
        raise BadInput("not-per-cent", _l("Viết phần trăm như 10 hoặc 2,5."), field=field)
    found = int(whole) * 100 + int((part or "0").ljust(2, "0"))
    if found > WHOLE:
        raise BadInput("not-per-cent", _l("Viết phần trăm như 10 hoặc 2,5."), field=field)
    return found
