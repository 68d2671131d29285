"""A livestream's buyers on the console: who waits, whose turn came, who has to be told where her order is."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, lazyload

from shop.live.claims import keys
from shop.live.models import LiveClaim, LiveCode, LiveComment, LiveHold, LiveJoined, LiveOffer, LiveSession, LiveWait
from shop.live.spoken import called
from shop.orders.models import NEW, Order, PaymentState, Status
from village import clock
from village.i18n import clock as time_of_day
from village.i18n import dong
from village.i18n import gettext as _

WAITING_MAX = 30
CARTS_MAX = 8
"""Orders shown at once: who was told makes room for the next."""
TIGHT = dt.timedelta(hours=2)
"""An unclaimed order with less time than this left is worth a reminder."""


@dataclass(frozen=True)
class Waiting:
    """A viewer in the queue."""

    who: str
    code: str
    quantity: int
    at: dt.datetime


@dataclass(frozen=True)
class Held:
    """Packs that came back, kept for the next in the queue until she says yes."""

    wait_id: str
    who: str
    code: str
    quantity: int
    until: dt.datetime
    minutes: int
    """Left of her time, at least 1."""


@dataclass(frozen=True)
class Cart:
    """One viewer's order."""

    order_id: str
    number: str
    who: str
    what: str
    """`2 × MD01, 1 × MD02`."""
    total: int
    """Đồng."""
    sendable: bool
    """True when it is known to whom and where."""
    paid: bool
    claim: str
    """The code of her own link; empty for an order of before there were links."""
    link: str
    told: bool
    """True when the seller gave her the link."""
    unreached: bool
    """True when the platform could not give it to her: only a person can."""
    remind: bool
    """True when she was told, did nothing yet, and her time is nearly over."""
    until: dt.datetime | None
    words: str
    """What the seller may send her, with the link in it."""


def waiting(session: Session, live: LiveSession) -> tuple[list[Waiting], int]:
    """The first in the queue, and how many wait in all."""
    rows = session.execute(
        select(LiveWait, func.count().over())
        .join(LiveWait.comment)
        .where(LiveWait.session_id == live.id, LiveWait.state == "waiting")
        .order_by(LiveComment.said_at, LiveComment.seq)
        .limit(WAITING_MAX)
        .options(contains_eager(LiveWait.comment), joinedload(LiveWait.code))
    ).all()
    shown = [
        Waiting(called(wait.comment.author_name), wait.code.code, wait.quantity, wait.comment.said_at)
        for wait, _count in rows
    ]
    return shown, rows[0][1] if rows else 0


def held(session: Session, live: LiveSession) -> list[Held]:
    """Packs that wait for somebody's yes, the least time left first."""
    now = clock.now()
    offers = session.scalars(
        select(LiveOffer)
        .where(LiveOffer.session_id == live.id, LiveOffer.state == "open", LiveOffer.until > now)
        .order_by(LiveOffer.until)
        .options(joinedload(LiveOffer.wait).options(joinedload(LiveWait.comment), joinedload(LiveWait.code)))
    )
    return [
        Held(
            offer.wait_id, called(offer.wait.comment.author_name), offer.wait.code.code, offer.quantity, offer.until,
            max(round((offer.until - now).total_seconds() / 60), 1),
        )
        for offer in offers
    ]  # fmt: skip


def carts(session: Session, live: LiveSession) -> tuple[list[Cart], int]:
    """Orders whose buyers have to be told or reminded, the newest first, and how many there are of them."""
    tight = clock.now() + TIGHT
    where = (
        Order.live_session_id == live.id,
        Order.status == Status.PLACED,
        Order.buyer_address.is_(None),
        or_(LiveClaim.told_at.is_(None), and_(LiveClaim.until < tight, LiveClaim.reminded_at.is_(None))),
    )
    query = _with_claims().add_columns(func.count().over()).where(*where).order_by(Order.id.desc())
    rows = session.execute(query.limit(CARTS_MAX)).all()
    shown = carts_of(session, live, [(order, claim) for order, claim, _count in rows])
    return shown, rows[0][2] if rows else 0


def unaddressed(session: Session, live: LiveSession, most: int) -> list[Cart]:
    """Orders of which nobody knows where they go: those whose buyers were not told first, then the oldest."""
    rows = session.execute(
        _with_claims()
        .where(Order.live_session_id == live.id, Order.status.in_(NEW), Order.buyer_address.is_(None))
        .order_by(LiveClaim.told_at.is_not(None), Order.id)
        .limit(most)
    ).all()
    return carts_of(session, live, [(order, claim) for order, claim in rows])


def carts_of(session: Session, live: LiveSession, rows: Sequence[tuple[Order, LiveClaim | None]]) -> list[Cart]:
    """These orders as the console shows them. Two statements."""
    packs = _packs(session, [order.id for order, _claim in rows])
    names = _names(session, live, {str(order.live_author) for order, _claim in rows if not order.buyer_name})
    return [_cart(order, claim, packs.get(order.id, ""), names) for order, claim in rows]


def _with_claims() -> Select[Order, LiveClaim]:
    hers = and_(LiveClaim.session_id == Order.live_session_id, LiveClaim.author_id == Order.live_author)
    # What an order has is read as the session counts it, by code.
    return select(Order, LiveClaim).outerjoin(LiveClaim, hers).options(lazyload(Order.lines))


def _cart(order: Order, claim: LiveClaim | None, what: str, names: dict[str, str]) -> Cart:
    who = order.buyer_name or names.get(str(order.live_author), "") or _("Người xem")
    link = keys.link(claim) if claim else ""
    remind = (
        claim is not None and claim.told_at is not None and claim.reminded_at is None
        and claim.until is not None and claim.until < clock.now() + TIGHT
    )  # fmt: skip
    return Cart(
        order.id, order.number, who, what, order.total, order.sendable, order.payment_state is PaymentState.PAID,
        claim.code if claim else "", link, bool(claim and claim.told_at),
        bool(claim and claim.untold and not claim.told_at), remind, claim.until if claim else None,
        _to_send(who, order, what, link, claim) if claim else "",
    )  # fmt: skip


def _to_send(who: str, order: Order, what: str, link: str, claim: LiveClaim) -> str:
    if claim.until is None:
        return _(
            "%(who)s ơi, đơn %(number)s: %(what)s, %(total)s. Xem và trả tiền ở đây: %(link)s",
            who=who, number=order.number, what=what, total=dong(order.total), link=link,
        )  # fmt: skip
    return _(
        "%(who)s ơi, đơn %(number)s: %(what)s, %(total)s. Ghi giúp nơi nhận trước %(until)s ở đây nhé: %(link)s",
        who=who, number=order.number, what=what, total=dong(order.total), until=_when(claim.until), link=link,
    )  # fmt: skip


def _when(until: dt.datetime) -> str:
    """A time of day, with its day unless that is today."""
    local = until.astimezone(clock.VN)
    return time_of_day(until) if local.date() == clock.today() else f"{time_of_day(until)}, {local.day}/{local.month}"


def _packs(session: Session, order_ids: Collection[str]) -> dict[str, str]:
    """Of each order what it has by the session's codes, and by those of sessions whose orders joined it."""

    def held(table: type[LiveHold] | type[LiveJoined], place: int) -> Select[*tuple[Any, ...]]:
        packs = select(table.order_id, table.quantity, LiveCode.code, literal(place).label("place"), LiveCode.position)
        return packs.join(LiveCode, LiveCode.id == table.code_id).where(
            table.order_id.in_(order_ids), table.quantity > 0
        )

    found: dict[str, list[str]] = {}
    rows = held(LiveHold, 1).union_all(held(LiveJoined, 2)).order_by("place", "position")
    for order_id, quantity, code, *_place in session.execute(rows):
        found.setdefault(order_id, []).append(f"{quantity} × {code}")
    return {order_id: ", ".join(parts) for order_id, parts in found.items()}


def _names(session: Session, live: LiveSession, authors: Collection[str]) -> dict[str, str]:
    """How those call themselves whose names no order could carry."""
    rows = session.execute(
        select(LiveComment.author_id, func.max(LiveComment.author_name))
        .where(LiveComment.session_id == live.id, LiveComment.author_id.in_(authors))
        .group_by(LiveComment.author_id)
    )
    return {author: called(name) for author, name in rows}
