"""How far a livestream's log had grown, as an entry of the ledger: `type` `live` (docs/formats.md).

The entry names the log's last hash only. Who wrote in it, and what, is nowhere on the ledger.
"""

import re
from collections.abc import Mapping
from typing import Any

from trace.ledger.errors import MalformedEntry

TYPE = "live"
_SESSION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MEMBERS = {"session", "length", "head", "decisions"}


def anchor(session: str, length: int, head: str, decisions: str) -> dict[str, Any]:
    """The entry's `live`: the session's id, its log's last number and hash, and the digest of what was decided."""
    return {"session": session, "length": length, "head": head, "decisions": decisions}


def check_form(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A live entry's `live`. Raises MalformedEntry for what is none."""
    told = record.get("live")
    if record.get("event") is not None or "device" in record or record.get("chain"):
        raise MalformedEntry("a livestream's entry has no event, no phone and no batch")
    if not isinstance(told, dict) or set(told) != _MEMBERS:
        raise MalformedEntry("a livestream's entry says whose log it is, how long, its last hash and its decisions")
    session, length = told["session"], told["length"]
    if not isinstance(session, str) or not _SESSION.fullmatch(session) or type(length) is not int or length < 1:
        raise MalformedEntry("a livestream is named by a UUID, and its log has a length")
    if not all(isinstance(told[name], str) and _HASH.fullmatch(told[name]) for name in ("head", "decisions")):
        raise MalformedEntry("a livestream's hashes are SHA-256 in hex")
    return told
