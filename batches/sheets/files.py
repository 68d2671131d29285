"""Where sheets lie: as they were sent, as they are to be recorded, and as they are handed out. For a month."""

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import current_app

KEPT = 30 * 86400
"""Seconds after which a sheet's files are removed."""
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Kept:
    """A file as it was kept."""

    digest: str
    size: int


def folder() -> Path:
    """The instance's folder for sheets."""
    found: Path = current_app.extensions["soi"].instance / "sheets"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def sent(sheet_id: str) -> Path:
    """The file as it was sent."""
    return folder() / f"{sheet_id}.sent"


def plan(sheet_id: str) -> Path:
    """Its rows, looked over and in order."""
    return folder() / f"{sheet_id}.plan"


def handed_out(job_id: str, ending: str) -> Path:
    """What an export made."""
    return folder() / f"{job_id}.{ending}"


def keep(stream: IO[bytes], sheet_id: str) -> Kept:
    """Copy what is sent to the disk, piece by piece."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(sent(sheet_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := stream.read(PIECE):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return Kept(digest.hexdigest(), size)


def tidy() -> None:
    """Remove what has lain for a month."""
    oldest = time.time() - KEPT
    for path in folder().iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
