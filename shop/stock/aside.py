"""Packs kept from the shelf for one code of a livestream. Every function works inside its caller's transaction.

What is kept counts as reserved in its lot (`stock_lot.reserved`), so that no other channel can promise it, and stands
in `live_aside`, so that the session's own orders can have it. A combo is kept as the packs that it is made of.
Lots are visited in the one order of `shop.stock.services`.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from shop.catalogue.combos import Parts, parts_of, whole, with_parts
from shop.live.models import LiveAside, LiveCode
from shop.stock import services as stock
from shop.stock.models import StockLot
from shop.stock.services import FIRST_OUT, Part, sellable


def take(session: Session, code_id: str, product_id: str, units: int) -> int:
    """Keep up to so many (of a combo: whole ones) for a code, first expiry first; how many there were to keep."""
    parts = _parts(session, product_id)
    products = [part_id for part_id, _ in parts]
    stock.lock(session, products)
    units = min(units, whole(parts, stock.available(session, products)))
    if units < 1:
        return 0
    for part_id, each in parts:
        for part in stock.reserve(session, part_id, units * each):
            _keep(session, code_id, part)
    return units


def give_back(session: Session, code_id: str) -> int:
    """All that is kept for a code goes back to the shelf; how many packs."""
    parts = [part for part, _ in _kept(session, code_id)]
    _free(session, code_id, parts)
    session.execute(delete(LiveAside).where(LiveAside.code_id == code_id), execution_options=_APART)
    return sum(part.units for part in parts)


def open_up(session: Session, code_id: str, product_id: str, units: int) -> int:
    """Put up to so many (of a combo: whole ones) of what is kept for a code onto the shelf, for the order that the
    caller is about to reserve in the same transaction; how many. Nobody else can have them before it ends: the lots
    are held. What stands in lots that may not be sold stays kept.

    Do it inside of the savepoint of the order, so that a refused order leaves all as it was.
    """
    kept = _kept(session, code_id, sellable_only=True)
    if not kept or units < 1:
        return 0
    parts = _parts(session, product_id)
    have: dict[str, int] = {}
    for part, of in kept:
        have[of] = have.get(of, 0) + part.units
    missing = {part_id: min(units * each, have.get(part_id, 0)) for part_id, each in parts}
    done = min(missing[part_id] // each for part_id, each in parts)
    opened = []
    for part, of in kept:
        n = min(part.units, missing.get(of, 0))
        if n:
            missing[of] -= n
            opened.append(part._replace(units=n))
    _free(session, code_id, opened)
    return done


def keep_just(session: Session, code_id: str, product_id: str, units: int) -> int:
    """Keep so many for a code from now on: more are taken as far as there are, fewer go back; how many are kept."""
    kept = whole(_parts(session, product_id), by_products(session, [code_id]).get(code_id, {}))
    if kept > units:
        open_up(session, code_id, product_id, kept - units)
        return units
    return kept + (take(session, code_id, product_id, units - kept) if units > kept else 0)


def by_products(session: Session, code_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Packs kept for these codes that can be sold today, by the code's id and by product; of a combo by the products
    that it is made of. Codes for which nothing is kept are left out. One statement."""
    rows = session.execute(
        select(LiveAside.code_id, StockLot.product_id, LiveAside.units)
        .join(StockLot, StockLot.batch_id == LiveAside.batch_id)
        .where(LiveAside.code_id.in_(code_ids), LiveAside.units > 0, sellable())
    )
    found: dict[str, dict[str, int]] = {}
    for code_id, product_id, units in rows:
        mine = found.setdefault(code_id, {})
        mine[product_id] = mine.get(product_id, 0) + units
    return found


def kept_of(session: Session, codes: Collection[LiveCode]) -> dict[str, int]:
    """How many each code could give of what is kept for it, by the code's id: packs, or whole combos."""
    kept = by_products(session, [code.id for code in codes])
    combos = parts_of(session, {code.product_id for code in codes})
    return {code.id: whole(_made_of(code, combos), kept.get(code.id, {})) for code in codes}


def within_reach(session: Session, codes: Collection[LiveCode]) -> dict[str, int]:
    """How many each code could give now by itself, by the code's id: what is free on the shelf and what is kept for it.

    Its session's limits are not looked at. Three statements.
    """
    combos = parts_of(session, {code.product_id for code in codes})
    free = stock.available(session, with_parts({code.product_id for code in codes}, combos))
    kept = by_products(session, [code.id for code in codes])
    return {
        code.id: whole(parts, {one: free[one] + kept.get(code.id, {}).get(one, 0) for one, _ in parts})
        for code in codes
        for parts in [_made_of(code, combos)]
    }


_APART = {"synchronize_session": False}


def _parts(session: Session, product_id: str) -> Parts:
    return parts_of(session, [product_id]).get(product_id, ((product_id, 1),))


def _made_of(code: LiveCode, combos: Mapping[str, Parts]) -> Parts:
    return combos.get(code.product_id, ((code.product_id, 1),))


def _kept(session: Session, code_id: str, *, sellable_only: bool = False) -> list[tuple[Part, str]]:
    """What is kept for a code, each lot with its product, in the order in which lots are visited."""
    query = (
        select(LiveAside.batch_id, StockLot.lot, LiveAside.units, StockLot.product_id)
        .join(StockLot, StockLot.batch_id == LiveAside.batch_id)
        .where(LiveAside.code_id == code_id, LiveAside.units > 0)
        .order_by(*FIRST_OUT)
    )
    rows = session.execute(query.where(sellable()) if sellable_only else query)
    return [(Part(batch_id, lot, units), product_id) for batch_id, lot, units, product_id in rows]


def _keep(session: Session, code_id: str, part: Part) -> None:
    # Whoever keeps for a code holds its session's row, so nobody else writes this one.
    if not _add(session, code_id, part, part.units):
        session.execute(insert(LiveAside).values(code_id=code_id, batch_id=part.batch_id, units=part.units))


def _free(session: Session, code_id: str, parts: Iterable[Part]) -> None:
    """These packs are kept no more and stand on the shelf."""
    freed = list(parts)
    stock.release(session, freed)
    for part in freed:
        if not _add(session, code_id, part, -part.units):
            raise RuntimeError(f"lot {part.lot}: {part.units} packs were to be opened up, but fewer are kept")


def _add(session: Session, code_id: str, part: Part, units: int) -> bool:
    after = LiveAside.units + units
    added = session.execute(
        update(LiveAside)
        .where(LiveAside.code_id == code_id, LiveAside.batch_id == part.batch_id, after >= 0)
        .values(units=after),
        execution_options=_APART,
    )
    assert isinstance(added, CursorResult)
    return added.rowcount == 1
