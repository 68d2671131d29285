"""Hands for the tests of recalls: lots that came of each other, also in another cooperative; orders at every step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shop.orders.models import Allocation, Order, OrderLine, Status
from shop.orders.services import Buyer, Wanted, place_in
from shop.recalls.models import RecallOrder
from shop.stock.models import StockLot
from tests.support.village import Village
from trace.events.models import Event
from trace.lots.models import Batch, Edge
from trace.recalls import services
from village import clock
from village.db import db, write
from village.errors import SoiError
from village.ids import uuid7
from village.outbox.models import Message
from village.people.models import Member
from village.places.models import Household, Site
from village.products.models import Product

PHONES = [f"+8491234{number:04d}" for number in range(1000, 2000)]


@contextmanager
def refused(slug: str) -> Iterator[None]:
    """Expect an error of this name."""
    with pytest.raises(SoiError) as caught:
        yield
    assert caught.value.slug == slug


def came_of(parent: str, child: str) -> None:
    """Say that `child` was made of `parent`, in one event for all of these, which stands on the log's first entry."""
    with write() as session:
        event = session.scalar(select(Event.id).where(Event.entry_index == 0)) or _event(session, child)
        session.add(Edge(child_id=child, parent_id=parent, event_id=event, grams=1))


def _event(session: Session, batch_id: str) -> str:
    one = session.get_one(Batch, batch_id)
    member = session.scalars(select(Member).where(Member.username == "producer")).one()
    event = Event(
        id=uuid7(), kind="transform", process="mien-dong", process_version=1, stage="x", name_vi="x", name_en="x",
        occurred_at=clock.now(), offset_minutes=420, recorded_at=clock.now(), site_id=one.site_id,
        household_id=one.household_id, member_id=member.id, entry_index=0,
    )  # fmt: skip
    session.add(event)
    session.flush()
    return event.id


def of_other_cooperative(batch_id: str) -> None:
    """Give a lot to the other cooperative's household."""
    with write() as session:
        home = session.scalars(select(Household).where(Household.name == "Hộ C")).one()
        site = session.scalars(select(Site).where(Site.name == "Nhà Hộ C")).one()
        batch = session.get_one(Batch, batch_id)
        batch.household_id, batch.cooperative_id, batch.site_id = home.id, home.cooperative_id, site.id


def ordered(product: Product, quantity: int, phone: str | None = PHONES[0], *, status: Status = Status.PLACED) -> str:
    """An order at some step; its id. What was sent has left stock and batch."""
    with write() as session:
        buyer = Buyer("Người Mua", phone, "Số 1 phố Thử")
        order = place_in(session, [Wanted(product.id, quantity)], buyer, channel="api")
        order.status = status
        session.flush()
        if status in (Status.DISPATCHED, Status.DELIVERED):
            for line in order.lines:
                for part in line.allocations:
                    _send(session, part)
        return order.id


def _send(session: Session, part: Allocation) -> None:
    part.sent = part.units
    session.execute(
        update(StockLot)
        .where(StockLot.batch_id == part.batch_id)
        .values(reserved=StockLot.reserved - part.units, sold=StockLot.sold + part.units)
    )
    session.execute(
        update(Batch).where(Batch.id == part.batch_id).values(left_units=Batch.left_units - part.units)
    )


def recall(village: Village, *batches: str, drill: bool = False, key: str | None = None, who: str = "office") -> Any:
    """Recall these as the office does."""
    return services.start(
        village.actor(who), batches, "Có mùi lạ khi mở gói.", drill=drill, idempotency_key=key or uuid7()
    )


def messages() -> Sequence[Message]:
    """Everything in the outbox."""
    db.session.rollback()
    return db.session.scalars(select(Message).order_by(Message.key)).all()


def reached() -> dict[tuple[str, str], str]:
    """The state of every order of every recall, by order and lot."""
    db.session.rollback()
    return {(row.order_id, row.batch_id): row.state.value for row in db.session.scalars(select(RecallOrder))}


def lots_in(order_id: str) -> set[str]:
    """The lots that fill an order now."""
    db.session.rollback()
    query = select(Allocation.batch_id).join(OrderLine, OrderLine.id == Allocation.order_line_id)
    return set(db.session.scalars(query.where(OrderLine.order_id == order_id)))


def order(order_id: str) -> Order:
    """An order, read afresh."""
    db.session.rollback()
    return db.session.get_one(Order, order_id, populate_existing=True)
