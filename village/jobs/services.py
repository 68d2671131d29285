"""Asking for a job, looking at it, cancelling it."""

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from village import clock
from village.db import db, write
from village.errors import NotFound
from village.i18n import current_language
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind_of
from village.jobs.models import GOING, Job, State
from village.jobs.queue import queues
from village.people.access import Actor
from village.people.models import Role

ASKED = "soi_jobs_asked"
"""In a session's info: (lane, id) of the jobs that its transaction asked for."""
SHOWN = 50

log = structlog.get_logger("soi.jobs")


def ask(
    session: Session, kind: str, who: Actor | None, args: Mapping[str, Any] | None = None, *, total: int = 0
) -> Job:
    """Have a job done once the caller's transaction has committed. `args` are JSON, and no secret.

    Raises KeyError for a kind that nobody declared.
    """
    declared = kind_of(kind)
    if declared is None:
        raise KeyError(kind)
    job = Job(
        kind=kind, args=dict(args or {}), total=total, language=current_language(),
        member_id=who.id if who else None, cooperative_id=who.cooperative_id if who else None,
    )  # fmt: skip
    session.add(job)
    session.flush()
    session.info[ASKED] = (*session.info.get(ASKED, ()), (declared.lane, job.id))
    return job


@event.listens_for(Session, "after_commit")
def _tell(session: Session) -> None:
    for lane, job_id in session.info.pop(ASKED, ()):
        try:
            queues().put(lane, job_id)
        except Exception as error:  # whatever is the matter with the queue: the sweeper finds the row
            log.warning("a job waits for the sweeper", job=job_id, why=type(error).__name__)


def ask_once(kind: str) -> None:
    """Have a job of this kind done that no member asks for, unless one waits or runs. In a transaction of its own."""
    with db.engine.connect() as connection:
        going = connection.execute(select(Job.id).where(Job.kind == kind, Job.state.in_(GOING)).limit(1)).first()
    if going is None:
        with write() as session:
            ask(session, kind, None)


def job_for(who: Actor, job_id: str) -> Job:
    """The job, if this member asked for it or is of the office of the asker's cooperative; else NotFound."""
    job = db.session.get(Job, job_id, populate_existing=True)
    if job is None or not _may_see(who, job):
        raise NotFound("no-job", _l("Không có việc nào mang mã này."), job=job_id)
    return job


def _may_see(who: Actor, job: Job) -> bool:
    office = who.has(Role.OFFICE) and job.cooperative_id == who.cooperative_id
    return office or (job.member_id == who.id)


def cancel(who: Actor, job_id: str) -> Job:
    """Stop a job: one that waits is not begun, one that runs ends at its next step. What it did already stays done."""
    job_for(who, job_id)
    with write() as session:
        session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state.in_(GOING))
            .values(state=State.CANCELLED, ended_at=clock.now())
            .execution_options(synchronize_session=False)
        )
        return session.get_one(Job, job_id, populate_existing=True)


def latest(limit: int = SHOWN) -> list[Job]:
    """The newest jobs of the house, newest first."""
    return list(db.session.scalars(select(Job).order_by(Job.made_at.desc(), Job.id.desc()).limit(limit)))
