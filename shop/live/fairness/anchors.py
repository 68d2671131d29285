"""A livestream's log on the village's ledger: at its end, and at each midnight of one that goes on."""

import datetime as dt
import time
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update

from shop.live import chain
from shop.live.fairness import told
from shop.live.models import LiveAnchor, LiveComment, LiveSession
from trace.ledger import livestream, store
from village import clock
from village.db import db, write
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.services import ask_once
from village.jobs.work import Work

ANCHOR = "live.anchor"
SETTLED = dt.timedelta(minutes=10)
"""How long nothing more must have come to a livestream that has ended, before what came late is anchored as well."""
_TICK = 0.002
"""Seconds. Anchored is what was decided up to a millisecond: the next decision must not fall into it."""


def _due(now: dt.datetime) -> ColumnElement[bool]:
    midnight = now.astimezone(clock.VN).replace(hour=0, minute=0, second=0, microsecond=0)
    anchored = (
        select(func.coalesce(func.max(LiveAnchor.length), 0))
        .where(LiveAnchor.session_id == LiveSession.id)
        .correlate(LiveSession)
        .scalar_subquery()
    )
    since_end = exists().where(LiveAnchor.session_id == LiveSession.id, LiveAnchor.made_at >= LiveSession.ended_at)
    yesterday = exists().where(
        LiveComment.session_id == LiveSession.id, LiveComment.seq > anchored, LiveComment.received_at < midnight
    )
    ended = and_(LiveSession.status == "ended", or_(~since_end, LiveSession.heard_at < now - SETTLED))
    return and_(LiveSession.head.is_not(None), LiveSession.received > anchored, or_(ended, yesterday))


def due() -> list[str]:
    """The livestreams whose logs are to be anchored now."""
    return list(db.session.scalars(select(LiveSession.id).where(_due(clock.now())).order_by(LiveSession.id)))


def see_to_it() -> None:
    """Have a job anchor what is due. Called every few seconds by the jobs' sweeper."""
    with db.engine.connect() as connection:
        some = connection.execute(select(LiveSession.id).where(_due(clock.now())).limit(1)).first()
    if some is not None:
        ask_once(ANCHOR)


@kind(ANCHOR, name=_l("Ghi thứ tự phiên live vào sổ"))
def anchor_all(work: Work) -> dict[str, Any]:
    """Anchor all that are due, each by itself. Done again, it finds nothing."""
    ids = due()
    db.session.remove()
    done = 0
    for number, session_id in enumerate(ids, start=1):
        done += anchor(session_id) is not None
        work.progress(number, len(ids))
    return {"anchored": done}


def anchor(session_id: str) -> LiveAnchor | None:
    """Put a log's present end on the ledger; None when there is nothing new to put there.

    The log is held for a moment only: what is decided later is not of this anchor, however long the hashing takes.
    """
    with write() as session:
        held = update(LiveSession).where(LiveSession.id == session_id).values(received=LiveSession.received)
        session.execute(held.execution_options(synchronize_session=False))
        live = session.get_one(LiveSession, session_id, populate_existing=True)
        length, head = live.received, live.head
        now = clock.now()
        until = now.replace(microsecond=now.microsecond // 1000 * 1000)
        time.sleep(_TICK)
    if head is None:
        return None
    digest = chain.digest_of_decisions(told.decisions(db.session(), live, until))
    db.session.remove()
    with write(ledger=True) as session:
        longest = select(func.max(LiveAnchor.length)).where(LiveAnchor.session_id == session_id)
        if (session.scalar(longest) or 0) >= length:
            return None
        told_there = livestream.anchor(session_id, length, head, digest)
        (entry,) = store.append(session, [store.Draft(livestream.TYPE, None, extra={livestream.TYPE: told_there})])
        made = LiveAnchor(
            session_id=session_id, length=length, head=head, decisions=digest, entry=entry.index, made_at=until
        )
        session.add(made)
        return made
