"""Reading EPCIS 2.0 JSON-LD that a stranger sent: strictly, with the place of each fault as a JSON Pointer (RFC 6901).

Source: GS1 EPCIS 2.0, its JSON Schema and JSON-LD context. What holds beyond the schema, and why: only prefixed names
extend an event (an unprefixed one would mean nothing in JSON-LD), every prefix is declared, and no context but GS1's
own is known, since none is ever fetched.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trace.epcis.vocabulary import ACTIONS, CONTEXTS, EVENT_TYPES, FAMILIES, NAMESPACES, expanded

MAX_EVENTS = 200
"""Of one document: they are written down in one transaction, and everybody else who writes waits for it."""
MAX_DEPTH = 24
MAX_TEXT = 4096
MAX_ITEMS = 5000
"""Members and list items within one document's every object or list."""
MAX_FAULTS = 50

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)", re.ASCII)
_UOM = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_SCHEMES = frozenset(("http", "https", "urn"))

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where: `pointer` is a JSON Pointer into the document that was sent."""

    pointer: str
    slug: str
    detail: str


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
    check = _Check({})
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
        if name not in frame and not check.extension(name, "/" + _escaped(name), namespaces):
            check.fault("/" + _escaped(name), "unknown-member", "this member has no place in the document")
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
    check = _Check(outer or {})
    if not check.record(event, pointer):
        return Read(pointer, {}, {}, check.told())
    if outer is None:
        check.shape(event, pointer, 0)
    namespaces = check.context(event, pointer, required=outer is None)
    if not check.found:
        _Event(check, namespaces).check(event, pointer)
    return Read(pointer, event, namespaces, check.told())


_FRAME = {
    "@context", "id", "type", "schemaVersion", "creationDate", "format", "sender", "receiver", "instanceIdentifier",
    "epcisBody",
}  # fmt: skip
_RESULTS = ("epcisBody", "queryResults", "resultsBody", "eventList")
_KEYWORDS = frozenset(
    ("@context", "id", "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "errorDeclaration")
)


@dataclass
class _Check:
    """Gathers faults, and knows the checks that recur."""

    outer: Mapping[str, str]
    found: list[Fault] = field(default_factory=list)

    def fault(self, pointer: str, slug: str, detail: str) -> None:
        if len(self.found) < MAX_FAULTS:
            self.found.append(Fault(pointer, slug, detail))

    def told(self) -> tuple[Fault, ...]:
        return tuple(self.found)

    def record(self, told: Any, pointer: str) -> bool:
        if isinstance(told, dict):
            return True
        self.fault(pointer, "not-an-object", "an object belongs here")
        return False

    def shape(self, told: Any, pointer: str, depth: int) -> None:
        """Depth, breadth and length within bounds, whatever it means."""
        if depth > MAX_DEPTH:
            self.fault(pointer, "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(told, dict):
            if len(told) > MAX_ITEMS:
                self.fault(pointer, "too-many-members", f"more than {MAX_ITEMS} members in one object")
                return
            for name, value in told.items():
                if len(name) > MAX_TEXT:
                    self.fault(pointer, "too-long", f"a name longer than {MAX_TEXT} characters")
                else:
                    self.shape(value, f"{pointer}/{_escaped(name)}", depth + 1)
        elif isinstance(told, list):
            if len(told) > MAX_ITEMS:
                self.fault(pointer, "too-many-items", f"more than {MAX_ITEMS} items in one list")
                return
            for at, value in enumerate(told):
                self.shape(value, f"{pointer}/{at}", depth + 1)
        elif isinstance(told, str) and (len(told) > MAX_TEXT or "\x00" in told):
            self.fault(pointer, "too-long", f"a text longer than {MAX_TEXT} characters, or with a NUL in it")

    def context(self, told: Record, pointer: str, *, required: bool) -> dict[str, str]:
        """The namespaces that hold within `told`, beside GS1's own."""
        found = dict(self.outer)
        context = told.get("@context")
        where = pointer + "/@context"
        items = context if isinstance(context, list) else [context]
        if context is None:
            items = []
        known = False
        for at, item in enumerate(items):
            place = f"{where}/{at}" if isinstance(context, list) else where
            if isinstance(item, str):
                known |= item in CONTEXTS
                if item not in CONTEXTS:
                    self.fault(place, "unknown-context", "only GS1's own EPCIS context is known; no other is fetched")
            elif isinstance(item, dict):
                self._namespaces(item, place, found)
            else:
                self.fault(place, "bad-context", "a context is an address or an object of namespaces")
        if required and not known:
            self.fault(where, "no-context", "GS1's EPCIS context is missing")
        return found

    def _namespaces(self, item: Record, pointer: str, found: dict[str, str]) -> None:
        for prefix, meaning in item.items():
            place = f"{pointer}/{_escaped(prefix)}"
            if not _PREFIX.fullmatch(prefix) or prefix in _SCHEMES or prefix in _TAKEN:
                self.fault(place, "bad-prefix", "not a prefix for a namespace of one's own")
            elif not isinstance(meaning, str) or not _URI.fullmatch(meaning):
                self.fault(place, "bad-namespace", "a prefix stands for an absolute address")
            else:
                found[prefix] = meaning

    def extension(self, name: str, pointer: str, namespaces: Mapping[str, str]) -> bool:
        """Whether a name is one of somebody's own namespace; a fault where its prefix was never declared."""
        prefix, colon, rest = name.partition(":")
        if not colon or not rest:
            return False
        if prefix not in namespaces and prefix not in NAMESPACES and not (prefix in _SCHEMES and len(rest) > 2):
            self.fault(pointer, "unknown-prefix", f"the prefix {prefix!r} is declared nowhere")
        return True

    def time(self, told: Any, pointer: str) -> dt.datetime | None:
        moment = moment_of(told)
        if moment is None:
            self.fault(pointer, "bad-time", "a time is written YYYY-MM-DDThh:mm:ss with its offset from UTC")
        return moment


_TAKEN = frozenset(
    (
        "action", "bizStep", "disposition", "readPoint", "bizLocation", "epcList", "quantityList", "ilmd", "epcisBody",
        "eventList", "type", "id", "parentID", "childEPCs", "inputEPCList", "outputEPCList", "transformationID",
        "sourceList", "destinationList", "sensorElementList", "eventID", "eventTime", "recordTime",
        "eventTimeZoneOffset", "errorDeclaration", "persistentDisposition", "bizTransactionList",
    )
)  # fmt: skip
"""Terms of GS1's own context that no prefix may bear."""


class _Event:
    """The rules for one event, member by member."""

    def __init__(self, check: _Check, namespaces: Mapping[str, str]) -> None:
        self.to = check
        self.namespaces = namespaces

    def check(self, event: Record, pointer: str) -> None:
        kind = event.get("type")
        if kind not in EVENT_TYPES:
            self.to.fault(pointer + "/type", "bad-type", "an event is of one of the five EPCIS types")
            return
        own = _OWN[kind]
        for name, value in event.items():
            place = f"{pointer}/{_escaped(name)}"
            rule = _MEMBERS.get(name)
            if name in ("@context", "type"):
                continue
            if rule is not None and (name in _KEYWORDS or name in own):
                rule(self, value, place)
            elif rule is not None or not self.to.extension(name, place, self.namespaces):
                self.to.fault(place, "unknown-member", f"{name!r} has no place in a {kind}")
        for name in ("eventTime", "eventTimeZoneOffset", *_NEEDED[kind]):
            if name not in event:
                self.to.fault(f"{pointer}/{name}", "missing", f"a {kind} needs its {name}")
        self._about_something(event, kind, pointer)
        if kind == "ObjectEvent" and "ilmd" in event and event.get("action") != "ADD":
            self.to.fault(pointer + "/ilmd", "no-ilmd", "only an ObjectEvent with the action ADD has ilmd")

    def _about_something(self, event: Record, kind: str, pointer: str) -> None:
        if kind == "TransformationEvent":
            for way in ("input", "output"):
                if not {f"{way}EPCList", f"{way}QuantityList", "transformationID"} & event.keys():
                    self.to.fault(f"{pointer}/{way}QuantityList", "missing", f"nothing is said of the {way}")
            return
        listed = _ABOUT[kind]
        observed = event.get("sensorElementList") and "readPoint" in event
        with_parent = kind in ("AggregationEvent", "AssociationEvent")
        if with_parent and "parentID" not in event and event.get("action") != "OBSERVE":
            self.to.fault(pointer + "/parentID", "missing", f"a {kind} needs its parentID unless it only observes")
        # A DELETE of the parent alone says that everything was taken out.
        if event.get("action") == "DELETE" and "parentID" in event:
            return
        alone = (kind == "ObjectEvent" and observed) or (kind == "TransactionEvent" and "parentID" in event)
        if not alone and not any(name in event for name in listed):
            self.to.fault(f"{pointer}/{listed[0]}", "missing", f"a {kind} is about something")

    def time(self, value: Any, pointer: str) -> None:
        self.to.time(value, pointer)

    def offset(self, value: Any, pointer: str) -> None:
        if not isinstance(value, str) or not _OFFSET.fullmatch(value):
            self.to.fault(pointer, "bad-offset", "an offset from UTC is written +07:00, 14 hours at most")

    def uri(self, value: Any, pointer: str) -> None:
        if not isinstance(value, str) or not _URI.fullmatch(value):
            self.to.fault(pointer, "bad-uri", "an absolute URI belongs here")

    def uri_or_many(self, value: Any, pointer: str) -> None:
        if isinstance(value, list):
            _URIS(self, value, pointer)
        else:
            self.uri(value, pointer)

    def action(self, value: Any, pointer: str) -> None:
        if value not in ACTIONS:
            self.to.fault(pointer, "bad-action", "an action is ADD, OBSERVE or DELETE")

    def text(self, value: Any, pointer: str) -> None:
        if not isinstance(value, str):
            self.to.fault(pointer, "not-text", "a text belongs here")

    def number(self, value: Any, pointer: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.to.fault(pointer, "not-a-number", "a number belongs here")

    def truth(self, value: Any, pointer: str) -> None:
        if not isinstance(value, bool):
            self.to.fault(pointer, "not-true-or-false", "true or false belongs here")

    def hexadecimal(self, value: Any, pointer: str) -> None:
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            self.to.fault(pointer, "not-hexadecimal", "hexadecimal digits belong here")

    def uom(self, value: Any, pointer: str) -> None:
        if not isinstance(value, str) or not _UOM.fullmatch(value):
            self.to.fault(pointer, "bad-unit", "a unit is two or three of A to Z and 0 to 9 (UN/CEFACT)")

    def measurement(self, value: Any, pointer: str) -> None:
        # GS1's list grows apart from the standard: any word will do where the context may lack it.
        if not isinstance(value, str) or not (_WORD.fullmatch(value) or _URI.fullmatch(value)):
            self.to.fault(pointer, "bad-measurement", "a measurement is a word of GS1's or an address")

    @staticmethod
    def word(family: str) -> "Rule":
        """A word of CBV, bare or as an address; or an address of somebody's own."""
        words, start, urn = FAMILIES[family]

        def check(self: "_Event", value: Any, pointer: str) -> None:
            if not isinstance(value, str):
                self.to.fault(pointer, "not-text", "a text belongs here")
                return
            # What stands in CBV's own namespaces must be a word of CBV's.
            meant = expanded(value, {**NAMESPACES, **self.namespaces})
            ours = meant.startswith((start, urn)) or ":" not in meant
            if ours and meant.removeprefix(start).removeprefix(urn) not in words:
                self.to.fault(pointer, "not-in-cbv", f"CBV has no such {family}: {value[:80]!r}")
            elif not ours and not _URI.fullmatch(value):
                self.to.fault(pointer, "bad-uri", "an absolute URI belongs here")

        return check

    @staticmethod
    def each(rule: "Rule") -> "Rule":
        """A list whose every item is so."""

        def check(self: "_Event", value: Any, pointer: str) -> None:
            if not isinstance(value, list):
                self.to.fault(pointer, "not-a-list", "a list belongs here")
                return
            for at, one in enumerate(value):
                rule(self, one, f"{pointer}/{at}")

        return check

    @staticmethod
    def members(rules: Mapping[str, "Rule"], needed: Sequence[str] = (), *, open: bool = True) -> "Rule":
        """An object of these members, and of prefixed ones where it is open."""

        def check(self: "_Event", value: Any, pointer: str) -> None:
            if not self.to.record(value, pointer):
                return
            for name, one in value.items():
                place = f"{pointer}/{_escaped(name)}"
                if name in rules:
                    rules[name](self, one, place)
                elif not open or not self.to.extension(name, place, self.namespaces):
                    self.to.fault(place, "unknown-member", f"{name!r} has no place here")
            for name in needed:
                if name not in value:
                    self.to.fault(f"{pointer}/{name}", "missing", f"{name} is missing")

        return check


Rule = Callable[[_Event, Any, str], None]

_URIS = _Event.each(_Event.uri)
_QUANTITIES = _Event.each(
    _Event.members(
        {"epcClass": _Event.uri, "quantity": _Event.number, "uom": _Event.uom}, ("epcClass",), open=False
    )
)
_PLACE = _Event.members({"id": _Event.uri}, ("id",))
_DISPOSITIONS = _Event.each(_Event.word("disposition"))
_REPORT: dict[str, Rule] = {
    "type": _Event.measurement,
    "exception": _Event.word("exception"),
    "component": _Event.word("component"),
    "time": _Event.time,
    "stringValue": _Event.text,
    "booleanValue": _Event.truth,
    "hexBinaryValue": _Event.hexadecimal,
    "uom": _Event.uom,
    **dict.fromkeys(("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), _Event.number),
    **dict.fromkeys(
        (
            "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "microorganism", "chemicalSubstance",
            "uriValue", "coordinateReferenceSystem", "bizRules",
        ),
        _Event.uri,
    ),
}  # fmt: skip
_METADATA: dict[str, Rule] = {
    **dict.fromkeys(("time", "startTime", "endTime"), _Event.time),
    **dict.fromkeys(("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"), _Event.uri),
}


def _sensor_reports(self: _Event, value: Any, pointer: str) -> None:
    _Event.each(_Event.members(_REPORT))(self, value, pointer)
    if isinstance(value, list):
        for at, report in enumerate(value):
            if isinstance(report, dict) and "type" not in report and "exception" not in report:
                self.to.fault(f"{pointer}/{at}/type", "missing", "a report says what was measured")


_MEMBERS: dict[str, Rule] = {
    "id": _Event.uri,
    "eventTime": _Event.time,
    "recordTime": _Event.time,
    "eventTimeZoneOffset": _Event.offset,
    "eventID": _Event.uri,
    "certificationInfo": _Event.uri_or_many,
    "errorDeclaration": _Event.members(
        {"declarationTime": _Event.time, "reason": _Event.word("reason"), "correctiveEventIDs": _URIS},
        ("declarationTime",),
    ),
    "action": _Event.action,
    "bizStep": _Event.word("bizStep"),
    "disposition": _Event.word("disposition"),
    "persistentDisposition": _Event.members({"set": _DISPOSITIONS, "unset": _DISPOSITIONS}),
    "readPoint": _PLACE,
    "bizLocation": _PLACE,
    "epcList": _URIS,
    "childEPCs": _URIS,
    "inputEPCList": _URIS,
    "outputEPCList": _URIS,
    "quantityList": _QUANTITIES,
    "childQuantityList": _QUANTITIES,
    "inputQuantityList": _QUANTITIES,
    "outputQuantityList": _QUANTITIES,
    "parentID": _Event.uri,
    "transformationID": _Event.uri,
    "bizTransactionList": _Event.each(
        _Event.members(
            {"type": _Event.word("bizTransaction"), "bizTransaction": _Event.uri}, ("bizTransaction",), open=False
        )
    ),
    "sourceList": _Event.each(
        _Event.members({"type": _Event.word("party"), "source": _Event.uri}, ("type", "source"), open=False)
    ),
    "destinationList": _Event.each(
        _Event.members({"type": _Event.word("party"), "destination": _Event.uri}, ("type", "destination"), open=False)
    ),
    "sensorElementList": _Event.each(
        _Event.members(
            {"sensorMetadata": _Event.members(_METADATA), "sensorReport": _sensor_reports}, ("sensorReport",)
        )
    ),
    "ilmd": _Event.members({}),
}
_WHY = frozenset(
    (
        "bizStep", "disposition", "persistentDisposition", "readPoint", "bizLocation", "bizTransactionList",
        "sourceList", "destinationList", "sensorElementList", "certificationInfo",
    )
)  # fmt: skip
_OWN: dict[str, frozenset[str]] = {
    "ObjectEvent": _WHY | {"action", "epcList", "quantityList", "ilmd"},
    "AggregationEvent": _WHY | {"action", "parentID", "childEPCs", "childQuantityList"},
    "AssociationEvent": _WHY | {"action", "parentID", "childEPCs", "childQuantityList"},
    "TransactionEvent": _WHY | {"action", "parentID", "epcList", "quantityList"},
    "TransformationEvent": _WHY
    | {"inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "transformationID", "ilmd"},
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "ObjectEvent": ("action",),
    "AggregationEvent": ("action",),
    "AssociationEvent": ("action",),
    "TransactionEvent": ("action", "bizTransactionList"),
    "TransformationEvent": (),
}
_ABOUT = {
    "ObjectEvent": ("epcList", "quantityList"),
    "TransactionEvent": ("epcList", "quantityList"),
    "AggregationEvent": ("childEPCs", "childQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
}


def moment_of(told: Any) -> dt.datetime | None:
    """A time as EPCIS writes it, to the microsecond; None for anything else."""
    if not isinstance(told, str) or not _TIME.fullmatch(told):
        return None
    try:
        # Python 3.11 reads any number of digits and leaves out those past the sixth.
        moment = dt.datetime.fromisoformat(told)
        moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return moment


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


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def read_namespaces(context: Any) -> dict[str, str]:
    """The namespaces that a context declares, beside GS1's own. Raises ValueError for what is no context."""
    check = _Check({})
    found = check.context({"@context": context}, "", required=False)
    if check.found:
        raise ValueError(check.found[0].detail)
    return found
