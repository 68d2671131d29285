"""What somebody else claims, as an entry of the log: `type` `claim` (docs/formats.md, "What others claim").

It stands apart from `event`, which is the village's own: nothing that a stranger says makes or changes a batch.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from trace.ledger.canonical import canonical
from trace.ledger.encoding import from_base64
from trace.ledger.errors import MalformedEntry

TYPE = "claim"
RECEIVED = b"soi/custodian/claim/v1\n"
"""Domain prefix of what the custodian signs: that this was received, from this name."""
MAX_INLINE = 10 * 1024
"""Bytes of a claimed event that stand in the entry; of a larger one only its hash does."""
MAX_NAME = 120
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MEMBERS = {"by", "sha256", "size"}


def claim(by: str, event: bytes, inline: Mapping[str, Any] | None) -> dict[str, Any]:
    """The entry's `claim`: who says it, the hash and size of the event's canonical bytes, and the event itself where
    it is to stand on the log for good."""
    told: dict[str, Any] = {"by": by, "sha256": hashlib.sha256(event).hexdigest(), "size": len(event)}
    return told if inline is None else {**told, "event": inline}


def message(told: Mapping[str, Any]) -> bytes:
    """What the custodian's signature in `received` is over."""
    return RECEIVED + canonical(told)


def check_form(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    """A claim entry's `claim` and the signature over it. Raises MalformedEntry for what is none."""
    told, signature = record.get("claim"), record.get("received")
    if record.get("event") is not None or "device" in record:
        raise MalformedEntry("a claim is somebody else's: the entry has no event and no phone of ours")
    if not isinstance(told, dict) or set(told) - {"event"} != _MEMBERS:
        raise MalformedEntry("a claim says who makes it, and its event's hash and size")
    by, digest, size = told["by"], told["sha256"], told["size"]
    if not isinstance(by, str) or not 0 < len(by) <= MAX_NAME:
        raise MalformedEntry("a claim bears its maker's name")
    if not isinstance(digest, str) or not _HASH.fullmatch(digest) or type(size) is not int or size < 2:
        raise MalformedEntry("a claim's hash is SHA-256 in hex, its size a number of bytes")
    if "event" in told:
        event = told["event"]
        data = canonical(event) if isinstance(event, dict) else b""
        if len(data) != size or hashlib.sha256(data).hexdigest() != digest:
            raise MalformedEntry("the claimed event is not the one that its hash names")
    raw = from_base64(signature) if isinstance(signature, str) else None
    if raw is None:
        raise MalformedEntry("nobody signed that the claim was received")
    return told, raw
