"""/hooks/facebook, /hooks/tiktok and /hooks/live/<source>: checked, kept, answered. Nothing unsigned is looked at."""

import time
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from shop.live import intake
from shop.live.intake import COMMENTS_MAX, Result
from shop.live.log import Said
from shop.live.models import LiveSession, LiveSource, SourceState
from shop.live.schemas import LenientSchema, LiveAuthorSchema, LiveCommentSchema
from shop.live.sources import errors, signed
from shop.live.sources.facebook import told as facebook
from shop.live.sources.services import note, wanted
from shop.live.sources.tiktok import orders as tiktok_orders
from shop.live.sources.tiktok import told as tiktok
from shop.live.sources.tiktok.shop import Shop
from shop.live.sources.tiktok.told import TikTokOrder
from shop.payments import inbox
from shop.payments.bank.told import Unreadable
from shop.payments.inbox import Outcome
from shop.payments.models import Notice, WebhookEvent
from village.db import db
from village.errors import BadInput
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.web.bodies import up_to
from village.web.lists import ShortList

BODY_MAX = 2 * 1024 * 1024
CHALLENGE_MAX = 200

pages = Blueprint("live_hooks", __name__)


class SentSchema(LiveCommentSchema):
    """A comment; its edit, which need not say again whose it is; or its deletion, which needs no words either."""

    kind = fields.String(load_default="said", validate=validate.OneOf(("said", "edited", "deleted")))
    author = fields.Nested(LiveAuthorSchema, load_default=None)
    text = fields.String(load_default=None)

    @validates_schema
    def _whole(self, data: dict[str, Any], **_more: Any) -> None:
        if data["kind"] == "said" and data["author"] is None:
            raise ValidationError(_("Chỗ này bác chưa điền."), "author")
        if data["kind"] != "deleted" and data["text"] is None:
            raise ValidationError(_("Chỗ này bác chưa điền."), "text")


class SentCommentsSchema(LenientSchema):
    """Comments in the order in which they came."""

    comments = ShortList(fields.Nested(SentSchema), most=COMMENTS_MAX, required=True)


@pages.get("/hooks/facebook")
def facebook_asks() -> ResponseReturnValue:
    """Facebook wants to see that the address is ours: its word back, when it knows ours."""
    ours = current_app.extensions["soi"].facebook_verify
    given, word = request.args.get("hub.verify_token", ""), request.args.get("hub.challenge", "")
    if not ours:
        raise errors.not_set_up()
    if request.args.get("hub.mode") != "subscribe" or not signed.same(given, ours) or not _plain(word):
        raise errors.forged()
    return word, {"Content-Type": "text/plain; charset=utf-8"}


@pages.post("/hooks/facebook")
@up_to(lambda _settings: BODY_MAX)
def from_facebook() -> ResponseReturnValue:
    """Comments were written, changed or taken back on our page."""
    settings = current_app.extensions["soi"]
    if not settings.facebook_app_secret:
        raise errors.not_set_up()
    body = request.get_data()
    if not facebook.trusted(body, request.headers.get("X-Hub-Signature-256", ""), settings.facebook_app_secret):
        raise errors.forged()
    try:
        changes = facebook.changes(body, settings.facebook_page)
    except facebook.Unreadable as error:
        raise errors.unreadable() from error
    said: dict[str, list[Said]] = {}
    for change in changes:
        said.setdefault(change.under, []).append(change.said)
    sources = _sources_under(sorted(said)) if said else {}
    for under, mine in said.items():
        if source := sources.get(under):
            _feed(*source, mine)
    # What stands under another post of the page is none of ours.
    return {"success": True}


@pages.post("/hooks/tiktok")
@up_to(lambda _settings: BODY_MAX)
def from_tiktok() -> ResponseReturnValue:
    """Something happened to an order of our shop at TikTok."""
    settings = current_app.extensions["soi"]
    if not settings.tiktok_app_secret:
        raise errors.not_set_up()
    body = request.get_data()
    given = request.headers.get("Authorization", "")
    if not tiktok.trusted(body, given, settings.tiktok_app_key, settings.tiktok_app_secret):
        raise errors.forged()
    try:
        notice = tiktok.notice(body)
    except Unreadable as error:
        raise errors.unreadable() from error
    if notice.order and notice.shop == settings.tiktok_shop:
        inbox.receive("tiktok", notice.id, body, {}, "order")
    return {"code": 0}


@pages.post("/hooks/live/<source_id>")
@up_to(lambda _settings: BODY_MAX)
def from_reader(source_id: str) -> ResponseReturnValue:
    """Comments from a comment reader, signed with its source's secret; what became of each."""
    body = request.get_data()
    secret = signed.secret_of(source_id, current_app.extensions["soi"].secret_key)
    stamp, given = request.headers.get("X-Soi-Timestamp", ""), request.headers.get("X-Soi-Signature", "")
    if not is_uuid(source_id) or not signed.trusted(secret, stamp, given, body, time.time()):
        raise errors.forged()
    query = select(LiveSource.state).join(LiveSession, LiveSession.id == LiveSource.session_id)
    state = db.session.scalar(query.where(LiveSource.id == source_id, LiveSource.kind == "webhook", wanted()))
    db.session.remove()
    if state is None:
        raise errors.source_stopped()
    return {"results": [_told(result) for result in _feed(source_id, state, _read(body))]}


def _read(body: bytes) -> list[Said]:
    try:
        sent = SentCommentsSchema().loads(body)["comments"]
    except ValidationError as error:
        message = _l("Danh sách lời nhắn chưa đúng khuôn.")
        raise BadInput("bad-comments", message, field="comments", problems=error.messages) from error
    except (ValueError, RecursionError) as error:
        raise errors.unreadable() from error
    return [_said(one) for one in sent]


def _said(one: dict[str, Any]) -> Said:
    author = one["author"] or {"id": "", "name": ""}
    return Said(one["id"], author["id"], author["name"] or "", one["text"] or "", one["at"], one["kind"])


def _told(result: Result) -> dict[str, Any]:
    """What a comment reader hears: no telephone number, and no key to anybody's order."""
    return {
        "id": result.id, "decision": result.decision.value, "reason": result.reason, "order": result.order,
        "lines": [line.as_json() for line in result.lines], "waiting": [line.as_json() for line in result.waiting],
    }  # fmt: skip


def _feed(source_id: str, state: SourceState, said: Sequence[Said]) -> list[Result]:
    results: list[Result] = []
    for at in range(0, len(said), COMMENTS_MAX):
        results += intake.feed(source_id, said[at : at + COMMENTS_MAX])
    if state != "running":
        note(source_id)
    return results


def _sources_under(numbers: Sequence[str]) -> dict[str, tuple[str, SourceState]]:
    """By a post's or video's number the source that reads it now, and its state."""
    rows = db.session.execute(
        select(LiveSource.id, LiveSource.state, LiveSource.external_id, LiveSource.alias)
        .join(LiveSession, LiveSession.id == LiveSource.session_id)
        .where(
            LiveSource.kind == "facebook", wanted(),
            or_(LiveSource.external_id.in_(numbers), LiveSource.alias.in_(numbers)),
        )
        .order_by(LiveSource.id)
    ).all()  # fmt: skip
    db.session.remove()
    return {number: (source_id, state) for source_id, state, *names in rows for number in names if number}


def _plain(word: str) -> bool:
    return 0 < len(word) <= CHALLENGE_MAX and word.isascii() and word.isalnum()


def _prepare(event: WebhookEvent) -> TikTokOrder | None:
    """Ask what the order is now: notices come late and out of order. None where no session takes it."""
    notice = tiktok.notice(event.body or b"")
    if not tiktok_orders.concerns_us(db.session(), notice.shop, notice.order):
        return None
    db.session.remove()
    with Shop(current_app.extensions["soi"]) as shop:
        return shop.order(notice.order)


def _act(session: Session, event: WebhookEvent, prepared: Any) -> Outcome:
    if prepared is None:
        return Outcome(Notice.IGNORED, "no session takes this shop's orders")
    row = tiktok_orders.take_in(session, tiktok.notice(event.body or b"").shop, prepared)
    if row is None:
        return Outcome(Notice.IGNORED, "no session takes this shop's orders")
    return Outcome(Notice.DONE, row.fault or row.status, row.order_id)


inbox.handles("tiktok", _act, _prepare)
