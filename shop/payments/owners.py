"""Accounts at providers that are one cooperative's own: nobody else's buyers may pay into them."""

from sqlalchemy import select

from village.db import db
from village.places.models import Cooperative


def is_for(gln: str, cooperative_id: str | None) -> bool:
    """True when the account of the cooperative with this GLN is that one's; an account without GLN is everybody's."""
    if not gln:
        return True
    owner = select(Cooperative.id).where(Cooperative.gln == gln)
    return cooperative_id is not None and db.session.scalar(owner) == cooperative_id
