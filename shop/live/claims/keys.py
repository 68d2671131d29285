"""The short links, and how long what they open waits for its buyer. All inside the caller's transaction."""

import datetime as dt
import secrets
from collections.abc import Mapping
from functools import cache
from typing import cast

from flask import current_app
from sqlalchemy import ColumnElement, Table, and_, case, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shop.live.models import LiveClaim, LiveSession
from shop.orders.models import Order, Status
from trace.gs1.lots import READABLE
from village import clock
from village.db import core

CODE_LENGTH = 10
"""Letters of a link: with 25 of them to choose from, 46 bits."""
_CLAIMS = cast(Table, LiveClaim.__table__)


def ensure_all(session: Session, live: LiveSession, waits: Mapping[str, bool]) -> None:
    """The links of these viewers into a session, made where they have none; of each, whether an order of hers waits
    for its address. One statement.

    Call it whenever they get packs or join the queue. While an order waits, her time begins anew with each call: it is
    the seller's end of the session that bounds it. An author is up to AUTHOR_MAX characters.
    """
    if not waits:
        return
    now = clock.now()
    until = now + dt.timedelta(minutes=live.claim_minutes)
    rows = [
        {
            "code": new_code(), "session_id": live.id, "author_id": author, "created_at": now,
            "until": until if waits[author] else None,
        }
        for author in sorted(waits)
    ]  # fmt: skip
    core(session).execute(_insert(session.get_bind().dialect.name), rows)


@cache
def _insert(dialect: str) -> postgresql.Insert | sqlite.Insert:
    rows = postgresql.insert(_CLAIMS) if dialect == "postgresql" else sqlite.insert(_CLAIMS)
    return rows.on_conflict_do_update(
        index_elements=[_CLAIMS.c.session_id, _CLAIMS.c.author_id],
        set_={
            "until": func.coalesce(rows.excluded.until, _CLAIMS.c.until),
            "reminded_at": case((_CLAIMS.c.until.is_not(None), _CLAIMS.c.reminded_at)),
        },
    )


def unclaimed() -> ColumnElement[bool]:
    """True for orders that nobody has said yet where to send, and that their buyer may still say so of."""
    return and_(Order.status == Status.PLACED, Order.payment == "cod", Order.paid == 0, Order.buyer_address.is_(None))


def is_unclaimed(order: Order) -> bool:
    """The same of one order that is at hand."""
    return order.status is Status.PLACED and not order.paid_ahead and not order.paid and not order.buyer_address


def new_code() -> str:
    """Ten letters and digits that cannot be mistaken for one another."""
    return "".join(secrets.choice(READABLE) for _ in range(CODE_LENGTH))


def link(claim: LiveClaim) -> str:
    """The whole address of a viewer's page, to be sent to her."""
    return f"{current_app.extensions['soi'].public_url}/c/{claim.code}"
