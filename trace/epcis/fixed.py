"""The parameters of EPCIS 2.0's SimpleEventQuery whose names are fixed (§8.2.7 and its REST binding)."""

from collections.abc import Callable
from typing import Any

from trace.epcis.asking import QueryFault, Reader, Record, Seen
from trace.epcis.content import CLASSES, EPCS, matched, object_of, sensor_parts, spelled, strings_of
from trace.epcis.faults import moment_of
from trace.epcis.identity import canonical
from trace.epcis.values import count_told, texts, time_told
from trace.epcis.vocabulary import ACTIONS, EVENT_TYPES, NAMESPACES, web

Plain = Callable[[Reader, str, Any], None]


def _types(reader: Reader, name: str, value: Any) -> None:
    wanted = frozenset(texts(name, value))
    if unknown := sorted(wanted - set(EVENT_TYPES)):
        raise QueryFault(name, f"there is no event type {unknown[0][:80]!r}")
    reader.told["eventType"] = wanted
    reader.tests.append(lambda seen: seen.event.get("type") in wanted)


def _within(member: str, after: bool) -> Plain:
    def read(reader: Reader, name: str, value: Any) -> None:
        bound = reader.told[name] = time_told(name, value)

        def test(seen: Seen) -> bool:
            moment = seen.recorded if member == "recordTime" else moment_of(seen.event.get(member))
            return moment is not None and (moment >= bound if after else moment < bound)

        reader.tests.append(test)

    return read


def _sensed_within(member: str, after: bool) -> Plain:
    def read(reader: Reader, name: str, value: Any) -> None:
        bound = time_told(name, value)

        def test(seen: Seen) -> bool:
            moments = (moment_of(part.get(member)) for part in sensor_parts(seen.event))
            return any(one is not None and (one >= bound if after else one < bound) for one in moments)

        reader.tests.append(test)

    return read


def _any_of(get: Callable[[Record], Any], family: str = "") -> Plain:
    """One of the texts that `get` gives is among the values; words of CBV in whatever spelling."""

    def read(reader: Reader, name: str, value: Any) -> None:
        asked = texts(name, value)
        wanted = {web(family, one, reader.namespaces) if family else reader.expand(one) for one in asked}

        def test(seen: Seen) -> bool:
            found = strings_of(get(seen.event))
            if not family:
                return any(seen.expand(one) in wanted for one in found)
            own = {**NAMESPACES, **seen.namespaces}
            return any(web(family, one, own) in wanted for one in found)

        reader.tests.append(test)

    return read


def _sensed(member: str, family: str = "") -> Plain:
    return _any_of(lambda event: [one for part in sensor_parts(event) for one in strings_of(part.get(member))], family)


def _actions(reader: Reader, name: str, value: Any) -> None:
    wanted = frozenset(texts(name, value))
    if not wanted <= set(ACTIONS):
        raise QueryFault(name, "an action is ADD, OBSERVE or DELETE")
    reader.tests.append(lambda seen: seen.event.get("action") in wanted)


def _places(member: str, below: bool) -> Plain:
    """A place itself; with `below`, also what lies within it as its key tells: a GLN with an extension."""

    def read(reader: Reader, name: str, value: Any) -> None:
        wanted = {spelled(one) for one in texts(name, value)}

        def test(seen: Seen) -> bool:
            place = object_of(seen.event.get(member)).get("id")
            if not isinstance(place, str):
                return False
            key = spelled(place)
            return key in wanted or (below and key.partition("/254/")[0] in wanted)

        reader.tests.append(test)

    return read


def _matches(kind: str) -> Plain:
    def read(reader: Reader, name: str, value: Any) -> None:
        asked = texts(name, value)
        whole = frozenset(spelled(one) for one in asked if not _is_pattern(one))
        patterns = [_pattern(one) for one in asked if _is_pattern(one)]
        if not patterns:
            reader.names.append(whole)

        def test(seen: Seen) -> bool:
            return any(
                spelled(key) in whole or any(pattern(key) for pattern in patterns)
                for key in matched(seen.event, kind)
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


def _event_ids(reader: Reader, name: str, value: Any) -> None:
    wanted = reader.told[name] = frozenset(texts(name, value))
    reader.tests.append(lambda seen: seen.event.get("eventID") in wanted)


def _exists(get: Callable[[Record], Any]) -> Plain:
    def read(reader: Reader, name: str, value: Any) -> None:
        reader.tests.append(lambda seen: bool(get(seen.event)))

    return read


def _truth(reader: Reader, name: str, value: Any) -> None:
    if value not in (True, False, "true", "false"):
        raise QueryFault(name, "true or false belongs here")
    wanted = value in (True, "true")
    reader.tests.append(lambda seen: any(part.get("booleanValue") is wanted for part in sensor_parts(seen.event)))


def _order(reader: Reader, name: str, value: Any) -> None:
    if value not in ("eventTime", "recordTime"):
        raise QueryFault(name, "events are ordered by eventTime or by recordTime")
    reader.told[name] = value


def _direction(reader: Reader, name: str, value: Any) -> None:
    if value not in ("ASC", "DESC"):
        raise QueryFault(name, "the direction is ASC or DESC")
    reader.told[name] = value


def _limit(reader: Reader, name: str, value: Any) -> None:
    reader.told[name] = count_told(name, value)


def _declared(member: str) -> Callable[[Record], Any]:
    return lambda event: object_of(event.get("errorDeclaration")).get(member)


def _persistent(way: str) -> Callable[[Record], Any]:
    return lambda event: object_of(event.get("persistentDisposition")).get(way)


def _declared_within(after: bool) -> Plain:
    def read(reader: Reader, name: str, value: Any) -> None:
        bound = time_told(name, value)

        def test(seen: Seen) -> bool:
            moment = moment_of(_declared("declarationTime")(seen.event))
            return moment is not None and (moment >= bound if after else moment < bound)

        reader.tests.append(test)

    return read


PLAIN: dict[str, Plain] = {
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
    **{f"MATCH_{kind}": _matches(kind) for kind in (*EPCS, *CLASSES)},
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
