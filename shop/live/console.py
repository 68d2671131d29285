"""What the console shows of a livestream, read in a fixed number of statements."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from shop.live import resting
from shop.live.buyers import Cart, Held, Waiting, carts, held, waiting
from shop.live.models import (
    LiveClaim,
    LiveCode,
    LiveComment,
    LiveDecision,
    LiveForeignOrder,
    LiveOffer,
    LiveSession,
    LiveSource,
    LiveWait,
)
from shop.live.onsale import OnSale, on_sale
from shop.live.services import authorised
from shop.live.spoken import Spoken, doubts, stream
from shop.orders.models import Order, Status
from shop.stock.models import StockLot
from village import clock
from village.db import db
from village.i18n import current_language
from village.people.access import Actor


@dataclass(frozen=True)
class Troubles:
    """What a person has to see to beside the comments."""

    sources: int
    """Sources that fail just now."""
    orders: int
    """Orders that a platform took and that could not be filled here."""

    def __bool__(self) -> bool:
        return bool(self.sources or self.orders)


@dataclass(frozen=True)
class Console:
    """One livestream on its seller's screen."""

    live: LiveSession
    look: Sequence[Spoken]
    looks: int
    stream: Sequence[Spoken]
    older: int | None
    """Receive number before which older comments are read; None when all are shown."""
    codes: Sequence[OnSale]
    held: Sequence[Held]
    waiting: Sequence[Waiting]
    waits: int
    carts: Sequence[Cart]
    untold: int
    comments: int
    orders: int
    total: int
    """Đồng of all its orders."""
    troubles: Troubles
    left: int
    """Comments of a pause that is over and that are still to be decided."""

    @property
    def short(self) -> int:
        """How many codes are nearly or wholly sold out."""
        return sum(code.short for code in self.codes)


def console(actor: Actor, session_id: str) -> Console:
    """The livestream as it stands now; NotFound or Forbidden as `authorised`."""
    session = db.session()
    live = authorised(session, actor, session_id)
    look, looks = doubts(session, live)
    said, older = stream(session, live)
    queue, waits = waiting(session, live)
    told, untold = carts(session, live)
    comments, orders, total, failing, unfilled = session.execute(_counts(live)).one()
    return Console(
        live=live,
        look=look,
        looks=looks,
        stream=said,
        older=older,
        codes=on_sale(session, live),
        held=held(session, live),
        waiting=queue,
        waits=waits,
        carts=told,
        untold=untold,
        comments=comments,
        orders=orders,
        total=int(total),
        troubles=Troubles(failing, unfilled),
        left=resting.left(session, live),
    )


def older_than(actor: Actor, session_id: str, before: int) -> tuple[LiveSession, list[Spoken], int | None]:
    """The livestream, what was said before a receive number, and the number before which there is more."""
    session = db.session()
    live = authorised(session, actor, session_id)
    return live, *stream(session, live, before)


def freshness(actor: Actor, session_id: str) -> str:
    """A short text that changes whenever the console would show something else. Two statements, nothing is drawn.

    It must be asked for before the console is read: what changes in between is then only shown twice.
    """
    session = db.session()
    live = authorised(session, actor, session_id)
    seen = [str(value) for value in session.execute(_version(live)).one()]
    minute = int(clock.now().timestamp() // 60)
    return hashlib.sha256(json.dumps([live.id, current_language(), minute, *seen]).encode()).hexdigest()[:20]


def _counts(live: LiveSession) -> Select[int, int, int, int, int]:
    orders = (Order.live_session_id == live.id, Order.status != Status.CANCELLED)
    return select(
        _of(LiveComment, LiveComment.session_id == live.id),
        _of(Order, *orders),
        select(func.coalesce(func.sum(Order.total), 0)).where(*orders).scalar_subquery(),
        _of(LiveSource, LiveSource.session_id == live.id, LiveSource.state == "failing"),
        _of(LiveForeignOrder, LiveForeignOrder.session_id == live.id, LiveForeignOrder.fault != ""),
    )


def _version(live: LiveSession) -> Select[*tuple[Any, ...]]:
    """Figures of which at least one moves with every change that the console shows."""
    mine = LiveOffer.session_id == live.id
    lots = func.sum(StockLot.packed * 7 + StockLot.reserved * 5 + StockLot.sold * 3 + StockLot.lost)
    return select(
        LiveSession.status, LiveSession.becomes, LiveSession.pinned, LiveSession.received, LiveSession.title,
        _of(LiveDecision, LiveDecision.session_id == live.id),
        _of(Order, Order.live_session_id == live.id),
        select(func.max(Order.updated_at)).where(Order.live_session_id == live.id).scalar_subquery(),
        _of(LiveWait, LiveWait.session_id == live.id, LiveWait.state == "waiting"),
        _of(LiveOffer, mine, LiveOffer.state == "open"),
        select(func.max(LiveOffer.until)).where(mine).scalar_subquery(),
        select(func.max(LiveClaim.told_at)).where(LiveClaim.session_id == live.id).scalar_subquery(),
        select(func.max(LiveClaim.reminded_at)).where(LiveClaim.session_id == live.id).scalar_subquery(),
        _of(LiveClaim, LiveClaim.session_id == live.id, LiveClaim.untold != ""),
        select(func.max(LiveClaim.created_at)).where(LiveClaim.session_id == live.id).scalar_subquery(),
        select(func.sum(LiveCode.taken + LiveCode.price)).where(LiveCode.session_id == live.id).scalar_subquery(),
        select(func.sum(LiveCode.unit_limit)).where(LiveCode.session_id == live.id).scalar_subquery(),
        select(lots).scalar_subquery(),
        _of(StockLot, StockLot.on_hold.is_(True)),
        _of(LiveSource, LiveSource.session_id == live.id, LiveSource.state == "failing"),
        _of(LiveForeignOrder, LiveForeignOrder.session_id == live.id, LiveForeignOrder.fault != ""),
    ).where(LiveSession.id == live.id)  # fmt: skip


def _of(table: type, *where: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(table).where(*where).scalar_subquery()
