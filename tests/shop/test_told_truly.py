"""What pages say of an order's money and packs is what is true of it, in every state that it can be in."""

from collections.abc import Callable
from io import BytesIO

from flask import Flask
from flask.testing import FlaskClient

from shop.delivery.rounds import look_again
from shop.orders import steps
from shop.refunds.services import Wish, give_back
from tests.shop import delivering
from tests.shop.hands import shelve
from tests.shop.working import order, ordered, pay, picked, take_transfers
from tests.support.ghn_fake import ghn_fake
from tests.support.village import Village
from trace import signals
from trace.lots.models import Batch
from village.db import write
from village.ids import uuid7

SignIn = Callable[[FlaskClient, str], None]


def page(client: FlaskClient, order_id: str, more: str = "") -> str:
    """The buyer's page of it."""
    return client.get(f"/orders/{order(order_id).token}{more}").text


def test_who_paid_the_courier_has_paid_though_the_money_is_still_on_its_way(
    app: Flask, village: Village, client: FlaskClient
) -> None:
    shelve(village, 10, lot="A")
    with ghn_fake() as fake:
        delivering.set_up(app, fake)
        shipment_id = delivering.sent(village, order_id := delivering.ready(village, 2))
        assert "Trả khi nhận hàng" in page(client, order_id)
        assert "Còn phải trả" in page(client, order_id, "/receipt")
        fake.go(delivering.code(shipment_id), "picked", "delivered")
        look_again(village.actor("seller"), shipment_id)
    assert order(order_id).paid == 0
    assert "Đã trả lúc nhận hàng" in page(client, order_id)
    assert "Còn phải trả" not in page(client, order_id, "/receipt")


def test_nobody_is_asked_for_the_money_of_a_cancelled_order(
    village: Village, client: FlaskClient, sign_in: SignIn
) -> None:
    shelve(village, 10, lot="A")
    take_transfers(village)
    product = village.product("packs", 500)
    unpaid, held, cash = ordered(product, 1, "vietqr"), ordered(product, 1, "vietqr"), ordered(product, 1)
    pay(held, order(held).total)
    for one in (unpaid, held, cash):
        steps.cancel(village.actor("seller"), one, "Hết hàng")
    for one in (unpaid, cash):
        assert "Đơn đã huỷ, bác không phải trả gì." in page(client, one)
    told = page(client, held)
    assert "Người bán trả lại bác" in told and "Đã nhận đủ tiền" not in told.partition("Hàng đang ở đâu")[0]
    sign_in(client, "seller")
    assert "chờ chuyển tiền" not in client.get(f"/seller/orders/{unpaid}").text
    assert "Phải trả lại khách" in client.get(f"/seller/orders/{held}").text


def test_a_part_that_went_back_is_not_told_as_all_of_it(village: Village, client: FlaskClient) -> None:
    shelve(village, 10, lot="A")
    take_transfers(village)
    order_id = picked(village, village.product("packs", 500), 2, "vietqr")
    seller = village.actor("seller")
    steps.dispatch(seller, order_id)
    give_back(seller, order_id, Wish(uuid7(), 10_000, "vietqr", "Gói rách", "FT1"))
    assert "Đã trả lại một phần" in page(client, order_id)
    give_back(seller, order_id, Wish(uuid7(), order(order_id).total - 10_000, "vietqr", "Gói rách", "FT2"))
    assert "Đã trả lại một phần" not in page(client, order_id)


def test_a_slip_says_who_sends_it_and_whether_to_ask_for_money(
    village: Village, client: FlaskClient, sign_in: SignIn
) -> None:
    shelve(village, 10, lot="A")
    take_transfers(village)
    product = village.product("packs", 500)
    cash, paid = picked(village, product, 1), picked(village, product, 1, "vietqr")
    sign_in(client, "seller")
    slip = client.get(f"/seller/orders/{cash}/slip").text
    assert "Thu khi giao" in slip and "Không thu tiền" not in slip
    assert "Người gửi: Hợp tác xã Một" in slip
    assert "Không thu tiền khi giao" in client.get(f"/seller/orders/{paid}/slip").text


def test_changing_lots_is_offered_only_where_a_lot_is_stopped(
    village: Village, client: FlaskClient, sign_in: SignIn
) -> None:
    lot = shelve(village, 10, lot="A")
    order_id = picked(village, village.product("packs", 500), 1)
    sign_in(client, "seller")
    assert "Đổi lô đang bị giữ" not in client.get(f"/seller/orders/{order_id}").text
    with write(ledger=True) as session:
        batch = session.get_one(Batch, lot)
        batch.hold = "held"
        signals.holds_changed.send(None, session=session, batches=[batch])
    assert "Đổi lô đang bị giữ" in client.get(f"/seller/orders/{order_id}").text


def test_a_statement_is_no_trouble_where_it_is_how_money_is_told_of(
    village: Village, client: FlaskClient, sign_in: SignIn
) -> None:
    take_transfers(village)
    sign_in(client, "seller")
    rows = "Ngày,Ghi có,Nội dung\n22/11/2026 10:00:00,50000,tien mien\n"
    client.post("/seller/payments/bank/statement", data={"file": (BytesIO(rows.encode()), "x.csv")})
    told = client.get("/seller/payments/bank").text
    assert "Khớp hết" in told and "1 khoản mới" in told and "Cần xem" not in told
