"""EPCIS 2.0 events as JSON-LD: frozen values in, plain dicts out.

Source: GS1 EPCIS 2.0 and Core Business Vocabulary (CBV) 2.0. Weights are integer grams (`uom` GRM); packs are
single trade items, and CBV counts those without a `uom`. Places are GLN Digital Links. Nothing about a person
goes in: who did it stands on the ledger record as a salted commitment.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from trace.gs1.digital_link import parcel_uri, place_uri

JsonObject = dict[str, Any]

EPCIS_CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
CBVMDA = "urn:epcglobal:cbv:mda:"
GS1_VOCABULARY = "https://gs1.org/voc/"
DEFAULT_VOCABULARY = "https://example.org/soi/voc/"
GRAMS = "GRM"
FARTHEST = timedelta(hours=14)
"""The largest offset from UTC that EPCIS (and the world) knows."""
_UNIT = re.compile(r"[A-Z0-9]{2,3}")
# GS1's measurement types know no moisture of a solid: these are terms of the document's own vocabulary.
OWN_MEASUREMENTS = {"Moisture": "soi:Moisture", "DryMatter": "soi:DryMatter"}

Action = Literal["ADD", "OBSERVE", "DELETE"]
ErrorReason = Literal["incorrect_data", "did_not_occur"]


@dataclass(frozen=True)
class Amount:
    """How much of a lot: `lot` is its class id (`digital_link.class_uri`), `uom` GRM or None for packs."""

    lot: str
    quantity: int
    uom: str | None = GRAMS

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"An event about {self.lot} needs a positive quantity, not {self.quantity}.")
        if self.uom is not None and not _UNIT.fullmatch(self.uom):
            raise ValueError(f"{self.uom!r} is no unit code: two or three of A–Z and 0–9.")


def grams(lot: str, quantity: int) -> Amount:
    """`quantity` grams of a lot."""
    return Amount(lot, quantity)


def packs(lot: str, quantity: int) -> Amount:
    """`quantity` packs of a lot."""
    return Amount(lot, quantity, None)


@dataclass(frozen=True)
class Span:
    """What a sensor told over a window: lowest, highest, percentiles by rank, how many readings, how many of them were
    left out as impossible, and the SHA-256 (hex) of the reduced series (docs/formats.md)."""

    start: datetime
    end: datetime
    low: Decimal
    high: Decimal
    ranks: tuple[tuple[int, Decimal], ...]
    count: int
    left_out: int
    series: str


@dataclass(frozen=True)
class Reading:
    """One measured value and its UN/CEFACT unit code (P1 per cent, CEL °C); `time` None: the event's own. With `span`,
    the value is the mean over that window."""

    type: str
    value: Decimal | int | float
    uom: str
    time: datetime | None = None
    device: str | None = None
    span: Span | None = None

    def __post_init__(self) -> None:
        if not _UNIT.fullmatch(self.uom):
            raise ValueError(f"{self.uom!r} is no unit code: two or three of A–Z and 0–9.")


@dataclass(frozen=True)
class Ilmd:
    """What holds for a lot from its birth on. `extra` takes further terms, each with a prefix."""

    lot: str | None = None
    produced: date | None = None
    expires: date | None = None
    harvested: date | None = None
    origin_country: str | None = None
    extra: Mapping[str, str] | None = None


@dataclass(frozen=True)
class ErrorDeclaration:
    """Says that the event did not happen, or not as written, and which events tell it right."""

    declared: datetime
    reason: ErrorReason
    corrective_event_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Core:
    """What every event has: its id, when (with the claimed offset), where (GLNs), and which business step.

    `harvest`, `transform` and the like fill in `biz_step` and `disposition` where they are left out.
    `persistent_set` and `persistent_unset` are persistent dispositions such as `conformant` or `recalled`.
    `extra` are further fields of the event, each with a prefix (`soi:process`).
    """

    id: UUID
    time: datetime
    biz_step: str = ""
    disposition: str | None = None
    read_point: str | None = None
    biz_location: str | None = None
    persistent_set: tuple[str, ...] = ()
    persistent_unset: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    error: ErrorDeclaration | None = None
    extra: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        claimed = self.time.utcoffset()
        if claimed is None:
            raise ValueError("An event's time needs its offset from UTC.")
        if abs(claimed) > FARTHEST or claimed % timedelta(minutes=1):
            raise ValueError(f"{claimed} is no offset from UTC: whole minutes, 14 hours at most.")


def object_event(
    core: Core, action: Action, amounts: Sequence[Amount], ilmd: Ilmd | None = None
) -> JsonObject:
    """Lots seen (OBSERVE), born (ADD, the only action that takes `ilmd`) or ended (DELETE) on their own."""
    if ilmd is not None and action != "ADD":
        raise ValueError("Only an ObjectEvent with the action ADD carries ilmd.")
    if not amounts:
        raise ValueError("An ObjectEvent needs at least one lot.")
    event = _head(core, "ObjectEvent")
    event["action"] = action
    event["quantityList"] = [_amount(amount) for amount in amounts]
    return _tail(core, event, ilmd)


def transformation_event(
    core: Core, inputs: Sequence[Amount], outputs: Sequence[Amount], ilmd: Ilmd | None = None
) -> JsonObject:
    """Lots used up, wholly or in part, and the lots that came out of them; it has no `action`."""
    if not inputs or not outputs:
        raise ValueError("A TransformationEvent needs at least one input and one output.")
    event = _head(core, "TransformationEvent")
    event["inputQuantityList"] = [_amount(amount) for amount in inputs]
    event["outputQuantityList"] = [_amount(amount) for amount in outputs]
    return _tail(core, event, ilmd)


def aggregation_event(core: Core, action: Action, parent_sscc: str, children: Sequence[Amount]) -> JsonObject:
    """Packs put into a case or parcel (ADD), seen in it (OBSERVE) or taken out (DELETE)."""
    event = _head(core, "AggregationEvent")
    event["action"] = action
    event["parentID"] = parcel_uri(parent_sscc)
    event["childQuantityList"] = [_amount(amount) for amount in children]
    return _tail(core, event, None)


def harvest(core: Core, amount: Amount, ilmd: Ilmd | None = None) -> JsonObject:
    """A lot is born in the field."""
    return object_event(_as(core, "commissioning", "active"), "ADD", [amount], ilmd)


def transform(
    core: Core, inputs: Sequence[Amount], outputs: Sequence[Amount], ilmd: Ilmd | None = None
) -> JsonObject:
    """A making stage: grinding, settling, steaming, cutting, drying."""
    return transformation_event(_as(core, "commissioning", "in_progress"), inputs, outputs, ilmd)


def observe(core: Core, amounts: Sequence[Amount]) -> JsonObject:
    """Readings taken while a lot settles or dries."""
    return object_event(_as(core, "sensor_reporting", None), "OBSERVE", amounts)


def inspect(core: Core, amounts: Sequence[Amount], conformant: bool) -> JsonObject:
    """An inspection and its verdict, which stays with the lot."""
    verdict = ("conformant", "non_conformant") if conformant else ("non_conformant", "conformant")
    done = _as(core, "inspecting", None, set_=(verdict[0],), unset=(verdict[1],))
    return object_event(done, "OBSERVE", amounts)


def pack(
    core: Core, inputs: Sequence[Amount], outputs: Sequence[Amount], ilmd: Ilmd | None = None
) -> JsonObject:
    """Noodles put into packs."""
    return transformation_event(_as(core, "packing", "sellable_not_accessible"), inputs, outputs, ilmd)


def buy(core: Core, amounts: Sequence[Amount], ilmd: Ilmd | None = None) -> JsonObject:
    """Lots that come in from outside, and are known from here on."""
    return object_event(_as(core, "receiving", "active"), "ADD", amounts, ilmd)


def lose(core: Core, amounts: Sequence[Amount]) -> JsonObject:
    """So much of some lots is gone for good."""
    return object_event(_as(core, "destroying", "destroyed"), "DELETE", amounts)


def put_in_case(core: Core, sscc: str, children: Sequence[Amount]) -> JsonObject:
    """Packs put into a case with its own parcel number."""
    return aggregation_event(_as(core, "packing", "sellable_not_accessible"), "ADD", sscc, children)


def take_out_of_case(core: Core, sscc: str, children: Sequence[Amount]) -> JsonObject:
    """A case opened: its packs are single ones again."""
    return aggregation_event(_as(core, "unpacking", None), "DELETE", sscc, children)


def dispatch(core: Core, amounts: Sequence[Amount]) -> JsonObject:
    """Packs on their way."""
    return object_event(_as(core, "shipping", "in_transit"), "OBSERVE", amounts)


def receive(core: Core, amounts: Sequence[Amount]) -> JsonObject:
    """Packs arrived."""
    return object_event(_as(core, "receiving", None), "OBSERVE", amounts)


def sell(core: Core, amounts: Sequence[Amount]) -> JsonObject:
    """Packs sold to a buyer."""
    return object_event(_as(core, "retail_selling", "retail_sold"), "OBSERVE", amounts)


def recall(core: Core, amounts: Sequence[Amount]) -> JsonObject:
    """Lots held back; `recalled` stays with them."""
    return object_event(_as(core, "holding", None, set_=("recalled",)), "OBSERVE", amounts)


def lift_recall(core: Core, amounts: Sequence[Amount]) -> JsonObject:
    """A recall taken back."""
    return object_event(_as(core, "holding", None, unset=("recalled",)), "OBSERVE", amounts)


def correct(event: Mapping[str, Any], declaration: ErrorDeclaration) -> JsonObject:
    """The same event again, word for word, with an `errorDeclaration`: how EPCIS takes back an event."""
    return {**event, "errorDeclaration": _error(declaration)}


def document(
    events: Sequence[Mapping[str, Any]], created: datetime, vocabulary: str = DEFAULT_VOCABULARY
) -> JsonObject:
    """An EPCISDocument around events. `vocabulary` is the address that the prefix `soi:` stands for."""
    return {
        "@context": [EPCIS_CONTEXT, {"cbvmda": CBVMDA, "gs1": GS1_VOCABULARY, "soi": vocabulary}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": timestamp(created),
        "epcisBody": {"eventList": [dict(event) for event in events]},
    }


def timestamp(moment: datetime) -> str:
    """`2026-11-20T06:30:00.000+07:00`: milliseconds, with the offset that was claimed."""
    if moment.utcoffset() is None:
        raise ValueError("A time needs its offset from UTC.")
    return moment.isoformat(timespec="milliseconds")


def offset(moment: datetime) -> str:
    """`+07:00`"""
    return timestamp(moment)[-6:]


def event_urn(identity: UUID) -> str:
    """An event's id as a URN."""
    return f"urn:uuid:{identity}"


def _as(
    core: Core, step: str, disposition: str | None, set_: tuple[str, ...] = (), unset: tuple[str, ...] = ()
) -> Core:
    """`core` with the step and disposition that belong to the stage; what the caller gave itself is kept."""
    return replace(
        core,
        biz_step=core.biz_step or step,
        disposition=core.disposition or disposition,
        persistent_set=core.persistent_set + set_,
        persistent_unset=core.persistent_unset + unset,
    )


def _head(core: Core, kind: str) -> JsonObject:
    event: JsonObject = {
        "eventID": event_urn(core.id),
        "type": kind,
        "eventTime": timestamp(core.time),
        "eventTimeZoneOffset": offset(core.time),
    }
    if core.error is not None:
        event["errorDeclaration"] = _error(core.error)
    return event


def _tail(core: Core, event: JsonObject, ilmd: Ilmd | None) -> JsonObject:
    if not core.biz_step:
        raise ValueError("An event needs its business step.")
    event["bizStep"] = core.biz_step
    if core.disposition:
        event["disposition"] = core.disposition
    persistent = {"set": list(core.persistent_set), "unset": list(core.persistent_unset)}
    persistent = {key: values for key, values in persistent.items() if values}
    if persistent:
        event["persistentDisposition"] = persistent
    if core.read_point:
        event["readPoint"] = {"id": place_uri(core.read_point)}
    if core.biz_location:
        event["bizLocation"] = {"id": place_uri(core.biz_location)}
    if core.readings:
        event["sensorElementList"] = [sensor_element(reading) for reading in core.readings]
    if ilmd is not None and (terms := _ilmd(ilmd)):
        event["ilmd"] = terms
    event.update(_prefixed(core.extra))
    return event


def _amount(amount: Amount) -> JsonObject:
    found: JsonObject = {"epcClass": amount.lot, "quantity": amount.quantity}
    if amount.uom is not None:
        found["uom"] = amount.uom
    return found


def sensor_element(reading: Reading) -> JsonObject:
    """One `sensorElement`. Of a span: its window, the mean between lowest and highest, then one report a percentile."""
    element: JsonObject = {}
    metadata: JsonObject = {}
    span = reading.span
    if reading.time is not None:
        metadata["time"] = timestamp(reading.time)
    if span is not None:
        metadata |= {"startTime": timestamp(span.start), "endTime": timestamp(span.end)}
    if reading.device is not None:
        metadata["deviceID"] = reading.device
    if metadata:
        element["sensorMetadata"] = metadata
    kind = OWN_MEASUREMENTS.get(reading.type, reading.type)
    if span is None:
        element["sensorReport"] = [{"type": kind, "value": _number(reading.value), "uom": reading.uom}]
        return element
    told = {"minValue": _number(span.low), "maxValue": _number(span.high), "meanValue": _number(reading.value)}
    element["sensorReport"] = [{"type": kind, **told, "uom": reading.uom}] + [
        {"type": kind, "percRank": rank, "percValue": _number(value), "uom": reading.uom} for rank, value in span.ranks
    ]
    return element | {"soi:count": span.count, "soi:leftOut": span.left_out, "soi:series": span.series}


def _number(value: Decimal | int | float) -> int | float:
    return int(value) if value == int(value) else float(value)


def _ilmd(ilmd: Ilmd) -> JsonObject:
    terms: dict[str, str | None] = {
        "cbvmda:lotNumber": ilmd.lot,
        "gs1:productionDate": ilmd.produced.isoformat() if ilmd.produced else None,
        "cbvmda:itemExpirationDate": ilmd.expires.isoformat() if ilmd.expires else None,
        "cbvmda:harvestEndDate": ilmd.harvested.isoformat() if ilmd.harvested else None,
        "cbvmda:countryOfOrigin": ilmd.origin_country,
    }
    return {key: value for key, value in terms.items() if value is not None} | _prefixed(ilmd.extra)


def _prefixed(extra: Mapping[str, Any] | None) -> JsonObject:
    for key in extra or {}:
        if ":" not in key:
            raise ValueError(f"The further field {key!r} needs a prefix, as in soi:{key}.")
    return dict(extra or {})


def _error(declaration: ErrorDeclaration) -> JsonObject:
    found: JsonObject = {"declarationTime": timestamp(declaration.declared), "reason": declaration.reason}
    if declaration.corrective_event_ids:
        found["correctiveEventIDs"] = list(declaration.corrective_event_ids)
    return found
