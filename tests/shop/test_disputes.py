"""A buyer's bank asks for a card's money back: a person is told in words and in time, and what is lost is booked."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.payments.desk import disputes, services, shown
from shop.payments.models import WebhookEvent
from tests.conftest import browser
from tests.shop.hands import at_once
from tests.shop.paying import CardOrder, paid_order, puzzles
from tests.shop.test_checkout import text
from tests.support.stripe_fake import KEY, SECRET, StripeFake, stripe_fake
from tests.support.village import Village
from village.db import db
from village.settings import Settings


@pytest.fixture
def stripe() -> Iterator[StripeFake]:
    with stripe_fake() as fake:
        yield fake


@pytest.fixture
def settings(settings: Settings, stripe: StripeFake) -> Settings:
    return replace(settings, stripe_key=KEY, stripe_webhook_secret=SECRET, stripe_url=stripe.url)


@pytest.fixture
def order(client: FlaskClient, stripe: StripeFake, village: Village) -> CardOrder:
    return paid_order(village, client, stripe)


def begun(client: FlaskClient, stripe: StripeFake, order: CardOrder) -> str:
    """Her bank asks; Stripe's id of it."""
    dispute = stripe.dispute(str(order.payments[0].intent))
    assert stripe.post(client, stripe.told("charge.dispute.created")).status_code == 200
    return dispute


def goes_on(client: FlaskClient, stripe: StripeFake, dispute: str, status: str) -> None:
    stripe.dispute_is(dispute, status)
    kind = "closed" if status in (*disputes.KEPT, *disputes.LOST) else "updated"
    assert stripe.post(client, stripe.told(f"charge.dispute.{kind}")).status_code == 200


def test_the_desk_says_in_words_what_is_to_be_done_and_by_when(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder, village: Village
) -> None:
    dispute = begun(client, stripe, order)
    seller = browser(app)
    village.sign_in(seller, "seller")
    page = text(seller.get("/seller/payments"))
    for words in ("Khách đòi ngân hàng lấy lại tiền thẻ", "không phải mình mua", "chờ mình trả lời",
                  "Trả lời chậm nhất", "Hàng chưa gửi hết thì bác khoan gửi"):  # fmt: skip
        assert words in page, words
    assert "needs_response" not in page and "fraudulent" not in page
    assert order.money == ("paid", order.total, 0), "nothing is lost yet"
    goes_on(client, stripe, dispute, "under_review")
    page = text(seller.get("/seller/payments"))
    assert "Ngân hàng đang xem" in page and "Trả lời chậm nhất" not in page
    assert puzzles() == [("dispute", order.total)], "one, however often it is told"


def test_money_that_a_bank_took_back_is_booked_once(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder, village: Village
) -> None:
    dispute = begun(client, stripe, order)
    stripe.dispute_is(dispute, "lost")
    event = stripe.told("charge.dispute.closed")
    at_once(app, 2, lambda: stripe.post(app.test_client(), event))
    stripe.post(client, event)
    assert order.money == ("refunded", order.total, order.total)
    assert [(one.amount, one.state.value) for one in order.refunds] == [(order.total, "succeeded")]
    assert puzzles() == [("dispute", order.total)]
    seller = browser(app)
    village.sign_in(seller, "seller")
    assert "Sổ đã ghi khoản này trả lại khách" in text(seller.get("/seller/payments"))


def test_a_dispute_that_is_won_leaves_the_desk_and_the_money_stays(
    client: FlaskClient, stripe: StripeFake, order: CardOrder, village: Village
) -> None:
    goes_on(client, stripe, begun(client, stripe, order), "won")
    assert puzzles() == []
    assert order.money == ("paid", order.total, 0)
    (closed,) = services.desk(village.actor("seller"), 1).closed
    assert shown.became(closed) == "Xong, mình giữ được tiền"


def test_what_was_put_aside_comes_back_only_when_it_is_lost(
    client: FlaskClient, stripe: StripeFake, order: CardOrder, village: Village
) -> None:
    dispute = begun(client, stripe, order)
    assert puzzles() == [("dispute", order.total)]
    (row,) = services.desk(village.actor("seller"), 1).open
    services.set_aside(village.actor("seller"), row.id, "đã gửi giấy tờ")
    goes_on(client, stripe, dispute, "under_review")
    assert puzzles() == []
    goes_on(client, stripe, dispute, "lost")
    assert puzzles() == [("dispute", order.total)]


def test_a_strangers_dispute_and_an_erased_memo_are_borne(
    client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    stripe.intents["pi_xa"] = {"amount": 5000}
    stripe.dispute("pi_xa")
    assert stripe.post(client, stripe.told("charge.dispute.created")).status_code == 200
    assert puzzles() == []
    db.session.rollback()
    last = db.session.query(WebhookEvent).order_by(WebhookEvent.id.desc()).first()
    assert last is not None and last.state.value == "ignored"
    assert disputes.read("") == disputes.Disputed("-", "-", None)
