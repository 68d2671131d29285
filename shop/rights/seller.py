"""Who sells: what a cooperative has to tell of itself beside its wares.

Source: Decree 52/2013/NĐ-CP, article 29, as amended by Decree 85/2021/NĐ-CP: name and seat; number, day and place of
the business registration; telephone or another way to reach it. Article 36 asks for a way to complain.
"""

import datetime as dt
from dataclasses import dataclass

from shop.rights.models import SellerInfo
from village.db import db
from village.people.phones import normal_phone, shown_phone
from village.places.models import Cooperative


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
    email: str
    complaints_phone: str
    """As people dial it; the cooperative's own number where it has no other."""
    hours: str
    path: str
    """Its page on our own host: `/seller-info/<GLN>`."""


def imprint(cooperative: Cooperative) -> Imprint:
    """What `cooperative` tells of itself. One look-up by key."""
    told = db.session.get(SellerInfo, cooperative.id)
    return Imprint(
        name=cooperative.name,
        address=cooperative.address,
        phone=_dialled(cooperative.phone),
        registration=cooperative.registration,
        registered_on=told.registered_on if told else None,
        registered_by=told.registered_by if told else "",
        email=told.email if told else "",
        complaints_phone=_dialled((told.complaints_phone if told else "") or cooperative.phone),
        hours=told.hours if told else "",
        path=f"/seller-info/{cooperative.gln}",
    )


def _dialled(phone: str) -> str:
    """As people write it; as it stands where it is no number that the world knows."""
    normal = normal_phone(phone)
    return shown_phone(normal) if normal else phone
