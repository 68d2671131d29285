"""Every door of the shop, tried by somebody whose it is not, from another site's page, and with values that nobody
means."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, select

from shop.delivery.models import Shipment
from shop.live import services as live
from shop.live.services import Code
from shop.orders.models import Order
from shop.payments.models import PaymentPuzzle, Puzzle
from tests.conftest import browser
from tests.shop.test_product_pictures import rows, shot
from tests.shop.test_product_pictures import send as send_picture
from tests.shop.working import order, ordered, picked, send
from tests.support.doors import doors, fields, unsafe
from tests.support.soak import times
from tests.support.village import Village
from village.db import db, write
from village.ids import uuid7
from village.settings import Settings

UUID_PATHS = ("recall_id", "unit_id", "job_id")
HOSTILE = (
    "99999999999999999999999",
    "-1",
    "9999-12-31",
    "\u0000",
    "\ud7ff\u202e" + "e\u0302\u0323" * 40,
    "x" * 4000,
    "' OR 1=1 --",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With everything switched on, at addresses where nobody answers."""
    nowhere = "http://127.0.0.1:9"
    return replace(
        settings, stripe_key="sk_test_thu", stripe_webhook_secret="whsec_thu", stripe_url=nowhere, sepay_key="khoa-thu",
        sepay_url=nowhere, ghn_url=nowhere, ghn_token="token-thu-thu-thu-thu", ghn_shop="1", ghn_hook="cua-sau-thu",
        payos_client_id="c", payos_api_key="a", payos_checksum_key="k", payos_url=nowhere,
        facebook_page="100200300", facebook_token="t", facebook_app_secret="s", facebook_verify="v",
        facebook_url=nowhere, tiktok_app_key="k", tiktok_app_secret="s", tiktok_token="t", tiktok_shop="1",
        tiktok_cipher="c", tiktok_url=nowhere, tiktok_auth_url=nowhere,
    )  # fmt: skip


@pytest.fixture
def ours(app: Flask, village: Village) -> dict[str, str]:
    """Something of each kind that belongs to the first cooperative, by its name in addresses."""
    village.packs(units=12)
    product = village.product("packs", 500)
    placed, gone = ordered(product, 1), picked(village, product, 2)
    shipment_id = send(village, gone)
    seller = browser(app)
    village.sign_in(seller, "seller")
    assert send_picture(seller, product, shot(60, 40)).status_code == 303
    session_id = live.start(
        village.actor("seller"), "Thử", "other", [Code("MD01", product.gtin, None, None)], idempotency_key=None
    )
    with write() as session:
        puzzle = PaymentPuzzle(
            id=uuid7(), cooperative_id=product.cooperative_id, kind=Puzzle.UNMATCHED, amount=5000, memo="thu"
        )
        session.add(puzzle)
        session.flush()
        puzzle_id = puzzle.id
    return {
        "order_id": placed, "token": order(placed).token, "shipment_id": shipment_id, "puzzle_id": puzzle_id,
        "product_id": product.id, "picture_id": rows(product)[0].id, "session_id": session_id, "step": "confirm",
        "slug": product.slug, "what": "confirm", "comment_id": uuid7(), "form": "csv", "secret": "cua-sau-thu",
        "settlement_id": uuid7(), "household_id": uuid7(), "gln": "9506000000017", "sha256": "0" * 64,
        **{name: str(uuid.UUID(int=7)) for name in UUID_PATHS},
    }  # fmt: skip


def everything() -> dict[str, Any]:
    """All rows of the shop and its products, but for what counts attempts and sessions."""
    db.session.rollback()
    known = MetaData()
    known.reflect(db.engine)
    kept = ("shop_", "order_", "shipment", "payment_", "product", "combo", "stock", "live_", "bank_", "delivery",
            "settlement", "seller_info", "parcel_outcome", "call_first")  # fmt: skip
    with db.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table)).all()))
            for name, table in known.tables.items()
            if name.startswith(kept)
        }


OPEN = {"live_order.shown", "live_order.document"}
"""A livestream's order of arrival is there for everybody, and names nobody."""


def test_nobody_moves_what_is_not_theirs(app: Flask, village: Village, ours: dict[str, str]) -> None:
    """Not another cooperative's office, not our own producers, not a guest; and they do not see it either."""
    before = everything()
    typed = {**dict.fromkeys(fields(), "1"), "shipment": uuid7(), "id": uuid7(), "carrier": "hand", "way": "cod",
             "what": "delivered", "do": "send", "reason": "thử", "number": "BL-ABCDEF",
             "phone": "0912345678", "code": "MD01", "lines": "", "seen": "0"}  # fmt: skip
    own = {"order_id", "shipment_id", "puzzle_id", "product_id", "picture_id", "session_id", "settlement_id"}
    for username in ("office-other", "producer", None):
        stranger = browser(app)
        refused = {403, 404}
        if username:
            village.sign_in(stranger, username)
        else:
            refused = {401}
        wrong = {}
        for endpoint, path, names in doors(app, "POST", ours):
            if names & own:
                sent: dict[str, Any] = {"json": {"comments": []}} if path.startswith("/api/") else {"data": typed}
                told = stranger.post(path, **sent).status_code
                if told not in refused:
                    wrong[endpoint, path] = told
        for endpoint, path, names in doors(app, "GET", ours):
            if names & own and endpoint not in OPEN:
                told = stranger.get(path).status_code
                if told not in (refused if username else {302}):
                    wrong[endpoint, path] = told
        assert wrong == {}, username
    assert everything() == before


def test_no_other_sites_page_changes_anything(app: Flask, client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    strange = {"Sec-Fetch-Site": "cross-site", "Origin": "https://la.example"}
    let_in = [
        (method, path)
        for method, path in unsafe(app)
        if client.open(path, method=method, headers=strange).status_code != 403
    ]
    assert let_in == []


def test_no_form_breaks_of_what_is_typed_into_it(
    app: Flask, client: FlaskClient, village: Village, ours: dict[str, str]
) -> None:
    village.sign_in(client, "office")
    line = db.session.scalars(select(Order).where(Order.id == ours["order_id"])).one().lines[0]
    parcel = db.session.get_one(Shipment, ours["shipment_id"])
    parts = [f"{part.order_line_id}-{part.batch_id}" for part in parcel.parts]
    named = [f"units-{line.id}-{line.allocations[0].batch_id}", f"units-{ours['product_id']}", "code-x", "price-x",
             *(f"{fate}-{part}" for part in parts for fate in ("good", "resell", "lost"))]  # fmt: skip
    names = [*fields(), *named]
    true = {"shipment": uuid7(), "id": uuid7(), "carrier": "hand", "way": "cod", "payment": "cod", "form": "csv"}
    db.session.rollback()
    # Each name with one value and then another; a soak has the patience for all of them.
    mixed = [
        {name: HOSTILE[(at + turn * 3) % len(HOSTILE)] for at, name in enumerate(names)} | true
        for turn in range(min(times(1), len(HOSTILE)))
    ]
    alike = [dict.fromkeys(names, value) for value in ("\u0000", *HOSTILE)[: times(1)]]
    broken = {
        (endpoint, path, told)
        for sent in [*mixed, *alike]
        for endpoint, path, _names in doors(app, "POST", ours)
        if (told := client.post(path, data=sent).status_code) >= 500 and told != 503
    }
    assert broken == set()


def test_pages_about_people_lie_in_no_cache(
    app: Flask, client: FlaskClient, village: Village, ours: dict[str, str]
) -> None:
    """Neither in one on the way, nor for the next one who sits down at the same machine."""
    village.sign_in(client, "office")
    private = ("/orders/", "/checkout", "/seller", "/coop/", "/settlement", "/api/orders/")
    open_pages = {
        path: answer.headers.get("Cache-Control")
        for _endpoint, path, _names in doors(app, "GET", ours)
        if path.startswith(private) and not path.startswith("/seller-info")
        and "no-store" not in (answer := client.get(path)).headers.get("Cache-Control", "")
    }  # fmt: skip
    assert open_pages == {}
    stranger = browser(app)
    for path in ("", "/receipt", "/data", "/forget", "/state"):
        assert stranger.get(f"/orders/{ours['token']}{path}").headers["Cache-Control"] == "no-store"


def test_links_name_the_house_and_not_whom_the_request_names(
    app: Flask, client: FlaskClient, ours: dict[str, str]
) -> None:
    evil = {"Host": "la.example", "X-Forwarded-Host": "la.example"}
    for path in ("/", f"/products/{ours['slug']}", "/sitemap.xml", "/robots.txt", f"/orders/{ours['token']}",
                 "/api/products", "/terms", "/checkout", "/seller"):  # fmt: skip
        answer = client.get(path, headers=evil)
        assert "la.example" not in answer.text + answer.headers.get("Location", ""), path
