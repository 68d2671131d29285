"""Catching up with TikTok Shop's orders: notices get lost, and a village's machine is off now and then."""

import time
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from shop.live.models import LiveSession, LiveSource
from shop.live.sources.faults import REFUSED, TOO_OFTEN, SourceFault
from shop.live.sources.services import note, wanted
from shop.live.sources.tiktok.orders import take_in
from shop.live.sources.tiktok.shop import Shop
from village.db import db, write
from village.errors import SoiError

PAUSE, LONG_PAUSE = 30.0, 120.0
"""Seconds between two rounds; longer where we are refused."""
OVERLAP = 120
"""Seconds before the last change that we saw, from which on is asked again."""


@dataclass
class Reader:
    """One source's reader. Losing it loses nothing."""

    source_id: str
    faults: int = 0

    def visit(self) -> float | None:
        """Take over what changed; seconds until the next time, None when there is nothing more to read."""
        found = db.session.execute(
            select(LiveSource.external_id, LiveSource.cursor, LiveSession.status, LiveSession.started_at)
            .join(LiveSession, LiveSession.id == LiveSource.session_id)
            .where(LiveSource.id == self.source_id, LiveSource.kind == "tiktok", wanted())
        ).first()
        db.session.remove()
        if found is None:
            return None
        shop_id, cursor, status, started = found
        newest = int(cursor or started.timestamp())
        began = int(time.time())
        try:
            with Shop(current_app.extensions["soi"]) as shop:
                for told in shop.changed_since(newest - OVERLAP if cursor else newest):
                    with write() as session:
                        take_in(session, str(shop_id), told)
                    newest = max(newest, min(told.updated, began))
        except (SourceFault, SoiError) as fault:
            self.faults += 1
            note(self.source_id, fault=fault.slug[:40])
            return LONG_PAUSE if fault.slug in (REFUSED, TOO_OFTEN) else PAUSE
        self.faults = 0
        # Orders are cancelled after the live, too: it goes on until the session's day is over.
        note(self.source_id, cursor=str(newest))
        return PAUSE if status != "ended" else LONG_PAUSE
