"""What a recall takes in, as a graph small enough to be drawn: lot by lot while they are few, else by product."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from trace.lots.models import Batch, Edge
from trace.lots.services import listed
from village.i18n import gettext as _
from village.i18n import in_language, number
from village.products.models import Product

MOST = 24
"""Lots drawn one by one. More of them are told together: one box for each product."""
LETTERS = 16
WIDEST = 8
"""Boxes beside each other; a wider graph is told by product as well."""


@dataclass(frozen=True)
class Drawing:
    """Nodes and edges as `macros/strand.html` draws them; `grouped` when a box stands for many lots."""

    nodes: tuple[Mapping[str, object], ...]
    edges: tuple[tuple[str, str], ...]
    grouped: bool = False


def draw(session: Session, chosen: Collection[str], ids: Collection[str]) -> Drawing:
    """The affected lots. Bounded, however many there are."""
    if len(ids) <= MOST:
        found = _one_by_one(session, chosen, ids)
        if found is not None:
            return found
    return _by_product(session, chosen, ids)


def _one_by_one(session: Session, chosen: Collection[str], ids: Collection[str]) -> Drawing | None:
    rows = session.execute(
        select(Batch.id, Batch.lot, Product.name_vi, Product.name_en)
        .join(Product, Product.id == Batch.product_id)
        .where(Batch.id.in_(listed(session, ids)))
        .order_by(Batch.made_at, Batch.id)
    ).all()
    pairs = session.execute(select(Edge.parent_id, Edge.child_id).where(Edge.child_id.in_(listed(session, ids))))
    edges = tuple(sorted({(parent, child) for parent, child in pairs if parent in ids}))
    children: dict[str, int] = {}
    for parent, _child in edges:
        children[parent] = children.get(parent, 0) + 1
    if max([*children.values(), len(rows) - len(children)], default=0) > WIDEST:
        return None
    nodes = tuple(
        {"id": one, "label": lot, "under": _short(in_language(vi, en)), "state": "cut", "here": one in chosen,
         "href": f"/batches/{one}"}
        for one, lot, vi, en in rows
    )  # fmt: skip
    return Drawing(nodes, edges)


def _by_product(session: Session, chosen: Collection[str], ids: Collection[str]) -> Drawing:
    everything = listed(session, ids)
    counted = session.execute(
        select(Batch.product_id, func.count(), func.sum(Batch.made_units), func.min(Batch.made_at))
        .where(Batch.id.in_(everything))
        .group_by(Batch.product_id)
    ).all()
    begins = set(session.scalars(select(Batch.product_id).where(Batch.id.in_(listed(session, chosen)))))
    names = {one: (vi, en) for one, vi, en in session.execute(select(Product.id, Product.name_vi, Product.name_en))}
    # The earliest made stands lowest: an edge against that order would be a circle, and is a blend of the same goods.
    rank = {row[0]: place for place, row in enumerate(sorted(counted, key=lambda row: (row[3], row[0])))}
    parent, child = aliased(Batch), aliased(Batch)
    pairs = session.execute(
        select(parent.product_id, child.product_id)
        .select_from(Edge)
        .join(child, child.id == Edge.child_id)
        .join(parent, parent.id == Edge.parent_id)
        .where(Edge.child_id.in_(everything), Edge.parent_id.in_(everything))
        .distinct()
    )
    edges = tuple(sorted((a, b) for a, b in pairs if rank[a] < rank[b]))
    nodes = tuple(
        {"id": product, "label": _short(in_language(*names[product])), "under": _words(lots, units), "state": "cut",
         "here": product in begins, "href": ""}
        for product, lots, units, _first in sorted(counted, key=lambda row: rank[row[0]])
    )  # fmt: skip
    return Drawing(nodes, edges, grouped=True)


def _short(name: str) -> str:
    """As much of a name as a box holds."""
    return name if len(name) <= LETTERS else name[: LETTERS - 1].rstrip() + "…"


def _words(lots: int, units: int | None) -> str:
    if units:
        return _("%(lots)s lô, %(units)s gói", lots=number(lots), units=number(int(units)))
    return _("%(lots)s mẻ", lots=number(lots))
