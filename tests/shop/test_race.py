"""The race: more buyers than packs, over storefront, API and livestream at once, against a server of four processes.

Whatever happens at the same time (deadlines, dispatches, the bank's notices, `kill -9`), exactly the packs that there
are go out, each to one order, each order is told to one buyer, and whoever gets none is told so in a sentence.
"""

import datetime as dt
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from shop.delivery.models import Shipment
from shop.orders import expiring, services, steps
from shop.orders.models import Order, Status
from shop.payments.daily.services import load_statement
from shop.payments.models import Payment
from shop.stock.models import StockLot
from tests.conftest import browser, own_copy
from tests.shop.combining import combine
from tests.shop.hands import BUYER, numbers, shelve
from tests.shop.transferring import notices, open_account, puzzles, transfers
from tests.support.bank_fake import KEY, Banks
from tests.support.live import Live
from tests.support.racing import (
    Caller,
    Doer,
    Guest,
    Program,
    Racer,
    Viewer,
    all_at_work,
    race,
    spread,
    tokens,
)
from tests.support.serving import Served, start
from tests.support.soak import times
from tests.support.village import Village
from trace.events.models import Event
from village import clock
from village.db import db, write
from village.ids import uuid7
from village.products.models import Product
from wsgi import create_app

pytestmark = pytest.mark.processes
PROCESSES = 4
Lines = Sequence[tuple[Product, int]]


@dataclass(frozen=True)
class Shop:
    """A village with its server."""

    app: Flask
    village: Village
    served: Served
    bank: Banks

    def product(self, net: int, process: str = "mien-dong") -> Product:
        """Packs; each race has its own."""
        return self.village.product("packs", net, process)

    def crowd(self, count: int, *wants: Lines, live: bool = True) -> list[Racer]:
        """So many buyers, each of whom wants one of `wants`; storefront, API and two livestreams take turns."""
        products = list(dict.fromkeys(product for lines in wants for product, _packs in lines))
        codes = {product.gtin: f"MD{number:02}" for number, product in enumerate(products, start=1)}
        own = {code: {"gtin": gtin} for gtin, code in codes.items()}
        lives = [Live(self.app, self.village, who, codes=own) for who in ("seller", "seller-b")] if live else []
        kinds = cycle(("guest", "program", "viewer", "program") if live else ("guest", "program"))
        port, crowd = self.served.port, list[Racer]()
        for number, (kind, lines) in enumerate(zip(kinds, islice(cycle(wants), count), strict=False)):
            if kind == "guest":
                crowd.append(Guest(port, wanted=[(product.id, packs) for product, packs in lines]))
            elif kind == "program":
                crowd.append(Program(port, wanted=[(product.gtin, packs) for product, packs in lines]))
            else:
                said = lives[number // 4 % 2]
                words = ", ".join(f"{codes[product.gtin]} x{packs}" for product, packs in lines)
                bearer = said.headers["Authorization"].removeprefix("Bearer ")
                crowd.append(Viewer(port, session=said.id, bearer=bearer, text=f"chốt {words}"))
        return crowd

    def signed_in(self, username: str) -> dict[str, str]:
        """A browser's cookies."""
        client = browser(self.app)
        self.village.sign_in(client, username)
        cookie = client.get_cookie("soi_session")
        assert cookie is not None
        return {cookie.key: cookie.value}

    def audited(self) -> tuple[int, str]:
        """`flask shop audit`: how it ended, and what it said."""
        result = self.app.test_cli_runner().invoke(args=["shop", "audit"])
        return result.exit_code, result.output

    def agrees(self) -> None:
        """Stock, orders and ledger say the same."""
        assert self.audited()[0] == 0, self.audited()


@pytest.fixture(scope="module")
def shop(template: tuple[str, Path], server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with own_copy(template, server, tmp_path_factory.mktemp("race")) as copied:
        app = create_app(replace(copied, sepay_key=KEY))
        with app.app_context():
            # Each buyer has an address of her own, as behind a proxy.
            env = {"TRUSTED_PROXIES": "1", "SEPAY_KEY": KEY}
            served = start(app.extensions["soi"], workers=PROCESSES, env=env)
            try:
                village = Village()
                open_account(village)
                yield Shop(app, village, served, Banks())
            finally:
                served.kill()
                app.extensions["soi.units"].stop()
                db.session.remove()
                db.engine.dispose()


def lot_name() -> str:
    return f"R{uuid7()[-8:].upper()}"


def orders(which: Sequence[str] | None = None) -> dict[str, Order]:
    """All orders, or these, by token; read afresh."""
    db.session.rollback()
    query = select(Order).execution_options(populate_existing=True)
    rows = db.session.scalars(query if which is None else query.where(Order.token.in_(which)))
    return {order.token: order for order in rows}


def new_orders(racers: Sequence[Racer], before: set[str]) -> list[Order]:
    """What they got: every order that is new was told, each to one buyer."""
    told = tokens(racers)
    assert len(told) == len(set(told)), "two buyers were told of one order"
    found = {token: order for token, order in orders().items() if token not in before}
    assert set(told) == set(found), "an order that nobody was told of, or that is not there"
    return list(found.values())


def held(order: Order) -> dict[str, int]:
    """Packs that an order holds, by the GTIN of the line."""
    return {line.gtin: sum(part.units for part in line.allocations) for line in order.lines}


@pytest.mark.parametrize("_again", range(times(1)))
def test_of_two_hundred_buyers_at_once_exactly_five_get_the_five_packs(
    shop: Shop, _again: int, database_kind: str, record_property: Callable[[str, object], None]
) -> None:
    product = shop.product(500)
    lot = shelve(shop.village, 5, lot=lot_name())
    all_at_work(shop.served, PROCESSES)
    crowd = shop.crowd(200, [(product, 1)])
    before = set(orders())
    connected: list[int] = []
    race(crowd, before=lambda: connected.append(len(spread(shop.served))))
    assert connected == [PROCESSES]
    got = new_orders(crowd, before)
    assert len(got) == 5
    assert [held(order) for order in got] == [{product.gtin: 1}] * 5
    assert numbers(lot) == (0, 5, 0)
    shop.agrees()
    record_property(f"buyers raced for five packs on {database_kind}", len(crowd))


@pytest.mark.parametrize("_again", range(times(1)))
def test_two_lines_wanted_in_opposite_order_come_together_or_not_at_all(shop: Shop, _again: int) -> None:
    one, other = shop.product(500, "che-tam-duong"), shop.product(1000, "che-tam-duong")
    lots = [
        shelve(shop.village, units, lot=lot_name(), net=net, process="che-tam-duong")
        for net, units in ((500, 2), (500, 3), (1000, 4), (1000, 1))
    ]
    crowd = shop.crowd(40, [(one, 1), (other, 1)], [(one, 1), (other, 1)], [(other, 1), (one, 1)],
                       [(other, 1), (one, 1)], live=False)  # fmt: skip
    before = set(orders())
    race(crowd)
    got = new_orders(crowd, before)
    assert [held(order) for order in got] == [{one.gtin: 1, other.gtin: 1}] * 5
    assert [numbers(lot) for lot in lots] == [(0, 2, 0), (0, 3, 0), (0, 4, 0), (0, 1, 0)]
    shop.agrees()


@pytest.mark.parametrize("again", range(times(1)))
def test_combos_and_plain_packs_share_what_there_is_to_the_last_pack(shop: Shop, again: int) -> None:
    one, other = shop.product(500, "gao-seng-cu"), shop.product(1000, "gao-seng-cu")
    combo = combine(shop.village, (one, 1), (other, 2), number=900 + again)
    lots = [
        shelve(shop.village, units, lot=lot_name(), net=net, process="gao-seng-cu")
        for net, units in ((500, 5), (1000, 3), (1000, 4))
    ]
    wants: list[Lines] = [[(combo, 1)], [(one, 1)], [(other, 1)], [(other, 1), (combo, 1)]]
    crowd = shop.crowd(44, *wants)
    before = set(orders())
    race(crowd)
    db.session.rollback()
    sold = {product.gtin: 0 for product in (combo, one, other)}
    for order in new_orders(crowd, before):
        for line in order.lines:
            sold[line.gtin] += line.quantity
            whole = 3 if line.gtin == combo.gtin else 1
            assert sum(part.units for part in line.allocations) == line.quantity * whole
    assert sold[combo.gtin] + sold[one.gtin] == 5
    assert 2 * sold[combo.gtin] + sold[other.gtin] == 7
    assert [numbers(lot) for lot in lots] == [(0, 5, 0), (0, 3, 0), (0, 4, 0)]
    shop.agrees()


def unpaid(product: Product, *, lapsed: bool = True) -> str:
    """An order that is to be paid ahead, its deadline just over; its token."""
    placed = services.place(
        None, [(product.gtin, 1)], BUYER, channel="web", idempotency_key=uuid7(), payment="vietqr"
    )
    with write() as session:
        over = clock.now() - dt.timedelta(seconds=1)
        if lapsed:
            session.execute(update(Order).where(Order.token == placed.token).values(hold_until=over))
    return placed.token


@pytest.mark.parametrize("_again", range(times(1)))
def test_packs_whose_deadline_ends_in_the_race_go_out_once_more_and_not_twice(shop: Shop, _again: int) -> None:
    product = shop.product(500, "khoai-sam-say")
    lot = shelve(shop.village, 5, lot=lot_name(), process="khoai-sam-say")
    lapsing: list[str] = []

    def look(doer: Doer) -> None:
        answer = doer.ask("GET", f"/orders/{lapsing[doer.number % 5]}")
        assert answer.status == 200 and expiring.UNPAID in answer.body, answer

    def job(doer: Doer) -> None:
        with shop.app.app_context():
            token = lapsing[doer.number % 5]
            expiring.expire(db.session.scalars(select(Order.id).where(Order.token == token)).one())

    crowd = shop.crowd(32, [(product, 1)])
    busy = [Doer(shop.served.port, act=act) for act in (look, look, job) for _ in range(5)]
    before = set(orders())
    race([*crowd, *busy], before=lambda: lapsing.extend(unpaid(product) for _ in range(5)))
    for order in orders(lapsing).values():
        told = [step.what for step in order.steps]
        assert (order.status, told) == (Status.CANCELLED, ["placed", "expired", "cancelled"])
    late = shop.crowd(10, [(product, 1)], live=False)[1::2]
    race(late)
    for viewer in crowd:
        if isinstance(viewer, Viewer):
            viewer.go()  # packs that came back may have gone to one who waited
    assert len(new_orders([*crowd, *late], before | set(lapsing))) == 5
    assert numbers(lot) == (0, 5, 0)
    shop.agrees()


def struck(shop: Shop) -> bool:
    """A race with a `kill -9` of one process after the first few answers; whether anybody was waiting for it."""
    product = shop.product(1000, "khoai-sam-say")
    lot = shelve(shop.village, 5, lot=lot_name(), net=1000, process="khoai-sam-say")
    all_at_work(shop.served, PROCESSES)
    crowd = shop.crowd(44, [(product, 1)])
    before, enough = set(orders()), random.randrange(8)
    victims: list[int] = []

    def kill(_doer: Doer) -> None:
        while sum(racer.done for racer in crowd) < enough:
            time.sleep(0.001)
        os.kill(victims[0], signal.SIGKILL)

    racers = [*crowd, Doer(shop.served.port, act=kill)]
    race(racers, before=lambda: victims.append(spread(shop.served).most_common(1)[0][0]))
    assert len(new_orders(crowd, before)) == 5
    told = [racer.token for racer in crowd]
    for racer in crowd[:15]:
        racer.go()
    assert [racer.token for racer in crowd] == told, "asked again, it was another order"
    assert numbers(lot) == (0, 5, 0)
    shop.agrees()
    return any(racer.broken for racer in crowd)


@pytest.mark.parametrize("_again", range(times(1)))
def test_with_a_process_killed_in_its_midst_the_race_ends_the_same(
    shop: Shop, _again: int, database_kind: str, record_property: Callable[[str, object], None]
) -> None:
    # On a busy machine all may have their answer before the kill comes.
    assert any(struck(shop) for _try in range(5)), "no kill struck anybody"
    record_property(f"kills of a process that sells on {database_kind}", 1)


@pytest.mark.parametrize("_again", range(times(1)))
def test_of_two_sellers_who_send_an_order_at_once_one_does(shop: Shop, _again: int) -> None:
    product, seller = shop.product(1000), shop.village.actor("seller")
    shop.village.packs(40, 1000)
    one, other = shop.signed_in("seller"), shop.signed_in("seller-b")
    doers: list[Racer] = []
    said: dict[str, list[int]] = {}

    def press(order_id: str, what: str, *form: tuple[str, str]) -> Callable[[Doer], None]:
        return lambda doer: said[order_id].append(doer.post(f"/seller/orders/{order_id}/{what}", *form).status)

    for _ in range(4):
        token = services.place(None, [(product.gtin, 2)], BUYER, channel="api", idempotency_key=uuid7()).token
        order = orders([token])[token]
        steps.confirm(seller, order.id)
        steps.pick(seller, order.id)
        said[order.id] = []
        parts = [(part.order_line_id, part.batch_id) for line in order.lines for part in line.allocations]
        form = [("shipment", uuid7()), ("carrier", "hand"), *((f"units-{line}-{of}", "2") for line, of in parts)]
        by_form, by_button = press(order.id, "ship", *form), press(order.id, "dispatch")
        for cookies, act in ((one, by_form), (one, by_form), (other, by_button), (one, by_button)):
            doers.append(Doer(shop.served.port, cookies=dict(cookies), act=act))
    sold = select(func.sum(StockLot.sold), func.sum(StockLot.reserved)).where(StockLot.product_id == product.id)
    dispatches = select(func.count()).select_from(Event).where(Event.kind == "dispatch")
    db.session.rollback()
    before, left = db.session.scalar(dispatches) or 0, db.session.execute(sold).one()
    race(doers)
    for order_id, statuses in said.items():
        # A form that is sent twice is told twice of its one parcel.
        assert sorted(statuses) in ([303, 409, 409, 409], [303, 303, 409, 409]), statuses
        db.session.rollback()
        (shipment,) = db.session.scalars(select(Shipment).where(Shipment.order_id == order_id)).all()
        assert sum(part.units for part in shipment.parts) == 2
    assert db.session.scalar(dispatches) == before + 4
    assert tuple(db.session.execute(sold).one()) == (left[0] + 8, left[1] - 8)
    shop.agrees()


@pytest.mark.parametrize("_again", range(times(1)))
def test_money_told_of_by_notices_and_a_statement_at_once_comes_in_once(shop: Shop, _again: int) -> None:
    product = shop.product(1000)
    shelve(shop.village, 8, lot=lot_name(), net=1000)
    before = (len(transfers()), len(puzzles()))
    waiting = [unpaid(product, lapsed=False) for _ in range(4)] + [unpaid(product) for _ in range(4)]
    doers: list[Racer] = []
    for token, order in orders(waiting).items():
        memo = db.session.scalars(select(Payment.memo).where(Payment.order_id == order.id)).one()
        notice = json.dumps(shop.bank.transfer(order.total, memo or ""))

        def post(doer: Doer, body: str = notice) -> None:
            answer = doer.ask("POST", "/hooks/sepay", body, "application/json", Authorization=f"Apikey {KEY}")
            assert (answer.status, json.loads(answer.body)) == (200, {"success": True}), answer

        def look(doer: Doer, token: str = token) -> None:
            assert doer.ask("GET", f"/orders/{token}").status == 200

        doers += [Doer(shop.served.port, act=act) for act in (post, look, post, look, post)]
    columns = ("transaction_date", "reference_number", "amount_in", "transaction_content")
    rows = "".join(";".join(credit[name] for name in columns) + "\n" for credit in shop.bank.credits)
    statement = f"Ngày giao dịch;Số tham chiếu;Ghi có;Nội dung\n{rows}".encode()

    def load(_doer: Doer) -> None:
        with shop.app.app_context():
            load_statement(shop.village.actor("office"), statement)

    doers[len(doers) // 2 : 0] = [Doer(shop.served.port, act=load)]
    race(doers)
    found = orders(waiting)
    for token in waiting[:4]:
        assert (found[token].status, found[token].paid) == (Status.PLACED, found[token].total)
    # Of a deadline that ends as the money comes, either comes first; then the money waits for a person.
    late = [token for token in waiting[4:] if found[token].status is Status.CANCELLED]
    for token in waiting[4:]:
        assert found[token].paid == (0 if token in late else found[token].total)
    assert len(transfers()) == before[0] + 8
    assert puzzles()[before[1] :] == [("late", product.price)] * len(late)
    assert {times for _state, _said, times in notices()} == {3}
    shop.agrees()


@pytest.mark.parametrize("_again", range(times(1)))
def test_the_audit_agrees_while_orders_come_and_go(shop: Shop, _again: int) -> None:
    product = shop.product(1000)
    for _ in range(3):
        shelve(shop.village, 40, lot=lot_name(), net=1000)
    going = [True]

    def shop_and_cancel(doer: Doer) -> None:
        while going[0]:
            buyer = Program(doer.port, wanted=[(product.gtin, 3)])
            buyer.go()
            if buyer.token:
                answer = doer.post(f"/orders/{buyer.token}/cancel")
                assert answer.status == 303, answer
            buyer.leave()

    def audit(_doer: Doer) -> None:
        try:
            for _ in range(6):
                with shop.app.app_context():
                    status, said = shop.audited()
                assert status == 0, said
        finally:
            going[0] = False

    race([*(Doer(shop.served.port, act=shop_and_cancel) for _ in range(8)), Doer(shop.served.port, act=audit)])
    shop.agrees()


def test_the_crowd_would_notice_an_unclean_answer(shop: Shop) -> None:
    caller = Caller(shop.served.port)
    assert caller.ask("GET", "/orders/nobodys").status == 404
    with pytest.raises(AssertionError, match="422"):
        race([Program(shop.served.port, wanted=[("00000000000000", 1)])])
