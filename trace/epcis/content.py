"""What an event says: its keys, quantities and sensor parts, wherever its type keeps them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trace.epcis.identity import canonical

Record = Mapping[str, Any]


def object_of(told: Any) -> Record:
    """An object, an empty one for whatever is none."""
    return told if isinstance(told, Mapping) else {}


def list_of(told: Any) -> Sequence[Any]:
    """A list, an empty one for whatever is none."""
    return told if isinstance(told, list) else ()


def strings_of(told: Any) -> Iterator[str]:
    """The texts of a list, or the one text."""
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, str):
            yield one


EPCS = {
    "epc": ("epcList", "childEPCs"),
    "parentID": ("parentID",),
    "inputEPC": ("inputEPCList",),
    "outputEPC": ("outputEPCList",),
    "anyEPC": ("epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID"),
}
CLASSES = {
    "epcClass": ("quantityList", "childQuantityList"),
    "inputEPCClass": ("inputQuantityList",),
    "outputEPCClass": ("outputQuantityList",),
    "anyEPCClass": ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
}


def quantities(event: Record) -> Iterator[Record]:
    """Every quantity element of an event."""
    for name in CLASSES["anyEPCClass"]:
        for one in list_of(event.get(name)):
            yield object_of(one)


def keys_of(event: Record) -> Iterator[str]:
    """Every EPC and EPC class that an event is about, as it spells them."""
    for name in EPCS["anyEPC"]:
        yield from strings_of(event.get(name))
    for one in quantities(event):
        yield from strings_of(one.get("epcClass"))


def matched(event: Record, kind: str) -> Iterator[str]:
    """The EPCs or EPC classes that a MATCH_ parameter of this kind looks at."""
    for name in EPCS.get(kind, ()):
        yield from strings_of(event.get(name))
    for name in CLASSES.get(kind, ()):
        for one in list_of(event.get(name)):
            yield from strings_of(object_of(one).get("epcClass"))


def spelled(key: str) -> str:
    """A key under its one spelling, where it is one of GS1's."""
    return canonical(key) or key


def elements_of(event: Record) -> Iterator[Record]:
    """Every sensor element."""
    for one in list_of(event.get("sensorElementList")):
        yield object_of(one)


def sensor_parts(event: Record) -> Iterator[Record]:
    """Every sensor element's metadata and reports."""
    for element in elements_of(event):
        yield object_of(element.get("sensorMetadata"))
        for report in list_of(element.get("sensorReport")):
            yield object_of(report)
