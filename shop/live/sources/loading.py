"""A file of comments, sent by a person: looked over at once, taken by a job."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

from flask import current_app, url_for

from shop.live import intake
from shop.live.intake import COMMENTS_MAX
from shop.live.models import Decision
from shop.live.services import authorised
from shop.live.sources import files
from shop.live.sources.services import own
from village.db import db, write
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.i18n import number
from village.jobs.kinds import kind
from village.jobs.models import Job
from village.jobs.services import ask
from village.jobs.work import Work
from village.people.access import Actor

LOAD = "live.file"
KEPT = 7 * 86400
"""Seconds after which a file that no job took is removed."""


def load(actor: Actor, session_id: str, body: bytes) -> Job:
    """Have the comments in a file taken into a session; the job that does. BadInput names `file`."""
    authorised(db.session(), actor, session_id)
    db.session.remove()
    count = len(files.comments(body))
    source_id = own(actor, session_id, "file")
    name = hashlib.sha256(body).hexdigest()
    path = _folder() / f"{source_id}-{name}"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(body)
    args = {"session": session_id, "source": source_id, "file": path.name}
    with write() as session:
        return ask(session, LOAD, actor, args, total=count)


def _where(job: Job) -> str:
    return url_for("live_sources.page", session_id=job.args["session"])


@kind(LOAD, name=_l("Nạp lời nhắn từ tệp"), long=True, where=_where)
def take(work: Work) -> dict[str, Any]:
    """Have the file's comments decided, first to last. Done again after a crash, none is taken twice."""
    path = _folder() / Path(work.args["file"]).name
    try:
        said = files.comments(path.read_bytes())
    except FileNotFoundError:
        return {"taken": 0}
    orders = look = 0
    for at in range(0, len(said), COMMENTS_MAX):
        work.progress(at, len(said))
        results = intake.feed(work.args["source"], said[at : at + COMMENTS_MAX])
        orders += sum(result.decision is Decision.ORDER for result in results)
        look += sum(result.decision is Decision.REVIEW for result in results)
    path.unlink(missing_ok=True)
    done = _("%(orders)s thành đơn, %(look)s cần bác xem.", orders=number(orders), look=number(look))
    work.progress(len(said), len(said), done, now=True)
    return {"taken": len(said)}


def tidy() -> None:
    """Remove files that no job took."""
    for path in _folder().iterdir():
        if path.stat().st_mtime < time.time() - KEPT:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    found: Path = current_app.extensions["soi"].instance / "live"
    found.mkdir(mode=0o700, exist_ok=True)
    return found
