"""The way from the real village into the training one: a ticket for a minute, with a role but without a name.

Both villages run on one machine; the key that signs tickets lies in the training village's folder.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from village.people.models import Role

LASTS = 60
"""Seconds."""
KEY = "tickets.key"


@dataclass(frozen=True)
class Ticket:
    """Who comes in: a number that means nothing outside, and what she does in the cooperative."""

    learner: str
    roles: frozenset[Role]

    @property
    def produces(self) -> bool:
        """True for who logs batches."""
        return Role.PRODUCER in self.roles


def issue(folder: Path, member_id: str, roles: frozenset[Role]) -> str:
    """A ticket for this member, who is the same learner each time until the training village is made anew."""
    key = _key(folder)
    learner = hmac.digest(key.encode(), member_id.encode(), "sha256").hex()[:24]
    return _signer(key).dumps({"learner": learner, "roles": sorted(roles)})


def read(folder: Path, text: str) -> Ticket | None:
    """What a ticket says; None for one that is forged or has run out."""
    try:
        said = _signer(_key(folder)).loads(text, max_age=LASTS)
        return Ticket(str(said["learner"]), frozenset(map(Role, said["roles"])))
    except (BadData, KeyError, TypeError, ValueError):
        return None


def _signer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, "soi/training", signer_kwargs={"digest_method": hashlib.sha256})


def _key(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / KEY
    if not path.exists():
        # Whole or not at all, and the first of two processes wins.
        draft = folder / f"{KEY}.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
