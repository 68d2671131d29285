"""Puts a mail beside each step that a buyer hears of, in the transaction of that step.

It listens for rows of the timeline rather than being called: whoever takes a step, its buyer is told. What is written
is put together just before the commit, when the order stands as its page will show it.
"""

import datetime as dt
from typing import Any

from flask import Flask, current_app, url_for
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.util import identity_key

from shop.mails.letters import SUBJECTS, letter
from shop.orders.models import Order, OrderStep
from shop.orders.selling import sellers_of
from shop.rights.seller import imprint_of
from village.db import before_commit, in_parts
from village.i18n import gettext as _
from village.i18n import speaking
from village.outbox.models import Channel
from village.outbox.services import put
from village.outbox.views import tell_where

ABOUT = "order"
"""The kind of thing that these messages are about, with the order's id."""
A_DAY = dt.timedelta(days=1)
ORDERS_A_DAY = 10
"""Orders that one address is written about; who orders in a stranger's name does not fill her letter-box."""
NOTED = "soi_order_steps"
"""In a session's info: (order, position) of the steps that its transaction has added."""


def init_app(app: Flask) -> None:
    """Listen, and let the outbox's page lead to the order."""
    if not event.contains(OrderStep, "after_insert", _note):
        event.listen(OrderStep, "after_insert", _note)
    tell_where(app, ABOUT, lambda order_id: (url_for("seller.order", order_id=order_id), _("Đơn hàng")))


def _note(_mapper: Any, _connection: Any, step: OrderStep) -> None:
    session = object_session(step)
    if session is None or step.what not in SUBJECTS:
        return
    session.info[NOTED] = (*session.info.get(NOTED, ()), (step.order_id, step.position))
    before_commit(session, NOTED, _put_all)


def _put_all(session: Session) -> None:
    noted: tuple[tuple[str, int], ...] = session.info.pop(NOTED, ())
    written_to = _written_to(session, {order_id for order_id, _position in noted})
    for order_id, position in noted:
        if order_id in written_to:
            _put(session, session.get_one(Order, order_id), position)


def _written_to(session: Session, ids: set[str]) -> set[str]:
    """Which of these orders have a mail address."""
    at_hand = {order_id: session.identity_map.get(identity_key(Order, order_id)) for order_id in ids}
    found = {order_id for order_id, order in at_hand.items() if order is not None and order.buyer_email}
    for some in in_parts([order_id for order_id, order in at_hand.items() if order is None]):
        found |= set(session.scalars(select(Order.id).where(Order.id.in_(some), Order.buyer_email.is_not(None))))
    return found


def _put(session: Session, order: Order, position: int) -> None:
    step = next((step for step in order.steps if step.position == position), None)
    if step is None or order.buyer_email is None:  # taken back within the transaction
        return
    if too_many(session, order):
        return
    cooperative_id = min(sellers_of(session, order))
    public = current_app.extensions["soi"].public_url
    with speaking(order.language):
        subject, body = letter(order, step, imprint_of(session, cooperative_id), f"{public}/orders/{order.token}")
    put(
        session, cooperative_id=cooperative_id, channel=Channel.MAIL, to=order.buyer_email, subject=subject, body=body,
        about=(ABOUT, order.id), key=f"{ABOUT}:{order.id}:{position}",
    )  # fmt: skip


def too_many(session: Session, order: Order) -> bool:
    """True when so many orders of the same address came on the day before this one."""
    before = select(func.count()).where(
        Order.buyer_email == order.buyer_email,
        Order.created_at > order.created_at - A_DAY,
        Order.created_at <= order.created_at,
        Order.id != order.id,
    )
    return (session.scalar(before) or 0) >= ORDERS_A_DAY
