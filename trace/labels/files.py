"""Where printed files lie until they are fetched. For a month: after that a run is printed once more."""

import time
from pathlib import Path

from flask import current_app

KEPT = 30 * 86400
"""Seconds."""
TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "zip": "application/zip",
    "bin": "application/octet-stream",
}


def folder() -> Path:
    """The instance's folder for labels."""
    found: Path = current_app.extensions["soi"].instance / "labels"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def made(run_id: str, ending: str) -> Path:
    """A run's file."""
    return folder() / f"{run_id}.{ending}"


def tidy() -> None:
    """Remove what has lain for a month."""
    oldest = time.time() - KEPT
    for path in folder().iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
