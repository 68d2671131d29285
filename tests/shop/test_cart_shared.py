"""A cart with a combo and its parts says what is truly enough; carts, checkout and orders show the photos."""

import io

from flask import Flask
from flask.testing import FlaskClient

from shop.catalogue import pictures
from tests.conftest import browser
from tests.shop.combining import combine
from tests.shop.hands import TYPED, numbers, place, shelve
from tests.shop.test_checkout import checkout, fill, text
from tests.shop.test_product_pictures import shot
from tests.support.village import Village


def inside(client: FlaskClient) -> list[int]:
    """The quantities in the cart."""
    with client.session_transaction() as kept:
        return [quantity for _product, quantity, _seen in kept.get("basket", [])]


def test_a_combo_and_one_of_its_parts_are_enough_only_together(client: FlaskClient, village: Village) -> None:
    lot = shelve(village, 5, lot="A")
    shelve(village, 9, lot="B", net=1000)
    small = village.product("packs", 500)
    combo = combine(village, (small, 2), (village.product("packs", 1000), 1))
    fill(client, combo, 2)
    fill(client, small, 1)
    assert 'href="/checkout"' in client.get("/cart").text, "four and one are five"
    fill(client, small, 1)
    page = client.get("/cart")
    assert "Chung gói với món ở trên nên chỉ còn được 1." in text(page)
    assert 'href="/checkout"' not in page.text
    assert client.get("/checkout").status_code == 303
    client.post("/cart/fit")
    assert inside(client) == [2, 1]
    assert checkout(client, **TYPED).status_code == 303
    assert numbers(lot) == (0, 5, 0)


def test_a_cart_from_before_carts_had_an_order_is_still_read(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    with client.session_transaction() as kept:
        kept["basket"] = {village.product("packs", 500).id: [2, 60_000]}
    assert "2 × " in text(client.get("/checkout"))
    fill(client, village.product("packs", 500), 1)
    assert inside(client) == [3]


def test_what_other_lines_take_whole_is_told_and_goes(client: FlaskClient, village: Village) -> None:
    shelve(village, 4, lot="A")
    small = village.product("packs", 500)
    combo = combine(village, (small, 2))
    fill(client, small, 3)
    fill(client, combo, 1)
    assert "Chung gói với món ở trên, mà món ấy lấy hết rồi." in text(client.get("/cart"))
    client.post("/cart/fit")
    assert inside(client) == [3]


def test_a_combo_that_is_scarce_by_itself_says_so(client: FlaskClient, village: Village) -> None:
    shelve(village, 4, lot="A")
    combo = combine(village, (village.product("packs", 500), 2))
    fill(client, combo, 3)
    assert "Chỉ còn 2 bộ." in text(client.get("/cart"))


def test_a_products_photo_goes_with_it_from_the_cart_to_the_order(app: Flask, village: Village) -> None:
    shelve(village, 4, lot="A")
    product, client = village.product("packs", 500), browser(app)
    village.sign_in(client, "seller")
    client.post(f"/seller/products/{product.id}/pictures", data={"picture": (io.BytesIO(shot()), "anh.jpg")})
    (row,) = pictures.rows_of(product.id)
    fill(client, product, 1)
    for address in ("/cart", "/checkout", f"/orders/{place(product, 1).token}"):
        assert f'src="/pictures/{row.sha256}?w=640"' in client.get(address).text, address
