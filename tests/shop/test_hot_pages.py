"""What many ask for at once asks the database little, however long the past is."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from shop.rights import imprints
from shop.rights.imprints import Fields
from shop.rights.seller import imprint_of
from shop.stock import services as stock
from tests.shop.hands import TYPED, place, shelve, statements
from tests.support.village import Village
from village.db import db
from village.people.phones import shown_phone

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
MOST = {"product": 8, "add": 2, "cart": 4, "checkout": 8, "place": 26, "order": 12}


def _buy(client: FlaskClient, village: Village) -> dict[str, int]:
    """One buyer's way to her order; how many statements each step took."""
    packs, counts = village.product("packs", 500), {}

    def step(name: str, path: str, data: dict[str, str] | None = None) -> tuple[str, str]:
        with statements() as seen:
            answer = client.get(path) if data is None else client.post(path, data=data)
        counts[name] = len([one for one in seen if not one.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))])
        assert answer.status_code == (200 if data is None else 303), answer.text
        return answer.text, answer.location or ""

    step("product", f"/products/{packs.slug}")
    step("add", "/cart/add", {"product": packs.id, "quantity": "2"})
    step("cart", "/cart")
    form, _ = step("checkout", "/checkout")
    hidden = {name: unescape(value) for name, value in HIDDEN.findall(form)}
    typed = {**TYPED, "email": "ban@example.vn", "payment": "cod"}
    _, order = step("place", "/checkout", {**hidden, **typed})
    step("order", order)
    return counts


def test_a_buyers_way_to_her_order_takes_few_statements(client: FlaskClient, village: Village) -> None:
    shelve(village, 9, lot="A1")
    _buy(client, village)
    counts = _buy(client, village)
    assert {name: count for name, count in counts.items() if count > MOST[name]} == {}


def test_an_order_has_only_the_lots_of_a_products_page_read_again(client: FlaskClient, village: Village) -> None:
    shelve(village, 9, lot="A1")
    packs = village.product("packs", 500)
    with statements() as whole:
        client.get(f"/products/{packs.slug}?lang=vi")
    place(packs, 2)
    with statements() as again:
        assert "Còn 7 gói" in client.get(f"/products/{packs.slug}?lang=vi").text
    assert len(again) <= len(whole) - 4


def test_what_an_office_writes_of_itself_is_read_at_once(village: Village) -> None:
    office = village.actor("office")
    for number in ("+842133000009", "+842133000010"):
        imprint_of(db.session(), office.cooperative_id)
        imprints.edit(office, Fields(None, "", "", number, ""))
        assert imprint_of(db.session(), office.cooperative_id).complaints_phone == shown_phone(number)


def test_lots_that_are_sold_out_are_not_looked_through(village: Village) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by how full its tables are")
    packs = village.product("packs", 500)
    shelve(village, 2, lot="A1")
    with statements() as seen:
        stock.available(db.session(), [packs.id])
        stock.reserve(db.session(), packs.id, 1)
    for statement in seen[:2]:
        empty = (None,) * statement.count("?")
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", empty).all()
        assert any("ix_stock_lot_left" in row[-1] for row in plan), plan
