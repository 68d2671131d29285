"""The job that works through a captured document."""

from typing import Any

from flask import url_for

from trace.capture import working
from trace.capture.models import CaptureJob
from trace.epcis.reading import Read, read_document
from trace.ledger.canonical import loads
from village.db import db, write
from village.errors import Forbidden
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.work import Work

MAX_BODY = 2 * 1024 * 1024


def _where(job: Job) -> str:
    return url_for("epcis.OneCapture", capture_id=job.args["capture"])


@kind(working.CAPTURE, name=_l("Nhận dữ liệu EPCIS"), where=_where)
def capture(work: Work) -> dict[str, Any]:
    """Take in a document's events. Begun again, it comes to the same: an event that is there already stays one."""
    who = work.who
    assert who is not None
    kept = db.session.get(CaptureJob, work.args["capture"])
    if kept is None or kept.body is None:
        return {"capture": work.args["capture"]}
    reads = read(bytes(kept.body))
    db.session.remove()
    prepared = working.prepare_all(reads, work.go_on)
    try:
        with write(ledger=True) as session:
            working.work_through(session, who, session.get_one(CaptureJob, kept.id), prepared)
            work.note(session, len(reads))
    except Forbidden as error:
        # Nothing of it may be taken in any more; whoever sent it reads why where he asks for it.
        working.end_with(kept.id, error)
        raise
    return {"capture": kept.id}


def read(body: bytes) -> tuple[Read, ...]:
    """The events of a document that was found to be one when it came in."""
    return read_document(loads(body, limit=MAX_BODY)).events
