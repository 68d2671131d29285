"""Whatever is done to orders, in whatever order: no pack and no đồng appears or vanishes."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from shop.delivery.models import Shipment
from shop.orders import expiring, services, steps
from shop.orders.models import OPEN, Order, Status
from shop.orders.returning import Fate
from shop.stock.errors import OutOfStock
from tests.shop.combining import combine
from tests.shop.hands import faults, row, shelve
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
    "money_comes", "money_goes", "cancel", "time_runs_out", "reallocate", "hold", "free",
)  # fmt: skip
REFUSED = (BadInput, Conflict, OutOfStock)
STOCK = 9


class Shop(RuleBasedStateMachine):
    """Two lots of small packs and one of big ones, a combo of both, and what people do."""

    village: Village
    combo: Product

    def __init__(self) -> None:
        super().__init__()
        tag = uuid7()[-8:].upper()
        self.small, self.big = self.village.product("packs", 500), self.village.product("packs", 1000)
        self.lots = [
            shelve(self.village, STOCK, lot=f"{tag}-A", days=20),
            shelve(self.village, STOCK, lot=f"{tag}-B", days=40),
            shelve(self.village, STOCK, lot=f"{tag}-C", days=30, net=1000),
        ]
        self.came: dict[str, int] = defaultdict(int)
        self.went: dict[str, int] = defaultdict(int)
        # Some stand ready at first: most of what can go wrong comes after.
        ready = [(self.small, 4, "cod"), (self.combo, 2, "vietqr"), (self.big, 3, "cod")]
        self.orders = [picked(self.village, *one) for one in ready]
        self.came[self.orders[1]] = order(self.orders[1]).total

    def teardown(self) -> None:
        """Nothing of this shop is left for the next one to find."""
        for order_id in self.orders:
            self._try(partial(self._cancel, order_id))
        for lot in self.lots:
            hold(lot, "held")

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
    combo = combine(village, (village.product("packs", 500), 2), (village.product("packs", 1000), 1))
    machine = type("Shop", (Shop,), {"village": village, "combo": combo})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6, stateful_step_count=30, deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )  # fmt: skip
