"""What waits for a seller: at each step, and beside the way. A fixed number of statements."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from shop.delivery.models import DeliveryState, Shipment
from shop.delivery.states import BACK
from shop.orders.models import OPEN, Order, PaymentState, Status
from shop.orders.steps import sold_by
from shop.payments.models import PaymentPuzzle
from shop.refusals.appeals import count_waiting
from shop.seller.filters import addressless, stopped
from shop.seller.services import WORKING
from village.db import db
from village.people.access import Actor


@dataclass(frozen=True)
class Waiting:
    """The orders of one step."""

    count: int
    oldest: dt.datetime | None
    """When the first of them was placed; None where there is none."""


@dataclass(frozen=True)
class Today:
    """Everything that somebody has to do something about."""

    steps: Mapping[Status, Waiting]
    unpaid: int
    """Orders that hold packs and wait for their money."""
    addressless: int
    """Orders of which it is not known to whom or where."""
    stopped: int
    """Open orders that are promised packs of lots which may not be sent."""
    puzzles: int
    """Money that did not find its order."""
    parcels: int
    """Parcels that want a hand: nobody was met, or what came back or got lost has not been looked at."""
    cod_out: int
    """Đồng that carriers collected and have not handed over."""
    appeals: int
    """What buyers wrote about parcels that came back, and nobody has answered."""


def today(actor: Actor) -> Today:
    """The actor's cooperative as it stands."""
    session = db.session()
    steps: dict[Status, Waiting] = dict.fromkeys(WORKING, Waiting(0, None))
    unpaid = nowhere = 0
    for status, count, oldest, awaited, unknown in session.execute(
        select(
            Order.status, func.count(), func.min(Order.created_at),
            func.sum(case((Order.payment_state == PaymentState.AWAITING, 1), else_=0)),
            func.sum(case((addressless(), 1), else_=0)),
        )
        .where(Order.status.in_(WORKING), sold_by(actor))
        .group_by(Order.status)
    ):  # fmt: skip
        steps[status] = Waiting(count, oldest)
        if status in OPEN:
            unpaid += awaited
            nowhere += unknown
    parcels, cod_out = _parcels(session, actor)
    return Today(
        steps, unpaid, nowhere, _stopped(session, actor), _puzzles(session, actor), parcels, cod_out,
        count_waiting(session, actor.cooperative_id),
    )  # fmt: skip


def _stopped(session: Session, actor: Actor) -> int:
    held = select(func.count()).select_from(Order)
    return session.scalar(held.where(Order.id.in_(stopped(session)), Order.status.in_(OPEN), sold_by(actor))) or 0


def _puzzles(session: Session, actor: Actor) -> int:
    mine = select(func.count()).select_from(PaymentPuzzle)
    mine = mine.where(PaymentPuzzle.cooperative_id == actor.cooperative_id, PaymentPuzzle.resolved_at.is_(None))
    return session.scalar(mine) or 0


def _parcels(session: Session, actor: Actor) -> tuple[int, int]:
    """How many want a hand, and đồng that carriers collected and have not handed over."""
    unseen = and_(Shipment.state.in_(BACK), Shipment.taken_back_at.is_(None))
    wanting = session.scalar(
        select(func.count())
        .select_from(Shipment)
        .join(Order, Order.id == Shipment.order_id)
        .where(or_(Shipment.state == DeliveryState.FAIL_ATTEMPT, unseen), sold_by(actor))
    )
    owed = session.scalar(
        select(func.sum(Shipment.cod_collected))
        .join(Order, Order.id == Shipment.order_id)
        .where(Shipment.state == DeliveryState.DELIVERED, Shipment.cod_settled_at.is_(None))
        .where(Shipment.carrier != "hand", Shipment.cod_collected > 0, sold_by(actor))
    )
    return wanting or 0, int(owed or 0)
