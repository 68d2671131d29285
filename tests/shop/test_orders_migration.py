"""Orders from before there were parcels and payments say in the new words what they were."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import select

from batches.stages.wanted import Take
from shop.orders import steps
from shop.orders.models import Order, OrderLine, PaymentState, Status
from tests.shop.hands import faults, numbers, row
from tests.shop.working import order, ordered, picked, send
from tests.support.village import Village
from village.db import db


def test_orders_of_an_older_version_are_brought_into_the_new_one(village: Village) -> None:
    lot = village.packs(units=20)
    product, seller = village.product("packs", 500), village.actor("seller")
    waiting, sent, done = ordered(product, 1), picked(village, product, 2), picked(village, product, 3)
    send(village, sent)
    steps.dispatch(seller, done)
    steps.deliver(seller, done)
    village.record("lose", inputs=(Take(lot, units=4),), facts={"reason": "spoilt"}, days_ago=1)
    before = numbers(lot), row(lot).lost
    assert before == ((10, 1, 5), 4)
    db.session.remove()
    downgrade(revision="0018")
    upgrade()
    assert (numbers(lot), row(lot).lost) == before
    assert faults() == []
    states = [(order(one).status, order(one).payment_state, order(one).paid) for one in (waiting, sent, done)]
    assert states == [
        (Status.PLACED, PaymentState.DUE, 0),
        (Status.DISPATCHED, PaymentState.DUE, 0),
        (Status.DELIVERED, PaymentState.PAID, order(done).total),
    ]
    assert len(db.session.scalars(select(OrderLine)).all()) == len(db.session.scalars(select(Order)).all()) == 3
    # It left before parcels were written down, and can still be brought to its end.
    steps.deliver(seller, sent)
    assert (order(sent).status, order(sent).paid) == (Status.DELIVERED, order(sent).total)
