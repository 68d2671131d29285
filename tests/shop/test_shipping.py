"""A parcel is made at the carrier and leaves: once, whole, or not at all."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from shop.delivery import rounds, shipping
from shop.delivery.errors import CarrierRefused, CarrierSilent
from shop.delivery.models import AskedParcel
from shop.orders import steps
from shop.orders.models import Order, Status
from shop.orders.services import Buyer
from tests.conftest import browser
from tests.shop.delivering import asked, code, parcel, ready, said, sent, set_up, wish
from tests.shop.hands import at_once, faults, numbers, shelve
from tests.shop.working import order, ordered, take_transfers
from tests.support.ghn_fake import GhnFake, ghn_fake
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.ids import uuid7
from village.jobs.worker import work_off


@pytest.fixture
def fake(app: Flask) -> Iterator[GhnFake]:
    with ghn_fake() as fake:
        set_up(app, fake)
        yield fake


def later() -> None:
    """Time passes, and the round is made that is due then."""
    with write() as session:
        session.execute(update(AskedParcel).values(asked_at=clock.now() - dt.timedelta(minutes=16)))
    work_off()


def test_a_parcel_is_made_at_the_carrier_and_leaves_with_the_ledger(village: Village, fake: GhnFake) -> None:
    lot = shelve(village, 10, lot="A")
    order_id = ready(village, 3)
    found = parcel(sent(village, order_id))
    made = fake.parcels[str(found.tracking)]
    assert made.body["cod_amount"] == found.cod_amount == order(order_id).total == 210_000
    assert (made.body["client_order_code"], made.body["weight"], made.fee) == (found.id, 1700, found.fee)
    assert (made.body["to_phone"], made.body["to_ward_name"]) == ("0912345678", "Phường Thử")
    assert order(order_id).status is Status.DISPATCHED
    assert found.event_id is not None
    assert numbers(lot) == (7, 0, 3)
    assert (asked(), faults(), said(found.id)) == ([], [], ["created"])


def test_the_same_form_twice_is_one_parcel(village: Village, fake: GhnFake) -> None:
    shelve(village, 10, lot="A")
    order_id = ready(village, 3)
    same = wish(village, order_id)
    seller = village.actor("seller")
    assert shipping.send(seller, order_id, same) == shipping.send(seller, order_id, same) == same.shipment_id
    assert len(fake.parcels) == 1
    assert fake.asked.count("/shiip/public-api/v2/shipping-order/create") == 1
    other = ready(village, 1)
    with pytest.raises(Conflict, match="đơn khác"):
        shipping.send(seller, other, replace(wish(village, other), shipment_id=same.shipment_id))


def test_a_broken_line_is_asked_once_more_and_makes_no_second_parcel(village: Village, fake: GhnFake) -> None:
    shelve(village, 10, lot="A")
    for count, mood in enumerate(("hang up", "done, then hang up", "down", "garbage"), start=1):
        order_id = ready(village, 1)
        fake.moods = [mood]
        shipment_id = sent(village, order_id)
        assert (len(fake.alive), fake.alive[-1]) == (count, code(shipment_id)), mood


def test_a_silent_carrier_lets_nothing_leave_and_the_same_form_goes_on(village: Village, fake: GhnFake) -> None:
    lot = shelve(village, 10, lot="A")
    order_id = ready(village, 3)
    same = wish(village, order_id)
    fake.moods = ["done, then hang up", "hang up"]
    with pytest.raises(CarrierSilent):
        shipping.send(village.actor("seller"), order_id, same)
    assert (order(order_id).status, numbers(lot), asked()) == (Status.PICKED, (7, 3, 0), [same.shipment_id])
    shipping.send(village.actor("seller"), order_id, same)
    assert fake.alive == [code(same.shipment_id)]
    assert (asked(), numbers(lot)) == ([], (7, 0, 3))


def test_what_a_crash_left_at_the_carrier_is_called_off_by_the_round(
    app: Flask, village: Village, fake: GhnFake
) -> None:
    shelve(village, 10, lot="A")
    order_id = ready(village, 3)
    left = wish(village, order_id)
    fake.moods = ["done, then hang up", "hang up"]
    with pytest.raises(CarrierSilent):
        shipping.send(village.actor("seller"), order_id, left)
    work_off()
    assert len(fake.alive) == 1  # its seller may still be at it
    fake.moods = ["hang up", "down"]
    later()
    assert (len(fake.alive), asked()) == (1, [left.shipment_id])
    later()
    assert (fake.alive, asked()) == ([], [])
    # That form is done for: the carrier would name the dead parcel. A new one makes a parcel of its own.
    with pytest.raises(Conflict, match="thôi không gửi"):
        shipping.send(village.actor("seller"), order_id, left)
    shipment_id = sent(village, order_id)
    assert fake.alive == [code(shipment_id)]


def test_a_form_that_is_being_called_off_may_leave_no_more(village: Village, fake: GhnFake) -> None:
    shelve(village, 10, lot="A")
    order_id = ready(village, 3)
    mine = wish(village, order_id)
    with write() as session:
        session.add(AskedParcel(shipment_id=mine.shipment_id, order_id=order_id, dropped=True))
    with pytest.raises(Conflict, match="thôi không gửi"):
        shipping.send(village.actor("seller"), order_id, mine)
    assert (fake.parcels, order(order_id).status) == ({}, Status.PICKED)


def test_of_two_sellers_one_sends_and_the_others_parcel_is_called_off(
    app: Flask, village: Village, fake: GhnFake
) -> None:
    lot = shelve(village, 10, lot="A")
    order_id = ready(village, 3)
    wishes = [(village.actor(name), wish(village, order_id)) for name in ("seller", "seller-b")]
    turns = iter(wishes)

    def press() -> str:
        who, wanted = next(turns)
        return shipping.send(who, order_id, wanted)

    done = at_once(app, 2, press)
    (left,) = [one for one in done if isinstance(one, str)]
    assert [type(one) for one in done if not isinstance(one, str)] == [Conflict]
    assert fake.alive == [code(left)]
    assert (numbers(lot), asked(), faults()) == ((7, 0, 3), [], [])


def test_what_the_carrier_refuses_is_told_and_forgotten(village: Village, fake: GhnFake) -> None:
    shelve(village, 10, lot="A")
    order_id = ready(village, 3, buyer=Buyer("Thử", "+84912345678", "Số 1", ward="Xã Không Có", province="Hà Nội"))
    with pytest.raises(CarrierRefused, match="Phường/xã không đúng: Xã Không Có"):
        sent(village, order_id)
    assert (fake.parcels, asked(), order(order_id).status) == ({}, [], Status.PICKED)


def test_nobody_asks_the_carrier_for_an_order_that_may_not_leave(village: Village, fake: GhnFake) -> None:
    lot = shelve(village, 10, lot="A")
    take_transfers(village)
    with pytest.raises(Conflict):
        waiting = ordered(village.product("packs", 500), 1)
        sent(village, waiting)
    with pytest.raises(Conflict):
        unpaid = ordered(village.product("packs", 500), 1, "vietqr")
        sent(village, unpaid)
    order_id = ready(village, 3)
    whole = wish(village, order_id)
    with pytest.raises(BadInput, match="chưa có gói nào"):
        shipping.send(village.actor("seller"), order_id, replace(whole, parts=()))
    (line, batch, _units) = whole.parts[0]
    with pytest.raises(Conflict, match="vừa đổi"):
        shipping.send(village.actor("seller"), order_id, replace(whole, parts=((line, batch, 4),)))
    assert (fake.parcels, numbers(lot)) == ({}, (5, 5, 0))


def test_without_ward_and_province_the_carrier_is_not_asked_and_they_can_be_filled_in(
    village: Village, fake: GhnFake
) -> None:
    shelve(village, 10, lot="A")
    order_id = ready(village, 1, buyer=Buyer("Thử", "+84912345678", "Số 1 phố Thử, Hà Nội"))
    bare = wish(village, order_id)
    with pytest.raises(BadInput) as refused:
        shipping.send(village.actor("seller"), order_id, bare)
    assert refused.value.field == "ward"
    filled = replace(bare, ward="Phường Thử", province="Hà Nội")
    shipping.keep_place(village.actor("seller"), order_id, filled)
    assert (order(order_id).buyer_ward, order(order_id).buyer_province) == ("Phường Thử", "Hà Nội")
    shipping.send(village.actor("seller"), order_id, filled)
    assert len(fake.alive) == 1


def test_parcels_together_collect_what_the_order_costs(village: Village, fake: GhnFake) -> None:
    shelve(village, 2, lot="SOM", days=5)
    shelve(village, 5, lot="MUON", days=50)
    order_id = ready(village, 5, fee=25_001)
    first, second = sent(village, order_id, 1), sent(village, order_id, 1, carrier="hand")
    assert order(order_id).status is Status.PARTLY_DISPATCHED
    third = sent(village, order_id)
    amounts = [parcel(one).cod_amount for one in (first, second, third)]
    assert amounts == [60_000 + 25_001, 60_000, 180_000]
    assert sum(amounts) == order(order_id).total
    assert parcel(second).tracking is None
    assert faults() == []


def test_what_was_to_be_paid_for_a_parcel_that_came_back_is_not_asked_for_with_the_next(
    village: Village, fake: GhnFake
) -> None:
    shelve(village, 5, lot="A")
    order_id = ready(village, 2)
    first = sent(village, order_id, 1)
    rounds.stop(village.actor("seller"), first)
    assert parcel(first).cod_amount == 60_000 + 30_000
    assert parcel(sent(village, order_id)).cod_amount == 60_000 + 30_000  # the delivery fee was not paid yet


def test_what_is_paid_already_is_not_collected(village: Village, fake: GhnFake) -> None:
    shelve(village, 5, lot="A")
    order_id = ready(village, 2)
    with write() as session:
        steps.pay_in(session, session.get_one(Order, order_id), 100_000, clock.now())
    assert parcel(sent(village, order_id)).cod_amount == 50_000


@pytest.fixture
def seller(app: Flask, village: Village) -> FlaskClient:
    client = browser(app)
    village.sign_in(client, "seller")
    return client


def test_a_seller_asks_the_price_and_sends_from_the_page(seller: FlaskClient, village: Village, fake: GhnFake) -> None:
    shelve(village, 10, lot="LO-A")
    order_id = ready(village, 3)
    page = seller.get(f"/seller/orders/{order_id}/ship").text
    assert "lô LO-A" in page
    assert 'value="1700"' in page
    (row,) = shipping.ready(village.actor("seller"), order_id).rows
    form = {
        "shipment": uuid7(), "carrier": "ghn", "grams": "1.800", f"units-{row.line_id}-{row.batch_id}": "2",
        "ward": "", "province": "",
    }  # fmt: skip
    quoted = seller.post(f"/seller/orders/{order_id}/ship", data={**form, "do": "quote"})
    assert (quoted.status_code, "37.000" in quoted.text) == (200, True)
    assert fake.parcels == {}
    answer = seller.post(f"/seller/orders/{order_id}/ship", data=form)
    assert (answer.status_code, answer.location) == (303, f"/seller/parcels/{form['shipment']}")
    shown = seller.get(str(answer.location)).text
    assert code(form["shipment"]) in shown
    assert seller.get(f"/seller/parcels/{form['shipment']}/label").location == (
        f"{fake.url}/a5/public-api/printA5?token=in-nhan-{code(form['shipment'])}"
    )
    assert fake.parcels[code(form["shipment"])].body["weight"] == 1800
    fake.moods = ["hang up"] * 2
    again = {**form, "shipment": uuid7(), f"units-{row.line_id}-{row.batch_id}": "1"}
    silent = seller.post(f"/seller/orders/{order_id}/ship", data=again)
    assert (silent.status_code, "chưa trả lời" in silent.text, again["shipment"] in silent.text) == (502, True, True)


def test_a_form_with_nonsense_in_it_sends_nothing(seller: FlaskClient, village: Village, fake: GhnFake) -> None:
    shelve(village, 10, lot="A")
    order_id = ready(village, 3)
    (row,) = shipping.ready(village.actor("seller"), order_id).rows
    for wrong in (
        {"shipment": "x"}, {"carrier": "drone"}, {"grams": "0"}, {"grams": "50.001"}, {"grams": ""},
        {"units": "-1"}, {"units": "x"}, {"ward": "\u202e"},
    ):  # fmt: skip
        form = {"shipment": uuid7(), "carrier": "ghn", "grams": "1700", "units": "3", **wrong}
        form[f"units-{row.line_id}-{row.batch_id}"] = form.pop("units")
        answer = seller.post(f"/seller/orders/{order_id}/ship", data=form)
        assert answer.status_code == (404 if "shipment" in wrong else 422), wrong
    assert (fake.parcels, order(order_id).status) == ({}, Status.PICKED)


def test_another_cooperatives_office_and_a_producer_reach_no_parcel(
    app: Flask, village: Village, fake: GhnFake
) -> None:
    shelve(village, 10, lot="A")
    shipment_id = sent(village, ready(village, 1))
    waiting = ready(village, 1)
    reading = [
        f"/seller/orders/{waiting}/slip", f"/seller/slips?order={waiting}", f"/seller/orders/{waiting}/ship",
        f"/seller/parcels/{shipment_id}", f"/seller/parcels/{shipment_id}/label",
    ]  # fmt: skip
    changing = [
        f"/seller/orders/{waiting}/ship",
        *(f"/seller/parcels/{shipment_id}/{what}" for what in ("ask", "stop", "tell", "back")),
    ]
    form = {"shipment": uuid7(), "carrier": "hand", "what": "lost"}
    fake.asked.clear()
    for name, status in (("office-other", 404), ("producer", 403), ("auditor", 403)):
        stranger = browser(app)
        village.sign_in(stranger, name)
        assert [stranger.get(address).status_code for address in reading] == [status] * len(reading), name
        assert [stranger.post(one, data=form).status_code for one in changing] == [status] * len(changing), name
    assert fake.asked == []
    assert said(shipment_id) == ["created"]
    db.session.rollback()
