"""TikTok Shop's orders, from a stateful fake of its Open API and its signed notices."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from shop.live.models import LiveCode, LiveForeignOrder, LiveSession, LiveSource
from shop.live.sources.tiktok import told
from shop.live.sources.tiktok.reading import OVERLAP, Reader
from shop.orders.models import Order, PaymentState, Status
from shop.payments.bank.told import Unreadable
from shop.stock import aside
from shop.stock.services import available
from tests.conftest import browser
from tests.support.live import Live, lines, reserved, shelf
from tests.support.platforms.serving import Moods
from tests.support.platforms.tiktok import SHOP, TOKEN, TikTokFake, deliver, notice, tiktok_fake
from tests.support.village import Village
from village import clock
from village.db import db, write


@pytest.fixture
def tiktok(app: Flask) -> Iterator[TikTokFake]:
    with tiktok_fake() as fake:
        fake.connect(app)
        yield fake


class Shop:
    """A session that takes the fake's orders over."""

    def __init__(self, app: Flask, village: Village, *, packs: int = 10, **code: Any) -> None:
        shelf(village, packs)
        self.village, self.live = village, Live(app, village, codes={"MD01": code})
        self.client = browser(app)
        village.sign_in(self.client, "seller")
        self.url = f"/seller/live/{self.live.id}/sources"
        assert self.client.post(f"{self.url}/tiktok").status_code == 303

    def told(self, number: str) -> LiveForeignOrder:
        db.session.rollback()
        which = select(LiveForeignOrder).where(LiveForeignOrder.external_id == number)
        return db.session.scalars(which).one()

    def order(self, number: str) -> Order:
        return db.session.get_one(Order, self.told(number).order_id)

    def taken(self) -> int:
        db.session.rollback()
        return db.session.scalars(select(LiveCode.taken).where(LiveCode.session_id == self.live.id)).one()

    def source(self) -> LiveSource:
        db.session.rollback()
        return db.session.scalars(select(LiveSource).where(LiveSource.session_id == self.live.id)).one()


@pytest.fixture
def shop(app: Flask, village: Village, tiktok: TikTokFake) -> Shop:
    return Shop(app, village)


def test_an_order_in_tiktoks_basket_keeps_our_packs_and_is_paid(
    shop: Shop, tiktok: TikTokFake, client: FlaskClient
) -> None:
    number = tiktok.buy({"MD01": 3}, price=60_000)
    assert [answer.status_code for answer in tiktok.post(client)] == [200]
    order = shop.order(number)
    assert (order.channel, order.status, order.total) == ("live", Status.PLACED, 180_000)
    # Nobody asks her for money at the door: TikTok has it.
    assert order.payment_state is PaymentState.PAID and order.owed == 0
    assert order.note == f"TikTok Shop {number}" and order.buyer_phone is None
    assert reserved() == 3 and shop.taken() == 3
    assert "1 đơn, đơn cuối lúc" in shop.client.get(shop.url).text
    assert shop.told(number).lines == [{"code": "MD01", "quantity": 3, "price": 60_000}]
    # A viewer who writes now gets what is left, in the same evening.
    assert lines(shop.live.say("lan", "md01 x7")) == {"MD01": 7}
    assert shop.live.say("mai", "md01 x1")["decision"] == "waitlist"


def test_notices_twice_late_and_in_disorder_make_one_order_that_is_as_tiktok_has_it_now(
    shop: Shop, tiktok: TikTokFake, client: FlaskClient
) -> None:
    tiktok.moods.repeat, tiktok.moods.shuffle = 1.0, 5
    number = tiktok.buy({"MD01": 2}, status="UNPAID")
    tiktok.becomes(number, "ON_HOLD")
    tiktok.becomes(number, "AWAITING_SHIPMENT")
    assert {answer.status_code for answer in tiktok.post(client)} == {200}
    assert shop.told(number).status == "AWAITING_SHIPMENT" and len(shop.live.orders()) == 1
    assert shop.order(number).paid == 130_000 and reserved() == 2


@pytest.mark.slow_once
def test_an_order_that_is_not_paid_at_tiktok_keeps_nothing_yet(
    shop: Shop, tiktok: TikTokFake, client: FlaskClient
) -> None:
    number = tiktok.buy({"MD01": 2}, status="UNPAID")
    tiktok.post(client)
    assert shop.told(number).order_id is None and reserved() == 0
    cash = tiktok.buy({"MD01": 1}, cod=True)
    tiktok.post(client)
    assert shop.order(cash).payment_state is PaymentState.DUE


def test_what_cannot_be_kept_is_for_a_person_who_tries_again_or_sees_to_it(
    shop: Shop, tiktok: TikTokFake, client: FlaskClient
) -> None:
    much, unknown = tiktok.buy({"MD01": 11}), tiktok.buy({"MD01": 1, "LA-GI": 1})
    gift = tiktok.buy({"MD01": 1}, price=0)
    assert {answer.status_code for answer in tiktok.post(client)} == {200}
    faults = {number: shop.told(number).fault for number in (much, unknown, gift)}
    assert faults == {much: "no-stock", unknown: "unknown-product", gift: "not-sellable"}
    assert reserved() == 0 and shop.taken() == 0 and shop.live.orders() == []
    page = shop.client.get(shop.url).text
    assert f"TikTok {much}" in page and "11 × MD01" in page and "Không còn đủ gói" in page
    again = f"{shop.url}/orders/{shop.told(much).id}/again"
    assert "Không còn đủ gói" in shop.client.post(again, follow_redirects=True).text
    shop.village.packs(40, lot="THEM-01")
    assert "đã giữ được hàng" in shop.client.post(again, follow_redirects=True).text
    assert shop.order(much).lines[0].quantity == 11 and shop.taken() == 11
    shop.client.post(f"{shop.url}/orders/{shop.told(unknown).id}/seen")
    assert f"TikTok {unknown}" not in shop.client.get(shop.url).text
    tiktok.becomes(unknown, "AWAITING_COLLECTION")
    tiktok.post(client)
    assert (shop.told(unknown).fault, shop.told(unknown).order_id) == ("by-hand", None)


def test_a_codes_limit_and_what_is_set_aside_hold_for_tiktoks_orders_too(
    app: Flask, village: Village, tiktok: TikTokFake, client: FlaskClient
) -> None:
    shop = Shop(app, village, packs=10, limit=4)
    with write() as session:
        code = session.scalars(select(LiveCode).where(LiveCode.session_id == shop.live.id)).one()
        assert aside.take(session, code.id, code.product_id, 10) == 10
        product_id = code.product_id
    assert available(db.session(), [product_id])[product_id] == 0
    first, second = tiktok.buy({"MD01": 3}), tiktok.buy({"MD01": 2})
    tiktok.post(client)
    assert shop.order(first).lines[0].quantity == 3 and shop.told(second).fault == "limit"
    db.session.rollback()
    assert reserved() == 10 and shop.taken() == 3


def test_a_cancelled_order_gives_its_packs_to_who_waits_and_its_money_back(
    shop: Shop, tiktok: TikTokFake, client: FlaskClient
) -> None:
    number = tiktok.buy({"MD01": 10})
    tiktok.post(client)
    assert shop.live.say("mai", "md01 x2")["decision"] == "waitlist"
    tiktok.becomes(number, "CANCELLED")
    tiktok.post(client)
    order = shop.order(number)
    assert order.status is Status.CANCELLED and order.payment_state is PaymentState.REFUNDED
    assert shop.taken() == 2 and reserved() == 2
    [hers] = [order for order in shop.live.orders() if order.live_author == "mai"]
    assert hers.lines[0].quantity == 2
    tiktok.becomes(number, "CANCELLED")
    tiktok.post(client)
    assert shop.order(number).refunded == 650_000


@pytest.mark.slow_once
def test_a_cancellation_after_the_parcel_left_is_for_a_person(
    shop: Shop, tiktok: TikTokFake, client: FlaskClient
) -> None:
    number = tiktok.buy({"MD01": 1})
    tiktok.post(client)
    with write() as session:
        session.get_one(Order, shop.told(number).order_id).status = Status.DISPATCHED
    tiktok.becomes(number, "CANCELLED")
    tiktok.post(client)
    assert shop.told(number).fault == "cancelled-late" and "hàng đã đi rồi" in shop.client.get(shop.url).text


@pytest.mark.slow_once
def test_only_what_tiktok_signed_for_our_shop_is_looked_at(
    shop: Shop, tiktok: TikTokFake, client: FlaskClient
) -> None:
    tiktok.buy({"MD01": 1})
    [body] = tiktok.notices
    assert deliver(client, body, secret="other").status_code == 401
    assert client.post("/hooks/tiktok", data=body).status_code == 401
    for nonsense in (b"", b"[]", b"{}", b'{"type": 1}', b"[" * 9999):
        assert deliver(client, nonsense).status_code == 400, nonsense
    elsewhere = notice({"order_id": "1"}, id="9", shop="5")
    for other in (notice({"order_id": "1"}, id="7", kind=4), notice({}, id="8"), elsewhere):
        assert deliver(client, other).status_code == 200
    assert tiktok.asked == [] and shop.live.orders() == []
    assert deliver(client, body).status_code == 200 and len(shop.live.orders()) == 1
    shop.client.post(f"{shop.url}/{shop.source().id}/stop")
    nobodys = notice({"order_id": "2"}, id="10")
    assert deliver(client, nobodys).status_code == 200 and len(tiktok.asked) == 1


@pytest.mark.slow_once
def test_a_token_that_ran_out_is_refreshed_once_and_kept(
    shop: Shop, tiktok: TikTokFake, app: Flask, client: FlaskClient
) -> None:
    tiktok.token = "a newer one"
    for _ in range(2):
        tiktok.buy({"MD01": 1})
        tiktok.post(client)
    assert len(shop.live.orders()) == 2 and tiktok.refreshed == 1
    kept = app.extensions["soi"].instance / "keys" / "tiktok.json"
    assert kept.stat().st_mode & 0o777 == 0o600 and TOKEN not in kept.read_text()
    # New settings are newer than what was fetched with the old ones.
    app.extensions["soi"] = replace(app.extensions["soi"], tiktok_token=tiktok.token, tiktok_refresh="")
    tiktok.buy({"MD01": 1})
    tiktok.post(client)
    assert len(shop.live.orders()) == 3 and tiktok.refreshed == 1
    tiktok.token = "and newer still"
    assert Reader(shop.source().id).visit() and shop.source().fault == "refused"


def test_what_no_notice_told_of_is_caught_up_with(shop: Shop, tiktok: TikTokFake) -> None:
    tiktok.page, tiktok.moods.fail, tiktok.moods.chance = 3, 0.4, Moods(seed=5).chance
    numbers = [tiktok.buy({"MD01": 1}) for _ in range(8)]
    tiktok.becomes(numbers[0], "CANCELLED")
    tiktok.orders["x"] = {**tiktok.orders[numbers[1]], "id": "5", "line_items": [{"sale_price": "1.5"}]}
    reader = Reader(shop.source().id)
    for _ in range(40):
        reader.visit()
        if shop.source().state == "running":
            break
    alive = [order for order in shop.live.orders() if order.status is not Status.CANCELLED]
    assert len(alive) == 7 and reserved() == 7 and shop.source().fault == ""
    cursor = int(shop.source().cursor)
    assert abs(cursor - clock.now().timestamp()) < OVERLAP
    reader.visit()
    assert int(shop.source().cursor) >= cursor and len(shop.live.orders()) == len(numbers) - 1


@pytest.mark.slow_once
def test_a_shop_belongs_to_one_session_at_a_time(shop: Shop, app: Flask, village: Village, tiktok: TikTokFake) -> None:
    second = Live(app, village, codes={"MD02": {}})
    url = f"/seller/live/{second.id}/sources"
    assert "phiên khác" in shop.client.post(f"{url}/tiktok", follow_redirects=True).text
    shop.client.post(f"{shop.url}/{shop.source().id}/stop")
    assert shop.client.post(f"{url}/tiktok", follow_redirects=True).text.count("Đã nối với TikTok Shop") == 1
    back = shop.client.post(f"{shop.url}/{shop.source().id}/start", follow_redirects=True)
    assert "phiên khác" in back.text and shop.source().state == "stopped"
    with write() as session:
        session.get_one(LiveSession, second.id).status = "ended"
    shop.client.post(f"{shop.url}/{shop.source().id}/start")
    assert shop.source().state == "idle" and shop.source().external_id == SHOP


@pytest.mark.parametrize(
    "change",
    [
        {"id": 5}, {"id": "x"}, {"status": "LOST"}, {"line_items": []}, {"line_items": None}, {"line_items": [5]},
        {"line_items": [{"sale_price": "1.5"}]}, {"line_items": [{"sale_price": "1", "currency": "USD"}]},
        {"paid_time": -1}, {"paid_time": "soon"}, {"update_time": None},
    ],
)  # fmt: skip
def test_an_order_that_is_not_as_their_papers_say_is_not_guessed_at(change: dict[str, Any]) -> None:
    good = {"id": "1", "status": "AWAITING_SHIPMENT", "update_time": 5, "line_items": [{"sale_price": "65000"}]}
    assert told.order(good).items == (told.Item("", 65_000, 1),)
    with pytest.raises(Unreadable):
        told.order({**good, **change})
    with pytest.raises(Unreadable):
        told.order([good])
