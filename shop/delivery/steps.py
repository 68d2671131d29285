"""What happens to a parcel after it left. `…_in` functions work inside the caller's transaction."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.delivery import cod
from shop.delivery.errors import moved_on, no_parcel
from shop.delivery.models import DeliveryState, Shipment, ShipmentStep, Source
from shop.delivery.shown import state_words
from shop.delivery.states import AT_HOME, BACK, ON_THE_WAY, Report, fold
from shop.orders import steps as orders
from shop.orders.models import Order
from shop.orders.returning import Fate, Returned
from shop.refusals import keeping as refusals
from village import clock
from village.db import db, write
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.text import clean_line

NOTE_MAX = 200
MINE: dict[str, tuple[DeliveryState, tuple[DeliveryState, ...]]] = {
    "delivered": (DeliveryState.DELIVERED, ON_THE_WAY),
    "failed": (DeliveryState.FAIL_ATTEMPT, ON_THE_WAY),
    "back": (DeliveryState.RETURNED, ON_THE_WAY),
    "lost": (DeliveryState.LOST_DAMAGED, ON_THE_WAY),
}
"""What a seller says of a parcel in her own hands: what it then is, and from where. A carrier tells its own."""


def find(actor: Actor, shipment_id: str) -> Shipment:
    """A parcel for who works on its order; NotFound for any other."""
    if not actor.has(*orders.WORKERS):
        raise wrong_role()
    found = db.session.scalar(select(Shipment).join(Order).where(Shipment.id == shipment_id, orders.sold_by(actor)))
    if found is None:
        raise no_parcel()
    return found


def tell(actor: Actor, shipment_id: str, what: str, note: object = "") -> Shipment:
    """A seller says how it went with a parcel that she brings herself. Conflict when it has an end already."""
    if find(actor, shipment_id).carrier != "hand" or what not in MINE:
        raise BadInput("not-yours-to-tell", _l("Kiện này do bên giao hàng báo, mình không ghi thay được."))
    said = clean_line(note, "note", NOTE_MAX, required=what == "failed")
    state, sources = MINE[what]
    with write() as session:
        shipment = locked(session, shipment_id)
        if shipment.state not in sources:
            raise moved_on(state_words(shipment.state, shipment.carrier))
        now = clock.now()
        note_in(session, shipment, [Report(state, now, said)], state, "seller", actor)
        if state is DeliveryState.DELIVERED:
            delivered_in(session, shipment, now, shipment.cod_amount, actor)
        return shipment


def hear_in(
    session: Session,
    shipment: Shipment,
    story: Sequence[Report],
    now: DeliveryState | None,
    collected: int,
    actor: Actor | None = None,
) -> None:
    """What the carrier says of a parcel, wholly: new steps, where it is, and what follows from it.

    `collected`: đồng that it takes at the door; `actor`: who made it say so. Heard twice, it changes nothing more. The
    row is locked.
    """
    # What somebody has looked at and put away does not set out again.
    if shipment.taken_back_at is not None:
        return
    kept = [(step.state, step.at) for step in shipment.steps]
    heard = fold(shipment.state, kept, story, now, clock.now())
    note_in(session, shipment, heard.new, heard.state, "carrier", actor)
    if now is not DeliveryState.DELIVERED:
        return
    if shipment.delivered_at is None:
        delivered_in(session, shipment, heard.new[-1].at, collected, actor)
    elif not shipment.cod_collected:
        # A seller had said so before the carrier did, and knew nothing of its money.
        cod.collected_in(session, shipment, collected, shipment.delivered_at)


def note_in(
    session: Session,
    shipment: Shipment,
    reports: Sequence[Report],
    state: DeliveryState,
    source: Source,
    actor: Actor | None,
) -> None:
    """Add to a parcel's story, and say where it is now."""
    at = len(shipment.steps)
    for index, report in enumerate(reports):
        shipment.steps.append(
            ShipmentStep(
                position=at + index, state=report.state, at=report.at, source=source, note=report.note,
                member_id=actor.id if actor else None,
            )
        )  # fmt: skip
    if reports or state is not shipment.state:
        shipment.updated_at = clock.now()
    shipment.state = state
    session.flush()


def delivered_in(
    session: Session, shipment: Shipment, at: dt.datetime, collected: int, actor: Actor | None = None
) -> None:
    """It is with its buyer, and what was due at the door was paid."""
    cod.collected_in(session, shipment, collected, at)
    orders.arrived_in(session, shipment, at, actor)


def take_back(actor: Actor, shipment_id: str, good: dict[tuple[str, str], int], why: str = "") -> Shipment:
    """Somebody has looked at what came back: `good` packs by (line, batch) go on the shelf again, the others are lost.
    `why`: `refused` or `unreachable` where that was the buyer's doing (`shop.refusals.keeping`).

    Once for each parcel, and only when it came back, was called off, or got lost.
    """
    find(actor, shipment_id)
    with write(ledger=True) as session:
        shipment = locked(session, shipment_id)
        if not waits_to_be_taken_back(shipment):
            raise moved_on(state_words(shipment.state, shipment.carrier))
        parts: list[Returned] = []
        for part in shipment.parts:
            whole = good.get((part.order_line_id, part.batch_id), 0)
            if not 0 <= whole <= part.units:
                raise BadInput("too-many-back", _l("Kiện này chỉ có %(units)s gói của lô ấy."), units=part.units)
            fates: tuple[tuple[Fate, int], ...] = (("resell", whole), ("lost", part.units - whole))
            parts += [(part.order_line_id, part.batch_id, units, fate) for fate, units in fates if units]
        shipment.taken_back_at = clock.now()
        session.flush()
        refusals.told_in(session, shipment.order, shipment, why)
        orders.return_in(session, actor, shipment.order_id, parts)
        return session.get_one(Shipment, shipment_id)


def may_call_off(shipment: Shipment) -> bool:
    """True while the carrier does not have it yet."""
    return shipment.carrier != "hand" and shipment.state in AT_HOME


def waits_to_be_taken_back(shipment: Shipment) -> bool:
    """True when somebody has to look at what came back of it, or write off what did not."""
    return shipment.state in BACK and shipment.taken_back_at is None


def locked(session: Session, shipment_id: str) -> Shipment:
    """The parcel's row, ours to the transaction's end; after its order's, as everywhere."""
    order_id = select(Shipment.order_id).where(Shipment.id == shipment_id).scalar_subquery()
    session.execute(select(Order.id).where(Order.id == order_id).with_for_update())
    query = select(Shipment).where(Shipment.id == shipment_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise no_parcel()
    return found
