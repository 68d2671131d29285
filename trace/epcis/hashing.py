"""The CBV 2.0 event hash: one name for an event that does not hang on how its JSON was written.

Source: GS1 CBV 2.0 §8.9. Its text leaves some corners open; there this does what GS1 Germany's reference generator
does, which others compare with. `eventID`, `recordTime` and `errorDeclaration` do not count, nor do comments.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from trace.epcis.faults import moment_of
from trace.epcis.identity import canonical
from trace.epcis.vocabulary import CBV, FAMILIES, NAMESPACES, VOC, expanded, web

Order = tuple[tuple[str, Any], ...]
Node = tuple[Any, ...]
"""(name, text, children); in lists of business transactions, sources and destinations a pair of two such."""

_QUANTITY: Order = (("quantityElement", (("epcClass", ()), ("quantity", ()), ("uom", ()))),)
_EPCS: Order = (("epc", ()),)
_METADATA = "time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules"
_REPORT = (
    "type exception deviceID deviceMetadata rawData dataProcessingMethod time microorganism chemicalSubstance value "
    "component stringValue booleanValue hexBinaryValue uriValue minValue maxValue meanValue sDev percRank percValue "
    "uom coordinateReferenceSystem"
)


def _flat(names: str) -> Order:
    return tuple((name, ()) for name in names.split())


_ORDER: Order = (
    *_flat("eventTime eventTimeZoneOffset certificationInfo parentID"),
    ("epcList", _EPCS),
    ("inputEPCList", _EPCS),
    ("childEPCs", _EPCS),
    ("quantityList", _QUANTITY),
    ("childQuantityList", _QUANTITY),
    ("inputQuantityList", _QUANTITY),
    ("outputEPCList", _EPCS),
    ("outputQuantityList", _QUANTITY),
    *_flat("action transformationID bizStep disposition"),
    ("persistentDisposition", _flat("set unset")),
    ("readPoint", _flat("id")),
    ("bizLocation", _flat("id")),
    (
        "sensorElementList",
        (("sensorElement", (("sensorMetadata", _flat(_METADATA)), ("sensorReport", _flat(_REPORT)))),),
    ),
)
_IGNORED = frozenset(("recordTime", "eventID", "type", "errorDeclaration"))
_COMMENTS = frozenset(("#text", "rdfs:comment", "comment", "@context"))
_PAIRED = ("bizTransaction", "source", "destination")
_PAIR_LISTS = frozenset(("sourceList", "destinationList", "bizTransactionList"))
_WEB_WORDS = [
    (FAMILIES[name][2], FAMILIES[name][1]) for name in ("bizStep", "disposition", "bizTransaction", "party", "reason")
]
_HASH_ID = re.compile(r"ni:///sha-256;[0-9a-f]{64}\?ver=CBV2\.0")


def hash_id(event: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> str:
    """`ni:///sha-256;<hex>?ver=CBV2.0` of an event. `namespaces` are those that it or its document declares."""
    digest = hashlib.sha256(pre_hash(event, namespaces).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def is_hash_id(name: str) -> bool:
    """Whether an event's id is a hash of this kind."""
    return _HASH_ID.fullmatch(name) is not None


def pre_hash(event: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> str:
    """The string that is hashed."""
    declared = dict(namespaces or {})
    words = _web_words(event, {**NAMESPACES, **declared})
    kind, _text, children = _restructured(_tree(_spelled_out(event, words), declared))
    ordered = _in_order(children, _ORDER)
    rest = [child for child in children if child[0] not in _IGNORED]
    return f"eventType={kind}{ordered}{_in_turn(rest)}"


def _web_words(event: Mapping[str, Any], namespaces: Mapping[str, str]) -> frozenset[str]:
    """The web addresses of all words of CBV and of GS1's vocabulary that the event uses where they are looked for."""
    found = set[str]()

    def look(family: str, value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                found.add(web(family, one, namespaces))

    look("bizStep", event.get("bizStep"))
    look("disposition", event.get("disposition"))
    for way in ("set", "unset"):
        look("disposition", _object(event.get("persistentDisposition")).get(way))
    look("reason", _object(event.get("errorDeclaration")).get("reason"))
    typed = ("bizTransactionList", "bizTransaction"), ("sourceList", "party"), ("destinationList", "party")
    for name, family in typed:
        for one in _list(event.get(name)):
            look(family, _object(one).get("type"))
    for element in _list(event.get("sensorElementList")):
        for report in _list(_object(element).get("sensorReport")):
            for name, family in (("type", "measurement"), ("component", "component"), ("exception", "exception")):
                look(family, _object(report).get(name))
    return frozenset(one for one in found if one.startswith((CBV.rstrip("/"), VOC.rstrip("/"))))


def _spelled_out(told: Any, words: frozenset[str]) -> Any:
    """Bare words with their web addresses in their place, where one and only one of `words` ends in them."""
    if isinstance(told, str):
        fitting = [word for word in words if word.endswith(("-" + told, "/" + told))]
        return fitting[0] if len(fitting) == 1 else told
    if isinstance(told, list):
        return [_spelled_out(one, words) for one in told]
    if isinstance(told, Mapping):
        return {name: _spelled_out(one, words) for name, one in told.items()}
    return told


def _tree(told: Any, namespaces: Mapping[str, str]) -> Node:
    """As a tree of (name, text, children), like XML's, where every item of a list bears the list's name."""
    children: list[Node] = []
    if isinstance(told, Mapping):
        for name, value in told.items():
            if name in _COMMENTS:
                continue
            _name, text, within = _tree(value, namespaces)
            key = _key(name, namespaces)
            if isinstance(value, list):
                children += [(key, one[1], one[2]) for one in within]
            else:
                children.append((key, text, within))
        if not any(name in told for name in _PAIRED):
            children.sort()
        return str(told.get("type", "")), "", children
    if isinstance(told, list):
        children = sorted(_tree(one, namespaces) for one in told)
        return "", "", children
    return "", expanded(told, namespaces) if isinstance(told, str) else str(told), []


def _key(name: str, namespaces: Mapping[str, str]) -> str:
    prefix, colon, rest = name.partition(":")
    return f"{{{namespaces[prefix]}}}{rest}" if colon and prefix in namespaces else name


def _restructured(node: Node) -> Node:
    """With the elements that EPCIS's XML has and its JSON leaves out."""
    name, text, children = node
    lists: dict[str, list[Node]] = {}
    plain: list[Node] = []
    for child in children:
        if child[0].endswith("List"):
            lists.setdefault(child[0], []).append((child[0][:-4], child[1], child[2]))
        else:
            plain.append(child)
    for listed, items in lists.items():
        if listed in _PAIR_LISTS:
            # The type comes first, however the JSON had it.
            pairs = [tuple(sorted(one[2][:2], key=lambda part: part[0] != "type")) for one in items]
            plain.append((listed, "", pairs))
        else:
            plain.append((listed, "", items))
    epcs: list[Node] = [("epc", child[1], []) for child in plain if child[0] == "childEPCs"]
    if epcs:
        plain = [child for child in plain if child[0] != "childEPCs"]
        plain.append(("childEPCs", "", epcs))
    within = [child if child[0] in _PAIR_LISTS else _restructured(child) for child in plain]
    if name in ("inputEPC", "outputEPC"):
        name = "epc"
    elif name in ("inputQuantity", "outputQuantity", "childQuantity") or (name == "quantity" and within):
        name = "quantityElement"
    return name, text, within


def _in_order(children: list[Node], order: Order) -> str:
    """What the standard names, in its order; it is taken out of `children` as far as nothing else is in it."""
    extensions = _own_fields(children)
    told = ""
    for name, within in order:
        texts = []
        for child in [one for one in children if one[0] == name]:
            texts.append(_ordered(child, within))
            if not child[2]:
                children.remove(child)
        told += "".join(sorted(texts))
    return told + (_in_turn(extensions) if extensions else "")


def _ordered(node: Node, order: Order) -> str:
    name, text, children = node
    within = _in_order(children, order) if order else ""
    text = text.strip()
    if text:
        timed = "time" in name.lower() and "offset" not in name.lower()
        text = _time(text) if timed else _value(text)
    return f"{name}{'=' + text if text else ''}{within}" if text or within else ""


def _own_fields(children: list[Node]) -> list[Node]:
    """Fields of somebody's own within a known element, taken out to follow that element; an event's come at its end."""
    names = [child[0] for child in children]
    if len(children) <= 1 or any("eventTime" in name or "action" in name for name in names):
        return []
    own = [child for child in children if isinstance(child[0], str) and "{" in child[0] and "/}" in child[0]]
    for child in own:
        children.remove(child)
    return own


def _in_turn(children: list[Node]) -> str:
    """Whatever the standard does not name, sorted."""
    told = []
    for child in children:
        if isinstance(child[0], tuple):
            told.append(_in_turn(list(child)))
        else:
            text = child[1].strip()
            told.append(child[0] + (f"={_value(text)}" if text else "") + _in_turn(child[2]))
    paired = any(child[0] in _PAIRED for child in children)
    return "".join(told if paired else sorted(told))


def _value(text: str) -> str:
    for urn, start in _WEB_WORDS:
        text = text.replace(urn, start)
    try:
        number = float(text)
        text = str(int(number) if int(number) == number else number)
    except (ValueError, OverflowError):
        pass
    return canonical(text) or text


def _time(text: str) -> str:
    moment = moment_of(text)
    if moment is None:
        return text
    whole = moment.astimezone(dt.UTC)
    whole += dt.timedelta(microseconds=round(whole.microsecond, -3) - whole.microsecond)
    return whole.isoformat(timespec="milliseconds")[:-6] + "Z"


def _object(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []
