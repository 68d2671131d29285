"""Orders that were to be paid by a deadline and were not: their packs go back to the shelf."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from shop.orders.cancelling import cancel_in
from shop.orders.models import NEW, Order, PaymentState
from shop.orders.money import close_payments
from shop.orders.moving import record, touch
from village import clock
from village.db import db, write
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.i18n import marked
from village.jobs.kinds import kind
from village.jobs.services import ask_once
from village.jobs.work import Work

EXPIRE = "orders.expire"
UNPAID = marked("Quá giờ mà chưa thấy tiền, nên hàng về lại kệ. Bác đặt lại lúc nào cũng được.")
"""The note of such a cancellation: a message's name, translated where it is shown."""


def lapsed(now: dt.datetime) -> ColumnElement[bool]:
    """Orders whose deadline is over, and whose packs still wait for the money."""
    return and_(Order.hold_until <= now, Order.status.in_(NEW), Order.payment_state == PaymentState.AWAITING)


def is_lapsed(order: Order) -> bool:
    """The same of one order that is at hand."""
    waits = order.status in NEW and order.payment_state is PaymentState.AWAITING
    return waits and order.hold_until is not None and order.hold_until <= clock.now()


def expire_in(session: Session, order: Order) -> bool:
    """Cancel an order whose deadline is over; False when it was paid or moved on in the meantime."""
    try:
        touch(session, order, NEW)
    except Conflict:
        return False
    if not is_lapsed(order):
        return False
    close_payments(session, order, expired=True)
    record(order, "expired", None)
    cancel_in(session, order.id, note=UNPAID, sources=NEW)
    return True


def expire(order_id: str) -> bool:
    """The same in a transaction of its own."""
    with write() as session:
        return expire_in(session, session.get_one(Order, order_id))


def see_to_it() -> None:
    """Have a job expire what has lapsed. Called every few seconds by the jobs' sweeper."""
    with db.engine.connect() as connection:
        due = connection.execute(select(Order.id).where(lapsed(clock.now())).limit(1)).first()
    if due is not None:
        ask_once(EXPIRE)


@kind(EXPIRE, name=_l("Trả hàng chưa trả tiền về kệ"))
def expire_all(work: Work) -> dict[str, Any]:
    """Expire all that has lapsed, each order by itself. Done again, it finds nothing."""
    ids = list(db.session.scalars(select(Order.id).where(lapsed(clock.now())).order_by(Order.hold_until)))
    db.session.remove()
    done = 0
    for number, order_id in enumerate(ids, start=1):
        done += expire(order_id)
        work.progress(number, len(ids))
    return {"expired": done}
