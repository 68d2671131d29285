"""The office's flags: gathered from the records, told in words, and cleared."""

import datetime as dt
import time
from dataclasses import dataclass, replace

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from batches.balance import flags, queries
from batches.balance.flags import Doubt, Flag, Happened
from batches.balance.models import FlagCleared
from batches.balance.spans import Span, season_of
from batches.processes.catalogue import all_processes, process_of
from batches.processes.models import Process, Stage
from trace.events.models import Event, EventBatch
from trace.ledger.models import LedgerState
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.people.models import Member
from village.places.models import Household, Site
from village.text import clean_line

WHY_LENGTH = 300
SLOW, PATIENCE = 0.5, 300.0
"""What takes longer than so many seconds to find is kept for so many, where only a count is asked."""
KEPT = 8
"""How many cooperatives' seasons a process remembers the flags of."""


@dataclass(frozen=True)
class Cleared:
    """Why a flag was cleared, by whom and when."""

    flag: Flag
    why: str
    by: str
    at: dt.datetime


@dataclass(frozen=True)
class Flagged:
    """A season's flags: those that stand, the loud and the newest first, and those that were cleared."""

    open: tuple[Flag, ...]
    cleared: tuple[Cleared, ...]


@dataclass(frozen=True)
class _Kept:
    """Flags as they were found at a stamp: when that was and how long it took, in seconds."""

    stamp: tuple[object, ...]
    flags: tuple[Flag, ...]
    at: float
    took: float

    def serves(self, stamp: tuple[object, ...], *, patient: bool) -> bool:
        """True while these are the flags still; for the patient also a while longer, when they took long to find."""
        if self.stamp == stamp:
            return True
        slow = self.took > SLOW and self.stamp[0] == stamp[0]
        return patient and slow and time.monotonic() - self.at < PATIENCE


_found: dict[tuple[str, int | None], _Kept] = {}


def open_flags(session: Session, cooperative_id: str) -> int:
    """How many flags of this season stand, for the office's home. In a large village as they were minutes ago."""
    return len(flagged(session, cooperative_id, season_of(clock.today()), patient=True).open)


def flagged(session: Session, cooperative_id: str, season: Span, *, patient: bool = False) -> Flagged:
    """All flags of a season."""
    rows = session.execute(
        select(FlagCleared, Member.name)
        .join(Member, Member.id == FlagCleared.member_id)
        .where(FlagCleared.cooperative_id == cooperative_id)
    )
    cleared = {(row.key, row.figure): (row, name) for row, name in rows}
    standing, gone = [], []
    for flag in _all_flags(session, cooperative_id, season, patient=patient):
        if found := cleared.get((flag.key, flag.figure)):
            gone.append(Cleared(flag, found[0].why, found[1], found[0].at))
        else:
            standing.append(flag)
    return Flagged(tuple(standing), tuple(gone))


def clear(who: Actor, season: Span, key: str, figure: int, why: str) -> None:
    """The office has looked: the flag goes until its figure changes. NotFound when there is no such flag."""
    why = clean_line(why, "why", WHY_LENGTH)
    known = {(flag.key, flag.figure) for flag in _all_flags(db.session(), who.cooperative_id, season)}
    if (key, figure) not in known:
        raise NotFound("no-flag", _l("Số này đã đổi hoặc không còn gì để xem lại nữa."))
    with write() as session:
        # Two of the office may press at once.
        if session.get(FlagCleared, (who.cooperative_id, key, figure)) is None:
            session.add(
                FlagCleared(
                    cooperative_id=who.cooperative_id, key=key, figure=figure, why=why, member_id=who.id, at=clock.now()
                )
            )


def _all_flags(session: Session, cooperative_id: str, season: Span, *, patient: bool = False) -> tuple[Flag, ...]:
    """The flags of a season, remembered until the ledger grows: everything that they are made from is on it, but for
    the fields' areas."""
    areas = _areas(session, cooperative_id)
    size = session.scalar(select(LedgerState.size))
    stamp = (str(db.engine.url), size, tuple(sorted(areas.items())))
    kept = _found.get((cooperative_id, season.season))
    if kept is not None and kept.serves(stamp, patient=patient):
        return kept.flags
    began = time.monotonic()
    found = _gather(session, cooperative_id, season, areas)
    while len(_found) >= KEPT:
        _found.pop(next(iter(_found)), None)
    ended = time.monotonic()
    _found[cooperative_id, season.season] = _Kept(stamp, found, ended, ended - began)
    return found


def _gather(session: Session, cooperative_id: str, season: Span, areas: dict[str, int]) -> tuple[Flag, ...]:
    year = season.season or season.first.year
    events = _events(session, cooperative_id, replace(season, first=season.first.replace(year=year - 1)))
    found = flags.yield_flags(events, season.begin)
    found += flags.amount_flags(events, season.begin, all_processes())
    found += flags.field_flags(events, areas, season.begin, all_processes())
    whole = queries.ledgered(session, cooperative_id, season)
    for key in whole.processes:
        networks = {home: whole.network(key, home) for home in whole.households(key)}
        found += flags.season_flags(all_processes()[key], networks, year)
    found += flags.told_flags(_doubts(session, cooperative_id, season), found)
    newest = sorted(found, key=lambda flag: (flag.when or season.stop, flag.key), reverse=True)
    return tuple(sorted(newest, key=lambda flag: not flag.loud))


def _areas(session: Session, cooperative_id: str) -> dict[str, int]:
    rows = session.execute(
        select(Site.id, Site.area_m2).where(Site.cooperative_id == cooperative_id, Site.area_m2.is_not(None))
    )
    return {site: area for site, area in rows if area}


def _events(session: Session, cooperative_id: str, span: Span) -> list[Happened]:
    """The harvests and stages of a season and the one before it, in the order of time."""
    rows = session.execute(
        select(
            Event.id, Event.household_id, Event.process, Event.process_version, Event.stage, Event.occurred_at,
            Event.site_id, EventBatch.part, Batch.material, EventBatch.grams,
        )
        .join(EventBatch, EventBatch.event_id == Event.id)
        .join(Batch, Batch.id == EventBatch.batch_id)
        .where(
            Batch.cooperative_id == cooperative_id,
            Event.corrected_by.is_(None),
            Event.kind.in_(("commission", "transform")),
            Event.occurred_at >= span.begin,
            Event.occurred_at < span.stop,
        )
    )  # fmt: skip
    found: dict[str, Happened] = {}
    stages: dict[tuple[str, int, str], tuple[Process, Stage]] = {}
    for event, home, process, version, stage, when, site, part, material, grams in rows:
        one = found.get(event)
        if one is None:
            known = stages.get((process, version, stage))
            if known is None:
                known = (process_of(process, version), queries.stage_of(process, version, stage))
                stages[process, version, stage] = known
            one = found[event] = Happened(event, home, *known, when, site, {}, {})
        amounts = one.gave if part == "output" else one.took
        amounts[material] = amounts.get(material, 0) + (grams or 0)
    return sorted(found.values(), key=lambda event: (event.when, event.id))


def _doubts(session: Session, cooperative_id: str, span: Span) -> list[Doubt]:
    rows = session.execute(
        select(Event.id, Event.household_id, Event.process, Event.occurred_at, Event.warnings)
        .join(Household, Household.id == Event.household_id)
        .where(
            Household.cooperative_id == cooperative_id,
            Event.corrected_by.is_(None),
            Event.occurred_at >= span.begin,
            Event.occurred_at < span.stop,
            cast(Event.warnings, String) != "[]",
        )
    )
    return [
        Doubt(event, home, process, when, str(one["slug"]), one["params"])
        for event, home, process, when, warnings in rows
        for one in warnings
    ]


@dataclass(frozen=True)
class Written:
    """What was written with an event: the producer's reason, and the batch that it is about."""

    note: str
    batch_id: str = ""
    lot: str = ""


def written(session: Session, event_ids: list[str]) -> dict[str, Written]:
    """What was written with these few events."""
    rows = session.execute(
        select(Event.id, Event.note, Batch.id, Batch.lot)
        .join(EventBatch, EventBatch.event_id == Event.id)
        .join(Batch, Batch.id == EventBatch.batch_id)
        .where(Event.id.in_(event_ids))
        .order_by(EventBatch.part.desc(), EventBatch.position)
    )
    found: dict[str, Written] = {}
    for event, note, batch, lot in rows:
        # What came out stands before what went in.
        found.setdefault(event, Written(note, batch, lot))
    return found
