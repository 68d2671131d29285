"""Parcels that nobody took: kept without a name, for a while, told to whom it concerns, answered by a person."""

import datetime as dt
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from shop.delivery.models import DeliveryState, Shipment, ShipmentPart
from shop.delivery.steps import take_back, tell
from shop.orders import services, steps
from shop.orders.models import Order, Status
from shop.orders.services import Buyer
from shop.refusals import appeals, correcting, keeping
from shop.refusals.models import CallFirst, ParcelAppeal, ParcelOutcome
from shop.refusals.rules import Outcome, rules
from shop.refusals.services import TOLD_MOST, standing
from shop.rights import forgetting, retention
from shop.seller import bulk
from shop.stock.models import StockLot
from tests.conftest import browser
from tests.shop.delivering import parcel, sent
from tests.shop.hands import BUYER, shelve
from tests.shop.test_checkout import checkout, fill, text
from tests.shop.working import order, ordered, picked, take_transfers
from tests.support.village import Village, gln
from village import clock, keyfile
from village.db import db, write
from village.errors import BadInput, Conflict, Forbidden, NotFound, TooMany
from village.ids import uuid7

PHONE = str(BUYER.phone)


def mine(village: Village) -> str:
    """The cooperative that sells in these tests."""
    return village.product("packs", 500).cooperative_id


def word(village: Village, seller: str = "", total: int = 0) -> str:
    db.session.rollback()
    return standing(db.session(), PHONE, seller or mine(village), total).word


def kept() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(ParcelOutcome.outcome).order_by(ParcelOutcome.shipment_id)))


def came_back(village: Village, why: str) -> str:
    """The whole way of a parcel that a seller carried out and home again; its id."""
    seller = village.actor("seller")
    shipment_id = sent(village, picked(village, village.product("packs", 500), 1), carrier="hand")
    tell(seller, shipment_id, "back")
    good = {(part.order_line_id, part.batch_id): part.units for part in parcel(shipment_id).parts}
    take_back(seller, shipment_id, good, why)
    return shipment_id


def written_down(village: Village, phone: str = PHONE) -> str:
    """An order that its seller took by telephone; its id."""
    placed = services.place(
        village.actor("seller"), [(village.product("packs", 500).gtin, 1)],
        Buyer(BUYER.name, phone, BUYER.address), channel="api", idempotency_key=uuid7(),
    )  # fmt: skip
    db.session.rollback()
    return db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()


def home_again(village: Village, *, cod: bool = True) -> str:
    """A parcel that came back and was put away, past what led there; its id."""
    order_id = written_down(village)
    with write() as session:
        found = session.get_one(Order, order_id)
        (row,) = found.lines[0].allocations
        shipment = Shipment(
            order_id=order_id, number=1, carrier="hand", state=DeliveryState.RETURNED,
            cod_amount=found.total if cod else 0, taken_back_at=clock.now(),
            parts=[ShipmentPart(order_line_id=row.order_line_id, batch_id=row.batch_id, lot=row.lot, units=1)],
        )  # fmt: skip
        session.add(shipment)
        session.flush()
        return shipment.id


def say(shipment_id: str, why: str) -> None:
    """Somebody says why it came back."""
    with write() as session:
        found = session.get_one(Shipment, shipment_id)
        keeping.told_in(session, found.order, found, why)


def ended(village: Village, *outcomes: Outcome, phone: str = PHONE) -> list[str]:
    """Orders whose parcels ended so, past what led there; their ids."""
    ids = [written_down(village, phone) for _outcome in outcomes]
    for order_id, outcome in zip(ids, outcomes, strict=True):
        with write() as session:
            found = session.get_one(Order, order_id)
            state = DeliveryState.DELIVERED if outcome == "delivered" else DeliveryState.RETURNED
            shipment = Shipment(order_id=found.id, number=1, carrier="hand", state=state, cod_amount=found.total)
            session.add(shipment)
            session.flush()
            keeping.note_in(session, found, shipment, outcome)
            found.status = Status.DELIVERED
    return ids


@pytest.fixture
def shelf(village: Village) -> str:
    return shelve(village, 40, lot="A")


def test_how_parcels_end_is_kept_under_a_keyed_mark_and_beside_no_name(village: Village) -> None:
    village.packs(units=6)
    shipment_id = came_back(village, "refused")
    db.session.rollback()
    (row,) = db.session.execute(select(ParcelOutcome.__table__)).all()
    assert row.shipment_id == shipment_id
    assert (row.outcome, row.expires - row.day) == ("refused", dt.timedelta(days=180))
    assert row.phone_hash == keeping.phone_hash(PHONE) != hashlib.sha256(PHONE.encode()).hexdigest()
    assert not any(secret in str(row) for secret in (PHONE, PHONE[3:], str(BUYER.name), str(BUYER.address)))
    assert word(village) == "ask"
    order_id, seller = ordered(village.product("packs", 500), 1), village.actor("seller")
    steps.confirm(seller, order_id, called=True)
    steps.pick(seller, order_id)
    steps.dispatch(seller, order_id)
    steps.deliver(seller, order_id)
    assert sorted(kept()) == ["delivered", "refused"], "what a buyer takes is kept too, and speaks for her"


@pytest.mark.parametrize("why", ["other", "", "nonsense"])
def test_what_was_not_the_buyers_doing_is_not_kept(village: Village, shelf: str, why: str) -> None:
    shipment_id = home_again(village)
    say(shipment_id, "refused")
    assert kept() == ["refused"]
    say(shipment_id, why)
    assert (kept(), word(village)) == ([], "fresh")


def test_nobody_has_to_take_a_pack_that_was_warned_of(village: Village, shelf: str) -> None:
    shipment_id = home_again(village)
    with write() as session:
        session.execute(update(StockLot).where(StockLot.batch_id == shelf).values(on_hold=True))
    say(shipment_id, "refused")
    assert kept() == []


def test_a_parcel_that_was_paid_ahead_and_comes_back_is_not_held_against_her(village: Village, shelf: str) -> None:
    say(home_again(village, cod=False), "refused")
    assert kept() == []


def test_a_seller_corrects_what_she_wrote(village: Village, shelf: str) -> None:
    shipment_id, seller = home_again(village), village.actor("seller")
    say(shipment_id, "refused")
    correcting.tell_anew(seller, shipment_id, "unreachable")
    assert kept() == ["unreachable"]
    correcting.tell_anew(seller, shipment_id, "other")
    assert kept() == []
    correcting.tell_anew(seller, shipment_id, "refused")
    assert kept() == ["refused"]
    with pytest.raises(BadInput):
        correcting.tell_anew(seller, shipment_id, "bad person")
    with pytest.raises(NotFound):
        correcting.tell_anew(village.actor("office-other"), shipment_id, "other")
    with pytest.raises(Forbidden):
        correcting.tell_anew(village.actor("producer"), shipment_id, "other")
    with write() as session:
        session.execute(update(Shipment).values(taken_back_at=None))
    with pytest.raises(Conflict):
        correcting.tell_anew(seller, shipment_id, "other")
    assert kept() == ["refused"]


@pytest.mark.slow_once
def test_the_page_of_a_returned_parcel_asks_why_and_proposes_what_the_carrier_said(
    client: FlaskClient, village: Village
) -> None:
    village.packs(units=6)
    shipment_id = sent(village, picked(village, village.product("packs", 500), 1), carrier="hand")
    tell(village.actor("seller"), shipment_id, "failed", "Thuê bao không liên lạc được")
    tell(village.actor("seller"), shipment_id, "back")
    assert kept() == [], "a courier's word is a proposal, a person decides"
    village.sign_in(client, "seller")
    page = client.get(f"/seller/parcels/{shipment_id}").text
    assert re.search(r'name="why" value="unreachable" checked', page)
    (part,) = parcel(shipment_id).parts
    field = f"good-{part.order_line_id}-{part.batch_id}"
    done = client.post(f"/seller/parcels/{shipment_id}/back", data={field: "1", "why": "unreachable"})
    assert (done.status_code, kept()) == (303, ["unreachable"])
    assert "Vì sao hàng về: Không gặp được khách" in text(client.get(f"/seller/parcels/{shipment_id}"))
    assert client.post(f"/seller/parcels/{shipment_id}/outcome", data={"why": "other"}).status_code == 303
    assert kept() == []


def test_an_order_after_a_refusal_waits_for_a_call(client: FlaskClient, village: Village, shelf: str) -> None:
    ended(village, "refused")
    order_id, seller = ordered(village.product("packs", 500), 2), village.actor("seller")
    with pytest.raises(Conflict) as refused:
        steps.confirm(seller, order_id)
    assert refused.value.slug == "call-first"
    db.session.rollback()
    outcome = bulk.run(seller, "confirm", [order_id])
    assert (outcome.done, "gọi" in outcome.failed[0].why) == ([], True)
    village.sign_in(client, "seller")
    listed, shown = text(client.get("/seller/orders")), text(client.get(f"/seller/orders/{order_id}"))
    assert "gọi trước" in listed
    assert "Gọi khách trước khi nhận đơn" in shown
    assert "0 đơn đã nhận, 1 đơn không giao được" in shown
    assert "Đã gọi, khách lấy" in shown
    told = text(browser_page(client.application, f"/orders/{order(order_id).token}"))
    assert "Trong 6 tháng qua có kiện gửi tới số này không giao được" in told
    assert client.post(f"/seller/orders/{order_id}/called").status_code == 303
    assert order(order_id).status == "confirmed"
    call = db.session.get_one(CallFirst, order_id)
    assert (call.called_by, call.reason) == (seller.id, "back")
    assert "gọi trước" not in text(client.get("/seller/orders?status=confirmed"))


def browser_page(app: Flask, path: str) -> Any:
    return browser(app).get(path)


def test_nobody_else_says_that_she_called(app: Flask, village: Village, shelf: str) -> None:
    ended(village, "refused")
    order_id = ordered(village.product("packs", 500), 1)
    for username, status in (("producer", 403), ("office-other", 404)):
        client = browser(app)
        village.sign_in(client, username)
        assert client.post(f"/seller/orders/{order_id}/called").status_code == status
    assert order(order_id).status == "placed"


def test_a_large_first_order_waits_for_a_call_and_what_is_paid_ahead_does_not(village: Village, shelf: str) -> None:
    take_transfers(village)
    product, seller = village.product("packs", 500), village.actor("seller")
    large = ordered(product, 26)
    with pytest.raises(Conflict):
        steps.confirm(seller, large)
    db.session.rollback()
    assert db.session.get_one(CallFirst, large).reason == "new"
    ended(village, "refused")
    ahead = ordered(product, 2, "vietqr")
    db.session.rollback()
    assert db.session.get(CallFirst, ahead) is None


def test_an_order_that_its_own_seller_writes_down_needs_no_call(village: Village, shelf: str) -> None:
    ended(village, "refused")
    line = [(village.product("packs", 500).gtin, 1)]
    for username, asked in (("seller", 0), ("office-other", 1)):
        services.place(village.actor(username), line, BUYER, channel="api", idempotency_key=uuid7())
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(CallFirst)) == asked


def test_a_livestreams_buyer_who_becomes_known_is_rung_too(village: Village, shelf: str) -> None:
    ended(village, "refused")
    with write() as session:
        wanted = [services.Wanted(village.product("packs", 500).id, 1)]
        found = services.place_in(session, wanted, Buyer(), channel="live")
    token = order(found.id).token
    assert db.session.get(CallFirst, found.id) is None
    steps.set_buyer_by_token(token, BUYER)
    db.session.rollback()
    assert db.session.get_one(CallFirst, found.id).reason == "back"
    steps.set_buyer(village.actor("seller"), found.id, Buyer(phone="+84987654321"))
    db.session.rollback()
    assert db.session.get(CallFirst, found.id) is None, "it was another's number"


@pytest.mark.slow_once
def test_after_two_refusals_the_checkout_asks_to_pay_ahead_and_says_why(
    client: FlaskClient, village: Village, shelf: str
) -> None:
    take_transfers(village)
    ended(village, "refused", "refused")
    product = village.product("packs", 500)
    fill(client, product, 2)
    page = checkout(client, payment="cod")
    assert page.status_code == 409
    assert "mấy kiện gửi tới số này không giao được" in text(page)
    assert f"/parcels/appeal/{gln(1)}" in page.text
    assert 'value="cod"' not in page.text
    assert 'name="payment" value="vietqr"' in page.text
    assert db.session.scalar(select(func.count()).where(Order.channel == "web")) == 0
    assert checkout(client, payment="vietqr").status_code == 303


@pytest.mark.slow_once
def test_a_program_is_told_the_same(client: FlaskClient, village: Village, shelf: str) -> None:
    take_transfers(village)
    ended(village, "refused", "refused")
    body = {
        "lines": [{"gtin": village.product("packs", 500).gtin, "quantity": 1}], "payment": "cod",
        "buyer": {"name": BUYER.name, "phone": "0912 345 678", "address": BUYER.address},
    }  # fmt: skip
    answer = client.post("/api/orders", json=body, headers={"Idempotency-Key": uuid7()})
    assert (answer.status_code, json.loads(answer.data)["type"].rsplit("/", 1)[1]) == (409, "pay-ahead")
    body["payment"] = "vietqr"
    assert client.post("/api/orders", json=body, headers={"Idempotency-Key": uuid7()}).status_code == 201


def test_a_seller_who_takes_only_cash_rings_instead(village: Village, shelf: str) -> None:
    ended(village, "refused", "refused")
    assert word(village) == "deposit"
    order_id = ordered(village.product("packs", 500), 1)
    db.session.rollback()
    assert db.session.get_one(CallFirst, order_id).reason == "often"


def test_another_seller_and_another_number_know_nothing_of_it(village: Village, shelf: str) -> None:
    ended(village, "refused", "refused")
    assert word(village) == "deposit"
    assert word(village, village.actor("office-other").cooperative_id) == "fresh"
    assert standing(db.session(), "+84987654321", mine(village)).word == "fresh"
    assert standing(db.session(), None, mine(village)).word == "fresh"


def test_half_a_year_later_nothing_is_known(village: Village, shelf: str) -> None:
    ended(village, "refused", "refused")
    now = clock.now()
    with clock.fixed(now + dt.timedelta(days=179)):
        retention.tidy()
        assert word(village) == "deposit"
    with clock.fixed(now + dt.timedelta(days=180)):
        assert word(village) == "fresh", "it counts no more, swept or not"
        retention.tidy()
    assert kept() == []


@pytest.mark.slow_once
def test_nobody_learns_by_trying_numbers_whose_parcels_came_back(village: Village, shelf: str) -> None:
    take_transfers(village)
    ended(village, "refused", "refused")
    line = [(village.product("packs", 500).gtin, 1)]
    quiet = dt.datetime(2026, 11, 22, 10, 5, tzinfo=dt.UTC)
    with clock.fixed(quiet):
        for time in range(TOLD_MOST + 1):
            with pytest.raises(Conflict if time < TOLD_MOST else TooMany):
                services.place(
                    None, line, BUYER, channel="web", idempotency_key=uuid7(), network="203.0.113.9"
                )  # fmt: skip
            db.session.rollback()


def test_with_the_buyer_goes_how_her_parcels_ended(village: Village, shelf: str) -> None:
    first, second = ended(village, "refused", "delivered")
    with write() as session:
        session.add(CallFirst(order_id=first, reason="back"))
    appeals.make(gln(1), PHONE, "Tôi không đặt đơn ấy.")
    order(first)
    with write() as session:
        session.execute(update(Order).values(paid=Order.total))
    forgetting.forget(order(first).token, PHONE, sure=True)
    assert kept() == ["delivered"], "of this order, and no other"
    assert db.session.get(CallFirst, first) is None
    assert db.session.scalars(select(ParcelAppeal.words)).all() == []
    assert order(second).buyer_phone == PHONE


def test_the_export_holds_how_parcels_ended_and_until_when(client: FlaskClient, village: Village, shelf: str) -> None:
    (order_id,) = ended(village, "refused")
    page = client.post(f"/orders/{order(order_id).token}/data", data={"phone": PHONE})
    told = json.loads(page.data)["cash_on_delivery"]
    assert told["call_first"] is None
    (one,) = told["outcomes"]
    until = clock.today() + dt.timedelta(days=rules().kept_days)
    assert (one["parcel"], one["outcome"], one["until"]) == (1, "refused", until.isoformat())


def test_an_objection_is_read_and_answered_by_a_person(app: Flask, village: Village, shelf: str) -> None:
    (order_id,) = ended(village, "refused")
    waiting = ordered(village.product("packs", 500), 1)
    buyer, seller = browser(app), browser(app)
    told = text(buyer.get(f"/orders/{order(order_id).token}"))
    assert "Kiện 1 ghi là: không nhận" in told
    path = f"/parcels/appeal/{gln(1)}"
    assert buyer.get(path).status_code == 200
    assert buyer.post(path, data={"phone": "12", "words": "Không phải tôi"}).status_code == 422
    assert buyer.post(path, data={"phone": "0912 345 678", "words": " "}).status_code == 422
    made = buyer.post(path, data={"phone": "0912 345 678", "words": "Bưu tá không gọi cho tôi."})
    assert made.status_code == 303
    page = buyer.get(made.location)
    assert "Người bán đang xem" in text(page)
    assert page.headers["Cache-Control"] == "no-store"
    village.sign_in(seller, "seller")
    assert "1 lời khách nhắn về kiện không giao được" in text(seller.get("/seller"))
    listed = seller.get("/seller/appeals")
    assert "Bưu tá không gọi cho tôi." in text(listed)
    assert order(order_id).number in listed.text
    (appeal_id,) = re.findall(r'action="/seller/appeals/([^"]+)"', listed.text)
    assert seller.post(f"/seller/appeals/{appeal_id}", data={"verdict": "keep"}).status_code == 422
    answered = {"verdict": "grant", f"answer-{appeal_id}": "Đúng là bên mình gọi nhầm số, bác thông cảm."}
    assert seller.post(f"/seller/appeals/{appeal_id}", data=answered).status_code == 303
    assert (kept(), word(village)) == ([], "fresh")
    assert db.session.get(CallFirst, waiting) is None, "the order that waited for a call waits no more"
    assert db.session.scalars(select(ParcelAppeal.phone)).one() is None
    shown = text(buyer.get(made.location))
    assert "Đúng là bên mình gọi nhầm số" in shown
    assert "Đơn sau bác đặt như mọi người" in shown
    assert seller.post(f"/seller/appeals/{appeal_id}", data=answered).status_code == 409


@pytest.mark.slow_once
def test_what_is_let_stand_is_told_with_the_reason_and_where_to_go_on(app: Flask, village: Village, shelf: str) -> None:
    ended(village, "refused")
    first = appeals.make(gln(1), PHONE, "Không phải tôi.")
    second = appeals.make(gln(1), PHONE, "Thật mà.")
    with pytest.raises(BadInput):
        appeals.answer(village.actor("seller"), first.id, "keep", "")
    db.session.rollback()
    appeals.answer(village.actor("seller"), first.id, "keep", "Bác đã nói chuyện với người giao rồi mà.")
    assert (kept(), word(village)) == (["refused"], "ask")
    for made in (first, second):
        shown = text(browser(app).get(f"/parcels/appeals/{appeals.by_token(made.token).token}"))
        assert "Bác đã nói chuyện với người giao rồi mà." in shown
        assert "Chưa vừa ý thì bác gọi" in shown


def test_only_the_sellers_own_people_answer(app: Flask, village: Village, shelf: str) -> None:
    ended(village, "refused")
    made = appeals.make(gln(1), PHONE, "Không phải tôi.")
    for username, status in (("producer", 403), ("office-other", 404)):
        client = browser(app)
        village.sign_in(client, username)
        answer = client.post(f"/seller/appeals/{made.id}", data={"verdict": "grant"})
        assert answer.status_code == status
    assert appeals.waiting(village.actor("office-other")) == []
    assert browser(app).get("/parcels/appeals/nobodys").status_code == 404
    assert browser(app).get("/parcels/appeal/0000000000000").status_code == 404
    assert kept() == ["refused"]


@pytest.mark.slow_once
def test_an_objection_about_a_number_that_is_not_kept_looks_the_same(app: Flask, village: Village, shelf: str) -> None:
    ended(village, "refused")
    pages = []
    for phone in (PHONE, "0987 654 321"):
        made = browser(app).post(f"/parcels/appeal/{gln(1)}", data={"phone": phone, "words": "Không phải tôi."})
        pages.append((made.status_code, text(browser(app).get(made.location))))
    assert pages[0] == pages[1]


def test_somebody_else_cannot_use_up_her_objection_and_no_more_than_a_few_wait(village: Village) -> None:
    for _time in range(appeals.WAIT_MOST):
        appeals.make(gln(1), PHONE, "Không phải tôi.")
    with pytest.raises(Conflict):
        appeals.make(gln(1), PHONE, "Không phải tôi.")
    db.session.rollback()
    appeals.make(gln(2), PHONE, "Không phải tôi.")
    (case,) = appeals.waiting(village.actor("seller"))
    assert len(case.appeals) == appeals.WAIT_MOST


def test_silence_decides_for_the_buyer_and_answers_are_not_kept_for_ever(village: Village, shelf: str) -> None:
    ended(village, "refused", "refused")
    made = appeals.make(gln(1), PHONE, "Không phải tôi.")
    now = clock.now()
    with clock.fixed(now + dt.timedelta(days=9)):
        retention.tidy()
        assert len(kept()) == 2
    with clock.fixed(now + dt.timedelta(days=10, minutes=1)):
        retention.tidy()
        found = appeals.by_token(made.token)
        assert (found.state, found.answered_by, found.phone, kept()) == ("granted", None, None, [])
        db.session.rollback()
    with clock.fixed(now + dt.timedelta(days=41)):
        retention.tidy()
        with pytest.raises(NotFound):
            appeals.by_token(made.token)


@pytest.mark.slow_once
def test_the_secret_is_made_once_read_by_all_and_by_nobody_else(app: Flask) -> None:
    folder: Path = app.extensions["soi"].instance / "keys"
    first = keyfile.secret("parcels")
    path = folder / "parcels.key"
    assert (len(first), path.stat().st_mode & 0o777) == (32, 0o600)
    keyfile._secret.cache_clear()
    assert keyfile.secret("parcels") == first
    assert keyfile.secret("others") != first
    path.write_text("c2hvcnQ=\n")
    keyfile._secret.cache_clear()
    with pytest.raises(ValueError, match="parcels"):
        keyfile.secret("parcels")
    assert [one.name for one in folder.glob("parcels*")] == ["parcels.key"]
