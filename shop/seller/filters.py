"""Which orders a seller asks for: read from an address, written back into one, kept by a job."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self, TypeVar, get_args

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from shop.orders.models import OPEN, Allocation, Channel, Order, OrderLine, PaymentState, Status
from shop.orders.steps import sold_by
from shop.stock import services as stock
from shop.stock.models import StockLot
from trace.gs1.lots import READABLE
from village import clock
from village.errors import BadInput
from village.forms import day
from village.ids import is_uuid
from village.people.access import Actor
from village.people.phones import normal_phone
from village.text import plain_letters

T = TypeVar("T")
Need = Literal["address", "lots"]
"""What stands in an open order's way: nobody knows where it goes, or its lots may not be sent."""
ALL = "all"
TEXT_MAX = 40
LATEST = 5_000
"""A name, or a telephone's end, is looked for among so many of the newest orders that the rest of the filter leaves."""
YEARS = range(2000, 2100)
PHONE_END = 3
"""Digits that name a telephone by its end."""
NUMBER_LENGTH = 6
"""Letters and digits of an order's number after its `BL-`."""


@dataclass(frozen=True)
class Filter:
    """What is asked for; empty fields narrow nothing. Days are the village's, both included."""

    status: Status | None = None
    payment: PaymentState | None = None
    channel: Channel | None = None
    product: str = ""
    lot: str = ""
    need: Need | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    text: str = ""

    @classmethod
    def from_query(cls, args: Mapping[str, str]) -> Self:
        """As an address has it; what cannot be read narrows nothing. Without any field: what was placed last."""
        found = cls(
            payment=_one_of(PaymentState, args.get("payment", "")),
            channel=_among(get_args(Channel), args.get("channel", "")),
            product=args.get("product", "") if is_uuid(args.get("product", "")) else "",
            lot=args.get("lot", "").strip()[:20],
            need=_among(get_args(Need), args.get("need", "")),
            first=_day(args.get("first", "")),
            last=_day(args.get("last", "")),
            text=args.get("q", "").strip()[:TEXT_MAX],
        )
        asked = args.get("status", "")
        if asked == "" and not found.narrowed:
            return replace(found, status=Status.PLACED)
        return replace(found, status=_one_of(Status, asked))

    @property
    def narrowed(self) -> bool:
        """True when it asks for more than a step."""
        return self != replace(type(self)(), status=self.status)

    def query(self, **changed: object) -> dict[str, str]:
        """For an address that asks for the same, but for what is `changed`."""
        values = {**asdict(self), **changed}
        values["status"] = values["status"] or ALL
        values["q"] = values.pop("text")
        return {key: str(value) for key, value in values.items() if value}

    def where(self, session: Session, who: Actor) -> list[ColumnElement[bool]]:
        """Conditions of the orders of `who`'s cooperative that it asks for. A name is looked up first."""
        found = [sold_by(who), *self._plain(session)]
        if self.first:
            found.append(Order.created_at >= _midnight(self.first))
        if self.last:
            found.append(Order.created_at < _midnight(self.last + dt.timedelta(days=1)))
        return [*found, _asked(session, self.text, found)] if self.text else found

    def _plain(self, session: Session) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.status:
            found.append(Order.status == self.status)
        if self.payment:
            found.append(Order.payment_state == self.payment)
        if self.channel:
            found.append(Order.channel == self.channel)
        if self.product:
            line = select(OrderLine.id).where(OrderLine.order_id == Order.id, OrderLine.product_id == self.product)
            found.append(line.exists())
        if self.lot:
            # A lot fills no more orders than it has packs, so they are found from there.
            lots = select(StockLot.batch_id).where(StockLot.lot.in_({self.lot, self.lot.upper()}))
            filled = select(OrderLine.order_id).join(Allocation, Allocation.order_line_id == OrderLine.id)
            found.append(Order.id.in_(filled.where(Allocation.batch_id.in_(lots))))
        if self.need:
            found += [
                Order.status.in_(OPEN),
                addressless() if self.need == "address" else Order.id.in_(stopped(session)),
            ]
        return found


def addressless() -> ColumnElement[bool]:
    """True for an order of which it is not known to whom or where."""
    return or_(Order.buyer_name.is_(None), Order.buyer_phone.is_(None), Order.buyer_address.is_(None))


def stopped(session: Session) -> Select[str]:
    """Ids of orders with packs still to be sent of lots that may not be. The lots are looked up first: they are few."""
    lots = session.scalars(select(StockLot.batch_id).where(StockLot.reserved > 0, ~stock.sellable())).all()
    filled = select(OrderLine.order_id).join(Allocation, Allocation.order_line_id == OrderLine.id)
    return filled.where(Allocation.batch_id.in_(lots), Allocation.units > Allocation.sent)


def _among(known: tuple[T, ...], text: str) -> T | None:
    return next((one for one in known if one == text), None)


def _one_of(kind: type[T], text: str) -> T | None:
    try:
        return kind(text)  # type: ignore[call-arg]
    except ValueError:
        return None


def _day(text: str) -> dt.date | None:
    try:
        found = day(text, "day")
    except BadInput:
        return None
    return found if found.year in YEARS else None


def _midnight(one: dt.date) -> dt.datetime:
    return dt.datetime.combine(one, dt.time(), clock.VN)


def _asked(session: Session, text: str, others: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """A telephone number or its end, an e-mail address, the beginning of an order's number, or a part of a name."""
    phone = normal_phone(text)
    if phone:
        return Order.buyer_phone == phone
    if "@" in text[1:]:
        return Order.buyer_email == text.lower()
    named = Order.id.in_(_named(session, text, others))
    number = text.upper().removeprefix("BL-").removeprefix("BL")
    if 0 < len(number) <= NUMBER_LENGTH and not set(number) - set(READABLE):
        # A range and no LIKE, which uses no index.
        low, high = (f"BL-{number.ljust(NUMBER_LENGTH, end)}" for end in (READABLE[0], READABLE[-1]))
        return named | Order.number.between(low, high)
    return named


def _named(session: Session, text: str, others: list[ColumnElement[bool]]) -> list[str]:
    """Ids of orders whose buyer's name has these letters, whatever marks stand on them, or whose number ends so."""
    letters = plain_letters(text)
    if not letters:
        return []
    end = letters if letters.isdigit() and len(letters) >= PHONE_END else None
    rows = session.execute(
        select(Order.id, Order.buyer_phone, Order.buyer_name, Order.live_author)
        .where(*others)
        .order_by(Order.id.desc())
        .limit(LATEST)
    )
    return [
        found
        for found, phone, *names in rows
        if (end and phone and phone.endswith(end)) or any(letters in plain_letters(name) for name in names if name)
    ]
