"""Each morning the day before at Stripe is laid beside our books: what is missing is taken in, the rest must be there.

`flask shop cards 2026-11-20` does the same for any day.
"""

import datetime as dt
import sys
from dataclasses import asdict, dataclass
from typing import Any

import click
import structlog
from flask import current_app
from sqlalchemy import select

from shop.cli import shop
from shop.orders.models import Order
from shop.orders.selling import sellers_of
from shop.payments.models import Payment, PaymentPuzzle, Puzzle, Refund
from shop.payments.stripe import client, refunds, sessions
from shop.payments.stripe.client import Refused
from village import clock
from village.clock import VN
from village.db import db, write
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.services import ask
from village.jobs.work import Work

DAY = "payments.stripe.day"
AFTER = dt.time(2, 30)
TRIES = 6
PAUSE = dt.timedelta(hours=1)
EARLIER = dt.timedelta(hours=2)
"""A session that was paid on a day was made so long before it at the most."""
ASKED = "soi.stripe.day"
"""In the app's extensions: when its worker last looked whether a day is to be compared."""

log = structlog.get_logger("soi.payments")


@dataclass(frozen=True)
class Compared:
    """What a day came to."""

    paid: int
    """Sessions of ours that were paid, and their đồng."""
    amount: int
    missing: int
    """Of these, how many we had not known of; now we do."""
    unknown: int
    """Payments that we have and Stripe has not: they are on the desk."""
    refunds: int
    missing_refunds: int

    @property
    def whole(self) -> bool:
        """True when both said the same before."""
        return not (self.missing or self.unknown or self.missing_refunds)


def reconcile(day: dt.date) -> Compared:
    """Compare a day in the village. Raises NotNow; done again, it finds nothing missing."""
    start = dt.datetime.combine(day, dt.time(), VN).astimezone(dt.UTC)
    end = start + dt.timedelta(days=1)
    theirs = [found for found in client.paid_checkouts(start - EARLIER, end) if _is_ours(found.payment_id)]
    missing = [found for found in theirs if not _known(found.intent)]
    for found in missing:
        sessions.settle(found)
    unknown = [payment_id for payment_id in _ours(start, end, {one.intent for one in theirs}) if _doubted(payment_id)]
    back = [found for found in client.money_back_made(start, end) if _known(found.intent)]
    late = [found for found in back if not _booked(found.id)]
    for told in late:
        with write() as session:
            refunds.settle_in(session, told)
    return Compared(
        len(theirs), sum(found.amount for found in theirs), len(missing), len(unknown), len(back), len(late)
    )


def _is_ours(payment_id: str) -> bool:
    return db.session.scalar(select(Payment.id).where(Payment.id == payment_id)) is not None


def _known(intent: str) -> bool:
    """True when money that came with this intent is in our books."""
    found = db.session.scalar(select(Payment.id).where(Payment.intent == intent).limit(1))
    puzzled = select(PaymentPuzzle.id).where(PaymentPuzzle.reference == intent).limit(1)
    return bool(intent) and (found is not None or db.session.scalar(puzzled) is not None)


def _booked(stripe_id: str) -> bool:
    query = select(Refund.id).where(Refund.method == "stripe", Refund.reference == stripe_id)
    return db.session.scalar(query) is not None


def _ours(start: dt.datetime, end: dt.datetime, theirs: set[str]) -> list[str]:
    query = select(Payment.id, Payment.intent).where(
        Payment.settled_at >= start,
        Payment.settled_at < end,
        Payment.method == "stripe",
        Payment.intent.is_not(None),
    )
    found = [row.id for row in db.session.execute(query) if row.intent not in theirs]
    db.session.remove()
    return found


def _doubted(payment_id: str) -> bool:
    """Ask for this very payment; when Stripe has it not paid after all, a person has to look."""
    reference = db.session.scalar(select(Payment.reference).where(Payment.id == payment_id)) or ""
    db.session.remove()
    try:
        if reference and client.checkout(reference).paid:
            return False
    except Refused:
        pass
    with write() as session:
        payment = session.get_one(Payment, payment_id)
        same = select(PaymentPuzzle.id).where(
            PaymentPuzzle.payment_id == payment_id, PaymentPuzzle.kind == Puzzle.UNKNOWN
        )
        if session.scalar(same.limit(1)) is None:
            sellers = sellers_of(session, session.get_one(Order, payment.order_id))
            session.add(
                PaymentPuzzle(
                    kind=Puzzle.UNKNOWN, amount=payment.received, memo="Stripe", reference=payment.intent or "",
                    order_id=payment.order_id, payment_id=payment.id, found_at=clock.now(),
                    cooperative_id=sellers[0] if len(sellers) == 1 else None,
                )
            )  # fmt: skip
    return True


@kind(DAY, name=_l("Đối chiếu với bên thẻ"))
def compare_day(work: Work) -> dict[str, Any]:
    """Compare the day of the job. When Stripe is silent the job fails, and is asked for again."""
    made = reconcile(dt.date.fromisoformat(work.args["day"]))
    if not made.whole:
        log.warning("a day at Stripe was not whole", day=work.args["day"], **asdict(made))
    return asdict(made)


def ask_for_yesterday() -> None:
    """Ask for the day before, once; called every few seconds, looks once a minute."""
    now = clock.now()
    looked: dt.datetime | None = current_app.extensions.get(ASKED)
    recent = looked is not None and abs(now - looked) < dt.timedelta(minutes=1)
    if recent or not client.is_set_up() or now.astimezone(VN).time() < AFTER:
        return
    current_app.extensions[ASKED] = now
    args = {"day": (now.astimezone(VN).date() - dt.timedelta(days=1)).isoformat()}
    query = select(Job).where(Job.kind == DAY, Job.made_at >= now - dt.timedelta(days=1))
    asked = [job for job in db.session.scalars(query) if job.args == args]
    done = any(job.going or job.result is not None for job in asked)
    wanted = not done and len(asked) < TRIES and all(job.made_at < now - PAUSE for job in asked)
    db.session.remove()
    if wanted:
        with write() as session:
            ask(session, DAY, None, args)


@shop.command("cards")
@click.argument("date", type=click.DateTime(("%Y-%m-%d",)))
def compare_cards(date: dt.datetime) -> None:
    """Compare a day (2026-11-20) of card payments and refunds with Stripe. Ends with 1 unless both said the same."""
    if not client.is_set_up():
        click.echo("No cards are taken here.")
        return
    made = reconcile(date.date())
    click.echo(
        f"{made.paid} payments, {made.amount} đồng: {made.missing} missing, {made.unknown} unknown;"
        f" {made.refunds} refunds: {made.missing_refunds} missing"
    )
    sys.exit(0 if made.whole else 1)
