"""Where tables of orders lie until they are fetched. They name buyers, so they lie for a day and no longer."""

import time
from pathlib import Path

from flask import current_app

KEPT = 86400
"""Seconds."""


def folder() -> Path:
    """The instance's folder for them."""
    found: Path = current_app.extensions["soi"].instance / "orders"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def table(job_id: str, ending: str) -> Path:
    """What a job made."""
    return folder() / f"{job_id}.{ending}"


def tidy() -> None:
    """Remove what has lain for a day."""
    oldest = time.time() - KEPT
    for path in folder().iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
