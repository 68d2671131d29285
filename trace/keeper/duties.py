"""Whether a duty is due, and what doing it means."""

import datetime as dt
import sys
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select

from trace.keeper import checks
from trace.keeper.place import Place, Turn, stamp
from trace.keeper.schedule import ANCHOR, CHECK, COSIGN, EXPORT, PHOTOS, TIDY, Duty
from trace.ledger import published, witnesses
from trace.ledger.models import Anchor, LedgerState, SelfCheck
from village import clock
from village.db import db
from village.errors import SoiError
from village.settings import ROOT, Settings


class DutyFailed(Exception):
    """A duty's process ended badly; the text is what it complained of."""


TOLD = (DutyFailed, SoiError, TimeoutError)
"""Errors whose text is ours, and holds no secret."""


def wished(duty: Duty, place: Place) -> bool:
    """Whether somebody asked for it to be done now, whatever the schedule says."""
    return duty.name == CHECK.name and place.check_wished()


def due(duty: Duty, place: Place) -> bool:
    """Whether there is something to do now. Asks the database; before the log is born there never is."""
    settings: Settings = current_app.extensions["soi"]
    size = db.session.scalar(select(LedgerState.size))
    if size is None:
        return False
    match duty.name:
        case COSIGN.name:
            return bool(witnesses.policy().witnesses)
        case ANCHOR.name:
            return bool(settings.tsa_url) and _anchor_due(duty, settings.tsa_url, size)
        case CHECK.name:
            last = db.session.scalar(select(SelfCheck.began_at).order_by(SelfCheck.id.desc()).limit(1))
            return wished(duty, place) or last is None or last < duty.began(clock.now())
        case EXPORT.name:
            return settings.ledger_export is not None and _export_due(settings.ledger_export)
        case TIDY.name | PHOTOS.name:
            # The slate alone knows when it was done: done once too often, it finds nothing to do.
            turn = place.read_slate().get(duty.name, Turn())
            return bool(turn.failed) or turn.began < stamp(duty.began(clock.now()))
    raise ValueError(f"nobody knows the duty {duty.name}")


def _anchor_due(duty: Duty, authority: str, size: int) -> bool:
    last = db.session.execute(
        select(Anchor.size, Anchor.stamped_at).where(Anchor.authority == authority).order_by(Anchor.size.desc())
    ).first()
    return last is None or (last.size < size and last.stamped_at < duty.began(clock.now()))


def _export_due(folder: Path) -> bool:
    """Whether the mirror shows another checkpoint, or fewer stamps, than there are."""
    stamps = db.session.scalar(select(func.count()).select_from(Anchor))
    try:
        shown, listed = (folder / "checkpoint").read_text(), (folder / "anchors" / "index.txt").read_text()
    except (OSError, ValueError):
        return True
    return shown != published.newest(db.session()).note or listed.count("\n") != stamps


def command(duty: Duty, settings: Settings) -> list[str]:
    """What runs for a duty that has a process of its own."""
    more = [str(settings.ledger_export)] if duty.name == EXPORT.name else []
    return [sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), duty.group, *duty.command, *more]


def do(duty: Duty) -> None:
    """Do a duty that the keeper does itself; raises when it was not done, or not wholly."""
    assert duty.name == COSIGN.name, duty.name
    troubles = {name: trouble for name, trouble in witnesses.collect().items() if trouble}
    if troubles:
        raise DutyFailed("; ".join(f"{name}: {trouble}" for name, trouble in troubles.items()))


def finish(duty: Duty, status: int, place: Place, began: dt.datetime) -> None:
    """See what came of a duty's process that ended with this exit status; raises when nothing good did."""
    if duty.name == CHECK.name:
        try:
            report = checks.read_report(place.said(duty.name), status, began, clock.now())
        except checks.CheckFailed as error:
            raise DutyFailed(f"{error}: {place.complained(duty.name)}") from error
        checks.keep(report)
    elif status != 0:
        raise DutyFailed(place.complained(duty.name) or f"it ended with status {status}")
