"""Hands for tests of a livestream's log: a session, what is said into it, what is decided of it."""

import datetime as dt
import itertools
from typing import Any

from sqlalchemy import select

from shop.live import log
from shop.live.log import Kept, Said
from shop.live.models import Decision, LiveCode, LiveComment, LiveDecision, LiveSession
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.ids import uuid7

_numbers = itertools.count(1)


def evening(village: Village, status: Any = "open", platform: str = "facebook", who: str = "seller") -> str:
    """A livestream that sells MD01 and MD02; its id."""
    host, product = village.member(who), village.product("packs", 500)
    with write() as session:
        codes = [LiveCode(position=n, code=code, product_id=product.id, price=65000) for n, code in enumerate(CODES)]
        live = LiveSession(
            id=uuid7(), title="Miến mới tối thứ bảy", platform=platform, host_id=host.id,
            cooperative_id=host.cooperative_id, status=status, codes=codes,
        )  # fmt: skip
        session.add(live)
        return live.id


CODES = ("MD01", "MD02")


def said(text: str, author: str = "lan", *, id: str = "", at: dt.datetime | None = None, kind: Any = "said") -> Said:
    """Something that a viewer wrote."""
    return Said(id or f"k{next(_numbers)}", author, author.title(), text, at or clock.now(), kind)


def keep(session_id: str, *those: Said) -> Kept:
    """Into the log, in a transaction of its own."""
    with write() as session:
        return log.keep(session, session.get_one(LiveSession, session_id), those)


def decide(comment: LiveComment, decision: Decision = Decision.ORDER, **more: Any) -> None:
    """One more decision of a comment."""
    lists = {name: more.pop(name, []) for name in ("lines", "waiting", "suggested")}
    with write() as session:
        position = len(session.scalars(select(LiveDecision).where(LiveDecision.comment_id == comment.id)).all())
        session.add(
            LiveDecision(
                comment_id=comment.id, position=position, session_id=comment.session_id, decision=decision,
                reason=more.pop("reason", ""), **lists, **more,
            )
        )  # fmt: skip


def wrote(session_id: str) -> list[LiveComment]:
    """The session's events as they are stored, in receive order."""
    db.session.rollback()
    db.session.expire_all()
    mine = select(LiveComment).where(LiveComment.session_id == session_id).order_by(LiveComment.seq)
    return list(db.session.scalars(mine))


def live_of(session_id: str) -> LiveSession:
    """The session as it is stored."""
    return db.session.get_one(LiveSession, session_id, populate_existing=True)


def line(code: str = "MD01", quantity: int = 1, because: str = "chốt một gói") -> dict[str, Any]:
    """A line as decisions keep it, with the words that gave it."""
    return {"code": code, "quantity": quantity, "because": because}
