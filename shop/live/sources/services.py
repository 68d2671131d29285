"""A session's sources: which there are, adding one, stopping one, noting how far one was read."""

import datetime as dt
from collections.abc import Sequence

from flask import current_app
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from shop.live.errors import ended, no_source
from shop.live.models import LiveComment, LiveForeignOrder, LiveSession, LiveSource, SourceKind, SourceState
from shop.live.room import hold
from shop.live.services import authorised
from shop.live.sources import errors
from shop.payments.owners import is_for
from village import clock
from village.db import db, write
from village.ids import is_uuid, uuid7
from village.people.access import Actor

BACKFILL = dt.timedelta(days=1)
"""So long after a session's end what was said in it is still read and kept."""
SOURCES_MAX = 20
"""Of one session, those that were stopped included."""


def sources_of(actor: Actor, session_id: str) -> tuple[LiveSession, Sequence[LiveSource]]:
    """A session and its sources, in the order in which they were added; NotFound or Forbidden as `authorised`."""
    live = authorised(db.session(), actor, session_id)
    return live, db.session.scalars(
        select(LiveSource).where(LiveSource.session_id == live.id).order_by(LiveSource.id)
    ).all()


def brought(session: Session, live: LiveSession) -> dict[str, tuple[int, dt.datetime]]:
    """By a source's id how much it brought, and when the last of it came; sources that brought nothing are left out."""
    events = select(LiveComment.source_id, func.count(), func.max(LiveComment.received_at))
    orders = select(LiveForeignOrder.source_id, func.count(), func.max(LiveForeignOrder.seen_at))
    rows = [
        *session.execute(events.where(LiveComment.session_id == live.id).group_by(LiveComment.source_id)),
        *session.execute(orders.where(LiveForeignOrder.session_id == live.id).group_by(LiveForeignOrder.source_id)),
    ]
    return {source_id: (count, last) for source_id, count, last in rows if source_id}


def offered(actor: Actor) -> dict[str, bool]:
    """Which platforms can be read for this member's cooperative, as far as they are set up."""
    settings = current_app.extensions["soi"]
    return {
        "facebook": bool(settings.facebook_page) and is_for(settings.facebook_seller, actor.cooperative_id),
        "tiktok": bool(settings.tiktok_shop) and is_for(settings.tiktok_seller, actor.cooperative_id),
    }


def add_in(
    session: Session, live: LiveSession, kind: SourceKind, *, external_id: str | None = None, alias: str | None = None
) -> LiveSource:
    """One more source of a session, inside the caller's transaction with the session's row at hand.

    What is read from outside belongs to one session at a time: Conflict `source-taken` when another one reads it.
    The session's own source that was stopped goes on.
    """
    if live.over:
        raise ended(live)
    rows = session.scalars(select(LiveSource).where(LiveSource.session_id == live.id)).all()
    if external_id is not None:
        taken = select(LiveSession).join(LiveSource, LiveSource.session_id == LiveSession.id)
        other = session.scalar(
            taken.where(
                LiveSource.kind == kind, LiveSource.external_id == external_id, LiveSource.session_id != live.id,
                LiveSource.state != "stopped", LiveSession.status != "ended",
            ).limit(1)
        )  # fmt: skip
        if other is not None:
            raise errors.source_taken()
    same = next((row for row in rows if (row.kind, row.external_id) == (kind, external_id)), None)
    if same is not None and kind != "webhook":
        same.state, same.fault, same.alias = "idle", "", alias
        return same
    if len(rows) >= SOURCES_MAX:
        raise errors.too_many_sources(SOURCES_MAX)
    source = LiveSource(
        id=uuid7(), session_id=live.id, kind=kind, external_id=external_id, alias=alias, state="idle", cursor="",
        platform=kind if kind in ("facebook", "tiktok") else live.platform, fault="",
    )  # fmt: skip
    session.add(source)
    session.flush()
    return source


def add_webhook(actor: Actor, session_id: str) -> str:
    """A source for a comment reader that posts to us; its id."""
    with write() as session:
        return add_in(session, authorised(session, actor, session_id), "webhook").id


def own(actor: Actor, session_id: str, kind: SourceKind) -> str:
    """The session's one source for what a person brings herself (`paste`, `file`, `keyboard`); its id."""
    with write() as session:
        live = authorised(session, actor, session_id)
        hold(session, live.id)
        mine = select(LiveSource.id).where(LiveSource.session_id == live.id, LiveSource.kind == kind)
        found = session.scalar(mine.limit(1))
        return found or add_in(session, live, kind).id


def unheard_webhook(actor: Actor, session_id: str, source_id: str) -> str:
    """The id of a webhook of this session that nothing was heard from yet. Conflict when something was: then its secret
    is in use, and is shown to nobody any more."""
    session = db.session()
    source = mine(session, authorised(session, actor, session_id), source_id)
    if source.kind != "webhook":
        raise no_source()
    if source.tried_at is not None:
        raise errors.secret_in_use()
    return source.id


def stop(actor: Actor, session_id: str, source_id: str) -> None:
    """Nothing more is taken from this source until it is started again."""
    _turn(actor, session_id, source_id, "stopped")


def start_again(actor: Actor, session_id: str, source_id: str) -> None:
    """Take from a stopped source again, from where it was stopped."""
    _turn(actor, session_id, source_id, "idle")


def _turn(actor: Actor, session_id: str, source_id: str, state: SourceState) -> None:
    with write() as session:
        live = authorised(session, actor, session_id)
        source = mine(session, live, source_id)
        if state != "stopped" and source.external_id is not None:
            add_in(session, live, source.kind, external_id=source.external_id, alias=source.alias)
        source.state, source.fault = state, ""


def set_telling(actor: Actor, session_id: str, source_id: str, tells: bool) -> None:
    """Whether viewers who order by this live video are sent their links by the platform. Conflict for a source that
    cannot, and once the session has ended."""
    with write() as session:
        live = authorised(session, actor, session_id)
        source = mine(session, live, source_id)
        if source.kind != "facebook":
            raise errors.cannot_tell()
        if live.over:
            raise ended(live)
        source.tells, source.tell_fault = tells, ""


def mine(session: Session, live: LiveSession, source_id: str) -> LiveSource:
    """A source of this very session; NotFound otherwise."""
    found = session.get(LiveSource, source_id) if is_uuid(source_id) else None
    if found is None or found.session_id != live.id:
        raise no_source()
    return found


def wanted() -> ColumnElement[bool]:
    """Sources whose sessions can still take something: those that run, and those that ended not long ago."""
    lately = and_(LiveSession.status == "ended", LiveSession.ended_at > clock.now() - BACKFILL)
    return and_(LiveSource.state != "stopped", or_(LiveSession.status.in_(("open", "paused")), lately))


def note(source_id: str, *, fault: str = "", cursor: str | None = None, over: bool = False) -> None:
    """Write down how a source is, in a transaction of its own: that it runs or why it fails, how far it was read.

    `over` when all was read of a session that ended. A source that a person stopped meanwhile stays stopped.
    """
    state: SourceState = "stopped" if over else "failing" if fault else "running"
    values: dict[str, object] = {"state": state, "fault": fault, "tried_at": clock.now()}
    if cursor is not None:
        values["cursor"] = cursor
    with write() as session:
        session.execute(
            update(LiveSource).where(LiveSource.id == source_id, LiveSource.state != "stopped").values(**values),
            execution_options={"synchronize_session": False},
        )
