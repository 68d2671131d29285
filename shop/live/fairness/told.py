"""What everybody may see of a livestream's log: the very objects that its hashes are over. No name, no word, no number.

Format: docs/formats.md, "A livestream's log".
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from shop.live import chain
from shop.live.fairness.checking import FORMAT
from shop.live.log import NO_SOURCE, event_of
from shop.live.models import LiveAnchor, LiveComment, LiveDecision, LiveSession, LiveSource
from village.clock import now

_AT_ONCE = 500
_MILLISECOND = dt.timedelta(milliseconds=1)


def events(session: Session, live: LiveSession) -> Iterator[dict[str, Any]]:
    """The chained events in receive order, each with its hash; none that came since `live` was read."""
    rows = session.execute(
        select(LiveComment, LiveSource.kind)
        .outerjoin(LiveSource, LiveSource.id == LiveComment.source_id)
        .where(LiveComment.session_id == live.id, LiveComment.hash.is_not(None), LiveComment.seq <= live.received)
        .order_by(LiveComment.seq)
        .execution_options(yield_per=_AT_ONCE)
    )
    for comment, source in rows:
        yield {**event_of(comment, source or NO_SOURCE).public(), "hash": comment.hash}


def decisions(session: Session, live: LiveSession, until: dt.datetime | None = None) -> Iterator[dict[str, Any]]:
    """What was decided of chained events, by the event's number and then in turn; up to the millisecond of `until`."""
    before = (until or now()) + _MILLISECOND
    rows = session.execute(
        select(
            LiveComment.seq, LiveDecision.position, LiveDecision.decision, LiveDecision.lines, LiveDecision.waiting,
            LiveDecision.suggested, LiveDecision.reason, LiveDecision.late, LiveDecision.decided_by,
            LiveDecision.decided_at,
        )
        .join(LiveComment, LiveComment.id == LiveDecision.comment_id)
        .where(
            LiveDecision.session_id == live.id, LiveDecision.decided_at < before,
            LiveComment.hash.is_not(None), LiveComment.seq <= live.received,
        )
        .order_by(LiveComment.seq, LiveDecision.position)
        .execution_options(yield_per=_AT_ONCE)
    )  # fmt: skip
    return map(_decision, rows)


def _decision(row: Row[Any]) -> dict[str, Any]:
    return {
        "seq": row.seq, "position": row.position, "decision": row.decision.value,
        "lines": _counted(row.lines), "waiting": _counted(row.waiting), "suggested": _counted(row.suggested),
        "reason": row.reason, "late": row.late, "byHand": row.decided_by is not None,
        "at": chain.moment(row.decided_at),
    }  # fmt: skip


def _counted(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Codes and packs, without the words that said so."""
    return [{"code": str(line["code"]), "quantity": int(line["quantity"])} for line in lines]


def anchors(session: Session, live: LiveSession) -> list[LiveAnchor]:
    """How the village's ledger knows the log, oldest first."""
    mine = select(LiveAnchor).where(LiveAnchor.session_id == live.id, LiveAnchor.length <= live.received)
    return list(session.scalars(mine.order_by(LiveAnchor.length)))


def anchor(made: LiveAnchor) -> dict[str, Any]:
    """An anchor as the public document has it."""
    return {
        "length": made.length, "head": made.head, "decisions": made.decisions, "entry": made.entry,
        "at": chain.moment(made.made_at),
    }  # fmt: skip


def outside(session: Session, live: LiveSession) -> int:
    """Comments from before logs were chained: nothing proves where they stood."""
    count = select(func.count()).where(LiveComment.session_id == live.id, LiveComment.hash.is_(None))
    return session.scalar(count) or 0


def head(session: Session, live: LiveSession) -> dict[str, Any]:
    """What the document says besides events and decisions."""
    return {
        "format": FORMAT,
        "session": live.id,
        "title": live.title,
        "platform": live.platform,
        "status": live.status,
        "outside": outside(session, live),
        "length": live.received if live.head else 0,
        "head": live.head,
        "anchors": [anchor(made) for made in anchors(session, live)],
    }
