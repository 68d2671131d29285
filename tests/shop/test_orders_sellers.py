"""An order has one seller; an old one of several is still everybody's whose goods are in it."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from shop.orders import services, steps
from shop.orders.models import Order
from shop.orders.services import Wanted
from shop.seller import services as listing
from shop.seller.figures import figures
from shop.seller.filters import Filter
from shop.seller.today import today
from tests.conftest import browser
from tests.shop.hands import BUYER, faults, numbers, shelve, statements
from tests.shop.test_buying import of_another_seller
from tests.shop.test_checkout import text
from tests.shop.working import of_several, order
from tests.support.village import Village
from village.db import db, write
from village.errors import BadInput
from village.ids import uuid7


def body(*gtins: str) -> dict[str, Any]:
    """An order for programs."""
    buyer = {"name": "Nguyễn Thị Thử", "phone": "0912345678", "address": "Số 1 phố Thử, Hà Nội"}
    return {"lines": [{"gtin": one, "quantity": 1} for one in gtins], "buyer": buyer}


def test_an_order_for_goods_of_two_sellers_is_refused_and_nothing_is_kept(
    client: FlaskClient, village: Village
) -> None:
    lots = shelve(village, 5, lot="A"), shelve(village, 5, lot="B", net=1000)
    own, theirs = village.product("packs", 500), of_another_seller(village)
    answer = client.post("/api/orders", json=body(own.gtin, theirs.gtin), headers={"Idempotency-Key": uuid7()})
    assert answer.status_code == 422 and answer.get_json()["type"].endswith("several-sellers")
    assert [numbers(lot) for lot in lots] == [(5, 0, 0), (5, 0, 0)]
    for product in (own, theirs):
        done = client.post("/api/orders", json=body(product.gtin), headers={"Idempotency-Key": uuid7()})
        assert done.status_code == 201
    db.session.rollback()
    sold = {one.cooperative_id for one in db.session.scalars(select(Order))}
    assert sold == {own.cooperative_id, theirs.cooperative_id}
    assert "several-sellers" in client.get("/api/openapi.json").text


def test_no_goods_of_another_seller_come_into_an_order_later(village: Village) -> None:
    shelve(village, 5, lot="A")
    other = shelve(village, 5, lot="B", net=1000)
    theirs = of_another_seller(village)
    with write() as session:
        placed = services.place_in(session, [Wanted(village.product("packs", 500).id, 1)], BUYER, channel="live")
    with write() as session:
        try:
            services.add_lines_in(session, session.get_one(Order, placed.id), [Wanted(theirs.id, 1)])
        except BadInput as error:
            assert error.slug == "several-sellers"
    assert numbers(other) == (5, 0, 0)
    assert len(order(placed.id).lines) == 1


def test_an_old_order_of_several_sellers_is_worked_by_each_of_them(app: Flask, village: Village) -> None:
    shelve(village, 9, lot="A"), shelve(village, 9, lot="B", net=1000)
    order_id = of_several(village)
    number = order(order_id).number
    one, other = village.actor("seller"), village.actor("office-other")
    for who in (one, other):
        assert [row.id for row in listing.find(who, Filter(), "").orders] == [order_id]
        assert today(who).steps[order(order_id).status].count == 1
        assert figures(who, 7).total.orders == 1
    with browser(app) as client:
        village.sign_in(client, "office-other")
        assert number in text(client.get(f"/seller/orders/{order_id}"))
    buyers = text(browser(app).get(f"/orders/{order(order_id).token}"))
    assert "Hợp tác xã Một" in buyers and "Hợp tác xã Hai" in buyers
    steps.confirm(one, order_id)
    steps.cancel(other, order_id, "hết hàng")
    assert faults() == []


def test_whose_an_order_is_is_not_looked_up_in_its_lines(village: Village) -> None:
    shelve(village, 9, lot="A")
    with write() as session:
        services.place_in(session, [Wanted(village.product("packs", 500).id, 1)], BUYER, channel="web")
    seller = village.actor("seller")
    with statements() as seen:
        listing.counts(seller)
    (statement,) = seen
    assert "EXISTS" not in statement
    db.session.rollback()
    alone = select(func.count()).select_from(Order).where(Order.cooperative_id == seller.cooperative_id)
    assert db.session.scalar(alone) == 1
