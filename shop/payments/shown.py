"""What the order's page shows of its payment. `payments/pay.html` draws it, as `pay`."""

from dataclasses import dataclass

from flask import url_for
from markupsafe import Markup
from sqlalchemy import func, select

from shop.delivery.models import Shipment
from shop.orders.models import Order, PaymentState, Status
from shop.orders.selling import sellers_of
from shop.payments import memos
from shop.payments.bank.banks import BANKS
from shop.payments.bank.links import link_of
from shop.payments.bank.models import BankAccount
from shop.payments.bank.payos import Link
from shop.payments.models import Payment
from shop.payments.services import account_for, payment_of
from shop.payments.vietqr import VietQr
from trace.labels.qr import svg
from village import clock
from village.db import db
from village.i18n import gettext as _


@dataclass(frozen=True)
class Transferring:
    """All that a buyer needs to make the transfer."""

    qr: Markup
    bank: str
    account: str
    holder: str
    memo: str
    """As it is copied, without blanks."""
    memo_shown: str


@dataclass(frozen=True)
class PayBlock:
    """Where the order's money stands. `how` is the word that the template draws: `due` (cash on delivery), `transfer`,
    `preparing` (the code is being fetched), `card`, `paid`, `door` (paid to a carrier, who has not handed it over yet),
    `refunded`, `over` (cancelled, or its time ran out)."""

    order: Order
    how: str
    left: int
    """Đồng still to pay."""
    transfer: Transferring | None
    payment: Payment | None
    state_url: str
    seen: str
    """What the page has shown; as soon as the address above says something else, it is out of date."""
    watched: bool
    """True when somebody tells us as soon as money comes; else the office loads its statements now and then."""


def now(order: Order) -> str:
    """In short what the page shows of the order now: another word as soon as the page would show something else."""
    return _seen(order, _found(order).how)


def pay_block(order: Order) -> PayBlock:
    """What to show of this order's payment, for its buyer."""
    found = _found(order)
    watched = found.account is None or found.account.watcher != "none"
    url = url_for("payments.state", token=order.token)
    return PayBlock(
        order, found.how, max(order.total - order.paid, 0), _transferring(order, found), found.payment, url,
        _seen(order, found.how), watched,
    )  # fmt: skip


def at_door(order: Order) -> int:
    """Đồng that the buyer has given to a carrier and that are not with the cooperative yet: to her they are paid."""
    here = (Shipment.order_id == order.id, Shipment.cod_settled_at.is_(None))
    return int(db.session.scalar(select(func.sum(Shipment.cod_collected)).where(*here)) or 0)


@dataclass(frozen=True)
class _Found:
    how: str
    payment: Payment | None = None
    account: BankAccount | None = None
    link: Link | None = None


def _found(order: Order) -> _Found:
    how = _how(order)
    payment = payment_of(db.session(), order.id) if order.payment != "cod" else None
    if how != "transfer":
        return _Found(how, payment)
    account = account_for(db.session(), sellers_of(db.session(), order)[0])
    if account is None or payment is None or payment.memo is None:
        return _Found("preparing", payment)
    link = link_of(payment) if account.watcher == "payos" else None
    if account.watcher == "payos" and link is None:
        return _Found("preparing", payment, account)
    return _Found("transfer", payment, account, link)


def _how(order: Order) -> str:
    if order.payment_state in (PaymentState.REFUNDED, PaymentState.PARTLY_REFUNDED):
        return "refunded"
    if order.payment_state is PaymentState.PAID:
        return "paid"
    if order.status is Status.CANCELLED or (order.hold_until is not None and order.hold_until <= clock.now()):
        return "over"
    if order.payment == "cod" and order.status is Status.DELIVERED and at_door(order) >= order.owed:
        return "door"
    return {"cod": "due", "vietqr": "transfer", "stripe": "card"}[order.payment]


def _seen(order: Order, how: str) -> str:
    return f"{order.status}.{order.payment_state}.{order.paid}.{order.refunded}.{how}"


def _transferring(order: Order, found: _Found) -> Transferring | None:
    """Where to: its seller's own account, or the payment request that payOS made for it."""
    if found.how != "transfer" or found.account is None or found.payment is None or found.payment.memo is None:
        return None
    if found.link is not None:
        link = found.link
        bank = BANKS.get(link.bin, link.bin)
        return Transferring(_qr(link.qr), bank, link.account, link.holder, link.memo, link.memo)
    account, memo = found.account, found.payment.memo
    code = VietQr(account.bin, account.account, amount=order.total - order.paid, purpose=memo)
    bank = BANKS.get(account.bin, account.bin)
    return Transferring(_qr(code.payload), bank, account.account, account.holder, memo, memos.shown(memo))


def _qr(payload: str) -> Markup:
    return Markup(svg(payload, _("Mã VietQR để chuyển khoản"), 60))
