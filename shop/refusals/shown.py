"""What buyers and sellers are told about parcels that came back: pieces that other pages include."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.delivery.models import Shipment
from shop.orders.models import Order
from shop.refusals.keeping import TELLING, blamable, proposal
from shop.refusals.models import ParcelOutcome
from shop.refusals.services import calls_first, standing, to_call, why
from village.db import db
from village.i18n import gettext as _
from village.places.models import Cooperative


@dataclass(frozen=True)
class Kept:
    """A parcel that is kept as not taken."""

    number: int
    words: str
    expires: dt.date


@dataclass(frozen=True)
class Notice:
    """What the page of an order says about this."""

    why: str
    """Why its buyer is rung first; empty when she is not."""
    kept: Sequence[Kept]
    appeal: str
    """Where to object."""
    tally: tuple[int, int] = (0, 0)
    """For its seller: orders of this number that were taken and that were not, of late."""


def outcome_words(outcome: str) -> str:
    """How a parcel ended, as it is kept."""
    return {
        "delivered": _("đã nhận"), "refused": _("không nhận"), "unreachable": _("không gặp được người nhận"),
    }[outcome]  # fmt: skip


def choices(session: Session, shipment: Shipment) -> tuple[list[tuple[str, str, str]], str]:
    """Why a parcel came back, for the form (key, words, one line more), and what the carrier's words propose; nothing
    where nobody is to blame."""
    if not blamable(session, shipment):
        return [], ""
    found = [
        ("refused", _("Khách không nhận"), ""),
        ("unreachable", _("Không gặp được khách"), ""),
        ("other", _("Lẽ khác, không phải do khách"), _("Sai địa chỉ, hàng hỏng, mình gửi nhầm…")),
    ]
    return found, proposal(shipment) or "other"


def kept_as(session: Session, shipment_id: str) -> ParcelOutcome | None:
    """How a parcel is kept."""
    return session.get(ParcelOutcome, shipment_id)


def notice(order: Order, seller: bool = False) -> Notice | None:
    """What to say on the page of an order, to its buyer or to its seller; None when there is nothing."""
    if order.forgotten_at is not None or order.cooperative_id is None:
        return None
    session = db.session()
    reason = to_call(order)
    kept = _kept(session, order)
    if not reason and not kept:
        return None
    found = standing(session, order.buyer_phone, order.cooperative_id).tally if seller and reason else None
    counts = (found.delivered, found.refused + found.unreachable) if found else (0, 0)
    return Notice(why(reason), kept, appeal_path(order.cooperative_id), counts)


def appeal_path(cooperative_id: str) -> str:
    """Where buyers of this cooperative object."""
    return url_for("refusals.ask", gln=db.session.get_one(Cooperative, cooperative_id).gln)


def _kept(session: Session, order: Order) -> list[Kept]:
    rows = session.execute(
        select(Shipment.number, ParcelOutcome.outcome, ParcelOutcome.expires)
        .join(ParcelOutcome, ParcelOutcome.shipment_id == Shipment.id)
        .where(Shipment.order_id == order.id, ParcelOutcome.outcome.in_(TELLING))
        .order_by(Shipment.number)
    )
    return [Kept(number, outcome_words(outcome), expires) for number, outcome, expires in rows]


TEMPLATE_GLOBALS: dict[str, Any] = {
    "refusal_notice": notice,
    "calls_first": calls_first,
    "appeal_path": appeal_path,
}
