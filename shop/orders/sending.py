"""Packs leave: an event on the ledger for their lots, a parcel, and stock that is sold, in the caller's transaction."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.delivery.models import DeliveryState, Shipment, ShipmentPart
from shop.orders.arriving import step_in
from shop.orders.errors import not_paid, wrong_parts
from shop.orders.models import Allocation, Delivery, Order, Status
from shop.orders.moving import record, touch
from shop.stock import services as stock
from shop.stock.services import Part
from village import clock
from village.errors import Conflict
from village.i18n import lazy_gettext as _l
from village.people.access import Actor

Packs = tuple[str, str, int]
"""(order line's id, batch id, units)."""
READY = (Status.PICKED, Status.PARTLY_DISPATCHED)


def send_in(
    session: Session,
    actor: Actor,
    order_id: str,
    parts: Sequence[Packs] | None,
    *,
    carrier: Delivery,
    shipment_id: str,
    cod_amount: int,
) -> Shipment:
    """A parcel leaves with these packs, or with all that have not left (`parts` None), inside `write(ledger=True)`.

    `cod_amount`: đồng that whoever carries it collects. The same `shipment_id` again gives the parcel that there is.
    Conflict when the order is not picked, has been sent by somebody else, is not paid (`not-paid`) though it has to be,
    or when a lot may not be sent; BadInput `wrong-parts` for packs that it does not have. The caller has authorised.
    """
    from batches.stages.services import record_dispatch  # that room's services load its process files

    order = session.get_one(Order, order_id)
    known = session.get(Shipment, shipment_id)
    if known is not None:
        if known.order_id != order_id:
            raise Conflict("shipment-taken", _l("Mã chuyến này là của đơn khác."), shipment=shipment_id)
        return known
    touch(session, order, READY, actor)
    if order.paid_ahead and not order.settled:
        raise not_paid(order)
    rows = _chosen(order, parts)
    packs = stock.in_order(session, [Part(row.batch_id, row.lot, units) for row, units in rows])
    refuse_stopped(session, packs)
    recorded = record_dispatch(
        session, actor, [(part.batch_id, part.units) for part in packs], buyer=buyer_text(order)
    )
    session.refresh(order)  # the ledger forgets what the session had read
    stock.mark_sold(session, packs)
    for row, units in rows:
        row.sent += units
    order.status = Status.PARTLY_DISPATCHED if _waiting(order) else Status.DISPATCHED
    record(order, order.status, actor)
    shipment = _parcel(session, order, rows, carrier, shipment_id, cod_amount)
    shipment.event_id = recorded[0].event_id
    step_in(session, shipment, shipment.state, clock.now(), "seller", actor)
    return shipment


def buyer_text(order: Order) -> str:
    """What the ledger's salted commitment of a dispatch is made of, word for word."""
    place = [order.buyer_address, order.buyer_ward, order.buyer_province]
    whole = ", ".join(part for part in place if part)
    return "\n".join((order.number, order.buyer_name or "", order.buyer_phone or "", whole))


def refuse_stopped(session: Session, parts: Sequence[Part]) -> None:
    """Conflict when one of these lots may not be sent today."""
    stopped = stock.lots_stopped(session, parts)
    for part in parts:
        if part.batch_id in stopped:
            raise stock.lot_on_hold(part.lot)


def to_collect(session: Session, order: Order) -> int:
    """Đồng that the next parcel's carrier is to collect: what is owed, without what earlier parcels are to bring."""
    if order.paid_ahead:
        return 0
    awaited = session.scalar(
        select(func.coalesce(func.sum(Shipment.cod_amount), 0)).where(
            Shipment.order_id == order.id,
            Shipment.cod_settled_at.is_(None),
            Shipment.state.not_in((DeliveryState.RETURNED, DeliveryState.LOST_DAMAGED, DeliveryState.CANCELLED)),
        )
    )
    return max(order.owed - int(awaited or 0), 0)


def _chosen(order: Order, parts: Sequence[Packs] | None) -> list[tuple[Allocation, int]]:
    """The allocations that go, each with how many packs of it; BadInput for what the order does not hold."""
    held = {(part.order_line_id, part.batch_id): part for line in order.lines for part in line.allocations}
    if parts is None:
        return [(part, part.waiting) for part in held.values() if part.waiting]
    wanted: dict[tuple[str, str], int] = {}
    for line_id, batch_id, units in parts:
        if type(units) is not int or units < 1:
            raise wrong_parts()
        wanted[line_id, batch_id] = wanted.get((line_id, batch_id), 0) + units
    if not wanted or any(key not in held or units > held[key].waiting for key, units in wanted.items()):
        raise wrong_parts()
    return [(held[key], units) for key, units in wanted.items()]


def _waiting(order: Order) -> int:
    return sum(part.waiting for line in order.lines for part in line.allocations)


def _parcel(
    session: Session,
    order: Order,
    rows: Sequence[tuple[Allocation, int]],
    carrier: Delivery,
    shipment_id: str,
    cod_amount: int,
) -> Shipment:
    now = clock.now()
    last = session.scalar(select(func.max(Shipment.number)).where(Shipment.order_id == order.id)) or 0
    shipment = Shipment(
        id=shipment_id, order_id=order.id, number=last + 1, carrier=carrier, state=DeliveryState.CREATED,
        cod_amount=cod_amount, created_at=now, updated_at=now, dispatched_at=now, steps=[],
        parts=[
            ShipmentPart(order_line_id=row.order_line_id, batch_id=row.batch_id, lot=row.lot, units=units)
            for row, units in rows
        ],
    )  # fmt: skip
    session.add(shipment)
    session.flush()
    return shipment
