"""What a viewer sees behind her link, read in a fixed number of statements."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from shop.live.claims.errors import no_claim
from shop.live.claims.keys import CODE_LENGTH, is_unclaimed
from shop.live.models import LiveClaim, LiveCode, LiveComment, LiveOffer, LiveSession, LiveWait
from shop.live.room import joinable
from shop.live.texts import shown
from shop.orders import expiring
from shop.orders.models import Order
from trace.gs1.lots import READABLE
from village import clock
from village.db import db
from village.i18n import in_language

MARKS_MAX = 20
"""Comments of hers that the page names: as many as a person looks up."""


@dataclass(frozen=True)
class Turn:
    """Her place in the queue for a code."""

    code: str
    name: str
    quantity: int
    place: int
    """1 for who is next."""
    of: int


@dataclass(frozen=True)
class Offered:
    """Packs that came back and are hers if she says yes."""

    wait_id: str
    code: str
    name: str
    quantity: int
    until: dt.datetime


@dataclass(frozen=True)
class Shown:
    """One viewer's page."""

    claim: LiveClaim
    live: LiveSession
    who: str
    """As she calls herself on the platform; empty when that is not known any more."""
    order: Order | None
    """The one that waits for its address."""
    others: Sequence[Order]
    """Her other orders of this session, the newest first."""
    turns: Sequence[Turn]
    offers: Sequence[Offered]
    said: Sequence[LiveComment]
    """Her comments, the newest first."""

    @property
    def joinable(self) -> bool:
        """True when another session's order may join one of hers."""
        return self.order is not None or any(joinable(order) for order in self.others)


def by_code(code: str) -> LiveClaim:
    """The claim that this link opens, however its letters are typed; NotFound for any other."""
    name = code.upper()
    fit = len(name) == CODE_LENGTH and all(letter in READABLE for letter in name)
    claim = db.session.get(LiveClaim, name, options=[joinedload(LiveClaim.live)]) if fit else None
    if claim is None:
        raise no_claim()
    return claim


def read(claim: LiveClaim) -> Shown:
    """All that the page of this claim shows. Orders whose deadline is over are expired first."""
    session = db.session()
    orders = _orders(session, claim)
    if lapsed := [order for order in orders if expiring.is_lapsed(order)]:
        for one in lapsed:
            expiring.expire(one.id)
        session.expire_all()
        orders = _orders(session, claim)
    mine = select(LiveComment).where(
        LiveComment.session_id == claim.session_id, LiveComment.author_id == claim.author_id
    )
    said = session.scalars(mine.order_by(LiveComment.seq.desc()).limit(MARKS_MAX)).all()
    order = next((order for order in orders if is_unclaimed(order)), None)
    return Shown(
        claim, claim.live, shown(said[0].author_name) if said else "", order,
        [one for one in orders if one is not order], _turns(session, claim), _offers(session, claim), said,
    )  # fmt: skip


def _orders(session: Session, claim: LiveClaim) -> Sequence[Order]:
    mine = (Order.live_session_id == claim.session_id, Order.live_author == claim.author_id)
    return session.scalars(select(Order).where(*mine).order_by(Order.id.desc())).all()


def _turns(session: Session, claim: LiveClaim) -> list[Turn]:
    """Her places: of each code that she waits for, those who wrote before her and still wait."""
    waiting = (LiveWait.session_id == claim.session_id, LiveWait.state == "waiting")
    mine = session.scalars(
        select(LiveWait)
        .join(LiveWait.comment)
        .where(*waiting, LiveComment.author_id == claim.author_id)
        .options(contains_eager(LiveWait.comment), joinedload(LiveWait.code).joinedload(LiveCode.product))
        .order_by(LiveComment.said_at, LiveComment.seq)
    ).all()
    if not mine:
        return []
    others = session.execute(
        select(LiveWait.code_id, LiveComment.said_at, LiveComment.seq)
        .join(LiveComment, LiveComment.id == LiveWait.comment_id)
        .where(*waiting, LiveWait.code_id.in_({wait.code_id for wait in mine}))
    ).all()
    found = []
    for wait in mine:
        queue = [(said_at, seq) for code_id, said_at, seq in others if code_id == wait.code_id]
        place = sum(turn < wait.comment.turn for turn in queue) + 1
        found.append(Turn(wait.code.code, _name(wait.code), wait.quantity, place, len(queue)))
    return found


def _offers(session: Session, claim: LiveClaim) -> list[Offered]:
    open_ones = session.scalars(
        select(LiveOffer)
        .join(LiveOffer.wait)
        .join(LiveWait.comment)
        .where(LiveComment.author_id == claim.author_id, *still_open(claim.session_id))
        .options(contains_eager(LiveOffer.wait).joinedload(LiveWait.code).joinedload(LiveCode.product))
        .order_by(LiveOffer.until)
    )
    return [
        Offered(one.wait_id, one.wait.code.code, _name(one.wait.code), one.quantity, one.until) for one in open_ones
    ]


def still_open(session_id: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions of offers of a session that can still be taken."""
    return LiveOffer.session_id == session_id, LiveOffer.state == "open", LiveOffer.until > clock.now()


def _name(code: LiveCode) -> str:
    return in_language(code.product.name_vi, code.product.name_en)
