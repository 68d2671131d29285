"""Before a process signs its first checkpoint: has anybody seen more of this log than the database holds?

A database that was put back from a backup knows nothing of the entries since. Whoever signed on from there would sign a
second history. So each process first asks the witnesses, who remember, and looks at the mark beside the database.
"""

import threading
import time
from dataclasses import dataclass, field
from functools import partial

from flask import Flask, current_app
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from trace.ledger import contradiction, keys, mark, merkle, witnesses
from trace.ledger.asking import Answer, Contradicts, Cosigned, Failed, Holds, ask, at_once
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.mark import floor, remember
from trace.ledger.models import LedgerState, WitnessSeen
from trace.ledger.note import Verifier, parse_note, sign_note
from trace.ledger.policy import Witness
from trace.ledger.store import PEN, CannotSign
from trace.witness.core import Request
from village.db import BEFORE_LEDGER, db, read_once
from village.errors import SoiError
from village.i18n import lazy_gettext as _l

__all__ = ["floor", "init_app", "open_for_signing", "remember"]

GATE = "soi.gate"
AGAIN = 5.0
"""Seconds for which a refusal stands before the witnesses are asked again."""
MARKS = 1.0
"""Seconds between two marks that this process makes: so far the mark may lag after a busy moment."""


@dataclass
class _Gate:
    """Whether this process may sign."""

    open: bool = False
    refusal: SoiError | None = None
    refused_at: float = 0.0
    marked_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class _Known:
    """What the database says of its log."""

    size: int
    note: str
    vkey: str


def init_app(app: Flask) -> None:
    """Have every process ask before its first entry."""
    app.extensions[GATE] = _Gate()
    app.extensions.setdefault(BEFORE_LEDGER, []).append(open_for_signing)


def _committed(session: Session) -> None:
    """What this process has signed it knows itself: a backup put back under it is found without asking anybody."""
    if (pen := session.info.get(PEN)) is None:
        return
    mark.raise_floor(pen.frontier.size)
    gate: _Gate = current_app.extensions[GATE]
    if time.monotonic() - gate.marked_at > MARKS:
        gate.marked_at = time.monotonic()
        remember(pen.frontier.size)


event.listen(db.session, "after_commit", _committed)


def open_for_signing() -> None:
    """Return when this process may sign: at once, after the first time. Raises SoiError (503) when it must not.

    Asks over the network, so it is called before the log's lock is taken.
    """
    gate: _Gate = current_app.extensions[GATE]
    if gate.open:
        return
    with gate.lock:
        if gate.open:
            return
        if gate.refusal is not None and time.monotonic() - gate.refused_at < AGAIN:
            raise gate.refusal.with_traceback(None)
        try:
            _check()
        except SoiError as error:
            gate.refusal, gate.refused_at = error, time.monotonic()
            raise
        gate.open = True


def _check() -> None:
    # The mark first: a neighbour who commits and marks in between makes the database lead, as it should.
    marked, known = mark.marked(), _known()
    size = known.size if known else 0
    if size < marked:
        raise CannotSign(
            "log-behind",
            _l(
                "Sổ trong máy có %(size)s dòng, mà dấu ghi ngoài sổ là %(marked)s dòng. Cơ sở dữ liệu có lẽ vừa khôi "
                "phục từ bản cũ, nên sổ không ký gì nữa. Hãy đưa bản mới nhất trở lại. Cố ý mở sổ khác thì bỏ cả thư "
                "mục keys và tệp ledger.mark."
            ),
            size=size,
            marked=marked,
        )
    asked = [one for one in witnesses.policy().witnesses if one.url]
    known = known or _unborn()
    if not asked or known is None:
        return
    answers = _answers(asked, known)
    # Read again: the log may have grown, and been cosigned, while they were asked.
    size = now.size if (now := _known()) else 0
    for one, answer in answers.items():
        _refuse_contradiction(one, answer, known, size)
    held = [answer.size for answer in answers.values() if isinstance(answer, Holds)]
    if held:
        mark.raise_floor(max(held))
    elif not any(isinstance(answer, Cosigned) for answer in answers.values()):
        _refuse_unknown(asked)


def _answers(asked: list[Witness], known: _Known) -> dict[Witness, Answer]:
    """From size 0, a witness that holds anything says how much; one that holds nothing cosigns what we have."""
    body, text = Request(0, (), known.note).format(), parse_note(known.note).text
    got = at_once({one: partial(ask, one, body, text) for one in asked})
    return {one: got.get(one, Failed("unreachable")) for one in asked}


def _refuse_contradiction(one: Witness, answer: Answer, known: _Known, size: int) -> None:
    key = Verifier.parse(known.vkey)
    if isinstance(answer, Contradicts):
        contradiction.forked(one, key, known.note, known.size)
        raise CannotSign(
            "log-forked",
            _l("Người làm chứng %(name)s giữ bản khác với sổ trong máy, nên sổ không ký gì nữa."),
            name=one.name,
        )
    if isinstance(answer, Holds) and answer.size > size:
        contradiction.behind(one, key, known.note, size, answer.size)
        raise CannotSign(
            "log-behind",
            _l(
                "Sổ trong máy có %(size)s dòng, mà người làm chứng %(name)s đã thấy %(theirs)s dòng. Cơ sở dữ liệu có "
                "lẽ vừa khôi phục từ bản cũ, nên sổ không ký gì nữa. Hãy đưa bản mới nhất trở lại."
            ),
            size=size,
            theirs=answer.size,
            name=one.name,
        )


def _refuse_unknown(asked: list[Witness]) -> None:
    """Nobody said anything: that is right for a log that no witness knows yet, and for no other."""
    if current_app.extensions["soi"].ledger_start_alone:
        return
    mine = {one.key.vkey for one in asked}
    rows = read_once(select(WitnessSeen.vkey).where(WitnessSeen.size.is_not(None)), {})
    if any(vkey in mine for (vkey,) in rows):
        raise CannotSign(
            "no-witness",
            _l(
                "Chưa hỏi được người làm chứng nào xem sổ trong máy có phải bản mới nhất không, nên chưa ký gì. "
                "Mạng thông lại thì sổ tự ghi tiếp."
            ),
        )


def _known() -> _Known | None:
    rows = read_once(select(LedgerState.size, LedgerState.checkpoint, LedgerState.vkey), {})
    return next((_Known(row.size, row.checkpoint, row.vkey) for row in rows), None)


def _unborn() -> _Known | None:
    """A log that is not in the database, though its key is there: what a witness may know it by. None for a new log."""
    if not (keys.folder() / f"{keys.LEDGER}.key").exists():
        return None
    origin = current_app.extensions["soi"].ledger_origin
    signer = keys.born(origin).ledger[0]
    note = sign_note(Checkpoint(origin, 0, merkle.EMPTY_ROOT).format(), signer)
    return _Known(0, note.format(), signer.verifier.vkey)
