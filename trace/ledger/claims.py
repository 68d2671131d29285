"""Does an entry's event say what the phone's claim says? The rules are docs/formats.md's, "What a phone signs"."""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trace.ledger.errors import MalformedEntry

MEMBERS = frozenset(
    {
        "id", "process", "stage", "occurred_at", "site", "inputs", "outputs", "readings", "photos", "passed", "facts",
        "commitments",
    }
)  # fmt: skip
GLN = "https://id.gs1.org/414/"
CLASS = "https://id.gs1.org/01/"
PARCEL = "https://id.gs1.org/00/"
OWN = "soi:"
"""The prefix of measurements that GS1's vocabulary lacks, and of facts, as the event names them."""
SAID = ("origin", "reason")
"""Facts that an event states only if its claim does; a case's number may be the ledger's own."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)

Record = Mapping[str, Any]


class UnfitClaim(MalformedEntry):
    """The event says something else than what the device signed. `member` is the claim's member at fault."""

    def __init__(self, member: str) -> None:
        self.member = member
        super().__init__(f"the event does not say what the device signed: {member}")


def check_claim(claim: Record, record: Record) -> None:
    """Raises UnfitClaim unless the entry's event says what the claim says, and nothing in the claim is left out."""
    event = record["event"]
    if not isinstance(claim, dict) or not isinstance(event, dict):
        raise UnfitClaim("event")
    if unknown := sorted(set(claim) - MEMBERS):
        raise UnfitClaim(unknown[0])
    inputs, outputs = _parts(event)
    checks: dict[str, Callable[[], bool]] = {
        "id": lambda: event["eventID"] == f"urn:uuid:{claim['id']}",
        "occurred_at": lambda: _same_time(claim["occurred_at"], event),
        "process": lambda: event["soi:process"].rpartition("/")[0] == claim["process"],
        "stage": lambda: event["soi:stage"] == claim["stage"],
        "site": lambda: event["readPoint"]["id"] == GLN + claim["site"],
        "inputs": lambda: _by_case(claim, event) or _same_parts(claim.get("inputs") or [], inputs, _is_batch),
        "outputs": lambda: _same_parts(claim.get("outputs") or [], outputs, _is_product),
        "readings": lambda: _same_readings(claim.get("readings") or [], event.get("sensorElementList", [])),
        "passed": lambda: _same_outcome(claim.get("passed"), event),
        "facts": lambda: _same_facts(_facts(claim), event),
        "photos": lambda: list(claim.get("photos") or []) == list(record.get("photos", [])),
        "commitments": lambda: _kept(claim.get("commitments", {}), record["commitments"]),
    }
    for member, fits in checks.items():
        if not _holds(fits):
            raise UnfitClaim(member)


def _holds(fits: Callable[[], bool]) -> bool:
    """A member of another shape than it must have does not fit, rather than break off the check."""
    try:
        return fits()
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError):
        return False


def _parts(event: Record) -> tuple[Sequence[Record], Sequence[Record]]:
    """What went in or was looked at, and what came out, as the event lists them."""
    if event["type"] == "TransformationEvent":
        return event.get("inputQuantityList", []), event.get("outputQuantityList", [])
    if event["type"] == "AggregationEvent":
        return event.get("childQuantityList", []), []
    listed = event.get("quantityList", [])
    return ([], listed) if event.get("action") == "ADD" else (listed, [])


def _by_case(claim: Record, event: Record) -> bool:
    """What lies in a case need not be named again when the case is opened, sent off or lost: its number says it."""
    facts = claim.get("facts")
    named = isinstance(facts, dict) and "sscc" in facts
    return named and not claim.get("inputs") and event.get("action") != "ADD"


def _facts(claim: Record) -> Mapping[str, str]:
    facts = claim.get("facts")
    if not isinstance(facts, dict | None):
        raise TypeError("facts are an object")
    return facts or {}


def _same_facts(told: Mapping[str, str], event: Record) -> bool:
    if event["type"] == "AggregationEvent" and event["parentID"] != PARCEL + event[OWN + "sscc"]:
        return False
    return all(isinstance(text, str) and event[OWN + name] == text for name, text in told.items()) and all(
        name in told for name in SAID if OWN + name in event
    )


def _same_time(told: str, event: Record) -> bool:
    zone = event["eventTimeZoneOffset"]
    times = (told, event["eventTime"], f"2000-01-01T00:00:00{zone}")
    if not all(_TIME.fullmatch(time) for time in times):
        return False
    claimed, stored, at_zone = map(dt.datetime.fromisoformat, times)
    # The event's time has milliseconds.
    claimed = claimed.replace(microsecond=claimed.microsecond // 1000 * 1000)
    return claimed == stored and claimed.utcoffset() == at_zone.utcoffset()


def _same_parts(told: Sequence[Record], stored: Sequence[Record], same_class: Any) -> bool:
    return len(told) == len(stored) and all(
        same_class(one, part["epcClass"]) and _same_amount(one, part) for one, part in zip(told, stored, strict=True)
    )


def _same_amount(one: Record, part: Record) -> bool:
    """Packs are counted, everything else is weighed; a claim that says neither leaves it to the ledger."""
    if one.get("units") is not None:
        return "uom" not in part and _equal(part["quantity"], one["units"])
    if one.get("grams") is not None:
        return part.get("uom") == "GRM" and _equal(part["quantity"], one["grams"])
    return True


def _is_batch(one: Record, epc: str) -> bool:
    return bool(one["batch"] == epc)


def _is_product(one: Record, epc: str) -> bool:
    start = f"{CLASS}{one['product']}/10/"
    lot = one.get("lot")
    return epc.startswith(start) and (lot is None or epc == start + lot)


def _same_readings(told: Sequence[Record], stored: Sequence[Record]) -> bool:
    reports = [element["sensorReport"][0] for element in stored]
    return len(told) == len(reports) and all(
        report["type"] in (one["type"], OWN + one["type"])
        and _equal(report["value"], one["value"])
        and report["uom"] == one["unit"]
        for one, report in zip(told, reports, strict=True)
    )


def _equal(stored: Any, told: Any) -> bool:
    """Equal as numbers of JSON, where true is not 1."""
    return bool(not isinstance(stored, bool) and not isinstance(told, bool) and stored == told)


def _same_outcome(passed: bool | None, event: Record) -> bool:
    said = event.get("persistentDisposition", {}).get("set", [])
    return "conformant" not in said or passed is not False


def _kept(told: Mapping[str, str], stored: Mapping[str, str]) -> bool:
    return all(stored.get(name) == value for name, value in told.items())
