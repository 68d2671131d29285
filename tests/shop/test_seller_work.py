"""A seller finds orders by anything that is known of them, and takes one step for many."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from shop.delivery.models import Shipment
from shop.orders import services, steps
from shop.orders.models import Order, PaymentState, Status
from shop.orders.services import Buyer, Wanted
from shop.seller import bulk
from shop.seller.filters import Filter
from shop.seller.picklist import to_pick
from shop.stock.models import StockLot
from tests.shop.hands import BUYER, faults, numbers, shelve, statements
from tests.shop.test_checkout import text
from tests.shop.working import of_several
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.ids import uuid7

SignIn = Callable[[FlaskClient, str], None]


@pytest.fixture
def seller(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    """A browser in which the seller is signed in."""
    sign_in(client, "seller")
    return client


@pytest.fixture
def lots(village: Village) -> dict[str, str]:
    """Three lots of two products, by code."""
    return {
        "SOM": shelve(village, 60, lot="SOM", days=20),
        "MUON": shelve(village, 60, lot="MUON", days=200),
        "KILO": shelve(village, 60, lot="KILO", net=1000),
    }


def ordered(
    village: Village, quantity: int = 1, *, net: int = 500, channel: Any = "web", buyer: Buyer = BUYER
) -> Order:
    """An order of one line, placed now."""
    with write() as session:
        wanted = [Wanted(village.product("packs", net).id, quantity)]
        return services.place_in(session, wanted, buyer, channel=channel)


def afresh(order: Order) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order.id, populate_existing=True)


def listed(client: FlaskClient, **asked: object) -> list[str]:
    """The numbers that the list shows, each once, over all its pages."""
    found: list[str] = []
    page = client.get("/seller/orders", query_string=asked)
    while True:
        assert page.status_code == 200
        found += re.findall(r"<b>(BL-[A-Z0-9]{6})</b>", page.text)
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        if following is None:
            return found
        page = client.get(following[1].replace("&amp;", "&"))


def test_orders_are_found_by_channel_product_lot_and_money(
    seller: FlaskClient, village: Village, lots: dict[str, str]
) -> None:
    web, live = ordered(village), ordered(village, channel="live")
    kilo = ordered(village, 2, net=1000)
    big = ordered(village, 70)
    with write() as session:
        session.execute(update(Order).where(Order.id == kilo.id).values(payment="vietqr", payment_state="awaiting"))
    for asked, found in (
        ({"channel": "live"}, [live]),
        ({"product": village.product("packs", 1000).id}, [kilo]),
        ({"lot": "muon"}, [big]),
        ({"lot": "SOM", "channel": "web"}, [web, big]),
        ({"lot": "SO"}, []),
        ({"payment": "awaiting"}, [kilo]),
        ({"payment": "paid"}, []),
        ({"status": "cancelled", "channel": "web"}, []),
    ):
        assert sorted(listed(seller, **asked)) == sorted(order.number for order in found), asked


def test_a_day_is_the_villages_day(seller: FlaskClient, village: Village, lots: dict[str, str]) -> None:
    found = {}
    for at in ("2026-11-19T23:59:59", "2026-11-20T00:00:00", "2026-11-20T23:59:59", "2026-11-21T00:00:00"):
        with clock.fixed(dt.datetime.fromisoformat(at).replace(tzinfo=clock.VN)):
            found[at] = ordered(village).number
    wanted = [found["2026-11-20T00:00:00"], found["2026-11-20T23:59:59"]]
    assert sorted(listed(seller, first="2026-11-20", last="2026-11-20")) == sorted(wanted)
    assert len(listed(seller, first="2026-11-20")) == 3
    assert len(listed(seller, last="20/11/2026")) == 3
    assert listed(seller, first="2026-11-21", last="2026-11-20") == []


def test_a_buyer_is_found_by_a_name_without_marks_and_by_the_end_of_a_number(
    seller: FlaskClient, village: Village, lots: dict[str, str]
) -> None:
    dang = ordered(village, buyer=Buyer("Đặng Thị Huệ", "+84987654321", "Huế"))
    ordered(village)
    lan = ordered(village, channel="live", buyer=Buyer())
    with write() as session:
        session.execute(update(Order).where(Order.id == lan.id).values(live_author="@lan.mien"))
        session.execute(update(Order).where(Order.id == dang.id).values(buyer_email="hue@example.vn"))
    for asked, found in (
        ("dang thi", dang), ("ĐẶNG", dang), ("Huệ", dang), ("321", dang), ("0987 654 321", dang),
        ("HUE@example.vn", dang), (dang.number, dang), (dang.number[3:6].lower(), dang), ("lan.mien", lan),
    ):  # fmt: skip
        assert listed(seller, q=asked) == [found.number], asked
    for asked in ("xyz", "%", "_", "21", "' OR 1=1 --", "@"):
        assert listed(seller, q=asked) == [], asked


def test_what_stands_in_an_orders_way_is_a_list_of_its_own(
    seller: FlaskClient, village: Village, lots: dict[str, str]
) -> None:
    nowhere = ordered(village, channel="live", buyer=Buyer("Chị Lan"))
    kilo = ordered(village, net=1000)
    with write() as session:
        session.execute(update(StockLot).where(StockLot.batch_id == lots["KILO"]).values(on_hold=True))
    assert listed(seller, need="address") == [nowhere.number]
    assert listed(seller, need="lots") == [kilo.number]
    home = text(seller.get("/seller"))
    assert "1 đơn chưa rõ gửi ai, về đâu" in home
    assert "1 đơn giữ gói của lô không gửi đi được" in home


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(status=Status.PICKED),
        Filter(payment=PaymentState.PAID, channel="live", lot="A1", first=dt.date(2026, 1, 2), text="lan"),
        Filter(status=Status.CANCELLED, product=uuid7(), need="lots", last=dt.date(2026, 1, 2)),
    ],
)
def test_a_filter_comes_back_from_its_own_address(wanted: Filter) -> None:
    assert Filter.from_query(wanted.query()) == wanted


def test_what_an_address_says_wrongly_narrows_nothing() -> None:
    strange = dict.fromkeys(("status", "payment", "channel", "product", "need", "first", "last"), "9999-99")
    assert Filter.from_query(strange) == Filter()
    assert Filter.from_query({"first": "9999-12-31", "last": "0001-01-01", "status": "all"}) == Filter()
    assert Filter.from_query({}) == Filter(status=Status.PLACED)


def test_many_orders_are_confirmed_at_once_and_who_was_left_is_told(
    seller: FlaskClient, village: Village, lots: dict[str, str]
) -> None:
    good, other = ordered(village), ordered(village)
    nowhere = ordered(village, channel="live", buyer=Buyer("Chị Lan"))
    steps.confirm(village.actor("office"), other.id)
    sent = {"do": "confirm", "status": "placed", "order": [good.id, other.id, nowhere.id, good.id]}
    page = seller.post("/seller/orders/bulk", data=sent)
    told = text(page)
    assert page.status_code == 200
    assert "2 đơn chưa làm được" in told
    assert f"{other.number}" in told and "do Văn Phòng làm" in told
    assert f"Đơn {nowhere.number} chưa đủ tên" in told
    assert [afresh(one).status.value for one in (good, other, nowhere)] == ["confirmed", "confirmed", "placed"]
    again = ordered(village)
    answer = seller.post("/seller/orders/bulk", data={"do": "confirm", "status": "placed", "order": [again.id]})
    assert (answer.status_code, answer.location) == (303, "/seller/orders?status=placed")


def test_many_orders_are_picked_and_sent_each_with_an_entry_of_its_own(seller: FlaskClient, village: Village) -> None:
    lot = village.packs(units=12)
    orders = [ordered(village, 2) for _ in range(3)]
    carried = ordered(village, 1)
    with write() as session:
        session.execute(update(Order).where(Order.id == carried.id).values(delivery="ghn"))
    ids = [one.id for one in (*orders, carried)]
    for step in ("confirm", "pick"):
        assert seller.post("/seller/orders/bulk", data={"do": step, "order": ids}).status_code == 303
    page = seller.post("/seller/orders/bulk", data={"do": "dispatch", "order": ids})
    assert "3 đơn đã gửi, đã ghi vào sổ chung." in text(page)
    assert "Đơn này đi qua bên giao hàng" in text(page)
    assert [afresh(one).status.value for one in (*orders, carried)] == ["dispatched"] * 3 + ["picked"]
    assert numbers(lot) == (5, 1, 6)
    parcels = db.session.query(Shipment.event_id).filter(Shipment.order_id.in_([one.id for one in orders])).all()
    assert len({event for (event,) in parcels}) == 3
    assert faults() == []


def test_a_step_for_nothing_for_too_many_or_of_no_kind_is_refused(seller: FlaskClient, village: Village) -> None:
    for sent in (
        {"do": "confirm"},
        {"do": "confirm", "order": ["x", "' OR 1=1"]},
        {"do": "confirm", "order": [uuid7() for _ in range(bulk.MOST + 1)]},
        {"do": "cancel", "order": [uuid7()]},
        {"order": [uuid7()]},
    ):
        assert seller.post("/seller/orders/bulk", data=sent).status_code == 422, sent
    assert "đánh dấu ít nhất một đơn" in text(seller.post("/seller/orders/bulk", data={"do": "pick"}))


def test_the_picking_list_says_how_many_of_each_lot_and_for_whom(
    seller: FlaskClient, village: Village, lots: dict[str, str]
) -> None:
    first, second, kilo = ordered(village, 40), ordered(village, 30), ordered(village, 2, net=1000)
    unpaid, placed = ordered(village, 1), ordered(village, 1)
    for order in (first, second, kilo, unpaid):
        steps.confirm(village.actor("seller"), order.id)
    with write() as session:
        session.execute(update(Order).where(Order.id == unpaid.id).values(payment="vietqr", payment_state="awaiting"))
    found = to_pick(village.actor("seller"))
    told = [(lot.lot, lot.units, [(one.number, one.units) for one in lot.orders]) for lot in found.lots]
    assert sorted(told) == [
        ("KILO", 2, [(kilo.number, 2)]),
        ("MUON", 10, [(second.number, 10)]),
        ("SOM", 60, [(first.number, 40), (second.number, 20)]),
    ]
    assert [lot for lot, _units, _orders in told if lot != "KILO"] == ["SOM", "MUON"]
    assert found.order_ids == [first.id, second.id, kilo.id]
    page = seller.get("/seller/picking")
    assert "72 gói cho 3 đơn." in text(page)
    assert placed.number not in page.text and unpaid.number not in page.text
    chosen = seller.get("/seller/picking", query_string={"order": [placed.id]})
    assert "1 gói cho 1 đơn." in text(chosen)
    answer = seller.post("/seller/orders/bulk", data={"do": "pick", "status": "confirmed", "order": found.order_ids})
    assert answer.status_code == 303
    db.session.rollback()
    assert to_pick(village.actor("seller")).lots == []


def test_a_lot_on_hold_is_marked_on_the_picking_list(
    seller: FlaskClient, village: Village, lots: dict[str, str]
) -> None:
    order = ordered(village, 2, net=1000)
    steps.confirm(village.actor("seller"), order.id)
    assert "đang bị giữ lại" not in text(seller.get("/seller/picking"))
    with clock.fixed(clock.now() + dt.timedelta(days=400)):
        assert to_pick(village.actor("seller")).lots[0].stopped


def test_lists_cost_the_same_for_few_orders_and_for_many(
    seller: FlaskClient, village: Village, lots: dict[str, str]
) -> None:
    def cost() -> Iterator[int]:
        for address in ("/seller", "/seller/orders", "/seller/orders?q=Nguyen&channel=web", "/seller/picking",
                        "/seller/figures"):  # fmt: skip
            with statements() as seen:
                assert seller.get(address).status_code == 200
            yield len(seen)

    ordered(village)
    steps.confirm(village.actor("seller"), ordered(village, net=1000).id)
    list(cost())
    few = list(cost())
    for _ in range(25):
        ordered(village)
        steps.confirm(village.actor("seller"), ordered(village).id)
    assert list(cost()) == few
    assert max(few) <= 14


def test_another_cooperative_sees_and_moves_nothing_of_ours(
    client: FlaskClient, village: Village, sign_in: SignIn, lots: dict[str, str]
) -> None:
    ours = ordered(village, 3)
    confirmed = ordered(village, 3)
    steps.confirm(village.actor("seller"), confirmed.id)
    sign_in(client, "office-other")
    for asked in ({"q": ours.number}, {"q": "0912345678"}, {"q": "Nguyen"}, {"lot": "SOM"}, {"status": "all"}):
        assert listed(client, **asked) == []
    for address in ("/seller", "/seller/picking", "/seller/figures"):
        page = client.get(address, query_string={"order": [ours.id]})
        assert page.status_code == 200
        assert ours.number not in page.text and "SOM" not in page.text
    page = client.post("/seller/orders/bulk", data={"do": "confirm", "order": [ours.id]})
    assert "Không có đơn này" in text(page)
    assert ours.number not in page.text
    assert afresh(ours).status is Status.PLACED


def test_an_order_with_another_cooperatives_packs_shows_each_its_own_to_fetch(
    village: Village, lots: dict[str, str]
) -> None:
    theirs = village.actor("office-other")
    steps.confirm(village.actor("seller"), of_several(village, 2))
    assert [lot.lot for lot in to_pick(village.actor("seller")).lots] == ["SOM"]
    assert [lot.lot for lot in to_pick(theirs).lots] == ["KILO"]


@pytest.mark.parametrize("username", ["producer", "auditor"])
def test_others_move_no_orders(client: FlaskClient, village: Village, sign_in: SignIn, username: str) -> None:
    shelve(village, 5, lot="A")
    order = ordered(village)
    sign_in(client, username)
    assert client.post("/seller/orders/bulk", data={"do": "confirm", "order": [order.id]}).status_code == 403
    assert afresh(order).status is Status.PLACED


def test_what_a_buyer_brings_back_is_sold_again_or_lost(seller: FlaskClient, village: Village) -> None:
    lot = village.packs(units=12)
    order = ordered(village, 4)
    key = f"{order.lines[0].id}-{lot}"
    address = f"/seller/orders/{order.id}/returned"
    assert seller.post(address, data={f"resell-{key}": "1"}).status_code == 409
    for step in ("confirm", "pick", "dispatch", "deliver"):
        assert seller.post(f"/seller/orders/{order.id}/{step}").status_code == 303
    assert "Khách trả hàng lại" in text(seller.get(f"/seller/orders/{order.id}"))
    for wrong in ({}, {f"resell-{key}": "5"}, {f"resell-{key}": "-1"}, {f"resell-{key}": "3", f"lost-{key}": "2"},
                  {f"resell-{key}": "một"}, {f"resell-{uuid7()}-{lot}": "1"}):  # fmt: skip
        assert seller.post(address, data=wrong).status_code == 422, wrong
    assert numbers(lot) == (8, 0, 4)
    assert seller.post(address, data={f"resell-{key}": "2", f"lost-{key}": "1"}).status_code == 303
    assert numbers(lot)[0] == 10
    assert faults() == []
