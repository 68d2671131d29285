"""The exceptions desk and the account: who may, once, and where the đồng go."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.orders import steps
from shop.orders.models import Order
from shop.payments.bank.accounts import trial
from shop.payments.bank.models import BankAccount
from shop.payments.desk import services as desk
from shop.payments.models import PaymentPuzzle, Puzzle
from shop.payments.services import cash_in, methods
from shop.payments.vietqr import read
from tests.conftest import browser
from tests.shop import transferring
from tests.shop.hands import at_once, statements
from tests.shop.transferring import awaiting, open_account, puzzle, puzzles, transfers
from tests.support.bank_fake import ACCOUNT, BIN, Banks, banks, post_sepay
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import Conflict
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


def post(client: FlaskClient, act: str, **typed: str) -> int:
    return client.post(f"/seller/payments/{puzzle()}/{act}", data=typed).status_code


def test_a_person_finds_the_order_that_money_belongs_to(seller: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(seller, bank.transfer(order.total, "tien mien"))
    page = seller.get("/seller/payments").text
    assert "tien mien" in page and "Không rõ của đơn nào" in page
    assert post(seller, "match", number="BL-XXXXXX") == 422
    assert post(seller, "match", number=order.number.lower().replace("-", " ")) == 303
    assert order.money == ("paid", order.total)
    assert transfers() == [(order.total, order.total)]
    assert puzzles() == []
    assert order.number in seller.get("/seller/payments").text


def test_what_is_more_than_the_order_costs_stays_on_the_desk(
    seller: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(seller, bank.transfer(order.total + 1_000, "tien mien"))
    assert post(seller, "match", number=order.number) == 303
    assert order.money == ("paid", order.total)
    assert puzzles() == [("over", 1_000)]
    assert post(seller, "match", number=order.number) == 422, "it is paid already"
    assert post(seller, "refund", reference="") == 422
    assert post(seller, "refund", reference="FT26326001", note="trả phần thừa") == 303
    assert puzzles() == []
    assert transfers() == [(order.total + 1_000, order.total)]


def test_a_transfer_can_pay_an_order_of_cash(seller: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village, payment="cod")
    post_sepay(seller, bank.transfer(order.total, "don mien"))
    assert post(seller, "match", number=order.number) == 303
    assert order.money == ("paid", order.total)
    assert order.payment.method == "vietqr"


def test_late_money_pays_the_order_that_its_buyer_placed_again(
    seller: FlaskClient, village: Village, bank: Banks
) -> None:
    open_account(village)
    first, second = awaiting(village), awaiting(village, 1, net=1000)
    steps.cancel(village.actor("seller"), first.id, "Hết hàng")
    post_sepay(seller, bank.transfer(first.total, first.memo))
    assert puzzles() == [("cancelled", first.total)]
    assert post(seller, "match", number=first.number) == 422
    assert post(seller, "match", number=second.number) == 303
    assert second.money == ("paid", second.total)


def test_too_little_is_neither_matched_nor_sent_back_here(seller: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(seller, bank.transfer(1_000, order.memo))
    assert post(seller, "match", number=order.number) == 409
    assert post(seller, "refund", reference="FT1") == 409
    assert post(seller, "aside", note="") == 422
    assert post(seller, "aside", note="Người mua sẽ chuyển nốt") == 303
    assert (puzzles(), order.money) == ([], ("awaiting", 1_000))


def test_of_two_people_one_decides(app: Flask, seller: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    post_sepay(seller, bank.transfer(order.total, "tien mien"))
    one, first, second = puzzle(), village.actor("seller"), village.actor("seller-b")
    people = [first, second]

    def decide() -> object:
        who = people.pop()
        return desk.match(who, one, order.number) if who is first else desk.refund(who, one, "FT1", "")

    answers = at_once(app, 2, decide)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert sum(isinstance(answer, Exception) for answer in answers) == 1
    assert puzzles() == []
    assert order.row.paid in (0, order.total)


def test_another_cooperative_neither_sees_nor_decides(app: Flask, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    other = browser(app)
    village.sign_in(other, "office-other")
    post_sepay(other, bank.transfer(order.total, "tien cua hop tac xa mot"))
    assert "tien cua hop tac xa mot" not in other.get("/seller/payments").text
    for act, typed in (("match", {"number": order.number}), ("refund", {"reference": "FT1"}), ("aside", {"note": "x"})):
        assert post(other, act, **typed) == 404
    assert puzzles() == [("unmatched", order.total)]


def test_money_is_not_put_into_another_cooperatives_order(app: Flask, village: Village, bank: Banks) -> None:
    open_account(village)
    open_account(village, "sepay", "office-other", account="999888777")
    order = awaiting(village)
    other = browser(app)
    village.sign_in(other, "office-other")
    post_sepay(other, {**bank.transfer(order.total, "tien"), "accountNumber": "999888777"})
    assert post(other, "match", number=order.number) == 422
    assert order.money == ("awaiting", 0)


def test_cash_that_is_too_much_goes_back_and_into_no_order(seller: FlaskClient, village: Village) -> None:
    order, other = awaiting(village, payment="cod"), awaiting(village, 1, payment="cod", net=1000)
    with write() as session:
        cash_in(session, session.get_one(Order, order.id), order.total + 2_000, clock.now(), "")
    assert order.money == ("paid", order.total)
    assert puzzles() == [("over", 2_000)]
    assert post(seller, "match", number=other.number) == 409
    assert post(seller, "refund", reference="đưa tận tay") == 303
    assert (puzzles(), other.money) == ([], ("due", 0))


def test_money_of_nobody_that_can_be_told_is_the_offices_matter(
    app: Flask, seller: FlaskClient, village: Village
) -> None:
    with write() as session:
        session.add(PaymentPuzzle(kind=Puzzle.UNMATCHED, amount=9_000, reference="cs_khong_ro"))
    assert "cs_khong_ro" not in seller.get("/seller/payments").text
    assert post(seller, "aside", note="x") == 404
    office = browser(app)
    village.sign_in(office, "office")
    assert "cs_khong_ro" in office.get("/seller/payments").text
    assert post(office, "aside", note="Trả ở trang của Stripe rồi") == 303


@pytest.mark.parametrize("username", ["producer", "auditor", ""])
def test_others_have_no_business_at_the_desk(app: Flask, village: Village, username: str) -> None:
    client = browser(app)
    if username:
        village.sign_in(client, username)
    status = 403 if username else 401
    for address in ("/seller/payments/x/match", "/seller/payments/x/refund", "/seller/payments/x/aside",
                    "/seller/payments/again", "/seller/payments/bank/day", "/seller/payments/bank/statement",
                    "/coop/account"):  # fmt: skip
        assert client.post(address).status_code == status


def test_the_desk_asks_as_much_for_many_as_for_one(seller: FlaskClient, village: Village, bank: Banks) -> None:
    open_account(village)
    order = awaiting(village)
    counts = []
    for _round in range(2):
        for _number in range(3):
            post_sepay(seller, bank.transfer(order.total, order.memo))
        db.session.rollback()
        with statements() as seen:
            assert seller.get("/seller/payments").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_office_writes_its_account_down_and_tries_it(app: Flask, village: Village) -> None:
    client = browser(app)
    village.sign_in(client, "office")
    typed = {"bin": BIN, "account": "0071 000 888 888", "holder": "Hợp tác xã miến dong Bình Lư", "watcher": "sepay",
             "open": "1"}  # fmt: skip
    assert client.post("/coop/account", data=typed).status_code == 303
    page = client.get("/coop/account").text
    assert "HOP TAC XA MIEN DONG BINH LU" in page and ACCOUNT in page
    row = db.session.get_one(BankAccount, village.member("office").cooperative_id)
    assert (row.account, row.watcher, row.open) == (ACCOUNT, "sepay", True)
    assert read(trial(row)).account == ACCOUNT
    for field, value in (("bin", "123456"), ("account", "12"), ("account", "0071-000"), ("holder", "123"),
                         ("watcher", "stripe"), ("holder", "")):  # fmt: skip
        assert client.post("/coop/account", data={**typed, field: value}).status_code == 422
    village.sign_in(client, "seller")
    assert client.post("/coop/account", data=typed).status_code == 403, "a seller does not say where money goes"


def test_a_closed_account_is_offered_to_nobody_new(app: Flask, village: Village) -> None:
    open_account(village)
    cooperative = village.member("office").cooperative_id
    assert methods(cooperative) == ("cod", "vietqr")
    client = browser(app)
    village.sign_in(client, "office")
    client.post("/coop/account", data={"bin": BIN, "account": ACCOUNT, "holder": "HTX", "watcher": "none"})
    db.session.rollback()
    assert methods(cooperative) == ("cod",)
