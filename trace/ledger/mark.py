"""How long the log is known to be, kept outside of the database: a database that was put back alone is found out.

The file `ledger.mark` is written without waiting for the disk and not at every entry, so it may lag; it never leads.
"""

import os
from pathlib import Path

import structlog
from flask import current_app

from trace.ledger.encoding import from_decimal
from trace.ledger.store import FLOOR

log = structlog.get_logger()
NAME = "ledger.mark"


def floor() -> int:
    """The greatest size of the log that a witness, this process or the mark has seen."""
    return max(int(current_app.extensions.get(FLOOR, 0)), marked())


def raise_floor(size: int) -> None:
    """From now on this process signs nothing smaller than `size`, which somebody has seen."""
    current_app.extensions[FLOOR] = max(int(current_app.extensions.get(FLOOR, 0)), size)


def marked() -> int:
    """The size in the file; 0 when there is none, or it is another log's."""
    try:
        origin, size, *rest = _path().read_text("utf-8").split("\n")
    except (OSError, ValueError):
        return 0
    number = from_decimal(size)
    mine = origin == current_app.extensions["soi"].ledger_origin and rest == [""]
    return number if mine and number is not None else 0


def remember(size: int) -> None:
    """Mark that the log, as it is committed, has `size` entries. A disk that refuses is reported and endured."""
    if size <= marked():
        return
    draft = _path().with_name(f"{NAME}.{os.getpid()}")
    try:
        draft.write_text(f"{current_app.extensions['soi'].ledger_origin}\n{size}\n", "utf-8")
        os.replace(draft, _path())
    except OSError as error:
        log.warning("ledger mark", error=str(error))


def _path() -> Path:
    path: Path = current_app.extensions["soi"].instance / NAME
    return path
