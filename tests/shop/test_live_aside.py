"""What is kept from the shelf for a livestream: others cannot have it, its own viewers can, all of it comes back."""

import datetime as dt
import random

import pytest
from flask import Flask
from sqlalchemy import select, update

from shop.live import services as live
from shop.live.models import LiveAside, LiveCode, LiveSession
from shop.live.planning import Code, Draft
from shop.stock import aside
from shop.stock import services as stock
from shop.stock.errors import OutOfStock
from shop.stock.models import StockLot
from tests.shop.combining import combine
from tests.shop.hands import at_once, faults, numbers, place, row, shelve
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.products.models import Product


def planned(village: Village, *codes: Code) -> str:
    """A planned livestream of the seller's; its id."""
    return live.plan(village.actor("seller"), Draft("Tối nay", "facebook", codes))


def code_of(session_id: str, name: str = "MD01") -> LiveCode:
    """A code as it stands now, bound to no session."""
    db.session.rollback()
    found = db.session.scalars(select(LiveCode).where(LiveCode.session_id == session_id, LiveCode.code == name)).one()
    db.session.expunge(found)
    return found


def kept(session_id: str, name: str = "MD01") -> int:
    """How many a code could give of what is kept for it."""
    code = code_of(session_id, name)
    return aside.kept_of(db.session(), [code])[code.id]


def open_and_reserve(code: LiveCode, units: int) -> int:
    """As an order of the livestream does it: what is kept goes first. How many of them were kept."""
    with write() as session:
        opened = aside.open_up(session, code.id, code.product_id, units)
        stock.reserve(session, code.product_id, units)
        return opened


@pytest.fixture
def packs(village: Village) -> Product:
    return village.product("packs", 500)


def test_packs_kept_for_a_livestream_are_not_sold_elsewhere(village: Village, packs: Product) -> None:
    lot = shelve(village, 10, lot="RIENG")
    session_id = planned(village, Code("MD01", packs.gtin, set_aside=7))
    assert numbers(lot) == (10, 0, 0)  # a plan keeps nothing
    assert live.begin(village.actor("seller"), session_id) == []
    assert numbers(lot) == (3, 7, 0) and kept(session_id) == 7
    with pytest.raises(OutOfStock):
        place(packs, 4)
    place(packs, 3)
    assert numbers(lot) == (0, 10, 0)
    live.end(village.actor("seller"), session_id)
    assert numbers(lot) == (7, 3, 0) and kept(session_id) == 0
    assert faults() == []


def test_who_sells_in_the_livestream_has_what_is_kept_first_expiry_first(village: Village, packs: Product) -> None:
    late, soon = shelve(village, 5, lot="SAU", days=90), shelve(village, 5, lot="TRUOC", days=30)
    session_id = planned(village, Code("MD01", packs.gtin, set_aside=8))
    live.begin(village.actor("seller"), session_id)
    assert (row(soon).reserved, row(late).reserved) == (5, 3)
    code = code_of(session_id)
    with write() as session:
        assert aside.open_up(session, code.id, packs.id, 6) == 6
        assert [(part.lot, part.units) for part in stock.reserve(session, packs.id, 6)] == [("TRUOC", 5), ("SAU", 1)]
    assert kept(session_id) == 2 and (row(soon).free, row(late).free) == (0, 2)


def test_an_order_that_is_refused_leaves_what_is_kept_as_it_was(village: Village, packs: Product) -> None:
    lot = shelve(village, 5, lot="DU")
    session_id = planned(village, Code("MD01", packs.gtin, set_aside=3))
    live.begin(village.actor("seller"), session_id)
    code = code_of(session_id)
    with write() as session, pytest.raises(OutOfStock), session.begin_nested():
        assert aside.open_up(session, code.id, packs.id, 6) == 3
        stock.reserve(session, packs.id, 6)
    assert kept(session_id) == 3 and numbers(lot) == (2, 3, 0) and faults() == []


def test_less_than_was_wished_is_kept_and_said(village: Village, packs: Product) -> None:
    shelve(village, 4, lot="IT")
    session_id = planned(village, Code("MD01", packs.gtin, set_aside=9))
    assert live.begin(village.actor("seller"), session_id) == [live.Short("MD01", 9, 4)]
    assert live.begin(village.actor("seller"), session_id) == [live.Short("MD01", 9, 4)]  # once more: nothing moves
    assert kept(session_id) == 4


def test_a_combo_is_kept_whole_as_the_packs_it_is_made_of(village: Village, packs: Product) -> None:
    small, large = shelve(village, 9, lot="NHO"), shelve(village, 2, lot="TO", net=1000)
    combo = combine(village, (packs, 2), (village.product("packs", 1000), 1))
    session_id = planned(village, Code("COMBO1", combo.gtin, set_aside=3))
    assert live.begin(village.actor("seller"), session_id) == [live.Short("COMBO1", 3, 2)]
    assert numbers(small) == (5, 4, 0) and numbers(large) == (0, 2, 0)
    code = code_of(session_id, "COMBO1")
    by_product = {packs.id: 4, village.product("packs", 1000).id: 2}
    assert aside.by_products(db.session(), [code.id]) == {code.id: by_product}
    assert aside.within_reach(db.session(), [code]) == {code.id: 2}
    parts = sorted([(packs.id, 2), (village.product("packs", 1000).id, 1)])
    with write() as session:
        assert aside.open_up(session, code.id, combo.id, 1) == 1
        for product_id, units in parts:
            stock.reserve(session, product_id, units)
    assert kept(session_id, "COMBO1") == 1
    live.end(village.actor("seller"), session_id)
    assert numbers(small) == (7, 2, 0) and numbers(large) == (1, 1, 0)


def test_packs_of_a_lot_that_is_held_are_not_sold_and_come_back_all_the_same(village: Village, packs: Product) -> None:
    bad, good = shelve(village, 5, lot="GIU", days=30), shelve(village, 5, lot="LANH", days=60)
    session_id = planned(village, Code("MD01", packs.gtin, set_aside=7))
    live.begin(village.actor("seller"), session_id)
    with write() as session:
        session.execute(update(StockLot).where(StockLot.batch_id == bad).values(on_hold=True))
    code = code_of(session_id)
    assert kept(session_id) == 2 and aside.within_reach(db.session(), [code]) == {code.id: 5}
    assert open_and_reserve(code, 5) == 2
    assert numbers(good) == (0, 5, 0)
    live.end(village.actor("seller"), session_id)
    assert row(bad).reserved == 0


def test_a_pause_gives_back_when_asked_and_going_on_keeps_again_what_is_not_sold(
    village: Village, packs: Product
) -> None:
    lot, seller = shelve(village, 10, lot="NGHI"), village.actor("seller")
    session_id = planned(village, Code("MD01", packs.gtin, set_aside=6))
    live.begin(seller, session_id)
    live.pause(seller, session_id)
    assert kept(session_id) == 6
    live.pause(seller, session_id, give_back=True)
    assert kept(session_id) == 0 and numbers(lot) == (10, 0, 0)
    place(packs, 7)
    assert live.resume(seller, session_id) == [live.Short("MD01", 6, 3)]
    assert kept(session_id) == 3 and faults() == []


def test_what_viewers_have_already_is_not_kept_once_more(village: Village, packs: Product) -> None:
    shelve(village, 10, lot="NUA")
    seller = village.actor("seller")
    session_id = planned(village, Code("MD01", packs.gtin, set_aside=6))
    live.begin(seller, session_id)
    assert open_and_reserve(code_of(session_id), 4) == 4
    with write() as session:
        session.execute(update(LiveCode).where(LiveCode.session_id == session_id).values(taken=4))
    live.pause(seller, session_id)
    assert live.resume(seller, session_id) == [] and kept(session_id) == 2


def test_a_forgotten_livestream_gives_back_twelve_hours_after_its_last_comment(
    village: Village, packs: Product
) -> None:
    lot, now = shelve(village, 20, lot="QUEN"), clock.now()
    hour = live.FORGOTTEN / 12
    cases: list[tuple[dict[str, dt.datetime], int]] = [
        ({}, 0), ({"heard_at": now - hour}, 5), ({"resumed_at": now - hour}, 5),
        ({"heard_at": now - 13 * hour, "resumed_at": now - 13 * hour}, 0),
    ]  # fmt: skip
    left: dict[str, int] = {}
    for times, stays in cases:
        with clock.fixed(now - live.FORGOTTEN * 2):
            session_id = planned(village, Code("MD01", packs.gtin, set_aside=5))
            live.begin(village.actor("seller"), session_id)
        if times:
            with write() as session:
                session.execute(update(LiveSession).where(LiveSession.id == session_id).values(**times))
        left[session_id] = stays
    live.give_back_forgotten()
    assert {session_id: kept(session_id) for session_id in left} == left and row(lot).reserved == 10


def test_a_race_for_the_last_packs_keeps_and_sells_each_once(app: Flask, village: Village, packs: Product) -> None:
    lots = [shelve(village, 6, lot=f"DUA{n}", days=30 + n) for n in range(3)]
    seller = village.actor("seller")
    sessions = [planned(village, Code(f"MD{n}1", packs.gtin, set_aside=7)) for n in range(3)]
    todo = [lambda s=s: live.begin(seller, s) for s in sessions] + [lambda: place(packs, 2)] * 5
    results = at_once(app, len(todo), lambda: todo.pop()())
    assert [r for r in results if isinstance(r, Exception) and not isinstance(r, OutOfStock)] == []
    assert faults() == [] and all(row(lot).free >= 0 for lot in lots)
    for session_id in sessions:
        live.end(seller, session_id)
    assert faults() == [] and not db.session.scalar(select(LiveAside.units).limit(1))


@pytest.mark.slow_once
def test_whatever_is_kept_opened_and_given_back_the_sum_holds(village: Village, packs: Product) -> None:
    chance = random.Random(7)
    lots = [shelve(village, 12, lot=f"L{n}", days=30 + n) for n in range(3)]
    session_id = planned(village, Code("MD01", packs.gtin), Code("MD02", packs.gtin))
    codes, sold, mine = [code_of(session_id, name) for name in ("MD01", "MD02")], 0, {"MD01": 0, "MD02": 0}
    for _step in range(30):
        code, units = chance.choice(codes), chance.randint(1, 9)
        what = chance.choice(("take", "sell", "keep_just", "give_back"))
        with write() as session:
            if what == "take":
                mine[code.code] += aside.take(session, code.id, packs.id, units)
            elif what == "keep_just":
                mine[code.code] = aside.keep_just(session, code.id, packs.id, units)
            elif what == "give_back":
                assert aside.give_back(session, code.id) == mine[code.code]
                mine[code.code] = 0
            elif aside.within_reach(session, [code])[code.id] >= units and sold < 24:
                opened = aside.open_up(session, code.id, packs.id, units)
                assert opened == min(units, mine[code.code])
                mine[code.code] -= opened
                stock.reserve(session, packs.id, units)
                sold += units
        assert sum(row(lot).reserved for lot in lots) == sold + sum(mine.values())
        assert {code.code: kept(session_id, code.code) for code in codes} == mine
    assert sold > 10
