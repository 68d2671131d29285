"""EPCIS's top-level resources: event types, keys, steps, places and dispositions, each with its events."""

from typing import Any

from flask import Response

from trace.capture import (
    answers,
    asked,
    described,
    documents,
    errors,
    resources,
)
from trace.capture.paging import Resource, epcis, events_answer, page_of
from trace.epcis.asking import Query, QueryFault
from trace.epcis.query import about
from trace.epcis.vocabulary import EVENT_TYPES
from village.db import db

_ASKED_AS = {
    "eventTypes": "eventType",
    "bizSteps": "EQ_bizStep",
    "bizLocations": "EQ_bizLocation",
    "readPoints": "EQ_readPoint",
    "dispositions": "EQ_disposition",
}


@epcis.route(f"/<any({', '.join(resources.LISTS)}):resource>")
class TopLevel(Resource):
    """What the repository knows of one kind."""

    @epcis.doc(**described.GET_LIST)
    def get(self, resource: str) -> Response:
        """The list, in order."""
        lister, kind, member = resources.LISTS[resource]
        after, count = asked.token_told(resource), asked.per_page()
        if after is not None and not isinstance(after, str):
            raise errors.bad_query(QueryFault("nextPageToken", "not a token that was given here"))
        found = lister(db.session(), after or "", count + 1)
        further = asked.token_of(found[count - 1], resource) if len(found) > count else None
        return answers.told(documents.collection(found[:count], kind, member), further)


@epcis.route(f"/<any({', '.join(resources.LISTS)}):resource>/<path:value>", merge_slashes=False)
class OneResource(Resource):
    """One event type, key, step, place or disposition."""

    @epcis.doc(**described.GET_ONE)
    def get(self, resource: str, value: str) -> Response:
        """What there is of it: its events."""
        if not page_of(*_about(resource, value, {}), count=1).events:
            raise errors.nothing(value)
        return answers.told(documents.collection(["events"], "Collection", "member"))


@epcis.route(f"/<any({', '.join(resources.LISTS)}):resource>/<path:value>/events", merge_slashes=False)
class ResourceEvents(Resource):
    """Events of one type, about one key, of one step, at one place, of one disposition."""

    @epcis.doc(**described.GET_EVENTS)
    def get(self, resource: str, value: str) -> Response:
        """Its events, narrowed by a query's parameters."""
        told, query = _about(resource, value, asked.parameters())
        return events_answer(told, query)


def _about(resource: str, value: str, told: dict[str, Any]) -> tuple[dict[str, Any], Query]:
    if resource == "epcs":
        return {**told, "epc": value}, about(asked.asked_query(told), value)
    parameter = _ASKED_AS[resource]
    if resource == "eventTypes" and value not in EVENT_TYPES:
        raise errors.nothing(value)
    if parameter in told:
        raise errors.bad_query(QueryFault(parameter, "the address itself says that already"))
    told = {**told, parameter: [value]}
    return told, asked.asked_query(told)
