"""The processes of this village: every file beside this one, read once when the app starts."""

from functools import cache

from batches.processes.loader import load_all
from batches.processes.models import Process


@cache
def all_processes() -> dict[str, Process]:
    """All processes by key. Raises what `load_all` raises, naming file and line."""
    return load_all()
