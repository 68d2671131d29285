"""What the pages of the balances show, for those who may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low

from sqlalchemy import select

from batches.balance import family, queries
from batches.balance.figures import Figures, figures
from batches.balance.shown import Balance, balance
from batches.balance.spans import Span, seasons
from batches.processes.catalogue import all_processes, process_of
from batches.processes.models import WHOLE, Process
from trace.lots.models import Batch
from trace.lots.services import batch as batch_of
from village import clock
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, not_yours
from village.people.models import Role
from village.places.models import Household

ENOUGH_HOUSEHOLDS = 5
"""With fewer households, a median would tell one neighbour's figure to another."""


@dataclass(frozen=True)
class Season:
    """What a household harvested and made in one season; `share` in basis points, where it is known."""

    span: Span
    harvested: int
    made: int
    share: int | None


@dataclass(frozen=True)
class Own:
    """A household's page."""

    household: Household
    process: Process
    processes: tuple[Process, ...]
    balance: Balance
    figures: Figures
    earlier: tuple[Season, ...]
    village_share: int | None
    """The median of the village's households' yields, in basis points; None while there are too few."""


@dataclass(frozen=True)
class Home:
    """A household among the others."""

    id: str
    name: str
    figures: Figures


@dataclass(frozen=True)
class Village:
    """The cooperative's page."""

    process: Process
    processes: tuple[Process, ...]
    balance: Balance
    figures: Figures
    homes: tuple[Home, ...]


def of_batch(who: Actor, batch_id: str) -> tuple[Batch, Process, Balance]:
    """A batch's balance, for its household's producers, the office and the auditor of its cooperative."""
    found = batch_of(batch_id)
    may_audit = who.has(Role.AUDITOR) and who.cooperative_id == found.cooperative_id
    if not may_audit and not who.works_for(found.household_id, found.cooperative_id):
        raise not_yours()
    process = process_of(found.process, found.process_version)
    lots, above, below = queries.family_of(db.session(), found.id)
    start = family.Lot(found.id, found.material, found.made_grams, found.left_grams)
    whole = family.family(start, {start.id: start, **lots}, above, below)
    return found, process, balance(process, whole)


def households_seen_by(who: Actor) -> list[Household]:
    """The households whose seasons this member may see: her own, or the cooperative's for office and auditor."""
    query = select(Household).where(Household.cooperative_id == who.cooperative_id).order_by(Household.name)
    if not who.has(Role.OFFICE, Role.AUDITOR):
        query = query.where(Household.id == who.household_id)
    return list(db.session.scalars(query))


def of_household(who: Actor, household_id: str | None, span: Span, process_key: str | None) -> Own | None:
    """A household's season: her own, or one of the cooperative's; None for a member without any."""
    seen = households_seen_by(who)
    if not household_id and not seen:
        return None
    household_id = household_id or who.household_id or seen[0].id
    household = next((home for home in seen if home.id == household_id), None)
    if household is None:
        raise not_yours()
    session = db.session()
    rows = queries.ledgered(session, who.cooperative_id, span, household.id)
    process, processes = _process(rows, process_key)
    spans = [span, *(one for one in seasons(clock.today()) if one.last < span.first)]
    behind = queries.behind(session, who.cooperative_id, process, spans)
    whole = rows.network(process.key, household.id)
    now = figures(process, whole, behind.get((household.id, 0), (0, 0)))
    return Own(
        household, process, processes, balance(process, whole), now,
        _earlier(household.id, process, spans, behind), _village_share(behind),
    )  # fmt: skip


def _earlier(
    household_id: str, process: Process, spans: list[Span], behind: Mapping[tuple[str, int], tuple[int, int]]
) -> tuple[Season, ...]:
    """The household's seasons before the first of these, those with anything in them."""
    found = queries.earlier(db.session(), household_id, process, spans)
    return tuple(
        Season(span, found[place].harvested, found[place].made, _share(behind.get((household_id, place))))
        for place, span in enumerate(spans)
        if place and place in found
    )


def _share(behind: tuple[int, int] | None) -> int | None:
    return behind[0] * WHOLE // behind[1] if behind and behind[1] else None


def _village_share(behind: Mapping[tuple[str, int], tuple[int, int]]) -> int | None:
    shares = [goods * WHOLE // raw for (_home, place), (goods, raw) in behind.items() if place == 0]
    return median_low(shares) if len(shares) >= ENOUGH_HOUSEHOLDS else None


def of_village(who: Actor, span: Span, process_key: str | None) -> Village:
    """The cooperative's balance, and its households beside each other."""
    session = db.session()
    rows = queries.ledgered(session, who.cooperative_id, span)
    process, processes = _process(rows, process_key)
    behind = queries.behind(session, who.cooperative_id, process, [span])
    names = {
        home: name
        for home, name in session.execute(
            select(Household.id, Household.name).where(Household.cooperative_id == who.cooperative_id)
        )
    }
    homes = [
        Home(home, names.get(home, ""), figures(process, whole, behind.get((home, 0), (0, 0))))
        for home in rows.households(process.key)
        for whole in (rows.network(process.key, home),)
    ]
    whole = rows.network(process.key)
    known = (sum(goods for goods, _ in behind.values()), sum(raw for _, raw in behind.values()))
    return Village(
        process, processes, balance(process, whole), figures(process, whole, known),
        tuple(sorted(homes, key=lambda home: home.name)),
    )  # fmt: skip


def _process(rows: queries.Ledgered, asked: str | None) -> tuple[Process, tuple[Process, ...]]:
    """The process to show, and all that there is anything to show of, the weightiest first."""
    known = all_processes()
    there = tuple(known[key] for key in rows.processes if key in known) or tuple(known.values())[:1]
    if not asked:
        return there[0], there
    if asked not in known:
        raise NotFound("no-process", _l("Không có quy trình nào tên %(process)s."), process=asked[:40])
    return known[asked], there if known[asked] in there else (known[asked], *there)
