"""Parcels of an order that arrived, or came to another end. All inside the caller's transaction."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.delivery.models import DeliveryState, Shipment, ShipmentStep, Source
from shop.orders.models import GONE, Order, Status
from shop.orders.money import close_payments, standing
from shop.orders.moving import record, touch
from shop.refusals import keeping as refusals
from village import clock
from village.people.access import Actor

NOT_THERE = (DeliveryState.RETURNED, DeliveryState.LOST_DAMAGED, DeliveryState.CANCELLED)
"""Ends of a parcel other than its buyer's door."""
SENT = (Status.PARTLY_DISPATCHED, *GONE)


def arrived_in(session: Session, shipment: Shipment, at: dt.datetime, actor: Actor | None = None) -> None:
    """A parcel is with its buyer since `at`. When no other of its order is under way, the order is delivered.

    Told again, it changes nothing. Conflict for an order of which nothing has left.
    """
    order = session.get_one(Order, shipment.order_id)
    touch(session, order, SENT)
    if shipment.state is not DeliveryState.DELIVERED:
        step_in(session, shipment, DeliveryState.DELIVERED, at, "seller" if actor else "carrier", actor)
    if shipment.delivered_at is None:
        shipment.delivered_at = at
        refusals.note_in(session, order, shipment, "delivered")
        if order.status is Status.PARTLY_DISPATCHED or _under_way(_parcels(session, order)):
            record(order, "arrived", actor, at=at)
    end_in(session, order, actor, at)


def step_in(
    session: Session,
    shipment: Shipment,
    state: DeliveryState,
    at: dt.datetime,
    source: Source,
    actor: Actor | None = None,
    note: str = "",
) -> None:
    """A parcel's next state, with its row in what is told of it."""
    shipment.state, shipment.updated_at = state, clock.now()
    shipment.steps.append(
        ShipmentStep(
            position=len(shipment.steps), state=state, at=at, source=source, note=note,
            member_id=actor.id if actor else None,
        )
    )  # fmt: skip
    session.flush()


def end_in(session: Session, order: Order, actor: Actor | None = None, at: dt.datetime | None = None) -> None:
    """Bring an order to its end when all that was sent has come to its own: delivered where a parcel arrived, cancelled
    where everything came back or was lost. An order of which some is still to be sent goes on."""
    if order.status is not Status.DISPATCHED:
        return
    parcels = _parcels(session, order)
    arrived = any(one.delivered_at for one in parcels)
    if not arrived and not any(part.gone for line in order.lines for part in line.allocations):
        order.status, order.hold_until = Status.CANCELLED, None
        order.payment_state = standing(order)
        close_payments(session, order)
        record(order, Status.CANCELLED, actor)
    elif arrived and not _under_way(parcels):
        order.status = Status.DELIVERED
        record(order, Status.DELIVERED, actor, at=at)
    session.flush()


def _under_way(parcels: Sequence[Shipment]) -> bool:
    return any(one.delivered_at is None and one.state not in NOT_THERE for one in parcels)


def _parcels(session: Session, order: Order) -> Sequence[Shipment]:
    session.flush()
    return session.scalars(select(Shipment).where(Shipment.order_id == order.id).order_by(Shipment.number)).all()
