"""A livestream afterwards: what was said, sold and missed, and what is still to be done."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from shop.delivery.slips import MOST as SLIPS_MOST
from shop.live.buyers import Cart, unaddressed
from shop.live.models import Decision, LiveCode, LiveComment, LiveDecision, LiveHold, LiveJoined, LiveSession, LiveWait
from shop.live.pace import Span, span
from shop.live.services import authorised
from shop.live.spoken import newest
from shop.orders.models import NEW, Order, PaymentState, Status
from shop.seller.drawing import Chart
from shop.seller.drawing import columns as drawn
from village import clock
from village.db import db
from village.i18n import in_language
from village.people.access import Actor

REMIND_MAX = 20


@dataclass(frozen=True)
class OfCode:
    """Packs of one code, and their money at the session's price."""

    code: str
    name: str
    packs: int
    dong: int


@dataclass(frozen=True)
class Drawn:
    """One figure over the session's time."""

    chart: Chart
    counts: Sequence[int]
    total: int
    most: int
    """The fullest column."""


@dataclass(frozen=True)
class Evening:
    """One livestream, looked back at."""

    live: LiveSession
    comments: int
    viewers: int
    """Who wrote anything."""
    buyers: int
    """Who has an order that was not cancelled."""
    orders: int
    cancelled: int
    paid: int
    packs: int
    total: int
    """Đồng of its orders, delivery included."""
    by_hand: int
    """Orders' comments that a person decided."""
    decided: int
    """Comments that became an order, or more of one."""
    span: Span
    said: Drawn
    sold: Drawn
    codes: Sequence[OfCode]
    """What its orders have now, most money first."""
    missed: Sequence[OfCode]
    """What was waited for and never came, most money first."""
    slips: Sequence[Sequence[str]]
    """Ids of orders that can be sent, so many together as one print takes."""
    nowhere: Sequence[Cart]
    """The first of those of which nobody knows where they go."""
    nowheres: int

    @property
    def conversion(self) -> float:
        """Of those who wrote, the share that has an order, from 0 to 1."""
        return self.buyers / self.viewers if self.viewers else 0.0

    @property
    def columns(self) -> list[tuple[dt.datetime, int, int]]:
        """When each column of the figures begins, with its comments and packs; columns of nothing are left out."""
        every = zip(self.span.starts(), self.said.counts, self.sold.counts, strict=True)
        return [column for column in every if column[1] or column[2]]

    @property
    def sendable(self) -> int:
        """Orders whose slips can be printed."""
        return sum(len(ids) for ids in self.slips)


def evening(actor: Actor, session_id: str) -> Evening:
    """How the livestream went; NotFound or Forbidden as `authorised`."""
    session = db.session()
    live = authorised(session, actor, session_id)
    said = session.execute(
        select(LiveComment.said_at, LiveComment.author_id).where(
            LiveComment.session_id == live.id, LiveComment.kind == "said"
        )
    ).all()
    last = max((moment for moment, _author in said), default=live.started_at)
    time = span(live.started_at, max(last, min(live.ended_at or last, clock.now())))
    orders, cancelled, paid, buyers, total, nowheres = session.execute(_sums(live)).one()
    decided, by_hand, sold = _sold(session, live)
    codes = _by_code(session, live)
    ids = session.scalars(
        select(Order.id)
        .where(
            Order.live_session_id == live.id, Order.status.in_(NEW), Order.buyer_address.is_not(None),
            Order.buyer_name.is_not(None), Order.buyer_phone.is_not(None),
        )
        .order_by(Order.id)
    ).all()  # fmt: skip
    return Evening(
        live=live,
        comments=len(said),
        viewers=len({author for _moment, author in said}),
        buyers=buyers,
        orders=orders,
        cancelled=cancelled,
        paid=paid,
        packs=sum(code.packs for code in codes),
        total=int(total),
        by_hand=by_hand,
        decided=decided,
        span=time,
        said=_drawn(time.fill((moment, 1) for moment, _author in said)),
        sold=_drawn(time.fill(sold)),
        codes=codes,
        missed=_missed(session, live),
        slips=[ids[start : start + SLIPS_MOST] for start in range(0, len(ids), SLIPS_MOST)],
        nowhere=unaddressed(session, live, REMIND_MAX) if nowheres else (),
        nowheres=nowheres,
    )


def _sums(live: LiveSession) -> Select[int, int, int, int, int, int]:
    stands = Order.status != Status.CANCELLED
    open_to = and_(Order.status.in_(NEW), Order.buyer_address.is_(None))
    return select(
        func.count().filter(stands),
        func.count().filter(~stands),
        func.count().filter(stands, Order.payment_state == PaymentState.PAID),
        func.count(Order.live_author.distinct()).filter(stands),
        func.coalesce(func.sum(Order.total).filter(stands), 0),
        func.count().filter(open_to),
    ).where(Order.live_session_id == live.id)


def _sold(session: Session, live: LiveSession) -> tuple[int, int, list[tuple[dt.datetime, int]]]:
    """How many comments are orders, how many of these by a person's hand, and when how many packs were ordered.

    Who says yes to what was kept for her orders nothing more.
    """
    rows = session.execute(
        select(LiveComment.said_at, LiveDecision.lines, LiveDecision.decided_by)
        .join(LiveComment, LiveComment.id == LiveDecision.comment_id)
        .where(
            LiveDecision.session_id == live.id, LiveDecision.decision == Decision.ORDER,
            LiveDecision.position == newest(),
        )
    ).all()  # fmt: skip
    given = [(moment, [line for line in lines if not line.get("kept")], hand) for moment, lines, hand in rows]
    packs = [(moment, sum(int(line["quantity"]) for line in lines)) for moment, lines, _hand in given if lines]
    return len(packs), sum(hand is not None for _moment, lines, hand in given if lines), packs


def _by_code(session: Session, live: LiveSession) -> list[OfCode]:
    packs: Counter[str] = Counter()
    for table in (LiveHold, LiveJoined):
        sums = session.execute(
            select(table.code_id, func.sum(table.quantity))
            .join(LiveCode, LiveCode.id == table.code_id)
            .join(Order, Order.id == table.order_id)
            .where(LiveCode.session_id == live.id, Order.status != Status.CANCELLED)
            .group_by(table.code_id)
        )
        packs.update({code_id: int(count) for code_id, count in sums})
    return _of_codes(live, packs)


def _missed(session: Session, live: LiveSession) -> list[OfCode]:
    """Who left the queue again would have bought as well, had there been enough."""
    sums = session.execute(
        select(LiveWait.code_id, func.sum(LiveWait.quantity))
        .where(LiveWait.session_id == live.id, LiveWait.state != "served")
        .group_by(LiveWait.code_id)
    )
    return _of_codes(live, {code_id: int(packs) for code_id, packs in sums})


def _of_codes(live: LiveSession, packs: dict[str, int]) -> list[OfCode]:
    found = [
        OfCode(
            code.code, in_language(code.product.name_vi, code.product.name_en), packs[code.id],
            packs[code.id] * code.price,
        )
        for code in live.codes
        if packs.get(code.id)
    ]  # fmt: skip
    return sorted(found, key=lambda one: -one.dong)


def _drawn(counts: list[int]) -> Drawn:
    return Drawn(drawn(counts), counts, sum(counts), max(counts))
