"""The share card: what a messenger shows beside a lot's address."""

import datetime as dt
import io
import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageChops

from tests.support.village import Village
from tests.trace.scanning import address, statements
from trace.lots.models import Batch
from trace.scan import card
from trace.scan.card import Card
from village import clock
from village.certificates.models import Certificate
from village.db import write


def og(html: str) -> dict[str, str]:
    return {name: unescape(told) for name, told in re.findall(r'<meta property="og:([\w:]+)" content="(.*?)">', html)}


def picture_of(client: FlaskClient, batch: Batch, app: Flask) -> str:
    found = og(client.get(address(batch)).text)["image"]
    assert found.startswith(app.extensions["soi"].public_url)
    return found.removeprefix(app.extensions["soi"].public_url)


def test_a_messenger_finds_absolute_addresses_and_a_picture_of_the_size_it_wants(
    village: Village, client: FlaskClient, app: Flask
) -> None:
    batch = village.batch(village.packs(10))
    told = og(client.get(address(batch)).text)
    public_url = app.extensions["soi"].public_url
    assert told["url"] == public_url + address(batch)
    assert batch.lot in told["title"] and batch.product.name_vi in told["title"]
    assert (told["image:width"], told["image:height"], told["image:type"]) == ("1200", "630", "image/png")
    answer = client.get(told["image"].removeprefix(public_url))
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert "immutable" in answer.headers["Cache-Control"]
    with Image.open(io.BytesIO(answer.data)) as image:
        assert image.size == (1200, 630)
    assert len(answer.data) < 60_000


def test_a_recalled_lot_gets_another_picture_at_another_address(
    village: Village, client: FlaskClient, app: Flask
) -> None:
    batch = village.batch(village.packs(10))
    before = picture_of(client, batch, app)
    drawn = client.get(before).data
    with write() as session:
        session.get_one(Batch, batch.id).hold = "recalled"
    after = picture_of(client, batch, app)
    assert after != before
    assert client.get(after).data != drawn
    assert "thu hồi" in og(client.get(address(batch)).text)["description"]
    # Whoever kept the old address gets today's picture there, and asks again each time.
    again = client.get(before)
    assert again.data == client.get(after).data
    assert "no-cache" in again.headers["Cache-Control"]
    assert client.get(after, headers={"If-None-Match": again.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("change", ["held", "void", "late", "stars"])
def test_whatever_changes_on_the_card_changes_its_address(
    village: Village, client: FlaskClient, app: Flask, change: str
) -> None:
    batch = village.batch(village.packs(10))
    before = picture_of(client, batch, app)
    today = clock.today()
    with write() as session:
        row = session.get_one(Batch, batch.id)
        row.hold, row.void = ("held" if change == "held" else "none"), change == "void"
        if change == "stars":
            session.add(
                Certificate(
                    kind="ocop", number="1", issuer="Tỉnh", stars=4, issued_on=today - dt.timedelta(days=9),
                    expires_on=today + dt.timedelta(days=9), product_id=row.product_id,
                    cooperative_id=row.cooperative_id,
                )
            )  # fmt: skip
    with clock.fixed(clock.now() + dt.timedelta(days=400 if change == "late" else 0)):
        assert picture_of(client, batch, app) != before


def test_each_language_has_its_own_card(village: Village, client: FlaskClient, app: Flask) -> None:
    batch = village.batch(village.packs(10))
    vietnamese = picture_of(client, batch, app)
    english = og(client.get(address(batch) + "?lang=en").text)["image"]
    assert "/cards/vi/" in vietnamese and "/cards/en/" in english
    drawn = client.get(vietnamese).data
    assert client.get(vietnamese.replace("/vi/", "/en/")).data != drawn


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/cards/vi/09506000001203/KHONG-CO.png", 404),
        ("/cards/fr/09506000001203/L1.png", 404),
        ("/cards/vi/09506000001203/L1.jpg", 404),
        ("/cards/vi/09506000001203/L1", 404),
        ("/cards/vi/09506000001204/L1.png", 400),
        ("/cards/vi/09506000001203/.png", 400),
        ("/cards/vi/09506000001203/L%C3%B4.png", 400),
    ],
)
def test_an_address_of_no_lot_gets_no_picture(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_a_lot_code_with_a_slash_in_it_has_a_card(village: Village, client: FlaskClient, app: Flask) -> None:
    path = picture_of(client, village.batch(village.packs(10, lot="A/B-1")), app)
    assert "A%2FB-1.png" in path
    assert client.get(path).status_code == 200


def test_a_card_asks_two_things_and_is_drawn_once(village: Village, client: FlaskClient, app: Flask) -> None:
    path = picture_of(client, village.batch(village.packs(10)), app)
    client.get(path)
    drawn = card._kept.cache_info().misses
    with statements() as seen:
        assert client.get(path).status_code == 200
    assert len(seen) == 2
    assert card._kept.cache_info().misses == drawn
    assert card._kept.cache_info().maxsize == card.MOST_KEPT


def test_a_name_of_any_length_stays_on_the_card() -> None:
    right = (card._RIGHT, 0, card.WIDTH, card.HEIGHT)
    plain = Image.open(io.BytesIO(card.png(Card("", "", (), "", 0, "")))).convert("RGB").crop(right)
    for name in ("Miến", "Miến dong " * 40, "W" * 300):
        told = Card(name, "Lô " + "X" * 20, ("dòng " * 60,) * 3, "", 5, "Soi")
        drawn = Image.open(io.BytesIO(card.png(told))).convert("RGB").crop(right)
        assert ImageChops.difference(drawn, plain).point(lambda value: 255 if value > 24 else 0).getbbox() is None


def test_a_crowd_of_robots_holds_no_thread_for_long(
    village: Village, client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = picture_of(client, village.batch(village.packs(10)), app)
    monkeypatch.setattr(card, "PATIENCE", 0.01)
    with card._turn:
        answer = client.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert client.get(path).status_code == 200
