"""Packs are sold once, first expiry first, and only as many as the ledger says were packed."""

import datetime as dt

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from shop.orders.services import Wanted, place_in
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from shop.stock.models import StockLot
from shop.stock.services import Part
from tests.shop.hands import BUYER, at_once, faults, numbers, place, row, shelve
from tests.support.village import Village
from trace import signals
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.errors import Conflict


def reserve(product_id: str, units: int) -> list[Part]:
    with write() as session:
        return stock.reserve(session, product_id, units)


def free(product_id: str) -> int:
    return stock.available(db.session(), [product_id])[product_id]


def test_what_the_ledger_packed_is_on_the_shelf(village: Village) -> None:
    lot = village.packs(units=12)
    assert numbers(lot) == (12, 0, 0)
    assert row(lot).best_before == village.batch(lot).best_before
    assert faults() == []


def test_what_is_weighed_and_not_packed_is_never_sold(village: Village) -> None:
    noodles = village.made("harvest", "tuber", 50_000)
    assert db.session.get(StockLot, noodles) is None


def test_a_pack_cannot_be_sold_twice(app: Flask, village: Village) -> None:
    lot = shelve(village, 5, lot="DUA")
    product_id = village.product("packs", 500).id
    results = at_once(app, 20, lambda: reserve(product_id, 1))
    assert sum(isinstance(result, list) for result in results) == 5
    assert [r for r in results if not isinstance(r, list | OutOfStock)] == []
    assert numbers(lot) == (0, 5, 0)


def test_a_race_over_several_lots_and_products_oversells_nothing_and_locks_nobody_out(
    app: Flask, village: Village
) -> None:
    lots = [shelve(village, 4, lot=f"NHO{n}", days=30 + n) for n in range(3)]
    lots += [shelve(village, 5, lot=f"TO{n}", net=1000, days=30 + n) for n in range(2)]
    small, big = village.product("packs", 500), village.product("packs", 1000)
    order = [0]

    def buy() -> str:
        order[0] += 1
        lines = [Wanted(small.id, 2), Wanted(big.id, 1)]
        with write() as session:
            return place_in(session, lines if order[0] % 2 else lines[::-1], BUYER, channel="api").id

    results = at_once(app, 12, buy)
    assert sum(isinstance(result, str) for result in results) == 6
    assert sum(isinstance(result, OutOfStock) for result in results) == 6
    assert [numbers(lot) for lot in lots] == [(0, 4, 0), (0, 4, 0), (0, 4, 0), (0, 5, 0), (4, 1, 0)]
    assert faults() == []


def test_what_expires_first_leaves_first_and_what_keeps_for_ever_last(village: Village) -> None:
    shelve(village, 5, lot="MAI", days=None)
    shelve(village, 3, lot="SAU", days=90)
    shelve(village, 2, lot="TRUOC", days=10)
    parts = reserve(village.product("packs", 500).id, 7)
    assert [(part.lot, part.units) for part in parts] == [("TRUOC", 2), ("SAU", 3), ("MAI", 2)]


def test_all_or_none_is_reserved(village: Village) -> None:
    lots = [shelve(village, 2, lot="A"), shelve(village, 2, lot="B")]
    product = village.product("packs", 500)
    with write() as session:
        with pytest.raises(OutOfStock) as told:
            stock.reserve(session, product.id, 5)
        assert told.value.details["available"] == [{"gtin": product.gtin, "available": 4}]
    assert [numbers(lot) for lot in lots] == [(2, 0, 0), (2, 0, 0)]


def test_a_lot_on_hold_or_past_its_day_is_not_sold(village: Village) -> None:
    shelve(village, 5, lot="GIU", hold="held")
    shelve(village, 5, lot="THUHOI", hold="recalled")
    shelve(village, 5, lot="QUA", days=-1)
    shelve(village, 1, lot="NAY", days=0)
    product_id = village.product("packs", 500).id
    assert free(product_id) == 1
    assert [part.lot for part in reserve(product_id, 1)] == ["NAY"]
    with pytest.raises(OutOfStock):
        reserve(product_id, 1)


def test_a_hold_stops_the_sale_at_once_and_its_end_lets_it_go_on(village: Village) -> None:
    lot = shelve(village, 5, lot="GIU")
    product_id = village.product("packs", 500).id
    for hold, left in (("recalled", 0), ("none", 5)):
        with write() as session:
            batch = session.get_one(Batch, lot)
            batch.hold = hold  # type: ignore[assignment]  # one of the two
            signals.holds_changed.send(None, session=session, batches=[batch])
        assert free(product_id) == left


def test_packs_that_left_otherwise_are_gone_and_promised_ones_cannot_leave(village: Village) -> None:
    lot = shelve(village, 5, lot="LE")
    reserve(village.product("packs", 500).id, 3)

    def leave(units: int) -> None:
        with write() as session:
            signals.units_left.send(None, session=session, batch=session.get_one(Batch, lot), units=units)

    leave(2)
    assert numbers(lot) == (0, 3, 2)
    with pytest.raises(Conflict, match="người đặt"):
        leave(1)
    leave(-2)
    assert numbers(lot) == (2, 3, 0)
    with pytest.raises(Conflict):
        leave(-1)
    assert numbers(lot) == (2, 3, 0)


def test_a_correction_moves_the_shelf_but_not_below_what_was_promised(village: Village) -> None:
    lot = shelve(village, 5, lot="SUA")
    reserve(village.product("packs", 500).id, 3)

    def correct(units: int, void: bool = False) -> None:
        with write() as session:
            batch = session.get_one(Batch, lot)
            batch.made_units = batch.left_units = units
            batch.void = void
            signals.batch_changed.send(None, session=session, batch=batch)

    correct(4)
    assert numbers(lot) == (1, 3, 0)
    for units, void in ((2, False), (4, True)):
        with pytest.raises(Conflict):
            correct(units, void)
    assert numbers(lot) == (1, 3, 0)
    assert village.batch(lot).made_units == 4


def test_a_void_batch_leaves_the_shelf(village: Village) -> None:
    lot = shelve(village, 5, lot="HUY")
    with write() as session:
        batch = session.get_one(Batch, lot)
        batch.void = True
        signals.batch_changed.send(None, session=session, batch=batch)
    assert numbers(lot) == (0, 0, 0)
    assert free(village.product("packs", 500).id) == 0


def test_the_table_itself_refuses_to_oversell(village: Village) -> None:
    lot = shelve(village, 5, lot="CHAN")
    for values in ({"reserved": 6}, {"sold": -1}, {"reserved": 3, "sold": 3}, {"packed": -1}):
        with pytest.raises(IntegrityError), write() as session:
            session.execute(update(StockLot).where(StockLot.batch_id == lot).values(**values))
    assert numbers(lot) == (5, 0, 0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("reserve", "release", "sell", "leave")), st.integers(1, 9), st.integers(0, 30)),
        max_size=14,
    )
)
def test_no_sequence_makes_packs_appear_or_vanish(village: Village, steps: list[tuple[str, int, int]]) -> None:
    tag = clock.now().strftime("%H%M%S%f")
    lots = {shelve(village, units, lot=f"{tag}-{units}", net=1000, days=units): units for units in (7, 4, 10)}
    product_id = village.product("packs", 1000).id
    held: list[list[Part]] = []
    reserved = sold = 0
    with write() as session:
        for what, units, which in steps:
            if what == "reserve":
                try:
                    held.append(stock.reserve(session, product_id, units))
                    reserved += units
                except OutOfStock:
                    assert units > 21 - reserved - sold
            elif what == "leave":
                batch = session.get_one(Batch, list(lots)[which % 3])
                try:
                    signals.units_left.send(None, session=session, batch=batch, units=units)
                    sold += units
                except Conflict:
                    pass
            elif held:
                parts = held.pop(which % len(held))
                reserved -= sum(part.units for part in parts)
                if what == "sell":
                    sold += sum(part.units for part in parts)
                (stock.mark_sold if what == "sell" else stock.release)(session, parts)
        rows = [session.get_one(StockLot, lot, populate_existing=True) for lot in lots]
        assert [found.packed for found in rows] == list(lots.values())
        assert (sum(found.reserved for found in rows), sum(found.sold for found in rows)) == (reserved, sold)
        free_now = stock.available(session, [product_id])[product_id]
        assert sum(found.free for found in rows) == 21 - reserved - sold == free_now
        # Nothing of this example is left for the next one to find.
        session.execute(update(StockLot).where(StockLot.batch_id.in_(lots)).values(on_hold=True))


def test_the_audit_proves_every_lot_and_names_the_one_that_was_touched(app: Flask, village: Village) -> None:
    good, bad = village.packs(units=8), village.packs(units=6)
    place(village.product("packs", 500), 3)
    result = app.test_cli_runner().invoke(args=["shop", "audit", "--all"])
    assert result.exit_code == 0, result.output
    assert "2 lots, all of them agree." in result.output
    with write() as session:
        session.execute(update(StockLot).where(StockLot.batch_id == bad).values(packed=7))
    result = app.test_cli_runner().invoke(args=["shop", "audit"])
    assert result.exit_code == 1
    assert "packed 7, but the batch made 6" in result.output
    assert f"{row(good).lot}:" not in result.output


def test_best_before_is_judged_by_the_villages_day(village: Village) -> None:
    shelve(village, 1, lot="NAY", days=0)
    product_id = village.product("packs", 500).id
    late = dt.datetime.combine(clock.today(), dt.time(23, 59), clock.VN)
    with clock.fixed(late):
        assert free(product_id) == 1
    with clock.fixed(late + dt.timedelta(minutes=2)):
        assert free(product_id) == 0
