"""Each day what the bank has is laid beside what was booked: nothing is missing, nothing is there twice."""

import datetime as dt
from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from shop.payments.bank.models import Reconciliation, Transfer
from shop.payments.bank.told import Unreadable
from shop.payments.daily.services import reconcile
from tests.conftest import browser
from tests.shop import transferring
from tests.shop.transferring import awaiting, open_account, puzzles, transfers
from tests.support.bank_fake import Banks, banks, post_payos, post_sepay
from tests.support.village import Village
from village import clock
from village.clock import VN
from village.db import db, write
from village.jobs.worker import work_off
from village.settings import Settings


@pytest.fixture
def bank() -> Iterator[Banks]:
    with banks() as fake:
        yield fake


@pytest.fixture
def settings(settings: Settings, bank: Banks) -> Settings:
    return transferring.with_banks(settings, bank)


@pytest.fixture
def seller(app: Flask, village: Village) -> FlaskClient:
    client = browser(app)
    village.sign_in(client, "seller")
    return client


def outcome(village: Village) -> tuple[int, int, int, int, int]:
    """Compare today, as of the night after: lines, known, missing, unknown, faults."""
    day = clock.today()
    cooperative = village.member("office").cooperative_id
    later = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(3), VN)
    with clock.fixed(later):
        made = reconcile(cooperative, day)
    return made.lines, made.known, made.missing, made.unknown, made.faults


def load(client: FlaskClient, text: str) -> int:
    data = {"file": (BytesIO(text.encode()), "sao-ke.csv")}
    return client.post("/seller/payments/bank/statement", data=data, content_type="multipart/form-data").status_code


def line(amount: int, memo: str, reference: str = "") -> str:
    when = clock.now().astimezone(VN).strftime("%d/%m/%Y %H:%M:%S")
    return f"{when};{reference};{amount};{memo}\n"


HEAD = "Ngày giao dịch;Số tham chiếu;Ghi có;Nội dung\n"


def test_a_day_whose_notices_all_came_agrees(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(client, bank.transfer(order.total + 500, order.memo))
    post_sepay(client, bank.transfer(7_000, "khong ro"))
    bank.transfer(9_000, "tien ra", out=True)
    assert outcome(village) == (2, 2, 0, 0, 0)
    assert outcome(village) == (2, 2, 0, 0, 0)
    assert transfers() == [(order.total + 500, order.total), (7_000, 0)]


def test_a_notice_that_never_came_is_made_good_and_its_late_copy_changes_nothing(
    client: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    lost = bank.transfer(order.total, order.memo)
    bank.transfer(5_000, "khong ro cua ai")
    assert outcome(village) == (2, 0, 2, 0, 0)
    assert order.money == ("paid", order.total)
    assert puzzles() == [("missing", 5_000)]
    post_sepay(client, lost)
    assert transfers() == [(order.total, order.total), (5_000, 0)]
    assert outcome(village) == (2, 2, 0, 0, 0)


def test_money_that_the_bank_does_not_have_is_told_once(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(client, bank.transfer(order.total, order.memo))
    bank.credits.clear()
    assert outcome(village) == (0, 0, 0, 1, 0)
    assert outcome(village) == (0, 0, 0, 1, 0)
    assert puzzles() == [("unknown", order.total)]


def test_another_amount_under_the_same_id_is_a_fault(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(client, bank.transfer(order.total, order.memo))
    bank.credits[0]["amount_in"] = "1000.00"
    assert outcome(village) == (1, 0, 0, 0, 1)
    assert puzzles() == [("unknown", order.total)]


def test_a_day_of_many_pages_is_fetched_whole(village: Village, bank: Banks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.payments.bank.sepay.PAGE", 3)
    monkeypatch.setattr("shop.payments.bank.sepay.PAUSE", 0)
    open_account(village)
    for number in range(8):
        bank.transfer(1_000 + number, f"khach {number}")
    assert outcome(village) == (8, 0, 8, 0, 0)


def test_when_the_bank_does_not_answer_nothing_is_written(village: Village, bank: Banks) -> None:
    open_account(village)
    bank.down = 1
    with pytest.raises(Exception, match="503"):
        outcome(village)
    bank.credits.append({"id": "1", "account_number": "0071000888888", "transaction_date": "hôm qua"})
    bank.credits[0]["transaction_date"] = f"{clock.today()} 12 giờ"
    with pytest.raises(Unreadable):
        outcome(village)
    assert db.session.scalars(select(Reconciliation)).all() == []


def test_payos_requests_are_asked_for_what_came(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village, "payos")
    one, two = awaiting(village), awaiting(village, 1, net=1000)
    work_off()
    first, second = bank.requests
    post_payos(client, bank.pay(first, one.total))
    bank.pay(second, two.total)
    assert outcome(village) == (2, 1, 1, 0, 0)
    assert (one.money, two.money) == (("paid", one.total), ("paid", two.total))
    assert outcome(village) == (2, 2, 0, 0, 0)


def test_every_morning_the_day_before_is_compared_once(village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    bank.transfer(order.total, order.memo)
    tomorrow = clock.today() + dt.timedelta(days=1)
    with clock.fixed(dt.datetime.combine(tomorrow, dt.time(1), VN)):
        work_off()
        assert bank.asked == []
    with clock.fixed(dt.datetime.combine(tomorrow, dt.time(3), VN)):
        work_off()
        work_off()
    assert len(bank.asked) == 1
    db.session.rollback()
    made = db.session.scalars(select(Reconciliation)).one()
    assert (made.day, made.missing, made.member_id) == (tomorrow - dt.timedelta(days=1), 1, None)


def test_a_statement_pays_what_nobody_tells_of_and_twice_loaded_pays_nothing_more(
    seller: FlaskClient, village: Village
) -> None:
    open_account(village, "none")
    order = awaiting(village)
    text = HEAD + line(order.total, f"CK {order.memo}", "FT1") + line(3_000, "khong ro", "FT2")
    assert load(seller, text) == 303
    assert order.money == ("paid", order.total)
    assert puzzles() == [("unmatched", 3_000)]
    assert load(seller, text) == 303
    assert transfers() == [(order.total, order.total), (3_000, 0)]
    rows = [(one.lines, one.known, one.missing) for one in db.session.scalars(select(Reconciliation))]
    assert sorted(rows) == [(2, 0, 2), (2, 2, 0)]
    page = seller.get("/seller/payments/bank").text
    assert "2 khoản mới" in page and "Khớp hết" in page


def test_a_notice_after_the_statement_that_told_of_it_first_is_the_same_money(
    seller: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    notice = bank.transfer(order.total, order.memo)
    assert load(seller, HEAD + line(order.total, order.memo, notice["referenceCode"])) == 303
    post_sepay(seller, notice)
    assert order.money == ("paid", order.total)
    assert transfers() == [(order.total, order.total)]
    assert puzzles() == []


def test_a_statement_with_one_bad_line_is_taken_in_not_at_all(seller: FlaskClient, village: Village) -> None:
    open_account(village, "none")
    order = awaiting(village)
    assert load(seller, HEAD + line(order.total, order.memo) + "20/11/2026;x;nhiều;y\n") == 422
    assert load(seller, "") == 422
    assert (order.money, transfers()) == (("awaiting", 0), [])


def test_a_seller_asks_for_a_day(seller: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    typed = {"day": clock.today().isoformat()}
    answer = seller.post("/seller/payments/bank/day", data=typed)
    assert answer.status_code == 303 and "/jobs/" in answer.location
    work_off()
    assert bank.asked
    assert seller.post("/seller/payments/bank/day", data={"day": "2099-01-01"}).status_code == 422
    open_account(village, "none")
    assert seller.post("/seller/payments/bank/day", data=typed).status_code == 409


def test_the_command_says_whether_a_day_agrees(app: Flask, client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    bank.transfer(order.total, order.memo)
    day = clock.today().isoformat()
    db.session.rollback()
    first = app.test_cli_runner().invoke(args=["shop", "reconcile", day])
    assert (first.exit_code, "1 missing" in first.output) == (1, True)
    again = app.test_cli_runner().invoke(args=["shop", "reconcile", day])
    assert (again.exit_code, "1 known, 0 missing" in again.output) == (0, True)


def test_a_transfer_whose_money_went_nowhere_is_found(client: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(client, bank.transfer(order.total, order.memo))
    with write() as session:
        session.scalars(select(Transfer)).one().booked -= 1_000
    assert outcome(village) == (1, 1, 0, 0, 1)
