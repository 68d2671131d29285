"""Whoever changes the database past the guards cuts the strand, at that very knot."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from batches.stages.corrections import Correction, as_wanted, correct
from batches.stages.wanted import Measure, Take
from tests.support.village import Village
from tests.trace.scanning import address, tamper
from tests.trace.test_scan import knots, states
from trace.events.models import Event
from trace.ledger.merkle import leaf_hash
from trace.ledger.models import LedgerEntry
from trace.lots.models import Batch
from trace.recalls import services as recalls
from trace.scan import cache
from village.db import db
from village.ids import uuid7


@pytest.fixture
def batch(village: Village) -> Batch:
    found = village.batch(village.packs(40))
    db.session.expunge_all()
    return found


def event_of(stage: str) -> Event:
    found = db.session.scalars(select(Event).where(Event.stage == stage).order_by(Event.entry_index)).all()[-1]
    db.session.expunge_all()
    return found


def cut_knots(client: FlaskClient, batch: Batch) -> list[str]:
    """Titles of the knots at which the strand is cut."""
    page = client.get(address(batch))
    assert page.status_code == 200
    assert "Sợi bị đứt" in page.text
    assert "Sợi còn nguyên" not in page.text
    cut = [knot for knot in knots(page.text) if 'data-state="cut"' in knot]
    return [re.findall(r"<h3>(.*?)</h3>", knot)[0] for knot in cut]


def test_changed_bytes_of_an_entry_cut_the_strand_there(batch: Batch, client: FlaskClient) -> None:
    event = event_of("settle")
    body = db.session.get_one(LedgerEntry, event.entry_index).body
    assert tamper(
        'UPDATE ledger_entry SET body = :body WHERE "index" = :i',
        body=body.replace(b'"quantity":40000', b'"quantity":40001'), i=event.entry_index,
    ) == 1  # fmt: skip
    assert cut_knots(client, batch) == ["Lọc và lắng bột"]


def test_changed_bytes_with_a_fitting_leaf_hash_cut_it_too(batch: Batch, client: FlaskClient) -> None:
    event = event_of("dry")
    body = db.session.get_one(LedgerEntry, event.entry_index).body.replace(b"13.2", b"11.1")
    tamper(
        'UPDATE ledger_entry SET body = :body, leaf_hash = :leaf WHERE "index" = :i',
        body=body, leaf=leaf_hash(body), i=event.entry_index,
    )  # fmt: skip
    tamper("UPDATE ledger_link SET leaf_hash = :leaf WHERE entry_index = :i", leaf=leaf_hash(body), i=event.entry_index)
    assert "Phơi miến" in cut_knots(client, batch)


@pytest.mark.parametrize(
    ("column", "value", "stage", "title"),
    [
        ("occurred_at", "2026-01-01 00:00:00.000000", "steam", "Tráng bánh"),
        ("passed", False, "inspect", "Kiểm tra"),
        ("readings", '[{"type": "Moisture", "value": "9.9", "unit": "P1"}]', "dry", "Phơi miến"),
        ("stage", "cut", "rest", "Phơi tái và ủ"),
        ("photos", '["' + "0" * 64 + '"]', "harvest", "Thu hoạch"),
    ],
)
def test_a_changed_event_row_cuts_the_strand_there(
    batch: Batch, client: FlaskClient, column: str, value: object, stage: str, title: str
) -> None:
    event = event_of(stage)
    cast = {"occurred_at": "CAST(:v AS timestamp)", "readings": "CAST(:v AS json)", "photos": "CAST(:v AS json)"}
    plain = db.engine.dialect.name == "sqlite"
    assert tamper(
        f"UPDATE event SET {column} = {':v' if plain else cast.get(column, ':v')} WHERE id = :id", v=value, id=event.id
    ) == 1  # fmt: skip
    assert cut_knots(client, batch) == [title]


def test_a_changed_place_cuts_the_strand_there(batch: Batch, client: FlaskClient, village: Village) -> None:
    tamper("UPDATE event SET site_id = :s WHERE id = :id", s=village.site("Nhà Hộ B").id, id=event_of("steam").id)
    assert cut_knots(client, batch) == ["Tráng bánh"]


def test_a_changed_weight_cuts_the_strand_there_and_is_said(batch: Batch, client: FlaskClient) -> None:
    event = event_of("dry")
    assert tamper("UPDATE event_batch SET grams = 21000 WHERE event_id = :e AND part = 'output'", e=event.id) == 1
    assert cut_knots(client, batch) == ["Phơi miến"]
    assert "Số trong sổ là 20 kg, bản ghi này lại nói 21 kg." in client.get(address(batch)).text.replace("\u00a0", " ")


def test_a_changed_batch_cuts_the_strand_where_it_was_made(batch: Batch, client: FlaskClient) -> None:
    tamper("UPDATE batch SET made_units = 80 WHERE id = :b", b=batch.id)
    assert cut_knots(client, batch) == ["Đóng gói"]


def test_a_longer_shelf_life_cuts_the_strand(batch: Batch, client: FlaskClient) -> None:
    tamper("UPDATE batch SET best_before = '2031-01-01' WHERE id = :b", b=batch.id)
    assert cut_knots(client, batch) == ["Đóng gói"]


def test_changed_ancestry_cuts_the_strand(batch: Batch, client: FlaskClient, village: Village) -> None:
    other = village.made("harvest", "tuber", 200_000, days_ago=30)
    event = event_of("settle")
    tamper("UPDATE batch_edge SET parent_id = :p WHERE event_id = :e", p=other, e=event.id)
    assert "Lọc và lắng bột" in cut_knots(client, batch)


def test_a_step_taken_out_of_the_story_is_missed(batch: Batch, client: FlaskClient) -> None:
    event = event_of("inspect")
    tamper("DELETE FROM event_batch WHERE event_id = :e", e=event.id)
    tamper("DELETE FROM event WHERE id = :e", e=event.id)
    assert cut_knots(client, batch) == ["Một bước bị gỡ mất"]


def test_a_recall_that_was_hidden_from_the_page_cuts_the_strand(
    batch: Batch, client: FlaskClient, village: Village
) -> None:
    recalls.start(village.actor("office"), [batch.id], "Có mùi lạ.", drill=False, idempotency_key=uuid7())
    db.session.remove()
    assert "Sợi còn nguyên" in client.get(address(batch)).text
    assert tamper("UPDATE batch SET hold = 'none' WHERE id = :b", b=batch.id) == 1
    assert cut_knots(client, batch) == ["Tin thu hồi không khớp"]
    assert "Sổ ghi lô này đang bị thu hồi" in client.get(address(batch)).text


def test_a_recall_that_the_ledger_does_not_tell_of_cuts_the_strand(batch: Batch, client: FlaskClient) -> None:
    assert tamper("UPDATE batch SET hold = 'recalled' WHERE id = :b", b=batch.id) == 1
    assert cut_knots(client, batch) == ["Tin thu hồi không khớp"]


def test_a_recall_that_was_lifted_leaves_the_strand_whole(batch: Batch, client: FlaskClient, village: Village) -> None:
    office = village.actor("office")
    begun = recalls.start(office, [batch.id], "Có mùi lạ.", drill=False, idempotency_key=uuid7())
    recalls.lift(office, begun["id"], "Đã kiểm tra lại.", uuid7())
    db.session.remove()
    page = client.get(address(batch)).text
    assert "Sợi còn nguyên" in page and "đã bị thu hồi" not in page


def test_an_entry_taken_off_the_ledger_is_missed(batch: Batch, client: FlaskClient) -> None:
    event = event_of("inspect")
    tamper("DELETE FROM ledger_link WHERE entry_index = :i", i=event.entry_index)
    assert "Đóng gói" in cut_knots(client, batch)


def test_a_false_checkpoint_proves_nothing(batch: Batch, client: FlaskClient) -> None:
    tamper("UPDATE ledger_state SET checkpoint = replace(checkpoint, '8', '9')")
    page = client.get(address(batch)).text
    assert "Sợi bị đứt" in page
    assert "Chữ ký trên cả cuốn sổ không khớp" in page


def test_everything_above_a_cut_is_drawn_loose(batch: Batch, client: FlaskClient) -> None:
    tamper("UPDATE event_batch SET grams = 1 WHERE event_id = :e AND part = 'input'", e=event_of("steam").id)
    page = client.get(address(batch)).text
    loose = [" loose" in knot.split(">")[0] for knot in knots(page)]
    assert loose == [True, True, True, True, False, False, False]


def test_a_correction_is_told_and_breaks_nothing(village: Village, batch: Batch, client: FlaskClient) -> None:
    actor, event = village.actor("producer"), event_of("inspect")
    told = as_wanted(db.session.get_one(Event, event.id))
    told = replace(told, readings=(Measure("Moisture", Decimal("12.2"), "P1"),))
    new = uuid7()
    correct(actor, Correction(new, event.id, "incorrect_data", "đọc nhầm", told), {"id": new})
    page = client.get(address(batch)).text.replace("\u00a0", " ")
    assert "Sợi còn nguyên" in page
    assert states(page).count("corrected") == 1
    assert "Độ ẩm 13,2 % thành Độ ẩm 12,2 %" in page
    assert f"Bản cũ vẫn giữ ở dòng {event.entry_index}" in page


def test_a_row_that_only_calls_itself_corrected_cuts_the_strand(batch: Batch, client: FlaskClient) -> None:
    event = event_of("inspect")
    tamper("UPDATE event SET corrected_by = id, correction_reason = 'did_not_occur' WHERE id = :e", e=event.id)
    assert cut_knots(client, batch) == ["Kiểm tra"]


def test_a_step_that_never_was_is_shown_as_taken_back(village: Village, batch: Batch, client: FlaskClient) -> None:
    event, new = event_of("inspect"), uuid7()
    correct(village.actor("producer"), Correction(new, event.id, "did_not_occur", "nhầm mẻ"), {"id": new})
    page = client.get(address(batch)).text
    assert "Sợi còn nguyên" in page
    assert "thật ra không có" in page


def test_many_dispatches_are_one_knot_and_all_are_checked(village: Village, batch: Batch, client: FlaskClient) -> None:
    for hour in range(4):
        village.record("dispatch", inputs=(Take(batch.id, units=2),), days_ago=0.4 - hour / 20)
    tamper("UPDATE event_batch SET units = 1 WHERE event_id = :e", e=event_of("dispatch").id)
    assert cut_knots(client, batch) == ["Xuất kho"]


def test_a_kept_page_is_proven_anew_after_a_while(
    batch: Batch, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Sợi còn nguyên" in client.get(address(batch)).text
    tamper("UPDATE event_batch SET grams = 1 WHERE event_id = :e AND part = 'input'", e=event_of("steam").id)
    monkeypatch.setattr(cache, "MAX_AGE", 0.0)
    assert cut_knots(client, batch) == ["Tráng bánh"]
