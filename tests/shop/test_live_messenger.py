"""Viewers' links by Messenger, from a stateful fake: each who ordered is written to once, and nobody else."""

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from shop.live.models import LiveClaim, LiveSource
from shop.live.sources import watching
from shop.live.sources.facebook.messaging import LONGEST, LOOK, SETTLES, Teller
from shop.orders.models import Order
from tests.conftest import browser
from tests.support.platforms.facebook import FacebookFake
from tests.support.stream import Stream
from tests.support.village import Village
from village import clock
from village.db import db, write


def turn(stream: Stream, what: str = "tell", client: FlaskClient | None = None) -> int:
    answer = (client or stream.client).post(f"{stream.url}/{stream.source.id}/{what}")
    return answer.status_code


def settle(stream: Stream, by: dt.timedelta = SETTLES) -> None:
    """Take in what was said, and let it be said a while ago."""
    stream.catch_up()
    with write() as session:
        mine = update(Order).where(Order.live_session_id == stream.live.id)
        session.execute(mine.values(updated_at=clock.now() - by - dt.timedelta(seconds=1)))


def claims(stream: Stream) -> dict[str, LiveClaim]:
    db.session.rollback()
    rows = db.session.scalars(select(LiveClaim).where(LiveClaim.session_id == stream.live.id))
    return {row.author_id: row for row in rows}


def test_who_ordered_is_sent_her_own_link_once_and_nobody_else_anything(
    stream: Stream, facebook: FacebookFake, client: FlaskClient
) -> None:
    for author, words in (("1110001", "md01 x2"), ("1110002", "đẹp quá"), ("1110003", "md01 x99")):
        facebook.say(author, words)
    settle(stream)
    # Nobody said that they are to be written to.
    assert Teller(stream.source.id).visit() is None and facebook.messages == []
    assert turn(stream) == 303
    teller = Teller(stream.source.id)
    assert teller.visit() == LOOK and teller.visit() == LOOK
    ((author, text),) = facebook.messages
    assert author == "1110001" and "2 × MD01" in text
    found = re.search(r"/c/(\w{10})", text)
    assert found and found[1] == claims(stream)["1110001"].code
    page = client.get(found[0])
    assert page.status_code == 200 and "2 × " in page.text and "Gửi cho ai, về đâu" in page.text
    assert claims(stream)["1110001"].told_at and claims(stream)["1110003"].told_at is None
    # What she says later is in her page; she is not written to again.
    facebook.say("1110001", "thêm 1 md01")
    settle(stream)
    teller.visit()
    assert len(facebook.messages) == 1


def test_one_message_tells_all_that_she_ordered_in_one_go(stream: Stream, facebook: FacebookFake) -> None:
    turn(stream)
    facebook.say("1110001", "md01 x2")
    settle(stream, dt.timedelta())
    with write() as session:
        session.execute(update(Order).values(updated_at=clock.now()))
    teller = Teller(stream.source.id)
    teller.visit()
    assert facebook.messages == []
    facebook.say("1110001", "thêm 3 md01")
    settle(stream)
    teller.visit()
    ((_author, text),) = facebook.messages
    assert "5 × MD01" in text


def test_an_answer_that_got_lost_sends_nothing_twice(stream: Stream, facebook: FacebookFake) -> None:
    turn(stream)
    facebook.say("1110001", "md01 x2")
    settle(stream)
    facebook.deaf = 1
    teller = Teller(stream.source.id)
    pause = teller.visit()
    assert pause is not None and pause > LOOK and stream.source.tell_fault == "unreachable"
    assert claims(stream)["1110001"].told_at is None
    assert teller.visit() == LOOK
    assert len(facebook.messages) == 1 and claims(stream)["1110001"].told_at
    assert stream.source.tell_fault == "" and stream.source.state == "running"


def test_whom_messenger_does_not_reach_a_person_tells_and_the_others_are_written_to(
    stream: Stream, facebook: FacebookFake
) -> None:
    turn(stream)
    facebook.shut.add("1110001")
    gone = facebook.say("1110002", "md01 x1")
    for author in ("1110001", "1110003"):
        facebook.say(author, "md01 x2")
    settle(stream)
    facebook.remove(gone)
    Teller(stream.source.id).visit()
    assert [author for author, _text in facebook.messages] == ["1110003"]
    found = claims(stream)
    assert (found["1110001"].untold, found["1110002"].untold, found["1110003"].untold) == ("not-reached",) * 2 + ("",)
    console = stream.client.get(f"/seller/live/{stream.live.id}").text
    assert console.count("Messenger không tới") == 2
    # She is told by hand then, and the mark goes.
    assert stream.client.post(f"/seller/live/{stream.live.id}/told/{found['1110001'].code}").status_code in (200, 303)
    assert stream.client.get(f"/seller/live/{stream.live.id}").text.count("Messenger không tới") == 1
    Teller(stream.source.id).visit()
    assert len(facebook.messages) == 1


def test_the_console_hears_at_once_of_whom_messenger_does_not_reach(stream: Stream, facebook: FacebookFake) -> None:
    turn(stream)
    facebook.shut.add("1110001")
    facebook.say("1110001", "md01 x2")
    settle(stream)
    fresh = f"/seller/live/{stream.live.id}/list"
    tag = stream.client.get(fresh).headers["ETag"]
    Teller(stream.source.id).visit()
    heard = stream.client.get(fresh, headers={"If-None-Match": tag})
    assert heard.status_code == 200 and "Messenger không tới" in heard.text


def test_a_token_that_may_not_write_is_told_and_goes_on_when_it_may(stream: Stream, facebook: FacebookFake) -> None:
    turn(stream)
    facebook.may_write = False
    facebook.say("1110001", "md01 x2")
    settle(stream)
    teller = Teller(stream.source.id)
    assert teller.visit() == LONGEST and stream.source.state == "running"
    assert "pages_messaging" in stream.client.get(stream.url).text
    assert claims(stream)["1110001"].untold == ""
    facebook.may_write = True
    assert teller.visit() == LOOK
    assert len(facebook.messages) == 1 and "pages_messaging" not in stream.client.get(stream.url).text
    facebook.error = {"code": [613], "message": "odd"}
    facebook.say("1110002", "md01 x1")
    settle_without_reading(stream, facebook)
    assert Teller(stream.source.id).visit() not in (None, LOOK)


def settle_without_reading(stream: Stream, facebook: FacebookFake) -> None:
    error, facebook.error = facebook.error, None
    settle(stream)
    facebook.error = error


def test_a_comment_that_was_pasted_is_answered_by_nobody(stream: Stream, facebook: FacebookFake) -> None:
    turn(stream)
    sent = stream.client.post(f"{stream.url}/paste", data={"comments": "Lan: md01 x2", "paste": "x" * 36})
    assert sent.status_code == 303
    settle(stream)
    assert len(stream.live.orders()) == 1
    Teller(stream.source.id).visit()
    assert facebook.messages == []


@pytest.mark.parametrize("who", ["seller-b", "producer", "auditor"])
def test_nobody_else_has_a_sellers_viewers_written_to(
    stream: Stream, app: Flask, village: Village, who: str
) -> None:
    other = browser(app)
    assert turn(stream, client=other) in (302, 303, 401)
    village.sign_in(other, who)
    assert turn(stream, client=other) in (403, 404) and not stream.source.tells


def test_telling_is_for_facebook_while_it_runs_and_ends_when_the_seller_says_so(
    stream: Stream, facebook: FacebookFake
) -> None:
    assert stream.client.post(f"{stream.url}/webhook").status_code == 303
    db.session.rollback()
    rows = select(LiveSource).where(LiveSource.session_id == stream.live.id)
    hook = db.session.scalars(rows.where(LiveSource.kind == "webhook")).one().id
    own = db.session.scalars(rows.where(LiveSource.kind == "facebook")).one().id
    assert stream.client.post(f"{stream.url}/{hook}/tell").status_code == 303
    assert "không nhắn cho khách được" in stream.client.get(stream.url).text
    stream.client.post(f"{stream.url}/{own}/tell")
    assert "Thôi nhắn khách" in stream.client.get(stream.url).text
    db.session.rollback()
    watching.tend()
    names = sorted(name for name, _id in stream.app.extensions[watching.READERS])
    assert names == ["Reader", "Teller"]
    stream.client.post(f"{stream.url}/{own}/quiet")
    assert Teller(own).visit() is None
    assert "Nhắn khách qua Messenger" in stream.client.get(stream.url).text
