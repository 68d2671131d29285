"""TikTok Shop's orders taken over into a session: their packs kept like any others, or a person told that they cannot.

What TikTok sold counts as the session's: it comes out of what was set aside for its code, and within the code's limit.
TikTok asks for the money and sends the parcel's label; our order says what has to be packed, and from which lots.
"""

from collections.abc import Sequence

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.live.errors import no_session
from shop.live.models import LiveCode, LiveForeignOrder, LiveHold, LiveSession, LiveSource
from shop.live.room import LimitReached, Room, hold, within_limit
from shop.live.services import authorised, normal_code
from shop.live.sources import errors
from shop.live.sources.faults import SourceFault
from shop.live.sources.services import add_in, offered, wanted
from shop.live.sources.tiktok.shop import Shop
from shop.live.sources.tiktok.told import CANCELLED, PLATFORM, UNPAID, TikTokOrder
from shop.live.texts import name_of
from shop.orders.models import NEW, QUANTITY_MAX, Order, Status
from shop.orders.money import pay_in, refund_in
from shop.orders.services import Buyer, Wanted, cancel_in, place_in
from shop.stock import aside
from shop.stock.errors import OutOfStock
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.i18n import marked
from village.ids import is_uuid, uuid7
from village.people.access import Actor

NO_STOCK, LIMIT, UNKNOWN, NOT_OURS, LEFT = "no-stock", "limit", "unknown-product", "not-sellable", "cancelled-late"
"""Why an order of theirs needs a person."""
SEEN = "by-hand"
"""A person has seen to it."""
NOTE = marked("TikTok đã huỷ đơn này.")
AUTHOR = "tiktok-order:"
"""Before the order's number: whose order it is, where no viewer's number is known."""


def connect(actor: Actor, session_id: str) -> str:
    """Take the shop's orders over into this session; the source's id. Conflict while another session does."""
    authorised(db.session(), actor, session_id)
    if not offered(actor)["tiktok"]:
        raise errors.not_set_up()
    with write() as session:
        live = authorised(session, actor, session_id)
        return add_in(session, live, "tiktok", external_id=current_app.extensions["soi"].tiktok_shop).id


def source_for(session: Session, shop: str) -> LiveSource | None:
    """The source into which a shop's orders go now: that of its newest session which takes something."""
    query = select(LiveSource).join(LiveSession, LiveSession.id == LiveSource.session_id)
    query = query.where(LiveSource.kind == "tiktok", LiveSource.external_id == shop, wanted())
    return session.scalars(query.order_by(LiveSession.id.desc()).limit(1)).first()


def concerns_us(session: Session, shop: str, order_id: str) -> bool:
    """True for an order that we know, or that a session would take."""
    known = select(LiveForeignOrder.id).where(
        LiveForeignOrder.platform == PLATFORM, LiveForeignOrder.external_id == order_id
    )
    return session.scalar(known) is not None or source_for(session, shop) is not None


def take_in(session: Session, shop: str, told: TikTokOrder) -> LiveForeignOrder | None:
    """Take over what TikTok says of an order, inside the caller's transaction. What is known already changes nothing.

    None for an order of a shop whose orders no session takes.
    """
    known = select(LiveForeignOrder).where(
        LiveForeignOrder.platform == PLATFORM, LiveForeignOrder.external_id == told.id
    )
    row = session.scalar(known)
    source = session.get_one(LiveSource, row.source_id) if row else source_for(session, shop)
    if source is None:
        return None
    live = hold(session, source.session_id)
    row = session.scalar(known.execution_options(populate_existing=True))
    if row is None:
        row = LiveForeignOrder(
            id=uuid7(), session_id=live.id, source_id=source.id, platform=PLATFORM, external_id=told.id,
            status=told.status, lines=[], fault="",
        )  # fmt: skip
        session.add(row)
    row.status, row.updated_at = told.status, clock.now()
    _follow(session, live, row, told)
    session.flush()
    return row


def try_again(actor: Actor, session_id: str, foreign_id: str) -> LiveForeignOrder:
    """Ask TikTok once more about an order that needs a person, and take it over as far as it now goes."""
    row = _of(actor, session_id, foreign_id)
    settings = current_app.extensions["soi"]
    external_id = row.external_id
    db.session.remove()
    try:
        with Shop(settings) as shop:
            told = shop.order(external_id)
    except SourceFault as fault:
        raise errors.platform_silent() from fault
    with write() as session:
        authorised(session, actor, session_id)
        found = session.get_one(LiveForeignOrder, foreign_id)
        if found.fault != SEEN:
            found.fault = ""
        done = take_in(session, settings.tiktok_shop, told)
        assert done is not None
        return done


def seen_to(actor: Actor, session_id: str, foreign_id: str) -> None:
    """A person has seen to it in TikTok's own pages: nothing more is tried."""
    with write() as session:
        authorised(session, actor, session_id)
        row = _of(actor, session_id, foreign_id)
        session.get_one(LiveForeignOrder, row.id).fault = SEEN


def in_doubt(session: Session, session_id: str) -> Sequence[LiveForeignOrder]:
    """Orders of a session that need a person, oldest first."""
    return session.scalars(
        select(LiveForeignOrder)
        .where(LiveForeignOrder.session_id == session_id, LiveForeignOrder.fault.not_in(("", SEEN)))
        .order_by(LiveForeignOrder.id)
        .limit(50)
    ).all()


def _of(actor: Actor, session_id: str, foreign_id: str) -> LiveForeignOrder:
    live = authorised(db.session(), actor, session_id)
    found = db.session.get(LiveForeignOrder, foreign_id) if is_uuid(foreign_id) else None
    if found is None or found.session_id != live.id:
        raise no_session()
    return found


def _follow(session: Session, live: LiveSession, row: LiveForeignOrder, told: TikTokOrder) -> None:
    if told.status == CANCELLED:
        _cancel(session, live, row)
        return
    if row.order_id is None and not row.fault and told.status != UNPAID:
        _place(session, live, row, told)
    if row.order_id is not None and told.paid_at is not None and not told.cod:
        order = session.get_one(Order, row.order_id)
        if not order.paid and order.status is not Status.CANCELLED:
            pay_in(session, order, order.total, told.paid_at)


def _place(session: Session, live: LiveSession, row: LiveForeignOrder, told: TikTokOrder) -> None:
    found = [(_code(live, item.sku), item) for item in told.items]
    row.lines = [
        {"code": code.code if code else item.sku, "quantity": item.quantity, "price": item.price}
        for code, item in found
    ]
    codes = [code for code, _ in found if code is not None]
    if len(codes) < len(found):
        row.fault = UNKNOWN
        return
    if any(item.price < 1 or item.quantity > QUANTITY_MAX for item in told.items):
        row.fault = NOT_OURS
        return
    # First whoever waits gets what came back, and what was cancelled elsewhere leaves the limits.
    room = Room(session, live)
    room.enter((), {code.code for code in codes})
    room.settle()
    try:
        with session.begin_nested():
            row.order_id = _ours(session, live, told, codes).id
    except LimitReached:
        row.fault = LIMIT
    except OutOfStock:
        row.fault = NO_STOCK
    except (BadInput, Conflict):
        row.fault = NOT_OURS


def _ours(session: Session, live: LiveSession, told: TikTokOrder, codes: Sequence[LiveCode]) -> Order:
    packs: dict[str, int] = {}
    for code, item in zip(codes, told.items, strict=True):
        packs[code.id] = packs.get(code.id, 0) + item.quantity
    for code in {code.id: code for code in codes}.values():
        if within_limit(code, packs[code.id]) < packs[code.id]:
            raise LimitReached
        aside.open_up(session, code.id, code.product_id, packs[code.id])
        code.taken += packs[code.id]
    wanted_lines = [
        Wanted(code.product_id, item.quantity, item.price) for code, item in zip(codes, told.items, strict=True)
    ]
    order = place_in(
        session, wanted_lines, Buyer(name_of(told.buyer)), channel="live", note=f"TikTok Shop {told.id}",
        live_session_id=live.id, live_author=AUTHOR + told.id,
    )  # fmt: skip
    session.add_all(LiveHold(order_id=order.id, code_id=code_id, quantity=count) for code_id, count in packs.items())
    session.flush()
    return order


def _code(live: LiveSession, sku: str) -> LiveCode | None:
    """What an article number of theirs means here: the session's code, or the product's GTIN."""
    name, digits = normal_code(sku), sku.zfill(14)
    by_code = next((code for code in live.codes if code.code == name), None)
    return by_code or next((code for code in live.codes if code.product.gtin == digits), None)


def _cancel(session: Session, live: LiveSession, row: LiveForeignOrder) -> None:
    if row.order_id is None:
        # Nothing was kept for it, so nothing needs a person any more.
        row.fault = ""
        return
    order = session.get_one(Order, row.order_id)
    if order.status is Status.CANCELLED:
        return
    # The lots are taken hold of in the one order before packs go back to some of them.
    codes = {str(line["code"]) for line in row.lines}
    room = Room(session, live)
    room.enter((), codes)
    room.settle()
    try:
        with session.begin_nested():
            cancel_in(session, order.id, note=NOTE, sources=NEW)
            if order.paid > order.refunded:
                # TikTok had her money, and gives it back itself.
                refund_in(session, order, order.paid - order.refunded)
    except Conflict:
        row.fault = LEFT
        return
    # What it held goes back into the session's limits, and to whoever waits.
    Room(session, live).enter((), codes)


FAULTS = {
    NO_STOCK: _l("Không còn đủ gói cho đơn này. Bác báo khách, hoặc huỷ bên TikTok."),
    LIMIT: _l("Mã này đã bán hết số định trong phiên. Bác tăng giới hạn rồi thử lại, hoặc huỷ bên TikTok."),
    UNKNOWN: _l("Trong đơn có món phiên này không bán, hay mã hàng bên TikTok chưa trùng mã của phiên."),
    NOT_OURS: _l("Đơn có món tặng, hay số lượng mình không nhận. Bác soạn riêng đơn này."),
    LEFT: _l("TikTok huỷ, mà hàng đã đi rồi. Bác gọi bên giao hàng lấy lại."),
}
