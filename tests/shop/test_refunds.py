"""Sellers give money back: to the card through Stripe, by transfer and in cash by hand."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.orders import steps
from shop.orders.models import Order
from shop.payments.models import Standing
from shop.payments.stripe import refunds as cards
from shop.refunds import services
from shop.refunds.services import Way, Wish
from tests.conftest import browser
from tests.shop.hands import at_once
from tests.shop.paying import CardOrder, card_order, paid_order, puzzles, work
from tests.support.stripe_fake import KEY, SECRET, StripeFake, stripe_fake
from tests.support.village import Village
from village import clock
from village.db import write
from village.ids import uuid7
from village.settings import Settings


@pytest.fixture
def stripe() -> Iterator[StripeFake]:
    with stripe_fake() as fake:
        yield fake


@pytest.fixture
def settings(settings: Settings, stripe: StripeFake) -> Settings:
    return replace(settings, stripe_key=KEY, stripe_webhook_secret=SECRET, stripe_url=stripe.url)


@pytest.fixture
def order(village: Village, client: FlaskClient, stripe: StripeFake) -> CardOrder:
    return paid_order(village, client, stripe)


@pytest.fixture
def seller(app: Flask, village: Village) -> FlaskClient:
    client = browser(app)
    village.sign_in(client, "seller")
    return client


@pytest.fixture
def cash(village: Village) -> CardOrder:
    """Paid in cash at the door."""
    order = card_order(village, payment="cod")
    with write() as session:
        steps.pay_in(session, session.get_one(Order, order.id), order.total, clock.now())
    return order


def give_back(
    client: FlaskClient, order: CardOrder, amount: object, way: str = "stripe", *, form: str = "", **more: str
) -> TestResponse:
    """Send the seller's form."""
    sent = {"id": form or uuid7(), "amount": str(amount), "way": way, "reason": "Gói bị rách", **more}
    return client.post(f"/seller/orders/{order.id}/refund", data=sent)


def states(order: CardOrder) -> list[tuple[str, int]]:
    """Its refunds: how far each is, and đồng."""
    return [(refund.state.value, refund.amount) for refund in order.refunds]


def test_a_seller_gives_a_part_back_to_the_card_and_then_the_rest(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    assert give_back(seller, order, "40.000").status_code == 303
    assert order.money == ("partly_refunded", order.total, 40_000)
    assert give_back(seller, order, order.total - 40_000).status_code == 303
    assert order.money == ("refunded", order.total, order.total)
    assert sum(refund["amount"] for refund in stripe.refunds.values()) == order.total
    page = seller.get(f"/seller/orders/{order.id}/refund").get_data(as_text=True)
    assert "không còn tiền nào" in page and "Gói bị rách" in page and "Người Bán" in page
    # What Stripe tells of it afterwards was known.
    for event in [event for event in stripe.events if event["type"] == "refund.created"] * 2:
        stripe.post(seller, event)
    assert order.money == ("refunded", order.total, order.total) and puzzles() == []


def test_one_form_is_one_refund_however_often_it_is_sent(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    form = uuid7()
    for _time in range(3):
        assert give_back(seller, order, 10_000, form=form).status_code == 303
    assert len(stripe.refunds) == 1 and order.money[2] == 10_000
    assert give_back(seller, order, 20_000, form=form).status_code == 409
    assert give_back(seller, order, 10_000, form="x").status_code == 400
    assert order.money[2] == 10_000


def test_a_refund_that_cannot_be_is_refused_beside_its_field(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    wrong: list[tuple[str, str, dict[str, str]]] = [
        ("0", "stripe", {}),
        ("-5", "stripe", {}),
        ("", "stripe", {}),
        ("1000000000", "stripe", {}),
        ("1000", "gold", {}),
        ("1000", "vietqr", {"reference": " "}),
        ("1000", "stripe", {"reason": ""}),
    ]
    for amount, way, more in wrong:
        answer = give_back(seller, order, amount, way, **more)
        assert answer.status_code == 422 and 'class="error"' in answer.get_data(as_text=True)
    assert order.refunds == [] and stripe.refunds == {}


def test_two_sellers_at_once_never_give_back_more_than_came(
    app: Flask, village: Village, order: CardOrder, stripe: StripeFake
) -> None:
    ways: list[Way] = ["stripe", "cod", "stripe"]
    wishes = [
        (village.actor(who), Wish(uuid7(), order.total, way, "x", None))
        for who, way in zip(("seller", "seller-b", "office"), ways, strict=True)
    ]

    def one() -> object:
        actor, wish = wishes.pop()
        return services.give_back(actor, order.id, wish)

    came = at_once(app, 3, one)
    assert sum(isinstance(one, Exception) for one in came) == 2
    assert order.money == ("refunded", order.total, order.total)
    assert len(stripe.refunds) <= 1 and len(order.refunds) == 1


def test_when_stripe_is_silent_the_refund_waits_and_nothing_of_it_is_given_twice(
    app: Flask, seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.silent = True
    assert give_back(seller, order, order.total).status_code == 303
    assert states(order) == [("pending", order.total)] and order.money[2] == 0
    assert give_back(seller, order, 1_000, "cod").status_code == 422
    stripe.silent = False
    work(app)
    assert states(order) == [("succeeded", order.total)] and order.money[0] == "refunded"
    work(app)
    assert len(stripe.refunds) == 1


def test_an_answer_that_got_lost_leaves_one_refund(
    app: Flask, seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.trouble = ["lost", "lost"]
    assert give_back(seller, order, 30_000).status_code == 303
    assert len(stripe.refunds) == 1 and states(order) == [("pending", 30_000)]
    work(app)
    assert len(stripe.refunds) == 1 and states(order) == [("succeeded", 30_000)]


def test_a_refund_whose_key_stripe_has_forgotten_is_looked_for_first(
    app: Flask, seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.trouble = ["lost", "lost"]
    give_back(seller, order, 30_000)
    stripe.forget_keys()
    with clock.fixed(clock.now() + dt.timedelta(days=2)):
        work(app)
    assert len(stripe.refunds) == 1 and states(order) == [("succeeded", 30_000)]


def test_a_refund_on_its_way_is_booked_when_the_bank_has_it(
    app: Flask, seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.refund_status = "pending"
    give_back(seller, order, 30_000)
    assert order.money == ("paid", order.total, 0) and states(order) == [("pending", 30_000)]
    (name,) = stripe.refunds
    stripe.finish_refund(name, "succeeded")
    stripe.post(seller, stripe.told("refund.updated"))
    stripe.post(seller, stripe.told("refund.created"))
    assert order.money == ("partly_refunded", order.total, 30_000) and states(order) == [("succeeded", 30_000)]


def test_a_refund_that_the_card_does_not_take_can_be_given_another_way(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.refund_status = "pending"
    give_back(seller, order, order.total)
    (name,) = stripe.refunds
    stripe.finish_refund(name, "failed")
    stripe.post(seller, stripe.told("refund.failed"))
    assert states(order) == [("failed", order.total)] and order.money == ("paid", order.total, 0)
    assert give_back(seller, order, order.total, "vietqr", reference="FT26001").status_code == 303
    assert order.money == ("refunded", order.total, order.total)


def test_a_refund_that_fails_after_it_had_succeeded_is_put_before_a_person(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    give_back(seller, order, 30_000)
    (name,) = stripe.refunds
    stripe.finish_refund(name, "failed")
    for number in range(2):
        stripe.post(seller, {**stripe.told("refund.failed"), "id": f"evt_again{number}"})
    assert puzzles() == [("unknown", 30_000)]


def test_a_refund_that_was_made_on_stripes_own_pages_is_booked_once(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.refund_by_hand(str(order.payments[0].intent), 25_000)
    for number in range(2):
        stripe.post(seller, {**stripe.told("refund.created"), "id": f"evt_again{number}"})
    assert order.money == ("partly_refunded", order.total, 25_000) and states(order) == [("succeeded", 25_000)]
    # And when a seller then wants all of it back, there is less.
    assert give_back(seller, order, order.total).status_code == 422
    assert "Soi tự trả" in seller.get(f"/seller/orders/{order.id}/refund").get_data(as_text=True)


def test_a_refund_of_another_shop_on_the_same_account_is_nothing_to_us(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.intents["pi_x"] = {"id": "pi_x", "amount": 5_000, "amount_received": 5_000, "currency": "vnd"}
    stripe.refund_by_hand("pi_x", 5_000)
    stripe.post(seller, stripe.told("refund.created"))
    assert order.refunds == [] and puzzles() == []


def test_stripe_says_no_when_somebody_was_quicker_there_and_the_books_say_what_is_true(
    seller: FlaskClient, order: CardOrder, stripe: StripeFake
) -> None:
    stripe.refund_by_hand(str(order.payments[0].intent), order.total)
    assert give_back(seller, order, order.total).status_code == 303
    assert sorted(states(order)) == [("failed", order.total), ("succeeded", order.total)]
    assert order.money == ("refunded", order.total, order.total) and puzzles() == []


def test_an_order_that_was_cancelled_after_it_was_paid_can_be_refunded(
    seller: FlaskClient, village: Village, order: CardOrder
) -> None:
    steps.cancel(village.actor("seller"), order.id, "Hết hàng")
    assert give_back(seller, order, order.total).status_code == 303
    assert order.money == ("refunded", order.total, order.total)


def test_cash_goes_back_by_hand_and_a_transfers_number_counts_once(seller: FlaskClient, cash: CardOrder) -> None:
    assert give_back(seller, cash, 1_000, "stripe").status_code == 422
    assert give_back(seller, cash, 1_000, "vietqr").status_code == 422
    assert give_back(seller, cash, 1_000, "vietqr", reference="FT26002").status_code == 303
    assert give_back(seller, cash, 1_000, "vietqr", reference="FT26002").status_code == 409
    assert give_back(seller, cash, 2_000, "cod").status_code == 303
    assert give_back(seller, cash, 3_000, "cod", reference="7").status_code == 303
    assert cash.money == ("partly_refunded", cash.total, 6_000)
    assert states(cash) == [("succeeded", 1_000), ("succeeded", 2_000), ("succeeded", 3_000)]


def test_nobody_else_gives_money_back_or_reads_of_it(
    app: Flask, village: Village, order: CardOrder, stripe: StripeFake
) -> None:
    for who, status in (("", 401), ("producer", 403), ("auditor", 403), ("office-other", 404)):
        client = browser(app)
        if who:
            village.sign_in(client, who)
        shown = client.get(f"/seller/orders/{order.id}/refund")
        assert shown.status_code in (status, 302) and str(order.total) not in shown.get_data(as_text=True)
        assert give_back(client, order, 1_000).status_code == status
    assert order.refunds == [] and stripe.refunds == {}


def test_an_orders_refunds_are_told_first_to_last_with_who_decided(
    seller: FlaskClient, village: Village, order: CardOrder
) -> None:
    give_back(seller, order, 1_000)
    give_back(seller, order, 2_000, "cod")
    told = cards.of_order(order.row)
    assert [(refund.amount, refund.member.name if refund.member else "") for refund in told] == [
        (1_000, "Người Bán"),
        (2_000, "Người Bán"),
    ]
    assert all(refund.state is Standing.SUCCEEDED for refund in told)


def test_the_page_speaks_english_too(seller: FlaskClient, order: CardOrder) -> None:
    page = seller.get(f"/seller/orders/{order.id}/refund?lang=en").get_data(as_text=True)
    assert "Give money back" in page and "Trả lại" not in page
