"""Calling an order off, or what has not left of it. Inside the caller's transaction."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from shop.orders.arriving import end_in
from shop.orders.lines import give_up_rest, waiting_of
from shop.orders.models import NEW, OPEN, Order, Status
from shop.orders.money import close_payments, standing
from shop.orders.moving import move, record, touch
from shop.picking.freeing import free
from shop.stock import services as stock
from shop.stock.services import Part
from village import clock
from village.people.access import Actor


def cancel_in(
    session: Session,
    order_id: str,
    *,
    actor: Actor | None = None,
    note: str = "",
    sources: Sequence[Status] = OPEN,
) -> Order:
    """Cancel an order that is in one of `sources`; exactly its packs go back. Conflict when it has moved on.

    Of an order of which some packs have left, what has not left is cancelled, and the order goes on without it.
    """
    found = session.get(Order, order_id)
    if found is not None and found.status is Status.PARTLY_DISPATCHED and Status.PARTLY_DISPATCHED in sources:
        return _cancel_rest(session, found, actor, note)
    order = move(session, order_id, Status.CANCELLED, [one for one in sources if one in NEW], actor, note)
    stock.release(session, _emptied(order))
    let_go(session, order)
    session.flush()
    return order


def cancel_held(order: Order, actor: Actor | None = None, note: str = "") -> list[Part]:
    """Cancel an order that is in NEW and whose row the caller holds; the packs that the caller is to put back.

    Runs no statement: `let_go` is to be called before the transaction ends.
    """
    order.status, order.updated_at = Status.CANCELLED, clock.now()
    record(order, Status.CANCELLED, actor, note)
    return _emptied(order)


def let_go(session: Session, order: Order) -> None:
    """Packs that were picked for a cancelled order are anybody's again, and nothing is asked for any more."""
    free(session, order.id)
    close_payments(session, order)


def _emptied(order: Order) -> list[Part]:
    parts = waiting_of(order)
    for line in order.lines:
        line.allocations.clear()
    order.hold_until = None
    return parts


def _cancel_rest(session: Session, order: Order, actor: Actor | None, note: str) -> Order:
    """What has not left goes back to the shelf, and the order costs what has left and its delivery."""
    touch(session, order, (Status.PARTLY_DISPATCHED,), actor)
    rest = give_up_rest(session, order)
    stock.release(session, rest)
    left = {part.batch_id for line in order.lines for part in line.allocations}
    free(session, order.id, {part.batch_id for part in rest} - left)
    order.payment_state = standing(order)
    record(order, "rest_cancelled", actor, note)
    order.status = Status.DISPATCHED
    end_in(session, order, actor)
    session.flush()
    return order
