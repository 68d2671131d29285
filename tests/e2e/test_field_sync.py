"""Logging stages with no network, in a real browser: whatever happens on the way, each is on the ledger once."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select, update

from tests.e2e.conftest import Ready
from tests.e2e.test_field_ui import Thumb
from tests.support.cutting import Road
from tests.support.fieldledger import events, numbers, signed_by
from tests.support.fieldphone import ARRIVED
from tests.support.serving import Served, start
from tests.support.village import Village
from trace.photos.models import Photo
from village import clock
from village.db import db, write
from village.people.models import SignIn
from village.settings import ROOT, Settings

pytestmark = [pytest.mark.browser, pytest.mark.processes]
CODE = ("village", "trace", "batches", "shop", "static", "wsgi.py")


def photos() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Photo.sha256)))


def test_twenty_stages_logged_offline_outlive_the_phones_death(
    app: Flask, village: Village, way: Road, ready: Ready
) -> None:
    phone, key = ready(own=True)
    phone.offline()
    way.up = False
    phone.page.reload()
    phone.take_in_hand()
    phone.do("hands.twenty()")
    # Of each of five chains: what is left of the tubers (nothing of the first), starch that nobody used, the sheets.
    assert phone.do("engine.state.batches.length") == 14
    made = phone.ids()
    phone.kill()
    phone.open()
    phone.offline()
    phone.page.goto("/field")
    phone.take_in_hand()
    assert phone.ids() == made and set(phone.states()) == {"waiting"}
    way.up = True
    phone.offline(False)
    phone.wait("state.counts.proven === 20")
    phone.settle(ARRIVED)
    assert signed_by(key) == sorted(made) == sorted(one.id for one in events())
    assert numbers(key) == list(range(1, 21))
    assert photos() == {name for one in events() for name in one.photos} and len(photos()) == 6


def test_answers_that_are_lost_and_a_server_that_dies_double_nothing(
    app: Flask, village: Village, settings: Settings, house: Served, way: Road, ready: Ready
) -> None:
    phone, key = ready()
    phone.offline()
    phone.do("hands.twenty()")
    way.losing = r"POST /api/events|PATCH /api/photos|POST /api/field"
    way.asked.clear()

    def die(name: str, _body: bytes) -> None:
        if way.asked.count("POST /api/events") == 9:
            house.kill()
            raise OSError

    way.on_request = die
    phone.offline(False)
    for _ in range(3):
        phone.do("engine.send()")
    assert 1 <= len(events()) < 20 and "waiting" in phone.states()
    way.on_request = None
    again = start(settings, workers=1)
    try:
        way.upstream = again.port
        phone.settle(f"state.counts.proven === 20 && {ARRIVED}")
    finally:
        again.stop()
    assert way.lost.count("POST /api/events") == 20
    assert signed_by(key) == sorted(phone.ids()) == sorted(one.id for one in events())
    assert numbers(key) == list(range(1, 21))
    assert len(photos()) == 6


def test_a_stage_goes_from_a_thumb_with_no_network_to_the_ledger(app: Flask, village: Village, ready: Ready) -> None:
    phone, key = ready()
    phone.page.reload()
    phone.take_in_hand()
    phone.offline()
    phone.page.reload()
    phone.take_in_hand()
    expect(phone.page.locator("#strip")).to_contain_text("Chưa có mạng")
    thumb = Thumb(phone.page)
    thumb.tap(phone.page.locator("[data-key='begin-mien-dong']"))
    thumb.number("840")
    thumb.skip()
    thumb.button("Ghi lại")
    expect(phone.page.locator("#strip")).to_contain_text("đã giữ lại đây")
    phone.offline(False)
    phone.wait("state.counts.proven === 1")
    phone.page.goto("/field#/records")
    expect(phone.page.locator(".record .state")).to_have_text("Đã vào sổ")
    assert signed_by(key) == [one.id for one in events()] and numbers(key) == [1]


def test_the_browser_sends_while_no_page_is_open(app: Flask, village: Village, way: Road, ready: Ready) -> None:
    phone, key = ready()
    phone.page.reload()
    phone.take_in_hand()
    way.up = False
    phone.do("hands.harvest(1000000)")
    other = phone.context.new_page()
    phone.page.close()
    devtools = phone.context.new_cdp_session(other)
    workers: list[dict[str, str]] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda told: workers.extend(told["registrations"]))
    devtools.send("ServiceWorker.enable")
    while not (ours := [one for one in workers if one["scopeURL"].endswith("/field")]):
        other.wait_for_timeout(50)
    assert events() == []
    way.up = True
    # What the browser does by itself when it finds a network.
    devtools.send(
        "ServiceWorker.dispatchSyncEvent",
        {"origin": way.url, "registrationId": ours[0]["registrationId"], "tag": "soi-field", "lastChance": False},
    )
    for _ in range(200):
        if events():
            break
        other.wait_for_timeout(100)
    assert signed_by(key) == [one.id for one in events()] and numbers(key) == [1]
    phone.start()
    phone.settle()
    assert phone.states() == ["proven"]


def test_a_page_that_found_another_at_it_looks_again_soon(
    app: Flask, village: Village, way: Road, ready: Ready
) -> None:
    phone, _key = ready()
    with write() as session:
        session.execute(update(SignIn).values(revoked_at=clock.now()))
    # As a service worker does that the browser woke when it found a network.
    at_it = "navigator.locks.request('soi-field-send', () => new Promise((go) => held(window.go = go)))"
    phone.do(f"new Promise((held) => {at_it})")
    assert phone.do("engine.send().then(() => engine.state.signedIn)") is True
    phone.do("window.go()")
    phone.wait("!state.signedIn")


def test_a_phone_gone_for_a_month_comes_back_to_a_changed_village(
    app: Flask, village: Village, settings: Settings, house: Served, way: Road, ready: Ready, tmp_path: Path
) -> None:
    tuber = village.batch(village.made("harvest", "tuber", 1_000_000))
    phone, key = ready(own=True)
    version = phone.do("hands.version")
    phone.offline()
    phone.do("hands.photo(3).then((photo) => hands.settle(arg, 900000, 225000, { photos: [photo] }))", tuber.lot)
    phone.do("hands.harvest(700000)")
    phone.close()
    # A month goes by: the app is another one, nobody is signed in any more, and the tubers are gone.
    village.made("settle", "wet-starch", 200_000, (tuber.id, 800_000))
    with write() as session:
        session.execute(update(SignIn).values(revoked_at=clock.now()))
    newer = start(settings, workers=1, cwd=(code := changed_code(tmp_path)), code=code)
    try:
        way.upstream = newer.port
        phone.open()
        phone.start()
        # The old version opens, whole, while the new one is fetched; no page is of both.
        assert phone.do("hands.version") == version
        phone.wait("state.update && !state.signedIn")
        assert phone.do("hands.versions()") == 2
        assert phone.states() == ["waiting", "waiting"]
        phone.close()
        phone.open()
        phone.sign_in(village, "producer")
        phone.start()
        assert phone.do("hands.version") != version
        assert phone.do("hands.versions()") == 1
        phone.settle("state.counts.proven === 1 && state.counts.help === 1")
        assert phone.states() == ["proven", "help"]
        phone.mend(phone.stuck("not-enough-left", "amount", "drop"), "drop", why="Hết rồi")
        phone.settle("state.counts.help === 0")
        assert numbers(key) == [2]
    finally:
        phone.close()
        newer.stop()


def changed_code(folder: Path) -> Path:
    """A checkout with another version of the app."""
    code = folder / "newer"
    code.mkdir()
    for name in CODE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, code / name)
    with (code / "static" / "js" / "field" / "engine.js").open("a") as file:
        file.write("\n// A month later.\n")
    return code
