"""The public page's rows: each comment's place, time, what was wanted, and what became of it. No name, no word."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from shop.live.chain import MARK
from shop.live.errors import no_session
from shop.live.fairness.told import anchors, outside
from shop.live.log import mark
from shop.live.models import CommentKind, Decision, LiveAnchor, LiveComment, LiveDecision, LiveSession
from shop.live.reasons import words
from village.clock import VN
from village.db import db
from village.i18n import gettext as _
from village.ids import is_uuid

ROWS = 100
ABOUT_PACKS = (Decision.ORDER, Decision.WAITLIST, Decision.CANCEL, Decision.CHANGE, Decision.REVIEW)
"""Decisions that may give packs to somebody, or take them away."""
_SEAL = 32


@dataclass(frozen=True)
class Step:
    """One decision."""

    decision: str
    word: str
    why: str
    at: str
    """When, to the second; with the day where it was another than that of the comment."""
    late: bool
    by_hand: bool


@dataclass(frozen=True)
class Line:
    """One comment, its edit or its deletion. `mark` is what its writer knows it by."""

    seq: int
    mark: str
    kind: CommentKind
    said_at: dt.datetime
    received_at: dt.datetime
    doubted: bool
    chained: bool
    wanted: str
    steps: Sequence[Step]
    """As decided, one after the other; the last one holds."""

    @property
    def at(self) -> str:
        """When it was said, to the second."""
        return self.said_at.astimezone(VN).strftime("%H:%M:%S")

    @property
    def waited(self) -> int:
        """Whole seconds from when it was said to when it came."""
        return max(0, int((self.received_at - self.said_at).total_seconds()))


@dataclass(frozen=True)
class Asked:
    """What of the log to show."""

    mark: str = ""
    code: str = ""
    everything: bool = False
    """Also what asked for nothing."""


@dataclass(frozen=True)
class Order:
    """One page of a livestream's order of arrival."""

    live: LiveSession
    lines: Sequence[Line]
    asked: Asked
    found: int
    page: int
    pages: int
    first: int
    """Place of the first line among those found."""
    events: int
    outside: int
    anchors: Sequence[LiveAnchor]

    @property
    def loose(self) -> int:
        """Events that no anchor covers yet."""
        return self.events - (self.anchors[-1].length if self.anchors else self.outside)


def public(session: Session, session_id: str) -> LiveSession:
    """The livestream, once it has begun; NotFound for any other."""
    live = session.get(LiveSession, session_id) if is_uuid(session_id) else None
    if live is None or live.status == "planned":
        raise no_session()
    return live


def order(session_id: str, asked: Asked, page: int) -> Order:
    """One page, in the order in which viewers had their turns. A page beyond the last is the last."""
    session = db.session()
    live = public(session, session_id)
    which = _which(live, asked)
    found = session.scalar(select(func.count()).select_from(LiveComment).where(*which)) or 0
    pages = max(1, -(-found // ROWS))
    page = min(max(page, 1), pages)
    comments = session.scalars(
        select(LiveComment)
        .where(*which)
        .options(selectinload(LiveComment.decisions))
        .order_by(LiveComment.said_at, LiveComment.seq)
        .offset((page - 1) * ROWS)
        .limit(ROWS)
    ).all()
    return Order(
        live=live, lines=[_line(comment) for comment in comments], asked=asked, found=found, page=page, pages=pages,
        first=(page - 1) * ROWS + 1, events=live.received, outside=outside(session, live),
        anchors=anchors(session, live),
    )  # fmt: skip


def clean_mark(text: str) -> str:
    """A mark as typed, in its one spelling; empty for what is none."""
    typed = text.strip().lower()
    return typed if len(typed) == MARK and all(letter in "0123456789abcdef" for letter in typed) else ""


def _which(live: LiveSession, asked: Asked) -> list[ColumnElement[bool]]:
    which = [LiveComment.session_id == live.id]
    if asked.mark:
        author = func.substr(LiveComment.seals, _SEAL + 1, MARK // 2)
        return [*which, author == bytes.fromhex(asked.mark)]
    mine = LiveDecision.comment_id == LiveComment.id
    if asked.code:
        # As JSON is written: the code in its quotes, so that MD01 is not found in MD010.
        named = f'"{asked.code}"'
        columns = (LiveDecision.lines, LiveDecision.waiting, LiveDecision.suggested)
        which.append(exists().where(mine, or_(*(cast(c, String).contains(named, autoescape=True) for c in columns))))
    elif not asked.everything:
        which.append(exists().where(mine, LiveDecision.decision.in_(ABOUT_PACKS)))
    return which


def _line(comment: LiveComment) -> Line:
    first = comment.decisions[0] if comment.decisions else None
    asked = [*first.lines, *first.waiting] or first.suggested if first else []
    return Line(
        seq=comment.seq, mark=mark(comment), kind=comment.kind, said_at=comment.said_at,
        received_at=comment.received_at, doubted=comment.time_doubted, chained=comment.hash is not None,
        wanted=_counted(asked), steps=[_step(decision, comment) for decision in comment.decisions],
    )  # fmt: skip


def _step(decision: LiveDecision, comment: LiveComment) -> Step:
    at = decision.decided_at.astimezone(VN)
    same_day = at.date() == comment.said_at.astimezone(VN).date()
    return Step(
        decision=decision.decision.value, word=_word(decision),
        why=words(decision.reason, decision.allowed) if decision.reason else "",
        at=at.strftime("%H:%M:%S" if same_day else "%H:%M:%S, %d/%m/%Y"), late=decision.late,
        by_hand=decision.decided_by is not None,
    )  # fmt: skip


def _word(decision: LiveDecision) -> str:
    given, waiting = _counted(decision.lines), _counted(decision.waiting)
    queue = _("chờ %(what)s", what=waiting) if waiting else ""
    match decision.decision:
        case Decision.ORDER:
            return ", ".join(filter(None, (_("được %(what)s", what=given), queue)))
        case Decision.WAITLIST:
            return queue
        case Decision.CANCEL:
            return _("bỏ %(what)s", what=given) if given else _("xin bỏ")
        case Decision.CHANGE:
            return _("đã ghi số") if decision.reason == "phone" else _("muốn đổi")
        case Decision.QUESTION:
            return _("hỏi")
        case Decision.REVIEW:
            return _("người bán xem")
        case _:
            return _("không đặt gì")


def _counted(lines: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"{line['quantity']}\u00a0×\u00a0{line['code']}" for line in lines)
