"""Hands for tests of transfers: settings with both services, a cooperative's account, orders to be paid into it."""

from dataclasses import dataclass, replace

from sqlalchemy import select

from shop.orders import services
from shop.orders.models import Order
from shop.payments.bank.accounts import Typed, save
from shop.payments.bank.models import Transfer
from shop.payments.models import Payment, PaymentPuzzle, WebhookEvent
from tests.shop.hands import BUYER, shelve
from tests.support.bank_fake import ACCOUNT, API_KEY, BIN, CHECKSUM, CLIENT, KEY, TOKEN, Banks
from tests.support.village import Village
from village.db import db
from village.ids import uuid7
from village.settings import Settings


def with_banks(settings: Settings, banks: Banks, *, secret: str = "") -> Settings:
    """The same village, with SePay and payOS set up at the fake's address."""
    return replace(
        settings, sepay_key=KEY, sepay_secret=secret, sepay_token=TOKEN, sepay_url=banks.url, payos_client_id=CLIENT,
        payos_api_key=API_KEY, payos_checksum_key=CHECKSUM, payos_url=banks.url,
    )  # fmt: skip


def open_account(village: Village, watcher: str = "sepay", username: str = "office", account: str = ACCOUNT) -> None:
    """The office writes its cooperative's account down."""
    save(village.actor(username), Typed(BIN, account, "Hợp tác xã Một", watcher, True))


@dataclass(frozen=True)
class Awaiting:
    """An order whose buyer is to transfer its money."""

    id: str
    token: str
    number: str
    total: int
    memo: str

    @property
    def row(self) -> Order:
        """The order, read afresh."""
        db.session.rollback()
        return db.session.get_one(Order, self.id, populate_existing=True)

    @property
    def money(self) -> tuple[str, int]:
        """Where it stands, and what came."""
        row = self.row
        return row.payment_state.value, row.paid

    @property
    def payment(self) -> Payment:
        """Its latest try to be paid."""
        db.session.rollback()
        query = select(Payment).where(Payment.order_id == self.id).order_by(Payment.attempt.desc())
        return db.session.scalars(query.execution_options(populate_existing=True)).first()  # type: ignore[return-value]


def awaiting(village: Village, packs: int = 2, *, payment: str = "vietqr", net: int = 500) -> Awaiting:
    """An order of so many packs (60,000 đồng each) from a shelf of ten."""
    shelve(village, 10, lot=f"L{uuid7()[-6:].upper()}", net=net)
    product = village.product("packs", net)
    placed = services.place(
        None, [(product.gtin, packs)], BUYER, channel="web", idempotency_key=uuid7(), payment=payment
    )
    row = db.session.scalars(select(Order).where(Order.token == placed.token)).one()
    found = db.session.scalar(select(Payment.memo).where(Payment.order_id == row.id))
    db.session.rollback()
    return Awaiting(row.id, row.token, row.number, row.total, found or "")


def puzzles(*, all: bool = False) -> list[tuple[str, int]]:
    """What stands on the exceptions desk: kind and đồng."""
    db.session.rollback()
    query = select(PaymentPuzzle).order_by(PaymentPuzzle.found_at, PaymentPuzzle.id)
    rows = db.session.scalars(query if all else query.where(PaymentPuzzle.resolved_at.is_(None)))
    return [(row.kind.value, row.amount) for row in rows]


def puzzle() -> str:
    """The id of the one that stands there."""
    db.session.rollback()
    return db.session.scalars(select(PaymentPuzzle.id).where(PaymentPuzzle.resolved_at.is_(None))).one()


def transfers() -> list[tuple[int, int]]:
    """All transfers: đồng that came, and of them booked."""
    db.session.rollback()
    rows = db.session.scalars(select(Transfer).order_by(Transfer.id))
    return [(row.amount, row.booked) for row in rows]


def notices() -> list[tuple[str, str, int]]:
    """All notices: state, what came of it, how often it came."""
    db.session.rollback()
    query = select(WebhookEvent).order_by(WebhookEvent.id).execution_options(populate_existing=True)
    return [(row.state.value, row.said, row.times) for row in db.session.scalars(query)]
