"""Who sells: what a cooperative has to tell of itself beside its wares.

Source: Law on E-commerce 122/2025/QH15 and Decree 248/2026/NĐ-CP, article 4: name and seat; representative; number, day
and place of the business registration; ways to reach it. Article 7 asks for ways to complain. See docs/law.md.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.rights.models import SellerInfo
from village.db import BUMPED, db
from village.people.phones import normal_phone, shown_phone
from village.places.models import Cooperative
from village.reference import reference

KEPT = "soi.imprints"


@dataclass(frozen=True)
class Imprint:
    """A seller as buyers read it. What nobody has written down yet is empty or None."""

    name: str
    address: str
    phone: str
    """As people dial it."""
    registration: str
    registered_on: dt.date | None
    registered_by: str
    representative: str
    notice_url: str
    """The state's page that confirms the shop."""
    email: str
    complaints_phone: str
    """As people dial it; the cooperative's own number where it has no other."""
    hours: str
    path: str
    """Its page on our own host: `/seller-info/<GLN>`."""


@dataclass(frozen=True)
class _Kept:
    """All sellers as they told of themselves at one revision of the village."""

    revision: int
    imprints: Mapping[str, Imprint]


def imprint_of(session: Session, cooperative_id: str) -> Imprint:
    """What a cooperative tells of itself, by its id: for pages that many ask for. Each process keeps it until the
    village's own rows change; whoever writes a SellerInfo calls `village.revision.bump`."""
    village = reference(session)
    kept: _Kept | None = current_app.extensions.get(KEPT)
    if kept is None or kept.revision != village.revision or session.info.get(BUMPED):
        told = {row.cooperative_id: row for row in session.scalars(select(SellerInfo))}
        kept = _Kept(village.revision, {key: _imprint(one, told.get(key)) for key, one in village.cooperatives.items()})
        if not session.info.get(BUMPED):
            current_app.extensions[KEPT] = kept
    return kept.imprints[cooperative_id]


def imprint(cooperative: Cooperative) -> Imprint:
    """What `cooperative` tells of itself. One look-up by key."""
    return _imprint(cooperative, db.session.get(SellerInfo, cooperative.id))


def _imprint(cooperative: Cooperative, told: SellerInfo | None) -> Imprint:
    return Imprint(
        name=cooperative.name,
        address=cooperative.address,
        phone=as_dialled(cooperative.phone),
        registration=cooperative.registration,
        registered_on=told.registered_on if told else None,
        registered_by=told.registered_by if told else "",
        representative=told.representative if told else "",
        notice_url=told.notice_url if told else "",
        email=told.email if told else "",
        complaints_phone=as_dialled((told.complaints_phone if told else "") or cooperative.phone),
        hours=told.hours if told else "",
        path=f"/seller-info/{cooperative.gln}",
    )


@lru_cache(maxsize=256)
def as_dialled(phone: str) -> str:
    """As people write it; as it stands where it is no number that the world knows."""
    normal = normal_phone(phone)
    return shown_phone(normal) if normal else phone
