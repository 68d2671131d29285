"""The log's witnesses: the policy that names them, and their cosignatures under our checkpoints.

A witness that holds another history than ours halts the log: see `trace.ledger.contradiction`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.ledger import contradiction, mark, published, store
from trace.ledger.asking import Answer, Contradicts, Cosigned, Failed, Holds, ask, at_once
from trace.ledger.models import Cosignature, LedgerState, WitnessSeen
from trace.ledger.note import Verifier, parse_note
from trace.ledger.policy import NONE, Log, MalformedPolicy, Policy, Witness, satisfied
from trace.witness.core import Request
from village import clock
from village.db import db, write
from village.errors import SoiError
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l

POLICY = "soi.policy"
ROUNDS = 3
"""How often a witness is asked again when it says that it holds another size."""
AHEAD, FORK = "ahead", "fork"
"""Troubles that halt the log; the others are `Failed.slug` (see `said`)."""


class PolicyTrouble(SoiError):
    """The policy file cannot be read: nobody knows whom to ask."""

    status = 503


@dataclass(frozen=True)
class Standing:
    """How the log stands with one witness of its policy."""

    name: str
    vkey: str
    url: str
    size: int | None
    """What it last held, as it said or cosigned; None before it ever answered."""
    answered_at: dt.datetime | None
    asked_at: dt.datetime | None
    trouble: str
    """Empty, or a slug for `said`."""


def policy() -> Policy:
    """The policy file, without its logs; without a file, nobody witnesses. Raises PolicyTrouble with line and fault."""
    path = current_app.extensions["soi"].ledger_policy
    try:
        stat = path.stat()
        kept = current_app.extensions.get(POLICY)
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if kept is None or kept[0] != stamp:
            read = Policy.parse(path.read_bytes())
            kept = (stamp, Policy((), read.witnesses, read.groups, read.quorum))
            current_app.extensions[POLICY] = kept
        found: Policy = kept[1]
        return found
    except FileNotFoundError:
        return Policy()
    except (OSError, MalformedPolicy) as error:
        raise PolicyTrouble(
            "bad-policy", _l("Tệp %(file)s ghi những người làm chứng không đọc được: %(why)s"),
            file=path.name, why=str(error),
        ) from error


def served() -> str:
    """The policy for this log's readers: every key that signs it now, and the file's witnesses and quorum."""
    state = store.ensure_born()
    keys = [Verifier.parse(vkey) for vkey in (state.vkey, state.next_vkey) if vkey]
    file = policy()
    return Policy(tuple(Log(key) for key in keys), file.witnesses, file.groups, file.quorum).format()


def enough(key_ids: frozenset[str]) -> bool:
    """Whether cosignatures of these key IDs (hex) are what the policy asks for; if it asks for none, any one is."""
    try:
        file = policy()
    except PolicyTrouble:
        return bool(key_ids)  # readers' receipts do not wait for the operator's file
    known = {one.key.public_key for one in file.witnesses if one.key.key_id.hex() in key_ids}
    return bool(known) if file.quorum == NONE else satisfied(file, known)


def standings(session: Session) -> list[Standing]:
    """Every witness of the policy, in its order."""
    seen = {row.vkey: row for row in session.scalars(select(WitnessSeen))}
    return [_standing(one, seen.get(one.key.vkey)) for one in policy().witnesses]


def _standing(one: Witness, row: WitnessSeen | None) -> Standing:
    if row is None:
        return Standing(one.name, one.key.vkey, one.url, None, None, None, "")
    return Standing(one.name, one.key.vkey, one.url, row.size, row.answered_at, row.asked_at, row.trouble)


def said(trouble: str) -> str:
    """A trouble in words."""
    return {
        "": "",
        "unreachable": _("không liên lạc được"),
        "unknown-log": _("chưa nhận xem sổ này"),
        "unknown-key": _("chưa biết khoá của sổ này"),
        "bad-cosignature": _("gửi về chữ ký không đúng"),
        AHEAD: _("giữ bản dài hơn sổ trong máy"),
        FORK: _("giữ bản khác với sổ này"),
    }.get(trouble, _("trả lời không hiểu được"))


def collect() -> dict[str, str]:
    """Send the newest checkpoint to each witness that has not cosigned it, and keep what comes back.

    Returns each asked witness's trouble by its name, empty where it cosigned. Asks outside of any transaction.
    A contradiction is kept and halts the log.
    """
    asked = [one for one in policy().witnesses if one.url]
    state = store.ensure_born()
    mark.remember(state.size)
    done = set(db.session.scalars(select(Cosignature.key_id).where(Cosignature.size == state.size)))
    waiting = [one for one in asked if one.key.key_id.hex() not in done]
    if not waiting:
        return {}
    with write() as session:
        kept = store.keep_checkpoint(session)
        size, note = kept.size, kept.note
    answers = _asked(waiting, size, note)
    now = db.session.scalars(select(LedgerState.size)).one()
    troubles = {one: _trouble(answer, size, now) for one, answer in answers.items()}
    with write() as session:
        for one, answer in answers.items():
            _keep(session, one, answer, size, troubles[one])
    key = Verifier.parse(state.vkey)
    for one, answer in answers.items():
        match troubles[one], answer:
            case "ahead", Holds(theirs):
                contradiction.behind(one, key, note, now, theirs)
            case "fork", _answer:
                contradiction.forked(one, key, note, size)
            case "bad-cosignature", Failed(_slug, line):
                contradiction.bad_cosignature(one, note, size, line)
    return {one.name: trouble for one, trouble in troubles.items()}


def _asked(waiting: Sequence[Witness], size: int, note: str) -> dict[Witness, Answer]:
    """The last answer of each: who says that it holds another size is asked again from there."""
    text = parse_note(note).text
    seen = {row.vkey: row.size or 0 for row in db.session.scalars(select(WitnessSeen))}
    old = {one: held if (held := seen.get(one.key.vkey, 0)) <= size else 0 for one in waiting}
    answers: dict[Witness, Answer] = {}
    for _round in range(ROUNDS):
        got = at_once({one: partial(ask, one, _request(held, size, note), text) for one, held in old.items()})
        answers |= {one: got.get(one, Failed("unreachable")) for one in old}
        old = _again(old, answers, size)
        if not old:
            break
    return answers


def _again(old: Mapping[Witness, int], answers: Mapping[Witness, Answer], size: int) -> dict[Witness, int]:
    again = {}
    for one, sent in old.items():
        answer = answers[one]
        if isinstance(answer, Holds) and sent != answer.size <= size:
            again[one] = answer.size
    return again


def _request(old: int, size: int, note: str) -> str:
    return Request(old, published.consistency(old, size), note).format()


def _trouble(answer: Answer, size: int, now: int) -> str:
    """What an answer to a checkpoint of `size` means, while the log has grown to `now`."""
    match answer:
        case Cosigned():
            return ""
        case Contradicts():
            return FORK
        case Failed(slug):
            return slug
        case Holds(theirs) if theirs > now:
            return AHEAD
        case Holds(theirs) if theirs > size:
            return ""  # another process was quicker and showed it a newer checkpoint of ours
        case Holds(theirs) if theirs == size:
            return FORK  # asked from that very size it still refuses: it must be the root
        case Holds():
            return "odd"


def _keep(session: Session, witness: Witness, answer: Answer, size: int, trouble: str) -> None:
    now = clock.now()
    row = session.get(WitnessSeen, witness.key.vkey)
    if row is None:
        row = WitnessSeen(vkey=witness.key.vkey, name=witness.name, asked_at=now)
        session.add(row)
    row.name, row.asked_at, row.trouble = witness.name, now, trouble
    if isinstance(answer, (Cosigned, Holds)):
        row.size = size if isinstance(answer, Cosigned) else answer.size
    if not isinstance(answer, Failed) or answer.slug != "unreachable":
        row.answered_at = now
    if isinstance(answer, Cosigned):
        key_id, name = witness.key.key_id.hex(), witness.key.name
        if session.get(Cosignature, (size, key_id, name)) is None:
            when = dt.datetime.fromtimestamp(answer.time, dt.UTC)
            session.add(Cosignature(size=size, key_id=key_id, name=name, line=answer.line, cosigned_at=when))
