"""What a producer's pages show: what she has, what comes next, what she wrote."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from batches.processes.catalogue import all_processes, process_of
from batches.processes.models import Kind, Process, Stage
from batches.stages.offered import reason_name
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch, Edge, LogisticUnit, LogisticUnitPart
from village.db import db
from village.errors import NotFound
from village.i18n import in_language
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, not_yours
from village.people.models import Role
from village.places.models import Household, Site
from village.products.models import Product

LATEST = 12


@dataclass(frozen=True)
class Held:
    """A batch that a household has, and the stages that can come next, the usual ones first."""

    batch: Batch
    picture: str
    next: tuple[Stage, ...]
    rarer: tuple[Stage, ...]
    """What else can be done with it, beside the usual way."""
    beside: bool
    """True for what only falls off on the way, such as residue."""
    done: int
    """How far along the process's usual way it is."""
    of: int


def households_of(who: Actor) -> list[Household]:
    """The households that this member writes for."""
    mine = select(Household).where(Household.cooperative_id == who.cooperative_id).order_by(Household.name)
    if not who.has(Role.OFFICE):
        mine = mine.where(Household.id == who.household_id)
    return list(db.session.scalars(mine))


def held(household_id: str) -> list[Held]:
    """What a household has left, newest first; packs that are gone and tubers that are used up are not shown."""
    batches = db.session.scalars(
        select(Batch)
        .where(Batch.household_id == household_id, Batch.left_grams > 0, Batch.void.is_(False))
        .options(joinedload(Batch.product), joinedload(Batch.site))
        .order_by(Batch.made_at.desc(), Batch.id.desc())
        .limit(100)
    )
    return [_held(batch) for batch in batches]


def _held(batch: Batch) -> Held:
    process = process_of(batch.process, batch.process_version)
    way = [material.key for material in process.way()]
    beside = batch.material not in way
    following = sorted(
        process.next_stages(batch.material), key=lambda stage: (stage.optional, stage.kind is Kind.INSPECT)
    )
    return Held(
        batch,
        process.material(batch.material).picture,
        tuple(following),
        process.rarer(batch.material),
        beside,
        0 if beside else way.index(batch.material) + 1,
        len(way),
    )


def process_for(key: str, batch_ids: Collection[str]) -> Process | None:
    """The process in the version under which these batches began (the newest among them); the newest without any."""
    newest = all_processes().get(key)
    begun = db.session.scalar(
        select(func.max(Batch.process_version)).where(Batch.id.in_(batch_ids), Batch.process == key)
    )
    return newest if newest is None or begun is None else process_of(key, begun)


def batch_page(who: Actor, batch_id: str) -> tuple[Held, list[Event], list[Batch], list[Batch]]:
    """A batch for those who may work with it (and the auditor): itself, its events, its parents and children."""
    batch = db.session.get(Batch, batch_id)
    if batch is None:
        raise NotFound("no-batch", _l("Không có mẻ nào mang mã %(batch)s."), batch=batch_id)
    audits = who.has(Role.AUDITOR) and who.cooperative_id == batch.cooperative_id
    if not audits and not who.works_for(batch.household_id, batch.cooperative_id):
        raise not_yours()
    events = db.session.scalars(
        select(Event)
        .where(Event.id.in_(select(EventBatch.event_id).where(EventBatch.batch_id == batch_id)))
        .options(selectinload(Event.parts).joinedload(EventBatch.batch), joinedload(Event.site))
        .order_by(Event.occurred_at.desc(), Event.entry_index.desc())
    ).all()
    parents = db.session.scalars(select(Batch).join(Edge, Edge.parent_id == Batch.id).where(Edge.child_id == batch_id))
    children = db.session.scalars(select(Batch).join(Edge, Edge.child_id == Batch.id).where(Edge.parent_id == batch_id))
    return _held(batch), list(events), list(parents.unique()), list(children.unique())


def reason_of(event: Event) -> str:
    """Why something was lost, in the reader's language; nothing for what was not."""
    told = reason_name(event.process, event.process_version, event.stage, event.facts.get("reason", ""))
    return in_language(*told) if told else ""


def latest(household_id: str) -> list[Event]:
    """What was written last."""
    return list(
        db.session.scalars(
            select(Event)
            .where(Event.household_id == household_id)
            .options(selectinload(Event.parts).joinedload(EventBatch.batch))
            .order_by(Event.recorded_at.desc(), Event.entry_index.desc())
            .limit(LATEST)
        )
    )


def usable(household_id: str, process: Process, stage: Stage) -> list[Batch]:
    """The household's batches that this stage can take."""
    return list(
        db.session.scalars(
            select(Batch)
            .where(
                Batch.household_id == household_id,
                Batch.process == process.key,
                Batch.material.in_(stage.inputs),
                Batch.left_grams > 0,
                Batch.void.is_(False),
            )
            .options(joinedload(Batch.product))
            .order_by(Batch.made_at.desc(), Batch.id)
            .limit(50)
        )
    )


def products_for(who: Actor, process: Process, material: str | None) -> list[Product]:
    """The products of a material in this cooperative."""
    if material is None:
        return []
    return list(
        db.session.scalars(
            select(Product)
            .where(
                Product.cooperative_id == who.cooperative_id,
                Product.process == process.key,
                Product.material == material,
                Product.active,
            )
            .order_by(Product.net_grams, Product.gtin)
        )
    )


def origins_for(who: Actor, process: Process) -> list[str]:
    """Where the cooperative bought before, as it was written then, newest first."""
    return list(
        db.session.scalars(
            select(Batch.outside)
            .where(
                Batch.cooperative_id == who.cooperative_id, Batch.process == process.key, Batch.outside.is_not(None)
            )
            .group_by(Batch.outside)
            .order_by(func.max(Batch.made_at).desc())
            .limit(12)
        )
    )


def closed_cases(household_id: str, batch_id: str) -> list[LogisticUnit]:
    """The household's closed cases, or those of them that hold packs of one batch; newest first."""
    asked = (
        select(LogisticUnit)
        .where(LogisticUnit.household_id == household_id, LogisticUnit.status == "closed")
        .options(selectinload(LogisticUnit.parts).joinedload(LogisticUnitPart.batch))
        .order_by(LogisticUnit.made_at.desc(), LogisticUnit.sscc)
        .limit(30)
    )
    if batch_id:
        asked = asked.where(LogisticUnit.parts.any(LogisticUnitPart.batch_id == batch_id))
    return list(db.session.scalars(asked))


def sites_for(who: Actor, household_id: str, stage: Stage) -> list[Site]:
    """Where the household can do this stage: fields first for a harvest, workshops first for the rest."""
    sites = db.session.scalars(
        select(Site).where(
            Site.cooperative_id == who.cooperative_id,
            Site.active,
            (Site.household_id == household_id) | Site.household_id.is_(None),
        )
    )
    first = "field" if stage.kind is Kind.COMMISSION else "workshop"
    return sorted(sites, key=lambda s: (s.kind != first, s.household_id is None, s.name))


def beginnings(who: Actor) -> tuple[list[tuple[Process, Stage]], list[tuple[Process, Stage]]]:
    """The harvests that can begin a story, and the purchases; those whose material the cooperative gave a GTIN."""
    rows = db.session.execute(
        select(Product.process, Product.material).where(Product.cooperative_id == who.cooperative_id, Product.active)
    )
    known = {(process, material) for process, material in rows}
    first, bought = (
        [
            (process, stage)
            for process in all_processes().values()
            for stage in (process.rarer(None) if rare else process.next_stages(None))
            if (process.key, stage.output or "") in known
        ]
        for rare in (False, True)
    )
    return first, bought
