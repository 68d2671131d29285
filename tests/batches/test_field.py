"""What the field app is given, what is remembered of what it could not send, and what the office hears of it."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from batches.devices import services as devices
from batches.erasure.services import forget_member
from batches.field import files
from batches.field.models import PhoneHeard, RefusedRecord
from batches.field.stuck import silent_phones, stuck, stuck_count
from tests.batches.test_devices import harvest
from tests.support.phone import Phone
from tests.support.village import Village
from trace.ledger import store
from village import clock
from village.db import db, write
from village.ids import uuid7

Ask = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, village: Village) -> Ask:
    """Ask or tell the API as a member; gives the response."""

    def send(path: str, body: dict[str, Any] | None = None, username: str = "producer", **headers: str) -> Any:
        told = {"Authorization": f"Bearer {village.token(username)}", **headers}
        if body is None:
            return client.get(path, headers=told)
        return client.post(path, headers=told, json=body)

    return send


@pytest.fixture
def phone(village: Village) -> Phone:
    """A producer's phone that the office approved."""
    return Phone().enrol(village)


def slug(answer: Any) -> str:
    return str(answer.get_json()["type"]).rpartition("/")[2]


def refused(ask: Ask, phone: Phone, village: Village, **changes: Any) -> str:
    """Send a signed harvest that the village refuses; its id."""
    late = (clock.now() + dt.timedelta(days=2)).isoformat(timespec="milliseconds")
    body = harvest(village, occurred_at=late, **changes)
    assert slug(ask("/api/events", phone.signed(body))) == "future-time"
    return str(body["id"])


def rows() -> list[RefusedRecord]:
    db.session.rollback()
    return list(db.session.scalars(select(RefusedRecord).order_by(RefusedRecord.first_at)))


def test_a_pack_has_what_a_phone_needs_with_no_network(ask: Ask, village: Village, phone: Phone) -> None:
    tuber = village.batch(village.made("harvest", "tuber", 1_000_000))
    answer = ask("/api/field")
    pack = answer.get_json()
    member = village.member("producer")
    assert pack["me"] == {
        "id": member.id, "name": "Người Làm A", "household": {"id": member.household_id, "name": "Hộ A"}
    }  # fmt: skip
    assert pack["log"] == "village.test/ledger" and pack["keys"] == [phone.key]
    (batch,) = pack["batches"]
    assert (batch["epc"], batch["left_grams"], batch["material"]) == (tuber.epc, 1_000_000, "tuber")
    assert batch["site"] == village.site().gln
    assert dt.datetime.fromisoformat(batch["made_at"]) == tuber.made_at
    assert {one["key"] for one in pack["processes"] if one["newest"]} >= {"mien-dong", "che-tam-duong", "gao-seng-cu"}
    (settle,) = (
        stage for one in pack["processes"] if one["key"] == "mien-dong" and one["newest"]
        for stage in one["stages"] if stage["key"] == "settle"
    )  # fmt: skip
    assert settle["yields"]["tuber"] == {"usual": [1800, 3200], "hard_max": 4500, "hard_min": None}
    assert [one["gln"] for one in pack["sites"] if one["mine"]] == [village.site().gln]
    assert village.product("packs", 500).gtin in {one["gtin"] for one in pack["products"]}
    assert int(answer.headers["Soi-Log-Size"]) == store.ensure_born().size
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_pack_holds_nothing_of_other_households(ask: Ask, village: Village) -> None:
    village.made("harvest", "tuber", 1_000_000)
    assert ask("/api/field", username="producer-b").get_json()["batches"] == []
    assert ask("/api/field", username="producer-other").get_json()["batches"] == []
    (batch,) = ask("/api/field", username="office").get_json()["batches"]
    assert batch["household"] == "Hộ A"


@pytest.mark.parametrize("username", ["seller", "auditor"])
def test_a_pack_is_for_those_who_log(ask: Ask, username: str) -> None:
    assert ask("/api/field", username=username).status_code == 403


def test_an_unchanged_pack_is_not_sent_again_though_the_log_grows(ask: Ask, village: Village) -> None:
    first = ask("/api/field")
    village.made("harvest", "tuber", 1_000_000, username="producer-b", site=village.site("Nhà Hộ B").id)
    again = ask("/api/field", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert int(again.headers["Soi-Log-Size"]) == int(first.headers["Soi-Log-Size"]) + 1
    village.made("harvest", "tuber", 1_000_000)
    assert ask("/api/field", **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_pack_takes_as_many_queries_for_many_batches_as_for_one(ask: Ask, app: Flask, village: Village) -> None:
    def queries() -> int:
        counted: list[str] = []
        token = village.token("producer")
        listen = lambda *told: counted.append(told[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        try:
            with app.test_client() as client:
                client.get("/api/field", headers={"Authorization": f"Bearer {token}"})
        finally:
            event.remove(db.engine, "before_cursor_execute", listen)
        return len(counted)

    village.made("harvest", "tuber", 1_000_000)
    queries()
    one = queries()
    for _ in range(5):
        village.made("harvest", "tuber", 1_000_000)
    assert queries() == one <= 15


def test_a_refused_signed_stage_is_remembered_once_and_without_its_note(
    ask: Ask, village: Village, phone: Phone
) -> None:
    village.made("harvest", "tuber", 1_000_000)
    late = (clock.now() + dt.timedelta(days=2)).isoformat(timespec="milliseconds")
    body = harvest(village, grams=500_000, occurred_at=late, note="Chuyện riêng")
    told = phone.signed(body)
    for _ in range(2):
        assert ask("/api/events", told).status_code == 422
    (row,) = rows()
    assert (row.event_id, row.device_key, row.seq, row.times) == (body["id"], phone.key, 1, 2)
    assert (row.slug, row.stage, row.grams) == ("future-time", "harvest", 500_000)
    assert "Chuyện riêng" not in str({name: value for name, value in vars(row).items()})
    assert stuck_count(db.session(), village.member("office").cooperative_id) == 1


def test_what_nobody_signed_is_not_remembered(ask: Ask, village: Village, phone: Phone) -> None:
    late = (clock.now() + dt.timedelta(days=2)).isoformat(timespec="milliseconds")
    assert ask("/api/events", harvest(village, occurred_at=late)).status_code == 422
    told = phone.signed(harvest(village, occurred_at=late))
    told["outputs"][0]["grams"] += 1
    assert slug(ask("/api/events", told)) == "bad-signature"
    # Another member sends what the phone signed.
    assert ask("/api/events", phone.signed(harvest(village, occurred_at=late)), "producer-b").status_code == 403
    # A phone that the office has not approved waits; it is not stuck.
    new = Phone()
    new.ask(village)
    assert slug(ask("/api/events", new.signed(harvest(village)))) == "device-pending"
    for odd in ({}, {"device": 5}, {"id": [], "device": {"key": 1}}):
        assert ask("/api/events", odd).status_code in (400, 422)
    assert rows() == []


def test_a_refused_stage_is_settled_once_it_is_recorded(ask: Ask, village: Village, phone: Phone) -> None:
    event_id = refused(ask, phone, village)
    office = village.actor("office")
    (one,) = stuck(office)
    assert (one.record.event_id, one.stage) == (event_id, "Thu hoạch")
    assert ask("/api/events", phone.signed(harvest(village, id=event_id), seq=1)).status_code == 201
    db.session.rollback()
    assert stuck(office) == [] and stuck_count(db.session(), office.cooperative_id) == 0


def test_a_producer_drops_what_was_refused(ask: Ask, village: Village, phone: Phone) -> None:
    event_id = refused(ask, phone, village)
    # It is hers to drop, and nobody else's.
    assert ask("/api/field/drops", {"id": event_id, "why": ""}, "producer-b").status_code == 204
    assert stuck_count(db.session(), village.member("office").cooperative_id) == 1
    for _ in range(2):
        assert ask("/api/field/drops", {"id": event_id, "why": "Ghi nhầm"}).status_code == 204
    (row,) = rows()
    assert row.why == "Ghi nhầm" and row.dropped_at is not None
    assert stuck(village.actor("office")) == []


def test_what_is_on_the_ledger_cannot_be_dropped(ask: Ask, village: Village, phone: Phone) -> None:
    body = harvest(village)
    assert ask("/api/events", phone.signed(body)).status_code == 201
    answer = ask("/api/field/drops", {"id": body["id"]})
    assert (answer.status_code, slug(answer)) == (409, "already-recorded")


def test_the_office_sees_what_is_stuck_and_why(
    ask: Ask, client: FlaskClient, village: Village, phone: Phone, sign_in: Callable[[FlaskClient, str], None]
) -> None:
    tuber = village.batch(village.made("harvest", "tuber", 1_000_000))
    body = harvest(
        village, stage="settle", inputs=[{"batch": tuber.epc, "grams": 2_000_000}],
        outputs=[{"product": village.product("wet-starch").gtin, "grams": 500_000}],
    )  # fmt: skip
    assert slug(ask("/api/events", phone.signed(body))) == "not-enough-left"
    sign_in(client, "office")
    page = client.get("/coop/stuck")
    assert page.status_code == 200
    text = re.sub(r"\s+", " ", page.text)
    for words in ("Người Làm A", "Lọc và lắng bột", "500 kg", f"/batches/{tuber.id}", "Máy khác đã lấy trước"):
        assert words in text
    sign_in(client, "office-other")
    assert "Người Làm A" not in client.get("/coop/stuck").text
    for username in ("producer", "auditor", "seller"):
        sign_in(client, username)
        assert client.get("/coop/stuck").status_code == 403


def test_a_phone_gone_wrong_cannot_fill_the_table(
    ask: Ask, village: Village, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batches.field.refused.MOST_OPEN", 2)
    for _ in range(4):
        refused(ask, phone, village)
    assert len(rows()) == 2


def test_a_phone_that_falls_silent_is_shown_to_its_office(ask: Ask, village: Village, phone: Phone) -> None:
    oldest = clock.now() - dt.timedelta(days=4)
    told = {"key": phone.key, "waiting": 3, "oldest": oldest.isoformat()}
    assert ask("/api/field/heard", told).status_code == 204
    assert ask("/api/field/heard", told, "producer-b").status_code == 404
    assert ask("/api/field/heard", told | {"waiting": -1}).status_code == 422
    assert silent_phones(village.actor("office")) == []
    for days, waiting, shown in ((3, 3, True), (3, 0, False), (8, 0, True)):
        with write() as session:
            then = clock.now() - dt.timedelta(days=days)
            session.execute(update(PhoneHeard).values(heard_at=then, waiting=waiting))
        assert bool(silent_phones(village.actor("office"))) is shown
    assert silent_phones(village.actor("office-other")) == []
    devices.end(village.actor("producer"), phone.key, "lost")
    assert silent_phones(village.actor("office")) == []


def test_what_a_phone_told_goes_with_its_owner(ask: Ask, village: Village, phone: Phone) -> None:
    refused(ask, phone, village)
    ask("/api/field/heard", {"key": phone.key, "waiting": 1})
    forget_member(village.actor("office"), village.member("producer").id, notes=True)
    assert rows() == [] and db.session.scalars(select(PhoneHeard)).all() == []


def test_a_drop_needs_an_id(ask: Ask) -> None:
    assert slug(ask("/api/field/drops", {"id": "nope"})) == "bad-id"
    assert ask("/api/field/drops", {"id": uuid7(), "why": "x" * 300}).status_code == 422


def test_the_app_is_the_same_for_everybody(
    client: FlaskClient, village: Village, sign_in: Callable[[FlaskClient, str], None]
) -> None:
    stranger = client.get("/field")
    sign_in(client, "producer")
    assert client.get("/field").data == stranger.data
    assert stranger.headers["Content-Language"] == "vi"
    assert client.get("/field?lang=en").headers["Content-Language"] == "en"


def test_the_app_is_whole_in_one_version(client: FlaskClient, app: Flask) -> None:
    page = client.get("/field")
    version = page.headers["Soi-Version"]
    assert f'src="/field/{version}/field/app.js"' in page.text
    worker = client.get("/field/sw.js")
    assert worker.headers["Service-Worker-Allowed"] == "/field"
    assert f'const VERSION = "{version}"' in worker.text
    assert worker.text.startswith(f'import {{ sendInBackground }} from "/field/{version}/field/background.js";')
    assert "import {" not in client.get("/field/sw.js?kind=classic").text.split("\nconst PAGE", 1)[0]
    with app.test_request_context("/field"):
        kept = files.kept_offline()
    assert not [one for one in kept if one.startswith("/api")]
    for address in kept:
        answer = client.get(address)
        assert answer.status_code == 200, address
    # Whatever the page itself names is kept.
    named = re.findall(r'(?:src|href)="(/(?:static|field/)[^"]+)"', page.text)
    assert set(named) <= set(kept)


def test_a_module_of_another_version_is_not_served(client: FlaskClient) -> None:
    version = client.get("/field").headers["Soi-Version"]
    own = client.get(f"/field/{version}/field/engine.js")
    assert own.headers["Cache-Control"].endswith("immutable")
    for address in ("/field/0123456789ab/field/engine.js", f"/field/{version}/live.js", f"/field/{version}/../soi.css"):
        assert client.get(address).status_code == 404


def test_the_app_can_be_installed(client: FlaskClient) -> None:
    told = client.get("/field/manifest.webmanifest")
    assert told.mimetype == "application/manifest+json"
    manifest = told.get_json(force=True)
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/field", "/field", "standalone")
    assert {one["sizes"] for one in manifest["icons"]} == {"192x192", "512x512"}
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).data.startswith(b"\x89PNG")
