"""Kinds of job for tests, which a worker's process can import as well (`python -m tests.support.jobs PID`)."""

import sys
import time
from pathlib import Path
from typing import Any

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from village.db import db
from village.errors import Conflict
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.work import Work
from village.jobs.worker import Worker


@kind("test.count", name=_l("Xong"))
def count(work: Work) -> dict[str, Any]:
    """Counts to `upto`, noting each number in a file if there is one; goes on where an earlier run ended."""
    path = Path(work.args["file"])
    for number in range(len(path.read_text()) if path.exists() else 0, work.args["upto"]):
        with path.open("a") as file:
            file.write("x")
        work.progress(number + 1, work.args["upto"])
        time.sleep(work.args.get("pause", 0))
    return {"counted": work.args["upto"], "said": _("Xong")}


@kind("test.refuse", name=_l("Xong"))
def refuse(work: Work) -> dict[str, Any]:
    """Finds that it cannot be."""
    raise Conflict("no", _l("Xong"))


@kind("test.break", name=_l("Xong"))
def fall_over(work: Work) -> dict[str, Any]:
    """Has a mistake in it."""
    raise ZeroDivisionError


if __name__ == "__main__":
    app = wsgi.create_app()
    Worker(app).run(int(sys.argv[1]))
    with app.app_context():
        db.engine.dispose()
