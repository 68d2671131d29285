"""A request that is sent twice is done once: the same key with the same body gets the same answer.

Both functions work inside the caller's transaction, so that an answer is remembered exactly when its effect commits.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, String, bindparam, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from village import clock
from village.db import HOLDS_LEDGER, Base, Moment, core, insert_later
from village.errors import Conflict, Malformed
from village.i18n import lazy_gettext as _l

_KEY = re.compile(r"[!-~]{1,100}")


class IdempotencyKey(Base):
    """An answer that was given, under the key that its asker chose. `scope` keeps addresses and askers apart."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the body, so that another body under the same key is noticed without keeping what it said."""
    status: Mapped[int]
    answer: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[Moment] = mapped_column(default=clock.now, index=True)


_COLUMNS = IdempotencyKey.__table__.c
_READ = select(_COLUMNS.digest, _COLUMNS.status, _COLUMNS.answer).where(
    _COLUMNS.scope == bindparam("scope"), _COLUMNS.key == bindparam("key")
)
GIVEN = "soi_answers_given"
"""Answers that the transaction under way remembered, before their rows are inserted."""


@dataclass(frozen=True)
class Answer:
    """What was answered: an HTTP status and a JSON body."""

    status: int
    body: Any


def check_key(key: str | None) -> str:
    """`key` itself when it is 1 to 100 visible ASCII characters; Malformed otherwise."""
    if not key:
        raise Malformed(
            "idempotency-key-missing", _l("Thiếu Idempotency-Key nên không biết đây có phải lần gửi lại.")
        )
    if not _KEY.fullmatch(key):
        raise Malformed(
            "bad-idempotency-key", _l("Idempotency-Key cần 1 đến 100 ký tự ASCII nhìn thấy được.")
        )
    return key


def body_digest(body: Any) -> str:
    """SHA-256 in hex over the parsed body, written in one way: sorted names, no blanks."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def recall(session: Session, scope: str, key: str, body: Any) -> Answer | None:
    """What was answered to this very request; None when it is new.

    Another body under the same key raises Conflict. Two that come at once wait for each other here.
    """
    _take_turns(session, scope, key)
    just_now = session.info.get(GIVEN, {}).get((scope, key))
    found = just_now or core(session).execute(_READ, {"scope": scope, "key": key}).one_or_none()
    if found is None:
        return None
    digest, status, answer = found
    if digest != body_digest(body):
        raise Conflict(
            "idempotency-key-reused",
            _l("Mã gửi này đã dùng cho một yêu cầu khác rồi. Việc mới thì cần mã mới."),
            key=key,
        )
    return Answer(status, answer)


def remember(session: Session, scope: str, key: str, body: Any, status: int, answer: Any) -> None:
    """Keep the answer with what it did."""
    row = {"scope": scope, "key": key, "digest": body_digest(body), "status": status, "answer": answer}
    insert_later(session, IdempotencyKey.__table__, [{**row, "created_at": clock.now()}])
    session.info[GIVEN] = {**session.info.get(GIVEN, {}), (scope, key): (row["digest"], status, answer)}


def _take_turns(session: Session, scope: str, key: str) -> None:
    """On PostgreSQL hold a lock on the key to the transaction's end. On SQLite every writer has its turn anyway, and so
    has whoever holds the ledger's lock."""
    if session.info.get(HOLDS_LEDGER):
        return
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.sha256(f"{scope}\n{key}".encode()).digest()
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], signed=True))))
