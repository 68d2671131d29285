"""Packs leave in one parcel or several, arrive, come back or are lost; what never left can still be called off."""

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from shop.delivery.models import DeliveryState, Shipment
from shop.orders import steps
from shop.orders.lines import waiting_of
from shop.orders.models import PaymentState, Status
from shop.orders.sending import buyer_text
from shop.orders.services import Buyer
from shop.recalls.models import Reached, RecallOrder
from shop.recalls.services import of_order, stopped_orders
from tests.shop.hands import at_once, faults, numbers, row, shelve
from tests.shop.recalling import recall
from tests.shop.working import arrive, order, ordered, part, pay, picked, send, take_back, take_transfers, told
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger.models import Commitment
from village.db import db
from village.errors import BadInput, Conflict, Forbidden, NotFound
from village.ids import uuid7


def events(kind: str) -> Sequence[Event]:
    db.session.rollback()
    return db.session.scalars(select(Event).where(Event.kind == kind).order_by(Event.entry_index)).all()


def committed(event: Event) -> list[Commitment]:
    query = select(Commitment).where(Commitment.entry_index == event.entry_index, Commitment.name == "buyer")
    return list(db.session.scalars(query))


def test_an_order_leaves_in_two_parcels_each_with_its_own_event_and_salt(village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    first = send(village, order_id, [part(order_id, 2)])
    assert order(order_id).status is Status.PARTLY_DISPATCHED
    assert numbers(lot) == (7, 3, 2)
    assert [part.units for part in waiting_of(order(order_id))] == [3]
    second = send(village, order_id)
    assert order(order_id).status is Status.DISPATCHED
    assert (numbers(lot), village.batch(lot).left_units) == ((7, 0, 5), 7)
    one, other = events("dispatch")
    assert [event.parts[0].units for event in (one, other)] == [2, 3]
    assert [db.session.get_one(Shipment, key).event_id for key in (first, second)] == [one.id, other.id]
    (salted,), (again,) = committed(one), committed(other)
    assert salted.value == again.value == buyer_text(order(order_id))
    assert salted.salt != again.salt
    assert [db.session.get_one(Shipment, key).number for key in (first, second)] == [1, 2]
    arrive(first)
    assert order(order_id).status is Status.DISPATCHED
    arrive(second)
    arrive(second)
    assert order(order_id).status is Status.DELIVERED
    assert told(order_id)[3:] == ["partly_dispatched", "dispatched", "arrived", "delivered"]
    assert faults() == []


def test_the_same_parcel_twice_is_one_and_another_orders_is_refused(village: Village) -> None:
    lot = village.packs(units=12)
    product = village.product("packs", 500)
    order_id, other = picked(village, product, 2), picked(village, product, 2)
    key = uuid7()
    assert send(village, order_id, shipment_id=key) == send(village, order_id, shipment_id=key) == key
    assert numbers(lot) == (8, 2, 2)
    with pytest.raises(Conflict, match="đơn khác"):
        send(village, other, shipment_id=key)
    assert order(other).status is Status.PICKED


def test_two_sellers_cannot_send_one_order_twice(app: Flask, village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 4)
    results = at_once(app, 4, lambda: steps.dispatch(village.actor("seller"), order_id).status)
    assert results.count(Status.DISPATCHED) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert numbers(lot) == (8, 0, 4)
    assert db.session.scalar(select(func.count()).select_from(Shipment)) == 1


@pytest.mark.parametrize("units", [0, -1, 6, True, 1.0, "2"])
def test_a_parcel_holds_only_packs_that_the_order_has(village: Village, units: Any) -> None:
    village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    with pytest.raises(BadInput):
        send(village, order_id, [part(order_id, units)])
    line, batch, _ = part(order_id, 1)
    for strange in ([], [(line, uuid7(), 1)], [(uuid7(), batch, 1)], [(line, batch, 3), (line, batch, 3)]):
        with pytest.raises(BadInput):
            send(village, order_id, strange)
    assert order(order_id).status is Status.PICKED


def test_what_has_not_left_is_cancelled_and_the_order_costs_what_has(village: Village) -> None:
    lot = village.packs(units=12)
    product = village.product("packs", 500)
    order_id = picked(village, product, 5)
    parcel = send(village, order_id, [part(order_id, 2)])
    seller = village.actor("seller")
    assert steps.cancel(seller, order_id, "Mẻ sau chưa kịp").status is Status.DISPATCHED
    left = order(order_id)
    assert (left.total, left.lines[0].quantity) == (2 * (product.price or 0), 2)
    assert numbers(lot) == (10, 0, 2)
    assert told(order_id)[-2:] == ["partly_dispatched", "rest_cancelled"]
    with pytest.raises(Conflict):
        steps.cancel(seller, order_id, "Lần nữa")
    arrive(parcel)
    assert order(order_id).status is Status.DELIVERED
    assert faults() == []


def test_packs_that_come_back_are_sold_again_and_the_ledger_tells_of_it(village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    parcel = send(village, order_id)
    arrive(parcel)
    take_back(village, order_id, [(*part(order_id, 2), "resell"), (*part(order_id, 1), "lost")])
    assert numbers(lot) == (9, 0, 2)
    assert (row(lot).lost, village.batch(lot).left_units) == (1, 9)
    (back,) = [event for event in events("observe") if event.stage == "return"]
    assert (back.parts[0].units, back.parts[0].part) == (2, "about")
    assert told(order_id)[-2:] == ["returned", "lost"]
    assert order(order_id).status is Status.DELIVERED
    with pytest.raises(BadInput):
        take_back(village, order_id, [(*part(order_id, 3), "resell")])
    with pytest.raises(BadInput):
        take_back(village, order_id, [(*part(order_id, 1), "resell"), (*part(order_id, 2), "lost")])
    assert faults() == []


def test_what_was_returned_is_shown_on_the_lots_page_and_checks_out(village: Village, client: Any) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    send(village, order_id)
    take_back(village, order_id, [(*part(order_id, 5), "resell")])
    batch = village.batch(lot)
    page = client.get(f"/01/{batch.gtin}/10/{batch.lot}").text
    assert "Hàng gửi về lại" in page
    assert "Bản ghi này không khớp" not in page


def test_an_order_that_came_back_whole_is_cancelled(village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    send(village, order_id)
    take_back(village, order_id, [(*part(order_id, 4), "resell"), (*part(order_id, 1), "lost")])
    assert order(order_id).status is Status.CANCELLED
    assert (numbers(lot), row(lot).lost) == ((11, 0, 0), 1)
    assert faults() == []


def test_a_parcel_that_came_back_leaves_what_is_still_promised(village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    send(village, order_id, [part(order_id, 2)])
    take_back(village, order_id, [(*part(order_id, 2), "resell")])
    assert order(order_id).status is Status.PARTLY_DISPATCHED
    assert numbers(lot) == (9, 3, 0)
    steps.cancel(village.actor("seller"), order_id, "Thôi vậy")
    assert order(order_id).status is Status.CANCELLED
    assert numbers(lot) == (12, 0, 0)
    assert faults() == []


def test_nothing_is_returned_of_an_order_that_was_not_sent(village: Village) -> None:
    village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 2)
    with pytest.raises(Conflict):
        take_back(village, order_id, [(*part(order_id, 1), "resell")])


def test_a_lost_lot_on_the_ledger_is_lost_in_stock(village: Village) -> None:
    from batches.stages.wanted import Take

    lot = village.packs(units=12)
    village.record("lose", inputs=(Take(lot, units=3),), facts={"reason": "spoilt"}, days_ago=1)
    assert (numbers(lot), row(lot).lost) == ((9, 0, 0), 3)
    assert faults() == []


def test_the_audit_tells_where_every_pack_is(app: Flask, village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    send(village, order_id, [part(order_id, 3)])
    take_back(village, order_id, [(*part(order_id, 1), "lost")])
    result = app.test_cli_runner().invoke(args=["shop", "audit", "--all"])
    assert result.exit_code == 0, result.output
    code = village.batch(lot).lot
    assert f"{code}: packed 12 = in stock 7 + reserved 2 + sold 2 + held 0 + lost 1" in result.output


def test_at_the_door_the_seller_takes_the_money(village: Village) -> None:
    village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 2)
    seller = village.actor("seller")
    steps.dispatch(seller, order_id)
    parcel = db.session.scalars(select(Shipment).where(Shipment.order_id == order_id)).one()
    assert parcel.cod_amount == order(order_id).total
    steps.deliver(seller, order_id)
    done = order(order_id)
    assert (done.status, done.payment_state, done.paid) == (Status.DELIVERED, PaymentState.PAID, done.total)
    parcel = db.session.scalars(select(Shipment).where(Shipment.order_id == order_id)).one()
    assert (parcel.state, parcel.cod_collected) == (DeliveryState.DELIVERED, done.total)
    assert parcel.delivered_at is not None and parcel.cod_settled_at is not None


def test_two_parcels_collect_the_price_once(village: Village) -> None:
    village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 4)
    total = order(order_id).total
    send(village, order_id, [part(order_id, 1)])
    send(village, order_id)
    amounts = db.session.scalars(select(Shipment.cod_amount).order_by(Shipment.number)).all()
    assert list(amounts) == [total, 0]


def test_a_buyer_whom_the_ledger_committed_to_is_not_changed(village: Village) -> None:
    village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 4)
    send(village, order_id, [part(order_id, 1)])
    with pytest.raises(Conflict):
        steps.set_buyer(village.actor("seller"), order_id, Buyer("Người Khác", "+84912345670", "Nơi khác"))


def test_an_order_is_not_sent_before_it_is_paid(village: Village) -> None:
    take_transfers(village)
    village.packs(units=12)
    order_id = ordered(village.product("packs", 500), 2, "vietqr")
    seller = village.actor("seller")
    with pytest.raises(Conflict) as refused:
        steps.confirm(seller, order_id)
    assert refused.value.slug == "not-paid"
    pay(order_id, order(order_id).total)
    for step in (steps.confirm, steps.pick, steps.dispatch):
        step(seller, order_id)
    assert db.session.scalars(select(Shipment.cod_amount)).all() == [0]


def test_another_cooperatives_office_neither_sends_nor_delivers(village: Village) -> None:
    shelve(village, 5, lot="A")
    order_id = picked(village, village.product("packs", 500), 1)
    for act in (steps.dispatch, steps.deliver, steps.by_id):
        with pytest.raises(NotFound):
            act(village.actor("office-other"), order_id)
        with pytest.raises(Forbidden):
            act(village.actor("auditor"), order_id)
    assert order(order_id).status is Status.PICKED


def test_a_recall_reaches_the_packs_that_left_and_stops_those_that_did_not(village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 5)
    send(village, order_id, [part(order_id, 2)])
    recall(village, lot)
    (reached,) = db.session.scalars(select(RecallOrder)).all()
    assert (reached.state, reached.units) == (Reached.SHIPPING, 2)
    found = order(order_id)
    notice = of_order(found)
    assert notice is not None and notice.state == "sent"
    assert stopped_orders([found]) == {order_id}
    with pytest.raises(Conflict, match="giữ lại"):
        send(village, order_id)
    good = shelve(village, 9, lot="TOT", days=9)
    assert steps.reallocate(village.actor("seller"), order_id).status is Status.PARTLY_DISPATCHED
    assert (numbers(lot), numbers(good)) == ((10, 0, 2), (6, 3, 0))
    assert stopped_orders([order(order_id)]) == set()
    assert faults() == []


def test_packs_that_came_back_before_a_recall_are_not_asked_back(village: Village) -> None:
    lot = village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 3)
    arrive(send(village, order_id))
    take_back(village, order_id, [(*part(order_id, 3), "resell")])
    recall(village, lot)
    assert db.session.scalars(select(RecallOrder)).all() == []
    assert of_order(order(order_id)) is None
