"""A viewer's order of one session goes along in the parcel of another session's."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.cart.services import CartLine
from shop.live.claims.claiming import claim_of, orders_of
from shop.live.claims.errors import cannot_join
from shop.live.models import LiveClaim, LiveCode, LiveHold, LiveJoined
from shop.live.offers import taken
from shop.live.room import hold, joinable
from shop.orders.arranging import arrange_in
from shop.orders.cancelling import cancel_in
from shop.orders.desk import desk
from shop.orders.lines import add_up, allocate
from shop.orders.models import LINES_MAX, QUANTITY_MAX, Order, OrderLine, Status
from shop.orders.moving import record
from shop.orders.services import Buyer, set_buyer_in
from shop.stock.services import Part
from village import clock
from village.db import db, write
from village.i18n import marked

JOINED = marked("Đơn này gửi chung với đơn của phiên live khác.")
"""The note of such a cancellation: a message's name, translated where it is shown."""


def join(code: str, other: str) -> Order:
    """Put what the link `other` has into the order of the link `code`; both are hers who holds them.

    The order that it joins is gone then, with its own delivery fee. An address that was given for one of them is the
    address of both. Its packs stay counted in their own session, until the order that they joined is cancelled
    (`give_back_cancelled`). Conflict with the reason when they cannot be one.
    """
    with write() as session:
        into, source = claim_of(session, code), claim_of(session, other)
        if into.session_id == source.session_id:
            raise cannot_join("same")
        # Sessions first, then orders, each in one order: as the rooms do, and so that two joins do not wait crosswise.
        both = sorted((into.session_id, source.session_id))
        lives = {session_id: hold(session, session_id) for session_id in both}
        here, there = lives[into.session_id], lives[source.session_id]
        if here.cooperative_id != there.cooperative_id:
            raise cannot_join("other-seller")
        if there.status != "ended":
            raise cannot_join("running")
        target, goes = _joinable(session, into, "nothing-here"), _joinable(session, source, "nothing-there")
        _together(session, target, goes)
        source.until, source.claimed_at, source.joined = None, clock.now(), into.code
        if target.sendable:
            into.until, into.claimed_at = None, clock.now()
        return target


def _joinable(session: Session, claim: LiveClaim, why_not: str) -> Order:
    for order in orders_of(session, claim):
        if joinable(order):
            return order
    raise cannot_join(why_not)


def _together(session: Session, target: Order, goes: Order) -> None:
    for order in (target, goes):
        taken(session, order)
    addressed = target if target.sendable else goes if goes.sendable else None
    delivery = addressed.delivery if addressed else target.delivery
    if addressed is goes:
        buyer = Buyer(
            goes.buyer_name, goes.buyer_phone, goes.buyer_address, goes.buyer_email, goes.buyer_ward,
            goes.buyer_province,
        )  # fmt: skip
        set_buyer_in(session, target, buyer)
    for line in list(goes.lines):
        _move(target, goes, line)
    if len(target.lines) > LINES_MAX or any(line.quantity > QUANTITY_MAX for line in target.lines):
        raise cannot_join("too-much")
    _move_holds(session, target, goes)
    goes.delivery_fee = 0
    add_up(goes)
    add_up(target)
    if addressed is not None:
        lines = [CartLine(line.product_id, line.quantity, None) for line in target.lines]
        offered = desk(str(target.cooperative_id), lines, target.buyer_province or "", target.buyer_ward or "")
        way = offered.way(delivery)
        if way is None:
            raise cannot_join("not-delivered")
        arrange_in(session, target, delivery=way.key, delivery_fee=way.fee, note=target.note or goes.note)
    record(target, "changed", None)
    cancel_in(session, goes.id, note=JOINED, sources=(Status.PLACED,))


def _move(target: Order, goes: Order, line: OrderLine) -> None:
    """A line with its packs; into the line that has the same product at the same price, where there is one."""
    goes.lines.remove(line)
    same = (one for one in target.lines if (one.product_id, one.unit_price) == (line.product_id, line.unit_price))
    into = next(same, None)
    if into is None:
        line.position = max((one.position + 1 for one in target.lines), default=0)
        target.lines.append(line)
        return
    into.quantity += line.quantity
    allocate(into, [Part(part.batch_id, part.lot, part.units) for part in line.allocations])


def _move_holds(session: Session, target: Order, goes: Order) -> None:
    """What its own session has counted for it stays counted, under the order that has it now."""
    session.flush()
    moving: Counter[str] = Counter()
    holds = session.scalars(select(LiveHold).where(LiveHold.order_id == goes.id)).all()
    for row in (*holds, *session.scalars(select(LiveJoined).where(LiveJoined.order_id == goes.id))):
        moving[row.code_id] += row.quantity
        session.delete(row)
    session.flush()
    own = set(session.scalars(select(LiveCode.id).where(LiveCode.session_id == target.live_session_id)))
    for code_id, packs in sorted(moving.items()):
        there: LiveHold | LiveJoined | None
        table, key = LiveHold if code_id in own else LiveJoined, (target.id, code_id)
        there = session.get(LiveHold, key) if code_id in own else session.get(LiveJoined, key)
        if there is not None:
            there.quantity += packs
        elif packs:
            session.add(table(order_id=target.id, code_id=code_id, quantity=packs))
    session.flush()


def give_back_cancelled() -> None:
    """Orders that others had joined, and that were cancelled since, count in those others' sessions no more. Called
    every few seconds by the jobs' sweeper; each session in a transaction of its own.

    A room counts back its own orders' packs only, and may not wait for another session's row.
    """
    over = select(LiveCode.session_id).join(LiveJoined, LiveJoined.code_id == LiveCode.id)
    over = over.join(Order, Order.id == LiveJoined.order_id).where(Order.status == Status.CANCELLED)
    with db.engine.connect() as connection:
        due = sorted(set(connection.scalars(over)))
    for session_id in due:
        with write() as session:
            own = {code.id: code for code in hold(session, session_id).codes}
            rows = select(LiveJoined).join(Order, Order.id == LiveJoined.order_id)
            for row in session.scalars(rows.where(LiveJoined.code_id.in_(own), Order.status == Status.CANCELLED)).all():
                own[row.code_id].taken -= row.quantity
                session.delete(row)
