"""EPCIS 2.0's SimpleEventQuery: its parameters read, and asked of one event at a time.

Source: GS1 EPCIS 2.0 §8.2.7 and its REST binding. A list in a web address is parted by `|`. Beside what can be asked of
an event alone, a query tells which times, ids and names limit it, so that a database need not look at everything.
"""

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trace.epcis.identity import canonical
from trace.epcis.reading import moment_of
from trace.epcis.vocabulary import ACTIONS, EVENT_TYPES, NAMESPACES, expanded, web

MAX_PARAMETERS = 40
MAX_VALUES = 200
MAX_VALUE = 1000
MOST_EVENTS = 100_000

Record = Mapping[str, Any]
Compare = Callable[[Any, Any], bool]


class QueryFault(Exception):
    """A parameter that is none, or whose value cannot be."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(detail)
        self.parameter = parameter
        self.detail = detail


@dataclass(frozen=True)
class Seen:
    """An event as a query looks at it."""

    event: Record
    namespaces: Mapping[str, str]
    recorded: dt.datetime

    def expand(self, name: str) -> str:
        """A name with its prefix written out as this event means it."""
        return expanded(name, {**NAMESPACES, **self.namespaces})


Test = Callable[[Seen], bool]


@dataclass(frozen=True)
class Query:
    """What is asked. All of `tests` must hold; the rest says where answers can lie at all, and how many are wanted."""

    tests: tuple[Test, ...] = ()
    types: frozenset[str] | None = None
    event_times: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
    """From, and before."""
    record_times: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
    event_ids: frozenset[str] | None = None
    names: tuple[frozenset[str], ...] = ()
    """Of each set, the event names at least one key, all in canonical spelling."""
    order_by: str = ""
    """eventTime, recordTime, or none in particular."""
    descending: bool = False
    limit: int | None = None
    """No more events than these are wanted in all."""
    most: int | None = None
    """More events than these are too many to be told."""

    def holds(self, seen: Seen) -> bool:
        """Whether the event is one that is asked for."""
        return all(test(seen) for test in self.tests)


def read_query(asked: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> Query:
    """Read parameters: texts as a web address has them, or JSON values as a stored query has them. Raises QueryFault.

    `namespaces` are those that the asker declares for names of his own.
    """
    if len(asked) > MAX_PARAMETERS:
        raise QueryFault(sorted(asked)[0], f"there are {len(asked)} parameters; {MAX_PARAMETERS} at most")
    reader = _Reader({**NAMESPACES, **(namespaces or {})})
    for name, value in asked.items():
        reader.read(name, value)
    return reader.query()


def about(query: Query, key: str) -> Query:
    """The same query, of events that name this EPC or EPC class in whatever part."""
    wanted = spelled(key)

    def test(seen: Seen) -> bool:
        return any(spelled(one) == wanted for one in keys_of(seen.event))

    return replace(query, tests=(*query.tests, test), names=(*query.names, frozenset((wanted,))))


@dataclass
class _Reader:
    namespaces: Mapping[str, str]
    tests: list[Test] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    names: list[frozenset[str]] = field(default_factory=list)

    def read(self, name: str, value: Any) -> None:
        if name in _PLAIN:
            _PLAIN[name](self, name, value)
            return
        for form, rule in _FORMS:
            if found := form.fullmatch(name):
                rule(self, name, value, found)
                return
        raise QueryFault(name, f"there is no query parameter {name[:100]!r}")

    def query(self) -> Query:
        told = self.told
        if "eventCountLimit" in told and "maxEventCount" in told:
            raise QueryFault("maxEventCount", "eventCountLimit and maxEventCount do not go together")
        if "eventCountLimit" in told and "orderBy" not in told:
            raise QueryFault("eventCountLimit", "eventCountLimit needs orderBy: the first of what order?")
        return Query(
            tests=tuple(self.tests),
            types=told.get("eventType"),
            event_times=(told.get("GE_eventTime"), told.get("LT_eventTime")),
            record_times=(told.get("GE_recordTime"), told.get("LT_recordTime")),
            event_ids=told.get("EQ_eventID"),
            names=tuple(self.names),
            order_by=told.get("orderBy", ""),
            # The standard's own default, where an order is asked for at all.
            descending=told.get("orderDirection", "DESC" if "orderBy" in told else "ASC") == "DESC",
            limit=told.get("eventCountLimit"),
            most=told.get("maxEventCount"),
        )


def _texts(name: str, value: Any) -> list[str]:
    items = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if not items or len(items) > MAX_VALUES:
        raise QueryFault(name, f"between 1 and {MAX_VALUES} values belong here")
    for one in items:
        if not isinstance(one, str) or not one or len(one) > MAX_VALUE:
            raise QueryFault(name, "each value is a text, neither empty nor overlong")
    return items


def _time(name: str, value: Any) -> dt.datetime:
    # A plus sign that was not escaped arrives as a blank.
    moment = moment_of(value.replace(" ", "+")) if isinstance(value, str) else None
    if moment is None:
        raise QueryFault(name, "a time is written YYYY-MM-DDThh:mm:ss with its offset from UTC")
    return moment


def _number(name: str, value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, bool) and isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or not abs(number) < 2**53:
        raise QueryFault(name, "a number belongs here")
    return number


def _numbers(name: str, value: Any) -> list[float]:
    items = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if not items or len(items) > MAX_VALUES:
        raise QueryFault(name, f"between 1 and {MAX_VALUES} numbers belong here")
    return [_number(name, one) for one in items]


def _count(name: str, value: Any) -> int:
    number = _number(name, value)
    if number != int(number) or not 1 <= number <= MOST_EVENTS:
        raise QueryFault(name, f"a whole number from 1 to {MOST_EVENTS} belongs here")
    return int(number)


# ---- What an event says ---------------------------------------------------------------------------------------------


def _object(told: Any) -> Record:
    return told if isinstance(told, Mapping) else {}


def _list(told: Any) -> Sequence[Any]:
    return told if isinstance(told, list) else ()


def _strings(told: Any) -> Iterator[str]:
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, str):
            yield one


_EPCS = {
    "epc": ("epcList", "childEPCs"),
    "parentID": ("parentID",),
    "inputEPC": ("inputEPCList",),
    "outputEPC": ("outputEPCList",),
    "anyEPC": ("epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID"),
}
_CLASSES = {
    "epcClass": ("quantityList", "childQuantityList"),
    "inputEPCClass": ("inputQuantityList",),
    "outputEPCClass": ("outputQuantityList",),
    "anyEPCClass": ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
}


def quantities(event: Record) -> Iterator[Record]:
    """Every quantity element of an event."""
    for name in _CLASSES["anyEPCClass"]:
        for one in _list(event.get(name)):
            yield _object(one)


def keys_of(event: Record) -> Iterator[str]:
    """Every EPC and EPC class that an event is about, as it spells them."""
    for name in _EPCS["anyEPC"]:
        yield from _strings(event.get(name))
    for one in quantities(event):
        yield from _strings(one.get("epcClass"))


def _matched(event: Record, kind: str) -> Iterator[str]:
    for name in _EPCS.get(kind, ()):
        yield from _strings(event.get(name))
    for name in _CLASSES.get(kind, ()):
        for one in _list(event.get(name)):
            yield from _strings(_object(one).get("epcClass"))


def spelled(key: str) -> str:
    """A key under its one spelling, where it is one of GS1's."""
    return canonical(key) or key


def _elements(event: Record) -> Iterator[Record]:
    for one in _list(event.get("sensorElementList")):
        yield _object(one)


def _sensor_parts(event: Record) -> Iterator[Record]:
    for element in _elements(event):
        yield _object(element.get("sensorMetadata"))
        for report in _list(element.get("sensorReport")):
            yield _object(report)


# ---- Parameters of a fixed name -------------------------------------------------------------------------------------

Plain = Callable[[_Reader, str, Any], None]


def _types(reader: _Reader, name: str, value: Any) -> None:
    wanted = frozenset(_texts(name, value))
    if unknown := sorted(wanted - set(EVENT_TYPES)):
        raise QueryFault(name, f"there is no event type {unknown[0][:80]!r}")
    reader.told["eventType"] = wanted
    reader.tests.append(lambda seen: seen.event.get("type") in wanted)


def _within(member: str, after: bool) -> Plain:
    def read(reader: _Reader, name: str, value: Any) -> None:
        bound = reader.told[name] = _time(name, value)

        def test(seen: Seen) -> bool:
            moment = seen.recorded if member == "recordTime" else moment_of(seen.event.get(member))
            return moment is not None and (moment >= bound if after else moment < bound)

        reader.tests.append(test)

    return read


def _sensed_within(member: str, after: bool) -> Plain:
    def read(reader: _Reader, name: str, value: Any) -> None:
        bound = _time(name, value)

        def test(seen: Seen) -> bool:
            moments = (moment_of(part.get(member)) for part in _sensor_parts(seen.event))
            return any(one is not None and (one >= bound if after else one < bound) for one in moments)

        reader.tests.append(test)

    return read


def _any_of(get: Callable[[Record], Any], family: str = "") -> Plain:
    """One of the texts that `get` gives is among the values; words of CBV in whatever spelling."""

    def read(reader: _Reader, name: str, value: Any) -> None:
        asked = _texts(name, value)
        wanted = {web(family, one, reader.namespaces) if family else _expand(reader, one) for one in asked}

        def test(seen: Seen) -> bool:
            found = _strings(get(seen.event))
            if not family:
                return any(seen.expand(one) in wanted for one in found)
            own = {**NAMESPACES, **seen.namespaces}
            return any(web(family, one, own) in wanted for one in found)

        reader.tests.append(test)

    return read


def _expand(reader: _Reader, name: str) -> str:
    """A value with its prefix, if any, written out as the asker means it."""
    return expanded(name, reader.namespaces)


def _sensed(member: str, family: str = "") -> Plain:
    return _any_of(lambda event: [one for part in _sensor_parts(event) for one in _strings(part.get(member))], family)


def _actions(reader: _Reader, name: str, value: Any) -> None:
    wanted = frozenset(_texts(name, value))
    if not wanted <= set(ACTIONS):
        raise QueryFault(name, "an action is ADD, OBSERVE or DELETE")
    reader.tests.append(lambda seen: seen.event.get("action") in wanted)


def _places(member: str, below: bool) -> Plain:
    """A place itself; with `below`, also what lies within it as its key tells: a GLN with an extension."""

    def read(reader: _Reader, name: str, value: Any) -> None:
        wanted = {spelled(one) for one in _texts(name, value)}

        def test(seen: Seen) -> bool:
            place = _object(seen.event.get(member)).get("id")
            if not isinstance(place, str):
                return False
            key = spelled(place)
            return key in wanted or (below and key.partition("/254/")[0] in wanted)

        reader.tests.append(test)

    return read


def _matches(kind: str) -> Plain:
    def read(reader: _Reader, name: str, value: Any) -> None:
        asked = _texts(name, value)
        whole = frozenset(spelled(one) for one in asked if not _is_pattern(one))
        patterns = [_pattern(one) for one in asked if _is_pattern(one)]
        if not patterns:
            reader.names.append(whole)

        def test(seen: Seen) -> bool:
            return any(
                spelled(key) in whole or any(pattern(key) for pattern in patterns)
                for key in _matched(seen.event, kind)
            )

        reader.tests.append(test)

    return read


def _is_pattern(key: str) -> bool:
    return key.startswith("urn:epc:idpat:") or key.endswith("*")


def _pattern(pattern: str) -> Callable[[str], bool]:
    """`urn:epc:idpat:…*`: every key of that class; any other `…*`: every key that begins so."""
    begins = pattern.replace("urn:epc:idpat:", "urn:epc:id:", 1).partition("*")[0]
    known = canonical(pattern)
    return lambda key: key.startswith(begins) or (known is not None and spelled(key).startswith(known + "/"))


def _event_ids(reader: _Reader, name: str, value: Any) -> None:
    wanted = reader.told[name] = frozenset(_texts(name, value))
    reader.tests.append(lambda seen: seen.event.get("eventID") in wanted)


def _exists(get: Callable[[Record], Any]) -> Plain:
    def read(reader: _Reader, name: str, value: Any) -> None:
        reader.tests.append(lambda seen: bool(get(seen.event)))

    return read


def _truth(reader: _Reader, name: str, value: Any) -> None:
    if value not in (True, False, "true", "false"):
        raise QueryFault(name, "true or false belongs here")
    wanted = value in (True, "true")
    reader.tests.append(lambda seen: any(part.get("booleanValue") is wanted for part in _sensor_parts(seen.event)))


def _order(reader: _Reader, name: str, value: Any) -> None:
    if value not in ("eventTime", "recordTime"):
        raise QueryFault(name, "events are ordered by eventTime or by recordTime")
    reader.told[name] = value


def _direction(reader: _Reader, name: str, value: Any) -> None:
    if value not in ("ASC", "DESC"):
        raise QueryFault(name, "the direction is ASC or DESC")
    reader.told[name] = value


def _limit(reader: _Reader, name: str, value: Any) -> None:
    reader.told[name] = _count(name, value)


def _declared(member: str) -> Callable[[Record], Any]:
    return lambda event: _object(event.get("errorDeclaration")).get(member)


def _persistent(way: str) -> Callable[[Record], Any]:
    return lambda event: _object(event.get("persistentDisposition")).get(way)


def _declared_within(after: bool) -> Plain:
    def read(reader: _Reader, name: str, value: Any) -> None:
        bound = _time(name, value)

        def test(seen: Seen) -> bool:
            moment = moment_of(_declared("declarationTime")(seen.event))
            return moment is not None and (moment >= bound if after else moment < bound)

        reader.tests.append(test)

    return read


_PLAIN: dict[str, Plain] = {
    "eventType": _types,
    **{f"{op}_{member}": _within(member, op == "GE") for op in ("GE", "LT") for member in ("eventTime", "recordTime")},
    **{
        f"{op}_{member}": _sensed_within(member, op == "GE")
        for op in ("GE", "LT")
        for member in ("time", "startTime", "endTime")
    },
    **{f"GE_{name}": _declared_within(True) for name in ("errorDeclaration_Time", "errorDeclarationTime")},
    **{f"LT_{name}": _declared_within(False) for name in ("errorDeclaration_Time", "errorDeclarationTime")},
    "EQ_action": _actions,
    "EQ_bizStep": _any_of(lambda event: event.get("bizStep"), "bizStep"),
    "EQ_disposition": _any_of(lambda event: event.get("disposition"), "disposition"),
    "EQ_persistentDisposition_set": _any_of(_persistent("set"), "disposition"),
    "EQ_persistentDisposition_unset": _any_of(_persistent("unset"), "disposition"),
    **{f"EQ_{member}": _places(member, False) for member in ("readPoint", "bizLocation")},
    **{f"WD_{member}": _places(member, True) for member in ("readPoint", "bizLocation")},
    "EQ_transformationID": _any_of(lambda event: event.get("transformationID")),
    **{f"MATCH_{kind}": _matches(kind) for kind in (*_EPCS, *_CLASSES)},
    "EQ_eventID": _event_ids,
    "EXISTS_errorDeclaration": _exists(lambda event: event.get("errorDeclaration")),
    "EXISTS_sensorElementList": _exists(lambda event: event.get("sensorElementList")),
    "EXISTS_persistentDisposition": _exists(lambda event: event.get("persistentDisposition")),
    "EXISTS_ilmd": _exists(lambda event: event.get("ilmd")),
    "EQ_errorReason": _any_of(_declared("reason"), "reason"),
    "EQ_correctiveEventID": _any_of(_declared("correctiveEventIDs")),
    "EQ_type": _sensed("type", "measurement"),
    **{
        f"EQ_{member}": _sensed(member)
        for member in (
            "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "microorganism", "chemicalSubstance",
            "bizRules", "stringValue", "hexBinaryValue", "uriValue", "coordinateReferenceSystem",
        )
    },
    "EQ_component": _sensed("component", "component"),
    "EQ_exception": _sensed("exception", "exception"),
    "EQ_booleanValue": _truth,
    "orderBy": _order,
    "orderDirection": _direction,
    "eventCountLimit": _limit,
    "maxEventCount": _limit,
}  # fmt: skip

# ---- Parameters with a name within ----------------------------------------------------------------------------------

Formed = Callable[[_Reader, str, Any, "re.Match[str]"], None]
_COMPARE: dict[str, Compare] = {
    "EQ": operator.eq, "GT": operator.gt, "GE": operator.ge, "LT": operator.lt, "LE": operator.le,
}  # fmt: skip


def _paired(listed: str, member: str, family: str) -> Formed:
    def read(reader: _Reader, name: str, value: Any, found: "re.Match[str]") -> None:
        kind = web(family, found["kind"], reader.namespaces)
        wanted = {spelled(one) for one in _texts(name, value)}

        def test(seen: Seen) -> bool:
            own = {**NAMESPACES, **seen.namespaces}
            return any(
                web(family, str(one.get("type", "")), own) == kind and spelled(str(one.get(member, ""))) in wanted
                for one in map(_object, _list(seen.event.get(listed)))
            )

        reader.tests.append(test)

    return read


def _measured(reader: _Reader, name: str, value: Any, found: "re.Match[str]") -> None:
    member, unit, compare = found["member"], found["unit"], _COMPARE[found["op"]]
    wanted = _numbers(name, value) if found["op"] == "EQ" else [_number(name, value)]

    def test(seen: Seen) -> bool:
        counted = member == "quantity"
        return any(
            _is_number(part.get(member)) and any(compare(part[member], one) for one in wanted)
            for part in (quantities(seen.event) if counted else _sensor_parts(seen.event))
            # A quantity without a unit counts pieces; a percentile's rank has none at all.
            if part.get("uom") == unit or (unit is None and not counted)
        )

    reader.tests.append(test)


def _is_number(told: Any) -> bool:
    return isinstance(told, int | float) and not isinstance(told, bool)


def _extended(reader: _Reader, name: str, value: Any, found: "re.Match[str]") -> None:
    """A field of somebody's own, at the top of its part of the event or, with INNER, anywhere below that."""
    wanted_name = _expand(reader, found["name"])
    scope, inner, op = found["scope"] or "", bool(found["inner"]), found["op"]
    fits = _value_test(name, value, op) if op != "EXISTS" else lambda _value: True

    def test(seen: Seen) -> bool:
        for part in _scoped(seen.event, scope):
            for key, one in _fields(part, inner, bool(scope)):
                if seen.expand(key) == wanted_name and any(fits(v) for v in (one if isinstance(one, list) else [one])):
                    return True
        return False

    reader.tests.append(test)


def _fields(part: Record, inner: bool, scoped: bool) -> Iterator[tuple[str, Any]]:
    if not inner:
        yield from part.items()
        return
    for key, value in part.items():
        # What the standard names is no field of somebody's own, and what lies in it is asked for by its own scope.
        if ":" in key or scoped:
            yield from _below(value, 0)


def _below(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield key, one
            yield from _below(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _below(one, depth + 1)


def _scoped(event: Record, scope: str) -> Iterator[Record]:
    match scope:
        case "":
            yield event
        case "ILMD":
            yield _object(event.get("ilmd"))
        case "ERROR_DECLARATION":
            yield _object(event.get("errorDeclaration"))
        case "SENSORELEMENT":
            yield from _elements(event)
        case "SENSORMETADATA":
            yield from (_object(one.get("sensorMetadata")) for one in _elements(event))
        case "SENSORREPORT":
            for one in _elements(event):
                yield from (_object(report) for report in _list(one.get("sensorReport")))
        case _:
            yield _object(event.get(scope))


def _value_test(name: str, value: Any, op: str) -> Callable[[Any], bool]:
    if op == "EQ":
        items = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
        if not items or len(items) > MAX_VALUES or any(len(str(one)) > MAX_VALUE for one in items):
            raise QueryFault(name, f"between 1 and {MAX_VALUES} values belong here, none overlong")
        wanted = [_comparable(one) for one in items]
        texts = {one for one in items if isinstance(one, str)}
        return lambda told: (isinstance(told, str) and told in texts) or (
            (mine := _comparable(told)) is not None and mine in wanted
        )
    bound, compare = _comparable(value), _COMPARE[op]
    if bound is None:
        raise QueryFault(name, "a number or a time belongs here")

    def fits(told: Any) -> bool:
        mine = _comparable(told)
        return mine is not None and type(mine) is type(bound) and compare(mine, bound)

    return fits


def _comparable(told: Any) -> float | dt.datetime | None:
    """A value as a number or a time, whichever it is spelled as."""
    if isinstance(told, str):
        moment = moment_of(told.replace(" ", "+") if "T" in told else told)
        if moment is not None:
            return moment
    try:
        number = float(told) if not isinstance(told, bool) and isinstance(told, str | int | float) else None
    except (ValueError, OverflowError):
        return None
    # No number equals one that is none.
    return number if number is not None and number == number else None


def _attributes(reader: _Reader, name: str, value: Any, found: "re.Match[str]") -> None:
    """A place's own attributes, as the event tells them beside its id."""
    wanted = {_expand(reader, one) for one in _texts(name, value)}
    attribute = found["attribute"] if found.re.groups > 1 else None
    named = _expand(reader, attribute) if attribute else ""

    def test(seen: Seen) -> bool:
        place = _object(seen.event.get(found["field"]))
        if attribute is None:
            return any(seen.expand(key) in wanted for key in place)
        return any(seen.expand(key) == named and seen.expand(str(one)) in wanted for key, one in place.items())

    reader.tests.append(test)


_OWN = r"(?P<name>[^:]+:.+)"
_SCOPES = "ILMD|ERROR_DECLARATION|SENSORELEMENT|SENSORMETADATA|SENSORREPORT|readPoint|bizLocation"
_MEASURES = "value|minValue|maxValue|meanValue|sDev|percRank|percValue|quantity"
_FORMS: tuple[tuple["re.Pattern[str]", Formed], ...] = (
    (re.compile(r"EQ_bizTransaction_(?P<kind>.+)"), _paired("bizTransactionList", "bizTransaction", "bizTransaction")),
    (re.compile(r"EQ_source_(?P<kind>.+)"), _paired("sourceList", "source", "party")),
    (re.compile(r"EQ_destination_(?P<kind>.+)"), _paired("destinationList", "destination", "party")),
    (re.compile(rf"(?P<op>EQ|GT|GE|LT|LE)_(?P<member>{_MEASURES})(?:_(?P<unit>[A-Z0-9]{{2,3}}))?"), _measured),
    (re.compile(r"HAS_?ATTR_(?P<field>readPoint|bizLocation)"), _attributes),
    (re.compile(r"EQ_?ATTR_(?P<field>readPoint|bizLocation)_(?P<attribute>.+)"), _attributes),
    (
        re.compile(rf"(?P<op>EQ|GT|GE|LT|LE|EXISTS)_(?P<inner>INNER_)?(?:(?P<scope>{_SCOPES})_)?{_OWN}"),
        _extended,
    ),
)
