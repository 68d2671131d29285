"""Payment requests at payOS: asked for by a job after the order stands, outside of any transaction."""

import datetime as dt
from time import sleep
from typing import Any

import requests
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shop.orders.models import Order
from shop.payments import memos
from shop.payments.bank import payos
from shop.payments.bank.models import PayosLink
from shop.payments.bank.payos import Channel, Link, Taken
from shop.payments.bank.told import Unreadable
from shop.payments.models import Payment, Standing
from village import clock
from village.db import db, write
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.services import ask
from village.jobs.work import Work

MAKE = "payments.link"
"""The kind of job that makes one."""
TRIES = 16
"""Order codes that one payment has: the lowest four bits."""
AGAIN_AFTER = dt.timedelta(minutes=1)
PAUSES = (0, 1, 3)
"""Seconds before each time that payOS is asked: a buyer waits for it."""


def channel() -> Channel | None:
    """Our channel at payOS; None when it is not set up."""
    settings = current_app.extensions["soi"]
    if not settings.payos_client_id:
        return None
    return Channel(settings.payos_url, settings.payos_client_id, settings.payos_api_key, settings.payos_checksum_key)


def ask_for_link(session: Session, payment: Payment) -> None:
    """Have this payment's request made once the caller's transaction has committed."""
    session.add(PayosLink(payment_id=payment.id))
    session.flush()
    ask(session, MAKE, None, {"payment": payment.id})


def ask_again() -> None:
    """Ask for requests that could not be made before, as long as their buyers wait; called every few seconds."""
    waiting = db.session.scalars(
        select(PayosLink.payment_id)
        .join(Payment, Payment.id == PayosLink.payment_id)
        .where(
            PayosLink.made_at.is_(None), PayosLink.tries < TRIES, Payment.state == Standing.PENDING,
            Payment.expires_at > clock.now(),
        )
    ).all()  # fmt: skip
    if waiting:
        lately = select(Job.args).where(Job.kind == MAKE, Job.made_at > clock.now() - AGAIN_AFTER)
        asked = {args["payment"] for args in db.session.scalars(lately)}
        waiting = [payment_id for payment_id in waiting if payment_id not in asked]
    db.session.remove()
    if waiting:
        with write() as session:
            for payment_id in waiting:
                ask(session, MAKE, None, {"payment": payment_id})


def link_of(payment: Payment) -> Link | None:
    """The payment's request; None as long as payOS has not given it."""
    row = db.session.get(PayosLink, payment.id)
    if row is None or row.link is None:
        return None
    return Link(row.link, row.bin or "", row.account or "", row.holder or "", row.memo or "", row.qr or "")


def order_code(memo: str, tries: int) -> int:
    """The order code at payOS, below 2³⁹: it leads back to the payment's memo."""
    return memos.number_of(memo) * TRIES + tries


def memo_of(code: int) -> str | None:
    """The memo of an order code; None for a code that cannot be ours."""
    number = code // TRIES
    return memos.memo_of(number) if 0 <= number < 32**memos.LENGTH else None


@kind(MAKE, name=_l("Lấy mã chuyển khoản"))
def make(work: Work) -> dict[str, Any]:
    """Make one payment request. Begun again after a crash it uses another order code, and none is paid twice: buyers
    only ever see the one that was kept."""
    payment_id = work.args["payment"]
    found = channel()
    row = db.session.get(PayosLink, payment_id)
    payment = db.session.get(Payment, payment_id)
    if found is None or row is None or payment is None or row.link is not None or payment.memo is None:
        return {"made": False}
    if payment.state is not Standing.PENDING or payment.expires_at is None:
        return {"made": False}
    order = db.session.get_one(Order, payment.order_id)
    number, token, tries = order.number, order.token, row.tries
    back = f"{current_app.extensions['soi'].public_url}/orders/{token}"
    amount, memo, expires = payment.amount, payment.memo, int(payment.expires_at.timestamp())
    db.session.remove()
    for pause in PAUSES:
        sleep(pause)
        work.go_on()
        code = order_code(memo, tries % TRIES)
        tries += 1
        try:
            link = payos.create(found, code, amount, number.replace("-", ""), back, expires)
        except (Taken, Unreadable, requests.RequestException):
            _tried(payment_id, tries)
            continue
        with write() as session:
            session.execute(
                update(PayosLink)
                .where(PayosLink.payment_id == payment_id, PayosLink.link.is_(None))
                .values(tries=tries, link=link.id, bin=link.bin, account=link.account, holder=link.holder,
                        memo=link.memo, qr=link.qr, made_at=clock.now())
            )  # fmt: skip
        return {"made": True}
    raise RuntimeError("payOS gave no payment request")


def _tried(payment_id: str, tries: int) -> None:
    with write() as session:
        session.execute(update(PayosLink).where(PayosLink.payment_id == payment_id).values(tries=tries))
