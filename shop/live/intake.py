"""Comments come in: kept as they are, read, and acted on in the order in which viewers wrote them."""

import datetime as dt
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from shop.live import rules
from shop.live.edits import Turned, in_own_time, turned
from shop.live.errors import ended, no_source, not_begun, not_your_session
from shop.live.log import Kept, keep
from shop.live.log import Said as Said
from shop.live.models import Decision, LiveComment, LiveDecision, LiveSession, LiveSource
from shop.live.outcomes import Asked, Outcome
from shop.live.parser import Line, Reading, parse
from shop.live.room import Room, hold
from shop.live.services import may_see
from shop.live.turns import in_turn
from shop.orders.models import QUANTITY_MAX, Order
from village import clock
from village.db import db
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.people.access import Actor

COMMENTS_MAX = 500
"""Comments in one call."""
KEPT_AFTERWARDS = dt.timedelta(days=1)
"""So long after the end a session keeps what its sources bring late, and decides nothing of it."""
PIN_SETTLES = dt.timedelta(seconds=10)
"""So long after one pinned product took another's place a bare number may mean either: pictures reach viewers late."""


@dataclass(frozen=True)
class Result:
    """What became of one comment, for whoever sent it."""

    id: str
    decision: Decision
    lines: Sequence[Asked]
    waiting: Sequence[Asked]
    phone: str | None
    reason: str
    order: str | None
    """The order's number."""
    token: str | None
    """The key to the order's page."""


def receive(actor: Actor, session_id: str, said: Sequence[Said], source_id: str | None = None) -> list[Result]:
    """Take comments in one transaction; what became of each, in the order sent. `source_id`: what they came by.

    A comment that was here before is a `duplicate` with what became of it then. Reservation goes by the platform's
    time, then by our receive order. A paused session keeps them and decides nothing yet. Conflict when the session is
    only planned, or has ended and one of the comments is new.
    """

    return in_turn(session_id, _Call(_bounded(said), actor, source_id), _take_in)


def feed(source_id: str, said: Sequence[Said]) -> list[Result]:
    """Take what a session's own source brings, with the source's authority; as `receive`.

    What it brings within a day of the end is kept, and ignored. NotFound when there is no such source.
    """

    of = db.session.scalar(select(LiveSource.session_id).where(LiveSource.id == source_id))
    db.session.remove()
    if of is None:
        raise no_source()
    return in_turn(of, _Call(_bounded(said), None, source_id), _take_in)


def go_on(session: Session, live: LiveSession) -> bool:
    """Decide the first COMMENTS_MAX of what a pause left undecided, in the order in which viewers wrote it, in the
    caller's transaction; True when there is more of it.

    Call it with the session's row held and its status open; the row's codes are read again.
    """
    live = hold(session, live.id)
    left = select(LiveComment).where(*undecided(live.id)).order_by(LiveComment.said_at, LiveComment.seq)
    waiting = session.scalars(left.limit(COMMENTS_MAX + 1)).all()
    now = waiting[:COMMENTS_MAX]
    edited = select(LiveComment.comment_id).where(LiveComment.session_id == live.id, LiveComment.kind != "said")
    turning = set(session.scalars(edited.where(LiveComment.comment_id.in_({comment.comment_id for comment in now}))))
    again = {comment.id for comment in now if comment.comment_id in turning}
    _decide(session, live, now, again, live.decided_to)
    return len(waiting) > len(now)


def undecided(session_id: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions of what a session keeps and nothing was decided of yet."""
    decided = select(LiveDecision.comment_id).where(LiveDecision.comment_id == LiveComment.id)
    return LiveComment.session_id == session_id, ~decided.exists()


@dataclass(frozen=True)
class _Call:
    """What one caller brings: a member, or a source by its own authority."""

    said: Sequence[Said]
    actor: Actor | None
    source_id: str | None

    def sees(self, live: LiveSession, other: LiveSession) -> bool:
        """Whether the caller may know what became of another session's comments."""
        return other is live if self.actor is None else may_see(self.actor, other)


def _bounded(said: Sequence[Said]) -> Sequence[Said]:
    if len(said) > COMMENTS_MAX:
        message = _l("Mỗi lần gửi nhiều nhất %(max)s lời nhắn.")
        raise BadInput("too-many-comments", message, field="comments", max=COMMENTS_MAX, count=len(said))
    return said


def _take_in(session: Session, live: LiveSession, calls: Sequence[_Call]) -> list[list[Result]]:
    """Keep what all these calls bring, decide it together in its turn, and tell each what became of its own."""
    kept = [_keep(session, live, call) for call in calls]
    fresh = [comment for each in kept for comment in each.fresh]
    outcomes: dict[str, Outcome] = {}
    if live.over:
        outcomes = _leave(session, live, fresh)
    elif live.status == "open":
        again = {comment_id for each in kept for comment_id in each.earlier}
        outcomes = _decide(session, live, fresh, again, live.decided_to)
    return [_results(session, live, call, each, outcomes) for call, each in zip(calls, kept, strict=True)]


def _keep(session: Session, live: LiveSession, call: _Call) -> Kept:
    if call.actor is not None and not may_see(call.actor, live):
        raise not_your_session()
    if live.status == "planned":
        raise not_begun(live)
    source = session.get(LiveSource, call.source_id) if call.source_id and is_uuid(call.source_id) else None
    if call.source_id and (source is None or source.session_id != live.id):
        raise no_source()
    said = in_own_time(session, live, source.platform if source else live.platform, call.said)
    kept = keep(session, live, said, source)
    over = live.ended_at is None or clock.now() - live.ended_at > KEPT_AFTERWARDS
    if live.over and kept.fresh and (over or call.actor is not None):
        raise ended(live)
    return kept


def _leave(session: Session, live: LiveSession, fresh: Sequence[LiveComment]) -> dict[str, Outcome]:
    """What comes after the end is kept, and nothing comes of it."""
    room = Room(session, live)
    for comment in fresh:
        room.decide(comment, Outcome(Decision.IGNORED, reason="session-ended"))
    room.settle()
    return room.outcomes


def _decide(
    session: Session, live: LiveSession, fresh: Sequence[LiveComment], again: Container[str], since: dt.datetime | None
) -> dict[str, Outcome]:
    """Read new events and act on them in their turn; what became of each.

    `again`: ids of those whose comments had events before; `since`: how far was decided before.
    """
    if not fresh:
        return {}
    room = Room(session, live)
    changes = turned(session, [comment for comment in fresh if comment.kind != "said" or comment.id in again])
    readings = {comment.id: _read(room, comment) for comment in fresh if comment.kind != "deleted"}
    read = [(comment.author_id, readings[comment.id]) for comment in fresh if comment.id in readings]
    authors = {author for author, reading in read if _acts(reading)}
    givers = {author for author, reading in read if reading.intent == "cancel"}
    codes = {line.code for _, reading in read for line in reading.lines}
    room.enter(authors, codes, givers=givers)
    with session.no_autoflush:
        for comment in sorted(fresh, key=lambda comment: comment.turn):
            late = since is not None and comment.said_at < since
            change, reading = changes.get(comment.id), readings.get(comment.id)
            outcome = _instead(room, comment, change, reading) if change else None
            if outcome is None and reading is not None:
                outcome = _act(room, comment, reading)
                outcome = replace(outcome, pinned=live.pinned) if reading.by_pin else outcome
            assert outcome is not None
            room.decide(comment, outcome, late=late)
    # Nothing is said after it came: one fast clock would else make everything late that comes from now on.
    latest = max(min(comment.said_at, comment.received_at) for comment in fresh)
    live.decided_to = latest if live.decided_to is None else max(latest, live.decided_to)
    room.settle()
    return room.outcomes


def _instead(room: Room, comment: LiveComment, change: Turned, reading: Reading | None) -> Outcome | None:
    """What becomes of an edit or a deletion; None for words that are to be read now."""
    outcome = change.outcome(room.outcomes)
    if outcome and reading and outcome.decision is Decision.REVIEW:
        return replace(outcome, suggested=_asked(reading.lines), phone=reading.phone)
    if outcome is None or outcome.decision is Decision.IGNORED:
        for other, position in change.doubts(room.outcomes):
            # What a person was to look at is no longer what stands there.
            room.positions.setdefault(other.id, position + 1)
            room.decide(other, Outcome(Decision.IGNORED, reason="deleted" if comment.kind == "deleted" else "edited"))
    return outcome


def _read(room: Room, comment: LiveComment) -> Reading:
    live = room.live
    pinned = live.pinned if live.pinned_at is None or comment.said_at >= live.pinned_at else None
    return parse(comment.text, room.codes, QUANTITY_MAX, pinned)


def _acts(reading: Reading) -> bool:
    """Whether something may come of it by itself."""
    return reading.intent in ("order", "cancel", "phone") or reading.reason == "no-code"


def _act(room: Room, comment: LiveComment, reading: Reading) -> Outcome:
    """Do what a comment says, if it says it clearly."""
    lines, suggested = _asked(reading.lines), _asked(reading.suggested)
    if comment.cut:
        return Outcome(Decision.REVIEW, suggested=lines or suggested, phone=reading.phone, reason="too-long")
    if reading.intent == "order" and reading.by_pin and _pin_settles(room.live, comment):
        return Outcome(Decision.REVIEW, suggested=lines, phone=reading.phone, reason="pin-changed")
    if reading.intent == "order":
        return rules.take(room, comment, lines, reading.phone, reading.additive)
    if reading.intent == "cancel":
        return rules.give_back(room, comment, lines)
    if reading.intent == "phone" and reading.phone:
        return rules.note_phone(room, comment, reading.phone)
    if (yes := rules.say_yes(room, comment, reading)) is not None:
        return yes
    return Outcome(Decision(reading.intent), suggested=suggested, phone=reading.phone, reason=reading.reason)


def _asked(lines: Sequence[Line]) -> list[Asked]:
    return [Asked(line.code, line.quantity, line.because) for line in lines]


def _pin_settles(live: LiveSession, comment: LiveComment) -> bool:
    since = live.pinned_at
    return live.pinned_before is not None and since is not None and comment.said_at < since + PIN_SETTLES


def _results(
    session: Session, live: LiveSession, call: _Call, kept: Kept, outcomes: dict[str, Outcome]
) -> list[Result]:
    fresh, at = kept.fresh, 0
    before = _known(session, live, [c for c in kept.known.values() if c.id not in outcomes], call)
    results = []
    for each in call.said:
        if at < len(fresh) and (fresh[at].comment_id, fresh[at].kind) == (each.id, each.kind):
            results.append(_result(each.id, outcomes.get(fresh[at].id, _PAUSED)))
            at += 1
        else:
            same = kept.known[each.id]
            was = outcomes.get(same.id) or before.get(same.id, _PAUSED)
            results.append(_result(each.id, was, Decision.DUPLICATE))
    return results


_PAUSED = Outcome(Decision.IGNORED, reason="paused")


def _known(
    session: Session, live: LiveSession, events: Sequence[LiveComment], call: _Call
) -> dict[str, Outcome]:
    """What holds of comments that were here before. Of a session that is not the asker's nothing is told."""
    if not events:
        return {}
    others = {event.session_id for event in events} - {live.id}
    theirs = session.scalars(select(LiveSession).where(LiveSession.id.in_(others))) if others else ()
    hidden = {each.id for each in theirs if not call.sees(live, each)}
    told = [event.id for event in events if event.session_id not in hidden]
    decisions = session.scalars(
        select(LiveDecision)
        .where(LiveDecision.comment_id.in_(told))
        .options(joinedload(LiveDecision.order))
        .order_by(LiveDecision.position)
    )
    found = {event.id: Outcome(Decision.DUPLICATE) for event in events if event.session_id in hidden}
    return found | {decision.comment_id: outcome_of(decision) for decision in decisions}


def outcome_of(decision: LiveDecision) -> Outcome:
    """A kept decision as a value."""
    return Outcome(
        decision.decision,
        [Asked(**line) for line in decision.lines],
        [Asked(**line) for line in decision.waiting],
        phone=decision.phone,
        reason=decision.reason,
        order=decision.order,
        allowed=decision.allowed,
        pinned=decision.pinned,
    )


def _result(comment_id: str, outcome: Outcome, decision: Decision | None = None) -> Result:
    order: Order | None = outcome.order
    return Result(
        comment_id, decision or outcome.decision, outcome.lines, outcome.waiting, outcome.phone, outcome.reason,
        order.number if order else None, order.token if order else None,
    )  # fmt: skip
