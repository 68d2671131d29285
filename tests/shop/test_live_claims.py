"""A viewer's own link: what she sees there, how she makes her order whole, and what becomes of it when she does not."""

import datetime as dt
import itertools
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from shop.live import offers, services
from shop.live.claims import ending, keys
from shop.live.claims.views import MISSES
from shop.live.models import LiveClaim, LiveCode, LiveHold, LiveJoined, LiveOffer, LiveSession
from shop.orders import steps
from shop.payments.models import Payment
from shop.rights import exporting, forgetting
from tests.conftest import browser
from tests.shop.hands import BUYER, at_once, faults, shelve
from tests.shop.test_checkout import hidden, text
from tests.shop.test_hostile_doors import HOSTILE
from tests.shop.test_mails import mails
from tests.shop.test_refusals import ended
from tests.shop.working import part, take_transfers
from tests.shop.working import send as parcel
from tests.support.live import Live, reserved
from tests.support.village import Village
from trace.gs1.lots import READABLE
from village import clock
from village.db import db, write
from village.jobs.worker import work_off

HER = {
    "name": "Nguyễn Thị Thử", "phone": "0912 345 679", "province": "Hà Nội", "ward": "phường Thử",
    "address": "Số 1 phố Thử",
}  # fmt: skip


@pytest.fixture
def live(app: Flask, village: Village) -> Live:
    shelve(village, 3, lot="A")
    return Live(app, village)


def claim(live: Live, author: str = "lan") -> LiveClaim:
    """Her link, read afresh."""
    db.session.rollback()
    mine = (LiveClaim.session_id == live.id, LiveClaim.author_id == author)
    return db.session.scalars(select(LiveClaim).where(*mine).execution_options(populate_existing=True)).one()


def path(live: Live, author: str = "lan") -> str:
    return f"/c/{claim(live, author).code}"


def send(client: FlaskClient, url: str, **typed: str) -> Any:
    """Fill in the form of her page as it stands."""
    page = client.get(url)
    assert page.status_code == 200
    return client.post(url, data={"payment": "cod", **hidden(page), **HER, **typed})


def passed(live: Live, author: str = "lan") -> None:
    """Her time is over."""
    with write() as session:
        mine = (LiveClaim.session_id == live.id, LiveClaim.author_id == author)
        session.execute(update(LiveClaim).where(*mine).values(until=clock.now() - dt.timedelta(seconds=1)))


def swept() -> None:
    """A round of the jobs' sweeper."""
    db.session.remove()
    ending.see_to_it()
    work_off()


def test_who_gets_packs_or_waits_has_one_link_and_only_packs_have_a_time(live: Live) -> None:
    live.say("lan", "md01 x2")
    before = claim(live)
    assert before.until is not None
    live.say("lan", "thêm 1 md01")
    live.say("hoa", "md01 x2")
    assert claim(live).code == before.code
    assert claim(live, "hoa").until is None
    assert set(before.code) <= set(READABLE) and len(before.code) == keys.CODE_LENGTH
    live.say("nga", "đẹp quá")
    assert len(db.session.scalars(select(LiveClaim)).all()) == 2


@pytest.mark.slow_once
def test_her_page_shows_her_packs_and_until_when_they_are_kept(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x2")
    with write() as session:
        session.execute(update(LiveClaim).values(until=dt.datetime(2099, 11, 22, 13, 15, tzinfo=dt.UTC)))
    answer = client.get(path(live).lower())
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert '<meta name="robots" content="noindex">' in answer.text
    read = text(answer)
    assert "2 × " in read and "130.000 đ" in read
    assert "Mình giữ cho bác tới 20:15, 22/11/2099." in read
    assert "Phần của bác Lan" in read


def test_who_waits_sees_her_place(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x3")
    live.say("hoa", "md01 x2")
    live.say("nga", "md01 x1")
    read = text(client.get(path(live, "nga")))
    assert "thứ 2 trên 2" in read
    assert "Chốt đơn này" not in read, "there is nothing to send yet"
    assert "thứ 1 trên 2" in text(client.get(path(live, "hoa")))


def test_she_says_where_it_goes_and_it_is_done_once(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x2")
    url = path(live)
    sent = {"payment": "cod", **hidden(client.get(url)), **HER, "note": "Gọi trước giúp"}
    answer = client.post(url, data=sent)
    (order,) = live.orders()
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.token}")
    again = client.post(url, data={**sent, "address": "Nơi khác"})
    assert (again.status_code, again.location) == (303, f"/orders/{order.token}")
    (order,) = live.orders()
    assert (order.buyer_name, order.buyer_phone, order.buyer_address) == (HER["name"], "+84912345679", HER["address"])
    assert (order.payment, order.delivery, order.note, order.total) == ("cod", "hand", "Gọi trước giúp", 130_000)
    assert [step.what for step in order.steps] == ["placed", "addressed", "arranged"]
    assert claim(live).until is None and claim(live).claimed_at is not None
    assert f"Đơn {order.number}" in text(client.get(url))
    assert "Nguyễn Thị Thử" in text(client.get(f"/orders/{order.token}"))


@pytest.mark.slow_once
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x2")
    answer = send(client, path(live), phone="12", note="Gọi trước")
    assert answer.status_code == 422
    assert 'value="Nguyễn Thị Thử"' in answer.text and "Gọi trước" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert not live.orders()[0].sendable


def test_paid_ahead_it_has_the_shops_deadline_and_more_packs_are_another_order(
    client: FlaskClient, village: Village, live: Live
) -> None:
    take_transfers(village)
    live.say("lan", "md01 x2")
    answer = send(client, path(live), payment="vietqr", email="lan@example.vn")
    assert answer.status_code == 303
    (order,) = live.orders()
    assert (order.payment, order.payment_state.value) == ("vietqr", "awaiting")
    assert order.hold_until is not None
    payment = db.session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
    assert (payment.amount, payment.expires_at) == (130_000, order.hold_until)
    assert "Chuyển khoản" in text(client.get(answer.location))
    assert "Chờ bác trả tiền" in text(client.get(path(live)))
    [mail] = mails()
    assert mail.subject == f"Đơn {order.number}: đã nhận đơn"
    live.say("lan", "thêm 1 md01")
    first, second = live.orders()
    assert (first.total, second.total) == (130_000, 65_000)
    assert claim(live).until is not None
    assert faults() == []


@pytest.mark.slow_once
def test_what_changed_while_she_wrote_is_shown_first(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x1")
    url = path(live)
    sent = {"payment": "cod", **hidden(client.get(url)), **HER}
    live.say("lan", "thêm 1 md01")
    answer = client.post(url, data=sent)
    assert answer.status_code == 409
    assert "Đơn vừa đổi trong lúc bác ghi" in text(answer) and "130.000 đ" in text(answer)
    assert 'value="Nguyễn Thị Thử"' in answer.text
    assert not live.orders()[0].sendable
    assert client.post(url, data={"payment": "cod", **hidden(answer), **HER}).status_code == 303


@pytest.mark.slow_once
def test_a_dearer_delivery_than_shown_is_asked_again(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x1")
    url = path(live)
    sent = {"payment": "cod", **hidden(client.get(url)), **HER}
    answer = client.post(url, data={**sent, "fee": "hand:-1"})
    assert answer.status_code == 409 and "Cước giao về Hà Nội" in text(answer)
    assert not live.orders()[0].sendable


@pytest.mark.slow_once
def test_who_is_asked_to_pay_ahead_is_told_so_and_may_object(client: FlaskClient, village: Village, live: Live) -> None:
    shelve(village, 3, lot="B")
    take_transfers(village)
    ended(village, "refused", "refused", "refused", phone="+84912345679")
    live.say("lan", "md01 x1")
    url = path(live)
    answer = send(client, url)
    assert answer.status_code == 409 and "xin bác trả trước" in text(answer)
    assert 'value="cod"' not in answer.text and "Bác thấy chưa đúng thì nhắn lại" in text(answer)
    assert not live.orders()[0].sendable
    assert client.post(url, data={**hidden(answer), **HER}).status_code == 303
    assert live.orders()[0].payment == "vietqr"


def offered(live: Live) -> LiveOffer:
    """Hoa waited for two packs, and they came back."""
    live.say("lan", "md01 x3")
    live.say("hoa", "md01 x2")
    live.say("lan", "huỷ md01")
    db.session.rollback()
    return db.session.scalars(select(LiveOffer)).one()


def state() -> str:
    """How the one offer stands."""
    db.session.rollback()
    return db.session.scalars(select(LiveOffer.state)).one()


def test_packs_that_came_back_are_hers_when_she_says_yes(client: FlaskClient, live: Live) -> None:
    offer = offered(live)
    url = path(live, "hoa")
    page = client.get(url)
    assert "Tới lượt bác rồi" in text(page)
    assert f'data-until="{offer.until.isoformat()}"' in page.text
    answer = client.post(f"{url}/take", data={"offer": offer.wait_id})
    assert answer.status_code == 303
    assert state() == "taken"
    assert client.post(f"{url}/take", data={"offer": offer.wait_id}).status_code == 409
    assert "Tới lượt" not in text(client.get(url))


@pytest.mark.slow_once
def test_nobody_says_yes_for_another_nor_too_late(client: FlaskClient, live: Live) -> None:
    offer = offered(live)
    live.say("lan", "md01 x1")
    assert client.post(f"{path(live)}/take", data={"offer": offer.wait_id}).status_code == 409
    with write() as session:
        session.execute(update(LiveOffer).values(until=clock.now()))
    answer = client.post(f"{path(live, 'hoa')}/take", data={"offer": offer.wait_id})
    assert answer.status_code == 409 and "Hết giờ giữ mấy gói ấy" in text(answer)


@pytest.mark.slow_once
def test_who_says_no_thanks_gives_her_packs_to_the_next_at_once_and_once(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x3")
    live.say("hoa", "md01 x2", id="hoa")
    live.say("nga", "md01 x2", id="nga")
    live.say("lan", "huỷ md01")
    db.session.rollback()
    (offer,) = db.session.scalars(select(LiveOffer))
    url = path(live, "hoa")
    assert "Thôi, nhường người sau" in client.get(url).text
    assert client.post(f"{path(live, 'nga')}/decline", data={"offer": offer.wait_id}).status_code == 409
    assert client.post(f"{url}/decline", data={"offer": "x"}).status_code == 409
    assert len(live.decisions("hoa")) == 2
    for _again in range(2):
        answer = client.post(f"{url}/decline", data={"offer": offer.wait_id}, follow_redirects=True)
        assert answer.status_code == 200 and "nhường người sau rồi" in text(answer)
    assert [(d.decision.value, d.reason) for d in live.decisions("hoa")[1:]] == [
        ("order", "promoted"), ("cancel", "offer-declined"),
    ]  # fmt: skip
    db.session.rollback()
    states = {one.wait.comment.author_id: one.state for one in db.session.scalars(select(LiveOffer))}
    assert (states, reserved(), faults()) == ({"hoa": "lapsed", "nga": "open"}, 2, [])
    theirs = db.session.scalars(select(LiveOffer).where(LiveOffer.state == "open")).one().wait_id
    assert client.post(f"{path(live, 'nga')}/take", data={"offer": theirs}).status_code == 303
    assert client.post(f"{path(live, 'nga')}/decline", data={"offer": theirs}).status_code == 409
    assert reserved() == 2


def test_giving_the_address_takes_what_was_offered(client: FlaskClient, live: Live) -> None:
    offered(live)
    assert send(client, path(live, "hoa")).status_code == 303
    assert state() == "taken"
    with write() as session:
        session.execute(update(LiveOffer).values(until=clock.now()))
    offers.lapse_due()
    assert reserved() == 2


def test_what_nobody_claimed_goes_to_who_waits(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x2", id="hers")
    live.say("hoa", "md01 x3")
    url = path(live)
    passed(live)
    swept()
    lans, hoas = live.orders()
    assert (lans.status.value, hoas.status.value) == ("cancelled", "placed")
    assert lans.steps[-1].note == ending.UNCLAIMED
    last = live.decisions("hers")[-1]
    assert (last.decision.value, last.reason, last.lines[0]["quantity"]) == ("cancel", "unclaimed", 2)
    assert claim(live).until is None and claim(live, "hoa").until is not None
    assert reserved() == 3 and faults() == []
    assert "hàng sang người đang chờ" in text(client.get(url))
    live.say("lan", "md01 x1")
    assert claim(live).until is None, "she waits again, and has nothing to claim"


@pytest.mark.slow_once
def test_after_the_end_the_queue_still_moves_up(village: Village, live: Live) -> None:
    live.say("lan", "md01 x3")
    live.say("hoa", "md01 x1")
    services.end(village.actor("seller"), live.id)
    passed(live)
    swept()
    assert [order.live_author for order in live.orders() if order.status.value == "placed"] == ["hoa"]


@pytest.mark.slow_once
def test_whoever_opens_the_link_after_its_time_is_told_so(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x2")
    url = path(live)
    sent = {"payment": "cod", **hidden(client.get(url)), **HER}
    passed(live)
    answer = client.post(url, data=sent)
    assert answer.status_code == 409 and "Đơn đã huỷ" in text(answer)
    assert reserved() == 0


@pytest.mark.slow_once
def test_an_order_whose_address_the_seller_wrote_is_left_alone(village: Village, live: Live) -> None:
    live.say("lan", "md01 x2")
    steps.set_buyer(village.actor("seller"), live.orders()[0].id, BUYER)
    passed(live)
    swept()
    assert live.orders()[0].status.value == "placed"
    assert claim(live).until is None


def test_who_leaves_a_mail_address_is_reminded_once(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x2")
    live.say("hoa", "md01 x1")
    url = path(live)
    assert client.post(f"{url}/remind", data={"remind": "no address"}).status_code == 422
    assert client.post(f"{url}/remind", data={"remind": "Lan@Example.VN"}).status_code == 303
    swept()
    assert mails() == [], "there is time yet"
    with write() as session:
        session.execute(update(LiveClaim).values(until=clock.now() + dt.timedelta(hours=5)))
    swept()
    swept()
    [mail] = mails()
    assert mail.to == "lan@example.vn" and f"/c/{claim(live).code}" in str(mail.body)
    assert "Lan" not in str(mail.body)
    assert claim(live).reminded_at is not None and claim(live, "hoa").reminded_at is None


def test_who_left_a_mail_address_is_written_to_when_her_own_word_calls_her_order_off(
    client: FlaskClient, live: Live
) -> None:
    live.say("lan", "md01 x2")
    number = live.orders()[0].number
    client.post(f"{path(live)}/remind", data={"remind": "lan@example.vn"})
    assert live.say("lan", "hủy md01")["decision"] == "cancel"
    work_off()
    [mail] = mails()
    assert mail.subject == f"Đơn {number}: đã huỷ" and faults() == []


def test_a_number_that_comes_when_part_of_her_order_has_left_is_kept_for_the_next(
    client: FlaskClient, village: Village, live: Live
) -> None:
    live.say("lan", "md01 x2")
    send(client, path(live))
    order_id = live.orders()[0].id
    steps.confirm(village.actor("seller"), order_id)
    steps.pick(village.actor("seller"), order_id)
    parcel(village, order_id, [part(order_id, 1)])
    said = live.say("lan", "sđt em 0987654321")
    assert (said["decision"], said["reason"]) == ("ignored", "phone-kept")
    assert live.orders()[0].buyer_phone == "+84912345679"


def two(app: Flask, village: Village) -> tuple[Live, Live]:
    """Lan ordered a pack in a session that has ended, and one at another price in one that runs."""
    one = Live(app, village)
    one.say("lan", "md01 x1 0912345679")
    services.end(village.actor("seller"), one.id)
    other = Live(app, village, codes={"MX09": {"price": 60_000}, "MD01": {}})
    other.say("lan anh", "mx09 x1")
    return one, other


def counted(*lives: Live) -> list[int]:
    """What the codes of these sessions count as taken."""
    db.session.rollback()
    rows = select(LiveCode.taken).where(LiveCode.session_id.in_([live.id for live in lives]))
    return list(db.session.scalars(rows.order_by(LiveCode.session_id, LiveCode.position)))


def test_two_sessions_go_in_one_parcel(app: Flask, client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    one, other = two(app, village)
    assert send(client, path(one)).status_code == 303
    url = path(other, "lan anh")
    answer = client.post(f"{url}/join", data={"link": f"https://soi.example{path(one)}?fbclid=1"})
    assert answer.status_code == 303
    (gone,), (whole,) = one.orders(), other.orders()
    assert (gone.status.value, gone.total, gone.lines) == ("cancelled", 0, [])
    assert sorted((line.unit_price, line.quantity) for line in whole.lines) == [(60_000, 1), (65_000, 1)]
    assert (whole.total, whole.buyer_address, whole.buyer_phone) == (125_000, HER["address"], "+84912345679")
    assert reserved() == 2 and faults() == []
    holds = db.session.scalars(select(LiveHold).where(LiveHold.quantity > 0)).all()
    (joined,) = db.session.scalars(select(LiveJoined))
    assert [hold.order_id for hold in holds] == [joined.order_id] == [whole.id]
    assert claim(other, "lan anh").until is None
    assert url in client.get(path(one)).text, "the other link leads here"
    other.say("lan anh", "thêm 1 md01")
    assert (reserved(), len(other.orders()), faults()) == (3, 1, [])
    passed(other, "lan anh")
    swept()
    assert reserved() == 3, "it has an address"
    assert counted(one, other) == [1, 1, 1]
    steps.cancel(village.actor("seller"), other.orders()[0].id, "khách đổi ý")
    other.say("mai", "đẹp quá md01 ơi")
    swept()
    assert (reserved(), counted(one)) == (0, [0]), "what the ended session counted is given back there"


@pytest.mark.slow_once
def test_the_same_product_at_the_same_price_becomes_one_line(app: Flask, client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    one, other = two(app, village)
    other.say("lan anh", "thêm 2 md01")
    assert client.post(f"{path(other, 'lan anh')}/join", data={"link": path(one)}).status_code == 303
    (whole,) = other.orders()
    assert sorted((line.unit_price, line.quantity) for line in whole.lines) == [(60_000, 1), (65_000, 3)]
    assert reserved() == 4 and faults() == []
    assert claim(other, "lan anh").until is not None and not whole.sendable
    other.say("lan anh", "huỷ md01")
    (whole,) = other.orders()
    assert sorted((line.unit_price, line.quantity) for line in whole.lines) == [(60_000, 1), (65_000, 1)]
    passed(other, "lan anh")
    swept()
    assert reserved() == 0 and faults() == []


@pytest.mark.slow_once
def test_what_cannot_be_one_order_stays_two(app: Flask, client: FlaskClient, village: Village) -> None:
    shelve(village, 5, lot="A")
    one, other = two(app, village)
    here, there = path(other, "lan anh"), path(one)

    def refusal(link: str, url: str = here) -> str:
        answer = client.post(f"{url}/join", data={"link": link})
        assert answer.status_code in (404, 409, 422)
        return text(answer)

    assert "của chính phiên này" in refusal(here)
    assert "còn đang bán" in refusal(here, there)
    assert "Không có đường dẫn này" in refusal("https://soi.example/c/AAAAAAAAAA")
    assert "dán cả đường dẫn" in refusal("  ")
    theirs = village.actor("office-other").cooperative_id
    with write() as session:
        before = session.get_one(LiveSession, one.id).cooperative_id
        session.execute(update(LiveSession).where(LiveSession.id == one.id).values(cooperative_id=theirs))
    assert "hai nơi bán" in refusal(there)
    with write() as session:
        session.execute(update(LiveSession).where(LiveSession.id == one.id).values(cooperative_id=before))
    (order,) = one.orders()
    steps.set_buyer(village.actor("seller"), order.id, BUYER)
    steps.confirm(village.actor("seller"), order.id)
    assert "không còn đơn nào chưa trả tiền" in refusal(there)
    assert [len(live.orders()[0].lines) for live in (one, other)] == [1, 1]


@pytest.mark.slow_once
def test_links_are_not_found_by_trying(app: Flask, live: Live) -> None:
    live.say("lan", "md01 x1")
    right, client = path(live), browser(app)
    assert client.get("/c/short").status_code == 404
    for _ in range(MISSES - 1):
        assert client.get("/c/AAAAAAAAAA").status_code == 404
    assert client.get(right).status_code == 429
    client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert client.get(right).status_code == 200


@pytest.mark.slow_once
def test_another_sites_page_cannot_act_with_a_link(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x1")
    url = path(live)
    sent = {"payment": "cod", **hidden(client.get(url)), **HER}
    answer = client.post(url, data=sent, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and not live.orders()[0].sendable


@pytest.mark.slow_once
def test_values_that_nobody_means_are_refused_in_words(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x1")
    url = path(live)
    names = [*HER, "email", "note", "order", "goods", "fee", "delivery", "payment", "offer", "link", "remind"]
    for value in HOSTILE:
        for door in ("", "/take", "/decline", "/join", "/remind"):
            answer = client.post(url + door, data={**dict.fromkeys(names, value), "order": live.orders()[0].id})
            assert 400 <= answer.status_code < 500, (door, value)
    assert not live.orders()[0].sendable and faults() == []


@pytest.mark.slow_once
def test_a_hostile_name_and_hostile_words_are_only_shown(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x1 <script>alert(1)</script>", name="<b>\u202eLan")
    page = client.get(path(live)).text
    assert "<script>alert" not in page and "<b>" not in re.sub(r"<b class.*?</b>", "", page).split("<form")[0]
    assert "\u202e" not in page


def test_her_link_is_told_with_her_data_and_forgotten_with_her(client: FlaskClient, live: Live) -> None:
    live.say("lan", "md01 x1")
    url = path(live)
    send(client, url)
    (order,) = live.orders()
    assert exporting.data_of(order)["livestream_link"]["code"] == url.removeprefix("/c/")
    steps.cancel_by_buyer(order.token)
    forgetting.forget(order.token, "0912345679", True)
    assert client.get(url).status_code == 404


def test_of_an_address_and_the_end_of_its_time_at_once_one_wins(app: Flask, live: Live) -> None:
    live.say("lan", "md01 x2")
    url, code = path(live), claim(live).code
    sent = {"payment": "cod", **hidden(browser(app).get(url)), **HER}
    later = clock.now() + dt.timedelta(milliseconds=40)
    with write() as session:
        session.execute(update(LiveClaim).values(until=later))
    turns = itertools.count()

    def act() -> None:
        if next(turns) % 2:
            browser(app).post(url, data=sent)
        else:
            ending.expire(code)

    at_once(app, 6, act)
    ending.expire(code)
    (order,) = live.orders()
    assert (order.sendable, order.status.value) in ((True, "placed"), (False, "cancelled"))
    assert reserved() == (2 if order.sendable else 0)
    assert faults() == []
