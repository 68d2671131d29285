"""Putting a message into the outbox, and reading what is there."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from village import clock
from village.db import core, in_parts, insert_later
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.jobs.models import Job, State
from village.jobs.services import ask
from village.outbox.addresses import clean_address
from village.outbox.letters import BODY_MAX, KEY_MAX, Letter
from village.outbox.models import Channel, Message, MessageProof, MessageState, Outcome
from village.outbox.providers import NO_ADDRESS
from village.text import clean_line, clean_text

SEND = "outbox.send"
"""The kind of job that sends."""
ASKED = "soi_outbox_asked"
"""In a session's info once its transaction has seen to it that somebody will send."""
_E164 = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)


def put(
    session: Session,
    *,
    cooperative_id: str,
    channel: str,
    to: str,
    subject: str,
    body: str,
    about: tuple[str, str],
    key: str,
) -> str:
    """Put one message into the caller's transaction of `write()`; gives its id, by which proofs are found.

    `channel` is mail, sms or call; `to` a mail address or a telephone number. `subject` is a mail's, and one line of
    what a call is about; short messages have none. `about` is (kind, id) of what gave reason to it, for `bodies`.
    `key` makes it one message however often it is put: the first one stands, and its id is given.

    An address that is none does not raise: the message then stands as failed where the office sees it, so that a
    recall's list of buyers is not stopped by one of them. BadInput for a subject or body that is too long or holds
    hidden characters: that is the caller's own text.
    """
    return put_all(session, cooperative_id, about, [Letter(channel, to, subject, body, key)])[0]


def put_all(session: Session, cooperative_id: str, about: tuple[str, str], letters: Sequence[Letter]) -> list[str]:
    """As `put`, for many at once: thousands in a second. Gives their ids in the letters' order."""
    rows = [_row(cooperative_id, about, letter) for letter in letters]
    made = _insert(session, rows)
    unfit = [row for row in rows if row["state"] is MessageState.FAILED and row["id"] in made]
    if unfit:
        why = [{"message_id": row["id"], "number": 1, "outcome": Outcome.REFUSED, "answer": NO_ADDRESS}
               for row in unfit]  # fmt: skip
        core(session).execute(insert(MessageProof), [{**one, "at": clock.now()} for one in why])
    if any(row["state"] is MessageState.WAITING and row["channel"] is not Channel.CALL for row in rows):
        have_sent(session)
    if len(made) == len(rows):
        return [row["id"] for row in rows]
    known = _known(session, [row["key"] for row in rows])
    return [known[row["key"]] for row in rows]


def put_fresh(session: Session, cooperative_id: str, about: tuple[str, str], letters: Sequence[Letter]) -> list[str]:
    """As `put_all`, for tens of thousands in a second: inserted as the transaction ends, and nothing is looked over.

    For keys that nobody can have used (they carry an id that was just drawn), telephone numbers as people's rows have
    them, and texts of our own made of parts that were cleaned when they came in. ValueError for what is longer than a
    message may be; a number that is no E.164 goes the careful way.
    """
    now = clock.now()
    rows = []
    for letter in letters:
        channel = Channel(letter.channel)
        if len(letter.body) > BODY_MAX[channel] or len(letter.key) > KEY_MAX or len(letter.subject) > 200:
            raise ValueError(f"longer than a message may be: {letter.key!r}")
        rows.append({
            "id": uuid7(), "cooperative_id": cooperative_id, "channel": channel, "recipient": letter.to,
            "subject": letter.subject, "body": letter.body, "about_kind": about[0], "about_id": about[1],
            "key": letter.key, "state": MessageState.WAITING, "tries": 0, "next_at": now, "holder": None,
            "held_until": None, "made_at": now, "ended_at": None, "erased_at": None,
        })  # fmt: skip
    doubtful = {place for place, letter in enumerate(letters) if not _E164.fullmatch(letter.to)}
    insert_later(session, Message.__table__, [row for place, row in enumerate(rows) if place not in doubtful])
    ids = [str(row["id"]) for row in rows]
    careful = sorted(doubtful)
    carefully = put_all(session, cooperative_id, about, [letters[place] for place in careful])
    for place, message_id in zip(careful, carefully, strict=True):
        ids[place] = message_id
    if len(doubtful) < len(rows) and rows[0]["channel"] is not Channel.CALL:
        have_sent(session)
    return ids


def _row(cooperative_id: str, about: tuple[str, str], letter: Letter) -> dict[str, Any]:
    try:
        channel = Channel(letter.channel)
    except ValueError as error:
        raise BadInput("no-such-channel", _l("Chưa có cách gửi này."), field="channel") from error
    if len(letter.key) > KEY_MAX:
        raise ValueError(f"a key has at most {KEY_MAX} characters: {letter.key!r}")
    if any(c in letter.subject for c in "\r\n"):
        raise BadInput("line-break-in-subject", _l("Tiêu đề thư chỉ một dòng thôi."), field="subject")
    now = clock.now()
    row = {
        "id": uuid7(), "cooperative_id": cooperative_id, "channel": channel,
        "subject": clean_line(letter.subject, "subject", 200, required=channel is Channel.MAIL),
        "body": clean_text(letter.body, "body", BODY_MAX[channel], required=True),
        "about_kind": about[0], "about_id": about[1], "key": letter.key, "state": MessageState.WAITING,
        "tries": 0, "next_at": now, "made_at": now, "ended_at": None,
    }  # fmt: skip
    try:
        return {**row, "recipient": clean_address(channel, letter.to)}
    except BadInput:
        shown = "".join(c if c.isprintable() else "\ufffd" for c in letter.to[:254])
        return {**row, "recipient": shown, "state": MessageState.FAILED, "ended_at": now}


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> set[str]:
    """The ids of those that were new."""
    kind = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = kind(Message).on_conflict_do_nothing(index_elements=["key"]).returning(Message.__table__.c.id)
    return set(core(session).execute(statement, rows).scalars()) if rows else set()


def _known(session: Session, keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in in_parts(keys):
        rows = core(session).execute(select(Message.key, Message.id).where(Message.key.in_(some)))
        found.update({key: message_id for key, message_id in rows})
    return found


def have_sent(session: Session) -> None:
    """Have a job sent out what waits once the caller's transaction has committed, unless one is going to anyway."""
    if session.info.get(ASKED):
        return
    session.info[ASKED] = True
    waiting = select(Job.id).where(Job.kind == SEND, Job.state == State.WAITING).limit(1)
    if core(session).execute(waiting).first() is None:
        ask(session, SEND, None)


def bodies(session: Session, kind: str, id: str) -> Sequence[Message]:
    """All messages about one thing with their proofs, oldest first."""
    return session.scalars(
        select(Message)
        .where(Message.about_kind == kind, Message.about_id == id)
        .options(selectinload(Message.proofs).joinedload(MessageProof.member))
        .order_by(Message.made_at, Message.id)
    ).all()


def outbox_count(session: Session, cooperative_id: str) -> int:
    """What waits for this cooperative's office: messages that failed, and calls to make."""
    asked = or_(
        Message.state == MessageState.FAILED,
        (Message.state == MessageState.WAITING) & (Message.channel == Channel.CALL),
    )
    query = select(func.count()).select_from(Message).where(Message.cooperative_id == cooperative_id, asked)
    return session.scalar(query.where(Message.erased_at.is_(None))) or 0
