"""What becomes of one order of the demo, step by step, as its seller, its carrier and its buyer take them.

Told again after it was cut off, a step that was taken is left as it is.
"""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import select

from shop.delivery import cod
from shop.delivery.models import DeliveryState as To
from shop.delivery.models import Shipment
from shop.delivery.states import Report
from shop.delivery.steps import hear_in, locked
from shop.demo.money import came
from shop.demo.season import Happens, demo_id
from shop.orders import expiring, steps
from shop.orders import services as orders
from shop.orders.models import Channel, Delivery, Order, Payment, Status
from shop.orders.returning import return_in
from shop.payments.models import Payment as Due
from shop.refunds.services import Wish, give_back
from village import clock
from village.db import db, write
from village.errors import Conflict
from village.people.access import Actor
from village.products.models import Product

HOUR = dt.timedelta(hours=1)
CHANGED_HER_MIND = "Người mua đổi ý"
ON_ITS_WAY = ((To.PICKED, 1.5), (To.TRANSIT, 5))
"""How a carrier tells of a parcel, and how many hours after it left."""


@dataclass(frozen=True)
class Sale:
    """An order: who, what, and how far it got. `day` counts back from today."""

    key: str
    day: float
    buyer: str
    place: tuple[str, str, str]
    """Address, ward, province."""
    lines: tuple[tuple[str, int], ...]
    steps: tuple[str, ...] = ()
    payment: Payment = "cod"
    delivery: Delivery = "hand"
    fee: int = 0
    note: str = ""
    channel: Channel = "web"


class Customer:
    """One sale from its order to as far as it gets."""

    def __init__(self, sale: Sale, number: int, seller: Actor) -> None:
        self.sale, self.seller = sale, seller
        address, ward, province = sale.place
        known = orders.clean_buyer(f"Khách mẫu {sale.buyer}", f"09000000{number:02d}", address)
        self.buyer = replace(known, ward=ward, province=province)
        self.order_id = ""

    def timeline(self, when: dt.datetime) -> list[Happens]:
        """The order, and a step every two hours; a carrier takes its days."""
        told: list[Happens] = [(when, self._order)]
        for step in self.sale.steps:
            when += {"arrives": 44 * HOUR, "comes_back": 80 * HOUR, "nobody_home": 26 * HOUR,
                     "carrier_pays": 50 * HOUR, "goes": 8 * HOUR, "pays": HOUR / 5, "pays_short": HOUR / 5}.get(
                         step, 2 * HOUR)  # fmt: skip
            told.append((when, partial(self._take, step)))
        return told

    def _order(self) -> None:
        # By their slugs only now: a bundle has been on sale for some days, not from the first.
        gtins = {p.slug: p.gtin for p in db.session.scalars(select(Product))}
        placed = orders.place(
            None, [(gtins[slug], quantity) for slug, quantity in self.sale.lines], self.buyer,
            channel=self.sale.channel, idempotency_key=f"demo-{self.sale.key}", payment=self.sale.payment,
            note=self.sale.note, delivery=self.sale.delivery, delivery_fee=self.sale.fee,
        )  # fmt: skip
        self.order_id = db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()

    def _take(self, step: str) -> None:
        with suppress(Conflict):  # taken already
            if step in ("confirm", "pick", "dispatch", "deliver"):
                getattr(steps, step)(self.seller, self.order_id)
            else:
                getattr(self, f"_{step}")()

    def _cancel(self) -> None:
        steps.cancel(self.seller, self.order_id, CHANGED_HER_MIND)

    def _expire(self) -> None:
        expiring.expire(self.order_id)

    def _pays(self) -> None:
        self._transfer("1", self._due.amount)

    def _pays_short(self) -> None:
        self._transfer("1", self._due.amount - 30_000)

    def _pays_again(self) -> None:
        self._transfer("2", self._due.amount)

    def _transfer(self, number: str, amount: int) -> None:
        came(f"MAU-{self.sale.key.upper()}-{number}", amount, f"{self._due.memo} chuyen tien")

    def _send_first_line(self) -> None:
        """What is there goes by hand; the rest waits."""
        with write(ledger=True) as session:
            first = session.get_one(Order, self.order_id).lines[0]
            parts = [(first.id, part.batch_id, part.waiting) for part in first.allocations]
            steps.send_in(session, self.seller, self.order_id, parts, carrier="hand", shipment_id=self._parcel,
                          cod_amount=0)  # fmt: skip

    def _by_carrier(self) -> None:
        """All of it goes with the carrier, as if that had been asked: the demo knows nobody outside."""
        with write(ledger=True) as session:
            due = steps.to_collect(session, session.get_one(Order, self.order_id))
            parcel = steps.send_in(session, self.seller, self.order_id, None, carrier="ghn",
                                   shipment_id=self._parcel, cod_amount=due)  # fmt: skip
            parcel.tracking, parcel.fee = f"MAU-{self.sale.key.upper()}", self.sale.fee + 1_500
            parcel.checked_at = clock.now()

    def _goes(self) -> None:
        self._tell(To.TRANSIT)

    def _arrives(self) -> None:
        self._tell(To.DELIVERED, (To.DELIVERING, 40), (To.DELIVERED, 43))

    def _nobody_home(self) -> None:
        self._tell(To.FAIL_ATTEMPT, (To.DELIVERING, 22), (To.FAIL_ATTEMPT, 25))

    def _comes_back(self) -> None:
        self._tell(To.RETURNED, (To.DELIVERING, 22), (To.FAIL_ATTEMPT, 25), (To.RETURNING, 50), (To.RETURNED, 79))

    def _tell(self, now: To, *then: tuple[To, float]) -> None:
        with write() as session:
            parcel = locked(session, self._parcel)
            assert parcel.dispatched_at is not None  # it has just been sent
            said = [Report(state, parcel.dispatched_at + hours * HOUR) for state, hours in (*ON_ITS_WAY, *then)]
            hear_in(session, parcel, said, now, parcel.cod_amount if now is To.DELIVERED else 0)

    def _carrier_pays(self) -> None:
        money = db.session.get_one(Shipment, self._parcel).cod_collected
        cod.settle(self.seller, [self._parcel], str(money), f"MẪU-{self.sale.key.upper()}")

    def _some_back(self) -> None:
        """A pack of the last line was spoilt."""
        with write(ledger=True) as session:
            line = session.get_one(Order, self.order_id).lines[-1]
            part = line.allocations[0]
            if not part.returned:
                return_in(session, self.seller, self.order_id, [(line.id, part.batch_id, 1, "lost")])

    def _money_back(self) -> None:
        """All of it where the order was called off, else the pack that was spoilt."""
        order = db.session.get_one(Order, self.order_id)
        off = order.status is Status.CANCELLED
        amount, reason = (order.paid, CHANGED_HER_MIND) if off else (order.lines[-1].unit_price, "Bao gạo bị rách")
        form, number = demo_id(f"refund-{self.sale.key}"), f"MAU-TRA-{self.sale.key.upper()}"
        give_back(self.seller, self.order_id, Wish(form, amount, "vietqr", reason, number))

    @property
    def _due(self) -> Due:
        """What is asked for, and under which memo."""
        return db.session.scalars(select(Due).where(Due.order_id == self.order_id)).one()

    @property
    def _parcel(self) -> str:
        return demo_id(f"parcel-{self.sale.key}")
