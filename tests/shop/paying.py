"""Hands for tests of card payments: an order to be paid by card, and looks at what became of it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from shop.orders import services
from shop.orders.models import Order
from shop.payments.models import Payment, PaymentPuzzle, Refund
from tests.shop.hands import BUYER, shelve
from tests.support.stripe_fake import StripeFake
from tests.support.village import Village
from village.db import db
from village.ids import uuid7
from village.jobs.worker import work_off


@dataclass(frozen=True)
class CardOrder:
    """An order of two packs whose buyer wants to pay by card."""

    id: str
    token: str
    total: int

    @property
    def row(self) -> Order:
        """The order, read afresh."""
        db.session.rollback()
        return db.session.get_one(Order, self.id, populate_existing=True)

    @property
    def money(self) -> tuple[str, int, int]:
        """Where it stands, what came, what went back."""
        row = self.row
        return row.payment_state.value, row.paid, row.refunded

    @property
    def payments(self) -> list[Payment]:
        """Its tries to be paid, first to last."""
        db.session.rollback()
        query = select(Payment).where(Payment.order_id == self.id).order_by(Payment.attempt)
        return list(db.session.scalars(query.execution_options(populate_existing=True)))

    @property
    def refunds(self) -> list[Refund]:
        """Its refunds, first to last."""
        db.session.rollback()
        query = select(Refund).where(Refund.order_id == self.id).order_by(Refund.created_at, Refund.id)
        return list(db.session.scalars(query.execution_options(populate_existing=True)))


def card_order(village: Village, *, payment: str = "stripe", language: str = "vi") -> CardOrder:
    """Two packs from a shelf of ten."""
    shelve(village, 10, lot=f"L{uuid7()[-6:].upper()}")
    product = village.product("packs", 500)
    placed = services.place(
        None, [(product.gtin, 2)], BUYER, channel="web", idempotency_key=uuid7(), payment=payment, language=language
    )
    row = db.session.scalars(select(Order).where(Order.token == placed.token)).one()
    return CardOrder(row.id, row.token, row.total)


def open_page(client: FlaskClient, order: CardOrder) -> str:
    """Go to pay; the session at Stripe that the buyer is sent to."""
    answer = client.get(f"/orders/{order.token}/card")
    assert answer.status_code == 303
    return urlsplit(answer.location).path.rpartition("/")[2]


def paid_order(village: Village, client: FlaskClient, stripe: StripeFake) -> CardOrder:
    """An order that its buyer has paid by card, and we know it."""
    order = card_order(village)
    stripe.pay(open_page(client, order))
    assert stripe.post(client, stripe.told("checkout.session.completed")).status_code == 200
    assert order.money == ("paid", order.total, 0)
    return order


def puzzles() -> list[tuple[str, int]]:
    """What stands on the exceptions desk: kind and đồng."""
    db.session.rollback()
    rows = db.session.scalars(
        select(PaymentPuzzle).where(PaymentPuzzle.resolved_at.is_(None)).order_by(PaymentPuzzle.id)
    )
    return [(row.kind.value, row.amount) for row in rows]


def work(app: Flask) -> None:
    """Let a minute's worth of looking after happen now."""
    db.session.remove()
    app.extensions.pop("soi.stripe.looked", None)
    work_off()
