"""Reading the series that were kept beside events."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from trace.events.models import Event
from trace.lots.services import listed
from trace.series.models import EventSeries


def series_of(session: Session, events: Iterable[Event]) -> dict[str, dict[int, bytes]]:
    """The bytes of these events' series, by event and by the reading's place in it. Asks only where a reading names a
    series: most lots have none."""
    ids = [event.id for event in events if any("series" in one for one in event.readings)]
    found: dict[str, dict[int, bytes]] = {}
    if ids:
        rows = session.execute(
            select(EventSeries.event_id, EventSeries.position, EventSeries.body).where(
                EventSeries.event_id.in_(listed(session, ids))
            )
        )
        for event_id, position, body in rows:
            found.setdefault(event_id, {})[position] = bytes(body)
    return found
