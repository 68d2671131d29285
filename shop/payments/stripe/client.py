"""Asking Stripe, with its own library. Never within a transaction: it answers when it likes.

What comes back is read into values of ours, strictly. VND has no smaller unit, so Stripe's amounts are whole đồng.
https://docs.stripe.com/api/checkout/sessions and https://docs.stripe.com/api/refunds are the sources of the names;
`allowed_payment_method_types` took the place of `payment_method_types` in 2026-09-30.endive.
"""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from flask import current_app

from village.errors import Conflict, SoiError
from village.i18n import lazy_gettext as _l
from village.settings import Settings

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params.checkout import SessionCreateParams

T = TypeVar("T")
CURRENCY = "vnd"
VERSION = "2026-10-28.endive"
"""Of Stripe's API, in which all is asked and answered: a newer library shall not change what we read by itself."""
TIMEOUT = (4.0, 10.0)
"""Seconds to connect, and between two pieces of an answer."""
RETRIES = 1
"""A buyer waits for it: the jobs that look again later are more patient."""
CLIENT = "soi.stripe"
_FREE = threading.Lock()

log = structlog.get_logger("soi.payments")


class NotNow(SoiError):
    """Stripe cannot be asked at the moment; what was wanted may or may not have happened there."""

    status = 503
    title = _l("Lúc này chưa được")


class Refused(Conflict):
    """Stripe will not do this; `code` is its word for why."""


@dataclass(frozen=True)
class Checkout:
    """A Checkout Session as it stands at Stripe."""

    id: str
    status: str
    """`open`, `complete` or `expired`."""
    paid: bool
    amount: int
    """In the currency's smallest unit: đồng."""
    currency: str
    payment_id: str
    """Our payment, as we told Stripe; empty when it is none of ours."""
    order_id: str
    intent: str
    """The PaymentIntent that the money came with; empty before."""
    url: str
    """Where the buyer pays; empty once it is over."""
    expires_at: dt.datetime


@dataclass(frozen=True)
class MoneyBack:
    """A refund as it stands at Stripe."""

    id: str
    status: str
    """`pending`, `requires_action`, `succeeded`, `failed` or `canceled`."""
    amount: int
    currency: str
    intent: str
    refund_id: str
    """Our refund, as we told Stripe; empty when it was made there by hand."""


@dataclass(frozen=True)
class Dispute:
    """A buyer had her bank take the money back, rightly or not."""

    id: str
    status: str
    amount: int
    currency: str
    intent: str
    reason: str
    due_by: int
    """Seconds since 1970, until when the bank can be answered; 0 where it need not be."""


@dataclass(frozen=True)
class Wanted:
    """A session to be made. The same values under the same key are the same session at Stripe."""

    key: str
    payment_id: str
    order_id: str
    amount: int
    name: str
    """What the buyer reads above the amount."""
    details: str
    language: str
    expires_at: dt.datetime
    success_url: str
    cancel_url: str


def is_set_up() -> bool:
    """True when this village takes cards."""
    settings: Settings = current_app.extensions["soi"]
    return bool(settings.stripe_key)


def make_checkout(wanted: Wanted) -> Checkout:
    """A new Checkout Session. Raises Refused or NotNow."""
    ours = {"payment": wanted.payment_id, "order": wanted.order_id}
    params: SessionCreateParams = {
        "mode": "payment",
        "submit_type": "pay",
        "allowed_payment_method_types": ["card"],
        "client_reference_id": wanted.payment_id,
        "metadata": ours,
        "payment_intent_data": {"metadata": ours, "description": wanted.name},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": CURRENCY,
                    "unit_amount": wanted.amount,
                    "product_data": {"name": wanted.name, "description": wanted.details},
                },
            }
        ],
        "locale": "en" if wanted.language == "en" else "vi",
        "expires_at": int(wanted.expires_at.timestamp()),
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        # The card is charged what the order says, in đồng; what its bank makes of that is between it and the buyer.
        "adaptive_pricing": {"enabled": False},
    }
    key = wanted.key
    return _checkout(
        _asked(lambda stripe: stripe.v1.checkout.sessions.create(params, {"idempotency_key": key}).to_dict())
    )


def checkout(session_id: str) -> Checkout:
    """A session as it is now. Raises Refused when Stripe has none such, or NotNow."""
    return _checkout(_asked(lambda stripe: stripe.v1.checkout.sessions.retrieve(session_id).to_dict()))


def checkout_of(intent: str) -> Checkout | None:
    """The session that a PaymentIntent came out of; None when it came another way."""
    told = _asked(lambda stripe: stripe.v1.checkout.sessions.list({"payment_intent": intent, "limit": 1}).to_dict())
    return next((_checkout(found) for found in told["data"]), None)


def paid_checkouts(start: dt.datetime, end: dt.datetime) -> list[Checkout]:
    """All sessions that were made from `start` until before `end` and have been paid, of whoever uses the account."""
    first, last = int(start.timestamp()), int(end.timestamp())
    found = _asked(
        lambda stripe: [
            session.to_dict()
            for session in stripe.v1.checkout.sessions.list(
                {"created": {"gte": first, "lt": last}, "status": "complete", "limit": 100}
            ).auto_paging_iter()
        ]
    )
    return [session for session in map(_checkout, found) if session.paid]


def close_checkout(session_id: str) -> Checkout:
    """End an open session, so that nobody pays it any more; one that is over already is told as it is."""
    try:
        return _checkout(_asked(lambda stripe: stripe.v1.checkout.sessions.expire(session_id).to_dict()))
    except Refused:
        return checkout(session_id)


def give_back(refund_id: str, intent: str, amount: int) -> MoneyBack:
    """Send money back to the card. Asked again with the same `refund_id`, it is one refund."""
    return _money_back(
        _asked(
            lambda stripe: stripe.v1.refunds.create(
                {"payment_intent": intent, "amount": amount, "metadata": {"refund": refund_id}},
                {"idempotency_key": f"refund:{refund_id}"},
            ).to_dict()
        )
    )


def money_back(stripe_id: str) -> MoneyBack:
    """A refund as it is now. Raises Refused when Stripe has none such, or NotNow."""
    return _money_back(_asked(lambda stripe: stripe.v1.refunds.retrieve(stripe_id).to_dict()))


def all_money_back(intent: str) -> list[MoneyBack]:
    """Every refund of one payment, newest first: also those that were made at Stripe's own pages."""
    asked = _asked(lambda stripe: stripe.v1.refunds.list({"payment_intent": intent, "limit": 100}).to_dict())
    return [_money_back(found) for found in asked["data"]]


def money_back_made(start: dt.datetime, end: dt.datetime) -> list[MoneyBack]:
    """All refunds that were made from `start` until before `end`."""
    first, last = int(start.timestamp()), int(end.timestamp())
    found = _asked(
        lambda stripe: [
            refund.to_dict()
            for refund in stripe.v1.refunds.list(
                {"created": {"gte": first, "lt": last}, "limit": 100}
            ).auto_paging_iter()
        ]
    )
    return [_money_back(refund) for refund in found]


def dispute(dispute_id: str) -> Dispute:
    """A dispute as it is now. Raises Refused when Stripe has none such, or NotNow."""
    told = _asked(lambda stripe: stripe.v1.disputes.retrieve(dispute_id).to_dict())
    return Dispute(
        id=str(told["id"]),
        status=str(told.get("status") or ""),
        amount=int(told.get("amount") or 0),
        currency=str(told.get("currency") or ""),
        intent=_id_of(told.get("payment_intent")),
        reason=str(told.get("reason") or ""),
        due_by=int((told.get("evidence_details") or {}).get("due_by") or 0),
    )


def _asked(ask: "Callable[[StripeClient], T]") -> T:
    import stripe  # it takes its time, and few processes ever need it

    try:
        return ask(_client())
    except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
        # Its text may hold the answer's body; its kind says enough.
        log.warning("Stripe does not answer", why=type(error).__name__)
        raise not_now() from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("Stripe does not accept our key", why=type(error).__name__)
        raise not_now() from error
    except stripe.StripeError as error:
        code = str(error.code or type(error).__name__)[:80]
        log.warning("Stripe refuses", code=code)
        raise Refused("stripe-refused", _l("Bên thẻ không nhận việc này (%(code)s)."), code=code) from error


def not_now() -> NotNow:
    """For whenever Stripe cannot be asked."""
    return NotNow("stripe-not-now", _l("Lúc này chưa hỏi được bên thẻ. Bác chờ một lát rồi thử lại nhé."))


def _client() -> "StripeClient":
    import stripe

    with _FREE:
        found: StripeClient | None = current_app.extensions.get(CLIENT)
        if found is None:
            settings: Settings = current_app.extensions["soi"]
            if not settings.stripe_key:
                raise not_now()
            stripe.enable_telemetry = False
            found = current_app.extensions[CLIENT] = stripe.StripeClient(
                settings.stripe_key,
                stripe_version=VERSION,
                base_addresses={"api": settings.stripe_url},
                http_client=stripe.RequestsClient(timeout=TIMEOUT),
                max_network_retries=RETRIES,
            )
        return found


def _checkout(told: Mapping[str, Any]) -> Checkout:
    return Checkout(
        id=str(told["id"]),
        status=str(told.get("status") or ""),
        paid=told.get("payment_status") == "paid",
        amount=int(told.get("amount_total") or 0),
        currency=str(told.get("currency") or ""),
        payment_id=str(told.get("client_reference_id") or ""),
        order_id=str((told.get("metadata") or {}).get("order") or ""),
        intent=_id_of(told.get("payment_intent")),
        url=str(told.get("url") or ""),
        expires_at=dt.datetime.fromtimestamp(int(told["expires_at"]), dt.UTC),
    )


def _money_back(told: Mapping[str, Any]) -> MoneyBack:
    return MoneyBack(
        id=str(told["id"]),
        status=str(told.get("status") or ""),
        amount=int(told.get("amount") or 0),
        currency=str(told.get("currency") or ""),
        intent=_id_of(told.get("payment_intent")),
        refund_id=str((told.get("metadata") or {}).get("refund") or ""),
    )


def _id_of(told: object) -> str:
    """Stripe names an object by its id, or gives it whole where it was asked to."""
    return str(told["id"]) if isinstance(told, Mapping) else str(told or "")
