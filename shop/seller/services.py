"""The seller's list: found in a fixed number of statements however many orders there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from shop.orders.models import Order, Status
from shop.orders.steps import sold_by
from shop.seller.filters import Filter
from village.db import db
from village.people.access import Actor

PAGE = 50
WORKING = (Status.PLACED, Status.CONFIRMED, Status.PICKED, Status.PARTLY_DISPATCHED, Status.DISPATCHED)
"""What is still to be done, and counted. Finished orders only grow, so nobody counts them."""


@dataclass(frozen=True)
class Orders:
    """One page of the list. `after` is the id to go on from, None on the last page."""

    orders: Sequence[Order]
    counts: dict[Status, int]
    """How many wait at each step; empty beside a list that is narrowed further."""
    after: str | None


def find(actor: Actor, wanted: Filter, after: str) -> Orders:
    """The orders of the actor's cooperative that are asked for, a page of them.

    What waits is shown oldest first, as it is worked; what is finished, or looked for, newest first.
    """
    session = db.session()
    oldest_first = wanted.status in WORKING and not wanted.text
    query = select(Order).where(*wanted.where(session, actor))
    if after:
        query = query.where(Order.id > after if oldest_first else Order.id < after)
    query = query.order_by(Order.id if oldest_first else Order.id.desc()).limit(PAGE + 1)
    found = session.scalars(query).all()
    more = len(found) > PAGE
    return Orders(found[:PAGE], {} if wanted.narrowed else counts(actor), found[PAGE - 1].id if more else None)


def counts(actor: Actor) -> dict[Status, int]:
    """How many orders wait at each step."""
    rows = db.session.execute(
        select(Order.status, func.count()).where(Order.status.in_(WORKING), sold_by(actor)).group_by(Order.status)
    )
    return {**dict.fromkeys(WORKING, 0), **{status: count for status, count in rows}}
