"""Sending what waits: claim one, hand it over, note what came of it; until nothing is due."""

import datetime as dt
import random
from collections.abc import Callable, Sequence

import structlog
from flask import current_app
from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from village import clock
from village.db import core, db, write
from village.errors import BadInput
from village.ids import uuid7
from village.jobs.work import apart
from village.outbox.addresses import clean_address
from village.outbox.console import Console, Nothing
from village.outbox.mail import Smtp
from village.outbox.models import Channel, Message, MessageProof, MessageState, Outcome
from village.outbox.providers import GIVEN_UP, NO_ADDRESS, Held, Later, Never, Provider
from village.outbox.services import have_sent
from village.outbox.sms import Gateway
from village.settings import Settings

SENT_BY_US = (Channel.MAIL, Channel.SMS)
LEASE = dt.timedelta(minutes=5)
"""A message that was in hand for so long is taken from its holder: longer than any delivery can take."""
FIRST_WAIT, LONGEST_WAIT = 30, 4 * 3600
"""Seconds until the second try, doubled with each further one up to the longest."""
MOST_TRIES = 16
"""A little more than a day, after which a person has to look."""
PAUSE = dt.timedelta(seconds=15)
"""How long a provider that is in trouble is left alone. Short and always the same, so that one message at which a
provider chokes each time cannot hold up all others."""
CANDIDATES = 8

log = structlog.get_logger("soi.outbox")


def due(now: dt.datetime) -> ColumnElement[bool]:
    """Messages that somebody should be sending."""
    free = or_(Message.holder.is_(None), Message.held_until < now)
    return and_(Message.state == MessageState.WAITING, Message.channel.in_(SENT_BY_US), Message.next_at <= now, free)


def see_to_it() -> None:
    """Have a job send what has become due. Called every few seconds by the jobs' sweeper."""
    with db.engine.connect() as connection:
        waits = connection.execute(select(Message.id).where(due(clock.now())).limit(1)).first()
    if waits is not None:
        with write() as session:
            have_sent(session)


def send_all(go_on: Callable[[], None]) -> dict[str, int]:
    """Send whatever is due, here and now. `go_on` is called between two messages, and may raise. How many went out,
    will be tried later, or failed."""
    settings: Settings = current_app.extensions["soi"]
    providers: dict[Channel, Provider] = {}
    counts = {"sent": 0, "later": 0, "failed": 0}
    try:
        while (held := claim()) is not None:
            if held.channel not in providers:
                providers[held.channel] = _provider(held.channel, settings)
            counts[_send(held, providers[held.channel])] += 1
            go_on()
    finally:
        for provider in providers.values():
            provider.close()
    return counts


def _provider(channel: Channel, settings: Settings) -> Provider:
    if channel is Channel.MAIL and settings.mail_url:
        return Smtp(settings.mail_url, settings.mail_from)
    if channel is Channel.SMS and settings.sms_url:
        return Gateway(settings.sms_url, settings.sms_token)
    if settings.mode == "production":
        return Nothing()
    return Console(settings)


def claim() -> Held | None:
    """One message that is due, from now on in this caller's hands alone; None when there is none."""
    holder = uuid7()
    while ids := _candidates():
        for message_id in ids:
            now = clock.now()
            taken = apart(
                update(Message)
                .where(Message.id == message_id, due(now))
                .values(holder=holder, held_until=now + LEASE, tries=Message.tries + 1)
            )
            if taken and (held := _held(message_id, holder)) is not None:
                return held
    return None


def _candidates() -> Sequence[str]:
    query = select(Message.id).where(due(clock.now())).order_by(Message.next_at, Message.id).limit(CANDIDATES)
    with db.engine.connect() as connection:
        return connection.scalars(query).all()


def _held(message_id: str, holder: str) -> Held | None:
    with db.engine.connect() as connection:
        row = connection.execute(
            select(
                Message.id,
                Message.channel,
                Message.to.label("to"),
                Message.subject,
                Message.body,
                Message.tries,
                Message.made_at,
            ).where(Message.id == message_id, Message.holder == holder)
        ).one_or_none()
    if row is None:  # erased between the two
        return None
    return Held(row.id, row.channel, row.to or "", row.subject or "", row.body or "", row.tries, row.made_at, holder)


def _send(held: Held, provider: Provider) -> str:
    try:
        if held.tries > MOST_TRIES:
            # Too many holders died with it in hand, or it was held back for too long.
            raise Never(GIVEN_UP)
        clean_address(held.channel, held.to)
        taken = provider.deliver(held)
    except Later as error:
        return _try_again(held, error)
    except BadInput:
        return _give_up(held, NO_ADDRESS)
    except Never as error:
        return _give_up(held, error.answer)
    except SQLAlchemyError:
        raise
    except Exception as error:  # whatever a library thinks of: a message is not lost for it, and its text is not logged
        return _try_again(held, Later(type(error).__name__))
    _note(held, taken.outcome, taken.answer, MessageState.SENT, clock.now())
    log.info("message sent", message=held.id, channel=held.channel.value, tries=held.tries)
    return "sent"


def wait_after(tries: int) -> float:
    """Seconds until the next try after so many: never twice the same, so that many do not come at once."""
    return min(FIRST_WAIT << min(tries - 1, 16), LONGEST_WAIT) * random.uniform(0.8, 1.2)


def _try_again(held: Held, why: Later) -> str:
    if held.tries >= MOST_TRIES:
        return _give_up(held, why.answer)
    at = clock.now() + dt.timedelta(seconds=max(wait_after(held.tries), why.wait))
    _note(held, Outcome.LATER, why.answer, MessageState.WAITING, at)
    if why.everybody:
        _leave_alone(held.channel, clock.now() + max(PAUSE, dt.timedelta(seconds=why.wait)))
    log.warning("message waits", message=held.id, channel=held.channel.value, tries=held.tries)
    return "later"


def _give_up(held: Held, answer: str) -> str:
    _note(held, Outcome.REFUSED, answer, MessageState.FAILED, clock.now())
    log.error("message failed", message=held.id, channel=held.channel.value, tries=held.tries)
    return "failed"


def _leave_alone(channel: Channel, until: dt.datetime) -> None:
    apart(
        update(Message)
        .where(
            Message.state == MessageState.WAITING, Message.channel == channel, Message.next_at < until,
            Message.holder.is_(None),
        )
        .values(next_at=until)
    )  # fmt: skip


def _note(held: Held, outcome: Outcome, answer: str, state: MessageState, at: dt.datetime) -> None:
    """What came of it. A message that went out did so even if it was erased or taken over meanwhile; otherwise only
    its holder has a say."""
    went = state is MessageState.SENT
    ended = None if state is MessageState.WAITING else clock.now()
    mine = Message.state != MessageState.SENT if went else Message.holder == held.holder
    with write() as session:
        changed = core(session).execute(
            update(Message)
            .where(Message.id == held.id, mine)
            .values(state=state, next_at=at, ended_at=ended, holder=None, held_until=None)
        )
        if changed.rowcount or went:
            add_proof(session, held.id, outcome, answer)


def add_proof(
    session: Session, message_id: str, outcome: Outcome, answer: str = "", member_id: str | None = None
) -> None:
    """One more proof. The caller has just updated the message's row, so that nobody else counts at the same time."""
    number = select(func.coalesce(func.max(MessageProof.number), 0) + 1).where(MessageProof.message_id == message_id)
    row = {
        "message_id": message_id, "number": core(session).execute(number).scalar_one(), "at": clock.now(),
        "outcome": outcome, "answer": answer, "member_id": member_id,
    }  # fmt: skip
    core(session).execute(insert(MessageProof), row)
