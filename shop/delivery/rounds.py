"""Rounds: parcels under way are asked about, should a notice have got lost; what was left over is called off."""

import datetime as dt
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from shop.delivery.accounts import account_of, any_account
from shop.delivery.carrier import Carrier, Tracked
from shop.delivery.errors import CarrierRefused, CarrierSilent
from shop.delivery.models import AskedParcel, DeliveryState, Shipment
from shop.delivery.shipping import call_off, carrier_of
from shop.delivery.states import ON_THE_WAY
from shop.delivery.steps import find, hear_in, locked
from shop.orders.models import Order
from village import clock
from village.db import db, write
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.services import ask_once
from village.jobs.work import Work
from village.people.access import Actor

ROUND = "delivery.round"
EVERY = dt.timedelta(hours=2)
"""How often a parcel under way is asked about."""
GIVEN_UP = dt.timedelta(days=60)
"""After that a parcel is not asked about any more."""
LEFT_OVER = dt.timedelta(minutes=15)
"""A parcel that was asked for and has not left by then is called off: longer than any form takes."""
AT_ONCE = 100

log = structlog.get_logger("soi.delivery")


def look_again(actor: Actor, shipment_id: str) -> None:
    """Ask the carrier about one parcel now, at a seller's wish. Raises CarrierSilent or CarrierRefused."""
    shipment = find(actor, shipment_id)
    carrier, tracking, seller = shipment.carrier, shipment.tracking, shipment.order.cooperative_id
    db.session.remove()
    if tracking is None:
        return
    with carrier_of(carrier, seller) as asked:
        tracked = asked.track(tracking)
    with write() as session:
        heard_in(session, shipment_id, tracked)


def stop(actor: Actor, shipment_id: str) -> None:
    """Call a parcel off before the carrier fetches it. Its packs then wait to be put back (`steps.take_back`)."""
    shipment = find(actor, shipment_id)
    carrier, tracking, seller = shipment.carrier, shipment.tracking, shipment.order.cooperative_id
    db.session.remove()
    if tracking is None:
        return
    with carrier_of(carrier, seller) as asked:
        asked.cancel(tracking)
        tracked = asked.track(tracking)
    with write() as session:
        heard_in(session, shipment_id, tracked, actor)


def heard_in(session: Session, shipment_id: str, tracked: Tracked, actor: Actor | None = None) -> bool:
    """Write down what the carrier said when asked; False when it is about a parcel that is not ours."""
    if tracked.client_code != shipment_id:
        return False
    shipment = locked(session, shipment_id)
    shipment.checked_at = clock.now()
    if tracked.cod_sent_at is not None:
        shipment.cod_sent_at = tracked.cod_sent_at
    hear_in(session, shipment, tracked.story, tracked.state, tracked.cod_amount, actor)
    return True


def see_to_it() -> None:
    """Have a round made when something is due; called every few seconds."""
    if not any_account():
        return
    with db.engine.connect() as connection:
        due = connection.execute(select(Shipment.id).where(_due()).limit(1)).first()
        due = due or connection.execute(select(AskedParcel.shipment_id).where(_left_over()).limit(1)).first()
    if due is not None:
        ask_once(ROUND)


@kind(ROUND, name=_l("Hỏi thăm các kiện hàng đang đi"))
def go_round(work: Work) -> dict[str, Any]:
    """Ask about what is due, and call off what was left over. Done again, it comes to the same."""
    asked = db.session.execute(
        select(Shipment.id, Shipment.tracking, Order.cooperative_id)
        .join(Order, Order.id == Shipment.order_id)
        .where(_due()).order_by(Shipment.checked_at).limit(AT_ONCE)
    ).all()  # fmt: skip
    left = db.session.execute(
        select(AskedParcel.shipment_id, Order.cooperative_id)
        .join(Order, Order.id == AskedParcel.order_id)
        .where(_left_over()).limit(AT_ONCE)
    ).all()  # fmt: skip
    db.session.remove()
    told = silent = done = 0
    for seller in sorted({row.cooperative_id for row in (*asked, *left)}, key=str):
        parcels = [(row.id, str(row.tracking)) for row in asked if row.cooperative_id == seller]
        dropped = [row.shipment_id for row in left if row.cooperative_id == seller]
        if account_of(seller) is None:
            # Its account was taken away: a person has to ask about what is still on the way.
            silent += len(parcels) + len(dropped)
            for shipment_id, _tracking in parcels:
                _put_off(shipment_id)
            continue
        with carrier_of("ghn", seller) as carrier:
            for shipment_id in dropped:
                silent += not call_off(carrier, shipment_id)
                work.go_on()
            for shipment_id, tracking in parcels:
                heard = _look(carrier, shipment_id, tracking)
                told, silent, done = told + bool(heard), silent + (heard is None), done + 1
                work.progress(done, len(asked))
    return {"told": told, "silent": silent, "left": len(left)}


def _look(carrier: Carrier, shipment_id: str, tracking: str) -> bool | None:
    """Ask about one parcel and write the answer down: whether it was about ours; None when the carrier says nothing."""
    try:
        tracked = carrier.track(tracking)
    except (CarrierSilent, CarrierRefused) as error:
        log.warning("the carrier says nothing of a parcel", shipment=shipment_id, why=error.slug)
        _put_off(shipment_id)
        return None
    with write() as session:
        return heard_in(session, shipment_id, tracked)


def _put_off(shipment_id: str) -> None:
    """One that cannot be asked about does not hold up the others."""
    with write() as session:
        locked(session, shipment_id).checked_at = clock.now()


def _due() -> ColumnElement[bool]:
    now = clock.now()
    unsettled = and_(
        Shipment.state == DeliveryState.DELIVERED, Shipment.cod_amount > 0, Shipment.cod_sent_at.is_(None),
        Shipment.cod_settled_at.is_(None),
    )  # fmt: skip
    return and_(
        Shipment.carrier == "ghn", Shipment.tracking.is_not(None), Shipment.created_at > now - GIVEN_UP,
        or_(Shipment.state.in_(ON_THE_WAY), unsettled),
        or_(Shipment.checked_at.is_(None), Shipment.checked_at < now - EVERY),
    )  # fmt: skip


def _left_over() -> ColumnElement[bool]:
    return and_(AskedParcel.closed_at.is_(None), AskedParcel.asked_at < clock.now() - LEFT_OVER)
