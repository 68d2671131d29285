"""How far a job is: a page that looks again by itself, with or without JavaScript."""

from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from village.i18n import gettext as _
from village.i18n import number
from village.jobs import services
from village.jobs.kinds import kind_of
from village.jobs.models import Job, State
from village.people.access import requires, signed_in

jobs = Blueprint("jobs", __name__, template_folder="templates")


@jobs.get("/jobs/<uuid:job_id>")
@requires()
def one(job_id: UUID) -> ResponseReturnValue:
    """One job: how far it is, or where its outcome lies."""
    job = services.job_for(signed_in(), str(job_id))
    kind = kind_of(job.kind)
    where = kind.where(job) if kind and kind.where and job.state is not State.FAILED else ""
    return render_template("jobs/one.html", job=job, name=kind.name if kind else job.kind, where=where)


@jobs.get("/jobs/<uuid:job_id>/progress")
@requires()
def progress(job_id: UUID) -> ResponseReturnValue:
    """The same for the script that draws the bar."""
    return jsonify(told(services.job_for(signed_in(), str(job_id))))


@jobs.post("/jobs/<uuid:job_id>/cancel")
@requires()
def cancel(job_id: UUID) -> ResponseReturnValue:
    """Stop it."""
    services.cancel(signed_in(), str(job_id))
    return redirect(url_for("jobs.one", job_id=job_id))


def told(job: Job) -> dict[str, Any]:
    """What a progress bar needs to know."""
    return {"going": job.going, "done": job.done, "total": job.total, "said": said(job)}


def said(job: Job) -> str:
    """How far it is, in words."""
    if job.message:
        return job.message
    if job.state is State.WAITING:
        return _("Đang chờ tới lượt…")
    if job.total:
        return _("%(done)s trên %(total)s", done=number(job.done), total=number(job.total))
    return _("Đang làm…") if job.going else ""
