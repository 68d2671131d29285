"""Lot proofs: one document with all that the ledger says of a lot and of everything that it was made of.

Format: docs/formats.md, "Lot proof". The document's bytes are its canonical form (RFC 8785) and no other, so that not
one of them can be changed without changing what it says.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from trace.gs1.digital_link import parse_class_uri
from trace.gs1.errors import Gs1Error
from trace.ledger.canonical import loads, parse
from trace.ledger.encoding import MAX_SIZE, from_base64, shown, to_base64
from trace.ledger.errors import LedgerError, MalformedEntry, MalformedNote, MalformedProof
from trace.ledger.merkle import HASH_BYTES
from trace.ledger.note import parse_note
from trace.ledger.proof import MAX_PATH

FORMAT = "soi-lot-proof/v1"
MIMETYPE = "application/vnd.soi.lot-proof+json"
SUFFIX = ".soi-proof"
MAX_PROOF_BYTES = 16 * 1024 * 1024
"""About 7,000 entries. A lot with forty ancestors needs 120 kB."""

Record = Mapping[str, Any]

_MEMBERS = {"checkpoint", "entries", "format", "lot"}
_LINE_MEMBERS = {"entry", "index", "path"}


@dataclass(frozen=True, slots=True)
class Link:
    """An entry's place in the chain of one batch: its number, and the leaf hash of the batch's entry before."""

    batch: str
    seq: int
    prev: bytes | None


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the log with its inclusion path, and what its bytes say."""

    index: int
    entry: bytes
    path: tuple[bytes, ...]
    record: Record
    links: tuple[Link, ...]

    @classmethod
    def of(cls, index: int, entry: bytes, path: Iterable[bytes]) -> Self:
        """From an entry's bytes. Raises MalformedEntry."""
        record = parse(entry)
        return cls(index, entry, tuple(path), record, links_of(record))


@dataclass(frozen=True, slots=True)
class LotProof:
    """A lot (its canonical Digital Link), a signed checkpoint verbatim, and the entries in the log's order."""

    lot: str
    checkpoint: str
    lines: tuple[Line, ...]

    def format(self) -> bytes:
        """The document's bytes."""
        # Names in order, no space between: what `canonical` would write, without going through megabytes of base64.
        lines = ",".join(
            f'{{"entry":"{to_base64(line.entry)}","index":{line.index},'
            f'"path":[{",".join(_quoted(to_base64(one)) for one in line.path)}]}}'
            for line in self.lines
        )
        text = (
            f'{{"checkpoint":{_quoted(self.checkpoint)},"entries":[{lines}],'
            f'"format":{_quoted(FORMAT)},"lot":{_quoted(self.lot)}}}'
        )
        return text.encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a document's form, without checking that it holds. Raises MalformedProof, and nothing else."""
        try:
            told = loads(data, limit=MAX_PROOF_BYTES)
            if not isinstance(told, dict) or set(told) != _MEMBERS or told["format"] != FORMAT:
                raise MalformedProof(f"not a {FORMAT} document with its four members")
            if not isinstance(told["checkpoint"], str) or not isinstance(told["entries"], list):
                raise MalformedProof("the checkpoint is a text, and the entries are a list")
            parse_note(told["checkpoint"])
            found = cls(_lot(told["lot"]), told["checkpoint"], tuple(_line(one) for one in told["entries"]))
        except (MalformedEntry, MalformedNote) as error:
            raise MalformedProof(str(error)) from error
        if not found.lines:
            raise MalformedProof("there are no entries in it")
        for before, after in zip(found.lines, found.lines[1:], strict=False):
            if before.index >= after.index:
                raise MalformedProof(f"entry {after.index} stands after entry {before.index}")
        if found.format() != data:
            raise MalformedProof("its bytes are not their own canonical form (RFC 8785)")
        return found


def links_of(record: Record) -> tuple[Link, ...]:
    """An entry's places in its batches' chains. Raises MalformedEntry for what has not the form of an entry."""
    if not isinstance(record.get("type"), str) or record.get("v") != 1 or isinstance(record["v"], bool):
        raise MalformedEntry("not an entry of version 1 with a type")
    if not isinstance(record.get("event", 0), dict | None):
        raise MalformedEntry("an entry has an event, or null in its place")
    if not isinstance(record.get("commitments"), dict) or not isinstance(record.get("recordedAt"), str):
        raise MalformedEntry("an entry has commitments and says when it was recorded")
    chain = record.get("chain")
    if not isinstance(chain, list):
        raise MalformedEntry("an entry's chain is a list")
    links = tuple(_link(one) for one in chain)
    if len({link.batch for link in links}) != len(links):
        raise MalformedEntry("an entry touches each batch once")
    return links


def made_of(record: Record, batch: str) -> list[str]:
    """The batches that went into `batch`, if this entry's event is a transformation that made it.

    Raises MalformedEntry for quantity lists that cannot be read.
    """
    event = record.get("event")
    if not isinstance(event, dict) or event.get("type") != "TransformationEvent":
        return []
    if batch not in _classes(event.get("outputQuantityList")):
        return []
    return _classes(event.get("inputQuantityList"))


def ancestry(lot: str, records: Collection[tuple[Record, tuple[Link, ...]]]) -> list[str]:
    """`lot` and its ancestors, as the transformations among these entries tell them, in the order of finding."""
    chains: dict[str, list[Record]] = {}
    for record, links in records:
        for link in links:
            chains.setdefault(link.batch, []).append(record)
    found = {lot: None}
    waiting = [lot]
    while waiting:
        batch = waiting.pop()
        for record in chains.get(batch, []):
            for parent in made_of(record, batch):
                if parent not in found:
                    found[parent] = None
                    waiting.append(parent)
    return list(found)


def _classes(parts: Any) -> list[str]:
    try:
        names = [part["epcClass"] for part in parts or []]
    except (KeyError, TypeError) as error:
        raise MalformedEntry("an event's quantities cannot be read") from error
    if not all(isinstance(name, str) for name in names):
        raise MalformedEntry("an event names each lot by a text")
    return names


def _link(told: Any) -> Link:
    if not isinstance(told, dict) or set(told) != {"batch", "prev", "seq"} or not isinstance(told["batch"], str):
        raise MalformedEntry("a link of a chain has a batch, a number and the hash before")
    seq = told["seq"]
    if type(seq) is not int or not 0 <= seq <= MAX_SIZE:
        raise MalformedEntry("the number of a link counts from 0")
    prev = None if told["prev"] is None else _hash(told["prev"])
    if (prev is None) != (seq == 0):
        raise MalformedEntry("the first link of a chain, and only it, has none before it")
    return Link(told["batch"], seq, prev)


def _line(told: Any) -> Line:
    if not isinstance(told, dict) or set(told) != _LINE_MEMBERS:
        raise MalformedProof("an entry in it has an index, its bytes and a path")
    index, path = told["index"], told["path"]
    if type(index) is not int or not 0 <= index <= MAX_SIZE:
        raise MalformedProof(f"not an index: {shown(str(index))}")
    if not isinstance(path, list) or len(path) > MAX_PATH:
        raise MalformedProof(f"the path of entry {index} is no list of at most {MAX_PATH} hashes")
    entry = from_base64(told["entry"]) if isinstance(told["entry"], str) else None
    if entry is None:
        raise MalformedProof(f"the bytes of entry {index} are not base64")
    try:
        return Line.of(index, entry, (_hash(one) for one in path))
    except LedgerError as error:
        raise MalformedProof(f"entry {index}: {error}") from error


def _lot(told: Any) -> str:
    try:
        link = parse_class_uri(told if isinstance(told, str) else "")
    except Gs1Error as error:
        raise MalformedProof(f"not a lot's canonical Digital Link: {shown(str(told))}") from error
    if link.lot is None or link.serial is not None or link.variant is not None:
        raise MalformedProof(f"not the address of a lot: {shown(str(told))}")
    return link.canonical


def _hash(told: Any) -> bytes:
    value = from_base64(told) if isinstance(told, str) else None
    if value is None or len(value) != HASH_BYTES:
        raise MalformedEntry(f"not a hash in base64: {shown(str(told))}")
    return value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
