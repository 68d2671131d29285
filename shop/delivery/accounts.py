"""Under whose account the carrier brings a cooperative's parcels: its own, or else the village's.

The carrier fetches from the account's shop and pays out to the account's owner, so a village of several cooperatives
gives each its own. A parcel is asked about under the account that its seller has now.
"""

from flask import current_app
from sqlalchemy import select

from village.db import db
from village.places.models import Cooperative
from village.settings import GhnAccount, Settings


def account_of(cooperative_id: str | None) -> GhnAccount | None:
    """The account for this cooperative's parcels; None when there is none. Reads on a connection of its own and leaves
    the caller's session alone: the carrier is asked outside of any transaction."""
    settings: Settings = current_app.extensions["soi"]
    if settings.ghn_accounts and cooperative_id is not None:
        with db.engine.connect() as connection:
            gln = connection.scalar(select(Cooperative.gln).where(Cooperative.id == cooperative_id))
        own = settings.ghn_accounts.get(gln or "")
        if own is not None:
            return own
    return GhnAccount(settings.ghn_token, settings.ghn_shop) if settings.ghn_token else None


def any_account() -> bool:
    """True when anybody here sends by the carrier."""
    settings: Settings = current_app.extensions["soi"]
    return bool(settings.ghn_token or settings.ghn_accounts)
