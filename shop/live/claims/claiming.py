"""A viewer makes her order whole: where it goes, how it is brought and paid. Each function owns its transaction."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.live.claims.errors import no_claim, offer_gone, order_changed
from shop.live.claims.keys import is_unclaimed
from shop.live.claims.page import still_open
from shop.live.models import LiveClaim, LiveComment, LiveOffer, LiveWait
from shop.live.offers import taken
from shop.orders.arranging import arrange_in
from shop.orders.guests import known_by
from shop.orders.models import Delivery, Order, Payment, Status
from shop.orders.services import Buyer, set_buyer_in
from shop.refusals import services as refusals
from village import clock
from village.db import write


@dataclass(frozen=True)
class Wish:
    """What she filled in, clean already."""

    order_id: str
    """The order that her page showed."""
    goods: int | None
    """What the page said that its goods cost, in đồng; None where it said nothing."""
    buyer: Buyer
    delivery: Delivery
    delivery_fee: int
    """Đồng."""
    payment: Payment
    note: str = ""
    language: str = "vi"
    network: str | None = None
    """From where she acts."""


def fill(code: str, wish: Wish) -> Order:
    """Write her wish into her order; packs that were only offered are taken with it.

    Sent twice it is done once. Conflict when the order is not what her page showed any more, or cannot be paid so
    (`pay-ahead`: not in cash, see `shop.refusals.services`).
    """
    with refusals.asked_seldom(known_by(wish.network)), write() as session:
        claim = claim_of(session, code)
        order = _hers(session, claim, wish.order_id)
        if order.sendable:
            return order
        goods = order.total - order.delivery_fee
        if not is_unclaimed(order) or (wish.goods is not None and wish.goods != goods):
            raise order_changed()
        set_buyer_in(session, order, wish.buyer)
        arrange_in(
            session, order, delivery=wish.delivery, delivery_fee=wish.delivery_fee, payment=wish.payment,
            note=wish.note, language=wish.language,
        )  # fmt: skip
        refusals.heed_in(session, order)
        taken(session, order)
        claim.until, claim.claimed_at = None, clock.now()
        return order


def accept(code: str, wait_id: str) -> None:
    """She says yes to packs that came back. Conflict when their time is over."""
    with write() as session:
        claim = claim_of(session, code)
        orders = orders_of(session, claim)
        found = session.scalars(
            select(LiveOffer)
            .join(LiveOffer.wait)
            .join(LiveWait.comment)
            .where(LiveOffer.wait_id == wait_id, LiveComment.author_id == claim.author_id)
            .where(*still_open(claim.session_id))
        ).one_or_none()
        if found is None:
            raise offer_gone()
        order = next((order for order in orders if order.id == found.order_id), None)
        if order is None:
            raise offer_gone()
        taken(session, order)


def leave_address(code: str, mail: str) -> None:
    """She wants to be reminded at this address (clean already) before her time is over. Conflict when nothing waits."""
    with write() as session:
        for order in orders_of(session, claim_of(session, code)):
            if is_unclaimed(order):
                order.buyer_email = mail
                return
        raise order_changed()


def claim_of(session: Session, code: str) -> LiveClaim:
    """The claim of a link. It is not held: whoever changes it holds her orders, which the room takes first too."""
    claim = session.get(LiveClaim, code)
    if claim is None:
        raise no_claim()
    return claim


def orders_of(session: Session, claim: LiveClaim) -> list[Order]:
    """Her orders of this session that were not cancelled, held, the newest first."""
    mine = (Order.live_session_id == claim.session_id, Order.live_author == claim.author_id)
    # In the order of the ids, as a room takes them.
    query = select(Order).where(*mine, Order.status != Status.CANCELLED).order_by(Order.id)
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))[::-1]


def _hers(session: Session, claim: LiveClaim, order_id: str) -> Order:
    found = next((order for order in orders_of(session, claim) if order.id == order_id), None)
    if found is None:
        raise order_changed()
    return found
