"""Nobody empties the shelf with words: what guests may have kept without having paid has bounds, and they are fair."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from batches.sheets.written_safely import CsvTable
from shop.orders import expiring, guests, services, steps
from shop.orders.models import Order
from shop.orders.services import Buyer
from tests.conftest import browser
from tests.shop.hands import BUYER, faults, numbers, shelve
from tests.shop.test_checkout import checkout, fill, text
from tests.shop.working import pay, take_transfers
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import Conflict
from village.ids import uuid7
from village.people import throttle
from village.people.models import SignInFailure

FAR, FARTHER = "203.0.113.9", "198.51.100.7"
PHONES = [f"+8491{number:07d}" for number in range(1_000_000, 1_000_100)]


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No quarter of an hour ends within a test."""
    now = clock.now()
    quiet = dt.datetime.fromtimestamp(now.timestamp() // throttle.WINDOW * throttle.WINDOW + 300, dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: quiet)


def order(village: Village, quantity: int, *, phone: str = PHONES[0], network: str | None = FAR, **more: Any) -> str:
    """A guest's order from a network; its id."""
    buyer = Buyer(BUYER.name, phone, BUYER.address)
    product = village.product("packs", 500)
    key = more.pop("key", None) or uuid7()
    placed = services.place(
        more.pop("actor", None), [(product.gtin, quantity)], buyer, channel="web", idempotency_key=key,
        network=network, **more,
    )  # fmt: skip
    db.session.rollback()
    return db.session.scalars(select(Order.id).where(Order.token == placed.token)).one()


def refusal(village: Village, quantity: int, **more: Any) -> str:
    with pytest.raises(Conflict) as refused:
        order(village, quantity, **more)
    return refused.value.slug


def test_a_network_keeps_so_many_packs_on_its_word_and_no_more(village: Village) -> None:
    lot = shelve(village, 1000, lot="A")
    for number in range(guests.CASH // 40):
        order(village, 40, phone=PHONES[number])
    assert refusal(village, 1, phone=PHONES[50]) == "too-much-on-word"
    assert numbers(lot) == (1000 - guests.CASH, guests.CASH, 0), "what was refused keeps nothing"
    order(village, 40, phone=PHONES[51], network=FARTHER)
    order(village, 40, phone=PHONES[52], actor=village.actor("seller"))
    order(village, 40, phone=PHONES[53], network="127.0.0.1")
    assert faults() == []


def test_packs_of_all_lines_are_counted(village: Village) -> None:
    lots = [shelve(village, 200, lot="A"), shelve(village, 200, lot="B", net=1000)]
    both = [(village.product("packs", net).gtin, 99) for net in (500, 1000)]
    services.place(None, both, BUYER, channel="web", idempotency_key=uuid7(), network=FAR)
    with pytest.raises(Conflict):
        services.place(None, [(both[0][0], 3)], BUYER, channel="web", idempotency_key=uuid7(), network=FAR)
    assert [numbers(lot)[1] for lot in lots] == [99, 99]


def test_who_pays_ahead_is_bounded_by_the_quarter_hour_and_not_by_the_day(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_transfers(village)
    shelve(village, 1000, lot="A")
    order(village, 99, phone=PHONES[0])
    order(village, 99, phone=PHONES[1])
    assert refusal(village, 9, phone=PHONES[2]) == "too-much-on-word"
    for number in (2, 3):
        order(village, 99, phone=PHONES[number], payment="vietqr")
    assert refusal(village, 9, phone=PHONES[4], payment="vietqr") == "too-much-unpaid"
    later = clock.now() + dt.timedelta(seconds=throttle.WINDOW)
    monkeypatch.setattr(clock, "now", lambda: later)
    order(village, 9, phone=PHONES[5], payment="vietqr")


def test_a_new_day_is_a_new_word(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(village, 1000, lot="A")
    order(village, 99, phone=PHONES[0])
    order(village, 99, phone=PHONES[1])
    assert refusal(village, 9, phone=PHONES[2]) == "too-much-on-word"
    # What other counts tidy away meanwhile is not this one's.
    later = clock.now() + dt.timedelta(seconds=guests.DAY + 2 * throttle.WINDOW)
    throttle.count_act("ask", FARTHER, 5)
    assert refusal(village, 9, phone=PHONES[2]) == "too-much-on-word"
    monkeypatch.setattr(clock, "now", lambda: later)
    order(village, 9, phone=PHONES[3])
    # Of yesterday nothing is left that could tell who asked from where.
    assert len(db.session.scalars(select(SignInFailure.key)).all()) == 1


def test_a_telephone_number_has_so_many_orders_waiting(village: Village) -> None:
    take_transfers(village)
    lot = shelve(village, 100, lot="A")
    waiting = [order(village, 1, network=f"203.0.113.{number}") for number in range(guests.ORDERS)]
    assert refusal(village, 1, network=FARTHER) == "orders-waiting"
    assert refusal(village, 1, network=FARTHER, payment="vietqr") == "orders-waiting"
    assert numbers(lot)[1] == guests.ORDERS
    order(village, 1, phone=PHONES[1])
    order(village, 1, network=None)  # from the machine itself
    steps.confirm(village.actor("seller"), waiting[0])
    steps.confirm(village.actor("seller"), waiting[1])
    ahead = order(village, 1, payment="vietqr")
    assert refusal(village, 1) == "orders-waiting"
    pay(ahead, 60_000)
    order(village, 1)
    assert refusal(village, 1) == "orders-waiting"


def test_what_was_not_paid_in_time_waits_no_more(village: Village) -> None:
    take_transfers(village)
    shelve(village, 100, lot="A")
    ids = [order(village, 1, payment="vietqr") for _ in range(guests.ORDERS)]
    assert refusal(village, 1) == "orders-waiting"
    with write() as session:
        session.execute(update(Order).where(Order.id == ids[0]).values(hold_until=clock.now()))
    order(village, 1)
    assert expiring.expire(ids[0])


def test_the_same_order_sent_again_is_not_counted_again(village: Village) -> None:
    shelve(village, 500, lot="A")
    ids = {order(village, 99, key="mot") for _ in range(4)}
    assert len(ids) == 1
    order(village, 99, phone=PHONES[1])


def test_the_page_and_the_api_say_what_can_be_done(app: Flask, client: FlaskClient, village: Village) -> None:
    shelve(village, 500, lot="A")
    client.environ_base["REMOTE_ADDR"] = FAR
    product = village.product("packs", 500)
    for number in range(2):
        fill(client, product, 99)
        assert checkout(client, phone=f"091200000{number}").status_code == 303
    fill(client, product, 5)
    page = checkout(client, phone="0912000009")
    assert page.status_code == 409
    assert "Bác chọn trả trước, hoặc gọi người bán" in text(page)
    assert 'value="Nguyễn Thị Thử"' in page.text
    body = {"lines": [{"gtin": product.gtin, "quantity": 5}], "buyer": {"name": "A", "phone": "0912000009",
            "address": "Hà Nội"}}  # fmt: skip
    program = browser(app)
    program.environ_base["REMOTE_ADDR"] = f"::ffff:{FAR}"
    told = program.post("/api/orders", json=body, headers={"Idempotency-Key": "k"})
    assert told.status_code == 409
    assert told.get_json()["type"].endswith("/too-much-on-word")
    program.environ_base["REMOTE_ADDR"] = "::ffff:198.51.100.1"
    assert program.post("/api/orders", json=body, headers={"Idempotency-Key": "k"}).status_code == 201


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("127.0.0.1", None), ("::1", None), ("::ffff:127.0.0.1", None), ("", None), (None, None), ("x", None),
        ("203.0.113.9", "203.0.113.9"), ("::ffff:203.0.113.9", "203.0.113.9"), ("2001:db8::7", "2001:db8::7"),
    ],
)  # fmt: skip
def test_the_machine_itself_is_nobody(address: str | None, known: str | None) -> None:
    assert guests.known_by(address) == known


def test_addresses_of_ipv4_are_told_apart_however_a_socket_writes_them(app: Flask) -> None:
    keys = {throttle.address_key(one) for one in ("203.0.113.9", "::ffff:203.0.113.9")}
    assert len(keys) == 1
    assert throttle.address_key("::ffff:203.0.113.8") not in keys
    assert throttle.address_key("2001:db8::1") == throttle.address_key("2001:db8::2")


def test_mails_to_one_letter_box_are_bounded_however_it_is_spelt(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 1)
    assert checkout(client, email="Lan.Anh@Example.VN").status_code == 303
    db.session.rollback()
    assert db.session.scalars(select(Order.buyer_email)).one() == "lan.anh@example.vn"


def test_asking_stripe_again_and_again_is_bounded(app: Flask) -> None:
    app.extensions["soi"] = replace(app.extensions["soi"], stripe_key="sk_test_thu", stripe_url="http://127.0.0.1:9")
    client = browser(app)
    client.environ_base["REMOTE_ADDR"] = FAR
    answers = [client.get(f"/orders/{'x' * 32}/card{way}").status_code for _ in range(31) for way in ("", "/back")]
    assert answers[:60] == [404] * 60 and set(answers[60:]) == {429}


def test_a_table_runs_nothing_at_whatever_sign_it_is_split(tmp_path: Path) -> None:
    """A spreadsheet of another country splits at commas, and knows no quotes in the middle of a cell."""
    hostile = ["Lan,=1+1", "Lan; @x", "hai dòng\n=1+1", "a|-2+3+cmd|'/C calc'!A0", "a,\t=1", "x,+1"]
    harmless = ["Thôn 3, - Bình Lư", "a=b", "5 kg, -2 độ", "lan@example.vn", "A - B"]
    with CsvTable(tmp_path / "t.csv") as table:
        for value in hostile + harmless:
            table.row(["BL-1", value])
    written = (tmp_path / "t.csv").read_text("utf-8-sig")
    assert not re.search(r"[,;|\t\n\"]\s*[=@]|[,;|\t\n\"][+\-]", written)
    for value in harmless:
        assert f";{value}\n" in written.replace("\r\n", "\n")


def test_orders_that_nobody_stands_behind_are_cancelled_together(client: FlaskClient, village: Village) -> None:
    lot = shelve(village, 20, lot="A")
    ids = [order(village, 2, phone=PHONES[number]) for number in range(4)]
    steps.confirm(village.actor("seller-b"), ids[3])
    village.sign_in(client, "seller")
    assert "Huỷ các đơn đã đánh dấu" in client.get("/seller/orders").text
    sent = {"do": "cancel", "order": ids[:3], "status": "placed"}
    assert client.post("/seller/orders/bulk", data={**sent, "reason": " "}).status_code == 422
    assert numbers(lot) == (12, 8, 0)
    answer = client.post("/seller/orders/bulk", data={**sent, "reason": "Gọi mấy lần không ai nghe"})
    assert answer.status_code == 303
    assert "Đã huỷ 3 đơn" in client.get(answer.location).text
    assert numbers(lot) == (18, 2, 0) and faults() == []
    other = browser(client.application)
    village.sign_in(other, "office-other")
    told = text(other.post("/seller/orders/bulk", data={"do": "cancel", "order": [ids[3]], "reason": "x"}))
    assert "Không có đơn này" in told and numbers(lot) == (18, 2, 0)
