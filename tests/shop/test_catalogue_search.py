"""Finding a product by what people type."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from shop.catalogue.search import Told, folded, rank
from tests.shop.combining import combine
from tests.shop.hands import shelve
from tests.support.village import Village
from village.db import write
from village.products.models import Product

NOODLES = Told(
    "Miến dong Bình Lư 500 g Canna noodles 500 g", "Nắng Chu Va, củ dong riềng, không tẩy trắng 09506000001017"
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Miến dong", 0), ("miến DONG bình lư", 0), ("mie\u0302\u0301n dong", 0), ("mien dong", 1), ("MIEN  dong", 1),
        ("dong miến", 1), ("binh lu mien", 1), ("mi", 0), ("mien do", 1), ("miendong", 1), ("dongbinh", 1),
        ("canna noo", 0), ("ｍｉｅｎ dong", 1), ("chu va", 2), ("mien chu va", 2), ("09506000001017", 2), ("iến", None),
        ("phở", None), ("mien pho", None), ("", None), ("!!!", None), ("500 g", 0), ("600", None), ("tay trang", 2),
    ],
)  # fmt: skip
def test_marks_case_order_and_blanks_do_not_matter(query: str, found: int | None) -> None:
    assert rank(query, NOODLES) == found


def test_the_letter_with_a_stroke_is_a_d() -> None:
    assert folded("Đường ĐỎ, đậu") == ["duong", "do", "dau"]


@given(st.text(max_size=80), st.text(max_size=200))
def test_any_text_at_all_may_be_typed(query: str, name: str) -> None:
    assert rank(query, Told(name, "")) in (0, 1, None)
    assert rank(name, Told(name, "")) == (0 if folded(name) else None)


def test_the_storefront_finds_without_marks_and_the_closest_first(client: FlaskClient, village: Village) -> None:
    shelve(village, 3, lot="A1", net=1000)
    with write() as session:
        small, big = (session.get_one(Product, village.product("packs", net).id) for net in (500, 1000))
        small.name_vi, small.name_en = "Miến dong nửa cân", "Noodles, half a kilo"
        big.name_vi, big.name_en, big.story_vi = "Gói quà", "Gift", "Trong gói là miến dong"
    page = client.get("/?q=mien+dong").text
    assert page.index("Miến dong nửa cân") < page.index("Gói quà")
    assert "Chè" not in page
    assert 'value="mien dong"' in page and "noindex" in page


def test_a_combo_is_found_by_what_lies_in_it(client: FlaskClient, village: Village) -> None:
    packs = village.product("packs", 500)
    combo = combine(village, (packs, 2))
    with write() as session:
        session.get_one(Product, packs.id).name_vi = "Sợi vàng"
    assert combo.slug in client.get("/?q=soi+vang").text


def test_nothing_found_says_so_and_shows_the_way_back(client: FlaskClient, village: Village) -> None:
    page = client.get("/?q=%3Cscript%3Epho").text
    assert "Chưa thấy món nào như thế" in page
    assert "<script>pho" not in page and 'href="/"' in page


def test_a_query_without_end_is_cut(client: FlaskClient, village: Village) -> None:
    answer = client.get("/?q=" + "mien " * 1000)
    assert answer.status_code == 200
    assert len(answer.data) < 10_000
