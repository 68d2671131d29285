"""The one kind of job: numbers are given to packs, and a run's labels are drawn into a file."""

from typing import Any

from flask import url_for
from sqlalchemy import func, select

from trace.labels import files, making, runs
from trace.labels.models import LabelRun
from trace.labels.services import packed, printable
from trace.lots.models import Batch
from trace.units.models import Unit
from trace.units.services import issue, left
from village.db import db, write
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.i18n import number
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.work import Work

_AT_ONCE = 5_000
"""Numbers given in one transaction: nobody else waits long for a turn to write."""


def _where(job: Job) -> str:
    return url_for("labels.run", run_id=job.args["run"])


@kind(runs.PRINT, name=_l("In tem"), long=True, where=_where)
def make(work: Work) -> dict[str, Any]:
    """Make a run's file. Begun again, it gives no number twice and draws the file anew."""
    run_id = work.args["run"]
    _issue(work, run_id)
    run = db.session.get_one(LabelRun, run_id, populate_existing=True)
    batch = packed(Batch.id == run.batch_id)
    assert batch is not None
    order = runs.order_of(run, printable(batch))
    target = files.made(run_id, order.ending)
    # The run is a value from here on: a session held open for minutes would hold the database's log open as well.
    db.session.expunge(run)
    db.session.remove()

    def step(done: int) -> None:
        said = _("Đang vẽ: %(done)s trên %(total)s tem", done=number(done), total=number(order.count))
        work.progress(done, order.count, said)

    making.make(target, order, runs.serials(run), step)
    work.progress(order.count, order.count, _("Xong %(count)s tem", count=number(order.count)), now=True)
    return {"run": run_id, "ending": order.ending, "labels": order.count}


def _issue(work: Work, run_id: str) -> None:
    """Give the packs of a run of unit labels their numbers, in several transactions."""
    while True:
        with write() as session:
            run = session.get_one(LabelRun, run_id)
            if run.what != "unit" or run.again_of is not None:
                return
            have = session.scalar(select(func.count()).select_from(Unit).where(Unit.run_id == run_id)) or 0
            if have < run.count:
                # Nobody else takes packs of this lot until this commits.
                batch = session.get_one(Batch, run.batch_id, with_for_update=True)
                # Another run took some meanwhile: this one prints what is left.
                run.count = min(run.count, have + left(session, batch)) or run.count
                if have < run.count:
                    issue(session, batch, min(_AT_ONCE, run.count - have), run_id)
            runs.note_ends(session, run, None)
            if have + _AT_ONCE >= run.count:
                return
        said = _("Đang cấp số riêng: %(done)s trên %(total)s", done=number(have + _AT_ONCE), total=number(run.count))
        work.progress(0, run.count, said, now=True)
