"""An order holds its packs from the moment it is placed; each step is taken by one seller, once."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from shop.orders import services, steps
from shop.orders.models import Allocation, Order, OrderLine, Status
from shop.orders.services import Buyer, Wanted
from shop.stock.errors import OutOfStock
from tests.shop.hands import BUYER, at_once, faults, numbers, place, shelve
from tests.support.village import Village
from trace import signals
from trace.events.models import Event
from trace.gs1.lots import READABLE
from trace.lots.models import Batch, Hold
from village.db import db, write
from village.errors import BadInput, Conflict, Forbidden, NotFound, SoiError
from village.ids import uuid7


def order_of(token: str) -> Order:
    db.session.rollback()
    return steps.by_token(token)


def hold(batch_id: str, how: Hold) -> None:
    with write(ledger=True) as session:
        batch = session.get_one(Batch, batch_id)
        batch.hold = how
        signals.holds_changed.send(None, session=session, batches=[batch])


def count(what: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(what)) or 0


def test_an_order_goes_all_the_way_and_its_dispatch_stands_on_the_ledger(village: Village) -> None:
    lot = village.packs(units=12)
    placed = place(village.product("packs", 500), 5)
    seller = village.actor("seller")
    order = order_of(placed.token)
    assert numbers(lot) == (7, 5, 0)
    assert order.total == 5 * 500 * 120
    steps.confirm(seller, order.id)
    steps.pick(seller, order.id)
    assert steps.dispatch(seller, order.id).status is Status.DISPATCHED
    assert numbers(lot) == (7, 0, 5)
    assert village.batch(lot).left_units == 7
    event = db.session.scalars(select(Event).where(Event.kind == "dispatch")).one()
    assert event.parts[0].units == 5
    steps.deliver(seller, order.id)
    done = order_of(placed.token)
    assert [step.what for step in done.steps] == ["placed", "confirmed", "picked", "dispatched", "paid", "delivered"]
    assert [step.what for step in done.steps if step.member_id is None] == ["placed", "paid"]
    assert faults() == []


def test_a_dispatch_that_the_ledger_refuses_sells_nothing(village: Village) -> None:
    lot = shelve(village, 5, lot="LE")  # a batch that the ledger has only two of
    with write() as session:
        session.get_one(Batch, lot).left_units = 2
    order = order_of(place(village.product("packs", 500), 3).token)
    seller = village.actor("seller")
    steps.confirm(seller, order.id)
    steps.pick(seller, order.id)
    with pytest.raises(Conflict):
        steps.dispatch(seller, order.id)
    assert order_of(order.token).status is Status.PICKED
    assert numbers(lot) == (2, 3, 0)


def test_of_two_sellers_at_once_one_wins_and_the_other_is_told(app: Flask, village: Village) -> None:
    shelve(village, 5, lot="HAI")
    order_id = order_of(place(village.product("packs", 500), 1).token).id
    seller = village.actor("seller")
    results = at_once(app, 6, lambda: steps.confirm(seller, order_id).status)
    lost = [result for result in results if isinstance(result, Conflict)]
    assert results.count(Status.CONFIRMED) == 1
    assert len(lost) == 5
    assert lost[0].details["order_status"] == "confirmed"
    assert "Người Bán" in str(lost[0])


def test_a_cancellation_and_a_confirmation_at_once_leave_one_of_them(app: Flask, village: Village) -> None:
    lot = shelve(village, 5, lot="DUA")
    placed = place(village.product("packs", 500), 4)
    order_id = order_of(placed.token).id
    seller = village.actor("seller")
    acts: list[Callable[[], Order]] = [
        lambda: steps.cancel_by_buyer(placed.token),
        lambda: steps.confirm(seller, order_id),
    ] * 3
    results = at_once(app, 6, lambda: acts.pop()().status)
    assert sum(isinstance(result, Status) for result in results) == 1
    cancelled = order_of(placed.token).status is Status.CANCELLED
    assert numbers(lot) == ((5, 0, 0) if cancelled else (1, 4, 0))


def test_cancelling_gives_back_exactly_what_was_held_and_only_once(village: Village) -> None:
    lots = [shelve(village, 3, lot="A", days=10), shelve(village, 9, lot="B", days=20)]
    product = village.product("packs", 500)
    kept, dropped = place(product, 2), place(product, 5)
    seller = village.actor("seller")
    assert [numbers(lot) for lot in lots] == [(0, 3, 0), (5, 4, 0)]
    steps.cancel(seller, order_of(dropped.token).id, "Người mua gọi lại, không lấy nữa")
    assert [numbers(lot) for lot in lots] == [(1, 2, 0), (9, 0, 0)]
    with pytest.raises(Conflict, match="đã huỷ"):
        steps.cancel(seller, order_of(dropped.token).id, "lần nữa")
    assert order_of(kept.token).status is Status.PLACED
    assert faults() == []


def test_the_buyer_may_cancel_until_somebody_has_begun(village: Village) -> None:
    lot = shelve(village, 5, lot="A")
    placed = place(village.product("packs", 500), 2)
    steps.confirm(village.actor("seller"), order_of(placed.token).id)
    with pytest.raises(Conflict) as told:
        steps.cancel_by_buyer(placed.token)
    assert "Người Bán" not in str(told.value), "a buyer is not told a member's name"
    assert numbers(lot) == (3, 2, 0)
    with pytest.raises(NotFound):
        steps.cancel_by_buyer("x" * 32)


def test_steps_cannot_be_skipped_or_taken_twice(village: Village) -> None:
    shelve(village, 5, lot="A")
    order_id = order_of(place(village.product("packs", 500), 1).token).id
    seller = village.actor("seller")
    for early in (steps.pick, steps.dispatch, steps.deliver):
        with pytest.raises(Conflict):
            early(seller, order_id)
    steps.confirm(seller, order_id)
    for wrong in (steps.confirm, steps.dispatch, steps.deliver):
        with pytest.raises(Conflict):
            wrong(seller, order_id)


def test_only_sellers_and_the_office_work_on_orders(village: Village) -> None:
    shelve(village, 5, lot="A")
    order_id = order_of(place(village.product("packs", 500), 1).token).id
    for username in ("producer", "auditor"):
        who = village.actor(username)
        for act in (steps.confirm, steps.pick, steps.reallocate, steps.dispatch, steps.deliver, steps.by_id):
            with pytest.raises(Forbidden):
                act(who, order_id)
        with pytest.raises(Forbidden):
            steps.cancel(who, order_id, "không được")
        with pytest.raises(Forbidden):
            steps.set_buyer(who, order_id, BUYER)
    assert steps.confirm(village.actor("office"), order_id).status is Status.CONFIRMED
    with pytest.raises(NotFound):
        steps.confirm(village.actor("seller"), uuid7())


def test_a_lot_that_was_recalled_after_the_order_is_changed_for_another_when_picked(village: Village) -> None:
    bad, good = shelve(village, 5, lot="HONG", days=10), shelve(village, 5, lot="TOT", days=20)
    placed = place(village.product("packs", 500), 4)
    order_id = order_of(placed.token).id
    seller = village.actor("seller")
    steps.confirm(seller, order_id)
    hold(bad, "recalled")
    picked = steps.pick(seller, order_id)
    assert [(part.lot, part.units) for line in picked.lines for part in line.allocations] == [("TOT", 4)]
    assert (numbers(bad), numbers(good)) == ((5, 0, 0), (1, 4, 0))
    assert [step.what for step in order_of(placed.token).steps] == ["placed", "confirmed", "picked", "reallocated"]
    assert faults() == []


def test_without_another_lot_a_recalled_one_is_neither_picked_nor_sent(village: Village) -> None:
    bad = village.packs(units=12)
    placed = place(village.product("packs", 500), 4)
    order_id = order_of(placed.token).id
    seller = village.actor("seller")
    steps.confirm(seller, order_id)
    hold(bad, "held")
    with pytest.raises(Conflict, match="giữ lại"):
        steps.pick(seller, order_id)
    hold(bad, "none")
    steps.pick(seller, order_id)
    hold(bad, "recalled")
    with pytest.raises(Conflict, match="giữ lại"):
        steps.dispatch(seller, order_id)
    assert order_of(placed.token).status is Status.PICKED
    assert numbers(bad) == (8, 4, 0)
    shelve(village, 4, lot="MOI")
    assert steps.reallocate(seller, order_id).status is Status.CONFIRMED
    assert numbers(bad) == (12, 0, 0)
    assert faults() == []


def test_the_same_key_is_one_order_however_often_it_is_sent(app: Flask, village: Village) -> None:
    lot = shelve(village, 3, lot="A")
    product = village.product("packs", 500)
    results = at_once(app, 6, lambda: place(product, 2, key="mot-lan"))
    answers = [result for result in results if isinstance(result, services.Placed)]
    assert len(answers) == 6, results
    assert all(answer.answer == answers[0].answer for answer in answers)
    assert [answer.again for answer in answers].count(False) == 1
    assert (numbers(lot), count(Order)) == ((1, 2, 0), 1)
    with pytest.raises(Conflict, match="mã mới") as told:
        place(product, 1, key="mot-lan")
    assert told.value.slug == "idempotency-key-reused"


@pytest.mark.parametrize("key", [None, "", " ", "có dấu", "x" * 101, "a\nb"])
def test_a_key_is_visible_ascii_of_bounded_length(village: Village, key: str | None) -> None:
    with pytest.raises(SoiError) as told:
        services.place(None, [], BUYER, channel="api", idempotency_key=key)
    assert told.value.status == 400


@pytest.mark.parametrize("quantity", [0, -1, 100, 10**30, True, 1.0, "2", None])
def test_a_quantity_is_a_whole_number_from_1_to_99(village: Village, quantity: Any) -> None:
    shelve(village, 5, lot="A")
    with pytest.raises(BadInput) as told:
        place(village.product("packs", 500), quantity)
    assert told.value.field == "lines.0.quantity"
    assert count(Order) == 0


def test_lines_of_one_product_are_added_up(village: Village) -> None:
    shelve(village, 99, lot="A")
    shelve(village, 99, lot="B")
    gtin = village.product("packs", 500).gtin
    answer = services.place(None, [(gtin, 3), (gtin, 4)], BUYER, channel="api", idempotency_key="a").answer
    assert [line["quantity"] for line in answer["lines"]] == [7]
    with pytest.raises(BadInput):
        services.place(None, [(gtin, 60), (gtin, 60)], BUYER, channel="api", idempotency_key="b")


def test_a_thousand_lines_an_empty_order_and_strangers_are_refused(village: Village) -> None:
    gtin = village.product("packs", 500).gtin
    tubers = village.product("tuber").gtin
    for lines, slug in (
        ([(gtin, 1)] * 1000, "too-many-lines"),
        ([], "no-lines"),
        ([("09506000999999", 1)], "unknown-gtin"),
        ([(tubers, 1)], "unknown-gtin"),
        ([("' OR 1=1 --", 1)], "unknown-gtin"),
        ([("", 1)], "unknown-gtin"),
    ):
        with pytest.raises(BadInput) as told:
            services.place(None, lines, BUYER, channel="api", idempotency_key=uuid7())
        assert told.value.slug == slug


def test_a_price_that_changed_meanwhile_is_told_before_anything_is_ordered(village: Village) -> None:
    lot = shelve(village, 5, lot="A")
    product = village.product("packs", 500)
    with pytest.raises(Conflict, match="Giá vừa đổi"):
        services.place(
            None, [(product.gtin, 1)], BUYER, channel="web", idempotency_key="k", expected_total=1
        )
    assert numbers(lot) == (5, 0, 0)


@pytest.mark.parametrize(
    ("name", "phone", "address", "field"),
    [
        ("Lò Văn \u202eiàr", "0912345678", "Hà Nội", "buyer.name"),
        ("\u0301\u0301\u0301", "0912345678", "Hà Nội", "buyer.name"),
        ("x" * 121, "0912345678", "Hà Nội", "buyer.name"),
        ("Thử", "12", "Hà Nội", "buyer.phone"),
        ("Thử", "0912345678", "", "buyer.address"),
        ("Thử", "0912345678", "x" * 301, "buyer.address"),
        (None, "0912345678", "Hà Nội", "buyer.name"),
    ],
)
def test_a_buyer_whom_nothing_can_be_sent_to_is_refused(
    village: Village, name: Any, phone: Any, address: Any, field: str
) -> None:
    with pytest.raises(BadInput) as told:
        services.clean_buyer(name, phone, address, "buyer.")
    assert told.value.field == field


def test_one_number_has_one_spelling(village: Village) -> None:
    for typed in ("0912 345 678", "+84 912345678", "84912345678", "(0912) 345-678"):
        assert services.clean_buyer("Thử", typed, "Hà Nội").phone == "+84912345678"


def test_numbers_are_short_readable_and_tokens_unguessable(village: Village) -> None:
    shelve(village, 9, lot="A")
    answers = [place(village.product("packs", 500), 1).answer for _ in range(5)]
    assert len({answer["number"] for answer in answers}) == 5
    for answer in answers:
        assert answer["number"].startswith("BL-")
        assert set(answer["number"][3:]) <= set(READABLE)
        assert len(answer["token"]) >= 32


def test_a_livestream_order_grows_shrinks_and_learns_its_buyer(village: Village) -> None:
    shelve(village, 9, lot="A", days=5)
    lot = shelve(village, 9, lot="B", days=9)
    product = village.product("packs", 500)
    with write() as session:
        order = services.place_in(
            session, [Wanted(product.id, 8, 50_000)], Buyer(), channel="live",
            live_session_id=uuid7(), live_author="lan",
        )
        services.add_lines_in(session, order, [Wanted(product.id, 3, 50_000)])
    assert (order.total, numbers(lot)) == (550_000, (7, 2, 0))
    with write() as session:
        services.set_quantity_in(session, session.get_one(Order, order.id), product.id, 10)
    assert numbers(lot) == (8, 1, 0)
    seller = village.actor("seller")
    with pytest.raises(Conflict, match="chưa đủ tên"):
        steps.confirm(seller, order.id)
    steps.set_buyer_by_token(order.token, BUYER)
    with pytest.raises(BadInput):
        steps.set_buyer_by_token(order.token, Buyer("Kẻ Lạ", "+84912345679", "Chỗ khác"))
    assert steps.confirm(seller, order.id).buyer_name == BUYER.name
    with write() as session, pytest.raises(Conflict):
        services.add_lines_in(session, session.get_one(Order, order.id), [Wanted(product.id, 1)])
    assert faults() == []


def test_what_fails_inside_a_longer_transaction_undoes_itself_alone(village: Village) -> None:
    lot = shelve(village, 5, lot="A")
    product, other = village.product("packs", 500), village.product("packs", 1000)
    with write() as session:
        first = services.place_in(session, [Wanted(product.id, 2)], Buyer(), channel="live")
        with pytest.raises(OutOfStock) as told:
            services.place_in(session, [Wanted(product.id, 2), Wanted(other.id, 1)], Buyer(), channel="live")
        assert {left["gtin"]: left["available"] for left in told.value.details["available"]} == {
            product.gtin: 3, other.gtin: 0,
        }  # fmt: skip
        with pytest.raises(OutOfStock):
            services.add_lines_in(session, first, [Wanted(product.id, 9)])
        services.set_quantity_in(session, first, product.id, 3)
    assert (numbers(lot), count(Order)) == ((2, 3, 0), 1)
    with write() as session:
        gone = services.set_quantity_in(session, session.get_one(Order, first.id), product.id, 0)
    assert gone.status is Status.CANCELLED
    assert numbers(lot) == (5, 0, 0)
    assert (count(Allocation), count(OrderLine)) == (0, 1)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(("place", "more", "less", "cancel", "confirm", "pick")), st.integers(1, 5))))
def test_in_no_sequence_does_money_or_stock_appear_or_vanish(village: Village, acts: list[tuple[str, int]]) -> None:
    product = village.product("packs", 1000)
    lot = shelve(village, 10, lot=uuid7()[:18], net=1000)
    seller = village.actor("seller")
    ids: list[str] = []
    for what, units in acts:
        if what != "place" and not ids:
            continue
        try:
            with write() as session:
                order = session.get_one(Order, ids[units % len(ids)]) if ids else None
                if what == "place" or order is None:
                    ids.append(services.place_in(session, [Wanted(product.id, units)], BUYER, channel="web").id)
                elif what == "more":
                    services.add_lines_in(session, order, [Wanted(product.id, units)])
                elif what == "less":
                    services.set_quantity_in(session, order, product.id, units - 1)
                elif what == "cancel":
                    services.cancel_in(session, order.id)
            if what in ("confirm", "pick"):
                (steps.confirm if what == "confirm" else steps.pick)(seller, ids[units % len(ids)])
        except (OutOfStock, Conflict, BadInput):
            pass
    assert faults() == []
    orders = [db.session.get_one(Order, order_id) for order_id in ids]
    held = sum(line.quantity for order in orders if order.status is not Status.CANCELLED for line in order.lines)
    assert numbers(lot) == (10 - held, held, 0)
    for order in (db.session.get_one(Order, order_id) for order_id in ids):
        assert order.total == sum(line.quantity * product.price for line in order.lines if product.price)
        for line in order.lines:
            taken = sum(part.units for part in line.allocations)
            assert taken == (0 if order.status is Status.CANCELLED else line.quantity)
    with write() as session:
        for order_id in ids:
            if session.get_one(Order, order_id).status is not Status.CANCELLED:
                services.cancel_in(session, order_id)
        batch = session.get_one(Batch, lot)
        batch.void = True
        signals.batch_changed.send(None, session=session, batch=batch)
