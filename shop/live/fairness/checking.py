"""Checks a livestream's public document, without a database: the chain, its end, and what the ledger's anchors name.

What it asks beyond the document are the ledger's own entries: whoever has their receipts checks those with the
ledger's verifier, and hands in what the entries say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shop.live import chain
from trace.ledger import livestream
from trace.ledger.canonical import loads
from trace.ledger.errors import LedgerError

MAX_BYTES = 256 * 1024 * 1024
FORMAT = "soi-live-order/v1"
_EVENT = {
    "v", "session", "seq", "kind", "platform", "comment", "version", "author", "text", "saidAt", "doubted",
    "receivedAt", "source", "prev",
}  # fmt: skip


class Broken(Exception):
    """Something in the document does not hold; the text names the first such thing."""


@dataclass(frozen=True)
class Found:
    """A document that holds."""

    session: str
    title: str
    events: int
    decisions: int
    anchors: tuple[Mapping[str, Any], ...]
    """As the document has them: `entry` is the index of the ledger's entry."""
    loose: int
    """Events after the last anchor: so far only the village's word."""
    outside: int
    """Comments from before logs were chained."""


def check(data: bytes, entries: Mapping[int, Mapping[str, Any]]) -> Found:
    """Check a document. `entries` are those of the ledger that the caller has proven, by index. Raises Broken."""
    try:
        document = loads(data, limit=MAX_BYTES)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise Broken("it is not a livestream's public log")
        return _check(document, entries)
    except LedgerError as error:
        raise Broken(str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken(f"it is not formed as docs/formats.md has it: {error!r}") from None


def _check(document: Mapping[str, Any], entries: Mapping[int, Mapping[str, Any]]) -> Found:
    session = document["session"]
    heads = _chain(session, document["events"])
    length, head = max(heads, default=0), heads[max(heads)] if heads else None
    if (document["length"], document["head"]) != (length, head):
        raise Broken("its head is not the hash of the last event")
    _order(document["decisions"], heads)
    longest = 0
    for anchor in document["anchors"]:
        longest = _anchor(session, anchor, longest, heads, document["decisions"], entries)
    return Found(
        session=session, title=str(document["title"]), events=len(heads), decisions=len(document["decisions"]),
        anchors=tuple(document["anchors"]), loose=sum(seq > longest for seq in heads), outside=int(document["outside"]),
    )  # fmt: skip


def _chain(session: str, events: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Hash by number, once every event is what its hash says and follows the one before."""
    heads: dict[int, str] = {}
    last = 0
    for event in events:
        public = {name: value for name, value in event.items() if name != "hash"}
        seq = event["seq"]
        if type(seq) is not int or seq < 1 or (heads and seq != last + 1):
            raise Broken(f"after event {last} comes {seq!r}: one is missing, or stands elsewhere")
        if set(public) != _EVENT or event["v"] != chain.VERSION or event["session"] != session:
            raise Broken(f"event {seq} is not one of this livestream's")
        if event["prev"] != heads.get(last):
            raise Broken(f"event {seq} does not follow the one before it")
        if chain.hashed(public) != event["hash"]:
            raise Broken(f"event {seq} is not what its hash says")
        heads[seq], last = event["hash"], seq
    return heads


def _order(decisions: Iterable[Mapping[str, Any]], heads: Mapping[int, str]) -> None:
    before = (0, -1)
    for each in decisions:
        place = each["seq"], each["position"]
        if each["seq"] not in heads or place <= before:
            raise Broken(f"a decision of event {each['seq']!r} stands where none belongs")
        before = place


def _anchor(
    session: str, anchor: Mapping[str, Any], longest: int, heads: Mapping[int, str],
    decisions: Iterable[Mapping[str, Any]], entries: Mapping[int, Mapping[str, Any]],
) -> int:  # fmt: skip
    """Check one anchor against the chain, and against the ledger's entry where that is at hand; its length."""
    length, index = anchor["length"], anchor["entry"]
    if type(length) is not int or length <= longest:
        raise Broken(f"the anchor in entry {index!r} is no longer than the one before")
    if heads.get(length) != anchor["head"]:
        raise Broken(f"the log is not the one that entry {index!r} of the ledger names: event {length} differs")
    covered = (each for each in decisions if each["at"] <= anchor["at"])
    if chain.digest_of_decisions(covered) != anchor["decisions"]:
        raise Broken(f"what was decided is not what entry {index!r} of the ledger names")
    if index in entries:
        said = livestream.anchor(session, length, anchor["head"], anchor["decisions"])
        if entries[index].get("type") != livestream.TYPE or livestream.check_form(entries[index]) != said:
            raise Broken(f"entry {index} of the ledger does not say what the document's anchor says")
    return length
