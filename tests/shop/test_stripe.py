"""Cards through Stripe, against an account with a memory over HTTP, asked by the real SDK."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from shop.orders import steps
from shop.orders.expiring import expire
from shop.payments.models import Standing, WebhookEvent
from shop.payments.stripe.client import checkout
from shop.payments.stripe.daily import DAY
from shop.payments.stripe.sessions import settle
from tests.shop.hands import at_once
from tests.shop.paying import CardOrder, card_order, open_page, paid_order, puzzles, work
from tests.support.stripe_fake import KEY, SECRET, StripeFake, stripe_fake
from tests.support.village import Village
from village import clock
from village.db import db
from village.jobs.models import Job
from village.settings import Settings, SettingsError, from_env

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)


def after(minutes: float) -> Any:
    """So many minutes after an order that was placed at NOW."""
    return clock.fixed(NOW + dt.timedelta(minutes=minutes))


@pytest.fixture
def stripe() -> Iterator[StripeFake]:
    with stripe_fake() as fake:
        yield fake


@pytest.fixture
def settings(settings: Settings, stripe: StripeFake) -> Settings:
    return replace(settings, stripe_key=KEY, stripe_webhook_secret=SECRET, stripe_url=stripe.url)


@pytest.fixture
def order(village: Village) -> CardOrder:
    return card_order(village)


def kept() -> list[tuple[str, int]]:
    """The inbox: each event's state and how often it came."""
    db.session.rollback()
    return [(row.state.value, row.times) for row in db.session.scalars(select(WebhookEvent).order_by(WebhookEvent.id))]


def test_a_buyer_pays_on_stripes_page_and_finds_the_order_paid_when_she_is_back(
    client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    page = client.get(f"/orders/{order.token}/card").location
    assert str(order.total) in requests.get(page, timeout=5).text
    back = requests.post(page, timeout=5, allow_redirects=False).headers["Location"]
    answer = client.get(urlsplit(back).path)
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.token}")
    # No notice was needed for it; when it comes, it changes nothing.
    assert order.money == ("paid", order.total, 0)
    stripe.post(client, stripe.told("checkout.session.completed"))
    assert order.money == ("paid", order.total, 0)
    (payment,) = order.payments
    assert (payment.state, payment.received) == (Standing.SUCCEEDED, order.total)
    (session,) = stripe.sessions.values()
    assert (session["amount_total"], session["currency"], session["locale"]) == (order.total, "vnd", "vi")
    assert order.row.number in session["says"]["name"]
    assert client.get(f"/orders/{order.token}/card").location == f"/orders/{order.token}"
    assert len(stripe.sessions) == 1


def test_the_notice_alone_is_enough_and_ten_more_of_it_do_nothing(
    client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    stripe.pay(open_page(client, order))
    event = stripe.told("checkout.session.completed")
    for _time in range(11):
        assert stripe.post(client, event).status_code == 200
    assert order.money == ("paid", order.total, 0)
    assert kept() == [("done", 11)] and puzzles() == []


def test_a_notice_that_stripe_did_not_sign_now_is_refused_and_not_even_kept(
    client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    forged: list[dict[str, Any]] = [{"late": 301}, {"late": -61}, {"secret": "whsec_khac"}, {"spoil": b" "}]
    with clock.fixed(clock.now()):
        stripe.pay(open_page(client, order))
        event = stripe.told("checkout.session.completed")
        for how in forged:
            answer = stripe.post(client, event, **how)
            assert answer.status_code == 400 and "bad-signature" in answer.get_data(as_text=True)
        assert kept() == [] and order.money == ("awaiting", 0, 0)
        assert stripe.post(client, event, late=299).status_code == 200
    assert order.money == ("paid", order.total, 0)


def test_bodies_that_are_no_events_are_refused(client: FlaskClient, stripe: StripeFake) -> None:
    for event in ({}, {"id": "", "type": "x"}, {"id": "evt_1"}, {"id": 5, "type": "x"}, {"id": "e" * 256, "type": "x"}):
        assert stripe.post(client, event).status_code == 400
    assert client.post("/hooks/stripe", data=b"\xff", headers={"Stripe-Signature": "t=1,v1=00"}).status_code == 400
    assert client.post("/hooks/stripe", data=b"{}").status_code == 400
    assert client.post("/hooks/stripe", data=b"x" * 600_000).status_code == 413
    # Signed and strange is kept, and nobody's.
    strange: list[dict[str, Any]] = [{}, {"data": 5}, {"data": {"object": {"id": ["x"]}}}]
    for number, about in enumerate(strange):
        event = {"id": f"evt_{number}", "type": "checkout.session.completed", **about}
        assert stripe.post(client, event).status_code == 200
    assert kept() == [("ignored", 1)] * 3


def test_what_an_event_says_is_not_believed(client: FlaskClient, stripe: StripeFake, order: CardOrder) -> None:
    open_page(client, order)
    (session,) = stripe.sessions.values()
    lie = {**session, "status": "complete", "payment_status": "paid", "payment_intent": "pi_x"}
    event = {"id": "evt_x", "type": "checkout.session.completed", "data": {"object": lie}}
    assert stripe.post(client, event).status_code == 200
    assert order.money == ("awaiting", 0, 0) and kept() == [("ignored", 1)]


def test_a_sessions_end_that_is_told_after_the_next_one_began_changes_nothing(
    client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    with clock.fixed(NOW):
        order = card_order(village)
        first = open_page(client, order)
    with after(1):
        stripe.answer("POST", f"/v1/checkout/sessions/{first}/expire", {}, None)
        second = open_page(client, order)
        assert second != first
        stripe.post(client, stripe.told("checkout.session.expired"))
        stripe.pay(second)
        stripe.post(client, stripe.told("checkout.session.completed"))
    assert order.money == ("paid", order.total, 0)


def test_a_session_that_is_not_as_we_made_it_is_put_before_a_person(
    client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    spoiled: list[tuple[dict[str, Any], str, str]] = [
        ({"amount_total": 1_000}, "under", "awaiting"),
        ({"currency": "usd"}, "currency", "awaiting"),
        ({"metadata": {"order": "00000000-0000-7000-8000-000000000000"}}, "unmatched", "awaiting"),
        ({"amount_total": 99_000_000}, "over", "paid"),
    ]
    for number, (values, puzzle, state) in enumerate(spoiled, start=1):
        order = card_order(village)
        session = open_page(client, order)
        stripe.sessions[session].update(values)
        stripe.pay(session)
        event = stripe.told("checkout.session.completed")
        stripe.post(client, event)
        stripe.post(client, {**event, "id": f"evt_again{number}"})
        assert [kind for kind, _amount in puzzles()][number - 1 :] == [puzzle]
        assert order.money[0] == state


def test_money_for_a_cancelled_order_goes_back_by_itself(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    session = open_page(client, order)
    steps.cancel_by_buyer(order.token)
    stripe.pay(session)
    stripe.post(client, stripe.told("checkout.session.completed"))
    work(app)
    (refund,) = stripe.refunds.values()
    assert refund["amount"] == order.total
    assert [(row.state, row.amount) for row in order.refunds] == [(Standing.SUCCEEDED, order.total)]
    # It never was the order's.
    assert order.money == ("awaiting", 0, 0) and puzzles() == []
    stripe.post(client, stripe.told("refund.created"))
    work(app)
    assert len(stripe.refunds) == len(order.refunds) == 1


def test_what_is_told_of_a_refund_before_its_payment_is_understood(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    session = open_page(client, order)
    steps.cancel_by_buyer(order.token)
    stripe.pay(session)
    intent = stripe.sessions[session]["payment_intent"]
    stripe.refund_by_hand(intent, order.total)
    stripe.post(client, stripe.told("refund.created"))
    stripe.post(client, stripe.told("checkout.session.completed"))
    work(app)
    # Stripe refuses a second one; whoever looks finds that nothing is left to give back.
    assert len(stripe.refunds) == 1 and order.money == ("awaiting", 0, 0)
    assert sorted(row.state for row in order.refunds) == [Standing.FAILED, Standing.SUCCEEDED]
    assert puzzles() == []


def test_of_two_paid_sessions_one_pays_and_the_other_goes_back(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    first = open_page(client, order)
    stripe.sessions["cs_other"] = {**stripe.sessions[first], "id": "cs_other"}
    for session in ("cs_other", first):
        stripe.pay(session)
    for event in [event for event in stripe.events if event["type"] == "checkout.session.completed"][::-1] * 2:
        stripe.post(client, event)
    work(app)
    assert order.money == ("paid", order.total, 0)
    (refund,) = stripe.refunds.values()
    assert refund["payment_intent"] == stripe.sessions["cs_other"]["payment_intent"]
    assert sorted(payment.received for payment in order.payments) == [order.total] * 2
    assert puzzles() == []


def test_of_many_who_learn_of_a_payment_at_once_one_books_it(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    session = open_page(client, order)
    stripe.sessions["cs_other"] = {**stripe.sessions[session], "id": "cs_other"}
    for each in (session, "cs_other"):
        stripe.pay(each)
    turns = [session, "cs_other"] * 3
    came = at_once(app, 6, lambda: settle(checkout(turns.pop())))
    assert came == [None] * 6
    assert order.money == ("paid", order.total, 0)
    assert [refund.amount for refund in order.refunds] == [order.total] and len(order.payments) == 2


def test_the_session_of_a_cancelled_order_is_closed_at_stripe(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    session = open_page(client, order)
    work(app)
    assert stripe.sessions[session]["status"] == "open"
    steps.cancel_by_buyer(order.token)
    work(app)
    assert stripe.sessions[session]["status"] == "expired"
    asked = len(stripe.asked)
    work(app)
    assert len(stripe.asked) == asked
    assert client.get(f"/orders/{order.token}/card").location == f"/orders/{order.token}"


def test_a_payment_whose_notice_was_lost_is_found_before_its_packs_are_given_to_others(
    app: Flask, client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    with clock.fixed(NOW):
        order = card_order(village)
        session = open_page(client, order)
        stripe.pay(session)
    with after(36):
        hold = order.row.hold_until
        assert hold is not None and hold > clock.now()
        work(app)
    assert order.money == ("paid", order.total, 0)


def test_a_payment_of_the_last_moment_goes_back_when_its_packs_are_gone(
    app: Flask, client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    with clock.fixed(NOW):
        order = card_order(village)
        session = open_page(client, order)
    with after(34.9):
        stripe.pay(session)
        stripe.silent = True
    with after(40):
        work(app)
        assert order.row.status.value == "cancelled" and order.refunds == []
    stripe.silent = False
    with after(43):
        work(app)
    with after(45):
        work(app)
    assert [refund["amount"] for refund in stripe.refunds.values()] == [order.total]
    assert [row.state for row in order.refunds] == [Standing.SUCCEEDED]


def test_packs_are_kept_as_long_as_the_session_and_no_second_session_keeps_them_longer(
    client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    with clock.fixed(NOW):
        order = card_order(village)
    with after(20):
        first = open_page(client, order)
        assert open_page(client, order) == first
        ends = dt.datetime.fromtimestamp(stripe.sessions[first]["expires_at"], dt.UTC)
        assert ends >= NOW + dt.timedelta(minutes=50)
        assert order.row.hold_until == ends + dt.timedelta(minutes=3)
    with after(52):
        answer = client.get(f"/orders/{order.token}/card")
        assert answer.location == f"/orders/{order.token}" and len(stripe.sessions) == 1
        assert "hết giờ" in client.get(answer.location).get_data(as_text=True)


def test_an_answer_that_got_lost_leaves_one_session(client: FlaskClient, stripe: StripeFake, village: Village) -> None:
    for fate in ("lost", "down"):
        stripe.trouble = [fate]
        open_page(client, card_order(village))
        assert stripe.trouble == []
    assert len(stripe.sessions) == 2 and stripe.asked.count("POST /v1/checkout/sessions") == 4


def test_when_stripe_is_silent_the_buyer_is_told_and_may_try_again(
    client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    stripe.silent = True
    answer = client.get(f"/orders/{order.token}/card")
    assert answer.location == f"/orders/{order.token}"
    assert "chưa hỏi được bên thẻ" in client.get(answer.location).get_data(as_text=True)
    assert client.get(f"/orders/{order.token}/card/back").location == f"/orders/{order.token}"
    stripe.silent = False
    open_page(client, order)


def test_a_notice_that_comes_while_stripe_is_silent_is_handled_later(
    app: Flask, client: FlaskClient, stripe: StripeFake, order: CardOrder
) -> None:
    stripe.pay(open_page(client, order))
    stripe.silent = True
    assert stripe.post(client, stripe.told("checkout.session.completed")).status_code == 200
    assert kept() == [("waiting", 1)] and order.money == ("awaiting", 0, 0)
    stripe.silent = False
    with clock.fixed(clock.now() + dt.timedelta(minutes=2)):
        work(app)
    assert kept() == [("done", 1)] and order.money == ("paid", order.total, 0)


def test_a_dispute_is_put_before_a_person(client: FlaskClient, stripe: StripeFake, village: Village) -> None:
    order = paid_order(village, client, stripe)
    stripe.dispute(str(order.payments[0].intent))
    for _time in range(2):
        stripe.post(client, stripe.told("charge.dispute.created"))
    assert puzzles() == [("dispute", order.total)]


def test_only_an_order_that_waits_for_a_card_leads_to_stripe(
    client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    cash = card_order(village, payment="cod")
    assert client.get(f"/orders/{cash.token}/card").location == f"/orders/{cash.token}"
    assert client.get("/orders/khong-co/card").status_code == 404
    assert client.get("/orders/khong-co/card/back").status_code == 404
    assert client.get(f"/orders/{cash.token}/card/back").status_code == 303
    assert stripe.asked == []


def test_an_order_in_english_is_paid_in_english(client: FlaskClient, stripe: StripeFake, village: Village) -> None:
    session = open_page(client, card_order(village, language="en"))
    assert stripe.sessions[session]["locale"] == "en"
    assert "packs 500 g" in stripe.sessions[session]["says"]["description"]


def test_a_lapsed_order_is_not_paid_any_more(client: FlaskClient, stripe: StripeFake, village: Village) -> None:
    with clock.fixed(NOW):
        order = card_order(village)
    with after(35):
        assert client.get(f"/orders/{order.token}/card").location == f"/orders/{order.token}"
        assert expire(order.id)
    assert stripe.asked == [] and db.session.scalar(select(func.count()).select_from(WebhookEvent)) == 0


def test_a_days_comparison_takes_in_what_nobody_told_and_then_is_whole(
    app: Flask, client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    stripe.page = 2
    with clock.fixed(NOW):
        told = [paid_order(village, client, stripe) for _number in range(3)]
        untold = card_order(village)
        stripe.pay(open_page(client, untold))
        stripe.refund_by_hand(str(told[0].payments[0].intent), 5_000)
    run = app.test_cli_runner().invoke
    first = run(args=["shop", "cards", "2026-11-20"])
    assert first.exit_code == 1 and f"4 payments, {4 * untold.total} đồng: 1 missing, 0 unknown" in first.output
    assert "1 refunds: 1 missing" in first.output
    assert untold.money == ("paid", untold.total, 0) and told[0].money[2] == 5_000
    again = run(args=["shop", "cards", "2026-11-20"])
    assert again.exit_code == 0 and "0 missing, 0 unknown; 1 refunds: 0 missing" in again.output
    assert puzzles() == []


def test_a_payment_that_stripe_does_not_have_is_put_before_a_person(
    app: Flask, client: FlaskClient, stripe: StripeFake, village: Village
) -> None:
    with clock.fixed(NOW):
        order = paid_order(village, client, stripe)
    stripe.sessions.clear()
    for _time in range(2):
        assert app.test_cli_runner().invoke(args=["shop", "cards", "2026-11-20"]).exit_code == 1
    assert puzzles() == [("unknown", order.total)]


def test_every_morning_the_day_before_is_compared_once(app: Flask, stripe: StripeFake, village: Village) -> None:
    stripe.silent = True
    with clock.fixed(NOW + dt.timedelta(days=1)):
        work(app)
    stripe.silent = False
    for hours in (1, 2, 3):
        with clock.fixed(NOW + dt.timedelta(days=1, hours=hours, minutes=1)):
            work(app)
    jobs = db.session.scalars(select(Job).where(Job.kind == DAY).order_by(Job.made_at)).all()
    assert [(job.state.value, job.args["day"]) for job in jobs] == [("failed", "2026-11-20"), ("done", "2026-11-20")]


class TestWithoutCards:
    """A village that takes none."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, stripe_key="", stripe_webhook_secret="")

    def test_its_addresses_are_not_there(self, client: FlaskClient, stripe: StripeFake, village: Village) -> None:
        cash = card_order(village, payment="cod")
        assert client.get(f"/orders/{cash.token}/card").status_code == 404
        assert client.get(f"/orders/{cash.token}/card/back").status_code == 404
        assert stripe.post(client, {"id": "evt_1", "type": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"STRIPE_KEY": "pk_test_x", "STRIPE_WEBHOOK_SECRET": SECRET}, "STRIPE_KEY"),
        ({"STRIPE_KEY": "sk_test x", "STRIPE_WEBHOOK_SECRET": SECRET}, "STRIPE_KEY"),
        ({"STRIPE_KEY": KEY}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": SECRET}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_KEY": KEY, "STRIPE_WEBHOOK_SECRET": "bi-mat"}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_URL": "http://stripe.example.vn"}, "STRIPE_URL"),
        ({"STRIPE_URL": "https://stripe.example.vn/v1"}, "STRIPE_URL"),
        ({"STRIPE_URL": "https://x:y@stripe.example.vn"}, "STRIPE_URL"),
        ({"STRIPE_URL": "https://[::1"}, "STRIPE_URL"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start_without_being_repeated(
    wrong: dict[str, str], named: str, tmp_path: Any
) -> None:
    with pytest.raises(SettingsError, match=named) as told:
        from_env({"SOI_ENV": "test", "INSTANCE": str(tmp_path), **wrong})
    assert all(value not in str(told.value) for value in wrong.values())
