"""The processes of this village: every file in the folders beside this one, read once when the app starts."""

from collections.abc import Mapping
from functools import cache

from batches.processes.loader import load_all
from batches.processes.models import Process


@cache
def versions() -> Mapping[str, Mapping[int, Process]]:
    """Every version of every process, by key and number, the oldest first. Raises what `load_all` raises."""
    return load_all()


@cache
def all_processes() -> dict[str, Process]:
    """The newest version of each process by key. Raises what `load_all` raises, naming file and line."""
    return {key: numbered[max(numbered)] for key, numbered in versions().items()}


def process_of(key: str, version: int) -> Process:
    """The process as it was in `version`: a batch goes on under the version that it began with. Raises `KeyError`."""
    try:
        return versions()[key][version]
    except KeyError:
        raise KeyError(f"There is no process {key}/{version}: a released file must stay where it is.") from None
