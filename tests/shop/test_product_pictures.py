"""Photos of products: clean, in the width that a screen needs, kept by hash and only while a product shows them."""

import hashlib
import io
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from shop.catalogue import pictures
from shop.catalogue.models import PICTURES_MAX, ProductPicture
from tests.support.village import Village
from village.db import db
from village.errors import Conflict
from village.products.models import Product

SECRET = b"May anh cua toi"


@pytest.fixture
def seller(client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "seller")
    return client


@pytest.fixture
def packs(village: Village) -> Product:
    return village.product("packs", 500)


def shot(width: int = 900, height: int = 600, shade: int = 80, form: str = "JPEG") -> bytes:
    """A photo with a camera's name in it."""
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    out = io.BytesIO()
    Image.new("RGB", (width, height), (shade, 120, 60)).save(out, form, exif=exif)
    return out.getvalue()


def send(client: FlaskClient, product: Product, data: bytes, name: str = "anh.jpg") -> TestResponse:
    return client.post(f"/seller/products/{product.id}/pictures", data={"picture": (io.BytesIO(data), name)})


def rows(product: Product) -> list[ProductPicture]:
    db.session.rollback()
    return pictures.rows_of(product.id)


def test_a_photo_is_shown_without_what_the_camera_told(seller: FlaskClient, packs: Product) -> None:
    assert SECRET in shot()
    assert send(seller, packs, shot()).status_code == 303
    (row,) = rows(packs)
    kept = pictures.store().path(row.sha256).read_bytes()
    assert SECRET not in kept and hashlib.sha256(kept).hexdigest() == row.sha256
    page = seller.get(f"/products/{packs.slug}").text
    assert f'src="/pictures/{row.sha256}?w=640"' in page
    assert (
        f"/pictures/{row.sha256}?w=320 320w, /pictures/{row.sha256}?w=640 640w, /pictures/{row.sha256}?w=1200 900w"
        in page
    )
    assert f"/pictures/{row.sha256}?w=320 320w" in seller.get("/").text
    assert f"/pictures/{row.sha256}?w=1200" in seller.get("/sitemap.xml").text
    assert re.search(rf'property="og:image" content="[^"]+/pictures/{row.sha256}\?w=1200"', page)


@pytest.mark.parametrize("width", pictures.WIDTHS)
def test_each_width_comes_as_the_browser_reads_it(seller: FlaskClient, packs: Product, width: int) -> None:
    send(seller, packs, shot(2000, 1000))
    address = f"/pictures/{rows(packs)[0].sha256}?w={width}"
    seller.delete_cookie("soi_session")
    for accept, mime, form in (("image/webp,*/*", "image/webp", "WEBP"), ("*/*", "image/jpeg", "JPEG")):
        answer = seller.get(address, headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (200, mime)
        assert "immutable" in answer.headers["Cache-Control"] and "Accept" in answer.headers["Vary"]
        with Image.open(io.BytesIO(answer.data)) as image:
            assert (image.format, image.size) == (form, (width, width // 2))
        again = seller.get(address, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


@pytest.mark.parametrize("address", ["?w=641", "?w=", "", "?w=640x", "?w=-1"])
def test_other_widths_are_never_made(seller: FlaskClient, packs: Product, address: str) -> None:
    send(seller, packs, shot())
    assert seller.get(f"/pictures/{rows(packs)[0].sha256}{address}").status_code == 422


def test_a_hash_that_no_product_shows_is_nowhere(seller: FlaskClient, packs: Product) -> None:
    for sha256 in ("0" * 64, "../../soi.db", "A" * 64, "x"):
        assert seller.get(f"/pictures/{sha256}?w=320").status_code == 404


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "không phải ảnh"), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "không phải ảnh"),
        (b"\0\0\0\x20ftypheic\0\0\0\0mif1heic", "HEIC"), (shot()[:-200], "Ảnh này bị đứt"),
        (b"GIF89a" + b"\0" * 50, "không phải ảnh"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_refused_with_the_reason(
    seller: FlaskClient, packs: Product, data: bytes, message: str
) -> None:
    answer = send(seller, packs, data)
    assert answer.status_code == 422 and message in answer.text and 'id="picture-error"' in answer.text
    assert rows(packs) == []


def test_a_form_without_a_file_says_so(seller: FlaskClient, packs: Product) -> None:
    assert seller.post(f"/seller/products/{packs.id}/pictures").status_code == 422
    assert send(seller, packs, shot(), name="").status_code == 422


def test_a_photo_that_is_too_heavy_is_not_read_to_its_end(app: Flask, seller: FlaskClient, packs: Product) -> None:
    most = app.extensions["soi"].max_photo
    assert send(seller, packs, shot() + b"\0" * most).status_code == 422
    assert send(seller, packs, b"\0" * (2 * most)).status_code == 413
    assert rows(packs) == []


def test_the_same_photo_twice_is_one(seller: FlaskClient, packs: Product) -> None:
    assert [send(seller, packs, shot()).status_code for _ in range(2)] == [303, 303]
    assert len(rows(packs)) == 1


def test_a_product_has_so_many_photos_and_no_more(app: Flask, village: Village, packs: Product) -> None:
    who, product_id = village.actor("seller"), packs.id
    for number in range(PICTURES_MAX - 1):
        pictures.add(who, product_id, shot(40, 30, shade=10 * number))

    def one_more(number: int) -> bool:
        with app.app_context():
            try:
                pictures.add(who, product_id, shot(40, 30, shade=100 + 40 * number))
            except Conflict:
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(one_more, range(3))) == [False, False, True]
    assert len(pictures.rows_of(product_id)) == PICTURES_MAX


def test_sellers_say_what_is_on_it_and_which_is_first(seller: FlaskClient, packs: Product) -> None:
    for shade in (10, 200):
        send(seller, packs, shot(shade=shade))
    first, second = (row.id for row in rows(packs))
    under = f"/seller/products/{packs.id}/pictures/{second}"
    assert (
        seller.post(f"{under}/words", data={"words_vi": "Giàn phơi", "words_en": 'Racks "in" sun'}).status_code == 303
    )
    assert seller.post(f"{under}/first").status_code == 303
    assert [row.id for row in rows(packs)] == [second, first]
    page = seller.get(f"/products/{packs.slug}?lang=en").text
    assert 'alt="Racks &#34;in&#34; sun"' in page
    assert page.index(rows(packs)[0].sha256) < page.index(rows(packs)[1].sha256)
    assert seller.post(f"{under}/words", data={"words_vi": "x" * 201}).status_code == 422


def test_a_photo_taken_away_is_gone_at_once_and_its_file_later(seller: FlaskClient, packs: Product) -> None:
    send(seller, packs, shot())
    (row,) = rows(packs)
    path, sha256 = pictures.store().path(row.sha256), row.sha256
    assert seller.get(f"/pictures/{sha256}?w=320").status_code == 200
    for _ in range(2):
        assert seller.post(f"/seller/products/{packs.id}/pictures/{row.id}/remove").status_code == 303
    assert seller.get(f"/pictures/{sha256}?w=320").status_code == 404
    pictures.drop_strays()
    assert path.is_file()
    os.utime(path, (0, 0))
    db.session.rollback()
    pictures.drop_strays()
    assert not path.exists()


def test_a_file_that_another_product_shows_stays(seller: FlaskClient, village: Village, packs: Product) -> None:
    other = village.product("packs", 1000)
    for product in (packs, other):
        send(seller, product, shot())
    (row,) = rows(packs)
    sha256 = row.sha256
    os.utime(pictures.store().path(sha256), (0, 0))
    seller.post(f"/seller/products/{packs.id}/pictures/{row.id}/remove")
    db.session.rollback()
    pictures.drop_strays()
    assert seller.get(f"/pictures/{sha256}?w=320").status_code == 200


def test_an_old_file_that_comes_again_is_not_swept_away_meanwhile(seller: FlaskClient, packs: Product) -> None:
    send(seller, packs, shot())
    (row,) = rows(packs)
    path = pictures.store().path(row.sha256)
    seller.post(f"/seller/products/{packs.id}/pictures/{row.id}/remove")
    os.utime(path, (0, 0))
    send(seller, packs, shot())
    assert path.stat().st_mtime > 0
    assert len(rows(packs)) == 1


def test_where_the_files_are_lost_the_drawing_stands_in(seller: FlaskClient, packs: Product) -> None:
    send(seller, packs, shot())
    (row,) = rows(packs)
    pictures.store().path(row.sha256).unlink()
    page = seller.get(f"/products/{packs.slug}").text
    assert row.sha256 not in page and "pictures/pack.svg" in page
    assert seller.get(f"/pictures/{row.sha256}?w=320").status_code == 404
    own = seller.get(f"/seller/products/{packs.id}").text
    assert "không còn trên máy" in own and f"{row.id}/remove" in own
    assert send(seller, packs, shot()).status_code == 303
    assert len(rows(packs)) == 1


@pytest.mark.parametrize("what", ["words", "first", "remove"])
def test_anothers_photo_is_not_touched(seller: FlaskClient, village: Village, packs: Product, what: str) -> None:
    send(seller, packs, shot())
    (row,) = rows(packs)
    other = village.product("packs", 1000)
    seller.post(f"/seller/products/{other.id}/pictures/{row.id}/{what}", data={"words_vi": "Khác"})
    village.sign_in(seller, "office-other")
    answer = seller.post(f"/seller/products/{packs.id}/pictures/{row.id}/{what}", data={"words_vi": "Khác"})
    assert answer.status_code == 404
    village.sign_in(seller, "producer")
    answer = seller.post(f"/seller/products/{packs.id}/pictures/{row.id}/{what}", data={"words_vi": "Khác"})
    assert answer.status_code == 403
    assert [(one.id, one.words_vi) for one in rows(packs)] == [(row.id, "")]
    assert db.session.scalar(select(ProductPicture.product_id)) == packs.id
