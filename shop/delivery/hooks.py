"""/hooks/ghn/<secret>: the carrier says that something happened to a parcel.

It signs nothing, so nothing that it posts is believed: the secret end of the address keeps strangers out, and what is
written down is what the carrier answers when asked.
"""

import hashlib
import hmac
import re
from typing import Any

import orjson
from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.delivery.carrier import Tracked
from shop.delivery.models import Shipment
from shop.delivery.rounds import heard_in
from shop.delivery.shipping import carrier_of
from shop.orders.models import Order
from shop.payments import inbox
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, WebhookEvent
from village.db import db
from village.errors import Malformed, NotFound
from village.i18n import lazy_gettext as _l
from village.web.bodies import up_to

BODY_MAX = 64 * 1024
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")

pages = Blueprint("delivery_hooks", __name__)


@pages.post("/hooks/ghn/<secret>")
@up_to(lambda _settings: BODY_MAX)
def from_ghn(secret: str) -> ResponseReturnValue:
    """Something happened to a parcel."""
    ours = current_app.extensions["soi"].ghn_hook
    if not ours or not hmac.compare_digest(secret.encode(), ours.encode()):
        raise NotFound("not-set-up", _l("Chỗ này chưa mở."))
    body = request.get_data()
    told = _read(body)
    tracking = told.get("OrderCode")
    if not isinstance(tracking, str) or not _CODE.fullmatch(tracking):
        raise Malformed("bad-notice", _l("Tin báo này thiếu chỗ cần có, không đọc được."))
    # They number nothing: the same words about the same moment are the same notice.
    kind = told.get("Type")
    named = kind if isinstance(kind, str) and _CODE.fullmatch(kind) else ""
    inbox.receive("ghn", hashlib.sha256(body).hexdigest(), body, {}, named)
    return {"success": True}


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed("bad-notice", _l("Tin báo này thiếu chỗ cần có, không đọc được.")) from error
    return told if isinstance(told, dict) else {}


def _prepare(event: WebhookEvent) -> tuple[str, str, Tracked] | None:
    """Ask the carrier about the parcel: our order's id, our parcel's, and the answer; None for a parcel not of ours."""
    tracking = str(_read(event.body or b"").get("OrderCode"))
    found = db.session.execute(
        select(Shipment.order_id, Shipment.id, Order.cooperative_id)
        .join(Order, Order.id == Shipment.order_id)
        .where(Shipment.carrier == "ghn", Shipment.tracking == tracking)
    ).first()
    db.session.remove()
    if found is None:
        return None
    with carrier_of("ghn", found.cooperative_id) as carrier:
        return found.order_id, found.id, carrier.track(tracking)


def _act(session: Session, event: WebhookEvent, prepared: Any) -> Outcome:
    if prepared is None:
        # One that is just being made is asked about by the rounds.
        return Outcome(Notice.IGNORED, "unknown parcel")
    order_id, shipment_id, tracked = prepared
    if not heard_in(session, shipment_id, tracked):
        return Outcome(Notice.PUZZLING, "the carrier has another parcel under this number", order_id)
    return Outcome(Notice.DONE, str(tracked.state or ""), order_id)


inbox.handles("ghn", _act, _prepare)
