"""Whoever was never here gets a product's whole page from what is kept, and nobody ever sees that on it."""

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.catalogue import guests
from tests.conftest import browser
from tests.shop.hands import place, shelve, statements
from tests.shop.recalling import recall
from tests.support.village import Village
from village.products.models import Product


@pytest.fixture
def packs(village: Village) -> Product:
    return village.product("packs", 500)


@pytest.fixture
def address(packs: Product) -> str:
    return f"/products/{packs.slug}"


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken for true without a look."""
    monkeypatch.setattr(guests, "GRACE", 0.0)


def test_the_same_answer_is_given_again_without_the_app(app: Flask, village: Village, address: str) -> None:
    shelve(village, 5, lot="A1")
    first = browser(app).get(address)
    with statements() as seen:
        again = browser(app).get(address)
    assert seen == [], "it was looked up a moment ago, and nothing was written since"
    assert again.data == first.data
    one, two = dict(first.headers), dict(again.headers)
    assert one.pop("X-Request-ID") != two.pop("X-Request-ID")
    assert one == two


def test_what_is_ordered_is_gone_from_it_at_once(app: Flask, village: Village, address: str, packs: Product) -> None:
    shelve(village, 5, lot="A1")
    assert "Còn 5 gói" in browser(app).get(address).text
    place(packs, 2)
    assert "Còn 3 gói" in browser(app).get(address).text


@pytest.mark.usefixtures("unhurried")
def test_a_look_is_three_questions(app: Flask, village: Village, address: str) -> None:
    shelve(village, 5, lot="A1")
    browser(app).get(address)
    with statements() as seen:
        browser(app).get(address)
    assert len([one for one in seen if one.startswith("SELECT")]) == 3, seen


def test_a_recall_stands_on_it_at_once_and_goes_with_its_end(app: Flask, village: Village, address: str) -> None:
    batch = shelve(village, 5, lot="A1")
    assert "thu hồi" not in browser(app).get(address).text
    recall(village, batch)
    assert "Đang thu hồi lô A1" in browser(app).get(address).text


def test_who_is_known_gets_her_own(app: Flask, village: Village, address: str, packs: Product) -> None:
    shelve(village, 5, lot="A1")
    guest = browser(app)
    guest.get(address)
    seller = browser(app)
    village.sign_in(seller, "seller")
    assert 'href="/seller"' in seller.get(address).text
    assert 'href="/seller"' not in guest.get(address).text
    buyer = browser(app)
    buyer.post("/cart/add", data={"product": packs.id, "quantity": "1"})
    assert "Đã cho vào giỏ." in buyer.get(address).text, "what waits to be told is told once"
    assert "Đã cho vào giỏ." not in buyer.get(address).text
    assert "Đã cho vào giỏ." not in guest.get(address).text


@pytest.mark.parametrize(
    "cookies", ["soi_lang=en; soi_cart=x", "soi_cart=x; soi_lang=en", "soi_lang=en;soi_lang=vi", "x"]
)
def test_a_cookie_that_is_not_only_the_language_goes_to_the_app(
    app: Flask, village: Village, address: str, cookies: str
) -> None:
    shelve(village, 5, lot="A1")
    ask = app.test_client(use_cookies=False)
    for _ in range(2):
        with statements() as seen:
            assert ask.get(address, headers={"Cookie": cookies}).status_code == 200
        assert seen


def test_each_language_is_kept_apart(app: Flask, village: Village, address: str) -> None:
    shelve(village, 5, lot="A1")
    nobody, one, other = browser(app), browser(app), browser(app)
    one.set_cookie("soi_lang", "vi")
    other.set_cookie("soi_lang", "en")
    for _ in range(2):
        assert '<html lang="vi">' in one.get(address).text
        assert '<html lang="en">' in other.get(address).text
        assert '<html lang="vi">' in nobody.get(address).text


def test_it_is_zipped_for_who_reads_that_and_not_sent_twice(app: Flask, village: Village, address: str) -> None:
    shelve(village, 5, lot="A1")
    plain = browser(app).get(address)
    for _ in range(2):
        zipped = browser(app).get(address, headers={"Accept-Encoding": "gzip"})
        assert zipped.headers["Content-Encoding"] == "gzip" and gzip.decompress(zipped.data) == plain.data
        assert {"Accept-Encoding", "Cookie"} <= set(zipped.vary)
        again = browser(app).get(address, headers={"If-None-Match": plain.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_what_is_not_sold_is_not_there(app: Flask, client: FlaskClient) -> None:
    assert client.get("/products/khong-co").status_code == 404
    pages: guests.Pages = app.extensions[guests.PAGES]
    assert pages.fresh(("khong-co", "vi")) is None
