"""The sellers' list of parcels, in a fixed number of statements however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import contains_eager

from shop.delivery.models import DeliveryState, Shipment
from shop.delivery.states import BACK, ON_THE_WAY
from shop.orders import steps
from village.db import db
from village.people.access import Actor, wrong_role

PAGE = 50


@dataclass(frozen=True)
class Desk:
    """What wants a hand, and a page of what is on its way, oldest first."""

    wanting: Sequence[Shipment]
    """Came back, got lost or was called off, and nobody has looked at its packs; or an attempt failed."""
    going: Sequence[Shipment]
    after: str | None
    """The id to go on from; None on the last page."""


def look(actor: Actor, after: str = "") -> Desk:
    """The parcels of the actor's cooperative that have not come to their end."""
    if not actor.has(*steps.WORKERS):
        raise wrong_role()
    mine = (
        select(Shipment).join(Shipment.order).where(steps.sold_by(actor)).options(contains_eager(Shipment.order))
        .order_by(Shipment.id)
    )  # fmt: skip
    failed = Shipment.state == DeliveryState.FAIL_ATTEMPT
    back = and_(Shipment.state.in_(BACK), Shipment.taken_back_at.is_(None))
    wanting: Sequence[Shipment] = () if after else db.session.scalars(mine.where(failed | back).limit(PAGE)).all()
    going = mine.where(Shipment.state.in_(ON_THE_WAY), ~failed)
    if after:
        going = going.where(Shipment.id > after)
    found = db.session.scalars(going.limit(PAGE + 1)).all()
    return Desk(wanting, found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)
