"""Where a parcel is: asked of the carrier whenever it says that something happened, and also when it says nothing."""

import datetime as dt
import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from shop.delivery import rounds, shown
from shop.delivery.models import DeliveryState, Shipment
from shop.delivery.steps import take_back, tell
from shop.orders.models import PaymentState, Status
from shop.payments.models import Notice, WebhookEvent
from tests.conftest import browser
from tests.shop.delivering import HOOK, code, parcel, ready, said, sent, set_up
from tests.shop.hands import at_once, faults, numbers, statements
from tests.shop.working import order
from tests.support.ghn_fake import GhnFake, ghn_fake
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.jobs.worker import work_off


@pytest.fixture
def fake(app: Flask) -> Iterator[GhnFake]:
    with ghn_fake() as fake:
        set_up(app, fake)
        yield fake


@pytest.fixture
def lot(village: Village) -> str:
    return village.packs(units=12)


@pytest.fixture
def carrier(app: Flask) -> FlaskClient:
    """The carrier's computer: no cookies, no browser's headers."""
    client = browser(app)
    client.environ_base.pop("HTTP_SEC_FETCH_SITE")
    return client


def hear(carrier: FlaskClient, body: bytes, secret: str = HOOK) -> int:
    return carrier.post(f"/hooks/ghn/{secret}", data=body, content_type="application/json").status_code


def notices() -> list[tuple[str, int]]:
    db.session.rollback()
    rows = db.session.execute(select(WebhookEvent.state, WebhookEvent.times).order_by(WebhookEvent.id))
    return [(state.value, times) for state, times in rows]


def test_a_parcel_is_followed_to_its_door(village: Village, fake: GhnFake, carrier: FlaskClient, lot: str) -> None:
    shipment_id = sent(village, ready(village, 2))
    tracking = code(shipment_id)
    for status in ("picking", "picked", "storing", "transporting", "sorting", "delivering", "delivered"):
        fake.go(tracking, status)
        assert hear(carrier, fake.notice(tracking)) == 200
    found = parcel(shipment_id)
    assert said(shipment_id) == ["created", "picking", "picked", "transit", "delivering", "delivered"]
    assert (found.state, found.cod_collected, found.cod_settled_at) == (DeliveryState.DELIVERED, 150_000, None)
    assert found.delivered_at is not None
    done = order(found.order_id)
    # The carrier has the money; it is ours when it is here.
    assert (done.status, done.payment_state, done.paid) == (Status.DELIVERED, PaymentState.DUE, 0)
    assert {state for state, _ in notices()} == {"done"}
    (told,) = shown.parcels(done)
    assert [state for state, _, _ in told.steps] == ["done"] * 6
    assert (told.cod_collected, told.packs[0].units) == (150_000, 2)
    assert faults() == []


def test_a_notice_is_believed_only_as_far_as_the_carrier_stands_by_it(
    village: Village, fake: GhnFake, carrier: FlaskClient, lot: str
) -> None:
    shipment_id = sent(village, ready(village, 2))
    tracking = code(shipment_id)
    assert hear(carrier, fake.notice(tracking, "delivered", CODAmount=0)) == 200
    assert (parcel(shipment_id).state, order(parcel(shipment_id).order_id).status) == (
        DeliveryState.CREATED, Status.DISPATCHED,
    )  # fmt: skip


def test_without_the_secret_end_of_the_address_nobody_is_heard(
    village: Village, fake: GhnFake, carrier: FlaskClient, lot: str
) -> None:
    shipment_id = sent(village, ready(village, 1))
    fake.asked.clear()
    for secret in ("", "doan", HOOK[:-1], HOOK + "x", "é"):
        assert hear(carrier, fake.notice(code(shipment_id), "delivered"), secret) == 404, secret
    assert (notices(), fake.asked) == ([], [])


def test_a_notice_that_cannot_be_read_is_refused(fake: GhnFake, carrier: FlaskClient) -> None:
    for body in (b"", b"[]", b"{", b'{"OrderCode": 7}', b'{"OrderCode": ""}', b"\xff", b"[" * 5000):
        assert hear(carrier, body) == 400, body[:20]
    assert hear(carrier, json.dumps({"OrderCode": "L8T000", "x": "x" * 70_000}).encode()) == 413
    assert notices() == []


def test_twice_late_and_out_of_order_comes_to_the_same(app: Flask, village: Village, fake: GhnFake, lot: str) -> None:
    shipment_id = sent(village, ready(village, 2))
    tracking = code(shipment_id)
    bodies = []
    for status in ("picked", "delivering", "delivery_fail", "delivering", "delivered"):
        fake.go(tracking, status, reason="Không gặp người nhận" if status == "delivery_fail" else "")
        bodies.append(fake.notice(tracking))
    order_of_coming = [bodies[4], bodies[1], bodies[4], bodies[0], bodies[3], bodies[2], bodies[1], bodies[4]]
    turns = iter(order_of_coming)

    def post() -> int:
        client = browser(app)
        client.environ_base.pop("HTTP_SEC_FETCH_SITE")
        return hear(client, next(turns))

    assert at_once(app, len(order_of_coming), post) == [200] * len(order_of_coming)
    assert said(shipment_id) == ["created", "picked", "delivering", "fail_attempt", "delivering", "delivered"]
    assert parcel(shipment_id).steps[3].note == "Không gặp người nhận"
    assert sorted(times for _, times in notices()) == [1, 1, 1, 2, 3]
    done = order(parcel(shipment_id).order_id)
    assert (done.status, done.paid, parcel(shipment_id).cod_collected) == (Status.DELIVERED, 0, 150_000)


def test_a_notice_waits_while_the_carrier_does_not_answer(
    app: Flask, village: Village, fake: GhnFake, carrier: FlaskClient, lot: str
) -> None:
    shipment_id = sent(village, ready(village, 1))
    fake.go(code(shipment_id), "picked")
    fake.moods = ["hang up", "hang up"]
    assert hear(carrier, fake.notice(code(shipment_id))) == 200
    assert (said(shipment_id), notices()) == (["created"], [("waiting", 1)])
    with write() as session:
        session.execute(update(WebhookEvent).values(next_at=clock.now()))
    work_off()
    assert (said(shipment_id), notices()) == (["created", "picked"], [("done", 1)])


def test_a_parcel_that_is_not_ours_is_left_alone(fake: GhnFake, carrier: FlaskClient, village: Village) -> None:
    assert hear(carrier, fake.notice("L8T999", "delivered")) == 200
    assert notices() == [(Notice.IGNORED.value, 1)]
    assert fake.asked == []


def test_a_round_finds_what_no_notice_told_and_asks_no_more_after_the_end(
    app: Flask, village: Village, fake: GhnFake, lot: str
) -> None:
    shipment_id = sent(village, ready(village, 2))
    fake.go(code(shipment_id), "picked", "delivered")
    fake.asked.clear()
    work_off()
    assert fake.asked == []  # just asked when it was made
    hours_pass()
    work_off()
    assert said(shipment_id) == ["created", "picked", "delivered"]
    hours_pass()
    fake.parcels[code(shipment_id)].sent_on = "2026-11-21T03:00:00Z"
    work_off()
    assert parcel(shipment_id).cod_sent_at == dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
    asked = len(fake.asked)
    hours_pass()
    work_off()
    assert len(fake.asked) == asked


def hours_pass() -> None:
    with write() as session:
        session.execute(update(Shipment).values(checked_at=clock.now() - dt.timedelta(hours=3)))


def test_a_silent_parcel_does_not_hold_up_the_others(app: Flask, village: Village, fake: GhnFake, lot: str) -> None:
    first, second = sent(village, ready(village, 1)), sent(village, ready(village, 1))
    fake.go(code(first), "picked")
    fake.go(code(second), "picked")
    hours_pass()
    fake.moods = ["hang up", "hang up"]
    work_off()
    assert sorted([said(first), said(second)]) == [["created"], ["created", "picked"]]


def test_a_refused_parcel_comes_back_and_its_whole_packs_are_sold_again(
    village: Village, fake: GhnFake, carrier: FlaskClient, lot: str
) -> None:
    order_id = ready(village, 3)
    shipment_id = sent(village, order_id)
    fake.go(code(shipment_id), "picked", "delivering", "delivery_fail", "waiting_to_return", "returning")
    hear(carrier, fake.notice(code(shipment_id)))
    seller = village.actor("seller")
    with pytest.raises(Conflict):
        take_back(seller, shipment_id, {})
    fake.go(code(shipment_id), "returned")
    hear(carrier, fake.notice(code(shipment_id)))
    assert said(shipment_id)[-3:] == ["fail_attempt", "returning", "returned"]
    assert numbers(lot) == (9, 0, 3)
    (part,) = parcel(shipment_id).parts
    key = (part.order_line_id, part.batch_id)
    with pytest.raises(BadInput):
        take_back(seller, shipment_id, {key: 4})
    take_back(seller, shipment_id, {key: 2})
    with pytest.raises(Conflict):
        take_back(seller, shipment_id, {key: 2})
    (given,) = [part for line in order(order_id).lines for part in line.allocations]
    assert (given.sent, given.returned, given.lost) == (3, 3, 1)
    assert order(order_id).status is Status.CANCELLED
    assert (village.batch(lot).left_units, faults()) == (11, [])
    # Whatever the carrier still says of it, it is put away.
    fake.go(code(shipment_id), "delivered")
    hear(carrier, fake.notice(code(shipment_id)))
    assert (parcel(shipment_id).state, parcel(shipment_id).cod_collected) == (DeliveryState.RETURNED, 0)
    assert {state for state, _ in notices()} == {"done"}


def test_a_parcel_is_called_off_before_it_is_fetched_and_not_after(village: Village, fake: GhnFake, lot: str) -> None:
    seller = village.actor("seller")
    first, second = sent(village, ready(village, 1)), sent(village, ready(village, 1))
    rounds.stop(seller, first)
    assert (said(first), fake.alive) == (["created", "cancelled"], [code(second)])
    fake.go(code(second), "picked")
    with pytest.raises(BadInput, match="Đơn đã được lấy"):
        rounds.stop(seller, second)
    rounds.look_again(seller, second)
    assert said(second) == ["created", "picked"]


def test_what_a_seller_brings_herself_she_tells_herself(village: Village, lot: str) -> None:
    seller = village.actor("seller")
    order_id = ready(village, 2, fee=0)
    shipment_id = sent(village, order_id, carrier="hand")
    with pytest.raises(BadInput):
        tell(seller, shipment_id, "failed", "")
    tell(seller, shipment_id, "failed", "Cả nhà đi nương")
    tell(seller, shipment_id, "delivered")
    assert said(shipment_id) == ["created", "fail_attempt", "delivered"]
    found, done = parcel(shipment_id), order(order_id)
    assert (found.cod_collected, found.cod_settled_at is not None) == (120_000, True)
    assert (done.status, done.payment_state, done.paid) == (Status.DELIVERED, PaymentState.PAID, 120_000)
    for what in ("delivered", "failed", "back", "lost", "teleported"):
        with pytest.raises((Conflict, BadInput)):
            tell(seller, shipment_id, what, "x")
    assert order(order_id).paid == 120_000


def test_a_seller_tells_nothing_of_a_carriers_parcel(village: Village, fake: GhnFake, lot: str) -> None:
    shipment_id = sent(village, ready(village, 1))
    with pytest.raises(BadInput, match="bên giao hàng báo"):
        tell(village.actor("seller"), shipment_id, "delivered")


def test_a_seller_finds_and_works_parcels_on_her_pages(
    app: Flask, village: Village, fake: GhnFake, carrier: FlaskClient, lot: str
) -> None:
    seller = browser(app)
    village.sign_in(seller, "seller")
    by_hand = sent(village, ready(village, 1, fee=0), carrier="hand")
    fetched = sent(village, ready(village, 2))
    fake.go(code(fetched), "picked", "returned")
    hear(carrier, fake.notice(code(fetched)))
    page = seller.get("/seller/parcels").text
    assert page.index("Cần bác xem") < page.index(code(fetched)) < page.index("Đang trên đường")
    (part,) = parcel(fetched).parts
    form = {f"good-{part.order_line_id}-{part.batch_id}": "2"}
    assert seller.post(f"/seller/parcels/{fetched}/back", data={}).status_code == 422
    assert seller.post(f"/seller/parcels/{fetched}/back", data=form).status_code == 303
    assert seller.post(f"/seller/parcels/{by_hand}/tell", data={"what": "delivered"}).status_code == 303
    told = seller.get(f"/seller/parcels/{by_hand}").text
    assert "Đã tới tay người nhận" in told
    assert "60.000" in told
    assert "Không có kiện nào đang trên đường" in seller.get("/seller/parcels").text
    assert numbers(lot) == (11, 0, 1)


def test_the_list_of_parcels_takes_as_many_statements_for_one_as_for_many(
    app: Flask, village: Village, lot: str
) -> None:
    seller = browser(app)
    village.sign_in(seller, "seller")
    counts = []
    for more in (1, 4):
        for _ in range(more):
            sent(village, ready(village, 1, fee=0), carrier="hand")
        with statements() as seen:
            assert seller.get("/seller/parcels").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
