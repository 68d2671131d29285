"""What programs may ask the shop, and order from it, as design.md has it."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from shop.orders.models import Order
from tests.shop.hands import TYPED, numbers, shelve, statements
from tests.support.village import Village
from village.db import db, write
from village.products.models import Product


@pytest.fixture
def program(app: Flask) -> FlaskClient:
    """A client without a browser's headers or cookies."""
    return app.test_client()


@pytest.fixture
def gtin(village: Village) -> Iterator[str]:
    """Of the 500 g packs, of which five are on the shelf."""
    shelve(village, 2, lot="SOM", days=5)
    shelve(village, 3, lot="MUON", days=50)
    yield village.product("packs", 500).gtin


def post(program: FlaskClient, body: Any, key: str | None = "khoa-1", **headers: str) -> Any:
    sent = {"Idempotency-Key": key} if key is not None else {}
    return program.post("/api/orders", json=body, headers={**sent, **headers})


def body(gtin: str, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {"lines": [{"gtin": gtin, "quantity": quantity}], "buyer": TYPED, "payment": "cod", **more}


def ask(program: FlaskClient, address: str) -> Any:
    return program.get(address).json


def orders() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order)) or 0


def test_the_list_has_what_is_sold_with_price_and_stock(program: FlaskClient, village: Village, gtin: str) -> None:
    listed = ask(program, "/api/products")["products"]
    by_gtin = {product["gtin"]: product for product in listed}
    assert by_gtin[gtin] == {"gtin": gtin, "name": by_gtin[gtin]["name"], "price": 60_000, "available": 5}
    assert by_gtin[village.product("packs", 1000).gtin]["available"] == 0
    assert village.product("tuber").gtin not in by_gtin


def test_a_guest_orders_and_follows_the_order(program: FlaskClient, gtin: str) -> None:
    answer = post(program, body(gtin, 3))
    assert answer.status_code == 201, answer.text
    order = answer.json
    assert order["lines"] == [
        {"gtin": gtin, "quantity": 3, "lots": [{"lot": "MUON", "quantity": 1}, {"lot": "SOM", "quantity": 2}]}
    ]
    assert (order["status"], order["total"]) == ("placed", 180_000)
    assert order["pay"] == {"method": "cod", "amount": 180_000}
    followed = program.get(f"/api/orders/{order['token']}")
    assert followed.json == order
    assert followed.headers["Cache-Control"] == "no-store"
    assert program.get("/api/orders/" + "x" * 32).status_code == 404
    assert program.get(f"/api/orders/{order['number']}").status_code == 404


def test_sent_again_it_is_the_same_order_and_with_another_body_a_conflict(program: FlaskClient, gtin: str) -> None:
    first = post(program, body(gtin, 2))
    again = post(program, body(gtin, 2))
    assert (again.status_code, again.json) == (201, first.json)
    other = post(program, body(gtin, 1))
    assert other.status_code == 409
    assert other.json["type"].endswith("/problems/idempotency-key-reused")
    assert orders() == 1


def test_a_key_of_one_asker_is_not_anothers(program: FlaskClient, village: Village, gtin: str) -> None:
    post(program, body(gtin, 1))
    token = village.token("seller")
    g.pop("actor", None)  # the test's app context outlives the request, and so does what it remembered
    mine = post(program, body(gtin, 2), Authorization=f"Bearer {token}")
    assert mine.status_code == 201
    assert orders() == 2


def test_without_a_key_nothing_is_ordered(program: FlaskClient, gtin: str) -> None:
    for key in (None, "x" * 101, "có"):
        headers = [] if key is None else [("Idempotency-Key", key.encode().decode("latin-1"))]
        answer = program.post("/api/orders", json=body(gtin), headers=headers)
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
    assert orders() == 0


def test_a_bad_token_orders_nothing(program: FlaskClient, gtin: str) -> None:
    assert post(program, body(gtin), Authorization="Bearer khong-dung").status_code == 401
    assert orders() == 0


def test_out_of_stock_says_what_there_is(program: FlaskClient, village: Village, gtin: str) -> None:
    other = village.product("packs", 1000).gtin
    wanted = {**body(gtin, 6), "lines": [{"gtin": gtin, "quantity": 6}, {"gtin": other, "quantity": 1}]}
    answer = post(program, wanted)
    assert answer.status_code == 409
    assert answer.json["type"].endswith("/problems/out-of-stock")
    left = {one["gtin"]: one["available"] for one in answer.json["available"]}
    assert left == {gtin: 5, other: 0}
    assert orders() == 0


@pytest.mark.parametrize("quantity", [0, -1, 100, 10**40, 1.5, 2.0, "2", True, None, [], {}])
def test_a_quantity_that_is_none_is_refused(program: FlaskClient, gtin: str, quantity: Any) -> None:
    answer = post(program, body(gtin, quantity))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert orders() == 0


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"payment": "vietqr"}, "payment-not-open"),
        ({"payment": "stripe"}, "payment-not-open"),
        ({"buyer": {**TYPED, "phone": "113"}}, "not-a-phone"),
        ({"buyer": {**TYPED, "name": "Lan \u202egnoD"}}, "bad-character"),
        ({"buyer": {**TYPED, "name": "\u0301\u0301"}}, None),
        ({"buyer": {"name": "Lan"}}, "invalid"),
        ({"buyer": "Lan"}, "invalid"),
        ({"lines": []}, "no-lines"),
        ({"lines": [{"gtin": "09506000999999", "quantity": 1}]}, "unknown-gtin"),
        ({"lines": [{"gtin": "0950600", "quantity": 1}]}, "unknown-gtin"),
        ({"lines": [{"gtin": 9506000, "quantity": 1}]}, "invalid"),
        ({"lines": [{"gtin": "09506000999999", "quantity": 1}] * 1000}, "too-many-lines"),
        ({"price": 1}, "invalid"),
        ({"note": "x" * 501}, "too-long"),
    ],
)
def test_what_cannot_be_ordered_gets_its_own_problem(
    program: FlaskClient, gtin: str, change: dict[str, Any], slug: str | None
) -> None:
    answer = post(program, {**body(gtin), **change})
    assert answer.status_code == 422, answer.text
    assert slug is None or answer.json["type"].endswith(f"/problems/{slug}"), answer.json
    assert answer.json["detail"]
    assert orders() == 0


def test_of_a_list_that_is_too_long_nothing_is_looked_at(program: FlaskClient, gtin: str) -> None:
    """Anybody may order: what is wrong with each of a million lines would take half a minute to say."""
    answer = post(program, {**body(gtin), "lines": [0] * 20_000})
    assert (answer.status_code, answer.json["count"]) == (422, 20_000) and len(answer.data) < 1000
    assert post(program, {**body(gtin), "note": "x" * 70_000}).status_code == 413


def test_what_is_no_json_is_refused(program: FlaskClient, gtin: str) -> None:
    for data in (b"", b"[]", b"{", b'"x"', b"\xff\xfe"):
        answer = program.post(
            "/api/orders", data=data, content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code in (400, 422)
        assert answer.mimetype == "application/problem+json"


def test_thirteen_digits_name_the_same_product(program: FlaskClient, village: Village, gtin: str) -> None:
    answer = post(program, body(gtin.removeprefix("0")))
    assert answer.status_code == 201
    assert answer.json["lines"][0]["gtin"] == gtin


def test_what_is_not_sold_any_more_cannot_be_ordered(program: FlaskClient, village: Village, gtin: str) -> None:
    with write() as session:
        session.execute(update(Product).where(Product.gtin == gtin).values(active=False))
    assert post(program, body(gtin)).status_code == 422
    assert gtin not in {product["gtin"] for product in ask(program, "/api/products")["products"]}


def test_the_storefront_asks_the_database_four_times_at_most(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    counts = []
    for first in (0, 30):
        with statements() as seen:
            page = client.get("/")
        assert page.status_code == 200
        counts.append(len(seen))
        with write() as session:
            known = session.scalars(select(Product).where(Product.price.is_not(None))).first()
            assert known is not None
            session.add_all(
                Product(
                    gtin=f"0950600077{n:04d}", slug=f"them-{n}", name_vi=f"Món {n}", name_en=f"Item {n}", net_grams=500,
                    price=1000, cooperative_id=known.cooperative_id, process="mien-dong", material="packs",
                )
                for n in range(first, first + 30)
            )  # fmt: skip
    assert counts[0] <= 4  # stock, products, stars, photos
    assert counts[0] == counts[1]


def test_the_description_names_the_shops_addresses(program: FlaskClient) -> None:
    described = ask(program, "/api/openapi.json")["paths"]
    assert {"/api/products", "/api/orders", "/api/orders/{token}"} <= set(described)
    names = [parameter.get("name") for parameter in described["/api/orders"]["post"]["parameters"]]
    assert "Idempotency-Key" in names


def test_an_api_order_holds_its_packs(program: FlaskClient, village: Village) -> None:
    lot = shelve(village, 5, lot="A", net=1000)
    post(program, body(village.product("packs", 1000).gtin, 4))
    assert numbers(lot) == (1, 4, 0)
