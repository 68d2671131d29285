"""`/epcis`: EPCIS 2.0's REST binding. Reading is open to everybody, as the ledger is; capturing is for partners and the
office. Subscriptions and web sockets are not offered and say so (501)."""

from typing import Any
from urllib.parse import quote

from flask import Response, request

from trace.capture import (
    answers,
    asked,
    claims,
    described,
    documents,
    errors,
    resources,
    services,
    working,
)
from trace.capture.models import CaptureJob
from trace.capture.paging import Resource, base, epcis, events_answer, loaded, page_answer, page_of
from trace.epcis.asking import QueryFault
from trace.epcis.reading import read_document, read_event
from trace.ledger.canonical import loads
from village.people.access import requires, signed_in
from village.web.bodies import up_to

TOP = ("capture", "events", "queries", *resources.LISTS)
BEHAVIOURS = ("GS1-Capture-Error-Behaviour", "GS1-EPCIS-Capture-Error-Behaviour")
"""GS1's own description has the first name, other texts the second."""
MOST_DECLARATIONS = 20
"""Events and declarations of error under one id that are told at once."""


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
        jobs = working.jobs_of(signed_in(), before, count + 1)
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
        document = read_document(loaded(body))
        faults = list(document.faults)
        if behaviour == "rollback":
            faults += [fault for one in document.events for fault in one.faults]
        if faults:
            raise errors.invalid(faults)
        capture_id = working.ask(signed_in(), body, proceed=behaviour == "proceed")
        headers = {"Location": f"{base()}/capture/{capture_id}", BEHAVIOURS[0]: behaviour}
        return Response(status=202, headers=headers)


@epcis.route("/capture/<capture_id>")
class OneCapture(Resource):
    """One capture job."""

    @requires(*services.CAPTURERS)
    @epcis.doc(**described.GET_JOB)
    def get(self, capture_id: str) -> Response:
        """How far it is, and what was wrong."""
        job = working.job_for(signed_in(), capture_id)
        response = answers.told(_job(job))
        response.headers[BEHAVIOURS[0]] = "proceed" if job.proceed else "rollback"
        return response


@epcis.route("/events")
class Events(Resource):
    """Events."""

    @epcis.doc(**described.GET_EVENTS)
    def get(self) -> Response:
        """Events that a query asks for."""
        return events_answer(asked.parameters())

    @up_to(_limit)
    @requires(*services.CAPTURERS)
    @epcis.doc(**described.POST_EVENT)
    def post(self) -> Response:
        """Take in one event, here and now."""
        event = read_event(loaded(asked.body_of_json()))
        row = services.capture_one(signed_in(), event)
        kept = loads(bytes(row.body), limit=2**20) if row.body is not None else {"eventID": row.event_id}
        headers = {"Location": f"{base()}/events/{quote(row.event_id, safe='')}"}
        return answers.told(documents.single_event(kept), status=201, headers=headers)


@epcis.route("/events/<path:event_id>", merge_slashes=False)
class OneEvent(Resource):
    """One event, with what declares it wrong."""

    @epcis.doc(**described.GET_EVENT)
    def get(self, event_id: str) -> Response:
        """The event, and its declarations of error."""
        told = {"EQ_eventID": [event_id]}
        page = page_of(told, asked.asked_query(told), MOST_DECLARATIONS)
        if not page.events:
            raise errors.nothing(event_id)
        return page_answer(page, told)


@epcis.route("/claims/<sha256>")
class ClaimedBytes(Resource):
    """The bytes whose hash an entry of the ledger holds."""

    @epcis.doc(**described.GET_ONE)
    def get(self, sha256: str) -> Response:
        """The claimed event's canonical bytes."""
        response = Response(claims.claimed_bytes(sha256), content_type=asked.answer_form())
        response.set_etag(sha256)
        response.headers["Cache-Control"] = "public, no-cache"
        response.make_conditional(request)
        return response


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
