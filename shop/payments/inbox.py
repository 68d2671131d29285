"""One inbox for what providers post: kept byte for byte first, then acted on in one transaction with its effect.

    event = inbox.take_in("sepay", "92704", body, headers, "transfer")     kept: may be answered with 2xx from here on
    event = inbox.handle(event.id)                                          its effect, once

A provider's room says once what its events do: `inbox.handles("sepay", act)`. What was kept and not handled (a crash
between, a provider that did not answer) is handled later by a job, again and again with growing pauses.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shop.payments.models import Notice, PaymentPuzzle, Provider, WebhookEvent
from village import clock
from village.db import core, db, write
from village.errors import SoiError
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.jobs.kinds import kind
from village.jobs.services import ask_once
from village.jobs.work import Work

HANDLE = "payments.inbox"
"""The kind of job that handles what was left."""
PATIENCE = dt.timedelta(seconds=15)
"""So long the request that took an event in has to handle it itself; then a job does."""
LONGEST = dt.timedelta(hours=1)
MOST_TRIES = 40
"""About a day and a half; then a person has to look."""
ID_MAX = 255

log = structlog.get_logger("soi.payments")


@dataclass(frozen=True)
class Outcome:
    """What came of an event: `done`, `ignored` or `puzzling`, in one line, and which order it was about."""

    state: Notice
    said: str = ""
    order_id: str | None = None


Prepare = Callable[[WebhookEvent], Any]
"""Asks the outside world before the transaction; what it gives is handed to `act`."""
Act = Callable[[Session, WebhookEvent, Any], Outcome]
"""The effect, inside the transaction that marks the event as handled. Raising undoes it, and it is tried again."""

_rooms: dict[str, tuple[Act, Prepare | None]] = {}


def handles(provider: Provider, act: Act, prepare: Prepare | None = None) -> None:
    """Declare what this provider's events do."""
    _rooms[provider] = (act, prepare)


def take_in(
    provider: Provider, event_id: str, body: bytes, headers: Mapping[str, str] | None = None, kind: str = ""
) -> WebhookEvent:
    """Keep what was posted, in a transaction of its own. Its signature has been checked by the caller.

    The same `event_id` again is the same row: `times` counts, the first one's bytes stay. ValueError for an id that is
    empty or too long.
    """
    if not 0 < len(event_id) <= ID_MAX:
        raise ValueError("an event needs an id of at most 255 characters")
    with write() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        now = clock.now()
        row = {
            "id": uuid7(), "provider": provider, "event_id": event_id, "body": body,
            "digest": hashlib.sha256(body).hexdigest(), "headers": dict(headers or {}), "kind": kind[:80],
            "state": Notice.WAITING, "times": 1, "tries": 0, "next_at": now + PATIENCE, "order_id": None, "said": "",
            "received_at": now, "done_at": None,
        }  # fmt: skip
        statement = insert(WebhookEvent).values(row)
        core(session).execute(
            statement.on_conflict_do_update(
                index_elements=["provider", "event_id"], set_={"times": WebhookEvent.__table__.c.times + 1}
            )
        )
        return session.scalars(
            select(WebhookEvent).where(WebhookEvent.provider == provider, WebhookEvent.event_id == event_id)
        ).one()


def handle(webhook_id: str) -> WebhookEvent:
    """Do what a kept event asks, once however often this is called: the effect and the mark commit together."""
    event = db.session.get_one(WebhookEvent, webhook_id, populate_existing=True)
    if event.state is not Notice.WAITING:
        return event
    act, prepare = _rooms[event.provider]
    db.session.expunge(event)
    db.session.remove()
    prepared = prepare(event) if prepare else None
    with write() as session:
        query = select(WebhookEvent).where(WebhookEvent.id == webhook_id).with_for_update()
        event = session.scalars(query.execution_options(populate_existing=True)).one()
        if event.state is not Notice.WAITING:
            return event
        outcome = act(session, event, prepared)
        event.state, event.said, event.done_at = outcome.state, outcome.said[:300], clock.now()
        event.order_id = outcome.order_id
        session.flush()
        return event


def receive(
    provider: Provider, event_id: str, body: bytes, headers: Mapping[str, str] | None = None, kind: str = ""
) -> WebhookEvent:
    """Take in and handle. A failure while handling is not the sender's: the event is kept, and tried again later."""
    event = take_in(provider, event_id, body, headers, kind)
    return _try(event.id) or event


def _try(webhook_id: str) -> WebhookEvent | None:
    """Handle it; when that fails, put it off. None then."""
    try:
        return handle(webhook_id)
    except Exception as error:  # whatever it was: the bytes are kept, and the desk sees what stays undone
        said = error.slug if isinstance(error, SoiError) else type(error).__name__
        log.warning("a notice waits", webhook=webhook_id, why=said, exc_info=not isinstance(error, SoiError))
    db.session.remove()
    with write() as session:
        event = session.get_one(WebhookEvent, webhook_id, with_for_update=True)
        if event.state is not Notice.WAITING:
            return event  # somebody else has handled it meanwhile
        event.tries += 1
        event.next_at = clock.now() + min(PATIENCE * 2 ** min(event.tries, 10), LONGEST)
        event.said = said[:300]
        if event.tries >= MOST_TRIES:
            event.state, event.done_at = Notice.PUZZLING, clock.now()
            log.error("a notice could not be handled", webhook=webhook_id, why=said)
    return None


def given_up(session: Session) -> Sequence[str]:
    """Ids of those that nobody could handle, and that stand on no desk of a cooperative."""
    told = select(PaymentPuzzle.id).where(PaymentPuzzle.webhook_id == WebhookEvent.id).exists()
    return session.scalars(
        select(WebhookEvent.id).where(WebhookEvent.state == Notice.PUZZLING, ~told).order_by(WebhookEvent.id).limit(100)
    ).all()


def again() -> int:
    """Handle those once more, at a person's wish; how many are handled now."""
    ids = given_up(db.session())
    db.session.remove()
    with write() as session:
        session.execute(
            update(WebhookEvent)
            .where(WebhookEvent.id.in_(ids), WebhookEvent.state == Notice.PUZZLING)
            .values(state=Notice.WAITING, tries=0, next_at=clock.now())
        )
    events = [_try(webhook_id) for webhook_id in ids]
    return sum(event is not None and event.state is not Notice.PUZZLING for event in events)


def _due() -> list[str]:
    waiting = select(WebhookEvent.id).where(WebhookEvent.state == Notice.WAITING, WebhookEvent.next_at <= clock.now())
    return list(db.session.scalars(waiting.order_by(WebhookEvent.id).limit(200)))


def ask_for_the_rest() -> None:
    """Have a job handle what was kept and not handled; called every few seconds."""
    due = _due()
    db.session.remove()
    if due:
        ask_once(HANDLE)


@kind(HANDLE, name=_l("Xem lại tin báo tiền về"))
def handle_the_rest(work: Work) -> dict[str, Any]:
    """Handle what waits and whose time has come."""
    due = _due()
    db.session.remove()
    handled = 0
    for count, webhook_id in enumerate(due, start=1):
        handled += _try(webhook_id) is not None
        work.progress(count, len(due))
    return {"handled": handled, "tried": len(due)}
