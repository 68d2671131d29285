"""What strangers post to the providers' doors, and what providers themselves might post in error."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from shop.orders import expiring, steps
from shop.orders.models import Order, Status
from shop.payments.bank import payos
from shop.payments.bank.models import BankAccount
from shop.payments.models import WebhookEvent
from tests.conftest import browser
from tests.shop import transferring
from tests.shop.delivering import HOOK
from tests.shop.hands import at_once, faults
from tests.shop.transferring import awaiting, notices, open_account, puzzles, transfers
from tests.support.bank_fake import ACCOUNT, CHECKSUM, KEY, Banks, banks, post_payos, post_sepay
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput
from village.settings import Settings

DEEP = [b'{"data":{"x":' + b"[" * depth + b"]" * depth + b'},"signature":"aa"}' for depth in (300, 600, 850, 100_000)]
BODIES = [
    *DEEP, b"", b"{}", b"[]", b"null", b'"x"', b"\xff\xfe{\x00", b"\x00" * 100, b'{"data":null,"signature":"aa"}',
    b'{"data":{"a":"\\ud800"},"signature":"\\ud800"}', b'{"data":{"a":NaN,"b":1e400},"signature":""}',
    b'{"id":' + b"9" * 5000 + b"}", b"a" * 60_000,
]  # fmt: skip


@pytest.fixture
def bank() -> Iterator[Banks]:
    with banks() as fake:
        yield fake


@pytest.fixture
def settings(settings: Settings, bank: Banks) -> Settings:
    found = transferring.with_banks(settings, bank)
    return replace(found, stripe_key="sk_test_thu", stripe_webhook_secret="whsec_thu", ghn_token="t" * 20, ghn_shop="1",
                   ghn_hook=HOOK, ghn_url="http://127.0.0.1:9")  # fmt: skip


def kept() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(WebhookEvent)) or 0


def test_what_nobody_signed_is_refused_calmly_and_not_kept(app: Flask) -> None:
    stranger = browser(app)
    stranger.environ_base.pop("HTTP_SEC_FETCH_SITE")
    signs = {"Authorization": "Apikey sai", "Stripe-Signature": "t=1,v1=" + "\u00e9" * 9, "X-SePay-Timestamp": "9" * 12}
    told = {
        (path, kind, body[:20], answer.status_code)
        for path in ("/hooks/sepay", "/hooks/payos", "/hooks/stripe", "/hooks/ghn/doan", f"/hooks/ghn/{HOOK}")
        for body in BODIES
        for kind in ("application/json", "text/plain; charset=utf-16", "application/x-www-form-urlencoded")
        if not 400 <= (answer := stranger.post(path, data=body, content_type=kind, headers=signs)).status_code < 500
    }
    assert told == set()
    assert kept() == 0


def test_a_body_that_is_too_large_is_not_read_to_its_end(app: Flask) -> None:
    for path in ("/hooks/sepay", "/hooks/payos", "/hooks/stripe", f"/hooks/ghn/{HOOK}"):
        assert browser(app).post(path, data=b" " * 600_000).status_code == 413


ABSURD: list[dict[str, Any]] = [
    *({"transferAmount": amount} for amount in (-1, 0, 10**30, 0.5, float("nan"), float("inf"), "NaN", "sNaN",
                                                "1e999999999", "", None, True, [5], {"a": 1})),
    *({"transactionDate": when} for when in ("0001-01-01 00:00:00", "9999-12-31 23:59:59", "gần đây", 5, None)),
    {"transferType": "IN"}, {"accountNumber": None}, {"accountNumber": {"a": 1}}, {"content": {"a": 1}},
]  # fmt: skip


def test_a_notice_of_absurd_money_pays_nothing_and_is_not_tried_again(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    for changed in ABSURD:
        assert post_sepay(client, {**bank.transfer(order.total, order.memo), **changed}).status_code == 200, changed
    assert order.money == ("awaiting", 0) and transfers() == []
    assert [state for state, _said, _times in notices()] == ["puzzling"] * len(ABSURD)


def test_a_notice_without_a_number_of_its_own_is_refused(client: FlaskClient, bank: Banks) -> None:
    numbers: list[Any] = [None, True, [], {}, "", 1.5, {"id": 1}]
    for number in numbers:
        assert post_sepay(client, {**bank.transfer(1000, "x"), "id": number}).status_code == 400, number
    assert kept() == 0


def test_words_in_a_transfer_are_shown_without_what_nobody_can_see(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    body = json.dumps(bank.transfer(7000, "\u202etra\u0000 lai\ud800 <b>=1+1</b>"))
    assert client.post("/hooks/sepay", data=body, headers={"Authorization": f"Apikey {KEY}"}).status_code == 200
    assert puzzles() == [("unmatched", 7000)]
    village.sign_in(client, "seller")
    page = client.get("/seller/payments").text
    assert "\u202e" not in page and "<b>=1" not in page and "&lt;b&gt;=1+1" in page


def test_an_order_code_that_is_none_of_ours_pays_nothing(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village, "payos")
    for code in (-1, 0, 10**30, 2**63, True, "5", 5.0, None):
        data = {"orderCode": code, "amount": 5000, "accountNumber": "1", "description": "x", "reference": str(code),
                "code": "00", "transactionDateTime": "2026-11-20 10:00:00", "currency": "VND",
                "paymentLinkId": "l"}  # fmt: skip
        told = {"success": True, "data": data, "signature": payos.sign(data, CHECKSUM)}
        assert post_payos(client, told).status_code == 200, code
    assert transfers() == []
    assert {state for state, _said, _times in notices()} == {"ignored", "puzzling"}


def test_an_account_has_one_cooperative(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    with pytest.raises(BadInput) as refused:
        open_account(village, "sepay", "office-other")
    assert (refused.value.slug, refused.value.field) == ("account-taken", "account")
    open_account(village)  # its own again


def test_money_to_a_number_that_two_banks_have_is_left_to_a_person(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    other = village.member("office-other").cooperative_id
    with write() as session:
        session.add(
            BankAccount(cooperative_id=other, bin="970415", account=ACCOUNT, holder="HTX HAI", watcher="sepay")
        )
    order = awaiting(village)
    post_sepay(client, bank.transfer(order.total, "không có mã"))
    assert transfers() == [] and notices()[-1][0] == "puzzling"
    village.sign_in(client, "office")
    assert "/seller/payments/again" in client.get("/seller/payments").text
    post_sepay(client, bank.transfer(order.total, order.memo))
    assert order.money == ("paid", order.total)


def test_a_statement_from_the_end_of_time_is_refused(client: FlaskClient, village: Village) -> None:
    open_account(village)
    village.sign_in(client, "seller")
    for day in ("31/12/9999", "01/01/2100", "31/12/1999"):
        text = f"Ngày giao dịch;Ghi có;Nội dung\n{day};5000;x\n".encode()
        answer = client.post("/seller/payments/bank/statement", data={"file": (BytesIO(text), "s.csv")})
        assert answer.status_code == 422, day


@pytest.mark.parametrize("late", [False, True])
def test_cancelling_paying_and_running_out_at_once_leaves_one_story(
    app: Flask, village: Village, bank: Banks, late: bool
) -> None:
    """Whoever was first: packs are where the order says, and each đồng is in it or on the desk."""
    open_account(village)
    order = awaiting(village)
    if late:
        with write() as session:
            session.execute(update(Order).where(Order.id == order.id).values(hold_until=clock.now()))
    notice = bank.transfer(order.total, order.memo)
    turns = iter(["cancel", "pay", "expire", "confirm", "pay", "cancel"])

    def act() -> object:
        match next(turns):
            case "cancel":
                return steps.cancel_by_buyer(order.token)
            case "pay":
                return post_sepay(browser(app), notice).status_code
            case "expire":
                return expiring.expire(order.id)
            case _:
                return steps.confirm(village.actor("seller"), order.id)

    at_once(app, 6, act)
    row = order.row
    assert faults() == []
    (came,) = transfers()
    assert came[0] == order.total
    if row.status is Status.CANCELLED:
        in_order = row.paid
        assert in_order + sum(amount for _kind, amount in puzzles(all=True)) == order.total
    else:
        assert (row.paid, puzzles()) == (order.total, [])


def test_a_notice_of_ghn_has_a_code_that_one_could_print(app: Flask) -> None:
    for code in ("\u0000", "x\u202e", "' OR 1=1", "", "a" * 41, None, 5, ["x"]):
        body = json.dumps({"OrderCode": code, "Status": "delivered"})
        assert browser(app).post(f"/hooks/ghn/{HOOK}", data=body).status_code == 400, code
    strange = json.dumps({"OrderCode": "LX7K", "Type": {"a": "\u0000"}, "Status": ["x"]})
    assert browser(app).post(f"/hooks/ghn/{HOOK}", data=strange).status_code == 200
