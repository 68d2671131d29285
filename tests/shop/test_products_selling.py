"""`/seller/products`: who may change words and prices, and what is remembered of it."""

import re
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from shop.catalogue import making
from shop.catalogue.models import ComboPart
from shop.orders import services as orders
from tests.shop.combining import combine
from tests.shop.hands import BUYER, at_once, shelve
from tests.support.village import Village, gtin
from village.db import db, write
from village.errors import Conflict, Forbidden, NotFound
from village.products import services
from village.products.models import Product, ProductPrice
from village.products.schemas import TEXT_KEYS, Words
from village.products.services import words_mark


@pytest.fixture
def seller(client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "seller")
    return client


@pytest.fixture
def packs(village: Village) -> Product:
    return village.product("packs", 500)


def fresh(product: Product) -> Product:
    db.session.rollback()
    return db.session.get_one(Product, product.id, populate_existing=True)


def prices(product: Product) -> list[tuple[int | None, str]]:
    db.session.rollback()
    return [(one.price, one.member.username if one.member else "") for one in services.prices_of(product)]


def post(client: FlaskClient, product: Product, what: str, **typed: str) -> tuple[int, str]:
    answer = client.post(f"/seller/products/{product.id}/{what}", data=typed)
    return answer.status_code, answer.text


def test_a_price_changes_and_is_remembered_with_who_and_when(seller: FlaskClient, packs: Product) -> None:
    assert post(seller, packs, "price", price="65.000", seen="60000")[0] == 303
    assert post(seller, packs, "price", price="", seen="65000")[0] == 303
    assert fresh(packs).price is None
    assert prices(packs) == [(None, "seller"), (65_000, "seller")]
    page = seller.get(f"/seller/products/{packs.id}").text
    assert "65.000\u00a0đ" in page and "thôi bán" in page and "Người Bán" in page
    assert seller.get(f"/products/{packs.slug}").status_code == 404


def test_the_same_price_again_is_no_new_price(seller: FlaskClient, packs: Product) -> None:
    assert post(seller, packs, "price", price="60000", seen="60000")[0] == 303
    assert prices(packs) == []


def test_a_price_far_from_the_last_asks_once_more(seller: FlaskClient, packs: Product) -> None:
    code, page = post(seller, packs, "price", price="6.000", seen="60000")
    assert code == 422 and "Giá đang là 60.000\u00a0đ" in page and 'name="sure"' in page and 'value="6.000"' in page
    assert post(seller, packs, "price", price="120.001", seen="60000")[0] == 422
    assert fresh(packs).price == 60_000
    assert post(seller, packs, "price", price="6.000", seen="60000", sure="1")[0] == 303
    assert fresh(packs).price == 6_000
    assert post(seller, packs, "price", price="12.000", seen="6000")[0] == 303


@pytest.mark.parametrize("typed", ["0", "-1", "abc", "1.5", "9" * 14, "1000000001", "６５０００"])
def test_what_is_no_price_is_refused(seller: FlaskClient, packs: Product, typed: str) -> None:
    assert post(seller, packs, "price", price=typed, seen="60000")[0] == 422
    assert fresh(packs).price == 60_000


def test_a_price_that_somebody_has_just_changed_is_not_overwritten(seller: FlaskClient, packs: Product) -> None:
    post(seller, packs, "price", price="65000", seen="60000")
    code, page = post(seller, packs, "price", price="70000", seen="60000")
    assert code == 409 and "Vừa có người sửa" in page and 'name="seen" value="65000"' in page
    assert fresh(packs).price == 65_000


def test_of_two_sellers_at_once_one_changes_the_price(app: Flask, village: Village, packs: Product) -> None:
    who, begun = village.actor("seller"), Barrier(4)

    def change() -> None:
        begun.wait()
        services.change_price(who, packs.id, 65_000, 60_000, sure=False)

    done = at_once(app, 4, change)
    assert [type(one) for one in done if one is not None] == [Conflict] * 3
    assert prices(packs) == [(65_000, "seller")]


def test_an_order_keeps_the_price_of_its_day(seller: FlaskClient, village: Village, packs: Product) -> None:
    shelve(village, 5, lot="A1")
    placed = orders.place(None, [(packs.gtin, 2)], BUYER, channel="api", idempotency_key="k1")
    post(seller, packs, "price", price="65000", seen="60000")
    assert seller.get(f"/api/orders/{placed.token}").get_json()["total"] == 120_000


def test_the_offices_own_form_writes_the_same_history(village: Village, packs: Product, client: FlaskClient) -> None:
    village.sign_in(client, "office")
    typed = {"name_vi": "Miến", "price": "62000", "shelf_days": "365", "picture": "pack"}
    assert client.post(f"/coop/products/{packs.id}", data=typed).status_code == 302
    assert prices(packs) == [(62_000, "office")]


def test_words_change_and_numbers_stay(seller: FlaskClient, packs: Product) -> None:
    typed = {"name_vi": "Miến dong\u0301", "story_vi": "Một.\r\n\r\nHai.", "gtin": "1", "net_grams": "9", "price": "1"}
    code, _page = post(seller, packs, "words", seen=words_mark(packs), **typed)
    after = fresh(packs)
    assert code == 303
    assert (after.name_vi, after.story_vi, after.name_en) == ("Miến don\u01f5", "Một.\n\nHai.", "Miến don\u01f5")
    assert (after.price, after.net_grams, after.gtin) == (60_000, 500, packs.gtin)


def test_words_that_somebody_has_just_changed_are_not_overwritten(seller: FlaskClient, packs: Product) -> None:
    seen = words_mark(packs)
    post(seller, packs, "words", seen=seen, name_vi="Của người trước")
    code, page = post(seller, packs, "words", seen=seen, name_vi="Của người sau")
    assert code == 409 and "Vừa có người sửa" in page and "Của người sau" in page
    assert fresh(packs).name_vi == "Của người trước"
    again = re.search(r'name="seen" value="([0-9a-f]{16})"', page)
    assert again is not None
    assert post(seller, packs, "words", seen=again[1], name_vi="Của người sau")[0] == 303


@pytest.mark.parametrize(("field", "typed"), [("name_vi", ""), ("name_vi", "a\u202eb"), ("story_en", "x" * 2001)])
def test_words_that_are_not_right_say_where(seller: FlaskClient, packs: Product, field: str, typed: str) -> None:
    code, page = post(seller, packs, "words", **{"seen": words_mark(packs), "name_vi": "Miến", field: typed})
    assert code == 422 and f'id="{field}-error"' in page


@pytest.mark.parametrize("username", ["producer", "auditor", "office-other", ""])
@pytest.mark.parametrize("what", ["price", "words", "pictures"])
def test_nobody_else_may(client: FlaskClient, village: Village, packs: Product, username: str, what: str) -> None:
    if username:
        village.sign_in(client, username)
    code, _page = post(client, packs, what, price="65000", seen="60000", name_vi="Khác")
    assert code == {"office-other": 404, "": 401}.get(username, 403)
    assert (fresh(packs).price, fresh(packs).name_vi) == (60_000, packs.name_vi)
    assert client.get(f"/seller/products/{packs.id}").status_code in (code, 302)


def test_another_sites_page_changes_no_price(seller: FlaskClient, packs: Product) -> None:
    answer = seller.post(
        f"/seller/products/{packs.id}/price", data={"price": "65000", "seen": "60000"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert answer.status_code == 403 and fresh(packs).price == 60_000


def test_services_refuse_the_wrong_role_themselves(village: Village, packs: Product) -> None:
    words = Words("A", "A", "", dict.fromkeys(TEXT_KEYS, ""))
    for username in ("producer", "auditor"):
        who = village.actor(username)
        with pytest.raises(Forbidden):
            services.change_price(who, packs.id, 65_000, 60_000, sure=False)
        with pytest.raises(Forbidden):
            services.edit_words(who, packs.id, words, words_mark(packs))
        with pytest.raises(Forbidden):
            making.add_combo(who, making.Wish(gtin(900), "bo", words, 1000, ((packs.id, 2),)))


def combo_form(*parts: tuple[Product, str], **changed: str) -> dict[str, str]:
    chosen = {f"units-{one.id}": units for one, units in parts}
    return {"name_vi": "Bộ thử", "gtin": gtin(900), "price": "150.000", **chosen, **changed}


def test_a_seller_puts_a_combo_together(seller: FlaskClient, village: Village, packs: Product) -> None:
    big = village.product("packs", 1000)
    page = seller.get("/seller/products/combo").text
    assert f'name="units-{packs.id}"' in page and f"units-{village.product('tuber').id}" not in page
    answer = seller.post("/seller/products/combo", data=combo_form((packs, "2"), (big, "1")))
    assert answer.status_code == 303, answer.text
    db.session.rollback()
    combo = db.session.scalars(select(Product).where(Product.gtin == gtin(900))).one()
    assert (combo.combo, combo.net_grams, combo.price, combo.slug) == (True, 2000, 150_000, "bo-thu")
    assert prices(combo) == [(150_000, "seller")]
    shown = seller.get(answer.location).text
    assert "2 × " + packs.name_vi in shown
    assert f"units-{combo.id}" not in seller.get("/seller/products/combo").text
    assert "Bộ thử" in seller.get("/seller/products").text


@pytest.mark.parametrize(
    ("units", "changed", "message"),
    [
        ("1", {}, "từ hai gói trở lên"), ("", {}, "từ hai gói trở lên"), ("100", {}, "Phải từ 0 đến 99"),
        ("-2", {}, "số nguyên"), ("2", {"price": ""}, "chưa điền"), ("2", {"gtin": "12345"}, "chữ số"),
        ("2", {"name_vi": "…"}, "chữ cái"), ("2", {"slug": "Bộ"}, "không dấu"),
    ],
)  # fmt: skip
def test_a_combo_that_cannot_be_says_why(
    seller: FlaskClient, packs: Product, units: str, changed: dict[str, str], message: str
) -> None:
    answer = seller.post("/seller/products/combo", data=combo_form((packs, units), **changed))
    assert answer.status_code == 422 and message in answer.text
    assert db.session.scalars(select(ComboPart)).all() == []


def test_a_combo_needs_a_number_of_its_own(seller: FlaskClient, packs: Product) -> None:
    answer = seller.post("/seller/products/combo", data=combo_form((packs, "2"), gtin=packs.gtin))
    assert answer.status_code == 422 and "GTIN này đã là của một sản phẩm khác" in answer.text


def test_no_combo_is_made_of_a_combo_or_of_anothers_products(village: Village, packs: Product) -> None:
    combo = combine(village, (packs, 2))
    with pytest.raises(NotFound):
        combine(village, (combo, 2), number=901)
    with write() as session:
        session.get_one(Product, packs.id).cooperative_id = village.actor("office-other").cooperative_id
    with pytest.raises(NotFound):
        combine(village, (packs, 2), number=902)


def test_a_combos_own_page_in_the_office_and_its_passport_hold(
    client: FlaskClient, village: Village, packs: Product
) -> None:
    combo = combine(village, (packs, 2))
    village.sign_in(client, "office")
    assert client.get(f"/coop/products/{combo.id}").status_code == 200
    assert client.get(f"/passports/{combo.gtin}").status_code == 404
    assert client.get(f"/01/{combo.gtin}").status_code in (200, 302, 303, 307)


def test_a_product_keeps_its_first_price_from_before_there_was_a_history(village: Village, packs: Product) -> None:
    assert db.session.scalars(select(ProductPrice)).all() == []
    services.change_price(village.actor("seller"), packs.id, 61_000, 60_000, sure=False)
    assert prices(packs) == [(61_000, "seller")]
