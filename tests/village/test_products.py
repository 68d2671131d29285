"""Products, as the office keeps them."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.support.village import Village
from village.db import db
from village.errors import Forbidden
from village.gs1 import check_digit
from village.products import materials, services
from village.products.models import Product

GTIN = "9506000777770"
GTIN = GTIN[:12] + str(check_digit(GTIN[:12]))


@pytest.fixture
def office(app: Flask, client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "office")
    materials.offer(app, materials.Material("thu", "packs", "Gói thử", "Test pack"))
    return client


def form(**changed: str) -> dict[str, str]:
    return {
        "name_vi": "Miến dong đặc biệt 300 g", "gtin": GTIN, "material": "thu/packs", "net_grams": "300",
        "price": "45.000", "shelf_days": "365", "picture": "pack", "ingredients_vi": "100 % tinh bột dong riềng",
        **changed,
    }  # fmt: skip


def product() -> Product | None:
    db.session.rollback()
    return db.session.scalar(select(Product).where(Product.gtin == GTIN.zfill(14)))


def test_a_product_is_put_on_the_list(office: FlaskClient, village: Village) -> None:
    assert office.post("/coop/products/new", data=form()).status_code == 302
    made = product()
    assert made is not None
    assert (made.slug, made.net_grams, made.price) == ("mien-dong-dac-biet-300-g", 300, 45000)
    assert (made.process, made.material, made.name_en) == ("thu", "packs", "Miến dong đặc biệt 300 g")
    assert made.cooperative_id == village.actor("office").cooperative_id
    assert "Miến dong đặc biệt 300 g" in office.get("/coop/products").text


@pytest.mark.parametrize(("field", "typed", "message"), [
    ("gtin", GTIN[:-1] + str((int(GTIN[-1]) + 1) % 10), f"phải là {GTIN[-1]}"), ("gtin", "12345", "chữ số"),
    ("name_vi", "\u0301\u0302", "Có dấu thừa"), ("name_vi", "", "chưa điền"), ("material", "", "làm từ gì"),
    ("material", "thu/gold", "trong danh sách"), ("net_grams", "0", "Phải từ 1"), ("net_grams", "1.5", "số nguyên"),
    ("net_grams", "", "Chỉ hàng đóng gói mới có giá"), ("price", "-5", "số nguyên"), ("shelf_days", "", "hạn dùng"),
    ("slug", "Miến", "không dấu"), ("picture", "../../etc", "một hình"), ("story_vi", "a" * 2001, "nhiều nhất là 2000"),
])  # fmt: skip
def test_a_product_form_that_is_not_right_says_where(office: FlaskClient, field: str, typed: str, message: str) -> None:
    answer = office.post("/coop/products/new", data=form(**{field: typed}))
    assert answer.status_code == 422
    assert message in answer.text
    assert "100 % tinh bột dong riềng" in answer.text
    assert product() is None


def test_a_number_or_an_address_belongs_to_one_product(office: FlaskClient) -> None:
    office.post("/coop/products/new", data=form())
    same_number = office.post("/coop/products/new", data=form(slug="khac"))
    assert same_number.status_code == 422 and "GTIN này đã là của một sản phẩm khác" in same_number.text
    other = "950600077778"
    same_address = office.post("/coop/products/new", data=form(gtin=other + str(check_digit(other))))
    assert same_address.status_code == 422 and "Địa chỉ trang này" in same_address.text


def test_what_a_label_carries_stays(office: FlaskClient) -> None:
    office.post("/coop/products/new", data=form())
    made = product()
    assert made is not None
    changed = form(name_en="Special noodles", price="50.000", gtin="1", slug="khac", net_grams="999", material="x/y")
    assert office.post(f"/coop/products/{made.id}", data=changed).status_code == 302
    after = product()
    assert after is not None
    assert (after.price, after.name_en) == (50000, "Special noodles")
    assert (after.slug, after.net_grams, after.material) == ("mien-dong-dac-biet-300-g", 300, "packs")
    assert 'value="50000"' in office.get(f"/coop/products/{made.id}").text
    office.post(f"/coop/products/{made.id}/withdraw")
    put_away = product()
    assert put_away is not None and not put_away.active


def test_a_product_of_another_cooperative_is_unknown(client: FlaskClient, village: Village) -> None:
    theirs = village.product("packs", 500).id
    village.sign_in(client, "office-other")
    assert client.get(f"/coop/products/{theirs}").status_code == 404
    assert client.post(f"/coop/products/{theirs}", data=form()).status_code == 404
    assert client.post(f"/coop/products/{theirs}/withdraw").status_code == 404


def test_services_refuse_the_wrong_role_themselves(village: Village) -> None:
    for username in ("producer", "seller", "auditor"):
        with pytest.raises(Forbidden):
            services.use_product(village.actor(username), village.product("packs", 500).id, False)
