"""Edits and deletions: further events of a comment. They never take by themselves what was decided of it before.

Nobody edits herself to the front: an edit has its own time for its turn.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.live.log import Said
from shop.live.models import Decision, LiveComment, LiveDecision, LiveSession
from shop.live.outcomes import Outcome

HELD = (Decision.ORDER, Decision.WAITLIST, Decision.CANCEL)
"""What of a comment stands, whatever becomes of its words later."""


@dataclass(frozen=True)
class Turned:
    """An edit or a deletion, or what came after one, beside the comment's other events."""

    event: LiveComment
    others: Sequence[tuple[LiveComment, Sequence[LiveDecision]]]
    """The comment's other events, with what was decided of them in earlier transactions."""

    def outcome(self, now: Mapping[str, Outcome]) -> Outcome | None:
        """What becomes of the event; None for words that are to be read in place of those before. `now`: what this
        transaction has decided, by the event's id."""
        event = self.event
        said = [one.decision for _, decisions in self.others for one in decisions]
        said += [now[other.id].decision for other, _ in self.others if other.id in now]
        stands = any(decision in HELD for decision in said)
        if event.kind == "deleted":
            return Outcome(Decision.REVIEW if stands else Decision.IGNORED, reason="deleted")
        deleted = [other for other, _ in self.others if other.kind == "deleted"]
        if event.kind == "said":
            # Its edit or its deletion was quicker, and has been acted on.
            return Outcome(Decision.IGNORED, reason="deleted" if deleted else "edited")
        if deleted and not stands:
            return Outcome(Decision.IGNORED, reason="deleted")
        return Outcome(Decision.REVIEW, reason="edited") if stands else None

    def doubts(self, now: Mapping[str, Outcome]) -> Iterator[tuple[LiveComment, int]]:
        """The other events that wait for a person, each with the number of the decision that says so."""
        for other, decisions in self.others:
            last = now[other.id].decision if other.id in now else decisions[-1].decision if decisions else None
            if last in (Decision.REVIEW, Decision.CHANGE):
                yield other, decisions[-1].position if decisions else 0


def in_own_time(session: Session, live: LiveSession, platform: str, said: Sequence[Said]) -> Sequence[Said]:
    """The same, but edits and deletions that bear the time of the comment itself have none: then it is when they
    come in."""
    later = [each for each in said if each.kind != "said" and each.at is not None]
    if not later:
        return said
    query = select(LiveComment.comment_id, func.max(LiveComment.said_at)).group_by(LiveComment.comment_id)
    mine = (LiveComment.cooperative_id == live.cooperative_id, LiveComment.platform == platform)
    query = query.where(*mine, LiveComment.comment_id.in_({each.id for each in later}))
    times: dict[str, dt.datetime] = {comment_id: at for comment_id, at in session.execute(query)}
    for each in said:
        if each.kind == "said" and each.at is not None:
            times[each.id] = max(each.at, times.get(each.id, each.at))
    return [
        replace(each, at=None)
        if each.kind != "said" and each.at is not None and each.at <= times.get(each.id, each.at - dt.timedelta(1))
        else each
        for each in said
    ]


def turned(session: Session, events: Sequence[LiveComment]) -> dict[str, Turned]:
    """By its id, each of these events of one session with the others of its comment, where there are others."""
    if not events:
        return {}
    ids = {event.comment_id for event in events}
    all_of_them = session.scalars(
        select(LiveComment)
        .where(LiveComment.session_id == events[0].session_id, LiveComment.comment_id.in_(ids))
        .order_by(LiveComment.seq)
    ).all()
    decisions: dict[str, list[LiveDecision]] = defaultdict(list)
    made = select(LiveDecision).where(LiveDecision.comment_id.in_([event.id for event in all_of_them]))
    for decision in session.scalars(made.order_by(LiveDecision.position)):
        decisions[decision.comment_id].append(decision)
    found = {}
    for event in events:
        same = [one for one in all_of_them if (one.platform, one.comment_id) == (event.platform, event.comment_id)]
        # What was said first is turned only by what came in before it.
        others = [one for one in same if one is not event and (event.kind != "said" or one.seq < event.seq)]
        if others or event.kind == "deleted":
            found[event.id] = Turned(event, [(other, decisions[other.id]) for other in others])
    return found
