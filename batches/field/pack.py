"""What a phone takes along: processes, products, sites and open batches, all from one moment, in few queries."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.devices.services import keys_of
from batches.processes.catalogue import process_of, versions
from batches.processes.models import Bounds, Material, Process, ReadingNeed, Stage, Text
from trace.ledger import published
from trace.ledger.models import LedgerState
from trace.lots.models import Batch
from village import clock
from village.people.access import Actor
from village.people.models import Role
from village.products.models import Product
from village.reference import Reference, reference

MOST_BATCHES = 400
"""Open batches in a pack; of more, a phone has the newest."""


@dataclass(frozen=True)
class Pack:
    """A pack as JSON, and what changes with every entry and every second, which its `etag` leaves out."""

    body: Mapping[str, Any]
    size: int
    """The log's size at that moment: entries below it are reflected in the batches."""
    now: dt.datetime

    @property
    def etag(self) -> str:
        """Changes exactly when the pack does."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()[:32]


def pack_for(session: Session, who: Actor) -> Pack:
    """Everything that this member's phone needs until it meets the network again."""
    village = reference(session)
    # Before the batches, so that what is told as reflected in them is.
    size = session.scalar(select(LedgerState.size)) or 0
    rows = _open_batches(session, who)
    size = rows[0].size if rows else size
    products = [one for one in village.products.values() if one.cooperative_id == who.cooperative_id and one.active]
    household = village.households.get(who.household_id or "")
    body = {
        "me": {
            "id": who.id,
            "name": who.name,
            "household": {"id": household.id, "name": household.name} if household else None,
        },
        "log": session.scalar(select(LedgerState.origin)) or "",
        "rotations": published.rotations(session),
        "keys": keys_of(who),
        "processes": _processes(products, rows),
        "products": [_product(one) for one in sorted(products, key=lambda one: one.gtin)],
        "sites": _sites(village, who),
        "batches": [_batch(row, village) for row in rows],
    }
    return Pack(body, size, clock.now())


def _open_batches(session: Session, who: Actor) -> Sequence[Any]:
    """Rows of open batches, newest first, each with the log's size: one statement sees one moment in any database."""
    b = Batch.__table__.c
    all_of_it = who.has(Role.OFFICE)
    mine = b.cooperative_id == who.cooperative_id if all_of_it else b.household_id == (who.household_id or "")
    rows = (
        select(
            b.epc, b.gtin, b.lot, b.process, b.process_version, b.material, b.made_grams, b.left_grams, b.made_units,
            b.left_units, b.made_at, b.hold, b.site_id, b.origins, b.moisture, b.household_id,
            select(LedgerState.size).scalar_subquery().label("size"),
        )
        .where(mine, b.left_grams > 0, b.void.is_(False))
        .order_by(b.made_at.desc(), b.id.desc())
        .limit(MOST_BATCHES)
    )  # fmt: skip
    return session.execute(rows).all()


def _batch(row: Any, village: Reference) -> dict[str, Any]:
    site = village.sites.get(row.site_id)
    household = village.households.get(row.household_id)
    return {
        "epc": row.epc,
        "gtin": row.gtin,
        "lot": row.lot,
        "process": row.process,
        "version": row.process_version,
        "material": row.material,
        "made_grams": row.made_grams,
        "left_grams": row.left_grams,
        "made_units": row.made_units,
        "left_units": row.left_units,
        "made_at": row.made_at.isoformat(),
        "hold": row.hold,
        "site": site.gln if site else "",
        "household": household.name if household else "",
        "origins": row.origins,
        "moisture": row.moisture,
    }


def _sites(village: Reference, who: Actor) -> list[dict[str, Any]]:
    sites = [one for one in village.sites.values() if one.cooperative_id == who.cooperative_id and one.active]
    if not who.has(Role.OFFICE):
        sites = [one for one in sites if one.household_id in (None, who.household_id)]
    return [
        {"gln": one.gln, "name": one.name, "kind": one.kind, "mine": one.household_id == who.household_id is not None}
        for one in sorted(sites, key=lambda one: (one.household_id != who.household_id, one.name))
    ]


def _product(one: Product) -> dict[str, Any]:
    return {
        "gtin": one.gtin, "name": one.name_vi, "process": one.process, "material": one.material,
        "net_grams": one.net_grams,
    }  # fmt: skip


def _processes(products: Iterable[Product], batches: Iterable[Any]) -> list[dict[str, Any]]:
    """The newest version of what the cooperative makes, and the older ones that an open batch still has."""
    known = versions()
    wanted = {(key, max(known[key])) for key in {one.process for one in products if one.process in known}}
    wanted |= {(row.process, row.process_version) for row in batches}
    return [process_answer(process_of(key, number), newest=number == max(known[key])) for key, number in sorted(wanted)]


def process_answer(process: Process, *, newest: bool) -> dict[str, Any]:
    """A process as a phone needs it: shares in basis points, readings as numbers."""
    return {
        "key": process.key,
        "version": process.version,
        "newest": newest,
        "name": _text(process.name),
        "max_pack_loss": process.max_pack_loss,
        "materials": [_material(one) for one in process.materials],
        "stages": [_stage(one) for one in process.stages],
        "overall": [
            {"material": rule.material, "origin": rule.origin, **_bounds(rule.bounds)} for rule in process.overall
        ],
    }


def _material(one: Material) -> dict[str, Any]:
    return {"key": one.key, "name": _text(one.name), "unit": one.unit, "picture": one.picture, "suffix": one.suffix}


def _stage(one: Stage) -> dict[str, Any]:
    return {
        "key": one.key,
        "kind": one.kind.value,
        "name": _text(one.name),
        "ask": _text(one.ask),
        "picture": one.picture,
        "inputs": list(one.inputs),
        "output": one.output,
        "optional": one.optional,
        "keeps_dry_matter": one.keeps_dry_matter,
        "yields": {material: _bounds(bounds) for material, bounds in one.yields.items()},
        "readings": [_reading(need) for need in one.readings],
        "usual_grams": list(one.usual_grams) if one.usual_grams else None,
        "byproducts": [{"material": by.material, **_bounds(by.bounds)} for by in one.byproducts],
        "reasons": [{"key": why.key, "name": _text(why.name), "picture": why.picture} for why in one.reasons],
    }


def _reading(need: ReadingNeed) -> dict[str, Any]:
    return {
        "type": need.type,
        "unit": need.unit,
        "name": _text(need.name),
        "low": _number(need.low),
        "high": _number(need.high),
        "usual": [_number(value) for value in need.usual] if need.usual else None,
        "limit": _number(need.limit) if need.limit is not None else None,
        "required": need.required,
    }


def _bounds(bounds: Bounds) -> dict[str, Any]:
    return {
        "usual": [bounds.usual_min, bounds.usual_max], "hard_max": bounds.hard_max, "hard_min": bounds.hard_min,
    }  # fmt: skip


def _text(text: Text) -> dict[str, str]:
    return {"vi": text.vi, "en": text.en, **text.others}


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)
