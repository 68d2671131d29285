"""The rules for one EPCIS event, member by member, as GS1's JSON Schema has them and a little beyond."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trace.epcis.faults import URI, Check, Record, escaped
from trace.epcis.vocabulary import ACTIONS, EVENT_TYPES, FAMILIES, NAMESPACES, expanded

_OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)", re.ASCII)
_UOM = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_KEYWORDS = frozenset(
    ("@context", "id", "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "errorDeclaration")
)


class Rules:
    """The rules for one event, member by member."""

    def __init__(self, check: Check, namespaces: Mapping[str, str]) -> None:
        self.to = check
        self.namespaces = namespaces

    def check(self, event: Record, pointer: str) -> None:
        kind = event.get("type")
        if kind not in EVENT_TYPES:
            self.to.fault(pointer + "/type", "bad-type", "an event is of one of the five EPCIS types")
            return
        own = _OWN[kind]
        for name, value in event.items():
            place = f"{pointer}/{escaped(name)}"
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
        if not isinstance(value, str) or not URI.fullmatch(value):
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
        if not isinstance(value, str) or not (_WORD.fullmatch(value) or URI.fullmatch(value)):
            self.to.fault(pointer, "bad-measurement", "a measurement is a word of GS1's or an address")

    @staticmethod
    def word(family: str) -> "Rule":
        """A word of CBV, bare or as an address; or an address of somebody's own."""
        words, start, urn = FAMILIES[family]

        def check(self: "Rules", value: Any, pointer: str) -> None:
            if not isinstance(value, str):
                self.to.fault(pointer, "not-text", "a text belongs here")
                return
            # What stands in CBV's own namespaces must be a word of CBV's.
            meant = expanded(value, {**NAMESPACES, **self.namespaces})
            ours = meant.startswith((start, urn)) or ":" not in meant
            if ours and meant.removeprefix(start).removeprefix(urn) not in words:
                self.to.fault(pointer, "not-in-cbv", f"CBV has no such {family}: {value[:80]!r}")
            elif not ours and not URI.fullmatch(value):
                self.to.fault(pointer, "bad-uri", "an absolute URI belongs here")

        return check

    @staticmethod
    def each(rule: "Rule") -> "Rule":
        """A list whose every item is so."""

        def check(self: "Rules", value: Any, pointer: str) -> None:
            if not isinstance(value, list):
                self.to.fault(pointer, "not-a-list", "a list belongs here")
                return
            for at, one in enumerate(value):
                rule(self, one, f"{pointer}/{at}")

        return check

    @staticmethod
    def members(rules: Mapping[str, "Rule"], needed: Sequence[str] = (), *, open: bool = True) -> "Rule":
        """An object of these members, and of prefixed ones where it is open."""

        def check(self: "Rules", value: Any, pointer: str) -> None:
            if not self.to.record(value, pointer):
                return
            for name, one in value.items():
                place = f"{pointer}/{escaped(name)}"
                if name in rules:
                    rules[name](self, one, place)
                elif not open or not self.to.extension(name, place, self.namespaces):
                    self.to.fault(place, "unknown-member", f"{name!r} has no place here")
            for name in needed:
                if name not in value:
                    self.to.fault(f"{pointer}/{name}", "missing", f"{name} is missing")

        return check


Rule = Callable[[Rules, Any, str], None]

_URIS = Rules.each(Rules.uri)
_QUANTITIES = Rules.each(
    Rules.members(
        {"epcClass": Rules.uri, "quantity": Rules.number, "uom": Rules.uom}, ("epcClass",), open=False
    )
)
_PLACE = Rules.members({"id": Rules.uri}, ("id",))
_DISPOSITIONS = Rules.each(Rules.word("disposition"))
_REPORT: dict[str, Rule] = {
    "type": Rules.measurement,
    "exception": Rules.word("exception"),
    "component": Rules.word("component"),
    "time": Rules.time,
    "stringValue": Rules.text,
    "booleanValue": Rules.truth,
    "hexBinaryValue": Rules.hexadecimal,
    "uom": Rules.uom,
    **dict.fromkeys(("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), Rules.number),
    **dict.fromkeys(
        (
            "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "microorganism", "chemicalSubstance",
            "uriValue", "coordinateReferenceSystem", "bizRules",
        ),
        Rules.uri,
    ),
}  # fmt: skip
_METADATA: dict[str, Rule] = {
    **dict.fromkeys(("time", "startTime", "endTime"), Rules.time),
    **dict.fromkeys(("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"), Rules.uri),
}


def _sensor_reports(self: Rules, value: Any, pointer: str) -> None:
    Rules.each(Rules.members(_REPORT))(self, value, pointer)
    if isinstance(value, list):
        for at, report in enumerate(value):
            if isinstance(report, dict) and "type" not in report and "exception" not in report:
                self.to.fault(f"{pointer}/{at}/type", "missing", "a report says what was measured")


_MEMBERS: dict[str, Rule] = {
    "id": Rules.uri,
    "eventTime": Rules.time,
    "recordTime": Rules.time,
    "eventTimeZoneOffset": Rules.offset,
    "eventID": Rules.uri,
    "certificationInfo": Rules.uri_or_many,
    "errorDeclaration": Rules.members(
        {"declarationTime": Rules.time, "reason": Rules.word("reason"), "correctiveEventIDs": _URIS},
        ("declarationTime",),
    ),
    "action": Rules.action,
    "bizStep": Rules.word("bizStep"),
    "disposition": Rules.word("disposition"),
    "persistentDisposition": Rules.members({"set": _DISPOSITIONS, "unset": _DISPOSITIONS}),
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
    "parentID": Rules.uri,
    "transformationID": Rules.uri,
    "bizTransactionList": Rules.each(
        Rules.members(
            {"type": Rules.word("bizTransaction"), "bizTransaction": Rules.uri}, ("bizTransaction",), open=False
        )
    ),
    "sourceList": Rules.each(
        Rules.members({"type": Rules.word("party"), "source": Rules.uri}, ("type", "source"), open=False)
    ),
    "destinationList": Rules.each(
        Rules.members({"type": Rules.word("party"), "destination": Rules.uri}, ("type", "destination"), open=False)
    ),
    "sensorElementList": Rules.each(
        Rules.members(
            {"sensorMetadata": Rules.members(_METADATA), "sensorReport": _sensor_reports}, ("sensorReport",)
        )
    ),
    "ilmd": Rules.members({}),
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
