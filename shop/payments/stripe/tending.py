"""What is left to be done at Stripe: money to send back, sessions to close, and looking whether a notice was lost."""

import datetime as dt
from typing import Any

from flask import current_app
from sqlalchemy import or_, select

from shop.orders.models import Order, Status
from shop.payments.models import Payment, Refund, Standing
from shop.payments.stripe import client, refunds, sessions
from shop.payments.stripe.client import NotNow, Refused
from village import clock
from village.db import db, write
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.models import GOING, Job
from village.jobs.services import ask
from village.jobs.work import Work

TEND = "payments.stripe"
EVERY = dt.timedelta(minutes=1)
AT_ONCE = 50
NEWS = dt.timedelta(days=4)
LOOKED = "soi.stripe.looked"
"""In the app's extensions: when its worker last looked whether there is anything to do."""


def see_to_it() -> None:
    """Have a job do what is due. Called every few seconds by the jobs' sweeper; looks once a minute."""
    now = clock.now()
    looked: dt.datetime | None = current_app.extensions.get(LOOKED)
    if not client.is_set_up() or (looked is not None and abs(now - looked) < EVERY):
        return
    current_app.extensions[LOOKED] = now
    due = bool(_unsent(1) or _over(1))
    db.session.remove()
    if due:
        _ask({})


def look_again() -> None:
    """Have a job look at the refunds that are on their way, too. Called once an hour."""
    if client.is_set_up() and _on_their_way(1):
        db.session.remove()
        _ask({"all": True})


@kind(TEND, name=_l("Xem lại bên thẻ"))
def tend(work: Work) -> dict[str, Any]:
    """Do what is due. When Stripe does not answer, the next one goes on."""
    done = 0
    try:
        for refund_id in [*_unsent(AT_ONCE), *(_on_their_way(AT_ONCE) if work.args.get("all") else ())]:
            refunds.send(refund_id)
            done += 1
            work.go_on()
        for payment_id, reference in _over(AT_ONCE):
            _close(payment_id, reference)
            done += 1
            work.go_on()
    except NotNow:
        return {"done": done, "silent": True}
    return {"done": done}


def _close(payment_id: str, reference: str | None) -> None:
    """Nobody pays it any more; and if somebody had, its money is taken care of."""
    if reference is not None:
        try:
            sessions.settle(client.close_checkout(reference))
            return
        except Refused:
            # Stripe knows of no such session: there is nothing to wait for.
            pass
    with write() as session:
        payment = session.get_one(Payment, payment_id, with_for_update=True)
        if payment.intent is None and payment.reference == reference:
            payment.over_at = clock.now()
            if payment.state is Standing.PENDING:
                payment.state, payment.settled_at = Standing.EXPIRED, clock.now()


def _unsent(most: int) -> list[str]:
    query = select(Refund.id).where(Refund.state == Standing.PENDING, Refund.method == "stripe")
    return list(db.session.scalars(query.where(Refund.reference.is_(None)).order_by(Refund.id).limit(most)))


def _on_their_way(most: int) -> list[str]:
    query = select(Refund.id).where(Refund.state == Standing.PENDING, Refund.method == "stripe")
    return list(db.session.scalars(query.where(Refund.reference.is_not(None)).order_by(Refund.id).limit(most)))


def _over(most: int) -> list[tuple[str, str | None]]:
    """Payments whose session nobody shall pay any more, as far as it is not known yet that nobody can."""
    now = clock.now()
    query = (
        select(Payment.id, Payment.reference)
        .join(Order, Order.id == Payment.order_id)
        .where(
            # The index: all but a few were settled long ago, and Stripe itself tries for three days to tell us.
            or_(Payment.settled_at.is_(None), Payment.settled_at > now - NEWS),
            Payment.method == "stripe",
            Payment.intent.is_(None),
            Payment.over_at.is_(None),
            or_(Payment.state != Standing.PENDING, Payment.expires_at < now, Order.status == Status.CANCELLED),
        )
    )
    return [(row.id, row.reference) for row in db.session.execute(query.order_by(Payment.id).limit(most))]


def _ask(args: dict[str, Any]) -> None:
    with write() as session:
        going = select(Job.id).where(Job.kind == TEND, Job.state.in_(GOING)).limit(1)
        if session.scalar(going) is None:
            ask(session, TEND, None, args)
