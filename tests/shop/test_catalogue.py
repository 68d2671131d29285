"""The storefront and products' pages: what people read there, and what machines do."""

import json
import re
from html import unescape
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

from batches.stages.wanted import Make
from shop.catalogue import combos, services
from shop.catalogue.page import LOTS_SHOWN, ProductPage, fixed_of, with_lots
from tests.shop.combining import combine
from tests.shop.hands import shelve, statements
from tests.support.village import Village
from village.db import db, write
from village.errors import BadInput, NotFound
from village.products.models import Product
from village.settings import DEMO_MARK
from wsgi import create_app


@pytest.fixture
def small(village: Village) -> Product:
    return village.product("packs", 500)


@pytest.fixture
def big(village: Village) -> Product:
    return village.product("packs", 1000)


def ld(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    assert found is not None
    told: dict[str, object] = json.loads(found[1])
    return told


def og(page: str) -> dict[str, str]:
    return {name: unescape(told) for name, told in re.findall(r'<meta property="([\w:]+)" content="(.*?)">', page)}


def test_a_combo_lasts_as_long_as_its_scarcest_part(village: Village, small: Product, big: Product) -> None:
    shelve(village, 7, lot="A1")
    shelve(village, 2, lot="B1", net=1000)
    combo = combine(village, (small, 2), (big, 1))
    assert combos.available(db.session(), [combo.id, small.id, big.id]) == {combo.id: 2, small.id: 7, big.id: 2}
    shelve(village, 9, lot="B2", net=1000)
    assert combos.available(db.session(), [combo.id]) == {combo.id: 3}
    assert services.shelf_of([combo.id]).offers[combo.id].available == 3
    assert {one.id: one.available for one in services.offers()}[combo.id] == 3
    shelve(village, 50, lot="A2", hold="held")
    assert page_of(combo.slug).offer.available == 3


def page_of(slug: str) -> ProductPage:
    session = db.session()
    return with_lots(session, fixed_of(session, slug))


def test_parts_are_told_of_combos_alone(village: Village, small: Product, big: Product) -> None:
    combo = combine(village, (small, 2), (big, 1))
    found = combos.parts_of(db.session(), [combo.id, small.id])
    assert found == {combo.id: tuple(sorted([(small.id, 2), (big.id, 1)]))}
    assert combos.parts_of(db.session(), []) == {}
    assert (combo.net_grams, combo.packed, small.packed) == (2000, False, True)


def test_nothing_can_be_recorded_as_packed_into_a_combo(village: Village, small: Product) -> None:
    combo = combine(village, (small, 2))
    for stage in ("harvest", "pack"):
        with pytest.raises(BadInput) as refused:
            village.record(stage, outputs=(Make(combo.id, 1000),))
        assert refused.value.slug == "wrong-product"


def test_a_combo_page_tells_what_is_in_it_and_of_which_lots(
    client: FlaskClient, village: Village, small: Product, big: Product
) -> None:
    shelve(village, 4, lot="LO-NHO")
    shelve(village, 4, lot="LO-TO", net=1000)
    combo = combine(village, (small, 2), (big, 1), price=200_000)
    page = client.get(f"/products/{combo.slug}").text
    assert "Bộ 3 gói, cả thảy 2\u00a0kg" in page
    assert "LO-NHO" in page and "LO-TO" in page and f"/products/{small.slug}" in page
    assert "Mua lẻ từng gói là 240.000\u00a0đ" in page
    assert "Còn 2 bộ" in page
    assert combo.name_vi in client.get(f"/products/{small.slug}").text


def test_a_combo_with_a_part_that_is_gone_is_not_to_be_had(
    client: FlaskClient, village: Village, small: Product, big: Product
) -> None:
    shelve(village, 4, lot="LO-NHO")
    combo = combine(village, (small, 2), (big, 1))
    page = client.get(f"/products/{combo.slug}").text
    assert "Món này vừa hết, nên chưa đủ bộ" in page
    assert "Cho vào giỏ" not in page


def test_pack_sizes_lead_to_each_other(client: FlaskClient, village: Village, small: Product, big: Product) -> None:
    page = client.get(f"/products/{small.slug}").text
    assert f'href="/products/{big.slug}"' in page
    assert "tính ra 120.000\u00a0đ một kg" in page
    with write() as session:
        session.get_one(Product, big.id).active = False
    assert f'href="/products/{big.slug}"' not in client.get(f"/products/{small.slug}").text


def test_a_page_lists_the_lots_that_go_first_and_counts_the_others(village: Village, small: Product) -> None:
    for number in range(LOTS_SHOWN + 3):
        shelve(village, 2, lot=f"L{number:03d}", days=300 - number)
    page = page_of(small.slug)
    assert [lot.lot for lot in page.lots][:2] == [f"L{LOTS_SHOWN + 2:03d}", f"L{LOTS_SHOWN + 1:03d}"]
    assert (len(page.lots), page.more_lots) == (LOTS_SHOWN, {small.id: 3})
    assert page.offer.available == 2 * (LOTS_SHOWN + 3)


def test_machines_read_the_product_and_its_offer(
    app: Flask, client: FlaskClient, village: Village, small: Product
) -> None:
    shelve(village, 4, lot="A1")
    with write() as session:
        row = session.get_one(Product, small.id)
        row.name_vi, row.brand = "Miến </script><b>", "Nắng"
        row.story_vi = "Sợi miến dài. " * 40
    page = client.get(f"/products/{small.slug}").text
    told, base = ld(page), app.extensions["soi"].public_url
    assert told["@type"] == "Product" and told["name"] == "Miến </script><b>" and told["gtin"] == small.gtin
    assert told["brand"] == {"@type": "Brand", "name": "Nắng"}
    offer = told["offers"]
    assert isinstance(offer, dict)
    assert (offer["price"], offer["priceCurrency"]) == (60_000, "VND")
    assert offer["availability"] == "https://schema.org/InStock"
    assert offer["url"] == f"{base}/products/{small.slug}"
    shared = og(page)
    assert shared["og:url"] == offer["url"] and shared["product:price:amount"] == "60000"
    assert shared["og:image"] == f"{base}/products/{small.slug}/card.png"
    assert len(shared["og:description"]) <= 200 and shared["og:description"].endswith("…")


def test_what_is_sold_out_is_told_to_machines_too(client: FlaskClient, village: Village, small: Product) -> None:
    offer = ld(client.get(f"/products/{small.slug}").text)["offers"]
    assert isinstance(offer, dict) and offer["availability"] == "https://schema.org/OutOfStock"


def test_a_combo_names_its_parts_to_machines(client: FlaskClient, village: Village, small: Product) -> None:
    combo = combine(village, (small, 3))
    offer = ld(client.get(f"/products/{combo.slug}").text)["offers"]
    assert isinstance(offer, dict)
    (part,) = offer["includesObject"]
    assert (part["amountOfThisGood"], part["typeOfGood"]["gtin"]) == (3, small.gtin)


def test_messengers_get_a_card_of_a_product_without_photos(client: FlaskClient, small: Product) -> None:
    answer = client.get(f"/products/{small.slug}/card.png")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert client.get("/products/khong-co/card.png").status_code == 404


def test_the_sitemap_lists_what_is_sold(app: Flask, client: FlaskClient, village: Village, small: Product) -> None:
    with write() as session:
        session.get_one(Product, village.product("packs", 1000).id).price = None
    answer = client.get("/sitemap.xml")
    assert answer.mimetype == "application/xml"
    base = app.extensions["soi"].public_url
    found = [
        one.text for one in ElementTree.fromstring(answer.data).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    ]
    assert f"{base}/" in found and f"{base}/products/{small.slug}" in found
    assert not any(one and one.endswith("-1000") and "mien-dong" in one for one in found)
    for one in found:
        assert one is not None and client.get(one.removeprefix(base)).status_code == 200


def test_robots_keep_out_of_peoples_pages(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/robots.txt")
    assert answer.mimetype == "text/plain"
    assert f"Sitemap: {app.extensions['soi'].public_url}/sitemap.xml" in answer.text
    for path in ("/cart", "/checkout", "/orders/", "/seller/"):
        assert f"Disallow: {path}\n" in answer.text


def test_an_invented_village_is_to_be_found_by_nobody(app: Flask, client: FlaskClient) -> None:
    (app.extensions["soi"].instance / DEMO_MARK).touch()
    from tests.conftest import settings_for

    settings = app.extensions["soi"]
    shown = create_app(settings_for(settings.database_url, settings.instance))
    assert shown.test_client().get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


def test_pages_ask_the_same_number_of_questions_however_much_there_is(
    client: FlaskClient, village: Village, small: Product, big: Product
) -> None:
    def asked() -> list[int]:
        counts = []
        for address in ("/", "/?q=mien", f"/products/{small.slug}", f"/products/{combo.slug}", "/api/products"):
            client.get(address)
            with statements() as seen:
                client.get(address)
            counts.append(len(seen))
        return counts

    combo = combine(village, (small, 1), (big, 1))
    shelve(village, 2, lot="A1")
    shelve(village, 2, lot="B1", net=1000)
    before = asked()
    for number in range(6):
        shelve(village, 2, lot=f"A{number + 2}")
        combine(village, (small, 1), (big, number + 2), number=901 + number)
    assert asked() == before
    assert max(before) <= 12


def test_what_is_not_sold_has_no_page(village: Village, client: FlaskClient) -> None:
    with pytest.raises(NotFound):
        page_of(village.product("tuber").slug)
    assert client.get("/products/khong-co").status_code == 404
