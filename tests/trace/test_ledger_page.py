"""The ledger's page: the public face of a log that nobody has to trust."""

import datetime as dt
import secrets
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from batches.erasure.services import forget_note
from tests.support.village import Village
from tests.trace.scanning import statements, tamper
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.models import Anchor, Cosignature, Evidence, SelfCheck, WitnessSeen
from trace.ledger.note import COSIGNATURE, Signer, Verifier
from village import clock
from village.db import db, write

MOST_QUERIES = 18


def witness(name: str) -> Verifier:
    """A witness's key."""
    return Signer.from_seed(name, secrets.token_bytes(32), COSIGNATURE).verifier


def policy(app: Flask, *witnesses: Verifier, quorum: str) -> None:
    """Write the log's policy file."""
    lines = [f"witness {one.name.partition('/')[0]} {one.vkey}" for one in witnesses]
    app.extensions["soi"].ledger_policy.write_text("\n".join([*lines, f"quorum {quorum}", ""]))


def cosigned(key: Verifier, size: int, *, trouble: str = "") -> None:
    """As if the witness had cosigned the log at its newest size, told as `size`."""
    with write() as session:
        kept = store.keep_checkpoint(session)
        session.add(
            Cosignature(size=kept.size, key_id=key.key_id.hex(), name=key.name, line="", cosigned_at=clock.now())
        )
        now = clock.now()
        session.add(
            WitnessSeen(vkey=key.vkey, name=key.name, size=size, asked_at=now, answered_at=now, trouble=trouble)
        )


def test_the_page_shows_size_lots_keys_and_growth(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    page = client.get("/ledger").text
    state = store.ensure_born()
    assert "Đóng gói" in page
    assert f'href="/ledger/lines/{state.size - 1}"' in page
    assert batch.lot in page
    for key in (state.vkey, state.custodian_vkey):
        assert key in page.replace("&#43;", "+")
    assert "<rect" in page
    assert "style=" not in page
    assert "<script" not in page.partition("<main")[2].partition("</main>")[0]
    assert "The common ledger" in client.get("/ledger?lang=en").text


def test_the_strand_runs_from_the_newest_line_to_the_very_first(village: Village, client: FlaskClient) -> None:
    village.packs(10)
    village.made("harvest", "tuber", 90_000)
    village.made("harvest", "tuber", 90_000)
    page = client.get("/ledger").text
    size = store.ensure_born().size
    shown = [index for index in range(size) if f'<h3><a href="/ledger/lines/{index}"' in page]
    assert shown == [0, *range(size - 7, size)]
    assert f"còn {size - 8} dòng nữa" in page
    assert page.index(f"/ledger/lines/{size - 1}") < page.index("/ledger/lines/0")


def test_without_witnesses_it_says_that_split_views_are_not_prevented(village: Village, client: FlaskClient) -> None:
    page = client.get("/ledger").text
    assert "Chưa có người làm chứng độc lập" in page
    assert "chưa có gì ngăn trước được" in page
    assert "Chưa có nơi cấp giờ nào" in page


def test_witnesses_are_shown_with_how_far_behind_they_are(app: Flask, village: Village, client: FlaskClient) -> None:
    near, far = witness("gan.example"), witness("xa.example")
    policy(app, near, far, quorum="gan.example")
    cosigned(near, 1)
    assert "Ký tới dòng mới nhất" in client.get("/ledger").text
    village.packs(10)
    with write() as session:
        now = clock.now()
        session.add(WitnessSeen(vkey=far.vkey, name=far.name, size=None, asked_at=now, trouble="unreachable"))
    page = client.get("/ledger").text
    assert "Ký tới hết dòng 0" in page
    assert "còn 7 dòng mới chưa xem" in page
    assert "xa.example" in page
    assert "Chưa ký lần nào" in page
    assert "không liên lạc được" in page
    assert "Đủ người làm chứng tới hết dòng 0" in page
    assert "Chưa có người làm chứng độc lập" not in page
    assert "không qua được người làm chứng" in page


def test_a_witness_that_nobody_asked_for_counts_for_nothing(
    app: Flask, village: Village, client: FlaskClient
) -> None:
    known, stranger = witness("quen.example"), witness("la.example")
    policy(app, known, quorum="quen.example")
    cosigned(stranger, 1)
    page = client.get("/ledger").text
    assert "la.example" not in page
    assert "Chưa con dấu nào đủ người làm chứng" in page


def test_a_policy_that_cannot_be_read_does_not_hide_the_log(app: Flask, client: FlaskClient) -> None:
    app.extensions["soi"].ledger_policy.write_text("quorum nobody\n")
    answer = client.get("/ledger")
    assert answer.status_code == 200
    assert "không đọc được" in answer.text


def test_the_last_time_stamp_can_be_fetched(village: Village, client: FlaskClient) -> None:
    stamped = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
    with write() as session:
        kept = store.keep_checkpoint(session)
        for number, hour in ((1, 0), (2, 1)):
            later = stamped + dt.timedelta(hours=hour)
            session.add(
                Anchor(size=kept.size, authority=f"https://gio{number}.example", token=b"tsr", stamped_at=later)
            )
    page = client.get("/ledger").text
    assert "11:00, 20/11/2026" in page
    assert "https://gio2.example" in page
    (address,) = {word for word in page.split('"') if word.endswith(".tsr")}
    assert address == "/ledger/anchors/1/2.tsr"
    assert client.get(address).data == b"tsr"


def test_a_halted_log_says_so_calmly_and_is_still_there(village: Village, client: FlaskClient) -> None:
    village.made("harvest", "tuber", 90_000)
    with write() as session:
        session.add(Evidence(kind="fork", found_at=clock.now(), about="Hai cuốn sổ"))
    assert "/ledger/evidence" in client.get("/ledger").text
    store.halt("gan.example giữ <b>bản khác</b>")
    page = client.get("/ledger").text
    assert "Sổ đang dừng ký" in page
    assert "&lt;b&gt;" in page
    assert "<b>bản khác" not in page
    assert "/ledger/evidence" in page
    assert "Thu hoạch" in page


def test_a_self_check_that_failed_is_not_hidden(client: FlaskClient) -> None:
    def checked(holds: bool, first_bad: int | None) -> None:
        with write() as session:
            now = clock.now()
            session.add(SelfCheck(began_at=now, ended_at=now, size=1, holds=holds, first_bad=first_bad))

    checked(True, None)
    assert "đọc lại cả 1 dòng: còn nguyên" in client.get("/ledger").text
    checked(False, 0)
    page = client.get("/ledger").text
    assert "không còn nguyên, từ dòng 0" in page
    assert "còn nguyên</dd>" not in page


def test_erasures_and_keys_are_told_in_plain_words(village: Village, client: FlaskClient) -> None:
    village.made("harvest", "tuber", 100_000, note="Trời mưa")
    event = db.session.query(Event).filter(Event.note == "Trời mưa").one()
    with write(ledger=True) as session:
        for key in (
            {"role": "device", "status": "enrolled"}, {"role": "device", "status": "revoked"},
            {"role": "device", "status": "lost"}, {"role": "ledger", "status": "retired"},
        ):  # fmt: skip
            store.append(session, [store.Draft("key", None, extra={"key": key})])
    forget_note(village.actor("office"), event.id)
    page = client.get("/ledger").text
    for told in (
        "Nhận khoá của một chiếc điện thoại", "Khoá của một chiếc điện thoại thôi dùng",
        "Báo mất một chiếc điện thoại", "Khoá cũ của sổ thôi ký", "Xoá một lời ghi chú",
        "Khoá của người giữ sổ được ghi vào sổ",
    ):  # fmt: skip
        assert told in page


def test_an_entry_that_was_damaged_cuts_the_strand_and_not_the_page(village: Village, client: FlaskClient) -> None:
    village.made("harvest", "tuber", 90_000)
    for body in (b"\xff\xfe", b'{"chain":7,"type":"event"}', b'{"chain":[7,{"batch":7}],"type":["x"]}'):
        tamper('UPDATE ledger_entry SET body = :body WHERE "index" = 1', body=body)
        assert client.get("/ledger").status_code == 200
    assert "Một dòng không đọc được" in client.get("/ledger").text


def test_the_page_asks_the_database_little_however_long_the_log(
    app: Flask, village: Village, client: FlaskClient
) -> None:
    client.get("/ledger")
    with statements() as few:
        client.get("/ledger")
    village.packs(10)
    village.packs(10)
    with statements() as many:
        client.get("/ledger")
    assert len(few) == len(many) <= MOST_QUERIES


def test_the_page_is_sent_again_only_when_something_changed(village: Village, client: FlaskClient) -> None:
    first = client.get("/ledger")
    assert first.headers["Cache-Control"] == "no-cache"
    again = {"If-None-Match": first.headers["ETag"]}
    assert client.get("/ledger", headers=again).status_code == 304
    village.made("harvest", "tuber", 90_000)
    assert client.get("/ledger", headers=again).status_code == 200


@pytest.mark.parametrize("username", ["producer", "office", "auditor"])
def test_members_see_the_same_page(
    client: FlaskClient, village: Village, sign_in: Callable[[FlaskClient, str], None], username: str
) -> None:
    sign_in(client, username)
    assert "Sổ chung của làng" in client.get("/ledger").text
