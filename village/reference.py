"""The village's own rows that every event needs: sites, households, products. They change rarely, so each process keeps
them, and asks once in each transaction whether they are still the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from village.db import BUMPED, WRITES, core
from village.places.models import Household, Site
from village.products.models import Product
from village.revision import VillageRevision

_READ_REVISION = select(VillageRevision.__table__.c.number)
KEPT = "soi.reference"


@dataclass(frozen=True)
class Reference:
    """All sites, households and products by id, as they were at one revision of the village.

    The objects belong to no session: read their columns, do not change them, do not follow their relations.
    """

    revision: int
    sites: Mapping[str, Site]
    households: Mapping[str, Household]
    products: Mapping[str, Product]


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
        kept = Reference(revision, _all(connection, Site), _all(connection, Household), _all(connection, Product))
    # A transaction that changed the village itself may yet be undone: what it sees is not kept for others.
    if not changing:
        current_app.extensions[KEPT] = kept
        if session.info.get(WRITES):
            session.info[KEPT] = kept
    return kept


def _all(connection: Connection, model: type[Any]) -> dict[str, Any]:
    with Session(bind=connection) as apart:
        rows = {row.id: row for row in apart.scalars(select(model))}
        apart.expunge_all()
    return rows
