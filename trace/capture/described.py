"""The OpenAPI description of `/epcis`, in pieces that recur. Source: GS1's EPCIS 2.0 REST bindings."""

from typing import Any

Doc = dict[str, Any]

_EVENTS: Doc = {"type": "object", "required": ["@context", "type", "epcisBody"]}
_PROBLEM: Doc = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "exception": {"type": "string"},
    },
}
_JOB: Doc = {
    "type": "object",
    "required": ["captureID", "createdAt", "running", "success", "captureErrorBehaviour", "errors"],
    "properties": {
        "captureID": {"type": "string"},
        "createdAt": {"type": "string", "format": "date-time"},
        "finishedAt": {"type": "string", "format": "date-time"},
        "running": {"type": "boolean"},
        "success": {"type": "boolean"},
        "captureErrorBehaviour": {"type": "string", "enum": ["rollback", "proceed"]},
        "errors": {"type": "array", "items": {"type": "object"}},
        "warnings": {"type": "array", "items": {"type": "object"}},
    },
}
_QUERY: Doc = {
    "type": "object",
    "required": ["name", "query"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,100}$"},
        "query": {"type": "object"},
    },
}
PER_PAGE: Doc = {"name": "perPage", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 30}}
NEXT: Doc = {"name": "nextPageToken", "in": "query", "schema": {"type": "string"}}
PARAMETERS: Doc = {
    "name": "query",
    "in": "query",
    "description": "The parameters of SimpleEventQuery, each by its own name: EQ_bizStep, GE_eventTime, MATCH_epc …",
    "style": "form",
    "explode": True,
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "eventType": {"type": "string"},
            "GE_eventTime": {"type": "string"},
            "LT_eventTime": {"type": "string"},
            "EQ_bizStep": {"type": "string"},
            "MATCH_anyEPC": {"type": "string"},
            "orderBy": {"type": "string", "enum": ["eventTime", "recordTime"]},
            "orderDirection": {"type": "string", "enum": ["ASC", "DESC"]},
            "eventCountLimit": {"type": "integer"},
        },
    },
}
BEHAVIOUR: Doc = {
    "name": "GS1-Capture-Error-Behaviour",
    "in": "header",
    "schema": {"type": "string", "enum": ["rollback", "proceed"], "default": "rollback"},
}
_WHY = {
    "400": "What was sent or asked cannot be read; `pointer` or `parameter` says where.",
    "401": "Nobody is signed in.",
    "403": "Not for this member.",
    "404": "There is no such resource.",
    "406": "Another version or form was wanted than is spoken here.",
    "409": "Another event or query bears this name.",
    "413": "Too much at once.",
    "414": "The address is too long.",
    "415": "Something else than JSON was sent.",
    "422": "A value that cannot be.",
    "501": "This part of the standard is not offered here.",
    "503": "Nothing can be written just now.",
}


def problems(*statuses: int) -> Doc:
    """Answers of these statuses, as RFC 9457 problems."""
    return {
        str(status): {
            "description": _WHY[str(status)],
            "content": {"application/problem+json": {"schema": _PROBLEM}},
        }
        for status in statuses
    }


def json_of(schema: Doc, what: str, status: int = 200) -> Doc:
    """A good answer in JSON, which JSON-LD is."""
    forms = {form: {"schema": schema} for form in ("application/json", "application/ld+json")}
    return {str(status): {"description": what, "content": forms}, "304": {"description": "Nothing new."}}


def body_of(schema: Doc) -> Doc:
    """What is sent."""
    return {
        "required": True,
        "content": {form: {"schema": schema} for form in ("application/json", "application/ld+json")},
    }


def read(responses: Doc, *parameters: Doc, member: bool = False) -> Doc:
    """An operation that only reads."""
    wrong = problems(400, 404, 406, 414, *((401, 403) if member else ()))
    return {
        "responses": {**responses, **wrong},
        "parameters": list(parameters),
        **({"security": [{"bearer": []}]} if member else {}),
    }


EVENTS = json_of(_EVENTS, "Events as an EPCISQueryDocument; the header Link tells the next page.")
LIST = json_of({"type": "object"}, "What the repository knows; the header Link tells the next page.")
DISCOVERY: Doc = {"responses": {"204": {"description": "What is spoken here, in headers."}, **problems(404, 406, 414)}}
GET_EVENTS = read(EVENTS, PARAMETERS, PER_PAGE, NEXT)
GET_EVENT = read(EVENTS)
GET_LIST = read(LIST, PER_PAGE, NEXT)
GET_ONE = read(LIST)
GET_JOBS = read(json_of({"type": "array", "items": _JOB}, "Capture jobs, newest first."), PER_PAGE, NEXT, member=True)
GET_JOB = read(json_of(_JOB, "How far it is, and what was wrong."), member=True)
GET_QUERIES = read(
    json_of({"type": "array", "items": _QUERY}, "Named queries of one's cooperative."), PER_PAGE, NEXT, member=True
)
GET_QUERY = read(json_of(_QUERY, "A named query."), member=True)
GET_RESULTS = read(EVENTS, PER_PAGE, NEXT, member=True)
_CREATED = {"Location": {"schema": {"type": "string"}, "description": "Where it is."}}
POST_CAPTURE: Doc = {
    "responses": {
        "202": {"description": "Received; Location is the capture job.", "headers": _CREATED},
        **problems(400, 401, 403, 406, 409, 413, 414, 415, 422, 503),
    },
    "parameters": [BEHAVIOUR],
    "requestBody": body_of({"type": "object", "required": ["@context", "type", "epcisBody"]}),
    "security": [{"bearer": []}],
}
POST_EVENT: Doc = {
    "responses": {
        "201": {
            "description": "Captured; Location is the event.",
            "headers": _CREATED,
            "content": {form: {"schema": {"type": "object"}} for form in ("application/json", "application/ld+json")},
        },
        **problems(400, 401, 403, 406, 409, 413, 414, 415, 422, 503),
    },
    "requestBody": body_of({"type": "object", "required": ["@context", "type", "eventTime"]}),
    "security": [{"bearer": []}],
}
POST_QUERY: Doc = {
    "responses": {
        "201": {
            "description": "Kept; Location is the query.",
            "headers": _CREATED,
            "content": {form: {"schema": _QUERY} for form in ("application/json", "application/ld+json")},
        },
        **problems(400, 401, 403, 406, 409, 413, 414, 415, 422),
    },
    "requestBody": body_of(_QUERY),
    "security": [{"bearer": []}],
}
DELETE_QUERY: Doc = {
    "responses": {"204": {"description": "Gone."}, **problems(401, 403, 404, 406, 414)},
    "security": [{"bearer": []}],
}
DELETE_TOKEN: Doc = {
    "responses": {"204": {"description": "Forgotten."}, **problems(401, 404, 406, 414)},
    "security": [{"bearer": []}],
}
NOT_OFFERED: Doc = {"responses": problems(401, 404, 406, 414, 501)}
