"""A period is closed once and stays as it was; what changes later counts in the next; everybody sees her own."""

import datetime as dt
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from shop.delivery.models import Shipment
from shop.orders.models import Order
from shop.orders.money import pay_in
from shop.settlement import rules, services, statements, weighing
from shop.settlement.models import (
    Settlement,
    SettlementHousehold,
    SettlementLot,
    SettlementOrder,
    SettlementPayout,
)
from shop.settlement.sharing import LotPart
from tests.conftest import browser
from tests.shop.combining import combine
from tests.shop.hands import at_once
from tests.shop.hands import statements as counted
from tests.shop.settling import NOVEMBER, NOW, PACK, agreed, back, close, day, household, left, lot_of, sold
from tests.shop.working import order, ordered, pay, refund
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound, SoiError
from village.forms import Form


@pytest.fixture(autouse=True)
def december() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


def in_november(act: Callable[[], str]) -> str:
    with clock.fixed(day("2026-11-20")):
        return act()


def share(period: Settlement, name: str) -> SettlementHousehold:
    db.session.rollback()
    return db.session.get_one(SettlementHousehold, (period.id, household(name).id))


def refused(slug: str, act: Callable[[], Any]) -> None:
    with pytest.raises(SoiError) as caught:
        act()
    assert caught.value.slug == slug
    db.session.rollback()


@pytest.fixture
def lots(village: Village) -> tuple[str, str]:
    """Ten packs of each household; those of household A go first."""
    return lot_of(village, "Hộ A", "A", units=10, days=100), lot_of(village, "Hộ B", "B", units=10, days=200)


def test_each_household_is_paid_for_the_packs_of_its_lots(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    in_november(lambda: sold(village, 12, fee=30_000, carrier=18_000))
    period = close(village)
    assert (period.number, period.first, period.last) == (1, dt.date(2026, 11, 20), NOVEMBER)
    assert share(period, "Hộ A").due == 10 * PACK * 9 // 10 + 10_000
    assert share(period, "Hộ B").due == 2 * PACK * 9 // 10 + 2_000
    _, sums = services.settlement_of(village.actor("auditor"), period.id)
    assert (sums.received, sums.carrier, sums.cooperative, sums.held) == (12 * PACK + 30_000, 18_000, 72_000, 0)
    assert sums.households == share(period, "Hộ A").due + share(period, "Hộ B").due
    told = statements.closed(village.actor("producer-b"), period.id, household("Hộ B").id)
    assert [(line.lot, line.part) for line in told.lines] == [("B", LotPart(2, 2 * PACK, 12_000, 0, 2_000, 0))]


def test_orders_after_the_last_day_and_money_that_has_not_come_wait_for_the_next_period(
    village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)
    in_november(lambda: sold(village, 1))
    unpaid = in_november(lambda: sold(village, 2, paid=False))
    with clock.fixed(day("2026-12-01")):
        sold(village, 3)
    found = services.opened(village.actor("office"), NOVEMBER).weighed
    assert found is not None
    assert (found.awaited, found.received) == (1, PACK)
    first = close(village)
    assert share(first, "Hộ A").net == PACK * 9 // 10
    pay(unpaid, 2 * PACK)
    second = close(village, dt.date(2026, 12, 9))
    assert (second.number, second.first) == (2, dt.date(2026, 12, 1))
    assert share(second, "Hộ A").net == 5 * PACK * 9 // 10


def test_money_back_after_the_closing_is_taken_off_in_the_next_period_and_what_is_owed_is_carried(
    village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)
    order_id = in_november(lambda: sold(village, 4))
    first = close(village)
    before = share(first, "Hộ A").due
    back(order_id, 4)
    refund(order_id, 4 * PACK)
    second = close(village, dt.date(2026, 12, 5))
    assert share(second, "Hộ A").net == -before
    assert (share(second, "Hộ A").due, share(second, "Hộ A").carried) == (0, -before)
    with clock.fixed(day("2026-12-06")):
        sold(village, 6)
    third = close(village, dt.date(2026, 12, 9))
    assert share(third, "Hộ A").brought == -before
    assert share(third, "Hộ A").due == 6 * PACK * 9 // 10 - before
    assert share(first, "Hộ A").due == before


def test_a_household_that_owes_and_sells_nothing_goes_on_owing(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    order_id = in_november(lambda: sold(village, 1))
    close(village)
    refund(order_id, PACK)
    second = close(village, dt.date(2026, 12, 1))
    third = close(village, dt.date(2026, 12, 2))
    assert share(third, "Hộ A").brought == share(second, "Hộ A").carried == -PACK * 9 // 10


def test_money_for_packs_that_have_not_left_is_held_and_then_shared_out(
    village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)

    def paid_ahead() -> str:
        order_id = ordered(village.product("packs", 500), 2)
        pay(order_id, 2 * PACK)
        return order_id

    order_id = in_november(paid_ahead)
    first = close(village)
    _, sums = services.settlement_of(village.actor("office"), first.id)
    assert (sums.received, sums.held, sums.households) == (2 * PACK, 2 * PACK, 0)
    left(order_id)
    second = close(village, dt.date(2026, 12, 3))
    _, sums = services.settlement_of(village.actor("office"), second.id)
    assert (sums.received, sums.held, sums.cooperative, sums.households) == (0, -2 * PACK, 12_000, 108_000)


def test_a_bundle_is_shared_out_by_what_its_parts_cost_when_it_was_ordered(village: Village) -> None:
    small, large = village.product("packs", 500), village.product("packs", 1000)
    lot_of(village, "Hộ A", "A")
    lot_of(village, "Hộ B", "B", net=1000)
    agreed(village, share="0")
    with clock.fixed(day("2026-11-01")):
        bundle = combine(village, (small, 2), (large, 1), price=200_000)
    in_november(lambda: sold(village, 3, product=bundle))
    period = close(village)
    # Two packs at 60.000 weigh as much as one at 120.000.
    assert share(period, "Hộ A").due == share(period, "Hộ B").due == 300_000


def test_a_closed_period_cannot_be_changed_in_the_database(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    in_november(lambda: sold(village, 2))
    period = close(village)
    services.pay(village.actor("office"), period.id, household("Hộ A").id, "VCB 123")
    for table in ("settlement", "settlement_order", "settlement_lot", "settlement_household", "settlement_payout"):
        column = "number" if table == "settlement" else "amount" if table == "settlement_payout" else "settlement_id"
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="only added to"), write() as session:
                session.execute(text(statement))


def test_the_database_refuses_an_order_whose_parts_do_not_sum_up(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    order_id = in_november(lambda: sold(village, 2))
    period = close(village)
    other = sold(village, 1)
    row = db.session.get_one(SettlementOrder, (period.id, order_id))
    figures = {column.name: getattr(row, column.name) for column in SettlementOrder.__table__.columns}
    with pytest.raises(DatabaseError, match="zero_sum"), write() as session:
        session.add(SettlementOrder(**{**figures, "order_id": other, "held": figures["held"] + 1}))


def test_what_is_closed_is_what_was_seen(village: Village, lots: tuple[str, str]) -> None:
    office = village.actor("office")
    in_november(lambda: sold(village, 2))
    refused("no-rule", lambda: services.close(office, NOVEMBER, 0))
    agreed(village)
    refused("books-moved", lambda: services.close(office, NOVEMBER, 1))
    refused("period-not-over", lambda: services.close(office, clock.today(), 108_000))
    close(village)
    refused("period-closed", lambda: services.close(office, NOVEMBER, 0))
    assert db.session.scalar(select(func.count()).select_from(Settlement)) == 1


def test_money_that_is_heard_of_after_the_closing_counts_whatever_day_it_bears(
    village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)
    order_id = in_november(lambda: sold(village, 2, paid=False))
    close(village)
    with write() as session:  # a statement read in December tells of a transfer in November
        pay_in(session, session.get_one(Order, order_id), 2 * PACK, day("2026-11-21"))
    assert order(order_id).steps[-1].at == day("2026-11-21")
    second = close(village, dt.date(2026, 12, 5))
    assert share(second, "Hộ A").net == 2 * PACK * 9 // 10


def test_a_parcels_fee_that_comes_after_the_closing_counts(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    order_id = in_november(lambda: sold(village, 2))
    first = close(village)
    with write() as session:
        session.scalars(select(Shipment).where(Shipment.order_id == order_id)).one().fee = 9_000
    second = close(village, dt.date(2026, 12, 5))
    assert share(second, "Hộ A").net == -9_000
    assert share(first, "Hộ A").net == 2 * PACK * 9 // 10


def test_what_changed_while_a_period_was_weighed_is_weighed_anew_and_nothing_else(
    village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)
    own = village.actor("office").cooperative_id
    still, moves = [in_november(lambda: sold(village, 2)) for _ in range(2)]
    unpaid = in_november(lambda: sold(village, 1, paid=False))
    begun = weighing.draft(db.session(), own, NOVEMBER)
    assert begun is not None and set(begun.told) == {still, moves}
    db.session.rollback()
    refund(moves, PACK)
    pay(unpaid, PACK)
    with write() as session:
        again = weighing.renewed(session, begun)
    assert again is not None and again.told == known(weighing.draft(db.session(), own, NOVEMBER)).told
    assert again.told[still] is begun.told[still], "it was not read again"
    assert again.told[moves].part.received == PACK
    with write() as session:
        assert known(weighing.renewed(session, again)).told == again.told


def test_what_was_weighed_by_another_rule_or_before_another_closing_is_not_closed(
    village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)
    own = village.actor("office").cooperative_id
    in_november(lambda: sold(village, 2))
    begun = known(weighing.draft(db.session(), own, NOVEMBER))
    agreed(village, share="20")
    with write() as session:
        assert weighing.renewed(session, begun) is None
    begun = known(weighing.draft(db.session(), own, NOVEMBER))
    close(village, dt.date(2026, 11, 25))
    with write() as session:
        assert weighing.renewed(session, begun) is None


def known(made: weighing.Draft | None) -> weighing.Draft:
    assert made is not None
    return made


def test_two_offices_that_close_at_once_close_once(app: Flask, village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    in_november(lambda: sold(village, 2))
    office = village.actor("office")
    answers = at_once(app, 4, lambda: services.close(office, NOVEMBER, 108_000))
    assert sorted(type(one).__name__ for one in answers) == ["Conflict"] * 3 + ["Settlement"]
    db.session.rollback()
    assert db.session.scalar(select(func.sum(SettlementLot.net))) == 108_000


def test_a_household_is_paid_once_and_only_what_is_due(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    in_november(lambda: sold(village, 2))
    period = close(village)
    office, ours = village.actor("office"), household("Hộ A").id
    assert services.pay(office, period.id, ours, " VCB  123 ").reference == "VCB 123"
    refused("paid-already", lambda: services.pay(office, period.id, ours, ""))
    refused("no-settlement", lambda: services.pay(office, period.id, household("Hộ B").id, ""))
    refused("no-settlement", lambda: services.pay(village.actor("office-other"), period.id, ours, ""))
    refused("wrong-role", lambda: services.pay(village.actor("seller"), period.id, ours, ""))
    assert db.session.scalar(select(func.sum(SettlementPayout.amount))) == 108_000


def test_a_rule_of_a_later_day_does_not_touch_older_orders(village: Village, lots: tuple[str, str]) -> None:
    agreed(village, share="10")
    agreed(village, share="20")
    order_id = in_november(lambda: sold(village, 2))
    close(village)
    form = {"share": "50", "card_fee": "0", "costs_by": "cooperative", "refunds_by": "cooperative"}
    office = village.actor("office")
    refused("rule-in-the-past", lambda: rules.set_rule(office, Form({**form, "starts_on": "2026-12-10"})))
    rules.set_rule(office, Form({**form, "starts_on": "2026-12-11"}))
    back(order_id, 1)
    refund(order_id, PACK)
    with clock.fixed(day("2026-12-12")):
        sold(village, 1)
    with clock.fixed(day("2026-12-20")):
        second = close(village, dt.date(2026, 12, 19))
    assert share(second, "Hộ A").net == -PACK * 8 // 10 + PACK // 2


@pytest.mark.parametrize("typed", ["", "-1", "100,01", "101", "2,555", "1e3", "mười", "٣", "1 0"])
def test_a_share_that_is_no_per_cent_is_refused(typed: str) -> None:
    with pytest.raises(BadInput) as caught:
        rules.per_cent(typed, "share")
    assert (caught.value.slug, caught.value.field) == ("not-per-cent", "share")


def test_per_cent_may_have_a_comma_or_a_point() -> None:
    assert [rules.per_cent(one, "share") for one in ("0", "10", "2,5", "2.05", "100")] == [0, 1000, 250, 205, 10_000]


Deed = tuple[str, int]
deeds = st.lists(
    st.tuples(st.sampled_from(("sell", "owe", "pay", "back", "refund", "close")), st.integers(0, 5)), max_size=14
)


@hypothesis_settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds)
def test_over_many_periods_all_money_is_somewhere(app: Flask, village: Village, found: list[Deed]) -> None:
    # The examples follow each other in one village: each begins after the last period that was closed.
    db.session.rollback()
    periods = db.session.execute(select(func.count(), func.max(Settlement.last))).one()
    moment = day((periods[1] or NOVEMBER).isoformat()) + dt.timedelta(days=2)
    with clock.fixed(moment):
        lot_of(village, "Hộ A", f"A{periods[0]}", units=60)
        if not periods[0]:
            agreed(village, share="12,5")
    orders: list[str] = []
    before = _ledger()
    for what, number in found:
        moment += dt.timedelta(days=1)
        with clock.fixed(moment):
            _do(village, what, number, orders)
    with clock.fixed(moment + dt.timedelta(days=2)):
        close(village, clock.today() - dt.timedelta(days=1))
    assert _ledger() - before == sum(order(one).paid - order(one).refunded for one in orders)
    owed = db.session.scalar(select(func.sum(SettlementOrder.households))) or 0
    assert (db.session.scalar(select(func.sum(SettlementLot.net))) or 0) == owed
    due = func.sum(SettlementHousehold.due)
    last = select(func.max(Settlement.number)).scalar_subquery()
    carried = select(func.sum(SettlementHousehold.carried)).join(Settlement).where(Settlement.number == last)
    assert (db.session.scalar(select(due)) or 0) + (db.session.scalar(carried) or 0) == owed


def _ledger() -> int:
    db.session.rollback()
    it = SettlementOrder
    parts = it.carrier + it.provider + it.held + it.cooperative + it.households
    return int(db.session.scalar(select(func.coalesce(func.sum(parts), 0))) or 0)


def _do(village: Village, what: str, number: int, orders: list[str]) -> None:
    one = orders[number % len(orders)] if orders else None
    if what in ("sell", "owe"):
        orders.append(sold(village, 1 + number % 3, fee=number * 7_001, carrier=number * 5_003, paid=what == "sell"))
    elif what == "close":
        close(village, clock.today() - dt.timedelta(days=1))
    elif one is None:
        return
    elif what == "pay" and order(one).owed:
        pay(one, order(one).owed)
    elif what == "back":
        back(one, 1)
    elif what == "refund" and (rest := order(one).paid - order(one).refunded):
        refund(one, 1 + (number * 10_007) % rest)


def test_the_pages_of_a_period(village: Village, client: FlaskClient, lots: tuple[str, str]) -> None:
    village.sign_in(client, "office")
    page = client.get("/coop/settlements").get_data(as_text=True)
    assert "Ghi cách chia" in page
    wrong = client.post("/coop/settlements/rules", data={"share": "x"})
    assert wrong.status_code == 422
    assert "Viết phần trăm" in wrong.get_data(as_text=True)
    rule = {"share": "10", "card_fee": "2,5", "costs_by": "households", "refunds_by": "cooperative"}
    assert client.post("/coop/settlements/rules", data=rule).status_code == 303
    assert "10\u00a0%" in client.get("/coop/settlements/rules").get_data(as_text=True)
    in_november(lambda: sold(village, 12))
    page = client.get("/coop/settlements").get_data(as_text=True)
    assert "Chốt kỳ đến 30/11/2026" in page and "720.000" in page
    stale = client.post("/coop/settlements", data={"last": "2026-11-30", "owed": "1"})
    assert stale.status_code == 409
    closed = client.post("/coop/settlements", data={"last": "2026-11-30", "owed": "648000"})
    assert closed.status_code == 303
    where = closed.headers["Location"]
    page = client.get(where).get_data(as_text=True)
    assert "540.000" in page and "Chưa trả" in page
    ours = f"{where}/{household('Hộ A').id}"
    assert "540.000" in client.get(ours).get_data(as_text=True)
    assert client.post(f"{ours}/paid", data={"reference": "VCB 1"}).status_code == 303
    assert client.post(f"{ours}/paid", data={}).status_code == 409
    assert "Đã trả" in client.get(where).get_data(as_text=True)
    for path, holds in ((f"{where}.pdf", "108.000"), (f"{ours}.pdf", "VCB 1")):
        answer = client.get(path)
        assert answer.mimetype == "application/pdf"
        paper = "".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages)
        assert holds in paper.replace("\u00a0", " ")


def test_a_producer_reads_her_own_household_and_no_other(app: Flask, village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    in_november(lambda: sold(village, 2))
    period = close(village)
    sold(village, 1)
    hers, other, stranger = browser(app), browser(app), browser(app)
    village.sign_in(hers, "producer")
    village.sign_in(other, "producer-b")
    village.sign_in(stranger, "producer-other")
    page = hers.get("/settlement").get_data(as_text=True)
    assert "54.000" in page and "108.000" in page
    assert "108.000" in hers.get(f"/settlement/{period.id}").get_data(as_text=True)
    assert hers.get(f"/settlement/{period.id}.pdf").data.startswith(b"%PDF")
    for client in (other, stranger):
        assert client.get(f"/settlement/{period.id}").status_code == 404
        assert client.get(f"/settlement/{period.id}.pdf").status_code == 404
    assert hers.get(f"/coop/settlements/{period.id}").status_code == 403
    refused("no-settlement", lambda: statements.closed(village.actor("seller"), period.id, household("Hộ A").id))


def test_only_the_cooperatives_own_office_closes_pays_and_sets_rules(
    app: Flask, village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)
    in_november(lambda: sold(village, 2))
    period = close(village)
    where = f"/coop/settlements/{period.id}"
    ours = f"{where}/{household('Hộ A').id}"
    rule = {"share": "99", "card_fee": "0", "costs_by": "households", "refunds_by": "households"}
    rule["starts_on"] = "2027-01-01"
    for who, denied in (("seller", 403), ("producer", 403), ("office-other", 404), ("auditor", 200), ("", 302)):
        client = browser(app)
        if who:
            village.sign_in(client, who)
        for path in (where, ours, f"{ours}.pdf", f"{where}.pdf"):
            assert client.get(path).status_code == denied, (who, path)
        client.post(f"{ours}/paid", data={"reference": "x"})
        client.post("/coop/settlements/rules", data=rule)
        client.post("/coop/settlements", data={"last": "2026-12-09", "owed": "0"})
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(SettlementPayout)) == 0
    own = village.actor("office").cooperative_id
    assert db.session.scalars(select(Settlement.id).where(Settlement.cooperative_id == own)).all() == [period.id]
    assert len(rules.rules_of(village.actor("office"))) == 1


def test_the_office_of_another_cooperative_sees_nothing_of_ours(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    in_november(lambda: sold(village, 2))
    period = close(village)
    other = village.actor("office-other")
    with pytest.raises(NotFound):
        services.settlement_of(other, period.id)
    assert services.settlements_of(other) == []
    form = {"share": "0", "card_fee": "0", "costs_by": "households", "refunds_by": "households"}
    rules.set_rule(other, Form(form))
    found = services.opened(other, NOVEMBER).weighed
    assert found is not None and not found.told and not found.balances


def test_the_open_period_takes_as_many_statements_for_many_orders_as_for_one(
    village: Village, lots: tuple[str, str]
) -> None:
    agreed(village)
    office = village.actor("office")

    def weigh() -> int:
        db.session.rollback()
        with counted() as seen:
            services.opened(office, NOVEMBER)
        return len(seen)

    in_november(lambda: sold(village, 1))
    few = weigh()
    for _ in range(6):
        in_november(lambda: sold(village, 1))
    assert weigh() == few


def test_a_conflict_leaves_nothing_behind(village: Village, lots: tuple[str, str]) -> None:
    agreed(village)
    in_november(lambda: sold(village, 2))
    with pytest.raises(Conflict):
        services.close(village.actor("office"), NOVEMBER, 0)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(SettlementOrder)) == 0
