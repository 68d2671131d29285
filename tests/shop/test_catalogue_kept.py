"""Products' pages are kept rendered, and nobody ever sees that on them."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.catalogue import kept
from shop.catalogue.kept import MOST, Pages
from shop.stock.models import StockLot
from tests.shop.combining import combine
from tests.shop.hands import place, shelve, statements
from tests.support.village import Village
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.places.models import Household
from village.products import services
from village.products.models import Product


@pytest.fixture
def packs(village: Village) -> Product:
    return village.product("packs", 500)


@pytest.fixture
def page(client: FlaskClient, packs: Product) -> Callable[[], str]:
    address = f"/products/{packs.slug}"
    return lambda: client.get(address).text


def test_a_kept_page_asks_few_questions(client: FlaskClient, village: Village, packs: Product) -> None:
    shelve(village, 5, lot="A1")
    client.get(f"/products/{packs.slug}")
    with statements() as seen:
        client.get(f"/products/{packs.slug}")
    assert len(seen) <= 3


def test_what_is_ordered_is_gone_from_the_page_at_once(
    page: Callable[[], str], village: Village, packs: Product
) -> None:
    shelve(village, 5, lot="A1")
    assert "Còn 5 gói" in page()
    place(packs, 2)
    assert "Còn 3 gói" in page()
    place(packs, 3)
    assert "Đã hết" in page()
    shelve(village, 7, lot="A2")
    assert "Còn 7 gói" in page() and "A2" in page()


def test_what_is_lost_is_gone_from_the_page_at_once(page: Callable[[], str], village: Village) -> None:
    batch_id = shelve(village, 5, lot="A1")
    assert "Còn 5 gói" in page()
    with write() as session:
        session.get_one(StockLot, batch_id).lost = 2
    assert "Còn 3 gói" in page()


def test_a_combo_follows_the_lots_of_its_parts(client: FlaskClient, village: Village, packs: Product) -> None:
    shelve(village, 5, lot="A1")
    combo = combine(village, (packs, 2))
    assert "Còn 2 bộ" in client.get(f"/products/{combo.slug}").text
    place(packs, 2)
    assert "Còn 1 bộ" in client.get(f"/products/{combo.slug}").text


def test_a_price_and_a_name_change_at_once(page: Callable[[], str], village: Village, packs: Product) -> None:
    shelve(village, 5, lot="A1")
    assert "60.000\u00a0đ" in page() and "Hộ A" in page()
    services.change_price(village.actor("seller"), packs.id, 61_000, 60_000, sure=False)
    assert "61.000\u00a0đ" in page() and "60.000\u00a0đ" not in page()
    with write() as session:
        session.query(Household).filter_by(name="Hộ A").one().named = False
    assert "Hộ A" not in page()


def test_a_lot_that_is_measured_anew_says_so_at_once(page: Callable[[], str], village: Village) -> None:
    batch_id = shelve(village, 5, lot="A1")
    assert "độ ẩm" not in page()
    with write() as session:
        session.get_one(Batch, batch_id).moisture = 1320
    assert "độ ẩm 13,2" in page()


def test_a_product_that_is_put_away_has_no_page_any_more(client: FlaskClient, village: Village, packs: Product) -> None:
    assert client.get(f"/products/{packs.slug}").status_code == 200
    services.use_product(village.actor("office"), packs.id, False)
    assert client.get(f"/products/{packs.slug}").status_code == 404


def test_a_lot_past_its_day_leaves_the_page_at_midnight(page: Callable[[], str], village: Village) -> None:
    shelve(village, 5, lot="A1", days=0)
    assert "Còn 5 gói" in page()
    with clock.fixed(clock.now() + dt.timedelta(days=1)):
        assert "Còn 5 gói" not in page()


def test_each_reader_gets_her_own_language_and_way_about(client: FlaskClient, village: Village, packs: Product) -> None:
    shelve(village, 5, lot="A1")
    assert "Còn 5 gói" in client.get(f"/products/{packs.slug}?lang=vi").text
    assert "Còn 5 gói" not in client.get(f"/products/{packs.slug}?lang=en").text
    village.sign_in(client, "seller")
    assert 'href="/seller"' in client.get(f"/products/{packs.slug}?lang=vi").text
    client.delete_cookie("soi_session")
    assert 'href="/seller"' not in client.get(f"/products/{packs.slug}?lang=vi").text


def test_so_many_pages_are_kept_and_old_ones_are_made_anew(
    app: Flask, client: FlaskClient, packs: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(f"/products/{packs.slug}")
    pages: Pages = app.extensions[kept.PAGES]
    found = kept.of_product(packs.slug, kept.version_of(db.session.connection(), packs.slug))
    assert pages.get((packs.slug, "vi"), found.version) is found
    assert pages.get((packs.slug, "vi"), ("other",)) is None
    for number in range(MOST):
        pages.put((f"p{number}", "vi"), found)
    assert pages.get((packs.slug, "vi"), found.version) is None
    assert pages.get((f"p{MOST - 1}", "vi"), found.version) is found
    monkeypatch.setattr(kept, "MAX_AGE", 0.0)
    assert pages.get((f"p{MOST - 1}", "vi"), found.version) is None
