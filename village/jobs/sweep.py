"""Finding what got lost: jobs that no worker was told of, and jobs whose worker died."""

import datetime as dt
from collections.abc import Callable

import structlog
from flask import Flask, current_app
from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from village import clock
from village.db import db, write
from village.i18n import gettext as _
from village.jobs.kinds import LANES, SHORT, kind_of
from village.jobs.models import GOING, Job, State
from village.jobs.queue import queues
from village.jobs.running import MOST_TRIES, STALE, place
from village.jobs.work import apart

KEPT = dt.timedelta(days=30)
"""How long a job that has its end is kept."""
TIDIERS = "soi.jobs.tidiers"
"""In the app's extensions: what else is tidied up once an hour, by whoever sweeps."""
SWEEPERS = "soi.jobs.sweepers"
"""In the app's extensions: what looks every few seconds whether something has become due."""

log = structlog.get_logger("soi.jobs")


def on_tidying(app: Flask, tidy: Callable[[], None]) -> None:
    """Have `tidy` called about once an hour, in an app context."""
    app.extensions.setdefault(TIDIERS, []).append(tidy)


def on_sweeping(app: Flask, act: Callable[[], None]) -> None:
    """Have `act` called every few seconds, in an app context: it asks for jobs whose time has come."""
    app.extensions.setdefault(SWEEPERS, []).append(act)


def ask_around() -> None:
    """Have the rooms ask for what has become due."""
    for act in current_app.extensions.get(SWEEPERS, ()):
        act()


def put_back(running_here: set[str]) -> None:
    """Jobs whose run is dead wait again, or have failed when too many runs of theirs died. Tell the queue of every job
    that waits and that it does not know of. `running_here`: jobs that are known to be in hand, however silent."""
    _fail_hopeless(running_here)
    stale = or_(Job.beat_at.is_(None), Job.beat_at < clock.now() - STALE)
    _wait_again(and_(stale, Job.id.not_in(running_here)))
    waiting: dict[str, list[str]] = {lane: [] for lane in LANES}
    with db.engine.connect() as connection:
        rows = connection.execute(select(Job.id, Job.kind).where(Job.state == State.WAITING).order_by(Job.made_at))
        for job_id, key in rows:
            kind = kind_of(key)
            waiting[kind.lane if kind else SHORT].append(job_id)
    for lane, ids in waiting.items():
        known = queues().queued(lane) if ids else set()
        for job_id in ids:
            if job_id not in known:
                queues().put(lane, job_id)


def take_over() -> None:
    """A worker begins: whatever its place was running is dead, for nobody else is at that place."""
    _wait_again(Job.worker.startswith(place(), autoescape=True))


def _wait_again(which: ColumnElement[bool]) -> None:
    with db.engine.connect() as connection:
        dead = list(connection.scalars(select(Job.id).where(Job.state == State.RUNNING, which)))
    if dead:
        log.warning("jobs begin again", jobs=dead)
        apart(update(Job).where(Job.id.in_(dead), Job.state == State.RUNNING).values(state=State.WAITING))


def _fail_hopeless(running_here: set[str]) -> None:
    hopeless = and_(Job.state == State.WAITING, Job.tries >= MOST_TRIES, Job.id.not_in(running_here))
    with db.engine.connect() as connection:
        ids = list(connection.scalars(select(Job.id).where(hopeless)))
    if ids:
        log.error("jobs given up", jobs=ids)
        said = _("Việc này làm mấy lần đều đứt giữa chừng, nên mình thôi. Bác báo hợp tác xã giúp.")
        apart(
            update(Job)
            .where(Job.id.in_(ids), Job.state == State.WAITING)
            .values(state=State.FAILED, message=said, ended_at=clock.now())
        )


def tidy() -> None:
    """Forget jobs that ended long ago, and have the rooms tidy up."""
    for act in current_app.extensions.get(TIDIERS, ()):
        try:
            act()
        except Exception as error:  # each room's tidying stands alone
            log.error("tidying failed", error=type(error).__name__, exc_info=error)
    with write() as session:
        session.execute(
            delete(Job)
            .where(Job.state.not_in(GOING), Job.ended_at < clock.now() - KEPT)
            .execution_options(synchronize_session=False)
        )
