"""What the console's script asks for: whether anything moved, and only then what."""

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.live.models import LiveClaim, LiveCode, LiveOffer, LiveSession, LiveWait
from shop.live.spoken import LOOK_MAX, STREAM_MAX
from shop.orders.services import Buyer, place
from tests.support.desk import Desk
from tests.support.live import comment, shelf
from tests.support.village import Village
from village import clock
from village.db import db, write


@pytest.fixture
def desk(app: Flask, village: Village) -> Desk:
    shelf(village, 10)
    return Desk(app, village, codes={"MD01": {"limit": 8}, "MD02": {}})


def claim_of(desk: Desk, author: str) -> LiveClaim:
    db.session.rollback()
    return db.session.query(LiveClaim).filter_by(session_id=desk.live.id, author_id=author).one()


class Eye:
    """The script's: asks again with what it has."""

    def __init__(self, desk: Desk) -> None:
        self.client: FlaskClient = desk.client
        self.url = f"{desk.url}/list"
        self.etag = ""

    def moved(self) -> bool:
        answer = self.client.get(self.url, headers={"If-None-Match": self.etag})
        assert answer.status_code in (200, 304)
        assert (answer.status_code == 304) == (answer.data == b"")
        self.etag = answer.headers["ETag"]
        return answer.status_code == 200

    def moved_once(self) -> bool:
        """It moved, and then no more; but once a minute it is always sent."""
        return self.moved() and not (self.moved() and self.moved())


def test_what_is_as_before_is_not_sent_again_and_every_change_is(desk: Desk, village: Village) -> None:
    eye = Eye(desk)
    assert eye.moved_once()
    desk.live.say("lan", "md01 x2")
    assert eye.moved_once()
    desk.live.say("hoa", "md0l x1")
    assert eye.moved()
    desk.tap("md0l x1", "dismiss")
    assert eye.moved_once()
    desk.post("pin", code="MD02")
    assert eye.moved_once()
    buyer = Buyer("Người Mua", "+84912345670", "Hà Nội")
    place(None, [(village.product("packs", 500).gtin, 1)], buyer, channel="web", idempotency_key="shelf")
    assert eye.moved_once()
    desk.post(f"told/{claim_of(desk, 'lan').code}")
    assert eye.moved_once()
    assert "Đang nghỉ" in desk.post("pause") or "đang nghỉ" in desk.page()
    assert eye.moved()


def test_it_is_sent_again_in_another_language_and_zipped(desk: Desk) -> None:
    eye = Eye(desk)
    assert eye.moved()
    other = desk.client.get(f"{eye.url}?lang=en", headers={"If-None-Match": eye.etag, "Accept-Encoding": "gzip"})
    assert other.status_code == 200 and other.headers["Content-Encoding"] == "gzip"


def test_only_so_many_doubts_stand_before_her_and_what_is_cleared_makes_room(desk: Desk) -> None:
    desk.live.send([comment(f"v{n}", f"md0l x{n + 1}") for n in range(LOOK_MAX + 2)])
    look = desk.part("live-look")
    assert look.count("data-key=") == LOOK_MAX and "Còn 2 lời nữa" in look
    assert "md0l x1<" in look and f"md0l x{LOOK_MAX + 1}<" not in look
    desk.tap("md0l x1", "dismiss")
    look = desk.part("live-look")
    assert "md0l x1<" not in look and f"md0l x{LOOK_MAX + 1}<" in look and "Còn 1 lời nữa" in look
    assert f"<b>{LOOK_MAX + 1}</b> cần xem" in desk.page()


def test_older_comments_are_a_page_further_each_once(desk: Desk) -> None:
    count = 2 * STREAM_MAX + 5
    for start in range(0, count, 100):
        desk.live.send([comment("lan", f"đẹp quá {n}") for n in range(start, min(start + 100, count))])
    seen: list[str] = []
    page = desk.page()
    for _ in range(4):
        seen += re.findall(r"đẹp quá (\d+)<", page)
        older = re.search(r"said\?before=(\d+)", page)
        if older is None:
            break
        page = desk.page(f"/said?before={older[1]}")
    assert [int(number) for number in seen] == list(reversed(range(count)))
    assert desk.client.get(f"{desk.url}/said?before=lan").status_code == 422


def test_a_paused_livestream_shows_what_it_keeps_and_decides_it_when_it_goes_on(desk: Desk) -> None:
    page = desk.post("pause")
    assert "Chạy tiếp" in page and "Tạm nghỉ" not in page
    desk.live.say("lan", "md01 x2")
    stream = desk.part("live-stream")
    assert 'data-decision="kept"' in stream and "giữ lại" in stream and desk.live.orders() == []
    assert "Đang live" in desk.post("go-on")
    assert 'data-decision="order"' in desk.part("live-stream")
    assert [order.total for order in desk.live.orders()] == [130_000]


def test_a_product_is_pinned_and_let_go_and_no_other_code_can_be(desk: Desk) -> None:
    assert "Đang ghim MD02: ai gõ" in desk.post("pin", code="md02")
    assert "không bán trong phiên này" in desk.post("pin", code="MD77")
    assert "Đang ghim MD02: ai gõ" in desk.page()
    assert "Đang ghim" not in desk.part("live-codes") or 'aria-pressed="true"' in desk.part("live-codes")
    assert "Thôi ghim" in desk.post("pin", code="")
    assert 'aria-pressed="true"' not in desk.part("live-codes")


def test_the_bar_of_a_code_tells_taken_kept_and_left_within_its_limit(desk: Desk) -> None:
    desk.live.say("lan", "md01 x2")
    first = desk.part("live-codes").split("</li>")[0]
    assert "còn 6" in first and "đã nhận 2" in first and "tối đa 8" in first
    assert '<rect class="taken" width="25.0"' in first
    desk.live.say("hoa", "md01 x6")
    assert "hết" in desk.part("live-codes").split("</li>")[0] and "<b>2</b> sắp hết" in desk.part("live-tally")


def test_a_new_order_is_told_with_its_link_then_reminded_when_time_runs_out(desk: Desk) -> None:
    desk.live.say("lan", "md01 x2", name="Lan")
    claim = claim_of(desk, "lan")
    side = desk.part("live-side")
    assert f"/c/{claim.code}" in side and "2 × MD01, 130.000\xa0đ" in side and "Lan ơi" in side
    assert "báo khách rồi" in desk.post(f"told/{claim.code}")
    assert claim.code not in desk.part("live-side")
    with write() as session:
        row = session.get_one(LiveClaim, claim.code)
        row.until = clock.now() + dt.timedelta(hours=1)
    side = desk.part("live-side")
    assert "sắp hết giờ" in side and "Đã nhắc rồi" in side
    desk.post(f"told/{claim.code}")
    assert claim.code not in desk.part("live-side")
    assert claim_of(desk, "lan").reminded_at is not None


def test_a_link_of_another_livestream_cannot_be_told_here(desk: Desk, app: Flask, village: Village) -> None:
    other = Desk(app, village, "seller-b")
    other.live.say("lan", "md01")
    code = claim_of(other, "lan").code
    assert desk.client.post(f"{desk.url}/told/{code}").status_code == 404
    assert claim_of(other, "lan").told_at is None


def test_packs_kept_for_the_next_in_the_queue_are_hers_by_a_tap(desk: Desk) -> None:
    desk.live.say("lan", "md01 x8")
    desk.live.say("hoa", "md01 x3", name="Hoa")
    desk.live.say("lan", "huỷ md01")
    look = desk.part("live-look")
    assert "đang giữ chỗ" in look and "Hoa" in look and "3 × MD01" in look
    db.session.rollback()
    (offer,) = db.session.query(LiveOffer).all()
    assert "giữ luôn rồi" in desk.post(f"offers/{offer.wait_id}/take")
    db.session.rollback()
    assert [one.state for one in db.session.query(LiveOffer)] == ["taken"]
    assert "đang giữ chỗ" not in desk.part("live-look")
    assert "hết giờ hoặc khách lấy rồi" in desk.post(f"offers/{offer.wait_id}/take")


def test_an_offer_of_another_livestream_cannot_be_taken_here(desk: Desk, app: Flask, village: Village) -> None:
    other = Desk(app, village, "seller-b", codes={"MD01": {"limit": 2}})
    other.live.say("lan", "md01 x2")
    other.live.say("hoa", "md01 x2")
    other.live.say("lan", "huỷ md01")
    db.session.rollback()
    (offer,) = db.session.query(LiveOffer).all()
    for address in (f"offers/{offer.wait_id}/take", "offers/nobody/take"):
        assert desk.client.post(f"{desk.url}/{address}").status_code == 404
    db.session.rollback()
    assert [one.state for one in db.session.query(LiveOffer)] == ["open"]


def test_a_planned_livestream_has_no_console_to_speak_to_yet(desk: Desk) -> None:
    with write() as session:
        session.get_one(LiveSession, desk.live.id).status = "planned"
    page = desk.page()
    assert "còn đang soạn" in page and "Dán lời nhắn vào đây" not in page
    assert "chưa mở" in desk.post("pause") and "chưa mở" in desk.post("end")


def test_only_the_head_of_a_long_queue_is_shown(desk: Desk) -> None:
    desk.live.say("lan", "md01 x8")
    desk.live.send([comment(f"v{n}", "md01 x9") for n in range(33)])
    db.session.rollback()
    assert db.session.query(LiveWait).join(LiveCode).filter(LiveWait.state == "waiting").count() == 33
    side = desk.part("live-side")
    assert side.count("9 × MD01") == 30 and "và 3 người nữa" in side
