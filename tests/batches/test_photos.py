"""Photos on their way in and out: who may send and see them, what is refused, what pages say of them."""

import base64
import datetime as dt
import hashlib
import json
import os
import threading
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from batches.evidence import services, uploads
from batches.evidence.api import PIECES
from batches.evidence.services import MOST_IN_FORM
from batches.stages.corrections import Correction, correct
from batches.stages.wanted import Take
from tests.conftest import browser
from tests.support.pictures import picture, told
from tests.support.serving import serving
from tests.support.village import Village
from trace.events.models import EventBatch
from trace.gs1.digital_link import DigitalLink
from trace.photos.models import Photo
from trace.photos.services import store
from trace.photos.store import take_in
from trace.photos.tidy import tidy
from village import clock
from village.db import db
from village.ids import uuid7

DATA = picture()
NAME = hashlib.sha256(DATA).hexdigest()
Headers = Mapping[str, str]
NO_MORE: Headers = {}


@pytest.fixture
def phone(app: Flask, village: Village) -> "Phone":
    return Phone(app, village.token("producer"))


class Phone:
    """A program that sends photos."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client = browser(app)
        self.headers = {"Authorization": f"Bearer {token}"}

    def patch(self, data: bytes, offset: int = 0, total: int = 0, name: str = "", more: Headers = NO_MORE) -> Any:
        """Send a piece; the name is that of DATA unless told."""
        headers = {
            **self.headers, "Content-Type": PIECES, "Upload-Offset": str(offset),
            "Upload-Length": str(total or len(data)), **more,
        }  # fmt: skip
        return self.client.patch(f"/api/photos/{name or NAME}", data=data, headers=headers)

    def head(self, name: str = NAME) -> Any:
        return self.client.head(f"/api/photos/{name}", headers=self.headers)

    def post(self, data: bytes, query: str = "", kind: str = "image/jpeg") -> Any:
        return self.client.post(f"/api/photos{query}", data=data, headers={**self.headers, "Content-Type": kind})


def named(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def slug(answer: Any) -> str:
    return str(answer.get_json()["type"]).rpartition("/")[2]


def harvest(village: Village, *photos: str, **more: Any) -> str:
    return village.made("harvest", "tuber", 100_000, photos=photos, **more)


def scan(village: Village, batch_id: str) -> str:
    batch = village.batch(batch_id)
    return DigitalLink(batch.gtin, lot=batch.lot).path


def test_a_photo_arrives_in_pieces_and_is_kept_once_whole(phone: Phone) -> None:
    assert phone.head().status_code == 404
    first = phone.patch(DATA[:300], 0, len(DATA))
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "300")
    again = phone.patch(DATA[:300], 0, len(DATA))
    assert (again.status_code, again.headers["Upload-Offset"], slug(again)) == (409, "300", "wrong-offset")
    assert (phone.head().headers["Upload-Offset"], "Upload-Length" in phone.head().headers) == ("300", False)
    assert phone.patch(DATA[300:], 300, len(DATA)).status_code == 204
    done = phone.head()
    whole = str(len(DATA))
    assert (done.status_code, done.headers["Upload-Offset"], done.headers["Upload-Length"]) == (200, whole, whole)
    lost = phone.patch(DATA[300:], 300, len(DATA))
    assert (lost.status_code, lost.headers["Upload-Offset"]) == (204, whole), "an answer that was lost comes again"
    assert store().path(NAME).read_bytes() == DATA


def test_bytes_that_all_arrived_before_the_server_ended_are_kept_after_all(phone: Phone, village: Village) -> None:
    with store().growing(village.actor("producer").id, NAME) as (fd, have):
        take_in(fd, have, len(DATA), BytesIO(DATA).read)
    whole = str(len(DATA))
    assert (phone.head().headers["Upload-Offset"], "Upload-Length" in phone.head().headers) == (whole, False)
    ended = phone.patch(b"", len(DATA), len(DATA))
    assert (ended.status_code, ended.headers["Upload-Offset"]) == (204, whole)
    assert phone.head().headers["Upload-Length"] == whole


def test_a_file_that_was_kept_before_the_server_ended_is_known_after_all(phone: Phone) -> None:
    store().put(DATA)
    assert phone.head().status_code == 404
    assert phone.patch(DATA[:10], 0, len(DATA)).headers["Upload-Offset"] == str(len(DATA))
    assert db.session.get_one(Photo, NAME).size == len(DATA)


def test_a_photo_with_another_hash_is_refused_and_dropped(phone: Phone) -> None:
    answer = phone.patch(DATA[:-1] + b"\0")
    assert (answer.status_code, slug(answer)) == (422, "photo-not-its-name")
    assert phone.head().status_code == 404 and not store().has(NAME)
    assert phone.patch(DATA).status_code == 204


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (told(), "photo-not-clean"),
        (DATA + b"<script>", "photo-not-clean"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
        (b"\0\0\0\x20ftypheic" + b"\0" * 20, "photo-is-heic"),
        (DATA[:-9], "photo-cut-short"),
    ],
)
def test_what_is_no_clean_picture_is_refused_and_dropped(phone: Phone, data: bytes, why: str) -> None:
    answer = phone.patch(data, name=named(data))
    assert (answer.status_code, slug(answer)) == (422, why)
    assert phone.head(named(data)).status_code == 404 and not store().has(named(data))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Content-Type": "image/jpeg"}, 422),
        ({"Upload-Offset": "-1"}, 422),
        ({"Upload-Offset": "x"}, 422),
        ({"Upload-Length": "٣"}, 422),
        ({"Upload-Length": "1"}, 422),
        ({"Upload-Length": "999999999999"}, 422),
        ({"Upload-Offset": "99999999", "Upload-Length": "99999"}, 422),
        ({"Upload-Metadata": "lat"}, 422),
        ({"Upload-Metadata": "lat ???"}, 422),
        ({"Upload-Metadata": "taken_at " + base64.b64encode(b"2026-11-20T06:30:00").decode()}, 422),
        ({"Upload-Offset": "5"}, 409),
    ],
)
def test_a_request_that_makes_no_sense_changes_nothing(phone: Phone, change: dict[str, str], status: int) -> None:
    assert phone.patch(DATA[:200], 0, len(DATA)).status_code == 204
    assert phone.patch(DATA[:200], 200, len(DATA), more=change).status_code == status
    assert phone.head().headers["Upload-Offset"] == "200"


@pytest.mark.parametrize("name", ["a" * 63, "A" * 64, "..%2f..%2fsoi.db", "a" * 64 + "%0a", "%2e%2e"])
def test_a_name_that_is_no_hash_leads_nowhere(phone: Phone, client: FlaskClient, name: str) -> None:
    assert phone.patch(DATA, name=name).status_code in (404, 422)
    assert phone.head(name).status_code in (404, 422)
    assert client.get(f"/photos/{name}").status_code == 404


def test_only_those_who_record_may_send(app: Flask, village: Village, client: FlaskClient) -> None:
    for who, status in (("seller", 403), ("auditor", 403), ("office", 204), ("producer-other", 204)):
        assert Phone(app, village.token(who)).patch(DATA).status_code == status, who
    assert client.patch(f"/api/photos/{NAME}", data=DATA).status_code == 401
    assert client.head(f"/api/photos/{NAME}").status_code == 401


def test_nobody_goes_on_with_or_spoils_anothers_upload(app: Flask, village: Village, phone: Phone) -> None:
    assert phone.patch(DATA[:300], 0, len(DATA)).status_code == 204
    other = Phone(app, village.token("producer-b"))
    assert other.head().status_code == 404
    assert other.patch(DATA[300:], 300, len(DATA)).status_code == 409
    assert other.patch(b"\0" * len(DATA)).status_code == 422
    assert phone.patch(DATA[300:], 300, len(DATA)).status_code == 204


def test_unfinished_uploads_are_bounded(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_PARTS", 2)
    names = [f"{n:064x}" for n in range(3)]
    assert [phone.patch(b"abc", 0, 9, name).status_code for name in names] == [204, 204, 429]
    assert phone.patch(b"defghi", 3, 9, names[0]).status_code == 429, "as long as there are too many"
    monkeypatch.setattr(uploads, "MOST_UNFINISHED", 0)
    answer = phone.patch(b"abc", 0, 9, names[2])
    assert (answer.status_code, slug(answer), "Retry-After" in answer.headers) == (429, "too-many-unfinished", True)


def test_photos_leave_the_disk_to_the_ledger(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SPARE", 1 << 60)
    for answer in (phone.patch(DATA), phone.post(DATA)):
        assert (answer.status_code, slug(answer), answer.get_json()["why"]) == (507, "storage", "full")


def test_photos_that_no_event_names_are_bounded(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_UNNAMED", 1)
    assert phone.patch(DATA).status_code == 204
    answer = phone.post(picture(colour=7))
    assert (answer.status_code, slug(answer)) == (429, "too-many-photos")


def test_one_request_cleans_the_photo_and_forgets_where_it_was_taken(phone: Phone) -> None:
    answer = phone.post(told())
    kept = answer.get_json()
    assert (answer.status_code, kept["taken_at"], kept["lat"], kept["width"]) == (201, None, None, 64)
    stored = store().path(kept["sha256"]).read_bytes()
    assert (named(stored), b"Exif" in stored, kept["size"]) == (kept["sha256"], False, len(stored))


def test_with_consent_when_and_where_are_kept_beside_it(phone: Phone) -> None:
    kept = phone.post(told(colour=5), "?consent=1").get_json()
    assert dt.datetime.fromisoformat(kept["taken_at"]) == dt.datetime(2026, 11, 20, 6, 30, tzinfo=clock.VN)
    assert (kept["lat"], kept["lon"]) == (22.35833, 103.58333)
    said = {"taken_at": "2026-11-20T06:30:00+07:00", "lat": "22.3583", "lon": "103.5833"}
    header = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
    assert phone.patch(DATA, more={"Upload-Metadata": header}).status_code == 204
    photo = db.session.get_one(Photo, NAME)
    assert (photo.lat, photo.lon) == (22.3583, 103.5833)
    assert photo.taken_at == dt.datetime(2026, 11, 19, 23, 30, tzinfo=dt.UTC)


def test_a_form_may_carry_it_too(phone: Phone) -> None:
    answer = phone.client.post(
        "/api/photos", data={"photo": (BytesIO(told()), "anh.jpg"), "consent": "1"}, headers=phone.headers
    )
    assert (answer.status_code, answer.get_json()["lat"]) == (201, 22.35833)
    nothing = phone.client.post("/api/photos", data={"photo": "x"}, headers=phone.headers)
    assert (nothing.status_code, slug(nothing)) == (422, "no-file")


def test_a_photo_larger_than_the_settings_say_is_refused(phone: Phone, app: Flask) -> None:
    most = app.extensions["soi"].max_photo
    answer = phone.post(DATA + b"\0" * most)
    assert (answer.status_code, slug(answer)) == (422, "file-too-big")
    assert phone.post(DATA + b"\0" * (most + 100_000)).status_code == 413
    other = {**phone.headers, "Content-Type": "application/json"}
    assert phone.client.post("/api/events", data=b"{}" + b" " * (3 << 20), headers=other).status_code == 413


def test_only_what_a_standing_event_names_is_shown_to_all(village: Village, phone: Phone, client: FlaskClient) -> None:
    phone.patch(DATA)
    assert client.get(f"/photos/{NAME}").status_code == 404
    seen = {}
    for who in ("producer", "office", "producer-b", "office-other", "auditor"):
        member = browser(phone.client.application)
        village.sign_in(member, who)
        seen[who] = member.get(f"/photos/{NAME}").status_code
    assert seen == {"producer": 200, "office": 200, "producer-b": 404, "office-other": 404, "auditor": 404}
    batch = harvest(village, NAME)
    shown = client.get(f"/photos/{NAME}")
    assert (shown.status_code, shown.data, shown.mimetype) == (200, DATA, "image/jpeg")
    event = db.session.scalars(select(EventBatch.event_id).where(EventBatch.batch_id == batch)).one()
    correct(village.actor("producer"), Correction(uuid7(), event, "did_not_occur", "nhầm"), {})
    assert client.get(f"/photos/{NAME}").status_code == 404


def test_a_served_photo_may_be_kept_and_do_nothing(village: Village, phone: Phone, client: FlaskClient) -> None:
    data = picture(900, 600)
    phone.patch(data, name=named(data))
    harvest(village, named(data))
    shown = client.get(f"/photos/{named(data)}")
    assert "immutable" in shown.headers["Cache-Control"] and "public" in shown.headers["Cache-Control"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"] and shown.headers["ETag"] == f'"{named(data)}"'
    again = client.get(f"/photos/{named(data)}", headers={"If-None-Match": shown.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    small = client.get(f"/photos/{named(data)}?w=480", headers={"Accept": "image/avif,image/webp,*/*"})
    assert (small.mimetype, small.headers["Vary"], len(small.data) < len(data)) == ("image/webp", "Accept", True)
    assert client.get(f"/photos/{named(data)}?w=480").mimetype == "image/jpeg"
    for width in ("481", "", "0480", "1e3"):
        assert client.get(f"/photos/{named(data)}?w={width}").status_code == 422


def test_a_file_that_was_changed_on_the_disk_is_not_shown(village: Village, phone: Phone, client: FlaskClient) -> None:
    phone.patch(DATA)
    batch = harvest(village, NAME)
    store().path(NAME).write_bytes(picture(colour=3))
    assert client.get(f"/photos/{NAME}").status_code == 404
    page = client.get(scan(village, batch)).text
    assert "không còn khớp với dấu trong sổ" in page and f"/photos/{NAME}" not in page


def test_the_scan_page_shows_a_photo_as_soon_as_it_is_there(
    village: Village, phone: Phone, client: FlaskClient
) -> None:
    batch = harvest(village, NAME)
    before = client.get(scan(village, batch)).text
    assert "ảnh đang tới" in before and "sợi còn nguyên" in before.lower()
    phone.patch(DATA)
    after = client.get(scan(village, batch)).text
    assert f'src="/photos/{NAME}?w=480"' in after and "Ảnh khớp với sổ" in after and "đang tới" not in after


def test_a_place_is_shown_to_a_kilometre_and_no_closer(village: Village, phone: Phone, client: FlaskClient) -> None:
    kept = phone.post(told(), "?consent=1").get_json()
    page = client.get(scan(village, harvest(village, kept["sha256"]))).text
    assert "22,36" in page and "103,58" in page and "22,358" not in page and "06:30, 20/11/2026" in page


def test_the_stage_form_takes_photos_without_any_script(village: Village, client: FlaskClient) -> None:
    village.sign_in(client, "producer")
    page = client.get("/batches/record/mien-dong/harvest").text
    assert 'enctype="multipart/form-data"' in page and 'name="photos"' in page and "multiple" in page
    form = {
        "event_id": uuid7(), "product": village.product("tuber").id, "made": "100", "site": village.site().id,
        "consent": "1",
    }  # fmt: skip
    refused = client.post(
        "/batches/record/mien-dong/harvest",
        data={**form, "made": "x", "photos": [(BytesIO(told()), "a.jpg"), (BytesIO(picture(colour=9)), "b.jpg")]},
    )
    kept = next(part for part in refused.text.split('name="photos_kept" value="')[1:]).partition('"')[0]
    assert refused.status_code == 422 and len(kept.split(",")) == 2, "what came along is not sent twice"
    done = client.post(
        "/batches/record/mien-dong/harvest", data={**form, "photos_kept": kept, "photos": [(BytesIO(b""), "")]}
    )
    assert done.status_code == 302
    page = client.get(done.location).text
    assert all(f"/photos/{sha256}?w=480" in page for sha256 in kept.split(","))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([b"<svg/>"], "không phải ảnh"),
        ([b"\0\0\0\x20ftypheic" + b"\0" * 9], "HEIC"),
        ([picture(colour=n) for n in range(MOST_IN_FORM + 1)], "nhiều nhất 4 ảnh"),
    ],
)
def test_a_form_says_beside_the_field_what_is_wrong_with_a_photo(
    village: Village, client: FlaskClient, files: list[bytes], said: str
) -> None:
    village.sign_in(client, "producer")
    form = {"event_id": uuid7(), "product": village.product("tuber").id, "made": "100", "site": village.site().id}
    answer = client.post(
        "/batches/record/mien-dong/harvest", data={**form, "photos": [(BytesIO(one), "a.jpg") for one in files]}
    )
    assert answer.status_code == 422 and said in answer.text
    assert db.session.scalar(select(func.count()).select_from(Photo)) == 0


def test_a_form_names_no_photo_of_somebody_else(app: Flask, village: Village, client: FlaskClient) -> None:
    Phone(app, village.token("producer-b")).patch(DATA)
    village.sign_in(client, "producer")
    form = {"event_id": uuid7(), "product": village.product("tuber").id, "made": "100", "site": village.site().id}
    client.post("/batches/record/mien-dong/harvest", data={**form, "photos_kept": NAME})
    assert client.get(f"/photos/{NAME}").status_code == 404


def test_the_form_that_a_phone_signs_says_which_photos(village: Village, client: FlaskClient) -> None:
    village.sign_in(client, "producer")
    form = {
        "event_id": uuid7(), "product": village.product("tuber").id, "made": "100", "site": village.site().id,
        "claim": "1", "photos": [(BytesIO(DATA), "a.jpg")],
    }  # fmt: skip
    answer = client.post("/batches/record/mien-dong/harvest", data=form, headers={"Accept": "application/json"})
    told = answer.get_json()
    assert (told["claim"]["photos"], told["photos_kept"]) == ([NAME], NAME)


def test_an_erased_photo_is_gone_for_good_and_the_ledger_still_holds(
    village: Village, phone: Phone, client: FlaskClient
) -> None:
    phone.patch(DATA)
    batch = harvest(village, NAME)
    client.get(f"/photos/{NAME}?w=480")
    office = browser(phone.client.application)
    village.sign_in(office, "office")
    page = office.get(f"/coop/photos/{NAME}/erase")
    assert page.status_code == 200 and office.post(f"/coop/photos/{NAME}/erase").status_code == 422
    assert office.post(f"/coop/photos/{NAME}/erase", data={"sure": "1"}).status_code == 302
    assert not [path for path in store().path(NAME).parents[2].rglob("*") if path.is_file()]
    scanned = client.get(scan(village, batch)).text
    assert "Ảnh đã xoá theo yêu cầu" in scanned and "sợi còn nguyên" in scanned.lower()
    assert client.get(f"/photos/{NAME}").status_code == 410
    again = phone.patch(DATA)
    assert (again.status_code, slug(again), phone.head().status_code) == (410, "photo-erased", 410)
    assert phone.post(DATA).status_code == 410 and not store().has(NAME)
    row = db.session.get_one(Photo, NAME)
    assert (row.lat, row.taken_at, row.erased_at is not None) == (None, None, True)


@pytest.mark.parametrize("who", ["producer", "office-other", "auditor", "seller"])
def test_nobody_else_erases_a_photo(village: Village, phone: Phone, client: FlaskClient, who: str) -> None:
    phone.patch(DATA)
    harvest(village, NAME)
    village.sign_in(client, who)
    answer = client.post(f"/coop/photos/{NAME}/erase", data={"sure": "1"})
    assert answer.status_code in (403, 404) and store().has(NAME)


def test_tidying_puts_away_what_nobody_waits_for(village: Village, phone: Phone, app: Flask) -> None:
    old, new, used = (picture(colour=n) for n in (11, 12, 13))
    with clock.fixed(clock.now() - dt.timedelta(days=31)):
        phone.post(old)
        phone.post(used)
    phone.post(new)
    harvest(village, named(used))
    phone.patch(b"abc", 0, 9, "0" * 64)
    long_ago = (clock.now() - dt.timedelta(days=15)).timestamp()
    part = store().part(village.actor("producer").id, "0" * 64)
    os.utime(part, (long_ago, long_ago))
    stray = store().path("f" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    for path in (stray, stray.with_name(".draft.123")):
        path.write_bytes(b"x")
        os.utime(path, (long_ago, long_ago))
    counted = tidy(dry_run=True)
    assert (counted.parts, counted.photos, counted.strays) == (1, 1, 2) and part.exists() and stray.exists()
    runner = app.test_cli_runner()
    said = runner.invoke(args=["photos", "tidy"]).output
    assert "1 unfinished" in said and "1 photos" in said and "2 files" in said
    assert [store().has(named(one)) for one in (old, new, used)] == [False, True, True]
    assert not part.exists() and not stray.exists()
    assert tidy() == type(counted)(0, 0, 0)


@pytest.mark.processes
@pytest.mark.slow_once
def test_two_members_send_the_same_photo_to_two_processes_at_once(app: Flask, village: Village) -> None:
    data = picture(800, 600, quality=95)
    tokens = [village.token(who) for who in ("producer", "producer-b", "office", "producer-other")]
    answers: list[int] = []
    with serving(app.extensions["soi"], workers=2) as served:

        def send(token: str) -> None:
            connection = served.connect()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": PIECES}
            half = len(data) // 2
            for start, end in ((0, half), (half, len(data))):
                headers |= {"Upload-Offset": str(start), "Upload-Length": str(len(data))}
                connection.request("PATCH", f"/api/photos/{named(data)}", data[start:end], headers)
                answer = connection.getresponse()
                answer.read()
                answers.append(answer.status)

        threads = [threading.Thread(target=send, args=(token,)) for token in tokens]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert set(answers) == {204}
    assert store().path(named(data)).read_bytes() == data
    assert db.session.scalar(select(func.count()).select_from(Photo)) == 1


def test_an_event_may_name_photos_by_the_api(village: Village, phone: Phone) -> None:
    phone.patch(DATA)
    event = {
        "id": uuid7(), "process": "mien-dong", "stage": "harvest", "site": village.site().id,
        "occurred_at": (clock.now() - dt.timedelta(hours=1)).isoformat(), "photos": [NAME, NAME],
        "outputs": [{"product": village.product("tuber").id, "grams": 50_000}],
    }  # fmt: skip
    answer = phone.client.post(
        "/api/events", data=json.dumps(event), headers={**phone.headers, "Content-Type": "application/json"}
    )
    assert answer.status_code == 201, answer.text


def test_a_look_at_a_batch_may_carry_a_photo(village: Village, phone: Phone, client: FlaskClient) -> None:
    phone.patch(DATA)
    starch = village.made("settle", "wet-starch", 25_000, (harvest(village, days_ago=4), 100_000), days_ago=3)
    village.record("settle-check", inputs=(Take(starch),), photos=(NAME,))
    assert f"/photos/{NAME}?w=480" in client.get(scan(village, starch)).text
