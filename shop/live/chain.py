"""The livestream log's hashes: each event names the one before it, so that none can be moved, changed or left out.

What an event's hash is over stands in docs/formats.md, "A livestream's log". Of who wrote and what there are only
commitments in it: without their salts nobody can tell them, nor check a guess.
"""

import datetime as dt
import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trace.ledger.canonical import canonical

VERSION = 1
MARK = 6
"""Hex digits by which a viewer finds her own row among all."""
_SEAL = 32
"""Bytes of a commitment."""


@dataclass(frozen=True)
class Seals:
    """An event's commitments, each HMAC-SHA256: to the platform's id, to who wrote, to the words."""

    comment: bytes
    author: bytes
    text: bytes

    @classmethod
    def made(cls, author_salt: bytes, text_salt: bytes, comment_id: str, author_id: str, text: str) -> "Seals":
        """Over these values. The salts open them again, and nothing else does."""
        return cls(_seal(author_salt, comment_id), _seal(author_salt, author_id), _seal(text_salt, text))

    @classmethod
    def read(cls, kept: bytes) -> "Seals":
        """As they are kept: one after the other."""
        return cls(kept[:_SEAL], kept[_SEAL : 2 * _SEAL], kept[2 * _SEAL :])

    def written(self) -> bytes:
        """One after the other."""
        return self.comment + self.author + self.text

    @property
    def mark(self) -> str:
        """What a viewer finds her row by."""
        return self.author.hex()[:MARK]


@dataclass(frozen=True)
class Event:
    """One event as its hash covers it."""

    session: str
    seq: int
    kind: str
    platform: str
    version: int
    seals: Seals
    said_at: dt.datetime
    doubted: bool
    received_at: dt.datetime
    source: str
    """The kind of source that brought it, or `api`."""
    prev: str | None

    def public(self) -> dict[str, Any]:
        """The very object that is hashed, as everybody may see it."""
        return {
            "v": VERSION, "session": self.session, "seq": self.seq, "kind": self.kind, "platform": self.platform,
            "comment": self.seals.comment.hex(), "version": self.version, "author": self.seals.author.hex(),
            "text": self.seals.text.hex(), "saidAt": moment(self.said_at), "doubted": self.doubted,
            "receivedAt": moment(self.received_at), "source": self.source, "prev": self.prev,
        }  # fmt: skip

    def hash(self) -> str:
        """SHA-256 of the object's canonical bytes (JCS), hex."""
        return hashed(self.public())


def hashed(public: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of an event's canonical bytes. Raises MalformedEntry for what JSON cannot carry."""
    return hashlib.sha256(canonical(public)).hexdigest()


def moment(at: dt.datetime) -> str:
    """RFC 3339, UTC, milliseconds."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digest_of_decisions(decisions: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 (hex) over public decisions, each as its canonical bytes and a line feed, in the order given."""
    whole = hashlib.sha256()
    for each in decisions:
        whole.update(canonical(each) + b"\n")
    return whole.hexdigest()


def _seal(salt: bytes, value: str) -> bytes:
    """HMAC-SHA256 of a text in NFC."""
    return hmac.digest(salt, unicodedata.normalize("NFC", value).encode(), "sha256")
