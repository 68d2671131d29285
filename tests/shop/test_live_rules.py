import datetime as dt
import threading
from typing import Any

from flask import Flask
from sqlalchemy import select

from shop.live.models import LiveCode, LiveComment
from shop.orders import steps
from shop.orders.services import Buyer, place
from shop.stock.errors import OutOfStock
from tests.shop.hands import statements
from tests.support.live import Live, comment, lines, reserved, shelf
from tests.support.village import Village
from village.db import db


def test_one_viewer_has_one_open_order(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village, codes={"MD01": {}, "MD02": {}})
    first, second = live.say("lan", "md01 x2"), live.say("lan", "md02 x1 0912345678")
    assert first["order"] == second["order"] and first["decision"] == second["decision"] == "order"
    (order,) = live.orders()
    assert (order.channel, order.buyer_name, order.buyer_phone, order.total) == ("live", "Lan", "+84912345678", 195000)
    assert reserved() == 3


def test_the_order_page_opens_for_a_livestream_order(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    token = live.say("lan", "md01 x2")["token"]
    assert live.client.get(f"/orders/{token}").status_code == 200


def test_more_of_a_code_is_added_only_when_she_says_more(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    live.say("lan", "md01 x2")
    again = live.say("lan", "md01 x2")
    assert (again["decision"], again["reason"]) == ("review", "repeat") and reserved() == 2
    more = live.say("lan", "thêm 1 md01")
    assert more["decision"] == "order" and lines(more) == {"MD01": 1} and reserved() == 3


def test_who_wrote_first_by_the_platforms_clock_gets_the_last_pack(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village)
    sent = [comment(author, "md01", seconds=-ago) for author, ago in (("late", 1), ("early", 5), ("later", 0.5))]
    results = live.send(sent).json["results"]
    assert [r["id"] for r in results] == [c["id"] for c in sent]
    assert [r["decision"] for r in results] == ["waitlist", "order", "waitlist"]


def test_a_cancellation_gives_the_pack_to_the_first_who_waits_and_fits(app: Flask, village: Village) -> None:
    shelf(village, 2)
    live = Live(app, village)
    live.say("lan", "md01 x2")
    big, small = live.say("hoa", "md01 x3", seconds=-3), live.say("mai", "md01 x2", seconds=-2)
    assert (big["decision"], small["decision"], small["reason"]) == ("waitlist", "waitlist", "sold-out")
    gone = live.say("lan", "hủy md01")
    assert gone["decision"] == "cancel" and lines(gone) == {"MD01": 2}
    promoted = live.decisions(small["id"])[-1]
    assert (promoted.decision, promoted.reason) == ("order", "promoted")
    assert live.decisions(big["id"])[-1].decision == "waitlist" and reserved() == 2
    again = live.send([comment("mai", "md01 x2", id=small["id"])]).json["results"][0]
    assert again["decision"] == "duplicate" and again["order"] == live.orders()[-1].number


def test_a_comment_costs_no_more_when_many_wait_for_what_is_sold_out(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village, codes={"MD01": {"limit": 40}, "MD02": {}})
    live.say("lan", "md01")
    live.send([comment(f"cho{number}", f"md0{number % 2 + 1}") for number in range(2)])
    with statements() as few:
        assert live.say("xem", "md01 còn không ạ")["decision"] != "order"
    live.send([comment(f"nua{number}", f"md0{number % 2 + 1}") for number in range(20)])
    with statements() as many:
        assert live.say("xem", "md02 còn không ạ")["decision"] != "order"
    assert len(many) <= len(few)


def test_a_promotion_within_the_same_call_is_told(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village)
    sent = [comment("a", "md01", seconds=-3), comment("b", "md01", seconds=-2), comment("a", "hủy md01", seconds=-1)]
    assert [r["decision"] for r in live.send(sent).json["results"]] == ["order", "order", "cancel"]
    assert reserved() == 1


def test_packs_that_return_by_another_door_go_to_those_who_wait(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village, codes={"MD01": {"limit": 1}})
    live.say("a", "md01")
    waiting = live.say("b", "md01")
    steps.cancel(village.actor("seller"), live.orders()[0].id, "khách đổi ý")
    late = live.say("c", "md01")
    assert late["decision"] == "waitlist"
    assert live.decisions(waiting["id"])[-1].decision == "order" and reserved() == 1


def test_part_of_an_order_may_be_cancelled(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village, codes={"MD01": {}, "MD02": {"price": 60000}, "MD03": {}})
    live.say("lan", "md01 x3, md02 x2, md03 x1")
    assert lines(live.say("lan", "hủy 1 gói md01")) == {"MD01": 1} and reserved() == 5
    assert lines(live.say("lan", "hủy md02")) == {"MD02": 2} and reserved() == 3
    too_many = live.say("lan", "hủy 9 gói md01")
    assert (too_many["decision"], too_many["reason"]) == ("review", "not-so-many")
    (order,) = live.orders()
    assert order.total == 3 * 65000
    assert lines(live.say("lan", "hủy md01")) == {"MD01": 2}
    assert lines(live.say("lan", "hủy md03")) == {"MD03": 1}
    assert live.orders()[0].status == "cancelled" and reserved() == 0
    assert live.say("lan", "md01")["order"] != order.number


def test_nobody_cancels_for_another(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    live.say("lan", "md01 x3")
    other = live.say("hoa", "hủy md01")
    assert other["decision"] == "cancel" and other["lines"] == [] and other["order"] is None and reserved() == 3


def test_who_waits_may_leave_the_queue(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village)
    live.say("a", "md01")
    live.say("b", "md01 x1")
    assert live.say("b", "md01 x1")["reason"] == "already-waiting"
    assert live.say("b", "hủy md01")["reason"] == "left-the-queue"
    live.say("a", "hủy md01")
    assert reserved() == 0


def test_an_order_that_a_seller_has_begun_on_is_not_cancelled_by_a_comment(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    live.say("lan", "md01 x2 0912345678")
    seller, (order,) = village.actor("seller"), live.orders()
    steps.set_buyer(seller, order.id, Buyer("Lan", "+84912345678", "Bản Thử"))
    steps.confirm(seller, order.id)
    refused = live.say("lan", "hủy md01")
    assert (refused["decision"], refused["reason"]) == ("review", "order-moved-on") and reserved() == 2
    assert live.say("lan", "thêm 1 md01")["order"] != order.number


def test_a_telephone_number_by_itself_goes_onto_her_order(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    kept = live.say("lan", "0912345678")
    assert (kept["decision"], kept["phone"], kept["order"]) == ("ignored", "0912345678", None)
    live.say("lan", "md01 x2")
    live.say("hoa", "md01 x1")
    given = live.say("hoa", "0987654321")
    assert given["decision"] == "change" and given["order"]
    assert [order.buyer_phone for order in live.orders()] == ["+84912345678", "+84987654321"]
    other = live.say("hoa", "0912345679")
    assert (other["decision"], other["reason"]) == ("review", "phone-differs")


def test_a_codes_limit_holds_for_the_whole_session(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village, codes={"MD01": {"limit": 3}, "MD02": {}})
    live.say("a", "md01 x2")
    over = live.say("b", "md01 x2, md02 x1")
    assert over["decision"] == "order" and lines(over) == {"MD02": 1} and lines(over, "waiting") == {"MD01": 2}
    assert over["reason"] == "limit-reached"
    live.say("a", "hủy 1 gói md01")
    assert lines(live.decisions(over["id"])[-1].__dict__) == {"MD02": 1, "MD01": 2} and reserved() == 4
    assert db.session.scalars(select(LiveCode.taken).where(LiveCode.code == "MD01")).all() == [3]


def test_doubt_goes_to_a_person_and_holds_nothing(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    for text, decision in [
        ("MD99 x1", "review"), ("đổi md01 sang md02 x2", "change"), ("md01 x1000", "review"),
        ("md01 còn không shop", "question"), ("đẹp quá", "ignored"), ("", "ignored"),
    ]:  # fmt: skip
        assert live.say("lan", text)["decision"] == decision, text
    assert live.orders() == [] and reserved() == 0


def test_two_readers_posting_the_same_comments_make_one_set_of_orders(app: Flask, village: Village) -> None:
    shelf(village, 20)
    live = Live(app, village)
    sent = [comment(f"viewer{n}", "md01 x1", seconds=-n) for n in range(12)]
    start = threading.Barrier(2)
    answers: list[Any] = []

    def post() -> None:
        start.wait()
        answers.append(Live.send(live, sent).json["results"])

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = sorted(answers, key=lambda results: results[0]["decision"] == "order", reverse=True)
    assert {r["decision"] for r in first} == {"order"} and {r["decision"] for r in second} == {"duplicate"}
    assert [r["order"] for r in first] == [r["order"] for r in second]
    assert len(live.orders()) == 12 and reserved() == 12


def test_the_storefront_and_two_livestreams_share_five_packs(app: Flask, village: Village) -> None:
    shelf(village, 5)
    lives = [Live(app, village), Live(app, village)]
    gtin, buyer = village.product("packs", 500).gtin, Buyer("Lan", "+84912345678", "Hà Nội")
    start = threading.Barrier(3)
    sold: list[int] = []

    def stream(live: Live) -> None:
        start.wait()
        for n in range(5):
            sold.append(live.say(f"viewer{n}", "md01 x1")["decision"] == "order")

    def storefront() -> None:
        start.wait()
        for n in range(5):
            try:
                with app.app_context():
                    place(None, [(gtin, 1)], buyer, channel="web", idempotency_key=f"k{n}")
                sold.append(1)
            except OutOfStock:
                sold.append(0)

    threads = [threading.Thread(target=stream, args=[live]) for live in lives]
    threads.append(threading.Thread(target=storefront))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sold) == 15 and sum(sold) == 5 and reserved() == 5


def test_a_platforms_broken_clock_does_not_put_anybody_first(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village)
    cheat = comment("cheat", "md01")
    cheat["at"] = "0001-01-01T00:00:00+14:00"
    honest = comment("honest", "md01", seconds=-5)
    results = live.send([cheat, honest]).json["results"]
    assert [r["decision"] for r in results] == ["waitlist", "order"]
    db.session.rollback()
    kept = db.session.scalars(select(LiveComment).where(LiveComment.author_id == "cheat")).one()
    assert kept.time_doubted and abs(kept.said_at - kept.received_at) < dt.timedelta(seconds=1)


def test_several_codes_are_cancelled_in_one_breath(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village, codes={"MD01": {}, "MD02": {}, "MD03": {"price": 60000}})
    live.say("lan", "md01 x1, md02 x2, md03 x3")
    assert lines(live.say("lan", "hủy md01 và md02")) == {"MD01": 1, "MD02": 2}
    assert reserved() == 3 and live.orders()[0].total == 180000


def test_who_waited_with_a_telephone_number_has_it_on_her_order(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village)
    live.say("a", "md01")
    live.say("b", "md01 x1 0987654321")
    live.say("a", "hủy md01")
    assert [order.buyer_phone for order in live.orders() if order.status == "placed"] == ["+84987654321"]
