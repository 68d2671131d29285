"""Money by bank transfer: SePay's and payOS's notices, forged, doubled, late and lost, and where the đồng end up."""

import datetime as dt
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from shop.orders import expiring, services, steps
from shop.payments import inbox
from shop.payments.daily.services import faults_of
from shop.payments.desk import services as desk
from shop.payments.models import Standing, WebhookEvent
from tests.conftest import browser
from tests.shop import transferring
from tests.shop.hands import BUYER, at_once, shelve
from tests.shop.transferring import awaiting, notices, open_account, puzzles, transfers
from tests.support.bank_fake import SECRET, Banks, banks, post_payos, post_sepay, post_signed
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.jobs.worker import work_off
from village.products.models import Product
from village.settings import Settings


@pytest.fixture
def bank() -> Iterator[Banks]:
    with banks() as fake:
        yield fake


@pytest.fixture
def settings(settings: Settings, bank: Banks, request: pytest.FixtureRequest) -> Settings:
    return transferring.with_banks(settings, bank, secret=getattr(request, "param", ""))


def test_a_transfer_with_the_memo_pays_its_order(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    assert order.money == ("awaiting", 0)
    told = post_sepay(client, bank.transfer(order.total, f"MBVCB.123.{order.memo}.CT tu 007 NGUYEN THI THU"))
    assert (told.status_code, told.json) == (200, {"success": True})
    assert order.money == ("paid", order.total)
    assert order.row.hold_until is None
    assert (order.payment.state, order.payment.received) == (Standing.SUCCEEDED, order.total)
    assert notices() == [("done", "booked", 1)]
    assert puzzles() == []


def test_the_same_notice_again_pays_nothing_more(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    notice = bank.transfer(order.total, order.memo)
    for _time in range(3):
        assert post_sepay(client, notice).status_code == 200
    assert order.money == ("paid", order.total)
    assert transfers() == [(order.total, order.total)]
    assert notices() == [("done", "booked", 3)]


def test_the_same_notice_many_times_at_once_is_one_transfer(app: Flask, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    notice = bank.transfer(order.total, order.memo)
    answers = at_once(app, 6, lambda: post_sepay(browser(app), notice).status_code)
    assert answers == [200] * 6
    assert order.money == ("paid", order.total)
    assert transfers() == [(order.total, order.total)]
    assert notices() == [("done", "booked", 6)]


def test_two_transfers_at_once_never_put_more_into_an_order_than_it_costs(
    app: Flask, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    waiting = [bank.transfer(order.total, order.memo) for _number in range(4)]
    answers = at_once(app, 4, lambda: post_sepay(browser(app), waiting.pop()).status_code)
    assert answers == [200] * 4
    assert order.money == ("paid", order.total)
    assert sorted(puzzles()) == [("double", order.total)] * 3
    assert sum(booked for _amount, booked in transfers()) == order.total


@pytest.mark.parametrize("key", ["", "sepay-key-khac", "sepay-key-thu-hai"])
def test_a_notice_with_another_key_is_refused_and_not_kept(
    client: FlaskClient, village: Village, bank: Banks, key: str
) -> None:
    open_account(village)
    order = awaiting(village)
    told = post_sepay(client, bank.transfer(order.total, order.memo), key=key)
    assert told.status_code == 401
    assert told.mimetype == "application/problem+json"
    assert (order.money, notices()) == (("awaiting", 0), [])


@pytest.mark.parametrize("settings", [SECRET], indirect=True)
@pytest.mark.parametrize(
    ("seconds", "secret", "status"),
    [(0, SECRET, 200), (-290, SECRET, 200), (-400, SECRET, 401), (400, SECRET, 401), (0, "khac-hẳn", 401)],
)
def test_a_signed_notice_must_be_ours_and_of_now(
    client: FlaskClient, village: Village, bank: Banks, seconds: int, secret: str, status: int
) -> None:
    open_account(village)
    order = awaiting(village)
    told = post_signed(client, bank.transfer(order.total, order.memo), seconds=seconds, secret=secret)
    assert told.status_code == status
    assert order.money == (("paid", order.total) if status == 200 else ("awaiting", 0))


@pytest.mark.parametrize("settings", [SECRET], indirect=True)
def test_where_a_signature_is_asked_for_the_key_is_not_enough(client: FlaskClient, bank: Banks) -> None:
    assert post_sepay(client, bank.transfer(1000, "x")).status_code == 401


def test_too_little_waits_for_the_rest_and_then_settles_itself(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(client, bank.transfer(50_000, order.memo))
    assert order.money == ("awaiting", 50_000)
    assert puzzles() == [("under", 50_000)]
    assert "70.000" in client.get(f"/orders/{order.token}").text, "the page asks for what is left"
    post_sepay(client, bank.transfer(70_000, order.memo))
    assert order.money == ("paid", order.total)
    assert puzzles() == []


def test_too_much_pays_the_order_and_leaves_the_rest_to_a_person(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(client, bank.transfer(order.total + 5_000, order.memo))
    assert order.money == ("paid", order.total)
    assert puzzles() == [("over", 5_000)]
    post_sepay(client, bank.transfer(order.total, order.memo))
    assert order.money == ("paid", order.total)
    assert puzzles() == [("over", 5_000), ("double", order.total)]


def test_money_after_the_deadline_is_told_apart_from_money_after_a_cancellation(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    late, cancelled = awaiting(village), awaiting(village, 1, net=1000)
    with clock.fixed(clock.now() + dt.timedelta(minutes=31)):
        expiring.expire(late.id)
        steps.cancel(village.actor("seller"), cancelled.id, "Hết hàng")
        post_sepay(client, bank.transfer(late.total, late.memo))
        post_sepay(client, bank.transfer(cancelled.total, cancelled.memo))
    assert (late.row.paid, cancelled.row.paid) == (0, 0)
    assert puzzles() == [("late", late.total), ("cancelled", cancelled.total)]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_in_whatever_order_each_dong_is_in_an_order_or_on_the_desk(
    client: FlaskClient, village: Village, bank: Banks, seed: int
) -> None:
    chance = random.Random(seed)
    open_account(village)
    orders = [awaiting(village, packs, net=net) for packs, net in ((1, 500), (2, 500), (1, 1000))]
    sent: list[dict[str, Any]] = []
    for _step in range(25):
        order = chance.choice(orders)
        match chance.choice(("pay", "pay", "part", "more", "again", "nobody", "cancel", "decide")):
            case "pay" | "part" | "more" as how:
                amount = {"pay": order.total, "part": order.total // 3, "more": order.total + 1}[how]
                sent.append(bank.transfer(amount, chance.choice((order.memo, order.memo.lower(), f"CK{order.memo}X"))))
                post_sepay(client, sent[-1])
            case "again" if sent:
                post_sepay(client, chance.choice(sent))
            case "nobody":
                post_sepay(client, bank.transfer(chance.randrange(1, 10**6), "tien mien"))
            case "cancel" if chance.random() < 0.2 and order.row.status == "placed":
                steps.cancel(village.actor("seller"), order.id, "Hết hàng")
            case "decide" if waiting := [one.id for one in desk.desk(village.actor("seller"), 1).open]:
                with suppress(Conflict, BadInput):
                    desk.match(village.actor("seller"), chance.choice(waiting), order.number)
    assert sum(amount for amount, _booked in transfers()) == sum(int(float(row["amount_in"])) for row in bank.credits)
    assert sum(booked for _amount, booked in transfers()) == sum(order.row.paid for order in orders)
    assert all(order.row.paid <= order.total for order in orders)
    first, last = clock.now() - dt.timedelta(days=1), clock.now() + dt.timedelta(days=1)
    assert faults_of(db.session(), village.member("seller").cooperative_id, first, last) == 0


def test_money_without_a_memo_or_with_two_is_matched_to_nothing(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    one, two = awaiting(village), awaiting(village, 1, net=1000)
    post_sepay(client, bank.transfer(one.total, "chuyen tien mien dong"))
    post_sepay(client, bank.transfer(one.total, f"{one.memo} {two.memo}"))
    post_sepay(client, bank.transfer(one.total, one.memo[:-1] + ("2" if one.memo[-1] != "2" else "3")))
    assert (one.money, two.money) == (("awaiting", 0), ("awaiting", 0))
    assert puzzles() == [("unmatched", one.total)] * 3


def test_money_to_an_account_of_nobody_here_is_nothing_to_us(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    private = {**bank.transfer(99_000, "luong thang 11"), "accountNumber": "123456789"}
    post_sepay(client, private)
    assert notices() == [("ignored", "account", 1)]
    post_sepay(client, {**bank.transfer(order.total, order.memo), "accountNumber": "123456789"})
    assert order.money == ("awaiting", 0), "the right memo, but to an account that is not the seller's"
    assert puzzles() == [("unmatched", order.total)]


def test_a_memo_of_another_cooperatives_order_is_not_paid_into_ours(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village, "sepay", "office-other", account="999888777")
    open_account(village)
    order = awaiting(village)
    post_sepay(client, {**bank.transfer(order.total, order.memo), "accountNumber": "999888777"})
    assert order.money == ("awaiting", 0)
    assert puzzles() == [("unmatched", order.total)]


def test_money_that_goes_out_is_nothing_to_an_order(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(client, bank.transfer(order.total, order.memo, out=True))
    assert (order.money, notices()) == (("awaiting", 0), [("ignored", "out", 1)])


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"id": None}, 400), ({"id": ""}, 400), ({"id": True}, 400),
        ({"transferAmount": "nhiều"}, 200), ({"transferAmount": -1}, 200), ({"transferAmount": 0.5}, 200),
        ({"transferAmount": 1e30}, 200), ({"transactionDate": "hôm qua"}, 200), ({"transferType": "sideways"}, 200),
        ({"accountNumber": {}}, 200),
    ],
)  # fmt: skip
def test_a_notice_that_cannot_be_read_is_refused_or_kept_for_a_person(
    client: FlaskClient, village: Village, bank: Banks, changed: dict[str, Any], status: int
) -> None:
    open_account(village)
    order = awaiting(village)
    told = post_sepay(client, {**bank.transfer(order.total, order.memo), **changed})
    assert told.status_code == status
    assert order.money == ("awaiting", 0)
    assert [state for state, _said, _times in notices()] == ([] if status == 400 else ["puzzling"])


def test_what_was_kept_and_not_handled_is_handled_later(village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    notice = bank.transfer(order.total, order.memo)
    inbox.take_in("sepay", str(notice["id"]), json.dumps(notice).encode(), {}, "transfer")
    work_off()
    assert notices() == [("waiting", "", 1)], "the request that took it in still has a moment to handle it itself"
    with clock.fixed(clock.now() + dt.timedelta(seconds=20)):
        inbox.ask_for_the_rest()
        work_off()
    assert order.money == ("paid", order.total)
    assert notices() == [("done", "booked", 1)]


def test_a_failure_in_the_middle_undoes_all_of_it_and_is_done_again(
    client: FlaskClient, village: Village, bank: Banks, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_account(village)
    order = awaiting(village)
    act, _prepare = inbox._rooms["sepay"]

    def dies(session: Session, event: WebhookEvent, prepared: Any) -> inbox.Outcome:
        act(session, event, prepared)
        raise OSError("the power goes")

    monkeypatch.setitem(inbox._rooms, "sepay", (dies, None))
    assert post_sepay(client, bank.transfer(order.total, order.memo)).status_code == 200
    assert (order.money, transfers()) == (("awaiting", 0), [])
    assert notices() == [("waiting", "OSError", 1)]
    monkeypatch.undo()
    with clock.fixed(clock.now() + dt.timedelta(minutes=2)):
        work_off()
    assert order.money == ("paid", order.total)
    assert notices() == [("done", "booked", 1)]


def test_a_notice_that_is_no_notice_is_told_and_not_tried_for_ever(village: Village) -> None:
    inbox.take_in("sepay", "7", b"no notice", {}, "transfer")
    with clock.fixed(clock.now() + dt.timedelta(seconds=20)):
        work_off()
    assert notices() == [("puzzling", "no JSON", 1)]
    assert inbox.again() == 0
    assert notices() == [("puzzling", "no JSON", 1)]


def test_without_an_account_nobody_is_offered_a_transfer(village: Village) -> None:
    with pytest.raises(BadInput) as refused:
        awaiting(village)
    assert refused.value.slug == "payment-not-open"


def test_the_page_tells_its_state_until_it_is_paid(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    page = client.get(f"/orders/{order.token}").text
    address = f"/orders/{order.token}/state"
    before = client.get(address)
    assert before.headers["Cache-Control"] == "no-store"
    assert f'data-seen="{json.loads(before.data)["state"]}"' in page
    assert order.memo in page and "<svg" in page and "120.000" in page
    post_sepay(client, bank.transfer(order.total, order.memo))
    assert client.get(address).json != before.json
    page = client.get(f"/orders/{order.token}").text
    assert "data-pay" not in page and order.memo not in page
    assert client.get("/orders/khong-co/state").status_code == 404


def test_payos_makes_a_request_for_an_order_and_tells_when_it_is_paid(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village, "payos")
    order = awaiting(village)
    preparing = client.get(f"/orders/{order.token}").text
    assert "Đang lấy mã chuyển khoản" in preparing
    work_off()
    (code,) = bank.requests
    assert bank.requests[code]["amount"] == order.total
    page = client.get(f"/orders/{order.token}").text
    assert "V3CAS0000001" in page and "CSTEST" in page
    notice = bank.pay(code, order.total)
    for _time in range(2):
        assert post_payos(client, notice).status_code == 200
    assert order.money == ("paid", order.total)
    assert notices() == [("done", "booked", 2)]


@pytest.mark.parametrize("trouble", ["down", "lost"])
def test_a_payment_request_survives_payos_trouble(
    client: FlaskClient, village: Village, bank: Banks, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.payments.bank.links.PAUSES", (0, 0, 0))
    open_account(village, "payos")
    setattr(bank, trouble, 1)
    order = awaiting(village)
    work_off()
    code = max(bank.requests)
    assert "CSTEST" in client.get(f"/orders/{order.token}").text
    post_payos(client, bank.pay(code, order.total))
    assert order.money == ("paid", order.total)


def test_a_forged_payos_notice_pays_nothing(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village, "payos")
    order = awaiting(village, 1)
    work_off()
    (code,) = bank.requests
    notice = bank.pay(code, order.total)
    for forged in (
        {**notice, "data": {**notice["data"], "amount": order.total * 2}},
        {**notice, "signature": "0" * 64},
        {name: value for name, value in notice.items() if name != "signature"},
    ):
        assert post_payos(client, forged).status_code == 401
    assert client.post("/hooks/payos", data=b"[", content_type="text/plain").status_code == 400
    assert (order.money, notices()) == (("awaiting", 0), [])


def test_another_currency_goes_to_a_person(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village, "payos")
    order = awaiting(village)
    work_off()
    (code,) = bank.requests
    post_payos(client, bank.pay(code, order.total, currency="USD"))
    assert order.money == ("awaiting", 0)
    assert puzzles() == [("currency", order.total)]


def test_the_notice_with_which_payos_tries_our_address_is_nothing_to_us(client: FlaskClient, bank: Banks) -> None:
    bank.requests[123] = {"id": "124c3329", "orderCode": 123, "amount": 3000, "description": "VQRIO123",
                          "transactions": []}  # fmt: skip
    assert post_payos(client, bank.pay(123, 3000)).status_code == 200
    assert notices() == [("ignored", "account", 1)]


def test_an_order_of_two_sellers_is_not_paid_by_one_transfer(village: Village) -> None:
    open_account(village)
    open_account(village, "sepay", "office-other", account="999888777")
    shelve(village, 5, lot="A")
    shelve(village, 5, lot="B", net=1000)
    other, product = village.member("office-other").cooperative_id, village.product("packs", 1000)
    gtins = [(village.product("packs", 500).gtin, 1), (product.gtin, 1)]
    with write() as session:
        session.execute(update(Product).where(Product.id == product.id).values(cooperative_id=other))
    with pytest.raises(BadInput) as refused:
        services.place(None, gtins, BUYER, channel="api", idempotency_key="k-1", payment="vietqr")
    assert refused.value.slug == "several-sellers"
