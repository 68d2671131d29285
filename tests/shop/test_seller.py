"""A seller sees what waits, does the one next step, prints a slip; others do not get in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from shop.orders import services, steps
from shop.orders.models import Order, Status
from shop.orders.services import Buyer, Wanted
from tests.shop.hands import BUYER, TYPED, numbers, place, shelve, statements
from tests.shop.test_checkout import text
from tests.support.village import Village
from village.db import db, write
from village.ids import uuid7

SignIn = Callable[[FlaskClient, str], None]


@pytest.fixture
def seller(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    """A browser in which the seller is signed in."""
    sign_in(client, "seller")
    return client


def one(token: str) -> Order:
    db.session.rollback()
    return steps.by_token(token)


def listed(page: Any) -> list[str]:
    """The numbers on a page, each once."""
    return list(dict.fromkeys(re.findall(r"BL-[A-Z0-9]{6}", text(page))))


def test_an_order_is_confirmed_picked_by_lot_and_sent(seller: FlaskClient, village: Village) -> None:
    lot = village.packs(units=12)
    placed = place(village.product("packs", 500), 3)
    order = one(placed.token)
    for status, step, words in (
        ("placed", "confirm", "Xác nhận đơn"),
        ("confirmed", "pick", "Đã soạn xong"),
        ("picked", "dispatch", "Đã gửi đi"),
        ("dispatched", "deliver", "Đã tới tay người mua"),
    ):
        page = seller.get("/seller/orders", query_string={"status": status})
        assert listed(page) == [order.number]
        assert words in text(page)
        answer = seller.post(f"/seller/orders/{order.id}/{step}", data={"from": status})
        assert (answer.status_code, answer.location) == (303, f"/seller/orders?status={status}")
    assert one(placed.token).status is Status.DELIVERED
    assert numbers(lot) == (9, 0, 3)
    assert "đã ghi vào sổ chung" in text(seller.get(f"/seller/orders/{order.id}"))


def test_an_orders_page_names_each_lot_and_all_that_a_seller_needs(seller: FlaskClient, village: Village) -> None:
    shelve(village, 2, lot="SOM", days=5)
    shelve(village, 5, lot="MUON", days=50)
    order = one(place(village.product("packs", 500), 3).token)
    page = seller.get(f"/seller/orders/{order.id}")
    assert page.status_code == 200
    told = text(page)
    for part in ("SOM", "MUON", order.number, "0912 345 678", "Số 1 phố Thử", "180.000 đ", "thu khi giao"):
        assert part in told, part
    assert f"/01/{order.lines[0].gtin}/10/SOM" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_the_second_seller_is_told_that_the_first_was_quicker(seller: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    order = one(place(village.product("packs", 500), 1).token)
    steps.confirm(village.actor("office"), order.id)
    page = seller.post(f"/seller/orders/{order.id}/confirm")
    assert page.status_code == 409
    assert "đã xác nhận rồi, do Văn Phòng làm" in text(page)


def test_cancelling_needs_a_reason_which_the_buyer_reads(seller: FlaskClient, village: Village) -> None:
    lot = shelve(village, 5, lot="A")
    placed = place(village.product("packs", 500), 2)
    order = one(placed.token)
    page = seller.post(f"/seller/orders/{order.id}/cancel", data={"reason": "  "})
    assert page.status_code == 422
    assert numbers(lot) == (3, 2, 0)
    assert seller.post(f"/seller/orders/{order.id}/cancel", data={"reason": "Không gọi được"}).status_code == 303
    assert numbers(lot) == (5, 0, 0)
    assert "Không gọi được" in text(seller.get(f"/orders/{placed.token}"))
    assert seller.post(f"/seller/orders/{order.id}/cancel", data={"reason": "Nữa"}).status_code == 409


def test_who_gets_it_can_be_written_down_for_a_livestream_order(seller: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    with write() as session:
        wanted = [Wanted(village.product("packs", 500).id, 1)]
        order = services.place_in(session, wanted, Buyer(), channel="live", live_author="@lan")
    assert "@lan" in text(seller.get("/seller/orders"))
    page = seller.post(f"/seller/orders/{order.id}/confirm")
    assert page.status_code == 409
    assert "chưa đủ tên" in text(page)
    wrong = seller.post(f"/seller/orders/{order.id}/buyer", data={**TYPED, "phone": "1"})
    assert wrong.status_code == 422
    assert "Số điện thoại chưa đúng" in text(wrong)
    assert TYPED["address"] in text(wrong) or TYPED["address"] in wrong.text
    corrected = {**TYPED, "address": "Số 9", "ward": "Xã Thử", "province": "Hà Giang", "email": "lan@thu.vn"}
    assert seller.post(f"/seller/orders/{order.id}/buyer", data=corrected).status_code == 303
    assert seller.post(f"/seller/orders/{order.id}/confirm").status_code == 303
    found = one(order.token)
    assert (found.buyer_phone, found.buyer_email) == ("+84912345678", "lan@thu.vn")
    assert (found.buyer_address, found.buyer_ward, found.buyer_province) == ("Số 9", "Xã Thử", "Tuyên Quang")
    assert 'value="Xã Thử"' in seller.get(f"/seller/orders/{order.id}").text
    unclear = seller.post(f"/seller/orders/{order.id}/buyer", data={**corrected, "province": ""})
    assert unclear.status_code == 422 and "Bác chọn tỉnh, thành nhé" in text(unclear)
    assert one(order.token).buyer_province == "Tuyên Quang"


def test_a_livestream_buyer_gives_the_address_once_by_the_link(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    with write() as session:
        wanted = [Wanted(village.product("packs", 500).id, 1)]
        order = services.place_in(session, wanted, Buyer(), channel="live", live_author="@lan")
    address = f"/orders/{order.token}/buyer"
    assert "Gửi cho ai, về đâu" in text(client.get(f"/orders/{order.token}"))
    assert client.post(address, data={**TYPED, "name": ""}).status_code == 422
    assert client.post(address, data=TYPED).status_code == 303
    assert client.post(address, data={**TYPED, "name": "Kẻ Lạ"}).status_code == 422
    assert one(order.token).buyer_name == TYPED["name"]


def test_an_order_is_found_by_its_number_or_telephone(seller: FlaskClient, village: Village) -> None:
    shelve(village, 9, lot="A")
    product = village.product("packs", 500)
    first = one(place(product, 1).token)
    second = one(
        services.place(
            None, [(product.gtin, 1)], Buyer("Khác", "+84987654321", "Huế"), channel="api", idempotency_key=uuid7()
        ).token
    )
    for asked, found in (
        (first.number, [first.number]),
        (first.number[3:].lower(), [first.number]),
        ("0987 654 321", [second.number]),
        ("0900000000", []),
        ("%", []),
        ("BL-_", []),
        ("' OR 1=1 --", []),
    ):
        page = seller.get("/seller/orders", query_string={"q": asked})
        assert page.status_code == 200
        assert [number for number in listed(page) if number in (first.number, second.number)] == found


def test_two_hundred_orders_are_paged_in_a_few_statements(seller: FlaskClient, village: Village) -> None:
    for number in range(5):
        shelve(village, 99, lot=f"L{number}")
    product_id = village.product("packs", 500).id
    seller.get("/seller/orders")
    with statements() as few:
        seller.get("/seller/orders")
    with write() as session:
        numbers_ = [
            services.place_in(session, [Wanted(product_id, 2)], BUYER, channel="web").number for _ in range(200)
        ]
    seen: list[str] = []
    address = "/seller/orders?status=placed"
    for _ in range(4):
        with statements() as many:
            page = seller.get(address)
        assert len(many) <= 8
        seen += listed(page)
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        address = following[1].replace("&amp;", "&") if following else ""
    assert len(few) <= 8
    assert address == ""
    assert sorted(seen) == sorted(numbers_)
    assert "200" in text(seller.get("/seller/orders"))


ADDRESSES = ("/seller", "/seller/orders", "/seller/orders/{id}", "/seller/picking", "/seller/figures")
POSTS = ("confirm", "pick", "reallocate", "dispatch", "deliver", "cancel", "buyer", "returned")


@pytest.mark.parametrize("username", ["producer", "auditor", None])
def test_others_do_not_get_in(client: FlaskClient, village: Village, sign_in: SignIn, username: str | None) -> None:
    shelve(village, 5, lot="A")
    order = one(place(village.product("packs", 500), 1).token)
    if username:
        sign_in(client, username)
    for address in ADDRESSES:
        page = client.get(address.format(id=order.id))
        assert page.status_code == (403 if username else 302), address
        assert "0912" not in page.text
    for step in POSTS:
        assert client.post(f"/seller/orders/{order.id}/{step}", data=TYPED).status_code == (403 if username else 401)
    assert one(order.token).status is Status.PLACED


def test_the_office_gets_in(client: FlaskClient, village: Village, sign_in: SignIn) -> None:
    sign_in(client, "office")
    for address in ("/seller", "/seller/orders"):
        assert client.get(address).status_code == 200


def test_unknown_orders_steps_and_pages_are_calm(seller: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    order = one(place(village.product("packs", 500), 1).token)
    assert seller.get(f"/seller/orders/{uuid7()}").status_code == 404
    assert seller.get("/seller/orders/x").status_code == 404
    assert seller.post(f"/seller/orders/{uuid7()}/confirm").status_code == 404
    assert seller.post(f"/seller/orders/{order.id}/steal").status_code == 404
    for query in ({"status": "steal"}, {"after": "x"}, {"after": uuid7()}, {"q": "x" * 5000}, {"status": "all"}):
        assert seller.get("/seller/orders", query_string=query).status_code == 200


@pytest.mark.parametrize("username", ["office-other"])
def test_another_cooperative_learns_nothing_of_our_buyers(
    client: FlaskClient, village: Village, sign_in: SignIn, username: str
) -> None:
    village.packs(units=12)
    order = one(place(village.product("packs", 500), 3).token)
    sign_in(client, username)
    assert listed(client.get("/seller/orders", query_string={"status": "placed"})) == []
    assert listed(client.get("/seller/orders", query_string={"q": order.number})) in ([], [order.number])
    assert str(BUYER.name) not in text(client.get("/seller/orders", query_string={"q": order.number}))
    assert client.get(f"/seller/orders/{order.id}").status_code == 404
    for step in ("confirm", "cancel", "buyer", "returned"):
        answer = client.post(f"/seller/orders/{order.id}/{step}", data={"from": "placed", "reason": "x", **TYPED})
        assert answer.status_code == 404, step
    assert one(order.token).status is Status.PLACED
