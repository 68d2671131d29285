"""Whatever is done to orders, in whatever order: no pack and no đồng appears or vanishes; the books tell each once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from shop.delivery.models import Shipment
from shop.orders import expiring, services, steps
from shop.orders.models import OPEN, Order, Status
from shop.orders.returning import Fate
from shop.settlement.facts import read
from shop.settlement.models import Settlement, SettlementHousehold, SettlementLot, SettlementOrder
from shop.settlement.rules import Rules
from shop.settlement.sharing import share_out
from shop.stock.errors import OutOfStock
from tests.shop.combining import combine
from tests.shop.hands import faults, row, shelve
from tests.shop.settling import agreed, close, lot_of
from tests.shop.test_orders import hold
from tests.shop.working import arrive, order, ordered, pay, picked, refund, send, take_back, take_transfers, told
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.ids import uuid7
from village.products.models import Product

ACTS = (
    *["goes_on"] * 6, *["dispatch"] * 4, *["comes_back"] * 4, *["arrives"] * 2, *["place"] * 2,
    "money_comes", "money_goes", "cancel", "time_runs_out", "reallocate", "hold", "free", "carrier_asks", "books_close",
)  # fmt: skip
REFUSED = (BadInput, Conflict, OutOfStock)
STOCK = 9
MONEY = ("received", "carrier", "provider", "held", "cooperative")


class Shop(RuleBasedStateMachine):
    """Two lots of small packs, of two households, and one of big ones, a combo of both, and what people do."""

    village: Village
    combo: Product
    now: dt.datetime
    """Only ever goes on, also from one shop to the next."""

    def __init__(self) -> None:
        super().__init__()
        tag = uuid7()[-8:].upper()
        self.small, self.big = self.village.product("packs", 500), self.village.product("packs", 1000)
        self.came: dict[str, int] = defaultdict(int)
        self.went: dict[str, int] = defaultdict(int)
        with clock.fixed(self.later()):
            self.lots = [
                shelve(self.village, STOCK, lot=f"{tag}-A", days=20),
                lot_of(self.village, "Hộ B", f"{tag}-B", units=STOCK, days=40),
                shelve(self.village, STOCK, lot=f"{tag}-C", days=30, net=1000),
            ]
            # Some stand ready at first: most of what can go wrong comes after.
            ready = [(self.small, 4, "cod"), (self.combo, 2, "vietqr"), (self.big, 3, "cod")]
            self.orders = [picked(self.village, *one) for one in ready]
        self.came[self.orders[1]] = order(self.orders[1]).total

    def teardown(self) -> None:
        """The books are closed; nothing of this shop is left for the next one to find."""
        self.books_close(self.orders[0], 1)
        with clock.fixed(self.later()):
            for order_id in self.orders:
                self._try(partial(self._cancel, order_id))
            for lot in self.lots:
                hold(lot, "held")

    @classmethod
    def later(cls, by: dt.timedelta = dt.timedelta(minutes=1)) -> dt.datetime:
        """Now, which is later than it was."""
        cls.now += by
        return cls.now

    def _try(self, act: Callable[[], object]) -> bool:
        """True when it was done; what is refused changes nothing, as the invariants see."""
        try:
            act()
        except REFUSED:
            return False
        return True

    def _cancel(self, order_id: str) -> None:
        with write() as session:
            services.cancel_in(session, order_id, note="thôi")

    @rule(what=st.sampled_from(ACTS), which=st.integers(0, 3), few=st.integers(1, 4))
    def act(self, what: str, which: int, few: int) -> None:
        """One rule for all, so that the likely acts are as likely as in a shop."""
        with clock.fixed(self.later()):
            if what == "place":
                self.place(which, few)
            elif what == "hold":
                hold(self.lots[which % 3], "recalled" if few == 1 else "held")
            elif what == "free":
                for lot in self.lots:
                    hold(lot, "none")
            else:
                getattr(self, what)(self.orders[(few - 1) % len(self.orders)], which + 1)

    def place(self, which: int, quantity: int) -> None:
        product = (self.small, self.big, self.combo, self.combo)[which]
        self._try(lambda: self.orders.append(ordered(product, quantity, "cod" if quantity % 2 else "vietqr")))

    def goes_on(self, order_id: str, few: int) -> None:
        """The usual next act, so that many orders come far."""
        found = order(order_id)
        if found.status is Status.PLACED and found.paid_ahead and not found.settled:
            self.money_comes(order_id, 1)
        elif found.status in (Status.PLACED, Status.CONFIRMED):
            self._work(order_id, steps.confirm if found.status is Status.PLACED else steps.pick)
        elif found.status in OPEN:
            self.dispatch(order_id, few)
        elif found.status is not Status.CANCELLED:
            self.arrives(order_id, few)

    def reallocate(self, order_id: str, _few: int) -> None:
        self._work(order_id, steps.reallocate)

    def _work(self, order_id: str, step: Callable[..., Order]) -> None:
        self._try(lambda: step(self.village.actor("seller"), order_id))

    def dispatch(self, order_id: str, few: int) -> None:
        """All that is left, or some packs of the first lot."""
        parts = [(line.id, one.batch_id, one.waiting) for line in order(order_id).lines for one in line.allocations]
        some = [(line, lot, min(few, waiting)) for line, lot, waiting in parts if waiting][:1]
        self._try(lambda: send(self.village, order_id, None if few == 4 else some))

    def arrives(self, order_id: str, few: int) -> None:
        """One parcel after the other, or the seller says so of all."""
        if few > 2:
            before = order(order_id).paid
            self._work(order_id, steps.deliver)
            self.came[order_id] += order(order_id).paid - before
            return
        for parcel in list(db.session.scalars(select(Shipment.id).where(Shipment.order_id == order_id))):
            self._try(partial(arrive, parcel))

    def comes_back(self, order_id: str, few: int) -> None:
        """All of an allocation, or some of it; whole, or lost."""
        rows = [row for line in order(order_id).lines for row in line.allocations if row.gone]
        fate: Fate = "resell" if few % 2 else "lost"
        parts = [(row.order_line_id, row.batch_id, row.gone if few > 2 else 1, fate) for row in rows]
        self._try(lambda: take_back(self.village, order_id, parts if few == 4 else parts[:1]))

    def money_comes(self, order_id: str, few: int) -> None:
        amount = max(order(order_id).total // few, 1)
        if self._try(lambda: pay(order_id, amount)):
            self.came[order_id] += amount

    def money_goes(self, order_id: str, few: int) -> None:
        amount = max(order(order_id).paid // few, 1)
        if self._try(lambda: refund(order_id, amount)):
            self.went[order_id] += amount

    def cancel(self, order_id: str, _few: int) -> None:
        self._try(lambda: self._cancel(order_id))

    def time_runs_out(self, order_id: str, _few: int) -> None:
        with clock.fixed(clock.now() + services.HOLD["stripe"]):
            self._try(lambda: expiring.expire(order_id))

    def carrier_asks(self, order_id: str, few: int) -> None:
        """What a parcel costs comes late."""
        with write() as session:
            parcel = session.scalar(select(Shipment).where(Shipment.order_id == order_id).limit(1))
            if parcel is not None:
                parcel.fee = few * 7_001

    def books_close(self, _order_id: str, _few: int) -> None:
        """The next day the office shares out what came until then."""
        with clock.fixed(self.later(dt.timedelta(days=1))):
            close(self.village, clock.today() - dt.timedelta(days=1))
        db.session.rollback()
        self.books_tell_all_of_it_once()

    def books_tell_all_of_it_once(self) -> None:
        """What all periods told of an order is what there is to tell of it now, and sums to zero."""
        own, session = self.village.actor("office").cooperative_id, db.session()
        rules = Rules.of(session, own)
        for facts in read(session, own, self.orders, hold=False):
            rows = session.scalars(select(SettlementOrder).where(SettlementOrder.order_id == facts.order_id)).all()
            lots = session.scalars(select(SettlementLot).where(SettlementLot.order_id == facts.order_id)).all()
            told = tuple(sum(getattr(row, name) for row in rows) for name in MONEY)
            net: dict[str, int] = defaultdict(int)
            for lot in lots:
                net[lot.batch_id] += lot.net
            assert told[0] == self.came[facts.order_id] - self.went[facts.order_id] == sum(told[1:]) + sum(net.values())
            if not rows and facts.awaits_money:
                continue
            now = share_out(facts.packs, facts.money, rules.on(facts.placed_on))
            assert told == tuple(getattr(now, name) for name in MONEY)
            assert {key: one for key, one in net.items() if one} == {key: p.net for key, p in now.lots.items() if p.net}
        self.households_have_what_they_are_owed(own)

    def households_have_what_they_are_owed(self, own: str) -> None:
        """Over all periods: paid out and still owing is what their lots brought in."""
        shares = db.session.execute(
            select(SettlementHousehold, Settlement.number)
            .join(Settlement, Settlement.id == SettlementHousehold.settlement_id)
            .where(Settlement.cooperative_id == own).order_by(Settlement.number)
        ).all()  # fmt: skip
        lots = db.session.execute(
            select(SettlementLot.household_id, func.sum(SettlementLot.net)).group_by(SettlementLot.household_id)
        )
        due: dict[str, int] = defaultdict(int)
        carried: dict[str, int] = {}
        for share, _number in shares:
            assert share.brought == carried.get(share.household_id, 0)
            due[share.household_id] += share.due
            carried[share.household_id] = share.carried
        assert {key: int(net) for key, net in lots} == {key: due[key] + carried[key] for key in carried}

    @invariant()
    def no_pack_appears_or_vanishes(self) -> None:
        assert faults() == []
        for lot in self.lots:
            found = row(lot)
            assert found.packed == STOCK == found.free + found.reserved + found.sold + found.lost

    @invariant()
    def no_money_appears_or_vanishes(self) -> None:
        for order_id in self.orders:
            found = order(order_id)
            assert (found.paid, found.refunded) == (self.came[order_id], self.went[order_id])
            assert found.total == sum(line.unit_price * line.quantity for line in found.lines) + found.delivery_fee
            assert found.hold_until is None or (found.status in OPEN and not found.settled)

    @invariant()
    def states_say_what_is_so(self) -> None:
        for order_id in self.orders:
            found = order(order_id)
            parts = [one for line in found.lines for one in line.allocations]
            waiting, sent = sum(one.waiting for one in parts), sum(one.sent for one in parts)
            gone = sum(one.gone for one in parts)
            parcels = db.session.scalars(select(Shipment).where(Shipment.order_id == order_id)).all()
            assert sum(one.units for parcel in parcels for one in parcel.parts) == sent
            match found.status:
                case Status.PLACED | Status.CONFIRMED | Status.PICKED:
                    assert (sent, bool(waiting)) == (0, True)
                case Status.PARTLY_DISPATCHED:
                    assert sent and waiting
                case Status.DISPATCHED | Status.DELIVERED:
                    assert sent and not waiting
                case Status.CANCELLED:
                    assert (gone, waiting) == (0, 0)
            assert told(order_id).count("placed") == 1


@pytest.mark.slow_once
def test_in_no_sequence_of_acts_does_a_pack_or_a_dong_appear_or_vanish(village: Village) -> None:
    take_transfers(village)
    agreed(village, share="7,3")
    combo = combine(village, (village.product("packs", 500), 2), (village.product("packs", 1000), 1))
    machine = type("Shop", (Shop,), {"village": village, "combo": combo, "now": clock.now()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=5, stateful_step_count=30, deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )  # fmt: skip
