"""Where an order's money stands; and a reservation that nobody paid ends at its deadline, exactly."""

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.orders import expiring, services, steps
from shop.orders.expiring import UNPAID
from shop.orders.models import Order, PaymentState, Status
from shop.orders.services import Wanted
from shop.payments.models import Standing
from shop.payments.services import payment_of
from tests.shop.hands import BUYER, TYPED, at_once, faults, numbers, shelve
from tests.shop.working import order, ordered, part, pay, picked, refund, send, take_transfers, told
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict
from village.ids import uuid7
from village.jobs.worker import work_off

LATER = dt.timedelta(minutes=31)


def standing(order_id: str) -> tuple[PaymentState, int, int]:
    found = order(order_id)
    return found.payment_state, found.paid, found.refunded


@pytest.fixture
def lot(village: Village) -> str:
    """A shelf of ten, sold by an office that takes transfers."""
    take_transfers(village)
    return shelve(village, 10, lot="TIEN")


def test_a_transfer_has_half_an_hour_and_cash_has_no_deadline(village: Village, lot: str) -> None:
    product = village.product("packs", 500)
    now = clock.now().replace(microsecond=0)
    with clock.fixed(now):
        ahead, cash = ordered(product, 1, "vietqr"), ordered(product, 1)
    assert order(ahead).hold_until == now + dt.timedelta(minutes=30)
    assert standing(ahead) == (PaymentState.AWAITING, 0, 0)
    assert (order(cash).hold_until, standing(cash)) == (None, (PaymentState.DUE, 0, 0))
    payment = payment_of(db.session(), ahead)
    assert payment is not None and (payment.amount, payment.method) == (order(ahead).total, "vietqr")


@pytest.mark.parametrize("payment", ["vietqr", "stripe", "gold", "", "COD"])
def test_a_payment_that_is_not_open_is_refused(village: Village, payment: str) -> None:
    found = shelve(village, 5, lot="A")
    with pytest.raises(BadInput) as refused:
        ordered(village.product("packs", 500), 1, payment)
    assert (refused.value.slug, refused.value.field) == ("payment-not-open", "payment")
    assert numbers(found) == (5, 0, 0)


def test_all_of_the_money_ends_the_deadline_and_some_of_it_does_not(village: Village, lot: str) -> None:
    order_id = ordered(village.product("packs", 500), 2, "vietqr")
    total = order(order_id).total
    pay(order_id, total - 1)
    assert standing(order_id) == (PaymentState.AWAITING, total - 1, 0)
    assert order(order_id).hold_until is not None
    pay(order_id, 1)
    assert standing(order_id) == (PaymentState.PAID, total, 0)
    assert order(order_id).hold_until is None
    assert told(order_id) == ["placed", "part_paid", "paid"]


def test_no_more_goes_back_than_came(village: Village, lot: str) -> None:
    order_id = ordered(village.product("packs", 500), 2, "vietqr")
    total = order(order_id).total
    with pytest.raises(Conflict) as refused:
        refund(order_id, 1)
    assert refused.value.slug == "refund-too-much"
    pay(order_id, total)
    refund(order_id, 1000)
    assert standing(order_id) == (PaymentState.PARTLY_REFUNDED, total, 1000)
    with pytest.raises(Conflict):
        refund(order_id, total - 999)
    refund(order_id, total - 1000)
    assert standing(order_id) == (PaymentState.REFUNDED, total, total)


@pytest.mark.parametrize("amount", [0, -5])
def test_nothing_and_less_is_no_money(village: Village, lot: str, amount: int) -> None:
    order_id = ordered(village.product("packs", 500), 2, "vietqr")
    for act in (pay, refund):
        with pytest.raises(ValueError, match="one đồng"):
            act(order_id, amount)


def test_money_for_a_cancelled_order_is_not_booked(village: Village, lot: str) -> None:
    order_id = ordered(village.product("packs", 500), 2, "vietqr")
    total = order(order_id).total
    pay(order_id, total - 5)
    steps.cancel(village.actor("seller"), order_id, "Hết đường đi")
    with pytest.raises(Conflict) as refused:
        pay(order_id, 5)
    assert refused.value.slug == "order-cancelled"
    refund(order_id, total - 5)
    assert standing(order_id) == (PaymentState.REFUNDED, total - 5, total - 5)
    payment = payment_of(db.session(), order_id)
    assert payment is not None and payment.state is Standing.FAILED


def test_what_is_cancelled_of_a_paid_order_goes_back_and_it_stays_paid(village: Village) -> None:
    take_transfers(village)
    village.packs(units=12)
    order_id = picked(village, village.product("packs", 500), 3, "vietqr")
    before = order(order_id).total
    send(village, order_id, [part(order_id, 1)])
    steps.cancel(village.actor("seller"), order_id, "Mẻ sau chưa kịp")
    refund(order_id, before - order(order_id).total)
    assert standing(order_id) == (PaymentState.PAID, before, before * 2 // 3)


def test_an_unpaid_reservation_ends_at_its_deadline_and_only_its_packs_are_free(village: Village, lot: str) -> None:
    product = village.product("packs", 500)
    lapsed, paid, cash = ordered(product, 3, "vietqr"), ordered(product, 2, "vietqr"), ordered(product, 1)
    pay(paid, order(paid).total)
    expiring.see_to_it()
    assert work_off() == 0
    with clock.fixed(clock.now() + LATER):
        expiring.see_to_it()
        expiring.see_to_it()
        assert work_off() == 1
    assert numbers(lot) == (7, 3, 0)
    assert [order(one).status for one in (lapsed, paid, cash)] == [Status.CANCELLED, Status.PLACED, Status.PLACED]
    assert told(lapsed) == ["placed", "expired", "cancelled"]
    assert order(lapsed).steps[-1].note == UNPAID
    payment = payment_of(db.session(), lapsed)
    assert payment is not None and payment.state is Standing.EXPIRED
    assert faults() == []


def test_whoever_looks_at_an_order_past_its_deadline_sees_it_cancelled(
    client: FlaskClient, village: Village, lot: str
) -> None:
    order_id = ordered(village.product("packs", 500), 3, "vietqr")
    token = order(order_id).token
    assert client.get(f"/api/orders/{token}").json["status"] == "placed"  # type: ignore[index]
    with clock.fixed(clock.now() + LATER):
        assert client.get(f"/api/orders/{token}").json["status"] == "cancelled"  # type: ignore[index]
    assert numbers(lot) == (10, 0, 0)


def test_money_and_deadline_at_once_leave_the_order_paid_or_cancelled(
    app: Flask, village: Village, lot: str
) -> None:
    order_id = ordered(village.product("packs", 500), 3, "vietqr")
    total = order(order_id).total

    def race(number: int) -> Any:
        return pay(order_id, total) if number % 2 else expiring.expire(order_id)

    turns = list(range(6))
    with clock.fixed(clock.now() + LATER):
        results = at_once(app, 6, lambda: race(turns.pop()))
    after = order(order_id)
    errors = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(error, Conflict) for error in errors)
    if after.status is Status.CANCELLED:
        assert (after.paid, numbers(lot)) == (0, (10, 0, 0))
    else:
        assert (after.payment_state, numbers(lot)) == (PaymentState.PAID, (7, 3, 0))
    assert faults() == []


def test_what_is_paid_ahead_does_not_change_under_its_buyers_hands(village: Village, lot: str) -> None:
    product = village.product("packs", 500)
    order_id = ordered(product, 3, "vietqr")
    with write() as session:
        found = session.get_one(Order, order_id)
        with pytest.raises(Conflict):
            services.add_lines_in(session, found, [Wanted(product.id, 1)])
        with pytest.raises(Conflict):
            services.set_quantity_in(session, found, product.id, 1)
    assert numbers(lot) == (7, 3, 0)


def test_an_orders_total_has_its_delivery_in_it(village: Village, lot: str) -> None:
    product = village.product("packs", 500)
    answer = services.place(
        None, [(product.gtin, 2)], BUYER, channel="web", idempotency_key=uuid7(), delivery="ghn",
        delivery_fee=30_000, expected_total=2 * (product.price or 0) + 30_000,
    ).answer  # fmt: skip
    assert answer["total"] == answer["pay"]["amount"] == 2 * (product.price or 0) + 30_000


def test_the_api_takes_an_order_that_is_paid_ahead(client: FlaskClient, village: Village, lot: str) -> None:
    body = {"lines": [{"gtin": village.product("packs", 500).gtin, "quantity": 2}], "buyer": TYPED, "payment": "vietqr"}
    answer = client.post("/api/orders", json=body, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 201
    told = answer.get_json()
    assert set(told) == {"number", "token", "status", "total", "lines", "pay"}
    assert told["pay"] == {"method": "vietqr", "amount": told["total"]}
    refused = client.post("/api/orders", json={**body, "payment": "stripe"}, headers={"Idempotency-Key": "b"})
    assert (refused.status_code, refused.get_json()["type"].rsplit("/", 1)[-1]) == (422, "payment-not-open")
