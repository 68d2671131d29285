"""Packs that come back, or never will. Inside the caller's transaction."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from shop.orders.arriving import SENT, end_in
from shop.orders.errors import wrong_parts
from shop.orders.models import Allocation, Order
from shop.orders.moving import record, touch
from shop.picking.freeing import free
from shop.stock import services as stock
from shop.stock.services import Part
from village.people.access import Actor

Fate = Literal["resell", "lost"]
Returned = tuple[str, str, int, Fate]
"""(order line's id, batch id, units, what becomes of them)."""


def return_in(session: Session, actor: Actor, order_id: str, parts: Sequence[Returned]) -> Order:
    """Packs of an order came back and are sold again (`resell`, told on the ledger), or are `lost`: on the way, or they
    came back spoilt. Inside `write(ledger=True)`; the caller has authorised.

    BadInput `wrong-parts` for packs that the order did not send, or that came back before. Money is a refund's matter.
    An order of which everything came back, and nothing arrived, is cancelled.
    """
    from batches.stages.returning import record_return  # that room's services load its process files

    order = session.get_one(Order, order_id)
    touch(session, order, SENT, actor)
    rows = _chosen(order, parts)
    back, lost = rows["resell"], rows["lost"]
    stock.lock_lots(session, {row.batch_id for row, _ in (*back, *lost)})
    shelf = stock.in_order(session, _by_lot(back))
    if shelf:
        record_return(session, actor, [(part.batch_id, part.units) for part in shelf])
        session.refresh(order)  # the ledger forgets what the session had read
        stock.take_back(session, shelf)
    stock.write_off(session, _by_lot(lost))
    for row, units in back:
        row.returned += units
    for row, units in lost:
        row.returned += units
        row.lost += units
    free(session, order.id, _all_back(order, {row.batch_id for row, _ in back}))
    for what, some in (("returned", back), ("lost", lost)):
        if some:
            record(order, what, actor, ", ".join(f"{part.lot} × {part.units}" for part in _by_lot(some))[:300])
    end_in(session, order, actor)
    session.flush()
    return order


def _chosen(order: Order, parts: Sequence[Returned]) -> dict[Fate, list[tuple[Allocation, int]]]:
    """The allocations that the packs are of, by what becomes of them; BadInput for packs that were not sent."""
    held = {(part.order_line_id, part.batch_id): part for line in order.lines for part in line.allocations}
    wanted: dict[Fate, dict[tuple[str, str], int]] = {"resell": {}, "lost": {}}
    for line_id, batch_id, units, fate in parts:
        if fate not in wanted or type(units) is not int or units < 1:
            raise wrong_parts()
        wanted[fate][line_id, batch_id] = wanted[fate].get((line_id, batch_id), 0) + units
    keys = {key for some in wanted.values() for key in some}
    if not keys:
        raise wrong_parts()
    for key in keys:
        if key not in held or sum(some.get(key, 0) for some in wanted.values()) > held[key].gone:
            raise wrong_parts()
    return {fate: [(held[key], units) for key, units in some.items()] for fate, some in wanted.items()}


def _by_lot(rows: Sequence[tuple[Allocation, int]]) -> list[Part]:
    """One part a lot, in the order of the lots' codes."""
    units: dict[tuple[str, str], int] = {}
    for row, count in rows:
        units[row.lot, row.batch_id] = units.get((row.lot, row.batch_id), 0) + count
    return [Part(batch_id, lot, count) for (lot, batch_id), count in sorted(units.items())]


def _all_back(order: Order, batch_ids: set[str]) -> set[str]:
    """Of these lots, those that the order has no pack of any more: which packs they were is clear then."""
    rows = [part for line in order.lines for part in line.allocations]
    return batch_ids - {row.batch_id for row in rows if row.gone or row.waiting or row.lost}
