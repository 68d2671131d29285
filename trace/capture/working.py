"""Capture jobs: a document of many events, worked through beside the request that brought it."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from trace.capture import errors
from trace.capture.models import CaptureJob
from trace.capture.services import Prepared, name_of, prepare, take
from trace.epcis.reading import Read
from village import clock
from village.db import db, part, write
from village.errors import SoiError
from village.i18n import lazy_gettext as _l
from village.jobs import services as jobs
from village.people.access import Actor
from village.people.models import Role

CAPTURE = "epcis-capture"
"""The kind of job that works through a document."""
LEFT, KEPT = dt.timedelta(days=2), dt.timedelta(days=30)
"""How long a job may be on its way, and how long it is kept after its end."""


@dataclass(frozen=True)
class Refused:
    """An event that cannot be taken in, and why."""

    read: Read
    error: SoiError


def ask(who: Actor, body: bytes, *, proceed: bool) -> str:
    """Have a document worked through that was found to be one; the capture job's id."""
    with write() as session:
        name_of(session, who)
        job = CaptureJob(member_id=who.id, cooperative_id=who.cooperative_id, proceed=proceed, body=body)
        session.add(job)
        session.flush()
        jobs.ask(session, CAPTURE, who, {"capture": job.id})
        return job.id


def job_for(who: Actor, capture_id: str) -> CaptureJob:
    """A capture job of one's own, or of one's office's partners; NotFound for any other."""
    job = db.session.get(CaptureJob, capture_id, populate_existing=True)
    if job is None or not _may_see(who, job):
        raise errors.nothing(capture_id)
    return job


def _may_see(who: Actor, job: CaptureJob) -> bool:
    return job.member_id == who.id or (who.has(Role.OFFICE) and job.cooperative_id == who.cooperative_id)


def jobs_of(who: Actor, before: str | None, count: int) -> list[CaptureJob]:
    """Jobs that the asker may see, newest first, made before the job `before` (their ids are in order of time)."""
    mine = CaptureJob.member_id == who.id
    if who.has(Role.OFFICE):
        mine = CaptureJob.cooperative_id == who.cooperative_id
    query = select(CaptureJob).where(mine).order_by(CaptureJob.id.desc()).limit(count)
    if before is not None:
        query = query.where(CaptureJob.id < before)
    return list(db.session.scalars(query))


def prepare_all(reads: Sequence[Read], go_on: Callable[[], None] = lambda: None) -> list[Prepared | Refused]:
    """Each event made ready, or why it cannot be; outside of any transaction."""
    found: list[Prepared | Refused] = []
    for read in reads:
        go_on()
        try:
            found.append(prepare(read))
        except SoiError as error:
            found.append(Refused(read, error))
    return found


def work_through(session: Session, who: Actor, job: CaptureJob, events: Sequence[Prepared | Refused]) -> None:
    """Take in a document's events, in the caller's transaction: all of them or none, or with `proceed` those that are
    right. What was wrong is kept with the job."""
    by = name_of(session, who)
    faults: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    rows: dict[str, None] = {}
    try:
        with part(session):
            for at, one in enumerate(events):
                try:
                    if isinstance(one, Refused):
                        raise one.error
                    rows[take(session, who, by, one).id] = None
                except SoiError as error:
                    faults.append(_problem(error, at, one.read))
                    continue
                if one.personal:
                    warnings.append({"pointer": one.read.pointer, "code": "personal-data", "eventID": one.event_id})
            if faults and not job.proceed:
                raise _Undo
    except _Undo:
        rows, warnings = {}, []
    job = session.get_one(CaptureJob, job.id, populate_existing=True)
    job.events, job.captured = len(events), len(rows)
    job.errors, job.warnings = faults, warnings
    job.body, job.ended_at = None, clock.now()


def end_with(capture_id: str, error: SoiError) -> None:
    """End a job of which nothing can be taken in."""
    with write() as session:
        job = session.get_one(CaptureJob, capture_id)
        job.errors = [{"type": f"problems/{error.slug}", "title": str(error.title), "detail": str(error)}]
        job.body, job.ended_at = None, clock.now()


def tidy() -> None:
    """End jobs that were left lying, and forget those that ended long ago."""
    now = clock.now()
    with write() as session:
        left = select(CaptureJob).where(CaptureJob.ended_at.is_(None), CaptureJob.made_at < now - LEFT)
        for job in session.scalars(left):
            job.errors = [{"type": "problems/not-done", "title": str(_l("Chưa làm xong"))}]
            job.body, job.ended_at = None, now
        session.execute(delete(CaptureJob).where(CaptureJob.ended_at < now - KEPT))


class _Undo(Exception):
    """All of the document's events are to be as if they had not been."""


def _problem(error: SoiError, at: int, read: Read) -> dict[str, Any]:
    details = error.details
    return {
        "type": f"problems/{error.slug}",
        "title": str(error.title),
        "status": error.status,
        "detail": str(error),
        "event": at,
        "pointer": details.get("pointer", read.pointer),
        **({"errors": details["errors"]} if "errors" in details else {}),
    }
