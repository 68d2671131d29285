"""The seller's list: found in a fixed number of statements however many orders there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from shop.orders.models import Order, Status
from shop.orders.steps import sold_by
from village.db import db
from village.people.access import Actor
from village.people.phones import normal_phone

PAGE = 50
WORKING = (Status.PLACED, Status.CONFIRMED, Status.PICKED, Status.DISPATCHED)
"""What is still to be done, and counted. Finished orders only grow, so nobody counts them."""


@dataclass(frozen=True)
class Orders:
    """One page of the list. `after` is the id to go on from, None on the last page."""

    orders: Sequence[Order]
    counts: dict[Status, int]
    after: str | None


def find(actor: Actor, status: Status | None, asked: str, after: str) -> Orders:
    """The orders of the actor's cooperative of a status (None: all), or those that an asked number or telephone names.

    What waits is shown oldest first, as it is worked; what is finished, and all together, newest first.
    """
    query = select(Order).where(sold_by(actor))
    oldest_first = status in WORKING
    if asked:
        query = query.where(_asked(asked))
        oldest_first = False
    elif status is not None:
        query = query.where(Order.status == status)
    if after:
        query = query.where(Order.id > after if oldest_first else Order.id < after)
    query = query.order_by(Order.id if oldest_first else Order.id.desc()).limit(PAGE + 1)
    found = db.session.scalars(query).all()
    more = len(found) > PAGE
    return Orders(found[:PAGE], counts(actor), found[PAGE - 1].id if more else None)


def counts(actor: Actor) -> dict[Status, int]:
    """How many orders wait at each step."""
    rows = db.session.execute(
        select(Order.status, func.count())
        .where(Order.status.in_(WORKING), sold_by(actor))
        .group_by(Order.status)
    )
    return {**dict.fromkeys(WORKING, 0), **{status: count for status, count in rows}}


def _asked(text: str) -> ColumnElement[bool]:
    phone = normal_phone(text)
    if phone:
        return Order.buyer_phone == phone
    number = text.strip().upper()
    number = number if number.startswith("BL-") else f"BL-{number}"
    return Order.number.startswith(number, autoescape=True)
