"""Reads a session's log again with the parser of today: what would be read otherwise. Nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from shop.live.errors import no_session
from shop.live.models import Decision, LiveComment, LiveDecision, LiveSession
from shop.live.parser import Line, Reading, parse
from shop.orders.models import QUANTITY_MAX
from village.ids import is_uuid

_AT_ONCE = 1000
_ORDER_DOUBTS = frozenset(("repeat", "phone-differs", "not-sold", "pin-changed"))
"""Why the shop itself did not take what the parser had read as an order."""
_LIMITS = frozenset(("viewer-limit", "order-limit"))
_NOT_READ = frozenset(("session-ended", "edited", "deleted"))
"""Why a comment was never read: it came too late, or words of it had been acted on."""
_CANCEL_DOUBTS = frozenset(("order-moved-on", "not-so-many"))


@dataclass(frozen=True, slots=True)
class Gist:
    """What a comment was taken to say. `lines` are code → packs; in a cancellation 0 is all."""

    intent: str
    lines: tuple[tuple[str, int], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A comment that is read otherwise today."""

    comment: LiveComment
    then: Gist
    today: Gist


@dataclass(frozen=True, slots=True)
class Replay:
    """The log of one session: how many comments were read again, and those that came out otherwise."""

    read: int
    forgotten: int
    """Comments whose words were erased since, as their writers may ask."""
    changed: list[Changed]


def replay(session: Session, session_id: str) -> Replay:
    """Read a session's comments again, in the order in which they were said. NotFound if there is no such session."""
    live = session.get(LiveSession, session_id) if is_uuid(session_id) else None
    if live is None:
        raise no_session()
    codes = [code.code for code in live.codes]
    read = forgotten = 0
    changed = []
    for comment in _log(session, live):
        if not comment.author_id and not comment.text:
            forgotten += 1
            continue
        first = comment.decisions[0] if comment.decisions else None
        if first is None or comment.kind == "deleted" or first.reason in _NOT_READ:
            continue
        read += 1
        reading = parse(comment.text, codes, QUANTITY_MAX, first.pinned)
        then, today = _then(first), _today(comment, reading)
        if first.reason == "offer-taken" and not today.lines:
            # She said yes to what was kept for her, without naming it.
            continue
        if _differ(then, today):
            changed.append(Changed(comment, then, today))
    changed.sort(key=lambda each: each.comment.turn)
    return Replay(read, forgotten, changed)


def _log(session: Session, live: LiveSession) -> Iterator[LiveComment]:
    beyond = -1
    mine = select(LiveComment).where(LiveComment.session_id == live.id).order_by(LiveComment.seq)
    mine = mine.options(selectinload(LiveComment.decisions)).limit(_AT_ONCE)
    while page := session.scalars(mine.where(LiveComment.seq > beyond)).all():
        yield from page
        beyond = page[-1].seq


def _today(comment: LiveComment, reading: Reading) -> Gist:
    if comment.cut:
        return Gist("review", (), "too-long")
    return Gist(reading.intent, _plain(reading.lines), reading.reason)


def _plain(lines: tuple[Line, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((line.code, line.quantity) for line in lines)


def _then(first: LiveDecision) -> Gist:
    """What the parser had read, from what was done with it: stock and doubts of the shop are not its reading."""
    lines = _kept(first.lines) + _kept(first.waiting)
    offered = _kept(first.suggested)
    if first.decision in (Decision.ORDER, Decision.WAITLIST):
        return Gist("order", lines, "")
    if first.decision is Decision.CANCEL:
        return Gist("cancel", lines, "")
    if first.reason in ("phone", "phone-kept") or (first.reason == "phone-differs" and not offered):
        return Gist("phone", (), "")
    if first.reason in _CANCEL_DOUBTS:
        return Gist("cancel", offered, "")
    if first.reason in _LIMITS:
        return Gist("order", offered, first.reason)
    if first.reason in _ORDER_DOUBTS or (first.reason == "above-limit" and offered):
        return Gist("order", offered, "")
    return Gist(first.decision.value, (), first.reason)


def _kept(lines: list[dict[str, object]]) -> tuple[tuple[str, int], ...]:
    return tuple((str(line["code"]), int(str(line["quantity"]))) for line in lines)


def _differ(then: Gist, today: Gist) -> bool:
    if then.intent != today.intent:
        # A cancellation that the shop could not carry out for certain is kept as a doubt with the same slug.
        return not (today.intent == "cancel" and then == Gist("review", (), "cancel"))
    if then.reason in _LIMITS:
        return False  # what was offered to her is as much as she may have
    if then.intent == "cancel":
        # What was kept is what could be given back: of "all" a number, of nothing nothing.
        asked = dict(today.lines)
        return any(code not in asked or asked[code] not in (0, n) for code, n in then.lines)
    return sorted(then.lines) != sorted(today.lines)
