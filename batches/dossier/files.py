"""Where dossiers lie until their office fetches them: for a month, and the newest few of each cooperative."""

import shutil
import time
from collections.abc import Collection
from pathlib import Path

from flask import current_app

KEPT = 30 * 86400
"""Seconds after which a dossier is put away: it can be made again at any time."""
DRAFT = 86400
"""Seconds after which what a killed worker left is put away."""


def folder() -> Path:
    """The instance's folder for dossiers."""
    found: Path = current_app.extensions["soi"].instance / "dossiers"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def made(job_id: str) -> Path:
    """The zip that a job made."""
    return folder() / f"{job_id}.zip"


def draft(job_id: str) -> Path:
    """The same while it is being written."""
    return folder() / f"{job_id}.draft"


def room() -> int:
    """Bytes that are free where they lie."""
    return shutil.disk_usage(folder()).free


def put_away(job_ids: Collection[str]) -> None:
    """Remove these."""
    for job_id in job_ids:
        made(job_id).unlink(missing_ok=True)


def tidy() -> None:
    """Remove what has lain for a month, and broken pieces after a day."""
    now = time.time()
    for path in folder().iterdir():
        lasts = KEPT if path.suffix == ".zip" else DRAFT
        if path.stat().st_mtime < now - lasts:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
