"""A livestream looked back at: what was said, sold and missed, and which slips can be printed."""

import datetime as dt
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from shop.live import evening as looking_back
from shop.live.pace import COLUMNS_MAX, span
from shop.orders import steps
from shop.orders.services import Buyer
from tests.support.desk import Desk
from tests.support.live import comment, shelf
from tests.support.village import Village
from village.db import db

START = dt.datetime(2026, 11, 20, 13, 0, 42, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("minutes", "step", "count"),
    [(0, 1, 1), (1, 1, 2), (59, 1, 60), (60, 2, 31), (119, 2, 60), (240, 5, 49), (60 * 24, 30, 49), (60 * 60, 120, 31)],
)
def test_a_session_of_any_length_is_drawn_in_at_most_sixty_columns(minutes: int, step: int, count: int) -> None:
    found = span(START, START + dt.timedelta(minutes=minutes))
    assert (found.minutes, found.columns) == (step, count) and found.columns <= COLUMNS_MAX
    assert found.starts()[0] == START.replace(second=0)


def test_a_moment_falls_into_its_own_column_and_a_wrong_clock_into_the_nearest() -> None:
    found = span(START, START + dt.timedelta(minutes=2))
    at = [START + dt.timedelta(seconds=seconds) for seconds in (0, 17, 18, 90, -9000, 90000)]
    assert found.fill([(moment, 1) for moment in at]) == [3, 1, 2]
    assert found.fill([(at[0], 5), (at[1], 2)]) == [7, 0, 0]
    assert found.fill([]) == [0, 0, 0]


@pytest.fixture
def desk(app: Flask, village: Village) -> Desk:
    shelf(village, 10)
    return Desk(app, village, codes={"MD01": {"limit": 5}, "MD02": {}})


def address_all(desk: Desk, village: Village) -> None:
    for order in desk.live.orders():
        buyer = Buyer("Người Mua", "+84912345678", "Số 2 phố Thử, Hà Nội")
        steps.set_buyer(village.actor("seller"), order.id, buyer)


def test_the_figures_are_those_of_the_evening(desk: Desk, village: Village) -> None:
    desk.live.say("lan", "md01 x3")
    desk.live.say("hoa", "md01 x2 md02 x1")
    desk.live.say("mai", "md01 x4")
    desk.live.say("mai", "md02 x1")
    desk.live.say("cuc", "md0l x1")
    desk.live.say("tu", "đẹp quá")
    desk.tap("md0l x1", "confirm", code="MD02", quantity="1")
    desk.post("end")
    db.session.rollback()
    found = looking_back.evening(village.actor("seller"), desk.live.id)
    assert (found.comments, found.viewers, found.buyers, found.orders, found.cancelled) == (6, 5, 4, 4, 0)
    assert found.conversion == 0.8 and (found.decided, found.by_hand) == (4, 1)
    assert [(one.code, one.packs, one.dong) for one in found.codes] == [("MD01", 5, 325_000), ("MD02", 3, 195_000)]
    assert [(one.code, one.packs) for one in found.missed] == [("MD01", 4)]
    assert (found.said.total, found.sold.total, found.packs, found.total) == (6, 8, 8, 520_000)
    page = desk.page("/after")
    assert "520.000\xa0đ" in page and "80\xa0%" in page and "Lỡ vì hết hàng" in page and "4 gói" in page
    assert page.count('class="chart"') == 2


def test_a_yes_to_what_was_kept_for_her_sells_nothing_twice(desk: Desk, village: Village) -> None:
    desk.live.say("lan", "md01 x5")
    assert desk.live.say("hoa", "thêm 2 md01")["decision"] == "waitlist"
    desk.live.say("lan", "huỷ md01")
    # What she wrote before, and what came late: it asks for no more than she has by now.
    yes = desk.live.say("hoa", "md01 x2", seconds=-30)
    assert (yes["decision"], yes["reason"], yes["lines"][0]["kept"]) == ("order", "offer-taken", True)
    db.session.rollback()
    found = looking_back.evening(village.actor("seller"), desk.live.id)
    # Seven were ordered, five of them given back.
    assert (found.sold.total, found.packs, found.decided) == (7, 2, 2)


def test_a_cancelled_order_counts_as_such_and_its_buyer_no_more(desk: Desk, village: Village) -> None:
    desk.live.say("lan", "md01 x3")
    desk.live.say("hoa", "md01 x1")
    desk.live.say("lan", "huỷ md01")
    db.session.rollback()
    found = looking_back.evening(village.actor("seller"), desk.live.id)
    assert (found.orders, found.cancelled, found.buyers, found.packs) == (1, 1, 1, 1)


def test_slips_are_printed_for_all_that_can_be_sent_so_many_at_once(
    desk: Desk, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_back, "SLIPS_MOST", 2)
    desk.live.send([comment(f"v{n}", "md01") for n in range(3)])
    page = desk.page("/after")
    assert "Chưa có đơn nào đủ nơi nhận" in page and "3 đơn khách chưa ghi nơi nhận" in page
    address_all(desk, village)
    page = desk.page("/after")
    assert "3 đơn đủ nơi nhận" in page and "Chưa biết gửi đâu" not in page
    links = re.findall(r'href="(/seller/slips\?[^"]+)"', page)
    orders = [order for link in links for order in parse_qs(urlsplit(link.replace("&amp;", "&")).query)["order"]]
    assert len(links) == 2 and orders == [order.id for order in desk.live.orders()]
    slips = desk.client.get(links[0].replace("&amp;", "&")).get_data(as_text=True)
    assert slips.count('<article class="slip') == 2


def test_a_livestream_in_which_nobody_spoke_is_looked_back_at_as_well(desk: Desk) -> None:
    assert "chưa có lời nhắn nào" in desk.page("/after")


def test_who_is_reminded_after_the_session_is_told_on_that_page(desk: Desk) -> None:
    desk.live.say("lan", "md01", name="Lan")
    page = desk.page("/after")
    told = re.search(r"/told/(\w{10})", page)
    assert told and "Lan ơi" in page
    answer = desk.client.post(f"{desk.url}/told/{told[1]}", data={"back": "after"})
    assert answer.location == f"{desk.url}/after"
    db.session.rollback()
    assert f"/told/{told[1]}" not in desk.page("/after")
