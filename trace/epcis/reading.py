"""Reading EPCIS 2.0 JSON-LD that a stranger sent: strictly, with the place of each fault as a JSON Pointer (RFC 6901).

Source: GS1 EPCIS 2.0, its JSON Schema and JSON-LD context. What holds beyond the schema, and why: only prefixed names
extend an event (an unprefixed one would mean nothing in JSON-LD), every prefix is declared, and no context but GS1's
own is known, since none is ever fetched.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trace.epcis.faults import Check, Fault, Record, escaped
from trace.epcis.members import Rules

MAX_EVENTS = 200
"""Of one document: they are written down in one transaction, and everybody else who writes waits for it."""


@dataclass(frozen=True)
class Read:
    """One event of a document: itself as it was sent, and the namespaces that hold for it beside GS1's own."""

    pointer: str
    event: Record
    namespaces: Mapping[str, str]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Document:
    """A document as read. `faults` are those of its frame; each event has its own."""

    events: tuple[Read, ...] = ()
    faults: tuple[Fault, ...] = ()


def read_document(told: Any) -> Document:
    """Read an EPCISDocument, or an EPCISQueryDocument with results."""
    check = Check({})
    if not check.record(told, ""):
        return Document(faults=check.told())
    check.shape(told, "", 0)
    namespaces = check.context(told, "", required=True)
    kind = told.get("type")
    if kind not in ("EPCISDocument", "EPCISQueryDocument"):
        check.fault("/type", "bad-type", "the type is EPCISDocument or EPCISQueryDocument")
    if kind == "EPCISDocument" or "schemaVersion" in told:
        if str(told.get("schemaVersion")) not in ("2.0", "2", "2.0.0", "2.0.1"):
            check.fault("/schemaVersion", "bad-version", "the schemaVersion is 2.0")
        check.time(told.get("creationDate"), "/creationDate")
    frame = _FRAME | ({"epcisHeader"} if kind == "EPCISDocument" else set())
    for name in told:
        if name not in frame and not check.extension(name, "/" + escaped(name), namespaces):
            check.fault("/" + escaped(name), "unknown-member", "this member has no place in the document")
    path = ("epcisBody", "eventList") if kind != "EPCISQueryDocument" else _RESULTS
    listed, pointer = told, ""
    for name in path:
        pointer += "/" + name
        listed = listed.get(name) if isinstance(listed, dict) else None
    if not isinstance(listed, list):
        check.fault(pointer, "no-events", "there is no list of events here")
        listed = []
    if len(listed) > MAX_EVENTS:
        check.fault(pointer, "too-many-events", f"there are {len(listed)} events; at most {MAX_EVENTS} go at once")
        listed = []
    if check.found:
        return Document(faults=check.told())
    return Document(tuple(read_event(one, f"{pointer}/{at}", namespaces) for at, one in enumerate(listed)))


def read_event(event: Any, pointer: str = "", outer: Mapping[str, str] | None = None) -> Read:
    """Read one event. `outer` are the namespaces of the document around it; without a document, the event itself
    must bring GS1's context."""
    check = Check(outer or {})
    if not check.record(event, pointer):
        return Read(pointer, {}, {}, check.told())
    if outer is None:
        check.shape(event, pointer, 0)
    namespaces = check.context(event, pointer, required=outer is None)
    if not check.found:
        Rules(check, namespaces).check(event, pointer)
    return Read(pointer, event, namespaces, check.told())


_FRAME = {
    "@context", "id", "type", "schemaVersion", "creationDate", "format", "sender", "receiver", "instanceIdentifier",
    "epcisBody",
}  # fmt: skip
_RESULTS = ("epcisBody", "queryResults", "resultsBody", "eventList")


def texts(told: Any) -> Iterator[str]:
    """Every text within it, names left out."""
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for value in told.values():
            yield from texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from texts(value)


def read_namespaces(context: Any) -> dict[str, str]:
    """The namespaces that a context declares, beside GS1's own. Raises ValueError for what is no context."""
    check = Check({})
    found = check.context({"@context": context}, "", required=False)
    if check.found:
        raise ValueError(check.found[0].detail)
    return found
