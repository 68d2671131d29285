"""What a query of EPCIS events is: the tests that an event has to pass, and what bounds the search for it."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trace.epcis.vocabulary import NAMESPACES, expanded

Record = Mapping[str, Any]


class QueryFault(Exception):
    """A parameter that is none, or whose value cannot be."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(detail)
        self.parameter = parameter
        self.detail = detail


@dataclass(frozen=True)
class Seen:
    """An event as a query looks at it."""

    event: Record
    namespaces: Mapping[str, str]
    recorded: dt.datetime

    def expand(self, name: str) -> str:
        """A name with its prefix written out as this event means it."""
        return expanded(name, {**NAMESPACES, **self.namespaces})


Test = Callable[[Seen], bool]


@dataclass(frozen=True)
class Query:
    """What is asked. All of `tests` must hold; the rest says where answers can lie at all, and how many are wanted."""

    tests: tuple[Test, ...] = ()
    types: frozenset[str] | None = None
    event_times: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
    """From, and before."""
    record_times: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
    event_ids: frozenset[str] | None = None
    names: tuple[frozenset[str], ...] = ()
    """Of each set, the event names at least one key, all in canonical spelling."""
    order_by: str = ""
    """eventTime, recordTime, or none in particular."""
    descending: bool = False
    limit: int | None = None
    """No more events than these are wanted in all."""
    most: int | None = None
    """More events than these are too many to be told."""

    def holds(self, seen: Seen) -> bool:
        """Whether the event is one that is asked for."""
        return all(test(seen) for test in self.tests)


@dataclass
class Reader:
    """What was read of a query so far."""

    namespaces: Mapping[str, str]
    tests: list[Test] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    names: list[frozenset[str]] = field(default_factory=list)

    def expand(self, name: str) -> str:
        """A value with its prefix, if any, written out as the asker means it."""
        return expanded(name, self.namespaces)

    def query(self) -> Query:
        """All that was read. Raises QueryFault for what does not go together."""
        told = self.told
        if "eventCountLimit" in told and "maxEventCount" in told:
            raise QueryFault("maxEventCount", "eventCountLimit and maxEventCount do not go together")
        if "eventCountLimit" in told and "orderBy" not in told:
            raise QueryFault("eventCountLimit", "eventCountLimit needs orderBy: the first of what order?")
        return Query(
            tests=tuple(self.tests),
            types=told.get("eventType"),
            event_times=(told.get("GE_eventTime"), told.get("LT_eventTime")),
            record_times=(told.get("GE_recordTime"), told.get("LT_recordTime")),
            event_ids=told.get("EQ_eventID"),
            names=tuple(self.names),
            order_by=told.get("orderBy", ""),
            # The standard's own default, where an order is asked for at all.
            descending=told.get("orderDirection", "DESC" if "orderBy" in told else "ASC") == "DESC",
            limit=told.get("eventCountLimit"),
            most=told.get("maxEventCount"),
        )
