"""Forgetting who bought: because she asks, or because its time is over. It cannot be taken back.

What was bought, of which lots, what it cost and when stays: the cooperative's books and a recall need it. Names,
telephone, addresses, everybody's words and what providers posted go, and on the ledger the salts behind the dispatches.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from shop.delivery.models import Shipment, ShipmentStep
from shop.live.models import LiveClaim, LiveComment, LiveDecision, LiveWait
from shop.mails.listening import ABOUT
from shop.orders.errors import no_order
from shop.orders.models import Order, OrderStep, Status
from shop.payments.bank.models import Transfer
from shop.payments.models import Payment, PaymentPuzzle, Refund, Standing, WebhookEvent
from shop.recalls.models import RecallOrder
from shop.refusals import keeping as refusals
from shop.refusals.models import CallFirst, ParcelAppeal, ParcelOutcome
from trace.ledger.erasure import BUYER, BUYER_ASKED, Pair, erase
from trace.ledger.models import Commitment
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.idempotency import IdempotencyKey
from village.outbox import erasing
from village.people.phones import normal_phone

FINISHED = (Status.DELIVERED, Status.CANCELLED)
LOTS_TOLD = ("reallocated", "returned", "lost")
"""Steps whose notes are lots and numbers, and nobody's words."""
TOUCHED = (Order, OrderStep, ShipmentStep, Refund, WebhookEvent, PaymentPuzzle, Transfer, LiveComment, LiveDecision,
           LiveWait, LiveClaim, Commitment, IdempotencyKey, ParcelOutcome, CallFirst, ParcelAppeal)  # fmt: skip
"""Tables that something is erased from; `scrub` wipes them off the disk. The outbox's own is the outbox's matter."""
_NUMBER = 9
"""Characters of an order's number, with which the text behind a commitment begins."""


def by_token(token: str) -> Order:
    """The order that this token opens; NotFound for any other."""
    order = db.session.scalar(select(Order).where(Order.token == token))
    if order is None:
        raise no_order()
    return order


def check_phone(order: Order, phone: str) -> None:
    """BadInput unless it is the telephone number of the order: a link may have been passed on, its number was not."""
    if order.buyer_phone and normal_phone(phone) != order.buyer_phone:
        raise BadInput("other-phone", _l("Số này không phải số điện thoại trong đơn."), field="phone")


def open_matter(session: Session, order: Order, finished: Sequence[Status] = FINISHED) -> str:
    """Why the order cannot be forgotten yet: `under-way`, `money` or `desk`; empty when it can be."""
    if order.status not in finished:
        return "under-way"
    due = 0 if order.status is Status.CANCELLED else order.total
    pending = select(Refund.id).where(Refund.order_id == order.id, Refund.state == Standing.PENDING).limit(1)
    if order.paid - order.refunded > due or session.scalar(pending) is not None:
        return "money"
    puzzle = select(PaymentPuzzle.id).where(PaymentPuzzle.order_id == order.id, PaymentPuzzle.resolved_at.is_(None))
    return "desk" if session.scalar(puzzle.limit(1)) is not None else ""


def forget(token: str, phone: str, sure: bool) -> Order:
    """Forget a buyer at her own wish. Done again, it changes nothing. BadInput without her telephone number or without
    the tick, Conflict while the order is not finished."""
    order = by_token(token)
    if order.forgotten_at is not None:
        return order
    check_phone(order, phone)
    if not sure:
        raise BadInput("not-sure", _l("Bác đánh dấu vào ô này thì mình mới xoá."), field="sure")
    pairs = commitments_of(db.session(), [order.number])
    with write(ledger=True) as session:
        order = session.scalars(select(Order).where(Order.token == token).with_for_update()).one()
        if open_matter(session, order):
            raise Conflict("order-open", _l("Đơn chưa xong hẳn nên chưa xoá được. Xong rồi bác quay lại đây nhé."))
        if order.forgotten_at is None:
            forget_in(session, [order], pairs, BUYER_ASKED)
        return order


def commitments_of(session: Session, numbers: Sequence[str]) -> list[Pair]:
    """What the ledger committed to of these orders' buyers. It reads the whole table, so call it before the log's lock
    is taken: a finished order gets no more."""
    begins = func.substr(Commitment.value, 1, _NUMBER + 1).in_([f"{number}\n" for number in numbers])
    found = session.scalars(select(Commitment.entry_index).where(Commitment.name == BUYER, begins))
    return [(index, BUYER) for index in found]


def forget_in(session: Session, orders: Sequence[Order], pairs: Sequence[Pair], reason: str) -> None:
    """Forget who bought these orders, in the caller's `write(ledger=True)`; `pairs` are their `commitments_of`."""
    ids = [order.id for order in orders]
    refusals.forget_in(session, orders)
    _forget_links(session, orders)
    for order in orders:
        _forget_answer(session, order)
        erasing.erase(session, ABOUT, order.id)
        order.buyer_name = order.buyer_phone = order.buyer_email = order.buyer_address = order.buyer_ward = None
        order.live_author, order.note, order.forgotten_at = None, "", clock.now()
    for message_id in session.scalars(
        select(RecallOrder.message_id).where(RecallOrder.order_id.in_(ids), RecallOrder.message_id.is_not(None))
    ).all():
        if message_id:
            erasing.erase_one(session, message_id)
    _forget_words(session, ids)
    _forget_comments(session, ids)
    session.flush()
    erase(session, pairs, reason)


def _forget_words(session: Session, ids: Sequence[str]) -> None:
    """What people noted beside these orders, and what providers posted of them."""
    own = Shipment.order_id.in_(ids)
    payments = select(Payment.id).where(Payment.order_id.in_(ids))
    for statement in (
        update(OrderStep).where(OrderStep.order_id.in_(ids), OrderStep.what.not_in(LOTS_TOLD)).values(note=""),
        update(ShipmentStep).where(ShipmentStep.shipment_id.in_(select(Shipment.id).where(own))).values(note=""),
        update(Refund).where(Refund.order_id.in_(ids)).values(reason=""),
        update(PaymentPuzzle).where(PaymentPuzzle.order_id.in_(ids)).values(memo="", note=""),
        update(WebhookEvent).where(WebhookEvent.order_id.in_(ids)).values(body=None, headers={}),
        update(Transfer).where(Transfer.payment_id.in_(payments)).values(memo=""),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def _forget_links(session: Session, orders: Sequence[Order]) -> None:
    """The short links into livestreams, but where another order of hers in the same one is still known."""
    ids = [order.id for order in orders]
    another = select(Order.id).where(
        Order.live_session_id == LiveClaim.session_id, Order.live_author == LiveClaim.author_id, Order.id.not_in(ids)
    )
    for order in orders:
        if order.live_author is not None:
            own = (LiveClaim.session_id == order.live_session_id, LiveClaim.author_id == order.live_author)
            gone = delete(LiveClaim).where(*own, ~another.exists())
            session.execute(gone.execution_options(synchronize_session=False))


def _forget_comments(session: Session, ids: Sequence[str]) -> None:
    """What was said in a livestream for these orders, and what was read out of it."""
    comments = select(LiveDecision.comment_id).where(LiveDecision.order_id.in_(ids))
    blank_comments(session, list(session.scalars(comments.distinct())))


def blank_comments(session: Session, comment_ids: Sequence[str]) -> None:
    """Nobody can tell any more who wrote these comments, nor what."""
    for comment in session.scalars(select(LiveComment).where(LiveComment.id.in_(comment_ids))):
        comment.author_id = comment.author_name = comment.text = ""
        comment.author_salt = comment.text_salt = None
    for decision in session.scalars(select(LiveDecision).where(LiveDecision.comment_id.in_(comment_ids))):
        decision.phone = None
        decision.lines = [_without_words(line) for line in decision.lines]
        decision.waiting = [_without_words(line) for line in decision.waiting]
        decision.suggested = [_without_words(line) for line in decision.suggested]
    waits = update(LiveWait).where(LiveWait.comment_id.in_(comment_ids)).values(because="")
    session.execute(waits.execution_options(synchronize_session=False))


def _without_words(line: dict[str, object]) -> dict[str, object]:
    return {**line, "because": ""}


def _forget_answer(session: Session, order: Order) -> None:
    """The digest of the request that placed it would confirm a guess."""
    near = dt.timedelta(hours=1)
    made = IdempotencyKey.created_at.between(order.created_at - near, order.created_at + near)
    scopes = or_(IdempotencyKey.scope == "orders", IdempotencyKey.scope.startswith("orders:"))
    mine = IdempotencyKey.answer["number"].as_string() == order.number
    statement = update(IdempotencyKey).where(made, scopes, mine).values(digest="")
    session.execute(statement.execution_options(synchronize_session=False))
