"""Writing down how parcels ended, and forgetting it. `…_in` functions work inside the caller's transaction."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from shop.delivery.models import Shipment
from shop.delivery.states import DeliveryState
from shop.orders.models import Order
from shop.refusals.models import CallFirst, ParcelAppeal, ParcelOutcome
from shop.refusals.rules import Outcome, guess, rules
from shop.stock.services import Part, lots_stopped
from village import clock, keyfile
from village.db import write

KEY = "parcels"
TELLING: tuple[Outcome, ...] = ("refused", "unreachable")
"""What a seller may say of a parcel that came back."""


def phone_hash(phone: str) -> str:
    """What is kept instead of a telephone number (E.164)."""
    return hmac.new(keyfile.secret(KEY), phone.encode(), hashlib.sha256).hexdigest()


def note_in(session: Session, order: Order, shipment: Shipment, outcome: Outcome) -> None:
    """A parcel ended like this, whatever was written of it before. Nothing where its buyer's number is not known."""
    if order.buyer_phone is None:
        return
    day = clock.today()
    row = session.get(ParcelOutcome, shipment.id) or ParcelOutcome(shipment_id=shipment.id)
    row.phone_hash, row.outcome, row.day = phone_hash(order.buyer_phone), outcome, day
    row.expires = day + dt.timedelta(days=rules().kept_days)
    session.add(row)
    session.flush()


def told_in(session: Session, order: Order, shipment: Shipment, why: str) -> None:
    """Somebody who has what came back in her hands says why: `refused`, `unreachable`, or anything else, which is not
    the buyer's doing and is not kept."""
    if why in TELLING and blamable(session, shipment):
        note_in(session, order, shipment, "refused" if why == "refused" else "unreachable")
        return
    session.execute(delete(ParcelOutcome).where(ParcelOutcome.shipment_id == shipment.id))


def blamable(session: Session, shipment: Shipment) -> bool:
    """True for a parcel for cash that came back, of lots that nobody warned of: nobody has to take a recalled pack."""
    if shipment.state is not DeliveryState.RETURNED or not shipment.cod_amount:
        return False
    return not lots_stopped(session, [Part(part.batch_id, part.lot, part.units) for part in shipment.parts])


def proposal(shipment: Shipment) -> Outcome | None:
    """What the carrier's last words about it sound like."""
    said = next((step.note for step in reversed(shipment.steps) if step.note), "")
    return guess(said, rules())


def forget_in(session: Session, orders: Sequence[Order]) -> None:
    """With the buyer of an order goes how its parcels ended, and what she wrote about that; before her number does."""
    ids = [order.id for order in orders]
    marks = {phone_hash(order.buyer_phone) for order in orders if order.buyer_phone}
    sellers = {order.cooperative_id for order in orders}
    parcels = select(Shipment.id).where(Shipment.order_id.in_(ids))
    _run(session, delete(ParcelOutcome).where(ParcelOutcome.shipment_id.in_(parcels)))
    _run(session, delete(CallFirst).where(CallFirst.order_id.in_(ids)))
    mine = ParcelAppeal.phone_hash.in_(marks), ParcelAppeal.cooperative_id.in_(sellers)
    _run(session, delete(ParcelAppeal).where(*mine))


def tidy() -> bool:
    """Forget what is old enough; True when there was any. Called about once an hour."""
    shown = dt.timedelta(days=rules().appeal_shown)
    answered = ParcelAppeal.state != "open", ParcelAppeal.answered_at < clock.now() - shown
    with write() as session:
        gone = _run(session, delete(ParcelOutcome).where(ParcelOutcome.expires <= clock.today()))
        return bool(gone + _run(session, delete(ParcelAppeal).where(*answered)))


def strike_in(session: Session, mark: str, cooperative_id: str) -> None:
    """What is kept against a number at this seller is wrong: it goes, and no order has to wait for a call because of
    it."""
    parcels = select(Shipment.id).join(Order).where(Order.cooperative_id == cooperative_id)
    against = ParcelOutcome.phone_hash == mark, ParcelOutcome.outcome.in_(TELLING)
    _run(session, delete(ParcelOutcome).where(*against, ParcelOutcome.shipment_id.in_(parcels)))


def free_in(session: Session, phone: str, cooperative_id: str) -> None:
    """No order of this number (E.164) at this seller has to wait for a call any more."""
    orders = select(Order.id).where(Order.cooperative_id == cooperative_id, Order.buyer_phone == phone)
    waiting = CallFirst.called_at.is_(None), or_(CallFirst.reason == "back", CallFirst.reason == "often")
    _run(session, delete(CallFirst).where(*waiting, CallFirst.order_id.in_(orders)))


def _run(session: Session, statement: Any) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount
