"""Hands for tests of an order's way: placed in any payment, worked, sent in parcels, taken back."""

from collections.abc import Sequence

from sqlalchemy import select, update

from shop.delivery.models import Shipment
from shop.orders import services, steps
from shop.orders.models import Order
from shop.orders.returning import Returned
from shop.orders.sending import Packs
from shop.payments.bank.models import BankAccount
from tests.shop.hands import BUYER
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.ids import uuid7
from village.products.models import Product


def take_transfers(village: Village) -> None:
    """The cooperative has an account that buyers may transfer to."""
    with write() as session:
        session.add(
            BankAccount(
                cooperative_id=village.product("packs", 500).cooperative_id, bin="970436", account="0123456789",
                holder="HTX MOT", watcher="none",
            )
        )  # fmt: skip


def ordered(product: Product, quantity: int, payment: str = "cod") -> str:
    """An order of so many; its id."""
    placed = services.place(
        None, [(product.gtin, quantity)], BUYER, channel="web", idempotency_key=uuid7(), payment=payment
    )
    db.session.rollback()
    return db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()


def of_several(village: Village, quantity: int = 1) -> str:
    """An old order, of so many packs of 500 g and of the other cooperative's packs of 1 kg; its id."""
    small, big = village.product("packs", 500), village.product("packs", 1000)
    placed = services.place(
        None, [(small.gtin, quantity), (big.gtin, quantity)], BUYER, channel="web", idempotency_key=uuid7()
    )
    theirs = village.actor("office-other").cooperative_id
    with write() as session:
        session.execute(update(Product).where(Product.id == big.id).values(cooperative_id=theirs))
        session.execute(update(Order).where(Order.token == placed.token).values(cooperative_id=None))
    return db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()


def order(order_id: str) -> Order:
    """The order, read afresh."""
    db.session.rollback()
    return db.session.get_one(Order, order_id, populate_existing=True)


def told(order_id: str) -> list[str]:
    """What its timeline says."""
    return [step.what for step in order(order_id).steps]


def picked(village: Village, product: Product, quantity: int, payment: str = "cod") -> str:
    """An order that stands ready to be sent; its id."""
    order_id = ordered(product, quantity, payment)
    if payment != "cod":
        pay(order_id, order(order_id).total)
    steps.confirm(village.actor("seller"), order_id)
    steps.pick(village.actor("seller"), order_id)
    return order_id


def pay(order_id: str, amount: int) -> None:
    """So much money comes for it."""
    with write() as session:
        steps.pay_in(session, session.get_one(Order, order_id), amount, clock.now())


def refund(order_id: str, amount: int) -> None:
    """So much money goes back."""
    with write() as session:
        steps.refund_in(session, session.get_one(Order, order_id), amount)


def send(village: Village, order_id: str, parts: Sequence[Packs] | None = None, *, shipment_id: str = "") -> str:
    """A parcel leaves with these packs, or with all that are left; its id."""
    with write(ledger=True) as session:
        found = session.get_one(Order, order_id)
        sent = steps.send_in(
            session, village.actor("seller"), order_id, parts,
            carrier="hand", shipment_id=shipment_id or uuid7(), cod_amount=steps.to_collect(session, found),
        )  # fmt: skip
        return sent.id


def arrive(shipment_id: str) -> None:
    """A parcel is with its buyer."""
    with write() as session:
        steps.arrived_in(session, session.get_one(Shipment, shipment_id), clock.now())


def take_back(village: Village, order_id: str, parts: Sequence[Returned]) -> None:
    """Packs came back, or are lost."""
    with write(ledger=True) as session:
        steps.return_in(session, village.actor("seller"), order_id, parts)


def part(order_id: str, units: int, at: int = 0) -> Packs:
    """So many packs out of an order's allocation number `at`."""
    rows = [part for line in order(order_id).lines for part in line.allocations]
    return rows[at].order_line_id, rows[at].batch_id, units
