"""A buyer who gave an e-mail address is written of each step, once, in her language; nobody else is."""

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from shop.mails.listening import ORDERS_A_DAY
from shop.orders import services, steps
from shop.orders.models import Order
from shop.orders.services import Buyer, Placed
from shop.stock.errors import OutOfStock
from tests.shop.hands import BUYER, place, shelve
from tests.shop.test_checkout import checkout, fill, order
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.ids import uuid7
from village.outbox.models import Channel, Message


def mails() -> list[Message]:
    """All that was written, first to last."""
    db.session.rollback()
    return list(db.session.scalars(select(Message).where(Message.about_kind == "order").order_by(Message.id)))


def bought(village: Village, *, language: str = "vi", quantity: int = 2, key: str = "") -> Placed:
    """An order of a buyer with an address to write to."""
    buyer = Buyer(BUYER.name, BUYER.phone, BUYER.address, email="ban@example.vn", ward="xã Thử", province="Hà Nội")
    product = village.product("packs", 500)
    return services.place(None, [(product.gtin, quantity)], buyer, channel="api", idempotency_key=key or uuid7(),
                          language=language)  # fmt: skip


def test_a_guest_who_gave_an_address_is_written_that_the_order_is_here(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    fill(client, village.product("packs", 500), 2)
    done = checkout(client, email=" Ban@Example.VN ")
    [mail] = mails()
    assert (mail.channel, mail.to) == (Channel.MAIL, "ban@example.vn")
    assert mail.subject == f"Đơn {order().number}: đã nhận đơn"
    assert mail.body is not None
    assert done.location in mail.body
    assert "120.000" in mail.body and "Hợp tác xã Một" in mail.body
    for typed in ("0912", "phố Thử", "Nguyễn Thị Thử"):
        assert typed not in mail.body, "a mail can go to a wrong address"


def test_without_an_address_nobody_is_written_to(village: Village) -> None:
    shelve(village, 5, lot="A")
    placed = place(village.product("packs", 500), 2)
    steps.cancel_by_buyer(placed.token)
    assert mails() == []


def test_sent_twice_is_written_once_and_what_failed_is_not_written_of(village: Village) -> None:
    shelve(village, 5, lot="A")
    for _ in range(2):
        bought(village, key="mot-lan")
    with pytest.raises(OutOfStock):
        bought(village, quantity=50)
    assert len(mails()) == 1


def test_each_step_that_a_buyer_waits_for_is_told(village: Village) -> None:
    village.packs(units=12)
    token = bought(village).token
    seller, found = village.actor("seller"), order()
    steps.confirm(seller, found.id)
    steps.pick(seller, found.id)
    steps.dispatch(seller, found.id)
    with write() as session:
        again = session.get_one(Order, found.id)
        steps.pay_in(session, again, again.total, clock.now())
        steps.refund_in(session, again, 20_000)
    told = [(mail.subject or "").partition(": ")[2] for mail in mails()]
    assert told == ["đã nhận đơn", "hàng đã gửi đi", "đã nhận đủ tiền", "đã trả lại tiền"]
    last = mails()[-1].body or ""
    assert "20.000" in last and f"/orders/{token}" in last


def test_a_cancelled_order_says_why_and_what_is_owed(village: Village) -> None:
    shelve(village, 5, lot="A")
    bought(village)
    order_id = order().id
    with write() as session:
        steps.pay_in(session, session.get_one(Order, order_id), 120_000, clock.now())
    steps.cancel(village.actor("seller"), order_id, "Mẻ này bị ẩm")
    body = mails()[-1].body or ""
    assert "Người bán nhắn: Mẻ này bị ẩm" in body
    assert "120.000" in body and "Người Bán" not in body, "a buyer is not told a member's name"


def test_an_order_that_ran_out_of_time_says_so(client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    token = bought(village).token
    with write() as session:
        session.execute(update(Order).values(payment="vietqr", payment_state="awaiting",
                                             hold_until=clock.now() - dt.timedelta(minutes=1)))  # fmt: skip
    page = client.get(f"/orders/{token}")
    assert "Người bán nhắn" not in page.text
    assert (mails()[-1].subject or "").endswith("đã huỷ")
    assert "Hết giờ giữ hàng" in (mails()[-1].body or "")


def test_a_mail_is_in_the_buyers_language_whoever_takes_the_step(village: Village) -> None:
    shelve(village, 5, lot="A")
    bought(village, language="en")
    steps.cancel(village.actor("seller"), order().id, "Hết hàng")
    first, last = mails()
    assert "we have it" in (first.subject or "") and "cancelled" in (last.subject or "")
    assert "Đơn" not in (first.body or "")


def test_the_office_comes_from_a_mail_to_its_order(client: FlaskClient, app: Flask, village: Village) -> None:
    shelve(village, 5, lot="A")
    bought(village)
    village.sign_in(client, "office")
    assert f"/seller/orders/{order().id}" in client.get("/coop/outbox?show=waiting").text


def test_a_strangers_letter_box_is_not_filled(village: Village) -> None:
    shelve(village, 50, lot="A")
    for _ in range(ORDERS_A_DAY + 3):
        bought(village, quantity=1)
    assert len(mails()) == ORDERS_A_DAY
    with write() as session:
        session.execute(update(Order).values(created_at=clock.now() - dt.timedelta(days=2)))
    bought(village, quantity=1)
    assert len(mails()) == ORDERS_A_DAY + 1
