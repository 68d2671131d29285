"""/hooks/sepay and /hooks/payos: checked, kept, answered, and acted on."""

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from shop.payments import inbox
from shop.payments.bank import payos, sepay
from shop.payments.bank.booking import book_in
from shop.payments.bank.told import Told, Unreadable
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, WebhookEvent
from village.errors import Malformed, NotFound, Unauthenticated
from village.i18n import lazy_gettext as _l
from village.web.bodies import up_to

BODY_MAX = 64 * 1024

pages = Blueprint("bank_hooks", __name__)


@pages.post("/hooks/sepay")
@up_to(lambda _settings: BODY_MAX)
def from_sepay() -> ResponseReturnValue:
    """Money came to an account that SePay watches."""
    settings = current_app.extensions["soi"]
    if not (settings.sepay_key or settings.sepay_secret):
        raise _not_set_up()
    body = request.get_data()
    headers = {name.lower(): value for name, value in request.headers}
    if not sepay.trusted(headers, body, key=settings.sepay_key, secret=settings.sepay_secret, now=time.time()):
        raise _forged()
    kept = {name: value for name, value in headers.items() if name.startswith("x-sepay-")}
    inbox.receive("sepay", _id(sepay.event_id, body), body, kept, "transfer")
    return {"success": True}


@pages.post("/hooks/payos")
@up_to(lambda _settings: BODY_MAX)
def from_payos() -> ResponseReturnValue:
    """Money came for one of our payment requests."""
    settings = current_app.extensions["soi"]
    if not settings.payos_checksum_key:
        raise _not_set_up()
    body = request.get_data()
    try:
        trusted = payos.trusted(body, settings.payos_checksum_key)
    except Unreadable as error:
        raise _unreadable() from error
    if not trusted:
        raise _forged()
    inbox.receive("payos", _id(payos.event_id, body), body, {}, "payment")
    return {"success": True}


def _id(read: Callable[[bytes], str], body: bytes) -> str:
    try:
        return read(body)
    except Unreadable as error:
        raise _unreadable() from error


def _act(read: Callable[[bytes], Told | None]) -> inbox.Act:
    def act(session: Session, event: WebhookEvent, _prepared: Any) -> Outcome:
        try:
            told = read(event.body or b"")
        except Unreadable as error:
            # Kept and signed, and yet not what their papers say: trying again would not change it.
            return Outcome(Notice.PUZZLING, str(error))
        if told is None:
            return Outcome(Notice.IGNORED, "out")
        return book_in(session, told, webhook_id=event.id)

    return act


inbox.handles("sepay", _act(sepay.read))
inbox.handles("payos", _act(payos.read))


def _not_set_up() -> NotFound:
    return NotFound("not-set-up", _l("Chỗ này chưa mở."))


def _forged() -> Unauthenticated:
    return Unauthenticated("bad-signature", _l("Chữ ký không đúng, mình không nhận."))


def _unreadable() -> Malformed:
    return Malformed("bad-notice", _l("Tin báo này thiếu chỗ cần có, không đọc được."))
