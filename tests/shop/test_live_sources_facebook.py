"""Facebook's live comments, from a stateful fake of the Graph API and its notices."""

import base64
import datetime as dt
import json
import time
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from shop.live.models import LiveSession, LiveSource
from shop.live.sources import watching
from shop.live.sources.facebook import sweeping, told
from shop.live.sources.facebook.reading import ENDED, Reader
from shop.live.sources.services import BACKFILL
from tests.support.live import Live
from tests.support.platforms.facebook import (
    ALIAS,
    APP_SECRET,
    PAGE,
    VERIFY,
    VIDEO,
    FacebookFake,
    deliver,
    notice,
    signature,
)
from tests.support.platforms.serving import Moods
from tests.support.stream import Stream
from tests.support.village import Village
from village import clock
from village.db import db, write

LATE = dt.timedelta(seconds=sweeping.LATE)


@pytest.fixture
def bare(app: Flask, village: Village, facebook: FacebookFake) -> Stream:
    """The same with nothing to sell."""
    return Stream(app, village, packs=0)


def test_what_was_said_before_we_came_is_read_in_its_order_and_once(stream: Stream, facebook: FacebookFake) -> None:
    facebook.page = 10
    began = clock.now() - dt.timedelta(minutes=5)
    said = [facebook.say(f"88800{n:02}", "md01 1 gói", at=began + dt.timedelta(seconds=n)) for n in range(45)]
    stream.catch_up()
    assert [comment.comment_id for comment in stream.kept()] == [one.id for one in said]
    # Forty packs were there: the first forty got them, by Facebook's own time.
    assert {order.live_author for order in stream.live.orders()} == {one.author for one in said[:40]}
    assert stream.source.cursor and "45 lời, lời cuối lúc" in stream.client.get(stream.url).text
    before = stream.source.cursor
    new = facebook.say("8880099", "hay quá")
    Reader(stream.source.id).visit()  # another process, which knows nothing but the place
    assert stream.kept()[-1].comment_id == new.id and len(stream.kept()) == 46 and stream.source.cursor != before


def test_a_source_that_fails_says_so_and_misses_nothing_when_it_comes_back(
    stream: Stream, facebook: FacebookFake
) -> None:
    facebook.page = 5
    facebook.moods.fail, facebook.moods.chance = 0.5, Moods(seed=3).chance
    said = []
    for batch in range(6):
        said += [facebook.say(f"77700{batch}{n}", "đẹp quá") for n in range(4)]
        stream.reader.visit()
    facebook.moods.down = True
    said.append(facebook.say("7770099", "md01 x1"))
    assert (stream.reader.visit() or 0) > 0
    assert (stream.source.state, stream.source.fault) == ("failing", "unreachable")
    assert "Đang trục trặc" in stream.client.get(stream.url).text
    facebook.moods.down, facebook.moods.fail = False, 0.0
    stream.catch_up()
    assert [comment.comment_id for comment in stream.kept()] == [one.id for one in said]
    assert len(stream.live.orders()) == 1


@pytest.mark.slow_once
def test_where_the_place_was_taken_down_it_is_read_again_from_the_beginning(
    bare: Stream, facebook: FacebookFake
) -> None:
    said = [facebook.say(f"66600{n:02}", "đẹp") for n in range(3)]
    bare.catch_up()
    said[-1].gone = True  # the cursor dies with its comment
    more = facebook.say("6660099", "md01 x2")
    assert bare.reader.visit() == 0.0
    bare.catch_up()
    assert bare.kept()[-1].comment_id == more.id and len(bare.kept()) == 4


@pytest.mark.slow_once
def test_a_comment_that_appears_late_before_the_place_is_still_found(stream: Stream, facebook: FacebookFake) -> None:
    late = facebook.say("5550101", "md01 x3", late=2)
    facebook.say("5550102", "đẹp")
    stream.catch_up()
    facebook.say("5550103", "hay")
    stream.catch_up()
    assert late.id not in {comment.comment_id for comment in stream.kept()}
    stream.reader.looked_back = 0.0
    stream.reader.visit()
    assert late.id in {comment.comment_id for comment in stream.kept()}
    assert [order.lines[0].quantity for order in stream.live.orders()] == [3]


def test_a_comment_that_appears_behind_a_burst_is_found_while_it_can_still_be_decided(
    stream: Stream, facebook: FacebookFake
) -> None:
    began = clock.now() - dt.timedelta(minutes=1)
    early = facebook.say("5540001", "md01 x3", at=began, hidden=True)
    later = [facebook.say("5540002", "md01 x2", at=began + dt.timedelta(seconds=n), hidden=True) for n in (1, 150)]
    for n in range(130):
        facebook.say(f"55411{n:03}", "đẹp quá", at=began + dt.timedelta(seconds=2, milliseconds=n))
    facebook.page = 40
    stream.catch_up()
    gone = next(one for one in facebook.comments[VIDEO] if one.text == "đẹp quá")
    facebook.show(early, *later)
    stream.reader.looked_back = 0.0
    stream.catch_up(1)
    place = stream.source.cursor
    assert len(stream.kept()) == 130, "neither behind the place nor among the newest"
    stream.reader.sweep.ended = 0.0
    stream.reader.visit()
    assert {one.id for one in (early, *later)} <= {comment.comment_id for comment in stream.kept()}
    assert [decision.late for decision in stream.live.decisions(early.id)] == [True]
    assert [order.live_author for order in stream.live.orders()] == [early.author, later[0].author]
    assert stream.source.cursor == place
    # The next begins where the reader was a while before this one, and that comment is gone.
    sweep = stream.reader.sweep
    sweep._marks[0] = (0.0, base64.b64encode(gone.id.encode()).decode())
    gone.gone = True
    again = facebook.say("5540009", "md01 x1", at=began, hidden=True)
    facebook.comments[VIDEO].insert(0, facebook.comments[VIDEO].pop())
    facebook.show(again)
    sweep.ended = 0.0
    stream.reader.visit()
    stream.reader.visit()
    assert stream.kept()[-1].comment_id == again.id
    assert (stream.source.state, stream.source.cursor) == ("running", place)


def test_the_whole_list_is_read_once_more_when_nothing_is_expected_any_more(
    bare: Stream, facebook: FacebookFake
) -> None:
    late = facebook.say("5530001", "md01 x1", hidden=True)
    for n in range(12):
        facebook.say(f"55301{n:02}", "hay")
    facebook.page = 5
    bare.catch_up()
    with write() as session:
        live = session.get_one(LiveSession, bare.live.id)
        live.status, live.ended_at = "ended", clock.now()
    assert bare.reader.visit() == ENDED, "not at once: more may appear"
    facebook.show(late)
    with write() as session:
        session.get_one(LiveSession, bare.live.id).ended_at = clock.now() - LATE
    assert Reader(bare.source.id).visit() is None, "another worker's, which knows nothing"
    assert bare.kept()[-1].comment_id == late.id and bare.live.decisions(late.id)[-1].reason == "session-ended"
    assert bare.source.state == "stopped"


def test_notices_and_the_list_tell_of_the_same_comment_which_is_one(
    stream: Stream, facebook: FacebookFake, client: FlaskClient
) -> None:
    facebook.moods.repeat, facebook.moods.shuffle, facebook.moods.drop = 0.5, 4, 0.3
    facebook.moods.chance = Moods(seed=11).chance
    said = [facebook.say(f"44400{n:02}", "md01 1 gói") for n in range(12)]
    assert {answer.status_code for answer in facebook.post(client)} == {200}
    missed = len(said) - len(stream.kept())
    assert 0 < missed < 12
    stream.catch_up()
    assert {comment.comment_id for comment in stream.kept()} == {one.id for one in said}
    assert len(stream.kept()) == 12 and len(stream.live.orders()) == 12


@pytest.mark.slow_once
def test_edits_and_deletions_come_by_notice(stream: Stream, facebook: FacebookFake, client: FlaskClient) -> None:
    first, second = facebook.say("3330001", "đẹp quá"), facebook.say("3330002", "md01 x1")
    facebook.post(client)
    facebook.edit(first, "md01 x2")
    facebook.remove(second)
    facebook.post(client)
    kinds = [(comment.comment_id, comment.kind) for comment in stream.kept()]
    assert kinds == [(first.id, "said"), (second.id, "said"), (first.id, "edited"), (second.id, "deleted")]
    assert stream.live.decisions(second.id)[-1].reason == "deleted"
    assert {o.live_author: o.lines[0].quantity for o in stream.live.orders()} == {first.author: 2, second.author: 1}


@pytest.mark.slow_once
def test_only_what_facebook_signed_is_looked_at(bare: Stream, facebook: FacebookFake, client: FlaskClient) -> None:
    facebook.say("2220001", "md01 x1")
    body = facebook.notices[0]
    assert deliver(client, body, secret="other").status_code == 401
    for header in ("", signature(body).removeprefix("sha256="), signature(body)[:-1], "sha256=é"):
        headers = {"X-Hub-Signature-256": header}
        assert client.post("/hooks/facebook", data=body, headers=headers).status_code == 401
    assert bare.kept() == []
    assert deliver(client, body).status_code == 200 and len(bare.kept()) == 1
    for nonsense in (b"", b"[]", b"{}", b'{"entry": 1}', b'{"entry": [{"changes": [{"field": "feed"}]}]}', b"[" * 9999):
        assert deliver(client, nonsense).status_code == 400, nonsense
    assert deliver(client, b'{"object": "page", "entry": []}').status_code == 200
    # The address proves itself with our own word only.
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    answer = client.get("/hooks/facebook", query_string=asked)
    assert answer.status_code == 200 and answer.text == "1158201444" and answer.mimetype == "text/plain"
    for wrong in ({"hub.verify_token": "x"}, {"hub.mode": "x"}, {"hub.challenge": "<script>"}, {"hub.challenge": ""}):
        assert client.get("/hooks/facebook", query_string={**asked, **wrong}).status_code == 401


@pytest.mark.slow_once
def test_what_is_not_a_viewers_comment_below_our_video_is_passed_over(
    bare: Stream, facebook: FacebookFake, client: FlaskClient
) -> None:
    value = {
        "item": "comment", "verb": "add", "comment_id": f"{ALIAS}_1", "post_id": f"{PAGE}_{ALIAS}",
        "from": {"id": "11122", "name": "Lan"}, "message": "md01 x1", "created_time": int(time.time()),
    }  # fmt: skip
    others: list[dict[str, object]] = [
        {"from": {"id": PAGE, "name": "Làng Miến"}}, {"item": "reaction"}, {"verb": "hide"},
        {"post_id": f"{PAGE}_999999"}, {"comment_id": "x"}, {"comment_id": 5}, {"message": {"a": 1}},
    ]  # fmt: skip
    for change in others:
        assert deliver(client, notice({**value, **change})).status_code == 200
    assert deliver(client, notice(value, page="999")).status_code == 200
    assert deliver(client, notice(value, field="live_videos")).status_code == 200
    assert bare.kept() == []
    nameless = {**value, "from": None, "created_time": 10**30}
    assert deliver(client, notice(nameless)).status_code == 200
    [comment] = bare.kept()
    assert comment.author_id == "unknown:1" and comment.author_name == ""


@pytest.mark.slow_once
def test_a_village_without_accounts_has_no_such_doors(app: Flask, village: Village, client: FlaskClient) -> None:
    assert client.get("/hooks/facebook").status_code == 404
    for door in ("facebook", "tiktok"):
        assert client.post(f"/hooks/{door}", data=b"{}").status_code == 404
    live = Live(app, village, codes={"MD01": {}})
    village.sign_in(client, "seller")
    url = f"/seller/live/{live.id}/sources"
    assert "Nối Facebook" not in client.get(url).text
    assert client.post(f"{url}/facebook", data={"video": "123456"}).status_code == 404
    assert client.post(f"{url}/tiktok").status_code == 404
    watching.tend()
    assert watching.READERS not in app.extensions


@pytest.mark.slow_once
def test_our_own_pages_video_is_found_by_itself_or_by_its_address(
    app: Flask, village: Village, facebook: FacebookFake, client: FlaskClient
) -> None:
    live = Live(app, village, codes={"MD01": {}})
    village.sign_in(client, "seller")
    url = f"/seller/live/{live.id}/sources"
    ours, settings = app.extensions["soi"], replace(app.extensions["soi"], facebook_seller="8930000000000")
    app.extensions["soi"] = settings  # another cooperative's page is read for nobody else
    assert "Nối Facebook" not in client.get(url).text
    assert client.post(f"{url}/facebook", data={"video": VIDEO}).status_code == 404 and facebook.asked == []
    app.extensions["soi"] = ours
    facebook.go_live("5550002", "7770002")
    several = client.post(f"{url}/facebook", data={"video": " "})
    assert several.status_code in (400, 422) and "mấy buổi live một lúc" in several.text
    for odd in ("hôm nay", "https://www.facebook.com/langmien"):
        assert "Bác dán địa chỉ" in client.post(f"{url}/facebook", data={"video": odd}).text
    other = client.post(f"{url}/facebook", data={"video": "https://www.facebook.com/x/videos/4242424242/"})
    assert "không có buổi live này" in other.text
    address = "https://www.facebook.com/langmien/videos/mien-moi/7770002/?ref=share"
    assert client.post(f"{url}/facebook", data={"video": address}).status_code == 303
    db.session.rollback()
    source = db.session.scalars(select(LiveSource)).one()
    assert (source.external_id, source.alias, source.platform) == ("5550002", "7770002", "facebook")
    second = Live(app, village, codes={"MD02": {}})
    taken = client.post(f"/seller/live/{second.id}/sources/facebook", data={"video": "5550002"})
    assert taken.status_code == 409 and "phiên khác" in taken.text
    facebook.videos.clear()
    none = client.post(f"/seller/live/{second.id}/sources/facebook", data={"video": ""})
    assert "chưa có buổi nào đang live" in none.text
    facebook.moods.down = True
    silent = client.post(f"/seller/live/{second.id}/sources/facebook", data={"video": ""})
    assert silent.status_code == 409 and "Chưa hỏi được" in silent.text


@pytest.mark.slow_once
def test_facebooks_refusals_are_told_apart_and_none_is_asked_again_at_once(
    bare: Stream, facebook: FacebookFake
) -> None:
    told = {
        190: "refused", 10: "refused", 200: "refused", 4: "too-often", 613: "too-often", 100: "gone",
        1: "unreachable", "x": "unreachable",
    }  # fmt: skip
    for code, fault in told.items():
        facebook.error = {"code": code, "message": "their own words"}
        pause = bare.reader.visit()
        assert pause is not None and pause >= 1 and bare.source.fault == fault, code
    assert "their own words" not in bare.client.get(bare.url).text
    facebook.error = None
    bare.catch_up(1)


@pytest.mark.slow_once
def test_readers_work_by_themselves_and_end_with_their_session(
    stream: Stream, facebook: FacebookFake, app: Flask
) -> None:
    facebook.say("1110001", "md01 x1")
    watching.tend()
    readers = app.extensions[watching.READERS]
    (key,) = readers
    assert key == ("Reader", stream.source.id)
    deadline = time.monotonic() + 10
    while not stream.kept() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(stream.live.orders()) == 1
    watching.tend()
    assert len(readers) == 1
    with write() as session:
        live = session.get_one(LiveSession, stream.live.id)
        live.status, live.ended_at = "ended", clock.now() - LATE
    while readers[key].is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stream.source.state == "stopped"
    watching.tend()
    assert readers == {}


@pytest.mark.slow_once
def test_what_was_said_before_the_end_is_still_read_after_it_and_then_it_is_over(
    bare: Stream, facebook: FacebookFake
) -> None:
    facebook.moods.down = True
    bare.reader.visit()
    facebook.say("1110002", "md01 x1")
    with write() as session:
        live = session.get_one(LiveSession, bare.live.id)
        live.status, live.ended_at = "ended", clock.now() - LATE
    facebook.moods.down = False
    assert bare.reader.visit() is None
    assert [comment.comment_id for comment in bare.kept()] and bare.live.orders() == []
    assert bare.source.state == "stopped" and "Đã đọc hết" in bare.client.get(bare.url).text
    with write() as session:
        session.get_one(LiveSession, bare.live.id).ended_at = clock.now() - BACKFILL
        session.get_one(LiveSource, bare.source.id).state = "running"
    assert bare.reader.visit() is None


@pytest.mark.parametrize(
    "row",
    [
        None, 5, {}, {"id": 5}, {"id": "1_"}, {"id": "a"}, {"id": "1", "message": 5},
        {"id": "1", "from": {"id": PAGE}, "message": "md01"},
    ],
)  # fmt: skip
def test_a_row_that_is_no_viewers_comment_is_left_out(row: object) -> None:
    assert told.comment(row, PAGE) is None


def test_a_notice_is_read_whole_with_several_pages_in_it() -> None:
    value = {"item": "comment", "verb": "add", "comment_id": "1_2", "post_id": "3_4", "from": {"id": "555"}}
    entries = [{"id": page, "changes": [{"field": "feed", "value": value}] * 2} for page in (PAGE, "999")]
    changes = told.changes(json.dumps({"object": "page", "entry": entries}).encode(), PAGE)
    assert [(change.under, change.said.id, change.said.text) for change in changes] == [("4", "2", "")] * 2
    assert told.trusted(b"{}", signature(b"{}"), APP_SECRET) and not told.trusted(b"{} ", signature(b"{}"), APP_SECRET)
