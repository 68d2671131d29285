"""A combo is promised, sent and given back as the packs that it is made of."""

import pytest
from flask import Flask

from shop.orders import services, steps
from shop.orders.models import Order, Status
from shop.orders.services import Buyer, Wanted
from shop.stock.errors import OutOfStock
from tests.shop.combining import combine
from tests.shop.hands import at_once, faults, numbers, place, shelve
from tests.shop.working import order, part, picked, send, told
from tests.support.village import Village
from village.db import db, write
from village.products.models import Product


@pytest.fixture
def combo(village: Village) -> Product:
    """Two small packs and a big one."""
    return combine(village, (village.product("packs", 500), 2), (village.product("packs", 1000), 1))


def test_a_combo_is_filled_from_its_parts_lots_first_expiry_first(village: Village, combo: Product) -> None:
    first, small = shelve(village, 3, lot="S1", days=10), shelve(village, 9, lot="S2", days=20)
    big = shelve(village, 5, lot="T1", net=1000)
    answer = place(combo, 2).answer
    (line,) = answer["lines"]
    assert (line["gtin"], line["quantity"], answer["total"]) == (combo.gtin, 2, 2 * (combo.price or 0))
    lots = [(part["lot"], part["quantity"]) for part in line["lots"]]
    assert lots == [("S1", 3), ("S2", 1), ("T1", 2)]
    assert [numbers(lot) for lot in (first, small, big)] == [(0, 3, 0), (8, 1, 0), (3, 2, 0)]
    assert faults() == []


def test_a_combo_and_a_line_that_share_a_product_are_promised_together_or_not_at_all(
    village: Village, combo: Product
) -> None:
    small, big = shelve(village, 5, lot="S"), shelve(village, 9, lot="T", net=1000)
    product = village.product("packs", 500)
    with write() as session, pytest.raises(OutOfStock) as refused:
        services.place_in(session, [Wanted(combo.id, 2), Wanted(product.id, 2)], Buyer(), channel="web")
    left = {one["gtin"]: one["available"] for one in refused.value.details["available"]}
    assert left == {combo.gtin: 2, product.gtin: 5}
    assert (numbers(small), numbers(big)) == ((5, 0, 0), (9, 0, 0))
    with write() as session:
        services.place_in(session, [Wanted(combo.id, 2), Wanted(product.id, 1)], Buyer(), channel="web")
    assert (numbers(small), numbers(big)) == ((0, 5, 0), (7, 2, 0))
    assert faults() == []


def test_fewer_combos_give_back_the_packs_of_whole_combos(village: Village, combo: Product) -> None:
    small, big = shelve(village, 9, lot="S"), shelve(village, 9, lot="T", net=1000)
    with write() as session:
        order_id = services.place_in(session, [Wanted(combo.id, 3)], Buyer(), channel="live").id
        services.set_quantity_in(session, session.get_one(Order, order_id), combo.id, 1)
    assert (numbers(small), numbers(big)) == ((7, 2, 0), (8, 1, 0))
    with write() as session:
        services.set_quantity_in(session, session.get_one(Order, order_id), combo.id, 2)
        services.add_lines_in(session, session.get_one(Order, order_id), [Wanted(combo.id, 2)])
    assert (numbers(small), numbers(big)) == ((1, 8, 0), (5, 4, 0))
    assert [line.quantity for line in order(order_id).lines] == [4]
    with write() as session:
        services.cancel_in(session, order_id)
    assert (numbers(small), numbers(big)) == ((9, 0, 0), (9, 0, 0))


def test_of_a_combo_that_left_in_part_the_begun_ones_stay_in_the_order(village: Village, combo: Product) -> None:
    small, big = village.packs(units=40), village.packs(units=40, net=1000)
    order_id = picked(village, combo, 3)
    rows = [row for line in order(order_id).lines for row in line.allocations]
    at = next(number for number, row in enumerate(rows) if row.batch_id == small)
    send(village, order_id, [part(order_id, 3, at)])
    steps.cancel(village.actor("seller"), order_id, "Gói to chưa kịp")
    left = order(order_id)
    assert (left.status, left.lines[0].quantity, left.total) == (Status.DISPATCHED, 2, 2 * (combo.price or 0))
    assert (numbers(small), numbers(big)) == ((37, 0, 3), (40, 0, 0))
    assert told(order_id)[-2:] == ["partly_dispatched", "rest_cancelled"]
    assert faults() == []


def test_a_recalled_part_of_a_combo_is_changed_for_another_lot_of_the_same_product(
    village: Village, combo: Product
) -> None:
    from tests.shop.test_orders import hold

    bad, good = shelve(village, 9, lot="HONG", days=5), shelve(village, 9, lot="TOT", days=9)
    big = shelve(village, 9, lot="T", net=1000)
    token = place(combo, 2).token
    order_id = steps.by_token(token).id
    seller = village.actor("seller")
    steps.confirm(seller, order_id)
    hold(bad, "recalled")
    steps.pick(seller, order_id)
    assert [numbers(lot) for lot in (bad, good, big)] == [(9, 0, 0), (5, 4, 0), (7, 2, 0)]
    assert faults() == []


def test_combos_and_single_packs_at_once_oversell_nothing(app: Flask, village: Village, combo: Product) -> None:
    small, big = shelve(village, 9, lot="S"), shelve(village, 9, lot="T", net=1000)
    one, other = village.product("packs", 500), village.product("packs", 1000)
    turns = [
        [Wanted(combo.id, 1)], [Wanted(other.id, 1), Wanted(one.id, 1)], [Wanted(one.id, 1), Wanted(combo.id, 1)],
    ] * 4  # fmt: skip

    def buy() -> str:
        lines = turns.pop()
        with write() as session:
            return services.place_in(session, lines, Buyer(), channel="api").id

    results = at_once(app, 12, buy)
    assert [r for r in results if not isinstance(r, str | OutOfStock)] == []
    sold = [order(result) for result in results if isinstance(result, str)]
    packs = [sum(row.units for found in sold for line in found.lines for row in line.allocations if row.batch_id == lot)
             for lot in (small, big)]  # fmt: skip
    assert (numbers(small), numbers(big)) == ((9 - packs[0], packs[0], 0), (9 - packs[1], packs[1], 0))
    assert packs[0] >= 7, "as many as there are, but for what no order of three fits into"
    db.session.rollback()
    assert faults() == []
