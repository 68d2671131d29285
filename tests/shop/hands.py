"""Hands for the shop's tests: packs on the shelf without their whole story, browsers, counting of statements."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import event

from shop.orders import services
from shop.orders.services import Buyer, Placed
from shop.stock.audit import audit
from shop.stock.models import StockLot
from tests.support.village import Village
from trace import signals
from trace.gs1.digital_link import class_uri
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.ids import uuid7
from village.products.models import Product

T = TypeVar("T")
BUYER = Buyer("Nguyễn Thị Thử", "+84912345678", "Số 1 phố Thử, Hà Nội")
TYPED = {"name": "Nguyễn Thị Thử", "phone": "0912 345 678", "address": "Số 1 phố Thử, Hà Nội"}


def shelve(
    village: Village, units: int, *, lot: str, net: int = 500, days: int | None = 365, hold: Any = "none",
    process: str = "mien-dong",
) -> str:
    """Put a packed lot on the shelf as trace's notice would; its batch id. `days`: until its best-before day."""
    product, site = village.product("packs", net, process), village.site()
    batch = Batch(
        id=uuid7(), epc=class_uri(product.gtin, lot), gtin=product.gtin, lot=lot, product_id=product.id,
        household_id=site.household_id, cooperative_id=site.cooperative_id, site_id=site.id, process=process,
        process_version=1, material="packs", made_grams=units * net, left_grams=units * net, made_units=units,
        left_units=units, made_at=clock.now(), hold=hold, hold_reason="", void=False,
        best_before=None if days is None else clock.today() + dt.timedelta(days=days),
    )  # fmt: skip
    with write() as session:
        session.add(batch)
        session.flush()
        signals.batch_made.send(None, session=session, batch=batch)
    return batch.id


def row(batch_id: str) -> StockLot:
    """A lot's stock, read afresh."""
    db.session.rollback()
    return db.session.get_one(StockLot, batch_id, populate_existing=True)


def numbers(batch_id: str) -> tuple[int, int, int]:
    """Free, reserved, sold."""
    found = row(batch_id)
    return found.free, found.reserved, found.sold


def place(product: Product, quantity: int, *, key: str | None = None) -> Placed:
    """A guest's order of one line."""
    return services.place(None, [(product.gtin, quantity)], BUYER, channel="api", idempotency_key=key or uuid7())


def faults() -> list[str]:
    """What the audit finds wrong with stock against orders (the batches of `shelve` have no ledger behind them)."""
    db.session.rollback()
    return [fault for line in audit(db.session()) for fault in line.faults]


def at_once(app: Flask, count: int, act: Callable[[], T]) -> list[T | Exception]:
    """`act` in so many threads, each in an app context of its own, all let go together."""
    ready = Barrier(count)

    def one(_number: int) -> T | Exception:
        with app.app_context():
            ready.wait()
            try:
                return act()
            except Exception as error:
                return error
            finally:
                db.session.remove()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements that run within the block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement != "BEGIN":
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
