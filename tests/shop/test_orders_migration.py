"""Orders from before there were parcels and payments say in the new words what they were."""

import datetime as dt

from flask_migrate import downgrade, upgrade
from sqlalchemy import select

from batches.stages.wanted import Take
from shop.orders import steps
from shop.orders.models import Order, OrderLine, PaymentState, Status
from shop.orders.selling import sellers_of
from tests.shop.hands import faults, numbers, row, shelve
from tests.shop.working import of_several, order, ordered, picked, send
from tests.support.village import Village
from village import clock
from village.db import db, write


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
    sellers = {order(one).cooperative_id for one in (waiting, sent, done)}
    assert sellers == {seller.cooperative_id}
    db.session.remove()
    downgrade(revision="0018")
    upgrade()
    assert (numbers(lot), row(lot).lost) == before
    assert faults() == []
    assert {order(one).cooperative_id for one in (waiting, sent, done)} == sellers
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


def test_each_order_is_told_whose_it_is_and_an_old_one_of_several_sellers_stays_theirs(village: Village) -> None:
    for net in (500, 1000):
        shelve(village, 9, lot=f"L{net}", net=net)
    own = ordered(village.product("packs", 500), 1)
    both = of_several(village)
    late = clock.now() - dt.timedelta(days=40)
    with write() as session:
        steps.pay_in(session, session.get_one(Order, own), 1000, late)
    before = order(own).steps[-1].recorded_at
    db.session.remove()
    downgrade(revision="0025")
    upgrade()
    assert order(own).cooperative_id == village.actor("seller").cooperative_id
    assert order(both).cooperative_id is None
    assert len(sellers_of(db.session(), order(both))) == 2
    paid = order(own).steps[-1]
    assert (paid.at, paid.recorded_at >= before - dt.timedelta(minutes=1)) == (late, True)
