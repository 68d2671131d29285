"""What is said in a livestream, kept for good: only ever added to, each event chained to the one before it.

An event is what was said, its edit, or its deletion. `shop.live.chain` has the hashes.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, make_transient_to_detached

from shop.live import chain
from shop.live.models import AUTHOR_MAX, TEXT_MAX, CommentKind, LiveComment, LiveSession, LiveSource
from shop.live.texts import kept
from village import clock
from village.db import insert_later, insert_now
from village.ids import uuid7

TIME_DOUBT = dt.timedelta(days=1)
"""A platform's time further off than this is a broken clock."""
NO_SOURCE = "api"
"""How the log calls what the seller's own program sent."""
_SALT = 16
_STRANGER = AUTHOR_MAX - len("unknown:")
"""Characters of a comment's id, of its end, that name its unknown writer."""
_TABLE = cast(Table, LiveComment.__table__)


class Raced(Exception):
    """Another session got one of the same comments at the same time: the whole transaction is to be done again."""


@dataclass(frozen=True)
class Said:
    """One comment, its edit or its deletion, as it was sent to us."""

    id: str
    author_id: str
    """Of an edit or a deletion it may be empty: then it is hers who wrote the comment."""
    author_name: str
    text: str
    at: dt.datetime | None = None
    """The platform's time, aware; None for now."""
    kind: CommentKind = "said"


@dataclass(frozen=True)
class Kept:
    """What the log made of what was sent."""

    fresh: list[LiveComment] = field(default_factory=list)
    """New events, in receive order."""
    known: dict[str, LiveComment] = field(default_factory=dict)
    """What the log had already, or got earlier in this very call: by the platform's id, the event that it has."""
    earlier: dict[str, LiveComment] = field(default_factory=dict)
    """By a fresh event's own id: the newest other event of the same comment, where the log had one before."""


def keep(session: Session, live: LiveSession, said: Sequence[Said], source: LiveSource | None = None) -> Kept:
    """Put what is new into the log. Call it with the session's row held.

    What was said is known when the same comment is there; an edit or a deletion, when it says nothing new. Raises
    Raced when another session's transaction was quicker with one of the same comments.
    """
    platform = source.platform if source else live.platform
    brought_by = source.kind if source else NO_SOURCE
    now = clock.now()
    found = _found(session, live, platform, {each.id for each in said})
    number, head = live.received, live.head
    result = Kept()
    rows: list[dict[str, Any]] = []
    for each in said:
        before = found.setdefault(each.id, [])
        if same := _same(live, each, before, now):
            result.known[each.id] = same
            continue
        number += 1
        row = _row(live, each, before, now)
        row |= {"platform": platform, "source_id": source.id if source else None, "seq": number, "prev": head}
        event = LiveComment(**row)
        event.hash = head = row["hash"] = event_of(event, brought_by).hash()
        rows.append(row)
        result.fresh.append(event)
        if before:
            result.earlier[event.id] = before[-1]
        before.append(event)
        before.sort(key=lambda one: one.version)
    if rows:
        _insert(session, rows, result.fresh)
        live.received, live.head, live.heard_at = number, head, now
    return result


def event_of(comment: LiveComment, source: str) -> chain.Event:
    """A chained event as its hash covers it; `source` is the kind of what brought it."""
    assert comment.seals is not None
    return chain.Event(
        session=comment.session_id, seq=comment.seq, kind=comment.kind, platform=comment.platform,
        version=comment.version, seals=chain.Seals.read(comment.seals), said_at=comment.said_at,
        doubted=comment.time_doubted, received_at=comment.received_at, source=source, prev=comment.prev,
    )  # fmt: skip


def mark(comment: LiveComment) -> str:
    """By what a viewer finds her comment on the public page; empty of one from before logs were chained."""
    return chain.Seals.read(comment.seals).mark if comment.seals else ""


def _found(session: Session, live: LiveSession, platform: str, ids: set[str]) -> dict[str, list[LiveComment]]:
    """The events that the log has of these comments in livestreams of this cooperative, each comment's by version."""
    mine = (LiveComment.cooperative_id == live.cooperative_id, LiveComment.platform == platform)
    those = select(LiveComment).where(*mine, LiveComment.comment_id.in_(ids))
    found: dict[str, list[LiveComment]] = {}
    for event in session.scalars(those.order_by(LiveComment.version)) if ids else ():
        found.setdefault(event.comment_id, []).append(event)
    return found


def _same(live: LiveSession, each: Said, before: Sequence[LiveComment], now: dt.datetime) -> LiveComment | None:
    """The event that says the same already, if there is one. A comment that came to another session stays there."""
    if not before:
        return None
    newest = before[-1]
    if newest.session_id != live.id:
        return newest
    if each.kind == "said":
        return next((event for event in before if event.kind == "said"), None)
    text = _text(each)
    if (newest.kind == "deleted") == (each.kind == "deleted") and newest.text == text:
        return newest
    at, doubted = _time(each, now)
    if each.at is None or doubted:
        return None
    return next((e for e in before if (e.kind, e.text, e.said_at) == (each.kind, text, at)), None)


def _row(live: LiveSession, each: Said, before: Sequence[LiveComment], now: dt.datetime) -> dict[str, Any]:
    """The event's row, but for its place in the log. All events of a comment have one salt for who wrote it."""
    first = before[0] if before else None
    author = _author(each, first)
    author_salt = (first.author_salt if first else None) or secrets.token_bytes(_SALT)
    text_salt, text = secrets.token_bytes(_SALT), _text(each)
    at, doubted = _time(each, now)
    # What was said first has the first number, even when its edit came before it.
    version = 1 if each.kind == "said" else max(1, before[-1].version if before else 1) + 1
    return {
        "id": uuid7(), "session_id": live.id, "cooperative_id": live.cooperative_id, "comment_id": each.id,
        "version": version, "kind": each.kind,
        "author_id": author, "author_name": kept(each.author_name or (first.author_name if first else ""), 200),
        "text": text, "cut": each.kind != "deleted" and len(each.text) > TEXT_MAX, "said_at": at,
        "time_doubted": doubted, "received_at": now, "author_salt": author_salt, "text_salt": text_salt,
        "seals": chain.Seals.made(author_salt, text_salt, each.id, author, text).written(),
    }  # fmt: skip


def _author(each: Said, first: LiveComment | None) -> str:
    """Who wrote it. Nobody but its writer changes a comment, so an edit is hers whatever it says; one that names nobody
    and came before its comment is nobody else's."""
    if each.kind == "said":
        return each.author_id or (first.author_id if first else "")
    return (first.author_id if first else "") or each.author_id or f"unknown:{each.id[-_STRANGER:]}"


def _text(each: Said) -> str:
    return "" if each.kind == "deleted" else kept(each.text, TEXT_MAX)


def _time(each: Said, now: dt.datetime) -> tuple[dt.datetime, bool]:
    """When it was said, and whether the platform's clock is doubted."""
    doubted = each.at is not None and abs(each.at - now) > TIME_DOUBT
    return (now if doubted or each.at is None else each.at), doubted


def _insert(session: Session, rows: list[dict[str, Any]], events: list[LiveComment]) -> None:
    # Sorted, so that two sessions that get the same comments at once do not wait for each other.
    insert_later(session, _TABLE, sorted(rows, key=lambda row: (row["comment_id"], row["version"])))
    try:
        insert_now(session)
    except IntegrityError as error:
        raise Raced from error
    for event in events:
        # As if read back: the database has the very same row.
        make_transient_to_detached(event)
    session.add_all(events)
