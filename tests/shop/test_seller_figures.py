"""What a seller reads off: what waits today, what was ordered, and the same as a table."""

import csv
import datetime as dt
import os
import re
import time
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from shop.delivery.models import Shipment
from shop.orders import services, steps
from shop.orders.models import Order
from shop.orders.services import Buyer, Wanted
from shop.payments.models import PaymentPuzzle, Puzzle
from shop.seller import drawing, files
from shop.seller.exporting import Form, ask_for, headings
from shop.seller.figures import Sum, figures
from shop.seller.filters import Filter
from shop.seller.today import today
from shop.seller.words import short_dong
from tests.shop.hands import BUYER, shelve
from tests.shop.test_checkout import text
from tests.shop.test_seller_work import SignIn, ordered
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.jobs.models import Job
from village.jobs.worker import work_off

COUNTS = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=366)


@pytest.fixture
def seller(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    """A browser in which the seller is signed in."""
    sign_in(client, "seller")
    return client


def at(day: str, hour: str = "10:00") -> Any:
    """The clock at a time of the village."""
    return clock.fixed(dt.datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=clock.VN))


def test_figures_add_up_by_day_channel_and_product(village: Village) -> None:
    half, kilo = shelve(village, 60, lot="A"), shelve(village, 60, lot="B", net=1000)
    assert half != kilo
    with at("2026-11-18", "23:59"):
        ordered(village, 9)
    with at("2026-11-19", "00:00"):
        ordered(village, 2)
        with write() as session:
            wanted = [Wanted(village.product("packs", net).id, 1) for net in (500, 1000)]
            services.place_in(session, wanted, BUYER, channel="live")
    with at("2026-11-20", "23:59"):
        ordered(village, 3)
        gone = ordered(village, 5)
        steps.cancel(village.actor("seller"), gone.id, "Đổi ý")
        found = figures(village.actor("seller"), 2)
        week = figures(village.actor("seller"), 7)
        nobodys = figures(village.actor("office-other"), 7)
    assert found.days == [
        (dt.date(2026, 11, 19), Sum(2, 4, 3 * 60_000 + 120_000)),
        (dt.date(2026, 11, 20), Sum(1, 3, 180_000)),
    ]
    assert found.channels == [("web", Sum(2, 5, 300_000)), ("live", Sum(1, 2, 180_000))]
    assert [(one.packs, one.dong) for _name, one in found.products] == [(6, 360_000), (1, 120_000)]
    assert found.total == Sum(3, 7, 480_000)
    assert len(week.days) == 7
    assert week.total == Sum(4, 16, 1_020_000)
    assert week.days[0] == (dt.date(2026, 11, 14), Sum())
    assert nobodys.total == Sum() and nobodys.products == []


def test_a_year_of_dear_packs_does_not_overflow(village: Village) -> None:
    shelve(village, 400, lot="A")
    with write() as session:
        for _ in range(3):
            wanted = [Wanted(village.product("packs", 500).id, 99, 1_000_000_000)]
            services.place_in(session, wanted, BUYER, channel="live")
    assert figures(village.actor("seller"), 365).total.dong == 3 * 99 * 10**9


def test_the_figures_page_tells_in_numbers_what_it_draws(seller: FlaskClient, village: Village) -> None:
    shelve(village, 60, lot="A")
    assert "chưa có đơn nào" in text(seller.get("/seller/figures"))
    ordered(village, 3)
    for days in ("7", "365", "x", "100000"):
        page = seller.get("/seller/figures", query_string={"days": days})
        assert page.status_code == 200
        assert page.text.count("<rect x=") == 1
        assert "180.000 đ" in text(page)
    assert "180 ng" in text(page) or "200 ng" in text(page)


@given(COUNTS)
def test_every_column_stands_on_the_ground_and_under_the_top(values: list[int]) -> None:
    chart = drawing.columns(values)
    assert len(chart.columns) == len(values)
    for value, column in zip(values, chart.columns, strict=True):
        assert (column.height > 0) is (value > 0)
        assert column.y + column.height == pytest.approx(chart.ground)
        assert column.y >= drawing.TOP - 0.1
        assert chart.left <= column.x and column.x + column.width <= chart.width + 0.1
    assert [level.value for level in chart.levels][-1] >= max(values)


@given(st.integers(min_value=0, max_value=10**15))
def test_a_scale_is_a_round_number_that_is_enough(value: int) -> None:
    found = drawing.round_up(value)
    assert found >= value
    assert re.fullmatch("[125]0*", str(found))
    assert found < 3 * max(value, 1)


def test_the_strand_is_looped_where_orders_wait() -> None:
    drawn = drawing.strand([3, 0, 1])
    assert drawn.path.count("C") == 2
    assert [knot.x for knot in drawn.knots] == [60, 180, 300]
    assert drawing.strand([0]).path.count("C") == 0


@pytest.mark.parametrize(
    ("dong", "said"),
    [(0, "0"), (999, "999"), (500_000, "500 ng"), (2_500_000, "2,5 tr"), (10**6, "1 tr"), (10**9, "1 tỷ")],
)
def test_money_beside_a_chart_is_short(app: object, dong: int, said: str) -> None:
    assert short_dong(dong) == said


def test_today_counts_what_waits_and_what_is_in_the_way(seller: FlaskClient, village: Village) -> None:
    lot = village.packs(units=12)
    actor = village.actor("seller")
    assert "Không có gì vướng" in text(seller.get("/seller"))
    first, second, third, fourth = (ordered(village) for _ in range(4))
    steps.confirm(actor, second.id)
    for step in (steps.confirm, steps.pick, steps.dispatch):
        step(actor, third.id)
        step(actor, fourth.id)
    with write() as session:
        session.execute(update(Shipment).where(Shipment.order_id == fourth.id).values(state="returned"))
        session.execute(
            update(Shipment)
            .where(Shipment.order_id == third.id)
            .values(state="delivered", carrier="ghn", cod_collected=60_000)
        )
        session.execute(update(Order).where(Order.id == first.id).values(payment="vietqr", payment_state="awaiting"))
        for coop in (actor.cooperative_id, village.actor("office-other").cooperative_id):
            session.add(PaymentPuzzle(cooperative_id=coop, kind=Puzzle.UNMATCHED, amount=1000))
    found = today(actor)
    assert {status.value: one.count for status, one in found.steps.items()} == {
        "placed": 1, "confirmed": 1, "picked": 0, "partly_dispatched": 0, "dispatched": 2,
    }  # fmt: skip
    assert (found.unpaid, found.puzzles, found.cod_out, found.parcels) == (1, 1, 60_000, 1)
    told = text(seller.get("/seller"))
    for words in (
        "1 khoản tiền cần xem",
        "1 kiện hàng đi không suôn sẻ",
        "Bên giao hàng còn giữ 60.000 đ",
        "1 đơn đang chờ chuyển tiền",
    ):
        assert words in told, words
    for words in ("1 Mới đặt", "1 Cần soạn", "0 Chờ gửi", "2 Đang đi"):
        assert words in told, words
    theirs = today(village.actor("office-other"))
    assert (theirs.unpaid, theirs.puzzles, theirs.cod_out, theirs.parcels) == (0, 1, 0, 0)
    assert sum(one.count for one in theirs.steps.values()) == 0
    assert lot


def table(village: Village, form: Form, wanted: Filter, who: str = "seller") -> list[list[Any]]:
    """What an export of these orders holds."""
    job = ask_for(village.actor(who), wanted, form)
    work_off()
    made = files.table(job.id, form).read_bytes()
    if form == "csv":
        return list(csv.reader(StringIO(made.decode("utf-8-sig")), delimiter=";"))
    return [list(row) for row in openpyxl.load_workbook(BytesIO(made)).worksheets[0].iter_rows(values_only=True)]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_table_has_every_line_once_and_sums_that_can_be_added_up(village: Village, form: Form) -> None:
    shelve(village, 60, lot="A")
    shelve(village, 60, lot="B", net=1000)
    evil = Buyer('=HYPERLINK("http://x","Lan")', "+84987654321", "@SUM(1+1)")
    with write() as session:
        wanted = [Wanted(village.product("packs", net).id, 2) for net in (500, 1000)]
        two = services.place_in(session, wanted, evil, channel="web")
    one = ordered(village, 3)
    ordered(village, 1, channel="live")
    head, *rows = table(village, form, Filter(channel="web"))
    assert head == headings()
    place = {name: number for number, name in enumerate(head)}
    assert [row[0] for row in rows] == [two.number, two.number, one.number]
    totals = [int(row[place["Cả đơn"]]) for row in rows if row[place["Cả đơn"]] not in (None, "")]
    assert sum(totals) == two.total + one.total
    assert sum(int(row[place["Thành tiền"]]) for row in rows) == two.total + one.total
    assert rows[2][place["Lô"]] == "A × 3"
    name = rows[0][place["Người nhận"]]
    assert name == (f"'{evil.name}" if form == "csv" else evil.name)
    if form == "csv":
        assert not any(str(cell).startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert table(village, form, Filter(), "office-other") == [head]


def test_a_table_is_fetched_by_who_asked_for_it_and_lies_for_a_day(
    client: FlaskClient, village: Village, sign_in: SignIn
) -> None:
    shelve(village, 60, lot="A")
    order = ordered(village)
    sign_in(client, "seller")
    sent = {"form": "xlsx", "status": "placed", "q": "Thử"}
    asked = client.post("/seller/orders/export", data=sent)
    assert asked.status_code == 303
    job = asked.location.rsplit("/", 1)[1]
    assert "Thử" not in str(db.session.get_one(Job, job).args)
    address = f"/seller/orders/export/{job}"
    assert client.get(address).status_code == 409
    work_off()
    fetched = client.get(address)
    assert fetched.status_code == 200
    assert order.number in str(
        [cell.value for cell in openpyxl.load_workbook(BytesIO(fetched.data)).worksheets[0]["A"]]
    )
    for username, status in (("seller-b", 404), ("office-other", 404), ("producer", 403), ("office", 200)):
        sign_in(client, username)
        assert client.get(address).status_code == status, username
    old = time.time() - files.KEPT - 60
    os.utime(files.table(job, "xlsx"), (old, old))
    files.tidy()
    assert client.get(address).status_code == 404
    assert client.post("/seller/orders/export", data={"form": "exe"}).status_code == 422
    assert client.get(f"/seller/orders/export/{order.id}").status_code == 404
    db.session.rollback()
