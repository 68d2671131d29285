"""Reading the lot graph: ancestors, descendants, and which batches are on hold."""

import json
from collections.abc import Collection
from typing import Literal, NamedTuple

from sqlalchemy import ARRAY, Select, String, func, literal, literal_column, select, update
from sqlalchemy.orm import Session, aliased

from trace.lots import holding
from trace.lots.models import Batch, Edge, Hold
from trace.signals import holds_changed
from village.db import db
from village.errors import NotFound
from village.i18n import lazy_gettext as _l
from village.products.models import Product

Direction = Literal["up", "down"]
DIRECTIONS = ("up", "down", "both")
MANY = 5_000
FEW = 200
"""Ids that are written into a query one by one."""


def batch(batch_id: str) -> Batch:
    """The batch, or NotFound."""
    found = db.session.get(Batch, batch_id)
    if found is None:
        raise no_such_batch(batch_id)
    return found


def lot(gtin: str, lot: str) -> Batch:
    """The batch that a label names, or NotFound."""
    found = db.session.scalar(select(Batch).where(Batch.gtin == gtin, Batch.lot == lot))
    if found is None:
        raise NotFound(
            "no-lot",
            _l("Không có lô nào mang mã %(lot)s. Nếu mã này in trên gói, có thể gói không phải của Bình Lư."),
            gtin=gtin,
            lot=lot,
        )
    return found


def no_such_batch(batch_id: str, field: str | None = None) -> NotFound:
    """For an id that no batch has."""
    return NotFound("no-batch", _l("Không có mẻ nào mang mã %(batch)s."), field=field, batch=batch_id)


def reachable(session: Session, start: Collection[str], direction: Direction) -> set[str]:
    """Ids of all batches above (`up`, what it was made of) or below (`down`, what was made of it), without `start`."""
    here, there = (Edge.child_id, Edge.parent_id) if direction == "up" else (Edge.parent_id, Edge.child_id)
    walk = select(there.label("id")).where(here.in_(listed(session, start))).cte("walk", recursive=True)
    more = aliased(Edge)
    more_here, more_there = (more.child_id, more.parent_id) if direction == "up" else (more.parent_id, more.child_id)
    walk = walk.union(select(more_there).join(walk, more_here == walk.c.id))
    return set(session.scalars(select(walk.c.id))) - set(start)


class Node(NamedTuple):
    """A batch, as far as the graph shows it."""

    id: str
    gtin: str
    lot: str
    name_vi: str
    name_en: str
    grams: int
    units: int | None
    hold: Hold


class Step(NamedTuple):
    """So many grams of `parent` went into `child` in `event`."""

    child: str
    parent: str
    event: str
    grams: int


def listed(session: Session, ids: Collection[str]) -> Select[tuple[str]] | list[str]:
    """These ids for an IN. Many of them are a query of their own, which takes them along as one parameter."""
    in_order = sorted(ids)
    if len(in_order) <= FEW:
        # The planner sees how few they are.
        return in_order
    if session.get_bind().dialect.name == "postgresql":
        return select(func.unnest(literal(in_order, ARRAY(String()))).column_valued("id"))
    return select(func.json_each(json.dumps(in_order)).table_valued("value").c.value)


def graph(session: Session, batch_id: str, direction: str) -> tuple[list[Node], list[Step]]:
    """A batch with all above and below it (or one way only), oldest first, and the steps between them.

    NotFound for no batch.
    """
    if session.get(Batch, batch_id) is None:
        raise no_such_batch(batch_id)
    ids = {batch_id}
    for way in ("up", "down"):
        if direction in (way, "both"):
            ids |= reachable(session, [batch_id], way)
    family = listed(session, ids)
    names = {one: (vi, en) for one, vi, en in session.execute(select(Product.id, Product.name_vi, Product.name_en))}
    rows = session.execute(
        select(
            Batch.id, Batch.gtin, Batch.lot, Batch.product_id, Batch.made_grams, Batch.made_units, Batch.hold
        )
        .where(Batch.id.in_(family))
        .order_by(Batch.made_at, Batch.id)
    )  # fmt: skip
    nodes = [
        Node(one, gtin, lot, *names[product], grams, units, hold)
        for one, gtin, lot, product, grams, units, hold in rows
    ]
    found = session.execute(
        select(Edge.child_id, Edge.parent_id, Edge.event_id, Edge.grams).where(Edge.child_id.in_(family))
    )
    # Sorted here: the database would sort rows of long texts.
    return nodes, sorted(Step._make(row) for row in found if row[1] in ids)


def refresh_holds(session: Session, start: str, reason: str) -> None:
    """After an inspection of batch `start`: hold it and all that came of it when it failed, release what is clean.

    A batch is held while its own last inspection, or any ancestor's, failed. A recall is never lifted here.
    Tells `holds_changed` of the packs among them: nothing else can be on a shelf.
    """
    family = {start} | reachable(session, [start], "down")
    bad = spoilt(session, family)
    # Few are held in the whole village, and an index has them: nobody else's row need be read.
    held = set(session.scalars(select(Batch.id).where(Batch.hold == literal_column("'held'"))))
    to_free = (family - bad) & held
    to_hold = set[str]()
    if bad - held:
        query = select(Batch.id).where(Batch.id.in_(listed(session, bad - held)), Batch.hold == "none")
        to_hold = set(session.scalars(query))
    for ids, hold, why in ((to_hold, "held", reason), (to_free, "none", "")):
        if ids:
            mine = update(Batch).where(Batch.id.in_(listed(session, ids))).values(hold=hold, hold_reason=why)
            session.execute(mine, execution_options={"synchronize_session": False})
    moved = to_hold | to_free
    if not moved:
        return
    query = select(Batch.id).where(Batch.id.in_(listed(session, moved)), Batch.made_units.is_not(None))
    shown = set(session.scalars(query))
    # What this transaction has in hand must not go on under the old sign.
    kept = {one.id for one in session.identity_map.values() if isinstance(one, Batch)} & moved
    rows = select(Batch).where(Batch.id.in_(listed(session, kept | shown))).order_by(Batch.id)
    fresh = list(session.scalars(rows, execution_options={"populate_existing": True})) if kept | shown else []
    if changed := [one for one in fresh if one.id in shown]:
        holds_changed.send(None, session=session, batches=changed)


def spoilt(session: Session, family: Collection[str]) -> set[str]:
    """Those of these batches whose own last inspection, or an ancestor's, failed."""
    failing = set(holding.failing(session))
    if failing and len(family) <= MANY:
        # Most families are small, and so is all that is above them.
        failing &= {*family, *reachable(session, family, "up")}
    if not failing:
        return set()
    return (failing | reachable(session, failing, "down")) & set(family)
