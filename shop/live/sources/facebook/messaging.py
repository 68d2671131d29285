"""Writing to viewers by Messenger: each whose comment became an order is sent the link to her own page, once.

Facebook allows one private message to a comment, within seven days. So nobody is written to before her words have
settled, and what was sent and not noted (we fell over in between) is refused the second time, and counts as sent.
Whoever cannot be reached stays with the seller, who is told so.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session, lazyload

from shop.live.buyers import carts_of
from shop.live.models import LiveClaim, LiveComment, LiveDecision, LiveSession, LiveSource
from shop.live.sources.facebook.graph import Graph
from shop.live.sources.facebook.services import graph
from shop.live.sources.faults import NOT_REACHED, REFUSED, TOO_OFTEN, SourceFault
from shop.live.sources.services import wanted
from shop.orders.models import Order, Status
from village import clock
from village.db import core, db, write
from village.i18n import speaking

SETTLES = dt.timedelta(seconds=20)
"""Nothing was added to her order for so long: one message tells all of it."""
WITHIN = dt.timedelta(days=6)
"""How old a comment may be that is answered; Facebook allows seven days."""
AT_ONCE = 20
"""Messages in one visit."""
LOOK = 3.0
"""Seconds between two looks."""
LONGEST = 60.0


@dataclass(frozen=True)
class Letter:
    """What one viewer is sent."""

    claim: str
    """Her link's code."""
    comment_id: str
    """The comment that is answered, as Facebook calls it."""
    words: str


@dataclass
class Teller:
    """Tells the viewers of one live video. Losing it loses nothing."""

    source_id: str
    faults: int = 0
    """How often it failed in a row."""

    def visit(self) -> float | None:
        """Write to those who are due; seconds until it is worth while again, None when nobody wants it any more."""
        found = db.session.execute(
            select(LiveSource, LiveSession)
            .join(LiveSession, LiveSession.id == LiveSource.session_id)
            .where(LiveSource.id == self.source_id, LiveSource.tells, wanted())
        ).first()
        if found is None:
            return None
        source, live = found
        letters = due(db.session(), live, source)
        failing = source.tell_fault
        db.session.remove()
        try:
            with graph() as asked:
                for letter in letters:
                    self._send(asked, letter)
        except SourceFault as fault:
            return self._failed(fault.slug)
        self.faults = 0
        if letters and failing:
            self._note("")
        return LOOK

    def _send(self, asked: Graph, letter: Letter) -> None:
        values: dict[str, object] = {"told_at": clock.now()}
        try:
            asked.reply(letter.comment_id, letter.words)
        except SourceFault as fault:
            if fault.slug != NOT_REACHED:
                raise
            values = {"untold": NOT_REACHED}
        with write() as session:
            core(session).execute(
                update(LiveClaim).where(LiveClaim.code == letter.claim, LiveClaim.told_at.is_(None)).values(**values)
            )

    def _failed(self, slug: str) -> float:
        self.faults += 1
        self._note(slug)
        return LONGEST if slug in (REFUSED, TOO_OFTEN) else min(LOOK * 2.0 ** min(self.faults, 6), LONGEST)

    def _note(self, slug: str) -> None:
        with write() as session:
            core(session).execute(update(LiveSource).where(LiveSource.id == self.source_id).values(tell_fault=slug))


def due(session: Session, live: LiveSession, source: LiveSource) -> Sequence[Letter]:
    """Whom to write to now, and what: who has an order by a comment of this source, and was given no link yet."""
    said = (
        select(LiveComment.comment_id)
        .join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
        .where(
            LiveComment.source_id == source.id, LiveComment.author_id == LiveClaim.author_id,
            LiveDecision.order_id == Order.id, LiveComment.said_at > clock.now() - WITHIN,
        )
        .order_by(LiveComment.seq.desc())
        .limit(1)
        .correlate(LiveClaim, Order)
        .scalar_subquery()
    )  # fmt: skip
    hers = and_(LiveClaim.session_id == Order.live_session_id, LiveClaim.author_id == Order.live_author)
    rows = session.execute(
        select(Order, LiveClaim, said)
        .join(LiveClaim, hers)
        .where(
            Order.live_session_id == live.id, Order.status == Status.PLACED, Order.buyer_address.is_(None),
            Order.updated_at < clock.now() - SETTLES, LiveClaim.told_at.is_(None), LiveClaim.untold == "",
            said.is_not(None),
        )
        .order_by(Order.id)
        .limit(AT_ONCE)
        .options(lazyload(Order.lines))
    ).all()  # fmt: skip
    under = source.alias or source.external_id
    letters = []
    for order, claim, comment_id in rows:
        with speaking(order.language):
            (cart,) = carts_of(session, live, [(order, claim)])
        letters.append(Letter(claim.code, f"{under}_{comment_id}", cart.words))
    return letters
