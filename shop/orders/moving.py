"""How an order gets on: one conditional UPDATE a step, and a timeline. All inside the caller's transaction."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from shop.orders.errors import moved_on, no_order
from shop.orders.models import Order, OrderStep, Status
from village import clock
from village.people.access import Actor


def move(
    session: Session,
    order_id: str,
    to: Status,
    sources: Iterable[Status],
    actor: Actor | None,
    note: str = "",
) -> Order:
    """One step of an order by one conditional UPDATE: of two at once, one wins and the other gets Conflict."""
    session.flush()
    changed = session.execute(
        update(Order)
        .where(Order.id == order_id, Order.status.in_(list(sources)))
        .values(status=to, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)
    order = session.get(Order, order_id, populate_existing=True)
    if order is None:
        raise no_order()
    if changed.rowcount == 0:
        raise moved_on(order, last_hand(order) if actor else "")
    record(order, to, actor, note)
    return order


def touch(session: Session, order: Order, sources: Iterable[Status], actor: Actor | None = None) -> None:
    """Take the order's row for this transaction; Conflict unless it is in one of `sources`."""
    session.flush()
    held = session.execute(
        update(Order)
        .where(Order.id == order.id, Order.status.in_(list(sources)))
        .values(updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    assert isinstance(held, CursorResult)
    session.refresh(order)
    if held.rowcount == 0:
        raise moved_on(order, last_hand(order) if actor else "")


def still_placed(session: Session, order: Order, actor: Actor | None) -> None:
    """Take the order's row; Conflict when a seller has begun on it."""
    touch(session, order, (Status.PLACED,), actor)


def last_hand(order: Order) -> str:
    """The name of the member who did the last step; empty when it was the buyer."""
    member = order.steps[-1].member if order.steps else None
    return member.name if member else ""


def record(
    order: Order, what: str, actor: Actor | None, note: str = "", *, at: dt.datetime | None = None
) -> None:
    """Add to the order's timeline; `at` is when it happened, where that is not now."""
    order.steps.append(
        OrderStep(
            order_id=order.id,
            position=len(order.steps),
            what=str(what),
            at=at or clock.now(),
            member_id=actor.id if actor else None,
            note=note,
        )
    )
