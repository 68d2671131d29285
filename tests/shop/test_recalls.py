"""A recall reaches every order with such packs: what was not sent stops, who has some is told once, and it is followed
until every pack is known of."""

import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from shop.orders import services as orders
from shop.orders import steps
from shop.orders.models import Order, OrderLine, Status
from shop.recalls import letters, services, sheet
from shop.recalls.listening import Found
from shop.recalls.models import Reached, RecallOrder
from shop.stock.errors import OutOfStock
from shop.stock.models import StockLot
from tests.shop.hands import BUYER, at_once, faults, place, row, shelve, statements
from tests.shop.recalling import (
    PHONES,
    came_of,
    lots_in,
    messages,
    of_other_cooperative,
    order,
    ordered,
    reached,
    recall,
    refused,
)
from tests.support.village import Village
from trace.ledger.models import LedgerEntry
from trace.ledger.verify import verify
from trace.lots.models import Batch
from trace.recalls import counting
from trace.recalls import services as recalling
from trace.recalls.counting import Count
from trace.recalls.models import Recall, RecallLot, Source, What
from village.db import db, write
from village.errors import NotFound
from village.ids import uuid7
from village.outbox.letters import BODY_MAX
from village.outbox.models import Channel, Message, MessageState
from village.settings import Settings
from wsgi import create_app


def sent(*keys: str) -> None:
    """Say that these messages, or all of them, went out."""
    with write() as session:
        query = update(Message).values(state=MessageState.SENT)
        session.execute(query.where(Message.key.in_(keys)) if keys else query)


def follow(village: Village, found: Any, who: str = "office") -> services.Followed:
    db.session.rollback()
    return services.follow(village.actor(who), found["id"])


def count(village: Village, found: Any, what: str, units: int, lot: str = "", source: str | None = None) -> None:
    given = Count(uuid7(), What(what), Source(source) if source else None, lot, units, "")
    counting.count(village.actor("office"), found["id"], given)


def test_orders_are_stopped_under_way_or_delivered_and_told_apart(village: Village) -> None:
    product = village.product("packs", 500)
    lot = shelve(village, 50, lot="HONG")
    placed = ordered(product, 2, PHONES[0])
    picked = ordered(product, 3, PHONES[1], status=Status.PICKED)
    shipping = ordered(product, 4, PHONES[2], status=Status.DISPATCHED)
    delivered = ordered(product, 5, PHONES[3], status=Status.DELIVERED)
    answer = recall(village, lot)
    assert answer["units"] == {"packed": 50, "in_stock": 41, "sold": 9, "shipping": 4}
    assert reached() == {
        (placed, lot): "stopped", (picked, lot): "stopped", (shipping, lot): "shipping", (delivered, lot): "delivered",
    }  # fmt: skip
    assert sorted((one["status"], one["units"]) for one in answer["orders"]) == [
        ("delivered", 5), ("shipping", 4), ("stopped", 2), ("stopped", 3),
    ]  # fmt: skip
    assert answer["buyers_notified"] == 4
    assert faults() == []


def test_a_cancelled_order_and_one_of_a_clean_lot_are_left_alone(village: Village) -> None:
    small, large = village.product("packs", 500), village.product("packs", 1000)
    bad = shelve(village, 10, lot="HONG")
    clean = shelve(village, 10, lot="SACH", net=1000)
    cancelled, other = ordered(small, 2, PHONES[0]), ordered(large, 2, PHONES[1])
    steps.cancel(village.actor("seller"), cancelled, "không lấy nữa")
    answer = recall(village, bad)
    assert answer["orders"] == []
    assert messages() == []
    assert not row(clean).on_hold
    assert services.of_order(order(other)) is None


def test_each_buyer_is_told_once_calmly_and_what_to_do(village: Village) -> None:
    product = village.product("packs", 500)
    lot = shelve(village, 50, lot="HONG")
    stopped = ordered(product, 1, PHONES[0])
    gone = ordered(product, 2, PHONES[0], status=Status.DELIVERED)
    waiting = ordered(product, 1, PHONES[1])
    nobody = ordered(product, 1, None)
    key = uuid7()
    answer = recall(village, lot, key=key)
    assert recall(village, lot, key=key) == answer
    assert (answer["buyers"], answer["buyers_notified"]) == (3, 2)
    told = {str(one.to): one for one in messages()}
    assert set(told) == {PHONES[0], PHONES[1]}
    body = str(told[PHONES[0]].body)
    for words in ("lô HONG", order(gone).number, order(stopped).number, "đừng dùng", "Có mùi lạ", "/orders/"):
        assert words in body
    assert "!" not in body
    assert "chưa gửi đi" in str(told[PHONES[1]].body)
    assert {one.channel for one in told.values()} == {Channel.CALL}
    rows = {one.order_id: one.message_id for one in db.session.scalars(select(RecallOrder))}
    assert rows[stopped] == rows[gone] == told[PHONES[0]].id
    assert rows[waiting] == told[PHONES[1]].id
    assert rows[nobody] is None


def test_a_second_recall_that_takes_in_the_same_lot_tells_its_buyers_nothing_again(village: Village) -> None:
    product = village.product("packs", 500)
    source, lot = shelve(village, 1, lot="NGUON", net=1000), shelve(village, 20, lot="HONG")
    came_of(source, lot)
    ordered(product, 2, PHONES[0], status=Status.DELIVERED)
    recall(village, lot)
    again = recall(village, source)
    assert again["buyers_notified"] == 0
    assert len(messages()) == 1


def test_a_drill_tells_nobody_and_stops_nothing(village: Village) -> None:
    product = village.product("packs", 500)
    lot = shelve(village, 20, lot="HONG")
    ordered(product, 2, PHONES[0])
    answer = recall(village, lot, drill=True)
    assert (answer["buyers"], answer["buyers_notified"], len(answer["orders"])) == (1, 0, 1)
    assert messages() == []
    assert not row(lot).on_hold
    ordered(product, 2, PHONES[1])
    assert services.of_product(product.id) is None


def test_every_message_fits_however_long_its_names_are() -> None:
    orders = [
        Found(uuid7(), f"BL-{number:06}", "t" * 43, Reached.DELIVERED, PHONES[0], "c",
              {str(n): (f"LO{number}{n:>016}", 1) for n in range(5)}, {str(n): "Miến dong " * 12 for n in range(5)})
        for number in range(40)
    ]  # fmt: skip
    for state in Reached:
        for one in orders:
            one.state = state
        body = letters.recalled("Hợp tác xã " * 10, "+842133000001", "Lý do " * 40, orders, "https://soi.example.vn")
        assert len(body) <= BODY_MAX[Channel.SMS]
    assert len(letters.lifted("H" * 120, "không phải số", "BL-123456")) <= BODY_MAX[Channel.SMS]


def test_a_stopped_order_cannot_be_sent_until_it_is_filled_from_a_clean_lot(village: Village) -> None:
    product, seller = village.product("packs", 500), village.actor("seller")
    bad = shelve(village, 5, lot="HONG", days=30)
    waiting = ordered(product, 4, PHONES[0], status=Status.PICKED)
    found = recall(village, bad)
    with refused("lot-on-hold"):
        steps.dispatch(seller, waiting)
    assert services.reallocate(village.actor("office"), found["id"]) == (0, 1)
    clean = shelve(village, 5, lot="SACH", days=60)
    assert follow(village, found).stopped == 1
    assert services.reallocate(village.actor("office"), found["id"]) == (1, 0)
    assert lots_in(waiting) == {clean}
    assert follow(village, found).stopped == 0
    notice = services.of_order(order(waiting))
    assert notice is not None and notice.state == "changed"
    assert faults() == []


def test_pages_say_what_is_recalled_to_buyer_seller_and_visitor(village: Village, client: FlaskClient) -> None:
    product = village.product("packs", 500)
    slug, bad = product.slug, shelve(village, 20, lot="HONG", days=30)
    shelve(village, 20, lot="SACH", days=60)
    gone, waiting = ordered(product, 2, PHONES[0], status=Status.DISPATCHED), ordered(product, 2, PHONES[1])
    tokens = [order(one).token for one in (gone, waiting)]
    recall(village, bad)

    def page(path: str) -> str:
        return client.get(path).get_data(as_text=True)

    assert "Bác đừng dùng gói ấy" in page(f"/orders/{tokens[0]}")
    assert "Chúng tôi đổi lô khác cho bác" in page(f"/orders/{tokens[1]}")
    assert "Đang thu hồi lô HONG" in page(f"/products/{slug}")
    village.sign_in(client, "seller")
    assert "đơn chưa gửi đi được" in page(f"/seller/orders/{waiting}")
    assert "Lô bị thu hồi" in page("/seller/orders")
    lots = page(f"/products/{slug}").partition("Lô đang bán")[2]
    assert "SACH" in lots and "HONG" not in lots


def test_a_buyer_is_asked_of_recalls_in_one_query(village: Village) -> None:
    shelve(village, 3, lot="SACH")
    one = order(ordered(village.product("packs", 500), 1))
    with statements() as seen:
        assert services.of_order(one) is None
    assert len(seen) == 1


def test_every_pack_is_accounted_for_and_the_share_is_kept(village: Village) -> None:
    product = village.product("packs", 500)
    lot = shelve(village, 20, lot="HONG")
    ordered(product, 4, PHONES[0], status=Status.DELIVERED)
    ordered(product, 6, PHONES[1], status=Status.DISPATCHED)
    found = recall(village, lot)
    assert follow(village, found).account.unknown == 20
    sent(f"recall:{found['id']}:{min(one for one, _ in reached())}")
    told = follow(village, found).account.told
    assert told in (4, 6)
    count(village, found, "found", 10, "hong")
    count(village, found, "returned", 3)
    count(village, found, "destroyed", 2, source="returned")
    account = follow(village, found).account
    assert (account.found, account.returned, account.destroyed) == (10, 1, 2)
    assert account.unknown == 20 - 10 - 3 - max(0, told - 3)
    with refused("more-than-there-are"):
        count(village, found, "found", 1)
    with refused("less-than-none"):
        count(village, found, "returned", -2)
    count(village, found, "returned", -1)
    with refused("no-such-lot"):
        count(village, found, "found", 1, "KHAC")
    step = uuid7()
    for _ in range(2):
        services.close(village.actor("office"), found["id"], "Hết hạn tìm.", step)
    closed = follow(village, found)
    assert closed.recall.closed
    assert [step.units for step in closed.recall.steps if step.what is What.CLOSED] == [closed.account.accounted]
    with refused("recall-ended"):
        count(village, found, "returned", 1)
    assert row(lot).on_hold


def test_a_count_that_is_sent_twice_is_written_once(village: Village) -> None:
    lot = shelve(village, 20, lot="HONG")
    found = recall(village, lot)
    given = Count(uuid7(), What.FOUND, None, "", 5, "")
    for _ in range(2):
        counting.count(village.actor("office"), found["id"], given)
    assert follow(village, found).account.found == 5
    with pytest.raises(NotFound):
        counting.count(village.actor("office-other"), found["id"], Count(uuid7(), What.FOUND, None, "", 1, ""))
    with refused("wrong-role"):
        counting.count(village.actor("seller"), found["id"], Count(uuid7(), What.FOUND, None, "", 1, ""))


def test_a_recall_taken_back_sells_again_and_tells_those_who_were_told(village: Village) -> None:
    product = village.product("packs", 500)
    lot = shelve(village, 20, lot="HONG")
    ordered(product, 2, PHONES[0], status=Status.DELIVERED)
    ordered(product, 2, PHONES[1], status=Status.DELIVERED)
    found = recall(village, lot)
    first = next(one for one in messages() if one.to == PHONES[0])
    sent(first.key)
    recalling.lift(village.actor("office"), found["id"], "Nhầm lô.", uuid7())
    told = {(str(one.to), one.state.value) for one in messages()}
    assert told == {(PHONES[0], "sent"), (PHONES[0], "waiting"), (PHONES[1], "cancelled")}
    assert not row(lot).on_hold
    assert "dùng được bình thường" in next(str(one.body) for one in messages() if one.state is MessageState.WAITING)
    place(product, 1)
    assert services.of_product(product.id) is None


def test_another_cooperative_sees_no_buyer_of_ours(village: Village) -> None:
    product = village.product("packs", 500)
    lot = shelve(village, 20, lot="HONG")
    other = shelve(village, 20, lot="HO", net=1000)
    of_other_cooperative(other)
    came_of(lot, other)
    ordered(product, 2, PHONES[0], status=Status.DELIVERED)
    found = recall(village, lot)
    theirs = follow(village, found, "office-other")
    assert theirs.buyers == []
    assert theirs.others == 1
    with pytest.raises(NotFound):
        services.follow(village.actor("office-other"), recall(village, shelve(village, 1, lot="RIENG"))["id"])


def test_the_sheet_comes_as_table_csv_xlsx_and_pdf_without_anybody_s_name(
    village: Village, client: FlaskClient
) -> None:
    product = village.product("packs", 500)
    lots = [shelve(village, 10 + number, lot=f"LO{number}", days=30 + number) for number in range(3)]
    for lot in lots[1:]:
        came_of(lots[0], lot)
    ordered(product, 4, PHONES[0], status=Status.DISPATCHED)
    found = recall(village, lots[0])
    village.sign_in(client, "auditor")
    base = f"/coop/recalls/{found['id']}/sheet"
    page = client.get(f"{base}?sort=packed").get_data(as_text=True)
    assert page.index("LO2") < page.index("LO1") < page.index("LO0</a>")
    assert 'aria-sort="descending"' in page
    starts = {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "pdf": b"%PDF"}
    for form, begins in starts.items():
        answer = client.get(f"{base}.{form}")
        assert answer.status_code == 200
        assert answer.data.startswith(begins)
        assert b"attachment" in answer.headers["Content-Disposition"].encode()
    table = client.get(f"{base}.csv").get_data(as_text=True)
    assert "LO0" in table and "Người Mua" not in table and PHONES[0][3:] not in table
    assert client.get(f"{base}.exe").status_code == 404
    assert sheet.lines(follow(village, found, "auditor"), "khong-co")[0].lot == "LO0"


def test_the_office_finds_looks_rehearses_starts_and_follows_through_pages(
    village: Village, client: FlaskClient
) -> None:
    packs = village.packs(40)
    lot = village.batch(packs).lot
    village.sign_in(client, "office")
    found = client.get(f"/coop/recalls/new?lot={lot}").get_data(as_text=True)
    assert packs in found and "Hay là lỗi từ nguồn" in found
    look = client.post("/coop/recalls/preview", data={"batch": packs})
    assert look.status_code == 200
    assert "chưa có gì bị giữ" in look.get_data(as_text=True)
    form = {"batch": packs, "reason": "Có mùi lạ.", "key": uuid7()}
    assert client.post("/coop/recalls", data={**form, "how": "real"}).status_code == 422
    drill = client.post("/coop/recalls", data={**form, "how": "drill"})
    assert drill.status_code == 303
    assert "Buổi diễn tập" in client.get(drill.location).get_data(as_text=True)
    assert village.batch(packs).hold == "none"
    real = client.post("/coop/recalls", data={**form, "how": "real", "sure": "1", "key": uuid7()})
    assert real.status_code == 303
    assert village.batch(packs).hold == "recalled"
    page = client.get(real.location).get_data(as_text=True)
    assert "Từng gói đang ở đâu" in page
    counted = {"step_id": uuid7(), "what": "found", "units": "40", "lot": lot}
    assert client.post(f"{real.location}/counts", data=counted).status_code == 303
    assert client.post(f"{real.location}/counts", data={**counted, "step_id": uuid7()}).status_code == 422
    assert "100" in client.get(real.location).get_data(as_text=True)
    assert client.post(f"{real.location}/reallocate").status_code == 303
    assert client.post(f"{real.location}/lift", data={"step_id": uuid7(), "why": ""}).status_code == 422
    assert client.post(f"{real.location}/close", data={"step_id": uuid7()}).status_code == 303
    listed = client.get("/coop/recalls").get_data(as_text=True)
    assert "Đã khép" in listed and "Diễn tập" in listed
    assert client.post("/coop/recalls/preview", data={}).status_code == 422


@pytest.mark.parametrize("who", ["producer", "seller", "auditor", "office-other"])
def test_the_pages_of_a_recall_are_for_its_own_office(village: Village, client: FlaskClient, who: str) -> None:
    packs = shelve(village, 5, lot="HONG")
    found = recall(village, packs)
    village.sign_in(client, who)
    base = f"/coop/recalls/{found['id']}"
    reads = client.get(base).status_code
    assert reads == (200 if who == "auditor" else 404 if who == "office-other" else 403)
    for path in ("counts", "close", "lift", "reallocate"):
        data = {"step_id": uuid7(), "what": "found", "units": "1", "why": "x", "note": "x"}
        assert client.post(f"{base}/{path}", data=data).status_code in (403, 404), path
    body = {"batch": packs, "reason": "x", "how": "real", "sure": "1", "key": uuid7()}
    assert client.post("/coop/recalls", data=body).status_code == 403
    assert len(db.session.scalars(select(Recall)).all()) == 1


@pytest.mark.slow_once
@pytest.mark.parametrize("race", range(3))
def test_of_a_recall_and_checkouts_at_once_nothing_bad_is_sold(app: Flask, village: Village, race: int) -> None:
    product, office = village.product("packs", 500), village.actor("office")
    source = shelve(village, 1, lot="NGUON", net=1000)
    bad = [shelve(village, 6, lot=f"HONG{number}", days=30 + number) for number in range(3)]
    for lot in bad:
        came_of(source, lot)
    clean = shelve(village, 4, lot="SACH", days=90)
    product_id = product.id
    starter = at_random(lambda: recalling.start(office, [source], "x", drill=False, idempotency_key="mot"))
    acts: list[Callable[[], Any]] = [starter] + [at_random(lambda: place(product, 2)) for _ in range(11)]
    turns = iter(acts)
    results = at_once(app, len(acts), lambda: next(turns)())
    wrong = [one for one in results if isinstance(one, Exception) and not isinstance(one, OutOfStock)]
    assert wrong == []
    nothing_bad_is_sold(village, bad, clean, product_id)


def at_random(act: Callable[[], Any]) -> Callable[[], Any]:
    def later() -> Any:
        time.sleep(random.random() * 0.05)
        return act()

    return later


def nothing_bad_is_sold(village: Village, bad: list[str], clean: str, product_id: str) -> None:
    """Every order that holds a bad pack was found and stopped, and none can be sent or placed any more."""
    stopped = reached()
    assert set(stopped.values()) <= {"stopped"}
    holding = {
        (order_id, lot)
        for order_id in db.session.scalars(select(OrderLine.order_id).where(OrderLine.product_id == product_id))
        for lot in lots_in(order_id)
        if lot in bad
    }
    assert holding == set(stopped)
    assert all(row(lot).on_hold for lot in bad)
    assert not row(clean).on_hold
    seller = village.actor("seller")
    for order_id, _lot in sorted(holding)[:2]:
        with write() as session:
            session.execute(update(Order).where(Order.id == order_id).values(status=Status.PICKED))
        with refused("lot-on-hold"):
            steps.dispatch(seller, order_id)
    assert faults() == []


@pytest.mark.processes
def test_of_a_recall_and_checkouts_in_other_processes_nothing_bad_is_sold(
    app: Flask, village: Village, settings: Settings
) -> None:
    product = village.product("packs", 500)
    product_id, gtin = product.id, product.gtin
    bad = [shelve(village, 40, lot=f"HONG{number}", days=30 + number) for number in range(2)]
    clean = shelve(village, 5, lot="SACH", days=90)
    office = village.actor("office")
    db.session.remove()
    db.engine.dispose()
    buyers = [forked(settings, lambda: buy_until_told(gtin)) for _ in range(3)]
    until_there_are_orders(6)
    recalling.start(office, bad, "x", drill=False, idempotency_key="mot")
    time.sleep(0.2)
    for buyer in buyers:
        os.kill(buyer, signal.SIGKILL)
        os.waitpid(buyer, 0)
    assert len(reached()) > 0
    nothing_bad_is_sold(village, bad, clean, product_id)


def until_there_are_orders(count: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        db.session.rollback()
        if (db.session.scalar(select(func.count()).select_from(Order)) or 0) >= count:
            return
        time.sleep(0.01)
    raise AssertionError("nobody bought anything")


def buy_until_told(gtin: str) -> None:
    while True:
        try:
            orders.place(None, [(gtin, 1)], BUYER, channel="api", idempotency_key=uuid7())
        except OutOfStock:
            time.sleep(0.005)


def forked(settings: Settings, act: Callable[[], Any]) -> int:
    """`act` in a process of its own, with connections of its own; its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with create_app(settings).app_context():
            act()
            code = 0
    finally:
        os._exit(code)


@pytest.mark.processes
def test_a_recall_killed_in_the_midst_of_it_is_there_wholly_or_not_at_all(
    app: Flask, village: Village, settings: Settings
) -> None:
    product = village.product("packs", 500)
    office = village.actor("office")
    outcomes = []
    for number in range(8):
        lots = [shelve(village, 3, lot=f"L{number}X{which}", days=30 + number) for which in range(30)]
        ordered(product, 40, PHONES[number])
        key = f"lan-{number}"
        db.session.remove()
        db.engine.dispose()
        child = forked(settings, partial(recalling.start, office, lots, "x", drill=False, idempotency_key=key))
        time.sleep(kill_after(number))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        outcomes.append(whole_or_nothing(lots))
        # Whoever got no answer sends the same again: then it is there, once.
        answer = recalling.start(office, lots, "x", drill=False, idempotency_key=key)
        assert whole_or_nothing(lots)
        assert answer["buyers_notified"] == 1
    assert verify().holds
    assert faults() == []


def kill_after(number: int) -> float:
    return 0.02 + number * 0.02


def whole_or_nothing(lots: list[str]) -> bool:
    """Whether the recall of these lots is there; it must be there in every table, or in none."""
    db.session.rollback()
    recalled = Batch.id.in_(lots) & (Batch.hold == "recalled")
    held = db.session.scalar(select(func.count()).select_from(Batch).where(recalled))
    shelf = db.session.scalar(
        select(func.count()).select_from(StockLot).where(StockLot.batch_id.in_(lots), StockLot.on_hold)
    )
    rows = db.session.scalars(select(RecallLot).where(RecallLot.batch_id.in_(lots))).all()
    stopped = db.session.scalars(select(RecallOrder).where(RecallOrder.batch_id.in_(lots))).all()
    told = db.session.scalars(select(Message).where(Message.about_id.in_({one.recall_id for one in rows}))).all()
    entries = db.session.scalars(
        select(LedgerEntry.index).where(LedgerEntry.index.in_({one.entry_index for one in rows}))
    ).all()
    if rows:
        assert held == shelf == len(rows) == len(lots)
        assert len(stopped) == 14
        assert len(told) == 1
        assert len(entries) == len({one.entry_index for one in rows}) > 0
    else:
        assert (held, shelf, list(stopped), list(told)) == (0, 0, [], [])
    return bool(rows)
