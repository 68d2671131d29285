"""What a pause kept is decided in turns, whoever dies in between, and nothing that is new before it."""

import itertools

import pytest
from flask import Flask
from sqlalchemy import select

from shop.live import intake, resting, services
from shop.live.models import LiveComment, LiveDecision, LiveSession
from tests.conftest import browser
from tests.support.live import Live, comment, reserved, shelf
from tests.support.village import Village
from village.db import db, write
from village.errors import Conflict
from village.jobs.worker import work_off

SAID = 8


@pytest.fixture
def rested(app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch) -> Live:
    """Six packs, a pause, and eight who want one each, heard last to first; three are decided in a turn, two turns
    are waited for."""
    shelf(village, 6)
    live = Live(app, village)
    services.pause(village.actor("seller"), live.id)
    live.send([comment(f"v{n}", "md01", id=f"k{n}", seconds=n - 60) for n in reversed(range(SAID))])
    monkeypatch.setattr(intake, "COMMENTS_MAX", 3)
    monkeypatch.setattr(resting, "HERE", 0.0)
    return live


def stands(live: Live) -> LiveSession:
    db.session.rollback()
    return db.session.get_one(LiveSession, live.id, populate_existing=True)


def served(live: Live) -> list[str]:
    """Who has an order, in the order of her own words."""
    rows = select(LiveComment).join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
    db.session.rollback()
    said = db.session.scalars(rows.where(LiveDecision.decision == "order").order_by(LiveComment.said_at))
    return [each.author_id for each in said]


def test_a_long_pause_is_decided_in_turns_and_what_comes_meanwhile_has_its_own(rested: Live, village: Village) -> None:
    seller = village.actor("seller")
    services.resume(seller, rested.id)
    assert (stands(rested).status, stands(rested).becomes, served(rested)) == (
        "paused", "open", [f"v{n}" for n in range(6)],
    )  # fmt: skip
    early = rested.say("early", "md01", id="early", seconds=-200)
    late = rested.say("new", "md01", id="new")
    assert {(told["decision"], told["reason"]) for told in (early, late)} == {("ignored", "paused")}
    client = browser(rested.app)
    village.sign_in(client, "seller")
    page = client.get(f"/seller/live/{rested.id}").text
    assert "Còn 4 lời giữ lại lúc nghỉ" in page and "Chạy tiếp" not in page
    services.resume(seller, rested.id)  # pressed once more, perhaps after a crash
    work_off()
    assert (stands(rested).status, stands(rested).becomes, reserved()) == ("open", None, 6)
    waiting = select(LiveComment.author_id).join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
    waiting = waiting.where(LiveDecision.decision == "waitlist").order_by(LiveComment.said_at)
    assert list(db.session.scalars(waiting)) == ["early", "v6", "v7", "new"]
    assert [decision.late for decision in rested.decisions("early")] == [True]


def test_what_a_killed_worker_left_between_two_turns_the_jobs_go_on_with(rested: Live, village: Village) -> None:
    with write() as session:
        resting.leave(session, session.get_one(LiveSession, rested.id), "open")
    assert (stands(rested).becomes, len(served(rested)), reserved()) == ("open", 3, 3)
    assert work_off() == 1
    assert (stands(rested).status, len(served(rested)), reserved()) == ("open", 6, 6)
    assert work_off() == 0


def test_a_pause_that_is_ended_takes_nothing_new_while_it_is_decided(rested: Live, village: Village) -> None:
    seller = village.actor("seller")
    services.end(seller, rested.id)
    assert (stands(rested).status, stands(rested).becomes) == ("paused", "ended")
    assert rested.send([comment("new", "md01")]).status_code == 409
    for act in (services.pause, services.resume):
        with pytest.raises(Conflict, match="kết rồi"):
            act(seller, rested.id)
    services.end(seller, rested.id)
    work_off()
    assert (stands(rested).status, stands(rested).becomes, len(served(rested))) == ("ended", None, 6)


def test_a_pause_that_is_wanted_again_keeps_what_was_not_decided_yet(rested: Live, village: Village) -> None:
    seller = village.actor("seller")
    services.resume(seller, rested.id)
    services.pause(seller, rested.id)
    db.session.remove()
    resting.see_to_it()
    work_off()
    assert (stands(rested).status, stands(rested).becomes, len(served(rested))) == ("paused", None, 6)
    for _ in itertools.takewhile(lambda _: stands(rested).status == "paused", range(5)):
        services.resume(seller, rested.id)
    assert stands(rested).status == "open"
