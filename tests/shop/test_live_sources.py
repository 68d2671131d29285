"""A session's sources on their page: the signed webhook, paste, file and keyboard, and who may touch them."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import func, select

from batches.sheets.limits import Unreadable
from shop.live.models import LiveComment, LiveSession, LiveSource
from shop.live.sources import files, hooks, services
from tests.conftest import browser
from tests.support.live import Live, shelf
from tests.support.platforms.reader import ReaderFake, comment
from tests.support.platforms.serving import Moods
from tests.support.village import Village
from village.db import db, write
from village.errors import SoiError
from village.jobs.worker import work_off
from village.settings import SettingsError, from_env


class Desk:
    """A seller before the page of sources."""

    def __init__(self, app: Flask, village: Village, *, packs: int = 40) -> None:
        if packs:
            shelf(village, packs)
        self.live = Live(app, village, codes={"MD01": {}})
        self.client = browser(app)
        village.sign_in(self.client, "seller")
        self.url = f"/seller/live/{self.live.id}/sources"

    def page(self) -> str:
        answer = self.client.get(self.url)
        assert answer.status_code == 200
        return answer.text

    def reader(self, **moods: Any) -> ReaderFake:
        """A comment reader that was given what the page shows."""
        assert self.client.post(f"{self.url}/webhook").status_code == 303
        source = re.findall(r"/hooks/live/([0-9a-f-]{36})", self.page())[-1]
        shown = self.client.post(f"{self.url}/{source}/secret")
        assert shown.headers["Cache-Control"] == "no-store"
        key = re.search(r"<dd><code>([A-Za-z0-9_-]{43})</code>", shown.text)
        assert key
        return ReaderFake(f"/hooks/live/{source}", key[1], Moods(**moods))


def kept(live: Live) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(LiveComment.session_id == live.id)) or 0


@pytest.fixture
def desk(app: Flask, village: Village) -> Desk:
    return Desk(app, village)


@pytest.fixture
def bare(app: Flask, village: Village) -> Desk:
    """The same with nothing to sell."""
    return Desk(app, village, packs=0)


def test_what_a_comment_reader_posts_becomes_an_order_and_it_hears_what_came_of_it(
    desk: Desk, client: FlaskClient
) -> None:
    reader = desk.reader()
    answer = reader.post(client, [comment("c1", "lan", "md01 x2 0912345678"), comment("c2", "mai", "đẹp quá")])
    assert answer.status_code == 200
    first, second = reader.results["c1"], reader.results["c2"]
    assert first["decision"] == "order" and first["lines"][0]["quantity"] == 2 and first["order"]
    assert second["decision"] in ("ignored", "question")
    # A reader is no seller: it gets no key to an order, and nobody's telephone number.
    assert set(first) == {"id", "decision", "reason", "order", "lines", "waiting"}
    assert [(order.channel, order.lines[0].quantity) for order in desk.live.orders()] == [("live", 2)]
    assert "2 lời, lời cuối lúc" in desk.page()


def test_comments_repeated_dropped_and_in_disorder_are_taken_once_each(desk: Desk, client: FlaskClient) -> None:
    reader = desk.reader(seed=7, repeat=0.5, drop=0.3, shuffle=6)
    sent = [comment(f"c{n}", f"khach{n}", "md01 1 gói", at=f"2026-11-22T12:00:{n:02}+07:00") for n in range(30)]
    reader.send(client, sent, at_once=4)
    assert len(reader.results) == 30 and kept(desk.live) == 30
    assert len(desk.live.orders()) == 30 and sum(order.lines[0].quantity for order in desk.live.orders()) == 30


@pytest.mark.slow_once
def test_what_is_not_signed_in_time_with_the_sources_own_secret_is_not_looked_at(
    bare: Desk, client: FlaskClient
) -> None:
    reader, other = bare.reader(), bare.reader()
    said = [comment("c1", "lan", "md01 x2")]
    for late, secret in ((0, "wrong"), (0, other.secret), (301, ""), (-301, "")):
        assert reader.post(client, said, late=late, secret=secret).status_code == 401
    assert client.post(reader.address, json={"comments": said}).status_code == 401
    headers = {"X-Soi-Timestamp": "²", "X-Soi-Signature": "sha256=é"}
    assert client.post(reader.address, json={"comments": said}, headers=headers).status_code == 401
    assert client.post("/hooks/live/none", json={"comments": said}).status_code == 401
    assert kept(bare.live) == 0
    assert reader.post(client, said, late=290).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b"\xff", b"[" * 5000, b'{"comments": 1}', b'{"comments": [1]}',
        json.dumps({"comments": [{"id": "a", "text": "x"}]}).encode(),
        json.dumps({"comments": [{"id": "a", "author": {"id": "b"}}]}).encode(),
        json.dumps({"comments": [{"id": "", "author": {"id": "b"}, "text": "x"}]}).encode(),
        json.dumps({"comments": [{**comment("a", "b", "x"), "kind": "sung"}]}).encode(),
        json.dumps({"comments": [{**comment("a", "b", "x"), "at": "today"}]}).encode(),
        json.dumps({"comments": [comment(f"c{n}", "b", "x") for n in range(501)]}).encode(),
    ],
)  # fmt: skip
def test_a_signed_body_that_is_no_list_of_comments_is_refused_whole(body: bytes) -> None:
    with pytest.raises(SoiError) as refused:
        hooks._read(body)
    assert 400 <= refused.value.status < 500


def test_a_reader_can_tell_of_edits_and_deletions_without_saying_again_whose_they_are(
    desk: Desk, client: FlaskClient
) -> None:
    reader = desk.reader()
    reader.post(client, [comment("c1", "lan", "đẹp quá"), comment("c2", "mai", "md01 x1")])
    edited = {"id": "c1", "text": "md01 x3", "kind": "edited"}
    answer = reader.post(client, [edited, {"id": "c2", "kind": "deleted"}])
    assert answer.status_code == 200, answer.json
    # What was nothing yet is read in its place; what was an order already is for a person.
    assert [one["decision"] for one in (answer.json or {})["results"]] == ["order", "review"]
    assert kept(desk.live) == 4
    assert {order.live_author: order.lines[0].quantity for order in desk.live.orders()} == {"lan": 3, "mai": 1}


@pytest.mark.slow_once
def test_a_secret_is_shown_until_it_is_used_and_never_again(bare: Desk, client: FlaskClient) -> None:
    reader = bare.reader()
    source = reader.address.rpartition("/")[2]
    assert reader.secret not in bare.page() and "Hiện khoá" in bare.page()
    reader.post(client, [comment("c1", "lan", "chào cả nhà")])
    assert "Hiện khoá" not in bare.page()
    again = bare.client.post(f"{bare.url}/{source}/secret", follow_redirects=True)
    assert reader.secret not in again.text and "đang dùng rồi" in again.text


@pytest.mark.slow_once
def test_a_stopped_source_takes_nothing_until_it_is_started_again(desk: Desk, client: FlaskClient) -> None:
    reader = desk.reader()
    source = reader.address.rpartition("/")[2]
    desk.client.post(f"{desk.url}/{source}/stop")
    assert reader.post(client, [comment("c1", "lan", "md01")]).status_code == 409
    desk.client.post(f"{desk.url}/{source}/start")
    assert reader.post(client, [comment("c1", "lan", "md01 1 gói")]).status_code == 200
    assert len(desk.live.orders()) == 1


@pytest.mark.slow_once
def test_what_a_reader_brings_after_the_end_is_kept_and_decides_nothing(bare: Desk, client: FlaskClient) -> None:
    reader = bare.reader()
    bare.client.post(f"/seller/live/{bare.live.id}/end")
    answer = reader.post(client, [comment("c1", "lan", "md01 x2")])
    assert answer.status_code == 200
    assert (reader.results["c1"]["decision"], reader.results["c1"]["reason"]) == ("ignored", "session-ended")
    assert kept(bare.live) == 1 and bare.live.orders() == []


@pytest.mark.slow_once
def test_a_line_typed_by_a_helper_is_taken_once_however_often_it_is_sent(desk: Desk) -> None:
    form = {"name": "Cô Lan", "words": "md01 2 gói", "key": "018f0000-0000-7000-8000-000000000001"}
    for _ in range(2):
        assert desk.client.post(f"{desk.url}/keyboard", data=form).status_code == 303
    desk.client.post(f"{desk.url}/keyboard", data={**form, "words": "thêm 1 md01", "key": "another"})
    [order] = desk.live.orders()
    assert order.buyer_name == "Cô Lan" and order.lines[0].quantity == 3
    empty = desk.client.post(f"{desk.url}/keyboard", data={"name": "Lan", "words": " ", "key": "third"})
    assert empty.status_code == 422
    assert "Gõ tay" in desk.page()


@pytest.mark.slow_once
def test_pasted_lines_are_the_sessions_one_paste_source(desk: Desk) -> None:
    for number in range(2):
        form = {"paste": f"p{number}", "comments": "Lan: md01 x2\n\nMai: md01 1 gói"}
        assert desk.client.post(f"{desk.url}/paste", data=form).status_code == 303
    db.session.rollback()
    [source] = db.session.scalars(select(LiveSource).where(LiveSource.session_id == desk.live.id))
    assert source.kind == "paste" and "4 lời, lời cuối lúc" in desk.page()
    assert {order.buyer_name: order.lines[0].quantity for order in desk.live.orders()} == {"Lan": 2, "Mai": 1}


def test_a_file_is_taken_by_a_job_and_the_same_file_again_does_nothing(desk: Desk, app: Flask) -> None:
    table = "Thời gian;Tên;Bình luận\n22/11/2026 20:01;Lan;md01 x2\n22/11/2026 20:02;Mai;\"md01; 1 gói\"\n;Tú;hay quá\n"
    for _ in range(2):
        sent = {"file": (io.BytesIO(table.encode("utf-8-sig")), "live.csv")}
        answer = desk.client.post(f"{desk.url}/file", data=sent, content_type="multipart/form-data")
        assert answer.status_code == 303 and "/jobs/" in answer.headers["Location"]
        work_off()
    assert kept(desk.live) == 3 and len(desk.live.orders()) == 2
    assert list((app.extensions["soi"].instance / "live").iterdir()) == []
    nothing = desk.client.post(f"{desk.url}/file", data={}, content_type="multipart/form-data")
    assert nothing.status_code in (400, 422) and "chưa điền" in nothing.text


def test_tables_and_texts_are_read_as_platforms_export_them() -> None:
    book = Workbook()
    book.active.append(["Bảng xuất"])  # type: ignore[union-attr]
    book.active.append(["Comment ID", "User ID", "User name", "Message", "Created time"])  # type: ignore[union-attr]
    book.active.append(["778_1", "100", "Lan", "md01 x2", "2026-11-22T13:00:00+00:00"])  # type: ignore[union-attr]
    book.active.append(["778_2", "", "", "md02", ""])  # type: ignore[union-attr]
    file = io.BytesIO()
    book.save(file)
    first, second = files.comments(file.getvalue())
    assert (first.id, first.author_id, first.author_name, first.text) == ("778_1", "100", "Lan", "md01 x2")
    assert first.at and first.at.isoformat() == "2026-11-22T13:00:00+00:00"
    assert second.id == "778_2" and second.author_id == second.id.replace("778_2", second.author_id)
    assert second.at is None
    plain = files.comments("Lan: md01 x2\nmd02, 1 gói\n".encode("utf-16"))
    assert [(one.author_name, one.text) for one in plain] == [("Lan", "md01 x2"), ("", "md02, 1 gói")]
    comma = files.comments(b"name,comment\nLan,md01\nLan,md01\n")
    assert comma[0].author_id == comma[1].author_id and comma[0].id != comma[1].id


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b"", "no-comments"), (b"\n \n", "no-comments"), (b"PK\x03\x04 no zip", "sheet-broken"),
        (b"\x00\x01\x02", "sheet-broken"), (b"x" * (files.FILE_MAX + 1), "file-too-large"),
        (b"a\n" * (files.ROWS_MAX + 1), "file-too-large"), (b"name,comment\n", "no-comments"),
        (b"\x81\x8d\x8f\x90", "sheet-broken"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_its_reason(body: bytes, slug: str) -> None:
    with pytest.raises(Unreadable) as refused:
        files.comments(body)
    assert refused.value.slug == slug


@pytest.mark.slow_once
def test_nobody_touches_another_sellers_sources(bare: Desk, app: Flask, village: Village) -> None:
    reader = bare.reader()
    source = reader.address.rpartition("/")[2]
    posts = ("facebook", "tiktok", "webhook", f"{source}/stop", f"{source}/start", f"{source}/secret", "paste",
             "keyboard", f"orders/{source}/again", f"orders/{source}/seen")  # fmt: skip
    form = {"comments": "md01", "words": "md01", "key": "k", "paste": "p"}
    for username in ("producer", "seller-b", "office-other"):
        other = browser(app)
        village.sign_in(other, username)
        assert other.get(bare.url).status_code == 403, username
        for post in posts:
            assert other.post(f"{bare.url}/{post}", data=form).status_code == 403, (username, post)
    assert browser(app).get(bare.url).status_code in (302, 303, 401)
    # Her own session's address with another session's source is no way in either.
    mine = Live(app, village, "seller", codes={"MD02": {}})
    assert bare.client.post(f"/seller/live/{mine.id}/sources/{source}/stop").status_code == 404
    db.session.rollback()
    assert db.session.get_one(LiveSource, source).state == "idle" and kept(bare.live) == 0


@pytest.mark.slow_once
def test_a_session_has_a_bounded_number_of_sources_and_none_after_its_end(bare: Desk) -> None:
    for _ in range(services.SOURCES_MAX):
        bare.client.post(f"{bare.url}/webhook")
    over = bare.client.post(f"{bare.url}/webhook", follow_redirects=True)
    assert f"nhiều nhất {services.SOURCES_MAX} nguồn" in over.text
    with write() as session:
        session.get_one(LiveSession, bare.live.id).status = "ended"
    ended = bare.client.post(f"{bare.url}/webhook", follow_redirects=True)
    assert "kết rồi" in ended.text and "Nối thêm nguồn" not in ended.text


def test_an_account_that_is_half_set_up_is_told_at_the_start(tmp_path: Path) -> None:
    some = {"FACEBOOK_PAGE": "100200300", "FACEBOOK_TOKEN": "t", "FACEBOOK_APP_SECRET": "s"}
    for environ in (some, {"TIKTOK_SHOP": "1"}, {"TIKTOK_REFRESH": "with blanks"}, {"FACEBOOK_SELLER": "12"}):
        with pytest.raises(SettingsError) as refused:
            from_env({"INSTANCE": str(tmp_path), **environ})
        assert next(iter(environ)).partition("_")[0] in str(refused.value) and "with blanks" not in str(refused.value)
    assert from_env({"INSTANCE": str(tmp_path), **some, "FACEBOOK_VERIFY": "v"}).facebook_page == "100200300"
