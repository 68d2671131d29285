"""EPCIS documents as answers: JSON-LD in GS1's own context, the same bytes for the same events."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trace.capture.finding import Found
from trace.epcis.events import CBVMDA, EPCIS_CONTEXT, GS1_VOCABULARY
from trace.epcis.vocabulary import CONTEXT

QUERY = "SimpleEventQuery"


def query_document(found: Iterable[Found], vocabulary: str, at: dt.datetime, name: str = QUERY) -> dict[str, Any]:
    """An EPCISQueryDocument. `at` is when it was made: the time of the newest thing in it will do."""
    events = [event_as_told(one) for one in found]
    return {
        "@context": [EPCIS_CONTEXT, {"cbvmda": CBVMDA, "gs1": GS1_VOCABULARY, "soi": vocabulary}],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": _moment(at),
        "epcisBody": {"queryResults": {"queryName": name, "resultsBody": {"eventList": events}}},
    }


def event_as_told(found: Found) -> dict[str, Any]:
    """An event with the time at which this log recorded it."""
    return {**found.event, "recordTime": _moment(found.recorded)}


def single_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """A claimed event that stands alone, with GS1's context before its own namespaces."""
    own = event.get("@context", [])
    return {**event, "@context": [CONTEXT, *own]}


def collection(members: Sequence[str], kind: str, name: str) -> dict[str, Any]:
    """A list of resources, as the standard's schemas have it: `{"type": "BizStepItemList", "bizStep": […]}`."""
    return {"@context": CONTEXT, "type": kind, name: list(members)}


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
