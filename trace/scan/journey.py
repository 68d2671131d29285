"""Where a lot was made, from hamlet to hamlet, in words and as a drawing: never a house's own position.

A hamlet lies where its sites lie on average, to a hundredth of a degree, which is about a kilometre.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trace.events.models import Event
from trace.scan import words
from trace.scan.way import Drawing, Place, draw, kilometres, wind
from village.i18n import gettext as _
from village.i18n import in_language, number
from village.places.models import Hamlet, Site

MOST_HAMLETS = 200
MOST_STOPS = 12
MOST_LEGS = 24
MOST_STAGES = 6
HUNDREDTHS = 2


@dataclass(frozen=True)
class Stop:
    """A hamlet on the way, and what was done there."""

    number: int
    name: str
    done: str


@dataclass(frozen=True)
class Journey:
    """The way of a lot. `more` counts hamlets that are not told."""

    stops: tuple[Stop, ...]
    legs: tuple[str, ...]
    drawing: Drawing | None
    more: int


def hamlets(session: Session) -> dict[str, Place]:
    """Every hamlet whose position somebody noted, by id, in one query."""
    rows = session.execute(
        select(Hamlet.id, Hamlet.name, func.avg(Site.latitude), func.avg(Site.longitude))
        .join(Site, Site.hamlet_id == Hamlet.id)
        .where(Site.latitude.is_not(None), Site.active)
        .group_by(Hamlet.id, Hamlet.name)
        .order_by(Hamlet.name)
        .limit(MOST_HAMLETS)
    )
    return {
        hamlet_id: Place(hamlet_id, name, round(float(latitude), HUNDREDTHS), round(float(longitude), HUNDREDTHS))
        for hamlet_id, name, latitude, longitude in rows
    }


def journey_of(standing: Sequence[Event], known: Mapping[str, Place]) -> Journey | None:
    """The way that these events tell, oldest first; None for a lot to which nothing happened."""
    stages: dict[str, dict[str, None]] = {}
    places: dict[str, Place] = {}
    made_at: dict[str, str] = {}
    legs: dict[tuple[str, str], None] = {}
    for event in standing:
        here = event.site.hamlet_id
        hamlet = event.site.hamlet.name
        spot = known.get(here)
        places[here] = spot or Place(here, hamlet)
        stages.setdefault(here, {})[in_language(event.name_vi, event.name_en)] = None
        for part in event.parts:
            came_from = made_at.get(part.batch_id)
            if part.part != "output" and came_from is not None and came_from != here:
                legs[came_from, here] = None
        made_at.update({part.batch_id: here for part in event.parts if part.part == "output"})
    if not stages:
        return None
    told = list(stages)[:MOST_STOPS]
    pairs = [(start, end) for start, end in legs if start in told and end in told][:MOST_LEGS]
    beside = [one for one in known.values() if one.id not in stages]
    return Journey(
        stops=tuple(
            Stop(turn, words.hamlet(places[here].name), _listed(list(stages[here])))
            for turn, here in enumerate(told, start=1)
        ),
        legs=tuple(_leg(places[start], places[end]) for start, end in pairs),
        drawing=draw([places[here] for here in told], beside, pairs),
        more=len(stages) - len(told),
    )


def _listed(stages: list[str]) -> str:
    said = ", ".join(stage[:1].lower() + stage[1:] for stage in stages[:MOST_STAGES])
    return f"{said}…" if len(stages) > MOST_STAGES else said


def _leg(start: Place, end: Place) -> str:
    distance, direction = kilometres(start, end), wind(start, end)
    there, here = words.hamlet(start.name), words.hamlet(end.name)
    if distance is None:
        return _("Từ %(start)s sang %(end)s.", start=there, end=here)
    if direction is None or distance < 1:
        return _("Từ %(start)s sang %(end)s, chưa đến 1 km.", start=there, end=here)
    winds = (
        _("bắc"), _("đông bắc"), _("đông"), _("đông nam"), _("nam"), _("tây nam"), _("tây"), _("tây bắc"),
    )  # fmt: skip
    return _(
        "Từ %(start)s sang %(end)s, chừng %(km)s km về phía %(wind)s.",
        start=there, end=here, km=number(round(distance)), wind=winds[direction],
    )  # fmt: skip
