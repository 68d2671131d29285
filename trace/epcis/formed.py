"""The parameters of EPCIS 2.0's SimpleEventQuery with a name within: a unit, a kind of party, a field of one's own."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trace.epcis.asking import QueryFault, Reader, Record, Seen
from trace.epcis.content import elements_of, list_of, object_of, quantities, sensor_parts, spelled
from trace.epcis.values import MAX_VALUE, MAX_VALUES, comparable, number_told, numbers_told, texts
from trace.epcis.vocabulary import NAMESPACES, web

Compare = Callable[[Any, Any], bool]
Formed = Callable[[Reader, str, Any, "re.Match[str]"], None]
COMPARE: dict[str, Compare] = {
    "EQ": operator.eq, "GT": operator.gt, "GE": operator.ge, "LT": operator.lt, "LE": operator.le,
}  # fmt: skip


def _paired(listed: str, member: str, family: str) -> Formed:
    def read(reader: Reader, name: str, value: Any, found: "re.Match[str]") -> None:
        kind = web(family, found["kind"], reader.namespaces)
        wanted = {spelled(one) for one in texts(name, value)}

        def test(seen: Seen) -> bool:
            own = {**NAMESPACES, **seen.namespaces}
            return any(
                web(family, str(one.get("type", "")), own) == kind and spelled(str(one.get(member, ""))) in wanted
                for one in map(object_of, list_of(seen.event.get(listed)))
            )

        reader.tests.append(test)

    return read


def _measured(reader: Reader, name: str, value: Any, found: "re.Match[str]") -> None:
    member, unit, compare = found["member"], found["unit"], COMPARE[found["op"]]
    wanted = numbers_told(name, value) if found["op"] == "EQ" else [number_told(name, value)]

    def test(seen: Seen) -> bool:
        counted = member == "quantity"
        return any(
            _is_number(part.get(member)) and any(compare(part[member], one) for one in wanted)
            for part in (quantities(seen.event) if counted else sensor_parts(seen.event))
            # A quantity without a unit counts pieces; a percentile's rank has none at all.
            if part.get("uom") == unit or (unit is None and not counted)
        )

    reader.tests.append(test)


def _is_number(told: Any) -> bool:
    return isinstance(told, int | float) and not isinstance(told, bool)


def _extended(reader: Reader, name: str, value: Any, found: "re.Match[str]") -> None:
    """A field of somebody's own, at the top of its part of the event or, with INNER, anywhere below that."""
    wanted_name = reader.expand(found["name"])
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
            yield object_of(event.get("ilmd"))
        case "ERROR_DECLARATION":
            yield object_of(event.get("errorDeclaration"))
        case "SENSORELEMENT":
            yield from elements_of(event)
        case "SENSORMETADATA":
            yield from (object_of(one.get("sensorMetadata")) for one in elements_of(event))
        case "SENSORREPORT":
            for one in elements_of(event):
                yield from (object_of(report) for report in list_of(one.get("sensorReport")))
        case _:
            yield object_of(event.get(scope))


def _value_test(name: str, value: Any, op: str) -> Callable[[Any], bool]:
    if op == "EQ":
        items = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
        if not items or len(items) > MAX_VALUES or any(len(str(one)) > MAX_VALUE for one in items):
            raise QueryFault(name, f"between 1 and {MAX_VALUES} values belong here, none overlong")
        wanted = [comparable(one) for one in items]
        texts = {one for one in items if isinstance(one, str)}
        return lambda told: (isinstance(told, str) and told in texts) or (
            (mine := comparable(told)) is not None and mine in wanted
        )
    bound, compare = comparable(value), COMPARE[op]
    if bound is None:
        raise QueryFault(name, "a number or a time belongs here")

    def fits(told: Any) -> bool:
        mine = comparable(told)
        return mine is not None and type(mine) is type(bound) and compare(mine, bound)

    return fits


def _attributes(reader: Reader, name: str, value: Any, found: "re.Match[str]") -> None:
    """A place's own attributes, as the event tells them beside its id."""
    wanted = {reader.expand(one) for one in texts(name, value)}
    attribute = found["attribute"] if found.re.groups > 1 else None
    named = reader.expand(attribute) if attribute else ""

    def test(seen: Seen) -> bool:
        place = object_of(seen.event.get(found["field"]))
        if attribute is None:
            return any(seen.expand(key) in wanted for key in place)
        return any(seen.expand(key) == named and seen.expand(str(one)) in wanted for key, one in place.items())

    reader.tests.append(test)


_OWN = r"(?P<name>[^:]+:.+)"
_SCOPES = "ILMD|ERROR_DECLARATION|SENSORELEMENT|SENSORMETADATA|SENSORREPORT|readPoint|bizLocation"
_MEASURES = "value|minValue|maxValue|meanValue|sDev|percRank|percValue|quantity"
FORMS: tuple[tuple["re.Pattern[str]", Formed], ...] = (
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
