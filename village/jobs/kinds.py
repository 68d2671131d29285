"""Which kinds of job there are, and what does them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from babel.support import LazyProxy

from village.jobs.models import Job
from village.jobs.work import Work

Doing = Callable[[Work], dict[str, Any] | None]
SHORT, LONG = "short", "long"
LANES = (SHORT, LONG)
"""Each lane is worked through by itself, so that nobody waits for a mail behind a season's import."""


@dataclass(frozen=True)
class Kind:
    """One kind of job."""

    key: str
    name: LazyProxy
    """What its progress page is called."""
    do: Doing
    lane: str
    where: Callable[[Job], str] | None
    """Where to go on from the progress page: an address, asked of the job as it then stands."""


_kinds: dict[str, Kind] = {}


def kind(
    key: str, *, name: LazyProxy, long: bool = False, where: Callable[[Job], str] | None = None
) -> Callable[[Doing], Doing]:
    """Declare what does jobs of this kind. `long` for more than a few seconds."""

    def declare(do: Doing) -> Doing:
        if key in _kinds:
            raise ValueError(f"There is a kind of job called {key!r} already.")
        _kinds[key] = Kind(key, name, do, LONG if long else SHORT, where)
        return do

    return declare


def kind_of(key: str) -> Kind | None:
    """The kind; None for one that this version of the village no longer knows."""
    return _kinds.get(key)
