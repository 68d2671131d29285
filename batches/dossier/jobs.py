"""The job that makes a dossier."""

import datetime as dt
import hashlib
from typing import Any

from flask import g, url_for

from batches.balance.spans import Span
from batches.dossier import files
from batches.dossier.checklist import missing
from batches.dossier.making import make
from batches.dossier.services import MAKE, beyond, office_only
from village.db import db
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.models import Job, State
from village.jobs.work import Work
from village.people.access import wrong_role
from village.products.services import product_of


def _where(job: Job) -> str:
    return url_for("dossier.home", made=job.id) if job.state is State.DONE else ""


@kind(MAKE, name=_l("Làm hồ sơ OCOP"), long=True, where=_where)
def make_dossier(work: Work) -> dict[str, Any]:
    """Write the zip. Begun again, it begins anew."""
    who = work.who
    if who is None:
        raise wrong_role()
    office_only(who)
    # A council reads it, whatever language its office reads.
    g.language = "vi"
    span = Span(dt.date.fromisoformat(work.args["first"]), dt.date.fromisoformat(work.args["last"]))
    draft = files.draft(work.job_id)
    try:
        # Whoever asked may work elsewhere by now.
        product_id = product_of(who, work.args["product"]).id
        done = make(db.session(), who, product_id, span, draft, work.progress)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        db.session.remove()
    with draft.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = draft.stat().st_size
    draft.replace(files.made(work.job_id))
    files.put_away(beyond(who.cooperative_id))
    return {
        "files": len(done.archive.files), "bytes": size, "sha256": digest,
        "missing": [one.key for one in missing(done.told)],
    }  # fmt: skip

