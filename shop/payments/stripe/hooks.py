"""What Stripe posts to /hooks/stripe. An event is kept when its signature holds; what it is about is fetched afresh,
so that neither its order nor its repetition matters.

https://docs.stripe.com/webhooks: `Stripe-Signature: t=<seconds>,v1=<HMAC-SHA256 over "<t>.<body>">`.
"""

import json
from typing import Any

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.payments import inbox
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, Payment, WebhookEvent
from shop.payments.stripe import client, disputes, refunds, sessions
from shop.payments.stripe.client import Checkout, Dispute, MoneyBack, Refused
from village import clock
from village.db import db
from village.errors import Malformed, NotFound
from village.i18n import lazy_gettext as _l
from village.settings import Settings
from village.web.bodies import up_to

OLD, AHEAD = 300, 60
"""Seconds that a signature may be behind and ahead of our clock. Stripe signs each try anew."""
MOST = 512 * 1024
SIGNATURE_MAX = 1000
About = Checkout | MoneyBack | Dispute

hooks = Blueprint("stripe_hooks", __name__)


@hooks.post("/hooks/stripe")
@up_to(lambda _settings: MOST)
def stripe() -> ResponseReturnValue:
    """Keep one event, and act on it. Whatever fails after it was kept is ours to try again."""
    settings: Settings = current_app.extensions["soi"]
    if not settings.stripe_key:
        raise NotFound("no-cards", _l("Ở đây không nhận trả bằng thẻ."))
    body = request.get_data()
    signature = request.headers.get("Stripe-Signature", "")
    check(body, signature, settings.stripe_webhook_secret)
    event = _read(body)
    inbox.receive("stripe", event["id"], body, {"Stripe-Signature": signature}, event["type"])
    return {"received": True}


def check(body: bytes, signature: str, secret: str) -> None:
    """Malformed `bad-signature` unless Stripe signed this body, not long ago and not in the future."""
    import stripe  # it takes its time, and few processes ever need it

    try:
        # The library compares texts, which it can only do in ASCII.
        if len(signature) > SIGNATURE_MAX or not signature.isascii():
            raise ValueError
        stripe.WebhookSignature.verify_header(body, signature, secret)
        signed = next(int(item[2:]) for item in signature.split(",") if item.startswith("t="))
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise _not_signed() from error
    # The library refuses what is old and takes what is dated ahead, which could be posted again for as long.
    if not -AHEAD <= clock.now().timestamp() - signed <= OLD:
        raise _not_signed()


def _not_signed() -> Malformed:
    return Malformed("bad-signature", _l("Chữ ký của tin báo không đúng."))


def _read(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
        named = all(isinstance(event[name], str) and 0 < len(event[name]) <= inbox.ID_MAX for name in ("id", "type"))
    except (ValueError, TypeError, KeyError, RecursionError):
        named = False
    if not named:
        raise Malformed("bad-event", _l("Tin báo không đọc được."))
    found: dict[str, Any] = event
    return found


def prepare(event: WebhookEvent) -> list[About]:
    """What the event is about, as Stripe has it now, in the order in which it happened; nothing when it is nothing to
    us. Raises NotNow."""
    try:
        about = json.loads(event.body or b"")["data"]["object"]["id"]
    except (ValueError, TypeError, KeyError):
        return []
    if not isinstance(about, str) or not about:
        return []
    try:
        if event.kind.startswith("checkout.session."):
            return [client.checkout(about)]
        if event.kind.startswith("refund.") or event.kind == "charge.refund.updated":
            back = client.money_back(about)
            return [*_its_payment(back.intent), back]
        if event.kind.startswith("charge.dispute."):
            disputed = client.dispute(about)
            return [*_its_payment(disputed.intent), disputed]
    except Refused:
        pass
    return []


def _its_payment(intent: str) -> list[About]:
    """The session that was paid, when we have not heard of it yet: its notice is late, or lost."""
    known = db.session.scalar(select(Payment.id).where(Payment.intent == intent).limit(1)) is not None
    db.session.remove()
    found = client.checkout_of(intent) if intent and not known else None
    return [found] if found is not None else []


def act(session: Session, event: WebhookEvent, about: list[About]) -> Outcome:
    """Its effect."""
    outcome = Outcome(Notice.IGNORED)
    for found in about:
        match found:
            case Checkout():
                outcome = sessions.settle_in(session, found, event.id)
            case MoneyBack():
                outcome = refunds.settle_in(session, found, event.id)
            case Dispute():
                outcome = disputes.settle_in(session, found, event.id)
        session.flush()
    return outcome
