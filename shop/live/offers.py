"""Packs that came back are kept for the next in the queue for a time: hers when she says yes, the next one's when not.

They are in her order meanwhile (`room.promote`), so that nobody else can have them. She says yes by asking for them
again, on her own page, by paying, or the seller does it for her; an order that went on took them along.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, selectinload

from shop.live.models import LiveOffer, LiveSession, LiveWait, OfferState
from shop.live.room import QUEUE_KEPT, Room, hold, within_limit
from shop.live.standing import given_up
from shop.orders.models import Order
from shop.orders.moving import record
from shop.stock import aside
from village import clock
from village.db import db, write
from village.people.access import Actor


def taken(session: Session, order: Order, actor: Actor | None = None) -> int:
    """All that is kept in an order is hers now, in the caller's transaction; how many offers those were.

    `actor` is the seller who says so for her. What had lapsed before stays lapsed.
    """
    session.execute(select(Order.id).where(Order.id == order.id).with_for_update())
    done = session.execute(
        update(LiveOffer)
        .where(LiveOffer.order_id == order.id, LiveOffer.state == "open")
        .values(state="taken")
        .execution_options(synchronize_session="fetch")
    )
    assert isinstance(done, CursorResult)
    if done.rowcount and actor is not None:
        record(order, "changed", actor)
    return done.rowcount


def close(room: Room, author: str, codes: Collection[str], state: OfferState) -> None:
    """What is kept for a viewer of these codes is decided by her own words."""
    for code, offers in room.offers_of(author).items():
        for offer in offers if code in codes else ():
            offer.state = state


def lapse_due() -> None:
    """See to the queues: offers whose time is over, and packs that came back by another door. Called every few seconds
    by the jobs' sweeper; each session in a transaction of its own."""
    over = select(LiveOffer.session_id).join(LiveSession, LiveSession.id == LiveOffer.session_id).distinct()
    over = over.where(LiveOffer.state == "open", LiveOffer.until <= clock.now(), LiveSession.status != "paused")
    due = set(db.session.scalars(over))
    due |= {live.id for live in _with_queues(db.session(), clock.now()) if _may_move(db.session(), live)}
    db.session.remove()
    for session_id in sorted(due):
        move_up(session_id)


def move_up(session_id: str) -> None:
    """Let lapse what is over in a session, and serve those who wait as far as packs are left."""
    with write() as session:
        Room(session, hold(session, session_id)).enter((), ())


def _with_queues(session: Session, now: dt.datetime) -> Sequence[LiveSession]:
    """Sessions in which somebody waits and may be served."""
    waits = select(LiveWait.id).where(LiveWait.session_id == LiveSession.id, LiveWait.state == "waiting")
    lately = and_(LiveSession.status == "ended", LiveSession.ended_at > now - QUEUE_KEPT)
    serving = select(LiveSession).where(or_(LiveSession.status == "open", lately), waits.exists())
    return session.scalars(serving.options(selectinload(LiveSession.codes))).all()


def _may_move(session: Session, live: LiveSession) -> bool:
    """Whether somebody who waits could be served now; read without holding anything."""
    waits = select(LiveWait.code_id, func.min(LiveWait.quantity))
    waits = waits.where(LiveWait.session_id == live.id, LiveWait.state == "waiting").group_by(LiveWait.code_id)
    least = {code_id: int(packs) for code_id, packs in session.execute(waits)}
    codes = [code for code in live.codes if code.id in least]
    reach = aside.within_reach(session, codes)
    back: Counter[str] = Counter()
    for given in session.scalars(given_up(live.id)):
        back[given.code_id] += given.quantity
    return any(least[code.id] <= within_limit(code, reach[code.id], back[code.id]) for code in codes)
