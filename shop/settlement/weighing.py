"""What a period holds, worked out from the orders and from what earlier periods told."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.settlement.facts import UNSEEN, Seen, awaited, changed, read, touched
from shop.settlement.models import Settlement, SettlementHousehold, SettlementLot, SettlementOrder
from shop.settlement.rules import Rules
from shop.settlement.sharing import NOTHING, LotPart, OrderPart, difference, share_out
from village import clock
from village.clock import VN
from village.db import in_parts


@dataclass(frozen=True)
class Told:
    """What a period has to tell of one order."""

    order_id: str
    part: OrderPart
    seen: Seen
    household: Mapping[str, str]
    """Whose each lot is."""


UNTOLD = Told("", NOTHING, UNSEEN, {})
UNDER_WAY = dt.timedelta(hours=1)
"""No change takes so long: what it says of its time is older than its commit."""


@dataclass(frozen=True)
class Balance:
    """What a household is owed for a period, in đồng."""

    net: int
    brought: int
    """0, or what it owed from before (negative)."""

    @property
    def due(self) -> int:
        """What it is to be paid."""
        return max(0, self.net + self.brought)

    @property
    def carried(self) -> int:
        """0, or what it owes afterwards (negative)."""
        return min(0, self.net + self.brought)


@dataclass(frozen=True)
class Weighed:
    """A period as it would be closed now."""

    told: Sequence[Told]
    balances: Mapping[str, Balance]
    """By household id."""
    awaited: int
    """Orders that were sent, and whose money has not come."""

    @property
    def received(self) -> int:
        """What came in, less what went back."""
        return sum(one.part.received for one in self.told)

    @property
    def carrier(self) -> int:
        """For those who carried the parcels."""
        return sum(one.part.carrier for one in self.told)

    @property
    def provider(self) -> int:
        """For the card provider."""
        return sum(one.part.provider for one in self.told)

    @property
    def held(self) -> int:
        """The buyers' own."""
        return sum(one.part.held for one in self.told)

    @property
    def cooperative(self) -> int:
        """The cooperative's."""
        return sum(one.part.cooperative for one in self.told)

    @property
    def households(self) -> int:
        """The households'."""
        return sum(one.part.households for one in self.told)


@dataclass(frozen=True)
class Draft:
    """What a period would tell of each order, and what that was worked out from."""

    cooperative_id: str
    end: dt.datetime
    at: dt.datetime
    """When this was begun: what changes later is not in it."""
    closed: str | None
    """The period before it, by its id."""
    rules: Rules
    told: Mapping[str, Told]
    """By order id."""

    @property
    def households(self) -> int:
        """What the households have of it."""
        return sum(one.part.households for one in self.told.values())


def weigh(session: Session, cooperative_id: str, last: dt.date) -> Weighed | None:
    """All orders placed up to a day, as they stand now, less what was told of them; None while no rule is set."""
    made = draft(session, cooperative_id, last)
    if made is None:
        return None
    return Weighed(tuple(made.told.values()), balances(session, made), awaited(session, cooperative_id, made.end))


def draft(session: Session, cooperative_id: str, last: dt.date) -> Draft | None:
    """The work of `weigh`, which for years of orders takes its time."""
    at = clock.now()
    rules = Rules.of(session, cooperative_id)
    if not rules:
        return None
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), VN)
    closed = latest(session, cooperative_id)
    ids = touched(session, cooperative_id, end, _since(closed))
    told = _told(session, cooperative_id, rules, ids, hold=False)
    return Draft(cooperative_id, end, at, closed.id if closed else None, rules, told)


def renewed(session: Session, old: Draft) -> Draft | None:
    """A draft as it is now: only what changed since it was begun is worked out anew, and nobody else changes that
    before the transaction ends. None where another period was closed, or another rule set: all of it is different then.
    """
    closed = latest(session, old.cooperative_id)
    rules = Rules.of(session, old.cooperative_id)
    if (closed.id if closed else None) != old.closed or rules != old.rules:
        return None
    ids = touched(session, old.cooperative_id, old.end, old.at - UNDER_WAY)
    stale = set(ids)
    told = {key: one for key, one in old.told.items() if key not in stale}
    return replace(old, told=told | _told(session, old.cooperative_id, rules, ids, hold=True))


def _told(
    session: Session, cooperative_id: str, rules: Rules, order_ids: Sequence[str], *, hold: bool
) -> dict[str, Told]:
    """What there is to tell of these orders."""
    ids = changed(session, cooperative_id, order_ids)
    before = _before(session, cooperative_id, ids)
    told: dict[str, Told] = {}
    for facts in read(session, cooperative_id, ids, hold=hold):
        earlier = before.get(facts.order_id, UNTOLD)
        if earlier is UNTOLD and facts.awaits_money:
            # It is looked at again when its money has come.
            continue
        now = share_out(facts.packs, facts.money, rules.on(facts.placed_on))
        told[facts.order_id] = Told(
            facts.order_id, difference(now, earlier.part), facts.seen.since(earlier.seen),
            {**earlier.household, **facts.household},
        )  # fmt: skip
    return told


def _since(closed: Settlement | None) -> dt.datetime | None:
    """What was touched before then has been told; the orders placed after the last closed day have not. Some more, for
    changes that were under way at the closing."""
    if closed is None:
        return None
    begins = dt.datetime.combine(closed.last + dt.timedelta(days=1), dt.time(), VN)
    return min(begins, closed.closed_at) - UNDER_WAY


def latest(session: Session, cooperative_id: str) -> Settlement | None:
    """The period that was closed last."""
    periods = select(Settlement).where(Settlement.cooperative_id == cooperative_id)
    return session.scalar(periods.order_by(Settlement.number.desc()).limit(1))


def _before(session: Session, cooperative_id: str, order_ids: Sequence[str]) -> dict[str, Told]:
    """What earlier periods told of these orders, summed up."""
    it, lot = SettlementOrder, SettlementLot
    lots: dict[str, dict[str, LotPart]] = {}
    household: dict[str, dict[str, str]] = {}
    found: dict[str, Told] = {}
    for ids in in_parts(order_ids):
        figures = (func.sum(getattr(lot, name)) for name in ("units", "goods", "share", "fee", "delivery", "refund"))
        own = select(it.order_id).where(it.settlement_id == lot.settlement_id, it.order_id == lot.order_id,
                                        it.cooperative_id == cooperative_id).exists()  # fmt: skip
        key = (lot.order_id, lot.batch_id, lot.household_id)
        for order_id, batch_id, household_id, *sums in session.execute(
            select(*key, *figures).where(lot.order_id.in_(ids), own).group_by(*key)
        ):
            lots.setdefault(order_id, {})[batch_id] = LotPart(*map(int, sums))
            household.setdefault(order_id, {})[batch_id] = household_id
        sums_of = (func.sum(getattr(it, name)) for name in ("received", "carrier", "provider", "held", "cooperative"))
        seen_of = (func.sum(getattr(it, f"seen_{name}")) for name in Seen._fields)
        mine = (it.order_id.in_(ids), it.cooperative_id == cooperative_id)
        for order_id, received, carrier, provider, held, cooperative, *seen in session.execute(
            select(it.order_id, *sums_of, *seen_of).where(*mine).group_by(it.order_id)
        ):
            part = OrderPart(
                int(received), int(carrier), int(provider), int(held), int(cooperative), lots.get(order_id, {})
            )
            found[order_id] = Told(order_id, part, Seen(*map(int, seen)), household.get(order_id, {}))
    return found


def balances(session: Session, made: Draft) -> dict[str, Balance]:
    """Each household that has a part in the period, or owes from before."""
    net: dict[str, int] = {}
    for one in made.told.values():
        for batch_id, part in one.part.lots.items():
            key = one.household[batch_id]
            net[key] = net.get(key, 0) + part.net
    owed: dict[str, int] = {}
    if made.closed is not None:
        rows = select(SettlementHousehold.household_id, SettlementHousehold.carried)
        mine = (SettlementHousehold.settlement_id == made.closed, SettlementHousehold.carried < 0)
        owed = {key: carried for key, carried in session.execute(rows.where(*mine))}
    return {key: Balance(net.get(key, 0), owed.get(key, 0)) for key in sorted(net.keys() | owed.keys())}
