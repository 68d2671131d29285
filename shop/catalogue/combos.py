"""Combos: products that are sold as one and packed as several. A combo has no stock of its own."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.catalogue.models import ComboPart
from shop.stock import services as stock

Parts = tuple[tuple[str, int], ...]
"""Product ids with their packs in one combo, in the order of the ids."""


def parts_of(session: Session, product_ids: Iterable[str]) -> dict[str, Parts]:
    """What these products are made of, for those that are combos; plain products are left out. One statement."""
    ids = list(product_ids)
    if not ids:
        return {}
    rows = session.execute(
        select(ComboPart.product_id, ComboPart.part_id, ComboPart.units)
        .where(ComboPart.product_id.in_(ids))
        .order_by(ComboPart.product_id, ComboPart.part_id)
    )
    found: dict[str, Parts] = {}
    for product_id, part_id, units in rows:
        found[product_id] = (*found.get(product_id, ()), (part_id, units))
    return found


def available(session: Session, product_ids: Iterable[str]) -> dict[str, int]:
    """Packs of each product that can be promised now, each by itself; of a combo, as many as its parts make.

    Two statements. Products that share a part cannot all be had at once: only reserving tells.
    """
    ids = list(product_ids)
    combos = parts_of(session, ids)
    free = stock.available(session, with_parts(ids, combos))
    return {key: whole(combos[key], free) if key in combos else free[key] for key in ids}


def with_parts(product_ids: Iterable[str], combos: Mapping[str, Parts]) -> set[str]:
    """These products and all that the combos among them are made of."""
    return {*product_ids, *(part_id for parts in combos.values() for part_id, _ in parts)}


def whole(parts: Parts, packs: Mapping[str, int]) -> int:
    """How many combos so many packs of each part make."""
    return min(packs.get(part_id, 0) // units for part_id, units in parts)
