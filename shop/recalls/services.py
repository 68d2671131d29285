"""Following a recall: who was told, what is held, what came back; and what its buyers and sellers see of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, lazyload

from shop.orders import steps
from shop.orders.models import GONE, OPEN, Allocation, Order, OrderLine, Status
from shop.recalls.models import Reached, RecallOrder
from trace.lots.models import Batch
from trace.lots.services import listed
from trace.recalls import counting, reading
from trace.recalls.account import Account
from trace.recalls.models import Recall, RecallLot, RecallStep, What
from trace.recalls.telling import ABOUT
from village.db import db, write
from village.errors import Conflict
from village.outbox.models import Message, MessageState
from village.outbox.services import bodies
from village.people.access import Actor
from village.products.models import Product

PAGE = 100
AT_ONCE = 200
"""Orders that one press fills from other lots."""
OUT = (Reached.SHIPPING, Reached.DELIVERED)


@dataclass(frozen=True)
class Told:
    """One buyer's order as the office follows it. `message` is None for a buyer whose number nobody has."""

    order: Order
    state: Reached
    units: int
    lots: tuple[str, ...]
    message: Message | None
    waits: bool
    """True while packs of a stopped lot still fill it."""


@dataclass(frozen=True)
class Followed:
    """A recall with all that its page shows. Buyers are those of the asker's own cooperative."""

    recall: Recall
    lots: Sequence[RecallLot]
    account: Account
    states: dict[str, int]
    """Packs in orders, by state; and `other`, those that left without an order."""
    buyers: Sequence[Told]
    others: int
    """Orders of other cooperatives' buyers."""
    offices: Sequence[Message]
    """What other cooperatives' offices were told."""
    stopped: int
    """Orders of the asker's own that still wait for other lots."""


def follow(who: Actor, recall_id: str) -> Followed:
    """One recall that concerns the asker; NotFound for others."""
    session = db.session()
    recall = reading.one(who, recall_id)
    rows = session.execute(
        select(RecallOrder.order_id, RecallOrder.state, RecallOrder.lot, RecallOrder.units, RecallOrder.message_id)
        .where(RecallOrder.recall_id == recall.id)
        .order_by(RecallOrder.order_id, RecallOrder.lot)
    ).all()
    messages = {one.id: one for one in bodies(session, ABOUT, recall.id)}
    orders = _visible(session, who, recall.id)
    waiting = _held_in_orders(session, orders)
    buyers: dict[str, Told] = {}
    for order_id, state, lot, units, message_id in rows:
        order = orders.get(order_id)
        if order is None:
            continue
        before = buyers.get(order_id)
        buyers[order_id] = Told(
            order, state, units + (before.units if before else 0), (*(before.lots if before else ()), lot),
            messages.get(message_id or ""), order_id in waiting,
        )  # fmt: skip
    states = {state.value: sum(row.units for row in rows if row.state is state) for state in Reached}
    states["other"] = recall.sold - states["shipping"] - states["delivered"]
    told = [one for one in messages.values() if one.cooperative_id == who.cooperative_id]
    return Followed(
        recall=recall,
        lots=reading.lots_of(session, recall.id),
        account=counting.account(recall, told_units(session, recall.id)),
        states=states,
        buyers=sorted(buyers.values(), key=lambda one: (one.state is Reached.STOPPED, one.order.number)),
        others=len({row.order_id for row in rows}) - len(buyers),
        offices=[one for one in told if ":office:" in one.key],
        stopped=len(waiting),
    )


def told_units(session: Session, recall_id: str) -> int:
    """Packs that had left to buyers who were told since."""
    query = (
        select(func.coalesce(func.sum(RecallOrder.units), 0))
        .join(Message, Message.id == RecallOrder.message_id)
        .where(RecallOrder.recall_id == recall_id, RecallOrder.state.in_(OUT), Message.state == MessageState.SENT)
    )
    return int(session.scalar(query) or 0)


def close(who: Actor, recall_id: str, note: str, step_id: str) -> None:
    """Close a recall with the packs that are accounted for by now. Sent twice, done once."""
    with write() as session:
        counting.close_in(session, who, recall_id, note, step_id, told_units(session, recall_id))


def reallocate(who: Actor, recall_id: str) -> tuple[int, int]:
    """Fill the asker's own stopped orders from clean lots, each by itself; (how many were, how many could not)."""
    reading.one(who, recall_id)
    orders = _visible(db.session(), who, recall_id)
    waiting = sorted(_held_in_orders(db.session(), orders))[:AT_ONCE]
    done = 0
    for order_id in waiting:
        try:
            steps.reallocate(who, order_id)
            done += 1
        except Conflict:
            # No clean lot has enough, or somebody else moved the order on: it stays as it is, and is still listed.
            continue
    return done, len(waiting) - done


@dataclass(frozen=True)
class OrderNotice:
    """What an order's page says of recalls. `state`: `sent` (do not eat it), `stopped` (not sent), `changed` (filled
    from another lot by now)."""

    state: str
    lots: tuple[str, ...]
    reason: str


_OF_ORDER = (
    select(RecallOrder.batch_id, RecallOrder.lot, Recall.reason)
    .join(Recall, Recall.id == RecallOrder.recall_id)
    .where(RecallOrder.order_id == bindparam("order"), Recall.drill.is_(False), ~reading.lifted())
    .order_by(Recall.started_at.desc(), RecallOrder.lot)
)


def of_order(order: Order) -> OrderNotice | None:
    """What the buyer and the seller of this order are to know; None for most orders."""
    rows = db.session.execute(_OF_ORDER, {"order": order.id}).all()
    if not rows or order.status is Status.CANCELLED:
        return None
    parts = [part for line in order.lines for part in line.allocations]
    for state, filled in (
        ("sent", {part.batch_id for part in parts if part.gone}),
        ("stopped", {part.batch_id for part in parts if part.waiting}),
    ):
        still = tuple(dict.fromkeys(lot for batch, lot, _ in rows if batch in filled))
        if still:
            return OrderNotice(state, still, rows[0].reason)
    return None if order.status in GONE else OrderNotice("changed", (), rows[0].reason)


def stopped_orders(orders: Sequence[Order]) -> set[str]:
    """Ids of those orders that hold packs of recalled lots: they cannot be sent."""
    return _held_in_orders(db.session(), {one.id: one for one in orders if one.status in OPEN})


@dataclass(frozen=True)
class ProductNotice:
    """Lots of a product that are being recalled: the first few codes, and how many there are."""

    lots: tuple[str, ...]
    count: int
    reason: str


_GOING = select(Recall.id, Recall.reason).where(reading.going_on())


def of_product(product_id: str) -> ProductNotice | None:
    """What a product's page says; None while nothing of it is being recalled."""
    going = db.session.execute(_GOING).all()
    if not going:
        return None
    reasons = {one: why for one, why in going}
    rows = db.session.execute(
        select(Batch.lot, RecallLot.recall_id)
        .join(RecallLot, RecallLot.batch_id == Batch.id)
        .where(RecallLot.recall_id.in_(reasons), RecallLot.packed > 0, Batch.product_id == product_id)
        .order_by(Batch.made_at.desc(), Batch.id)
    ).all()
    if not rows:
        return None
    lots = tuple(dict.fromkeys(lot for lot, _ in rows))
    return ProductNotice(lots[:6], len(lots), reasons[rows[0].recall_id])


def started_of(recall: Recall) -> RecallStep | None:
    """The step with which it began: who, when, how long it took."""
    return next((step for step in recall.steps if step.what is What.STARTED), None)


def _visible(session: Session, who: Actor, recall_id: str) -> dict[str, Order]:
    """Its orders in which the asker's cooperative sells."""
    reached = select(RecallOrder.order_id).where(RecallOrder.recall_id == recall_id)
    own = (
        select(OrderLine.order_id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id.in_(reached), Product.cooperative_id == who.cooperative_id)
    )
    ids = set(session.scalars(own))
    bare = select(Order).where(Order.id.in_(listed(session, ids))).options(lazyload(Order.lines))
    return {one.id: one for one in session.scalars(bare)}


def _held_in_orders(session: Session, orders: Collection[str]) -> set[str]:
    """Of these orders, those not sent that hold packs of recalled lots."""
    if not orders:
        return set()
    query = (
        select(OrderLine.order_id)
        .join(Allocation, Allocation.order_line_id == OrderLine.id)
        .join(Batch, Batch.id == Allocation.batch_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            OrderLine.order_id.in_(listed(session, set(orders))),
            Batch.hold == "recalled",
            Order.status.in_(OPEN),
            Allocation.units > Allocation.sent,
        )
    )
    return set(session.scalars(query))
