"""Personal values are forgotten for good: every proof holds on, and no copy of the words is left behind."""

import datetime as dt
import json
import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as sql_event
from sqlalchemy import func, select, text

from batches.devices.models import Device, Status
from batches.erasure.services import forget_member, forget_note
from batches.stages.services import record_dispatch
from tests.conftest import browser
from tests.support import receipts
from tests.support.phone import Phone
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.erasure import MEMBER, NOTE, commitments_to, erase
from trace.ledger.models import Commitment, Erasure, LedgerEntry
from trace.ledger.note import Verifier, parse_note
from trace.ledger.proof import verify_proof
from trace.ledger.verify import verify
from village import clock
from village.db import db, write
from village.errors import Conflict, Forbidden, NotFound
from village.idempotency import IdempotencyKey
from village.ids import uuid7
from village.people.models import Member, MemberRole, SignIn
from village.people.schemas import make_fields
from village.people.services import edit_member, hand_out_link, reactivate_member
from village.scrub import scrub
from wsgi import create_app

WORDS = "Nhà có việc buồn nên ghi trễ, KHONGAIDUOCBIET"


def noted(village: Village, note: str = WORDS) -> Event:
    """An event with a note, and some after it."""
    village.made("harvest", "tuber", 100_000, note=note)
    event = db.session.scalars(select(Event).where(Event.note == note)).one()
    village.made("harvest", "tuber", 90_000)
    return event


def size() -> int:
    db.session.rollback()
    return store.ensure_born().size


def entry(index: int) -> dict[str, object]:
    db.session.rollback()
    told: dict[str, object] = json.loads(store.entry(index).body)
    return told


def test_a_forgotten_note_leaves_every_receipt_and_the_whole_ledger_holding(village: Village) -> None:
    event = noted(village)
    before = [(store.entry(i).body, receipts.receipt(i).format()) for i in range(size())]
    told = forget_note(village.actor("office"), event.id)
    assert told == len(before)
    assert entry(told)["erasure"] == {"of": [[event.entry_index, "note"]], "reason": "note-withdrawn"}
    assert entry(told)["type"] == "erasure"
    state = store.ensure_born()
    key = Verifier.parse(state.vkey)
    for body, receipt in before:
        assert verify_proof(body, receipt.encode(), state.origin, [key]).holds
    assert [store.entry(i).body for i in range(told)] == [body for body, _ in before]
    assert verify().fault is None
    assert db.session.get_one(Event, event.id, populate_existing=True).note == ""
    row = db.session.get_one(Erasure, (event.entry_index, "note"))
    assert row.told_entry == told
    assert db.session.get(Commitment, (event.entry_index, "note")) is None
    assert db.session.get(Commitment, (event.entry_index, "member")) is not None


def test_forgetting_twice_writes_once(village: Village) -> None:
    event = noted(village)
    office = village.actor("office")
    assert forget_note(office, event.id) is not None
    grown = size()
    assert forget_note(office, event.id) is None
    assert size() == grown


def test_two_who_forget_at_once_write_once(app: Flask, village: Village) -> None:
    event = noted(village)
    office, before = village.actor("office"), size()
    event_id, told = event.id, []
    db.session.remove()
    start = threading.Barrier(4)

    def one() -> None:
        with app.app_context():
            start.wait()
            told.append(forget_note(office, event_id))
            db.session.remove()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(index) for index in told) == sorted([str(before), "None", "None", "None"])
    assert size() == before + 1
    assert verify().fault is None


def test_only_the_office_of_the_same_cooperative_forgets(village: Village) -> None:
    event = noted(village)
    member = village.member("producer")
    before = size()
    for username in ("producer", "seller", "auditor", "producer-other"):
        with pytest.raises(Forbidden):
            forget_note(village.actor(username), event.id)
        with pytest.raises(Forbidden):
            forget_member(village.actor(username), member.id, notes=True)
    with pytest.raises(Forbidden):
        forget_note(village.actor("office-other"), event.id)
    with pytest.raises(NotFound):
        forget_member(village.actor("office-other"), member.id, notes=True)
    assert size() == before
    assert village.member("producer").name == "Người Làm A"


@pytest.mark.parametrize("username", ["producer", "seller", "auditor", "office-other", ""])
def test_the_pages_refuse_whoever_is_not_this_office(
    app: Flask, village: Village, sign_in: Callable[[FlaskClient, str], None], username: str
) -> None:
    event_id, member_id = noted(village).id, village.member("producer").id
    client, before = browser(app), size()
    if username:
        sign_in(client, username)
    for path in (f"/batches/events/{event_id}/forget-note", f"/coop/members/{member_id}/forget"):
        for answer in (client.get(path), client.post(path, data={"sure": "1"})):
            assert answer.status_code in (302, 401, 403, 404)
            assert WORDS not in answer.text
    assert size() == before


def test_the_office_is_asked_to_be_sure(
    client: FlaskClient, village: Village, sign_in: Callable[[FlaskClient, str], None]
) -> None:
    event_id, before = noted(village).id, size()
    sign_in(client, "office")
    path = f"/batches/events/{event_id}/forget-note"
    assert WORDS in client.get(path).text
    refused = client.post(path)
    assert refused.status_code == 422
    assert "đánh dấu vào ô này" in refused.text
    assert size() == before
    done = client.post(path, data={"sure": "1"}, follow_redirects=True)
    assert f"dòng số {before}" in done.text
    assert WORDS not in done.text
    assert WORDS not in client.get(path).text


def test_the_office_forgets_a_member_through_her_page(
    client: FlaskClient, village: Village, sign_in: Callable[[FlaskClient, str], None]
) -> None:
    noted(village)
    member_id, before = village.member("producer").id, size()
    sign_in(client, "office")
    assert f"/coop/members/{member_id}/forget" in client.get(f"/coop/members/{member_id}").text
    path = f"/coop/members/{member_id}/forget"
    asked = client.get(path).text
    assert "Người Làm A" in asked
    assert "2 lần ghi" in asked
    done = client.post(path, data={"sure": "1"}, follow_redirects=True)
    assert f"dòng số {before}" in done.text
    assert "Một người đã nghỉ" in done.text
    for page in (done.text, client.get("/coop/members").text, client.get(path).text):
        assert "Người Làm A" not in page
    assert 'name="username"' not in done.text


def test_a_forgotten_member_is_nobody_any_more(app: Flask, village: Village) -> None:
    village.packs(40)
    noted(village)
    member = village.member("producer")
    village.token("producer")
    phone = browser(app)
    village.sign_in(phone, "producer")
    assert phone.get("/me").status_code == 200
    office, member_id, before = village.actor("office"), member.id, size()
    told = forget_member(office, member_id, notes=False)
    assert told == before
    db.session.rollback()
    gone = db.session.get_one(Member, member_id, populate_existing=True)
    assert (gone.phone, gone.password_hash, gone.household_id, gone.active) == (None, None, None, False)
    assert gone.name == "Một người đã nghỉ"
    assert gone.forgotten_at is not None
    assert gone.username.startswith("~")
    for table in (MemberRole, SignIn):
        assert db.session.scalars(select(func.count()).where(table.member_id == member_id)).one() == 0
    assert phone.get("/me").status_code in (302, 401)
    assert commitments_to(db.session(), MEMBER, member_id) == []
    erased = db.session.scalars(select(func.count()).select_from(Erasure)).one()
    hers = db.session.scalars(select(func.count()).where(Event.member_id == member_id)).one()
    assert erased == hers == 9
    assert verify().fault is None
    # Her words are another matter: nobody asked for them to go.
    assert db.session.scalars(select(Event).where(Event.note == WORDS)).one()
    for act in (
        lambda: reactivate_member(office, member_id),
        lambda: hand_out_link(office, member_id),
        lambda: edit_member(office, member_id, make_fields("moi", "Tên Mới", "", ["seller"], "")),
    ):
        with pytest.raises(Conflict, match="xoá hẳn"):
            act()
    assert forget_member(office, member_id, notes=True) is None


def test_a_member_s_notes_go_with_her_where_that_is_asked(village: Village) -> None:
    event = noted(village)
    forget_member(village.actor("office"), event.member_id, notes=True)
    db.session.rollback()
    assert db.session.get_one(Event, event.id, populate_existing=True).note == ""
    assert db.session.get(Erasure, (event.entry_index, "note")) is not None


def test_a_forgotten_member_s_phones_sign_no_more(village: Village) -> None:
    member = village.member("producer")
    with write(ledger=True) as session:
        key = "k" * 43
        (told,) = store.append(
            session, [store.Draft("key", None, private={"member": member.id}, extra={"key": {"role": "device"}})]
        )
        store.note_key(session, key, "device", enrolled=told.index)
        for name, status in ((key, Status.ENROLLED), ("p" * 43, Status.PENDING)):
            session.add(
                Device(key=name, jwk={}, proof="", member_id=member.id, label="Máy của Mỷ", status=status,
                       asked_at=clock.now(), enrolled_entry=told.index if status is Status.ENROLLED else None)
            )  # fmt: skip
    forget_member(village.actor("office"), member.id, notes=False)
    db.session.rollback()
    phone, pending = (db.session.get_one(Device, name, populate_existing=True) for name in (key, "p" * 43))
    assert (phone.status, pending.status) == (Status.REVOKED, Status.REFUSED)
    assert (phone.label, pending.label) == ("", "")
    assert phone.ended_entry is not None
    assert entry(phone.ended_entry)["key"] == {"role": "device", "status": "revoked", "key": key}
    assert commitments_to(db.session(), MEMBER, member.id) == []
    assert db.session.get(Erasure, (told.index, "member")) is not None


def test_the_last_of_the_office_is_not_forgotten(village: Village) -> None:
    office = village.actor("office")
    with pytest.raises(Conflict, match="cuối cùng"):
        forget_member(office, office.id, notes=False)
    db.session.rollback()
    assert village.member("office").name == "Văn Phòng"


def test_a_buyer_is_forgotten_behind_every_dispatch(village: Village) -> None:
    batch = village.packs(10)
    seller, buyer = village.actor("seller"), "Người Mua|+84912000111|Hà Nội"
    for units in (2, 3):
        with write(ledger=True) as session:
            record_dispatch(session, seller, [(batch, units)], buyer=buyer)
    with write(ledger=True) as session:
        record_dispatch(session, seller, [(batch, 1)], buyer="Người khác")
    with write(ledger=True) as session:
        (told,) = erase(session, commitments_to(session, "buyer", buyer), "buyer-asked")
    erasure = entry(told.index)["erasure"]
    assert isinstance(erasure, dict)
    assert erasure["reason"] == "buyer-asked"
    assert [name for _, name in erasure["of"]] == ["buyer", "buyer"]
    assert buyer not in json.dumps(entry(told.index))
    assert len(commitments_to(db.session(), "buyer", "Người khác")) == 1


def test_many_are_told_in_as_many_entries_as_they_need(village: Village) -> None:
    with write(ledger=True) as session:
        drafts = [store.Draft("event", {"type": "ObjectEvent"}, private={"member": "x", "n" * 40: "y"})] * 600
        store.append(session, drafts)
    pairs = [(row.entry_index, row.name) for row in db.session.scalars(select(Commitment))]
    with write(ledger=True) as session:
        told = erase(session, pairs, "member-left")
    assert len(told) == 3
    bodies = [store.entry(one.index).body for one in told]
    assert all(len(body) <= 16 * 1024 for body in bodies)
    assert sorted(pairs) == [tuple(pair) for body in bodies for pair in json.loads(body)["erasure"]["of"]]
    assert db.session.scalars(select(func.count()).select_from(Commitment)).one() == 0
    assert verify().fault is None


def test_what_no_entry_committed_to_cannot_be_forgotten(village: Village) -> None:
    noted(village)
    before = size()
    for pairs, reason in (([(0, NOTE)], "note-withdrawn"), ([(1, "member"), (99, NOTE)], "note-withdrawn")):
        with pytest.raises(ValueError, match="no commitment"), write(ledger=True) as session:
            erase(session, pairs, reason)
    with pytest.raises(ValueError, match="slug"), write(ledger=True) as session:
        erase(session, [(1, "member")], "Bà Mỷ xin thôi")
    assert size() == before
    assert db.session.get(Commitment, (1, "member")) is not None


def test_a_request_that_is_sent_again_does_not_bring_the_words_back(village: Village) -> None:
    event = noted(village)
    forget_note(village.actor("office"), event.id)
    digests = db.session.scalars(select(IdempotencyKey.digest).where(IdempotencyKey.key == event.id)).all()
    assert digests == [""]
    with pytest.raises(Conflict):
        village.made("harvest", "tuber", 100_000, note=WORDS, id=event.id)
    assert db.session.get_one(Event, event.id, populate_existing=True).note == ""


@pytest.mark.parametrize("when", range(3))
def test_killed_in_between_all_or_nothing_is_forgotten(app: Flask, village: Village, when: int) -> None:
    event = noted(village)
    member_id, office, before, event_id = event.member_id, village.actor("office"), size(), event.id
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        # A process of its own over the same files, which dies at a chosen statement before its COMMIT.
        try:
            other = create_app(app.extensions["soi"])
            with other.app_context():
                _die_at(when)
                forget_member(office, member_id, notes=True)
        finally:
            os._exit(7)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert size() == before
    assert db.session.get_one(Event, event_id).note == WORDS
    assert village.member("producer").forgotten_at is None
    assert db.session.scalars(select(func.count()).select_from(Erasure)).one() == 0
    assert len(commitments_to(db.session(), MEMBER, member_id)) == 2
    assert verify().fault is None
    assert forget_member(office, member_id, notes=True) == before


def _die_at(when: int) -> None:
    """Kill this process at its first DELETE, at its last statement, or at its COMMIT."""

    def statement(_conn: object, _cursor: object, sql: str, *_more: object) -> None:
        if sql.startswith(("DELETE FROM ledger_commitment", "UPDATE ledger_state")[when]):
            os.kill(os.getpid(), signal.SIGKILL)

    if when < 2:
        sql_event.listen(db.engine, "before_cursor_execute", statement)
    else:
        sql_event.listen(db.engine, "commit", lambda _conn: os.kill(os.getpid(), signal.SIGKILL))


def test_no_copy_of_the_words_is_left_in_the_database(app: Flask, village: Village) -> None:
    event = noted(village)
    others = [noted(village, f"LOIGHICHU{n:04d}" + "x" * (37 * n % 400)) for n in range(20)]
    # Rows that grow split their pages, which leaves copies behind.
    village.packs(40)
    with write() as session:
        session.execute(text("UPDATE event SET story_vi = story_vi || :more"), {"more": "y" * 300})
    member = village.member("producer")
    with write() as session:
        row = session.get_one(Member, member.id)
        row.name, row.phone = "TENRIENGCUAMY", "+84987001122"
    event_ids = [event.id, *(one.id for one in others)]
    needles = [b"KHONGAIDUOCBIET", b"LOIGHICHU", b"TENRIENGCUAMY", b"+84987001122"]
    assert all(found(app, needle) for needle in needles)
    office = village.actor("office")
    for event_id in event_ids[:3]:
        forget_note(office, event_id)
    forget_member(office, member.id, notes=True)
    db.session.remove()
    assert [needle for needle in needles if found(app, needle)] == []
    assert verify().fault is None
    assert scrub(Event)


def sqlite_only() -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("how SQLite keeps its pages")


def test_copies_that_page_splits_left_behind_go_as_well(app: Flask, village: Village) -> None:
    sqlite_only()
    chance = random.Random(1)
    with write() as session:
        session.execute(text("CREATE TABLE scratch (id TEXT PRIMARY KEY, filler TEXT, note TEXT, more TEXT)"))
        for number in range(3000):
            filler, tail = "f" * chance.randrange(50, 400), "x" * chance.randrange(300)
            session.execute(
                text("INSERT INTO scratch VALUES (:id, :filler, :note, NULL)"),
                {"id": f"{chance.getrandbits(128):032x}", "filler": filler, "note": f"LOIGHICHU{number:05d}{tail}"},
            )
            if number % 3 == 0:
                grown = {"more": "c" * 36, "row": chance.randrange(1, number + 2)}
                session.execute(text("UPDATE scratch SET more = :more WHERE rowid = :row"), grown)
    with write() as session:
        session.execute(text("UPDATE scratch SET note = ''"))
    with db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA secure_delete")).scalar_one() == 1
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    assert scrub()
    assert not found(app, b"LOIGHICHU")


def test_a_database_too_large_to_be_written_anew_forgets_the_rows_themselves(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = noted(village)
    monkeypatch.setattr("village.scrub.REWRITE_MAX", 1000)
    assert forget_note(village.actor("office"), event.id) is not None
    db.session.remove()
    assert not found(app, b"KHONGAIDUOCBIET")
    assert not scrub(Event)


def test_whoever_reads_meanwhile_does_not_stop_the_erasure(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_only()
    event = noted(village)
    monkeypatch.setattr("village.scrub.PATIENCE", 20)
    with db.engine.connect() as reader:
        reader.execute(select(Event.id)).all()
        assert forget_note(village.actor("office"), event.id) is not None
        assert reader.execute(select(Event.note).where(Event.id == event.id)).scalar_one() == WORDS
        assert not scrub(Event)
        db.session.remove()
    assert scrub(Event)
    assert not found(app, b"KHONGAIDUOCBIET")
    with db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 20_000


def found(app: Flask, needle: bytes) -> bool:
    """Whether the bytes stand anywhere in the database: SQLite's raw files, or a full read of PostgreSQL's tables."""
    url = app.extensions["soi"].database_url
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        return any(needle in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    db.session.remove()
    with db.engine.connect() as connection:
        return any(
            needle.decode() in str(row)
            for table in db.metadata.sorted_tables
            for row in connection.execute(select(table))
        )


def test_the_checkpoint_grows_by_the_erasure_alone(village: Village) -> None:
    event = noted(village)
    before = size()
    forget_note(village.actor("office"), event.id)
    head = Checkpoint.parse(parse_note(store.ensure_born().checkpoint).text)
    assert head.size == before + 1
    assert db.session.scalars(select(func.count()).select_from(LedgerEntry)).one() == before + 1


def test_a_note_that_a_phone_signed_is_forgotten_with_the_phone_s_own_salt(app: Flask, village: Village) -> None:
    phone = Phone().enrol(village)
    when = (clock.now() - dt.timedelta(hours=1)).astimezone(clock.VN).isoformat(timespec="seconds")
    event_id = uuid7()
    body = {
        "id": event_id, "process": "mien-dong", "stage": "harvest", "occurred_at": when, "site": village.site().gln,
        "outputs": [{"product": village.product("tuber").gtin, "grams": 100_000}], "note": WORDS,
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {village.token('producer')}"}
    answer = browser(app).post("/api/events", json=phone.signed(body), headers=headers)
    assert answer.status_code == 201, answer.text
    index = answer.get_json()["entry"]["index"]
    salt = db.session.get_one(Commitment, (index, "note")).salt
    assert forget_note(village.actor("office"), event_id) == index + 1
    db.session.remove()
    assert not found(app, b"KHONGAIDUOCBIET")
    if db.engine.dialect.name == "sqlite":
        assert not found(app, salt)
    assert verify().fault is None
