"""Cash at the door. A carrier that collected it owes it to the cooperative until it is there, and only then has the
order been paid: that is settled here, parcel by parcel, against a statement. By hand both are one."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from shop.delivery.models import Shipment
from shop.orders import steps
from shop.orders.models import Delivery, Order
from shop.payments.services import cash_in
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.forms import whole_number
from village.i18n import lazy_gettext as _l
from village.i18n import number
from village.people.access import Actor, wrong_role
from village.text import clean_line

SHOWN = 200
LINES_MAX = 500
AMOUNT_MAX = 10**10
_LINE = re.compile(r"\s*(?P<tracking>[A-Za-z0-9_-]{4,40})\s*[;,\t ]\s*(?P<amount>\d[\d. ]{0,18})\s*(?:đ|VND)?\s*")


@dataclass(frozen=True)
class Owed:
    """What one carrier has collected and not handed over."""

    carrier: Delivery
    amount: int
    """Đồng."""
    parcels: Sequence[Shipment]
    """Oldest first, at most SHOWN of them."""
    count: int


@dataclass(frozen=True)
class Line:
    """One line of a carrier's statement."""

    tracking: str
    amount: int


@dataclass(frozen=True)
class Settled:
    """What a statement settled, and what a person has to ask about."""

    count: int
    amount: int
    unknown: tuple[Line, ...] = ()
    """No parcel of ours, or of which nothing was collected."""
    before: tuple[Line, ...] = ()
    """Settled earlier already."""
    differing: tuple[tuple[Line, int], ...] = ()
    """The statement's amount is not what was collected (the second one). These stay owed."""


def collected_in(session: Session, shipment: Shipment, amount: int, at: dt.datetime) -> None:
    """Cash was taken at the door, in đồng. What a seller took herself is with the cooperative at once."""
    shipment.cod_collected = amount
    if amount and shipment.carrier == "hand":
        _come_in(session, shipment, at, "")


def _come_in(session: Session, shipment: Shipment, at: dt.datetime, reference: str) -> None:
    """The money of a parcel is here: its order has been paid so much. What it no longer costs goes to the desk."""
    shipment.cod_settled_at, shipment.cod_reference = at, reference
    order = session.get_one(Order, shipment.order_id)
    cash_in(session, order, shipment.cod_collected, at, shipment.tracking or f"{order.number}/{shipment.number}")


def owed(actor: Actor) -> list[Owed]:
    """By carrier, what is still to come to the actor's cooperative."""
    _authorise(actor)
    open_ones = _open(actor)
    sums = db.session.execute(
        select(Shipment.carrier, func.sum(Shipment.cod_collected), func.count())
        .join(Order).where(*open_ones).group_by(Shipment.carrier).order_by(Shipment.carrier)
    ).all()  # fmt: skip
    found: list[Owed] = []
    for carrier, amount, count in sums:
        parcels = db.session.scalars(
            select(Shipment).join(Order).where(*open_ones, Shipment.carrier == carrier)
            .options(joinedload(Shipment.order)).order_by(Shipment.delivered_at, Shipment.id).limit(SHOWN)
        ).all()  # fmt: skip
        found.append(Owed(carrier, int(amount), parcels, count))
    return found


def settle(actor: Actor, shipment_ids: Sequence[str], total: object, reference: object) -> Settled:
    """The money of these parcels is here: `total` đồng under `reference`. BadInput unless they add up to it.

    Conflict when one of them was settled by somebody else meanwhile: then nothing is settled.
    """
    _authorise(actor)
    said = clean_line(reference, "reference", 60)
    money = whole_number(total, "total", 1, AMOUNT_MAX)
    ids = list(dict.fromkeys(shipment_ids))[:LINES_MAX]
    if not ids:
        raise BadInput("no-parcels", _l("Bác đánh dấu những kiện đã nộp tiền nhé."), field="parcel")
    with write() as session:
        rows = _lock(session, actor, Shipment.id.in_(ids))
        open_ones = [row for row in rows if row.cod_collected and row.cod_settled_at is None]
        if len(open_ones) != len(ids):
            raise Conflict("settled-before", _l("Có kiện vừa được ghi nhận xong rồi. Bác mở lại trang xem nhé."))
        come = sum(row.cod_collected for row in open_ones)
        if come != money:
            raise BadInput(
                "sum-differs",
                _l("Các gói bác chọn cộng lại %(come)s đ, còn tiền nhận được ghi %(money)s đ, lệch %(off)s đ."),
                field="total", come=number(come), money=number(money), off=number(abs(come - money)),
            )  # fmt: skip
        for row in open_ones:
            _come_in(session, row, clock.now(), said)
        return Settled(len(open_ones), come)


def settle_statement(actor: Actor, carrier: Delivery, text: object, reference: object) -> Settled:
    """A carrier's statement, a parcel's number and an amount on each line. What agrees is settled, the rest is told."""
    _authorise(actor)
    said = clean_line(reference, "reference", 60)
    lines = read_statement(text)
    with write() as session:
        rows = _lock(session, actor, Shipment.tracking.in_([line.tracking for line in lines]))
        known = {row.tracking: row for row in rows if row.carrier == carrier}
        unknown: list[Line] = []
        before: list[Line] = []
        differing: list[tuple[Line, int]] = []
        agreed: list[Shipment] = []
        for line in lines:
            row = known.get(line.tracking)
            if row is None or not row.cod_collected:
                unknown.append(line)
            elif row.cod_settled_at is not None:
                before.append(line)
            elif row.cod_collected != line.amount:
                differing.append((line, row.cod_collected))
            else:
                agreed.append(row)
        for row in agreed:
            _come_in(session, row, clock.now(), said)
        come = sum(row.cod_collected for row in agreed)
        return Settled(len(agreed), come, tuple(unknown), tuple(before), tuple(differing))


def read_statement(text: object) -> list[Line]:
    """The lines of a pasted statement; BadInput that names the first line that cannot be read, or that comes twice."""
    rows = [row for row in str(text or "")[:100_000].splitlines() if row.strip()]
    if not rows:
        raise BadInput("no-lines", _l("Bác dán bảng kê vào đây nhé."), field="statement")
    if len(rows) > LINES_MAX:
        raise BadInput("too-many-lines", _l("Mỗi lần nhiều nhất %(max)s dòng."), field="statement", max=LINES_MAX)
    lines: dict[str, Line] = {}
    for at, row in enumerate(rows, start=1):
        found = _LINE.fullmatch(row)
        if found is None or found["tracking"] in lines:
            raise BadInput(
                "bad-line", _l("Dòng %(number)s chưa đọc được: mỗi dòng một mã vận đơn và một số tiền, không lặp lại."),
                field="statement", number=at,
            )  # fmt: skip
        amount = int(re.sub(r"\D", "", found["amount"]))
        lines[found["tracking"]] = Line(found["tracking"], amount)
    return list(lines.values())


def _lock(session: Session, actor: Actor, which: ColumnElement[bool]) -> Sequence[Shipment]:
    """These parcels of the actor's cooperative, ours to the transaction's end; after their orders, as everywhere."""
    mine = select(Shipment).join(Order).where(which, steps.sold_by(actor))
    orders = select(Order.id).where(Order.id.in_(mine.with_only_columns(Shipment.order_id))).order_by(Order.id)
    session.execute(orders.with_for_update())
    query = mine.order_by(Shipment.id).with_for_update(of=Shipment).execution_options(populate_existing=True)
    return session.scalars(query).all()


def _open(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return steps.sold_by(actor), Shipment.cod_collected > 0, Shipment.cod_settled_at.is_(None)


def _authorise(actor: Actor) -> None:
    if not actor.has(*steps.WORKERS):
        raise wrong_role()
