"""The livestream's log: only ever added to, numbered without gaps, each event chained to the one before."""

import datetime as dt
import hashlib
import hmac
import itertools
import json
import threading
from typing import Any

import pytest
from flask import Flask

from shop.live import chain, log
from shop.live.log import Raced, Said
from shop.live.models import LiveSession
from shop.rights.forgetting import blank_comments
from tests.shop.logged import evening, keep, live_of, said, wrote
from tests.support.village import Village
from village import clock
from village.db import write


def test_events_are_numbered_without_gaps_and_each_names_the_hash_before_it(village: Village) -> None:
    live = evening(village)
    keep(live, said("md01", id="a"), said("md02", id="b"))
    # What is known takes no number.
    keep(live, said("md01", id="a"), said("md01 x2", id="c"))
    first, second, third = events = wrote(live)
    assert [event.seq for event in events] == [1, 2, 3]
    assert [event.prev for event in events] == [None, first.hash, second.hash]
    assert (live_of(live).head, live_of(live).received) == (third.hash, 3)
    assert len({event.hash for event in events}) == 3


@pytest.mark.slow_once
def test_a_hash_is_over_what_the_format_says_and_nothing_else(village: Village) -> None:
    at = dt.datetime(2026, 11, 20, 13, 5, 7, 123456, tzinfo=dt.UTC)
    live = evening(village)
    with clock.fixed(at + dt.timedelta(seconds=2)):
        keep(live, Said("fb_1", "u77", "Chị Bảy", "Lấy md01 nha", at))
    (event,) = wrote(live)

    def seal(salt: bytes | None, text: str) -> str:
        return hmac.new(salt or b"", text.encode(), hashlib.sha256).hexdigest()

    told: dict[str, Any] = {
        "author": seal(event.author_salt, "u77"), "comment": seal(event.author_salt, "fb_1"), "doubted": False,
        "kind": "said", "platform": "facebook", "prev": None, "receivedAt": "2026-11-20T13:05:09.123Z",
        "saidAt": "2026-11-20T13:05:07.123Z", "seq": 1, "session": live, "source": "api",
        "text": seal(event.text_salt, "Lấy md01 nha"), "v": 1, "version": 1,
    }  # fmt: skip
    written = json.dumps(told, separators=(",", ":"), sort_keys=True).encode()
    assert event.hash == hashlib.sha256(written).hexdigest()
    assert log.mark(event) == told["author"][:6]
    assert "u77" not in written.decode() and "Bảy" not in written.decode()


@pytest.mark.slow_once
def test_the_same_comment_comes_twice_and_is_known_the_second_time(village: Village) -> None:
    live = evening(village)
    once = keep(live, said("md01", id="a"), said("md01 nữa", id="a"))
    assert [event.text for event in once.fresh] == ["md01"] and set(once.known) == {"a"}
    again = keep(live, said("khác hẳn", id="a"))
    assert again.fresh == [] and again.known["a"].text == "md01"


def test_an_edit_and_a_deletion_are_events_of_their_own(village: Village) -> None:
    live, now = evening(village), clock.now()
    keep(live, said("md01", id="a", at=now))
    edit = said("md01 x3", id="a", at=now + dt.timedelta(seconds=9), kind="edited")
    kept = keep(live, edit)
    assert kept.earlier[kept.fresh[0].id].text == "md01"
    # Delivered again, and again by somebody who tells no author.
    assert keep(live, edit).fresh == []
    gone = keep(live, Said("a", "", "", "", None, "deleted"))
    assert keep(live, Said("a", "", "", "", None, "deleted")).fresh == [] and gone.fresh
    events = wrote(live)
    assert [(e.version, e.kind, e.text) for e in events] == [
        (1, "said", "md01"), (2, "edited", "md01 x3"), (3, "deleted", ""),
    ]  # fmt: skip
    assert {e.author_id for e in events} == {"lan"}
    # They are seen to be of one comment, and to have one mark.
    seals = [chain.Seals.read(event.seals or b"") for event in events]
    assert len({seal.comment for seal in seals}) == len({seal.author for seal in seals}) == 1


@pytest.mark.slow_once
def test_an_edit_that_was_taken_back_is_an_event_again(village: Village) -> None:
    live, now = evening(village), clock.now()
    keep(live, said("md01", id="a", at=now))
    for seconds, text in enumerate(("md02", "md01", "md02"), start=1):
        kept = keep(live, said(text, id="a", at=now + dt.timedelta(seconds=seconds), kind="edited"))
        assert len(kept.fresh) == 1
    # The first edit, delivered late once more.
    assert keep(live, said("md02", id="a", at=now + dt.timedelta(seconds=1), kind="edited")).fresh == []
    assert [event.text for event in wrote(live)] == ["md01", "md02", "md01", "md02"]


@pytest.mark.slow_once
def test_an_edit_that_comes_before_what_it_edits_loses_neither(village: Village) -> None:
    live = evening(village)
    edit = keep(live, said("md01 x2", id="a", kind="edited"))
    original = keep(live, said("md01", id="a"))
    assert (edit.fresh[0].version, original.fresh[0].version) == (2, 1)
    assert original.earlier[original.fresh[0].id].text == "md01 x2"
    assert keep(live, said("md01", id="a")).fresh == []


@pytest.mark.slow_once
def test_a_comment_that_came_to_another_livestream_stays_there(village: Village) -> None:
    first, second = evening(village), evening(village)
    keep(first, said("md01", id="a"))
    for kind in ("said", "edited", "deleted"):
        kept = keep(second, said("md02", id="a", kind=kind))
        assert kept.fresh == [] and kept.known["a"].session_id == first
    assert wrote(second) == [] and len(wrote(first)) == 1


def test_no_other_cooperative_takes_a_comment_away_by_sending_it_first(village: Village) -> None:
    mine, theirs, now = evening(village), evening(village, who="office-other"), clock.now()
    keep(theirs, said("bỏ", "mal", id="a", at=now), said("", "mal", id="b", kind="deleted"))
    (first, second) = keep(mine, said("md01", id="a", at=now), said("md02", id="b")).fresh
    assert [(event.version, event.author_id, event.text) for event in (first, second)] == [
        (1, "lan", "md01"), (1, "lan", "md02"),
    ]  # fmt: skip
    keep(theirs, said("", "mal", id="a", kind="deleted"))
    assert [event.kind for event in wrote(mine)] == ["said", "said"] and live_of(mine).received == 2
    assert all(a.hash == b.prev for a, b in itertools.pairwise(wrote(mine)))


def test_an_edit_is_its_writers_whatever_it_says(village: Village) -> None:
    live = evening(village)
    keep(live, said("md01", "lan", id="a"), said("đẹp quá", "mal", id="b"))
    keep(live, said("huỷ md01", "lan", id="b", kind="edited"))
    # They name nobody, and came before what they edit: one stranger is not the other.
    keep(live, *(Said(id, "", "", "md01", None, "edited") for id in ("c", "d")), said("md02", "hoa", id="c"))
    assert [event.author_id for event in wrote(live)] == ["lan", "mal", "mal", "unknown:c", "unknown:d", "hoa"]
    keep(live, *(Said("x" * 199 + end, "", "", "md01", None, "edited") for end in "ab"))
    assert wrote(live)[-1].author_id != wrote(live)[-2].author_id


@pytest.mark.slow_once
def test_what_one_platform_calls_so_another_may_call_so_too(village: Village) -> None:
    first, second = evening(village), evening(village, platform="tiktok")
    keep(first, said("md01", id="a"))
    assert len(keep(second, said("md01", id="a")).fresh) == 1


@pytest.mark.slow_once
def test_a_platforms_broken_clock_is_doubted(village: Village) -> None:
    live, now = evening(village), clock.now()
    keep(live, said("md01", at=now - dt.timedelta(hours=25)), said("md01", at=now - dt.timedelta(hours=23)))
    doubted, believed = wrote(live)
    assert doubted.time_doubted and doubted.said_at == doubted.received_at
    assert not believed.time_doubted and believed.said_at < believed.received_at - dt.timedelta(hours=22)


def test_what_was_forgotten_leaves_the_chain_whole_and_tells_nobody(village: Village) -> None:
    live = evening(village)
    keep(live, said("md01 gửi về Ngõ 7", "u77", id="a"), said("md02", id="b"))
    before = [log.event_of(event, "api").hash() for event in wrote(live)]
    with write() as session:
        blank_comments(session, [wrote(live)[0].id])
    events = wrote(live)
    assert events[0].text == events[0].author_id == "" and events[0].author_salt is events[0].text_salt is None
    assert [log.event_of(event, "api").hash() for event in events] == before == [event.hash for event in events]


def test_hundreds_come_at_once_and_hostile_words_among_them(village: Village) -> None:
    live = evening(village)
    odd = ["\x00md01", "\ud800md01", "x" * 5000, "e\u0301", "🍜" * 700]
    kept = keep(live, *(said(text) for text in odd), *(said(f"md01 x{n}") for n in range(300)))
    events = wrote(live)
    assert [event.id for event in events] == [event.id for event in kept.fresh]
    assert [event.text for event in events[:3]] == ["\ufffdmd01", "\ufffdmd01", "x" * 2000]
    assert [log.event_of(event, "api").hash() for event in events] == [event.hash for event in events]
    assert all(a.hash == b.prev for a, b in itertools.pairwise(events))


def test_of_two_livestreams_that_get_one_comment_at_once_one_hears_that_it_raced(
    app: Flask, village: Village, database_kind: str
) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite's writers come one after the other")
    first, second = evening(village), evening(village)
    inserted, told, outcome = threading.Event(), threading.Event(), list[Any]()

    def slower() -> None:
        with app.app_context():
            inserted.wait(10)
            try:
                with write() as session:
                    live = session.get_one(LiveSession, second)
                    told.set()
                    outcome.append(log.keep(session, live, [said("md01", id="a")]))
            except Raced as raced:
                outcome.append(raced)

    other = threading.Thread(target=slower)
    other.start()
    with write() as session:
        log.keep(session, session.get_one(LiveSession, first), [said("md01", id="a")])
        inserted.set()
        told.wait(10)
        # It finds nothing yet, and waits at the insert until this transaction ends.
        other.join(0.3)
    other.join(10)
    assert isinstance(outcome[0], Raced)
    assert wrote(second) == [] and live_of(second).received == 0
