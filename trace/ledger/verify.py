"""Verification of what is stored: every entry's bytes are read and hashed again, and everything that was computed
from them is computed anew and compared. It checks the log as it was when it began, goes forward once, and always ends.
"""

from collections.abc import Callable

from flask import current_app
from sqlalchemy import URL

from trace.ledger.audit import pool
from trace.ledger.audit.chunk import Fault
from trace.ledger.audit.raw import POSTGRESQL, SQLITE, CouldNotCheck, Source
from trace.ledger.audit.resume import Progress
from trace.ledger.audit.run import Report, Tell, run
from trace.ledger.models import LedgerState
from village.db import db

__all__ = ["CouldNotCheck", "Fault", "Report", "check", "verify"]


def verify(progress: Callable[[int], None] = lambda _done: None) -> Report:
    """Check the whole stored ledger afresh. `progress` is told now and then how many entries are done.

    Raises CouldNotCheck when the database cannot be read to the end.
    """
    return check(jobs=pool.cores(), tell=lambda done, _total: progress(done))


def check(*, jobs: int, tell: Tell | None = None, keep: bool = False, resume: bool = False) -> Report:
    """Check the whole stored ledger in so many processes; a short one stays in this one.

    With `keep` it leaves in the instance folder where it stands, and with `resume` it goes on from there.
    """
    source = stored(db.engine.url)
    raw = source.open()
    try:
        folder = current_app.extensions["soi"].instance / "verify"
        kept = Progress(folder, _origin(raw.rows)) if keep else None
        return run(raw, source, jobs=jobs, tell=tell, kept=kept, resume=resume)
    finally:
        raw.close()


def stored(url: URL) -> Source:
    """Where the database of this address lies."""
    if url.drivername.startswith(SQLITE):
        return Source(SQLITE, url.database or "")
    return Source(POSTGRESQL, url.set(drivername=POSTGRESQL).render_as_string(hide_password=False))


def _origin(rows: Callable[[str], list[tuple[object, ...]]]) -> str:
    found = rows(f"SELECT origin FROM {LedgerState.__tablename__}")
    return str(found[0][0]) if found else ""
