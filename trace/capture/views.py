"""`/epcis`: EPCIS 2.0's REST binding. Reading is open to everybody, as the ledger is; capturing is for partners and the
office. Subscriptions and web sockets are not offered and say so (501)."""

import datetime as dt
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, request
from flask.views import MethodView
from flask_smorest import Blueprint

from trace.capture import answers, asked, described, documents, errors, finding, queries, resources, services
from trace.capture.models import CaptureJob
from trace.epcis.query import Query, QueryFault, about
from trace.epcis.reading import Fault, read_document, read_event
from trace.epcis.vocabulary import EVENT_TYPES
from trace.ledger.canonical import loads
from trace.ledger.errors import MalformedEntry
from village.db import db
from village.people.access import requires, signed_in
from village.web.bodies import up_to

epcis = Blueprint("epcis", __name__, url_prefix="/epcis", description="EPCIS 2.0: capture and queries.")
epcis.before_request(asked.check_request)
epcis.after_request(answers.with_headers)

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""When an empty answer was made: the same bytes each time."""
TOP = ("capture", "events", "queries", *resources.LISTS)
BEHAVIOURS = ("GS1-Capture-Error-Behaviour", "GS1-EPCIS-Capture-Error-Behaviour")
"""GS1's own description has the first name, other texts the second."""
MOST_DECLARATIONS = 20
"""Events and declarations of error under one id that are told at once."""
_ASKED_AS = {
    "eventTypes": "eventType",
    "bizSteps": "EQ_bizStep",
    "bizLocations": "EQ_bizLocation",
    "readPoints": "EQ_readPoint",
    "dispositions": "EQ_disposition",
}


class Resource(MethodView):
    """What every address of EPCIS has: OPTIONS tells what is spoken here."""

    @epcis.doc(**described.DISCOVERY)
    def options(self, **_path: str) -> Response:
        """What is spoken here."""
        return answers.discovery(sorted(self.methods or ()))


def _limit(_settings: object) -> int:
    return answers.MAX_BODY


@epcis.route("/")
class Root(Resource):
    """The repository."""

    @epcis.doc(**described.GET_ONE)
    def get(self) -> Response:
        """Its top-level resources."""
        return answers.told(documents.collection(TOP, "Collection", "member"))


@epcis.route("/capture")
class Capture(Resource):
    """Documents of many events."""

    @requires(*services.CAPTURERS)
    @epcis.doc(**described.GET_JOBS)
    def get(self) -> Response:
        """Capture jobs, newest first."""
        before, count = asked.token_told("jobs"), asked.per_page()
        if before is not None and not isinstance(before, str):
            raise errors.bad_query(QueryFault("nextPageToken", "not a token that was given here"))
        jobs = services.jobs_of(signed_in(), before, count + 1)
        further = asked.token_of(jobs[count - 1].id, "jobs") if len(jobs) > count else None
        return answers.told([_job(one) for one in jobs[:count]], further)

    @up_to(_limit)
    @requires(*services.CAPTURERS)
    @epcis.doc(**described.POST_CAPTURE)
    def post(self) -> Response:
        """Take in a document: at once it is read, and in a job its events are written down."""
        behaviour = next((told for name in BEHAVIOURS if (told := request.headers.get(name))), "rollback")
        if behaviour not in ("rollback", "proceed"):
            raise errors.bad_query(QueryFault(BEHAVIOURS[0], "rollback or proceed belongs here"))
        body = asked.body_of_json()
        document = read_document(_loaded(body))
        faults = list(document.faults)
        if behaviour == "rollback":
            faults += [fault for one in document.events for fault in one.faults]
        if faults:
            raise errors.invalid(faults)
        capture_id = services.ask(signed_in(), body, proceed=behaviour == "proceed")
        headers = {"Location": f"{_base()}/capture/{capture_id}", BEHAVIOURS[0]: behaviour}
        return Response(status=202, headers=headers)


@epcis.route("/capture/<capture_id>")
class OneCapture(Resource):
    """One capture job."""

    @requires(*services.CAPTURERS)
    @epcis.doc(**described.GET_JOB)
    def get(self, capture_id: str) -> Response:
        """How far it is, and what was wrong."""
        job = services.job_for(signed_in(), capture_id)
        response = answers.told(_job(job))
        response.headers[BEHAVIOURS[0]] = "proceed" if job.proceed else "rollback"
        return response


@epcis.route("/events")
class Events(Resource):
    """Events."""

    @epcis.doc(**described.GET_EVENTS)
    def get(self) -> Response:
        """Events that a query asks for."""
        return _events(asked.parameters())

    @up_to(_limit)
    @requires(*services.CAPTURERS)
    @epcis.doc(**described.POST_EVENT)
    def post(self) -> Response:
        """Take in one event, here and now."""
        event = read_event(_loaded(asked.body_of_json()))
        row = services.capture_one(signed_in(), event)
        kept = loads(bytes(row.body), limit=2**20) if row.body is not None else {"eventID": row.event_id}
        headers = {"Location": f"{_base()}/events/{quote(row.event_id, safe='')}"}
        return answers.told(documents.single_event(kept), status=201, headers=headers)


@epcis.route("/events/<path:event_id>", merge_slashes=False)
class OneEvent(Resource):
    """One event, with what declares it wrong."""

    @epcis.doc(**described.GET_EVENT)
    def get(self, event_id: str) -> Response:
        """The event, and its declarations of error."""
        told = {"EQ_eventID": [event_id]}
        page = _page(told, asked.asked_query(told), MOST_DECLARATIONS)
        if not page.events:
            raise errors.nothing(event_id)
        return _told(page, told)


@epcis.route("/queries")
class Queries(Resource):
    """Named queries."""

    @requires()
    @epcis.doc(**described.GET_QUERIES)
    def get(self) -> Response:
        """One's cooperative's queries, by name."""
        after, count = asked.token_told("queries"), asked.per_page()
        if after is not None and not isinstance(after, str):
            raise errors.bad_query(QueryFault("nextPageToken", "not a token that was given here"))
        found = queries.all_named(signed_in(), after or "", count + 1)
        further = asked.token_of(found[count - 1].name, "queries") if len(found) > count else None
        return answers.told([{"name": one.name, "query": one.query} for one in found[:count]], further)

    @requires(*services.CAPTURERS)
    @epcis.doc(**described.POST_QUERY)
    def post(self) -> Response:
        """Keep a query under a name."""
        row = queries.keep(signed_in(), _loaded(asked.body_of_json()))
        headers = {"Location": f"{_base()}/queries/{row.name}"}
        return answers.told({"name": row.name, "query": row.query}, status=201, headers=headers)


@epcis.route("/queries/<name>")
class OneQuery(Resource):
    """One named query."""

    @requires()
    @epcis.doc(**described.GET_QUERY)
    def get(self, name: str) -> Response:
        """What it asks."""
        row = queries.named(signed_in(), name)
        return answers.told({"name": row.name, "query": row.query})

    @requires(*services.CAPTURERS)
    @epcis.doc(**described.DELETE_QUERY)
    def delete(self, name: str) -> Response:
        """Take it away."""
        queries.forget(signed_in(), name)
        return Response(status=204)


@epcis.route("/queries/<name>/events")
class QueryEvents(Resource):
    """What a named query finds now: to be asked again and again."""

    @requires()
    @epcis.doc(**described.GET_RESULTS)
    def get(self, name: str) -> Response:
        """Events that it asks for; `GE_recordTime` in the address narrows them to what is new since then."""
        row = queries.named(signed_in(), name)
        told = {**row.query, **asked.parameters()}
        return _events(told, queries.read(told), name)


@epcis.route("/queries/<name>/subscriptions")
class Subscriptions(Resource):
    """Subscriptions, which are not offered."""

    @epcis.doc(**described.NOT_OFFERED)
    def get(self, name: str) -> Response:
        """Not offered."""
        raise errors.not_offered()

    @requires()
    @epcis.doc(**described.NOT_OFFERED)
    def post(self, name: str) -> Response:
        """Not offered."""
        raise errors.not_offered()


@epcis.route("/queries/<name>/subscriptions/<subscription_id>")
class OneSubscription(Resource):
    """One subscription, which is not offered."""

    @epcis.doc(**described.NOT_OFFERED)
    def get(self, name: str, subscription_id: str) -> Response:
        """Not offered."""
        raise errors.not_offered()

    @requires()
    @epcis.doc(**described.NOT_OFFERED)
    def delete(self, name: str, subscription_id: str) -> Response:
        """Not offered."""
        raise errors.not_offered()


def no_socket(name: str) -> Response:
    """A named query over a web socket: not offered."""
    raise errors.not_offered()


@epcis.route("/nextPageToken/<token>")
class Token(Resource):
    """A page's token, which is kept nowhere."""

    @requires()
    @epcis.doc(**described.DELETE_TOKEN)
    def delete(self, token: str) -> Response:
        """Nothing is kept that could be forgotten."""
        return Response(status=204)


@epcis.route("/claims/<sha256>")
class ClaimedBytes(Resource):
    """The bytes whose hash an entry of the ledger holds."""

    @epcis.doc(**described.GET_ONE)
    def get(self, sha256: str) -> Response:
        """The claimed event's canonical bytes."""
        response = Response(services.claimed_bytes(sha256), content_type=asked.answer_form())
        response.set_etag(sha256)
        response.headers["Cache-Control"] = "public, no-cache"
        response.make_conditional(request)
        return response


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
        if not _page(*_about(resource, value, {}), count=1).events:
            raise errors.nothing(value)
        return answers.told(documents.collection(["events"], "Collection", "member"))


@epcis.route(f"/<any({', '.join(resources.LISTS)}):resource>/<path:value>/events", merge_slashes=False)
class ResourceEvents(Resource):
    """Events of one type, about one key, of one step, at one place, of one disposition."""

    @epcis.doc(**described.GET_EVENTS)
    def get(self, resource: str, value: str) -> Response:
        """Its events, narrowed by a query's parameters."""
        told, query = _about(resource, value, asked.parameters())
        return _events(told, query)


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


def _events(told: dict[str, Any], query: Query | None = None, name: str = documents.QUERY) -> Response:
    query = query or asked.asked_query(told)
    if query.most is not None:
        _not_too_many(query)
    return _told(_page(told, query, asked.per_page()), told, name)


def _page(told: dict[str, Any], query: Query, count: int) -> finding.Page:
    return finding.find(db.session(), query, answers.vocabulary(), count, asked.position_told(told))


def _not_too_many(query: Query) -> None:
    assert query.most is not None
    found, after = 0, None
    for _page_of_them in range(5):
        page = finding.find(db.session(), query, answers.vocabulary(), finding.MOST_LOOKED_AT, after)
        found, after = found + len(page.events), page.further
        if found > query.most or after is None:
            break
    if found > query.most or after is not None:
        raise errors.too_many(query.most)


def _told(page: finding.Page, told: object, name: str = documents.QUERY) -> Response:
    newest = max((one.recorded for one in page.events), default=EPOCH)
    document = documents.query_document(page.events, answers.vocabulary(), newest, name)
    return answers.told(document, asked.position_token(page.further, told) if page.further else None)


def _loaded(body: bytes) -> Any:
    try:
        return loads(body, limit=answers.MAX_BODY)
    except MalformedEntry as error:
        raise errors.invalid([Fault("", "not-json", str(error))]) from error


def _job(job: CaptureJob) -> dict[str, Any]:
    made = {"finishedAt": _moment(job.ended_at)} if job.ended_at is not None else {}
    return {
        "captureID": job.id,
        "createdAt": _moment(job.made_at),
        **made,
        "running": job.running,
        "success": not job.errors,
        "captureErrorBehaviour": "proceed" if job.proceed else "rollback",
        "errors": job.errors,
        "warnings": job.warnings,
    }


def _moment(moment: Any) -> str:
    return str(moment.isoformat(timespec="milliseconds")).replace("+00:00", "Z")


def _base() -> str:
    return f"{current_app.extensions['soi'].public_url}/epcis"

