"""The village's own rows that every event needs: sites, households, products. They change rarely, so each process keeps
them, and asks once in each transaction whether they are still the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.interfaces import ORMOption

from village.db import BUMPED, WRITES, core
from village.places.models import Cooperative, Household, Site
from village.products.models import Product
from village.revision import VillageRevision

_READ_REVISION = select(VillageRevision.__table__.c.number)
KEPT = "soi.reference"


@dataclass(frozen=True)
class Reference:
    """All sites, households, cooperatives and products by id, as they were at one revision of the village.

    The objects belong to no session: read their columns, do not change them, do not follow their relations, but for a
    product's to its cooperative.
    """

    revision: int
    sites: Mapping[str, Site]
    households: Mapping[str, Household]
    cooperatives: Mapping[str, Cooperative]
    products: Mapping[str, Product]
    sold: Mapping[str, Product]
    """Those of the products that buyers are offered."""


def reference(session: Session) -> Reference:
    """The rows as this transaction sees them."""
    seen: Reference | None = session.info.get(KEPT)
    changing = bool(session.info.get(BUMPED))
    if seen is not None and not changing:
        return seen
    connection = core(session)
    revision = connection.execute(_READ_REVISION).scalar() or 0
    kept: Reference | None = current_app.extensions.get(KEPT)
    if kept is None or kept.revision != revision or changing:
        products = _all(connection, Product, joinedload(Product.cooperative))
        sold = {one.id: one for one in products.values() if one.active and one.price is not None}
        kept = Reference(
            revision, _all(connection, Site), _all(connection, Household), _all(connection, Cooperative), products, sold
        )
    # A transaction that changed the village itself may yet be undone: what it sees is not kept for others.
    if not changing:
        current_app.extensions[KEPT] = kept
        if session.info.get(WRITES):
            session.info[KEPT] = kept
    return kept


def _all(connection: Connection, model: type[Any], *options: ORMOption) -> dict[str, Any]:
    with Session(bind=connection) as apart:
        rows = {row.id: row for row in apart.scalars(select(model).options(*options))}
        apart.expunge_all()
    return rows
