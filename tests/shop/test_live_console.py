import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from shop.live.sources.pasting import split_name
from tests.conftest import browser
from tests.support.desk import Desk
from tests.support.live import comment, reserved, shelf
from tests.support.village import Village
from village.db import db


@pytest.fixture
def desk(app: Flask, village: Village) -> Desk:
    shelf(village, 10)
    return Desk(app, village, codes={"MD01": {}, "MD02": {}})


def test_pasted_comments_become_orders_and_doubts_stand_on_top(desk: Desk) -> None:
    page = desk.paste("Lan: md01 x2 0912345678\nHoa: md0l x2\n\n  mai em chốt md01 2 gói\nLan: md02 x1\r\nđẹp quá")
    assert "Đã đọc 5 lời nhắn: 2 thành đơn, 2 cần bác xem." in page
    assert page.index("Cần bác xem") < page.index("md0l x2") < page.index("Đã nhận") < page.index("md02 x1")
    (order,) = desk.live.orders()
    assert (order.buyer_name, order.buyer_phone, reserved()) == ("Lan", "+84912345678", 3)


def test_a_paste_that_is_sent_twice_is_taken_once(desk: Desk) -> None:
    desk.paste("Lan: md01 x2\nLan: thêm 1 md01\nLan: thêm 1 md01")
    assert reserved() == 4
    desk.paste("Lan: md01 x2\nLan: thêm 1 md01\nLan: thêm 1 md01")
    assert reserved() == 4
    desk.paste("Lan: thêm 1 md01", "another form")
    assert reserved() == 5


def test_strangers_without_a_name_have_orders_of_their_own(desk: Desk) -> None:
    desk.paste("md01 x1\nmd01 x1")
    assert [order.buyer_name for order in desk.live.orders()] == [None, None]


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("Lan: md01 x2", "Lan", "md01 x2"),
        ("Nguyễn Thị Hoa : md01", "Nguyễn Thị Hoa", "md01"),
        ("md01: 2", "", "md01: 2"),
        ("chốt: md01", "", "chốt: md01"),
        ("sđt: 0912345678 md01", "", "sđt: 0912345678 md01"),
        ("https://example.com md01", "", "https://example.com md01"),
        ("md01 x2", "", "md01 x2"),
        ("Lan:", "", "Lan:"),
    ],
)
def test_a_pasted_line_may_begin_with_a_name(line: str, name: str, words: str) -> None:
    assert split_name(line) == (name, words)


def test_one_tap_makes_a_doubt_an_order(desk: Desk) -> None:
    desk.live.say("lan", "mai em chốt md01 2 gói")
    assert "2 × MD01" in desk.page() and "hẹn lúc khác" in desk.page()
    assert "Đã ghi 2 × MD01 vào đơn" in desk.tap("mai em chốt md01 2 gói", "confirm", lines="MD01:2")
    assert reserved() == 2 and "Cần bác xem" not in desk.page()
    (order,) = desk.live.orders()
    assert order.steps[0].member_id is not None


def test_of_two_helpers_on_one_comment_the_second_is_told(desk: Desk) -> None:
    desk.live.say("lan", "md0l x2")
    desk.tap("md0l x2", "confirm", code="md01", quantity="2")
    assert "vừa có người xem rồi" in desk.tap("md0l x2", "confirm", code="md01", quantity="2")
    assert "vừa có người xem rồi" in desk.tap("md0l x2", "dismiss", seen=1)
    assert reserved() == 2


def test_a_comment_is_dismissed_and_the_log_keeps_both_decisions(desk: Desk) -> None:
    said = desk.live.say("lan", "md0l x2")
    desk.tap("md0l x2", "dismiss")
    kept = desk.live.decisions(said["id"])
    assert [decision.decision for decision in kept] == ["review", "ignored"]
    assert [decision.decided_by is None for decision in kept] == [True, False]


def test_a_person_may_cancel_what_a_comment_only_hints_at(desk: Desk) -> None:
    desk.live.say("lan", "md01 x2")
    desk.live.say("lan", "huỷ md01 được không")
    assert "Bỏ MD01" in desk.page()
    assert "Đã bỏ 2 × MD01" in desk.tap("huỷ md01 được không", "back", code="MD01")
    assert reserved() == 0


def test_a_change_is_one_tap_and_gives_the_old_packs_back(desk: Desk) -> None:
    desk.live.say("lan", "bỏ md01 lấy md02")
    assert "1 × MD01, 1 × MD02" not in desk.page() and "lấy 1 × MD02" not in desk.page()
    desk.live.say("lan", "md01 x3")
    assert "Bỏ MD01, lấy 1 × MD02" in desk.page()
    desk.tap("bỏ md01 lấy md02", "confirm", lines="MD02:1", instead_of="MD01")
    (order,) = desk.live.orders()
    assert order.total == 65000 and reserved() == 1


def test_nothing_is_given_up_for_packs_that_are_not_there(desk: Desk) -> None:
    desk.live.say("lan", "md01 x3")
    desk.live.say("lan", "bỏ md01 lấy md02")
    page = desk.tap("bỏ md01 lấy md02", "confirm", lines="MD02:9", instead_of="MD01")
    assert "Chưa làm được: hết hàng" in page and reserved() == 3


def test_a_telephone_number_is_written_onto_the_order(desk: Desk) -> None:
    desk.live.say("lan", "md01 x2")
    assert "Số điện thoại chưa đúng" in desk.tap("md01 x2", "phone", phone="12")
    desk.tap("md01 x2", "phone", phone="0912 345 678")
    assert desk.live.orders()[0].buyer_phone == "+84912345678"
    again = desk.live.say("lan", "md02 x1 0912345678")
    assert again["decision"] == "order"


def test_what_a_person_confirms_past_the_stock_waits(desk: Desk) -> None:
    desk.live.say("lan", "md0l x11")
    assert "đã xếp vào hàng chờ: 11 × MD01" in desk.tap("md0l x11", "confirm", code="MD01", quantity="11")
    assert "Đang chờ hàng" in desk.page() and reserved() == 0


@pytest.mark.parametrize("form", [{"lines": "MD77:1"}, {"lines": "x"}, {"code": "MD01", "quantity": "0"}, {}])
def test_a_fix_that_makes_no_sense_changes_nothing(desk: Desk, form: dict[str, str]) -> None:
    desk.live.say("lan", "md0l x2")
    assert 'class="message warning"' in desk.tap("md0l x2", "confirm", 0, **form)
    assert reserved() == 0 and desk.live.orders() == []


def test_hostile_words_are_shown_and_do_nothing(desk: Desk) -> None:
    desk.live.say("lan", '<script>alert(1)</script> \u202emd01"><img src=x>', name="<b>\u202eLan</b>")
    for page in (desk.page(), desk.client.get(f"{desk.url}/list").get_data(as_text=True)):
        assert "<script>alert" not in page and "<img src=x" not in page and "<b>[U+" not in page
        assert "&lt;script&gt;" in page and "[U+202E]md01" in page and "\u202e" not in page


def test_the_fragment_says_what_the_page_says(desk: Desk) -> None:
    desk.live.say("lan", "md01 x2")
    desk.live.say("hoa", "md0l x2")
    page = desk.page()
    for part in ("live-tally", "live-codes", "live-look", "live-stream", "live-side"):
        assert desk.part(part) in page, part


def test_an_ended_livestream_takes_no_comments_but_lets_doubts_be_cleared(desk: Desk) -> None:
    sent = comment("lan", "md0l x2")
    desk.live.send([sent])
    assert "Phiên kết rồi" in desk.client.post(f"{desk.url}/end", follow_redirects=True).get_data(as_text=True)
    assert desk.live.send([comment("hoa", "md01")]).status_code == 409
    assert desk.live.send([sent]).json["results"][0]["decision"] == "duplicate"
    assert "không nhận thêm" in desk.paste("md01")
    desk.tap("md0l x2", "confirm", code="MD01", quantity="2")
    assert reserved() == 2


def test_a_new_livestream_begins_with_chosen_products(app: Flask, village: Village, client: FlaskClient) -> None:
    shelf(village, 10)
    village.sign_in(client, "seller")
    gtin = village.product("packs", 500).gtin
    assert "Chưa có phiên nào" in client.get("/seller/live").get_data(as_text=True)
    page = client.get("/seller/live/plan").get_data(as_text=True)
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key and f'name="code-{gtin}"' in page
    form = {"key": key[1], "title": "Tối nay", "platform": "tiktok", "now": "1"}
    form |= {f"code-{gtin}": "md01", f"price-{gtin}": "65.000"}
    refused = client.post("/seller/live", data={**form, f"limit-{gtin}": "ba"})
    assert refused.status_code == 422 and "Tối nay" in refused.get_data(as_text=True)
    empty = client.post("/seller/live", data={**form, f"code-{gtin}": "m"})
    assert empty.status_code == 422 and f'id="code-{gtin}-error"' in empty.get_data(as_text=True)
    first, second = (client.post("/seller/live", data=form) for _ in range(2))
    assert first.status_code == 303 and first.location == second.location
    assert "MD01" in client.get(first.location).get_data(as_text=True)


def test_only_the_host_and_her_office_see_a_livestream(app: Flask, village: Village) -> None:
    desk = Desk(app, village, "seller-b")
    for username, status in [("seller", 403), ("office-other", 403), ("seller-b", 200), ("office", 200)]:
        client = browser(app)
        village.sign_in(client, username)
        assert client.get(desk.url).status_code == status, username
        assert client.get(f"{desk.url}/list").status_code == status, username
        if status == 403:
            assert client.get(f"{desk.url}/after").status_code == 403
            assert client.get(f"{desk.url}/said?before=9").status_code == 403
            nobody = "01920000-0000-7000-8000-000000000000"
            taps = (f"comments/{nobody}/dismiss", f"offers/{nobody}/take", "told/ABCDEFGHJK")
            for what in ("paste", "pin", "pause", "go-on", "end", *taps):
                assert client.post(f"{desk.url}/{what}", data={"seen": 0, "comments": "md01"}).status_code == 403
    assert browser(app).get(desk.url).status_code == 302


def test_the_console_reads_in_a_fixed_number_of_statements(app: Flask, village: Village) -> None:
    shelf(village, 40)
    desk = Desk(app, village)
    counts = []
    for n in (1, 20):
        desk.live.send([comment(f"v{n}-{k}", "md01 x1" if k % 2 else "md0l x2") for k in range(n + 1)])
        counts.append(_statements(desk))
    assert counts[0] == counts[1] <= 20


def _statements(desk: Desk) -> int:
    """How many statements the console takes."""
    said: list[str] = []

    def listen(*args: Any) -> None:
        said.append(args[2])

    event.listen(db.engine, "before_cursor_execute", listen)
    desk.page()
    event.remove(db.engine, "before_cursor_execute", listen)
    return len(said)
