"""Running one job, from taking it up to its end."""

import datetime as dt
import os
import socket
from collections.abc import Callable
from typing import Any

import structlog
from flask import current_app, g
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from village import clock
from village.db import db
from village.errors import Forbidden, SoiError
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind_of
from village.jobs.models import Job, State
from village.jobs.work import Cancelled, Stopping, Work, apart, look
from village.people.access import Actor
from village.people.models import Member
from village.storage import trouble_with_storage

MOST_TRIES = 4
"""A job that a worker did not survive so often is not begun again: it may be what kills them."""
STALE = dt.timedelta(seconds=90)
"""A run that was not heard of for so long is dead."""

log = structlog.get_logger("soi.jobs")


def place() -> str:
    """This worker's place: machine and instance. No two workers of one place run at a time."""
    return f"{socket.gethostname()[:50]}:{current_app.extensions['soi'].instance.name[:40]}:"


def run(job_id: str, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Run the job unless somebody else has it, or it has its end; False then. In an app context of its own."""
    job = look(job_id)
    if job is None or job.state is not State.WAITING:
        return False
    number, now = job.tries + 1, clock.now()
    taken = apart(
        update(Job)
        .where(Job.id == job_id, Job.state == State.WAITING, Job.tries == job.tries)
        .values(
            state=State.RUNNING, tries=number, started_at=job.started_at or now, beat_at=now,
            worker=f"{place()}{os.getpid()}",
        )
    )  # fmt: skip
    if not taken:
        return False
    g.language = job.language
    work = Work(job_id, job.args, None, number, stopping)
    try:
        _end(work, **_outcome(work, job))
    except Cancelled:
        # The row says so already.
        pass
    except Stopping:
        _hand_back(work, tries=number - 1)
    finally:
        db.session.remove()
    return True


def _outcome(work: Work, job: Job) -> dict[str, Any]:
    """How the row is to stand after the work, whatever came of it."""
    try:
        kind = kind_of(job.kind)
        if kind is None:
            return {"state": State.FAILED, "message": _("Bản phần mềm này không còn biết làm việc ấy.")}
        work.who = _actor(job.member_id) if job.member_id else None
        result = kind.do(work)
    except (Cancelled, Stopping):
        raise
    except SoiError as error:
        return {"state": State.FAILED, "message": str(error)[:500]}
    except Exception as error:
        trouble = trouble_with_storage(error)
        log.error("job failed", job=job.id, kind=job.kind, error=type(error).__name__, exc_info=error)
        if (trouble or isinstance(error, DBAPIError)) and work.run < MOST_TRIES:
            return {"state": State.WAITING, "message": str(trouble or "")[:500]}
        if current_app.testing:
            raise
        failed = _("Việc này chưa làm xong được vì máy có lỗi. Bác thử lại, hoặc báo hợp tác xã giúp.")
        return {"state": State.FAILED, "message": str(trouble or failed)[:500]}
    return {"state": State.DONE, "result": result, "message": ""}


def _actor(member_id: str) -> Actor:
    """The asker as she is now: who has left meanwhile has nothing done in her name."""
    member = db.session.scalar(select(Member).where(Member.id == member_id, Member.active))
    if member is None:
        raise Forbidden("member-gone", _l("Người nhờ việc này không còn làm ở hợp tác xã."))
    found = Actor(
        member.id, member.username, member.name, frozenset(one.role for one in member.roles), member.cooperative_id,
        member.household_id,
    )  # fmt: skip
    db.session.remove()
    return found


def _end(work: Work, state: State, **values: Any) -> None:
    db.session.remove()
    ended = None if state is State.WAITING else clock.now()
    apart(update(Job).where(*work.mine()).values(state=state, ended_at=ended, **values))


def _hand_back(work: Work, tries: int) -> None:
    """Into the queue again, as if this run had not been."""
    db.session.remove()
    apart(update(Job).where(*work.mine()).values(state=State.WAITING, tries=tries))
