"""Tokens that open a question's page, and other values that only this village can make.

A token is made from the question's id and the village's secret, so that the notice of an answer can carry it although
only its hash is stored: who reads the database alone opens nothing.
"""

import base64
import hashlib
import hmac
import re

from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trace.questions.models import QuestionKey
from village.db import core
from village.ids import token_digest

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)


def token(question_id: str) -> str:
    """192 bits, URL-safe."""
    return base64.urlsafe_b64encode(_keyed(f"answers:{question_id}")[:24]).decode()


def let_open(session: Session, question_id: str) -> str:
    """The token, from the caller's transaction on good for the question's page."""
    made = token(question_id)
    kind = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = kind(QuestionKey).values(digest=token_digest(made), question_id=question_id)
    core(session).execute(row.on_conflict_do_nothing(index_elements=["digest"]))
    return made


def opened_by(session: Session, given: str) -> str | None:
    """The id of the question that a token opens."""
    if not _TOKEN.fullmatch(given):
        return None
    return session.scalar(select(QuestionKey.question_id).where(QuestionKey.digest == token_digest(given)))


def blinded(text: str) -> str:
    """A stand-in for a value that must not be guessed from it, such as a telephone number."""
    return _keyed(f"blind:{text}").hex()


def sealed(value: str, about: str) -> str:
    """`value` with a seal that holds for `about` alone: so that a form can bring it back."""
    return f"{value}.{_keyed(f'seal:{about}:{value}').hex()[:40]}"


def unsealed(given: str, about: str) -> str | None:
    """The value again; None when anybody else made or changed it."""
    value = given.partition(".")[0]
    return value if hmac.compare_digest(given.encode("utf-8", "replace"), sealed(value, about).encode()) else None


def _keyed(text: str) -> bytes:
    key: str = current_app.extensions["soi"].secret_key
    return hmac.new(key.encode(), text.encode("utf-8", "replace"), hashlib.sha256).digest()
