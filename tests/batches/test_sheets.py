"""A sheet sent in: looked over whole, recorded once, by whom it belongs to; whatever dies meanwhile."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from batches.processes.catalogue import all_processes
from batches.sheets import files, plan, recording, services
from batches.sheets.models import SheetState
from batches.sheets.samples import sample
from tests.conftest import browser
from tests.support import sheets
from tests.support.serving import environment
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.verify import verify
from trace.lots.models import Batch
from village import clock
from village.db import db
from village.errors import Conflict
from village.jobs.models import Job, State
from village.jobs.services import cancel
from village.jobs.work import Work
from village.jobs.worker import work_off
from village.settings import ROOT

HEADS = ("Số hiệu", "Ngày giờ", "Hộ", "Quy trình", "Bước", "Lấy từ", "Làm ra", "Số lượng", "Mã lô", "Độ ẩm %", "Đạt",
         "Ghi chú")  # fmt: skip


def day(ago: float) -> str:
    return (clock.now() - timedelta(days=ago)).astimezone(clock.VN).strftime("%d/%m/%Y %H:%M")


def table(*rows: tuple[Any, ...]) -> str:
    """A table whose rows begin (ref, days ago, stage, takes, amount, …further cells by heading)."""
    full = []
    for ref, ago, stage, takes, amount, *rest in rows:
        more = dict(rest[0]) if rest else {}
        cells = {
            "Số hiệu": ref, "Ngày giờ": day(ago), "Hộ": "Hộ A", "Quy trình": "Miến dong", "Bước": stage,
            "Lấy từ": takes, "Số lượng": amount, **more,
        }  # fmt: skip
        full.append([cells.get(head, "") for head in HEADS])
    return sheets.as_csv(full, HEADS)


def counted() -> tuple[int, int]:
    """Events and batches that there are."""
    db.session.rollback()
    return (
        db.session.scalar(select(func.count()).select_from(Event)) or 0,
        db.session.scalar(select(func.count()).select_from(Batch)) or 0,
    )


def test_a_season_is_looked_over_and_then_recorded(app: Flask, village: Village) -> None:
    sheet = sheets.send(village, sheets.as_csv(sheets.season(70)))
    assert (sheet.state, sheets.faults(sheet)) == (SheetState.READY, [])
    assert (sheet.summary["rows"], sheet.summary["lots"], counted()) == (70, 60, (0, 0))
    harvest = next(row for row in sheet.summary["stages"] if row[1] == "harvest")
    assert harvest[2:4] == [10, 10 * 160_000_000 // 1000 + 45_000]
    sheet = sheets.write(village, sheet)
    assert (sheet.state, sheet.summary["written"], counted()) == (SheetState.WRITTEN, 70, (70, 60))
    assert verify().holds
    event = db.session.scalars(select(Event).where(Event.stage == "settle")).first()
    assert event is not None and event.facts == {"source": "sheet"}
    entry = parse(store.entry(event.entry_index).body)
    assert entry["event"]["soi:source"] == "sheet" and "custodian" in entry and "device" not in entry


def test_what_was_recorded_is_known_again_in_whatever_file(app: Flask, village: Village) -> None:
    rows = list(sheets.season(14))
    sheets.write(village, sheets.send(village, sheets.as_csv(rows)))
    again = sheets.send(village, sheets.as_csv(rows), name="lần hai.csv")
    assert (again.state, again.summary["rows"], again.summary["known"]) == (SheetState.WRITTEN, 0, 14)
    renamed = [[str(row[0]).replace("s", "z"), *row[1:5], str(row[5]).replace("s", "z"), *row[6:]] for row in rows]
    more = sheets.send(village, sheets.as_csv([*renamed, *sheets.season(7, ["Hộ B"])]))
    assert (more.state, more.summary["known"], more.summary["rows"]) == (SheetState.READY, 14, 7)
    sheets.write(village, more)
    assert counted()[0] == 21


def test_two_equal_rows_of_one_sheet_are_two_events(app: Flask, village: Village) -> None:
    row = ("", 3, "Thu hoạch", "", "500")
    text = table(row, row)
    sheet = sheets.write(village, sheets.send(village, text))
    assert sheet.summary["written"] == 2
    assert sheets.send(village, text).summary["known"] == 2


def test_every_bad_row_is_told_with_line_column_value_and_reason(app: Flask, village: Village) -> None:
    text = table(
        ("a", 9, "Thu hoạch", "", "1.000"),
        ("b", 8, "Lọc và lắng bột", "a 1000", "900"),
        ("c", 7, "Tráng bánh", "b 200", "200"),
        ("d", 6, "Bay lên trời", "", ""),
        ("e", 5, "Lọc và lắng bột", "BLKHONGCO 5", "1", {"Hộ": "Hộ Z", "Ngày giờ": "hôm kia"}),
        ("f", 4, "Lọc và lắng bột", "a 2000", "500"),
        ("a", 3, "Thu hoạch", "", "nhiều"),
        ("g", 2, "Phơi miến", "d 5", "4"),
    )
    sheet = sheets.send(village, text)
    found = sheets.faults(sheet)
    assert sheet.state is SheetState.FAULTY and counted() == (0, 0)
    told = {(line, column) for line, column, _reason in found}
    assert told == {
        (3, "Số lượng"), (4, "Lấy từ"), (5, "Bước"), (6, "Ngày giờ"), (6, "Hộ"), (7, "Lấy từ"), (8, "Số lượng"),
        (9, "Lấy từ"),
    }  # fmt: skip
    reasons = {line: reason for line, _column, reason in found}
    assert (
        "dòng 3" in reasons[4] and "chỉ còn" in reasons[7] and all(reason.endswith(".") for reason in reasons.values())
    )
    with pytest.raises(Conflict):
        services.start_writing(village.actor("office"), sheet.id)


def test_rows_balance_over_what_earlier_rows_left(app: Flask, village: Village) -> None:
    text = table(
        ("a", 9, "Thu hoạch", "", "1.000"),
        ("b", 8, "Lọc và lắng bột", "a 600", "150"),
        ("c", 7, "Lọc và lắng bột", "a 400", "100"),
        ("d", 6, "Lọc và lắng bột", "a 1", "0,25"),
    )
    assert sheets.faults(sheets.send(village, text)) == [
        (5, "Lấy từ", "Mẻ a chỉ còn 0\u00a0kg, không lấy ra 1\u00a0kg được.")
    ]
    assert sheets.send(village, "\n".join(text.splitlines()[:-1])).state is SheetState.READY


def test_rows_may_stand_in_any_order_but_not_in_a_circle(app: Flask, village: Village) -> None:
    right = table(("b", 8, "Lọc và lắng bột", "a 600", "150"), ("a", 9, "Thu hoạch", "", "1.000"))
    assert sheets.write(village, sheets.send(village, right)).summary["written"] == 2
    turning = table(("a", 8, "Lọc và lắng bột", "b 6", "1"), ("b", 8, "Lọc và lắng bột", "a 6", "1"))
    assert [line for line, _column, _reason in sheets.faults(sheets.send(village, turning))] == [2, 3]


def test_a_lot_of_the_village_and_an_own_lot_code_can_be_taken_from(app: Flask, village: Village) -> None:
    tuber = village.batch(village.made("harvest", "tuber", 900_000, days_ago=5))
    text = table(
        ("x", 4, "Lọc và lắng bột", f"{tuber.lot}: 900", "200", {"Mã lô": "BOT-1"}),
        ("y", 3, "Tráng bánh", "BOT-1=200", "200"),
    )
    sheet = sheets.write(village, sheets.send(village, text))
    assert (sheet.state, sheets.faults(sheet)) == (SheetState.WRITTEN, [])
    assert village.batch(tuber.id).left_grams == 0
    assert db.session.scalar(select(Batch.left_grams).where(Batch.lot == "BOT-1")) == 0
    taken = table(
        ("z", 2, "Thu hoạch", "", "100", {"Mã lô": "BOT-1"}), ("w", 1, "Thu hoạch", "", "9", {"Mã lô": tuber.lot})
    )
    assert [line for line, _c, _r in sheets.faults(sheets.send(village, taken))] == [3]


def test_what_is_doubtful_needs_its_reason_in_the_note(app: Flask, village: Village) -> None:
    def with_note(note: str) -> str:
        return table(
            ("a", 9, "Thu hoạch", "", "1.000"), ("b", 8, "Lọc và lắng bột", "a 1000", "100", {"Ghi chú": note})
        )

    ((line, column, _reason),) = sheets.faults(sheets.send(village, with_note("")))
    assert (line, column) == (3, "Ghi chú")
    sheet = sheets.send(village, with_note("củ non"))
    assert (sheet.state, sheet.summary["doubts"]) == (SheetState.READY, 1)


def test_an_inspection_that_fails_holds_what_later_rows_would_take(app: Flask, village: Village) -> None:
    rows = [list(row) for row in sheets.season(7, ["Hộ A"])]
    rows[5][10] = "không đạt"
    sheet = sheets.send(village, sheets.as_csv(rows))
    ((line, column, reason),) = sheets.faults(sheet)
    assert (line, column) == (8, "Lấy từ") and "tạm giữ" in reason
    sheet = sheets.write(village, sheets.send(village, sheets.as_csv(rows[:6])))
    assert sheet.state is SheetState.WRITTEN
    assert db.session.scalars(select(Batch.hold).where(Batch.material == "noodles")).all() == ["held"]


def test_a_day_alone_comes_after_what_was_taken(app: Flask, village: Village) -> None:
    on = (clock.now() - timedelta(days=3)).astimezone(clock.VN).replace(hour=18, minute=0)
    text = table(
        ("a", 0, "Thu hoạch", "", "1.000", {"Ngày giờ": on.strftime("%d/%m/%Y 18:00")}),
        ("b", 0, "Lọc và lắng bột", "a 1000", "250", {"Ngày giờ": on.strftime("%d/%m/%Y")}),
    )
    assert sheets.write(village, sheets.send(village, text)).summary["written"] == 2


def test_a_producer_writes_for_her_own_household_only(app: Flask, village: Village) -> None:
    mine = sheets.send(village, sheets.as_csv(sheets.season(7, ["Hộ A"])), "producer")
    assert sheets.write(village, mine, "producer").summary["written"] == 7
    theirs = sheets.send(village, sheets.as_csv(sheets.season(7, ["Hộ B"])), "producer")
    assert theirs.state is SheetState.FAULTY and theirs.summary["faults"] >= 7
    foreign = sheets.send(village, sheets.as_csv(sheets.season(7, ["Hộ A"])), "office-other")
    assert foreign.state is SheetState.FAULTY
    lot = village.batch(
        village.made("harvest", "tuber", 900_000, username="producer-b", site=village.site("Nhà Hộ B").id)
    ).lot
    stolen = sheets.send(village, table(("x", 0.1, "Lọc và lắng bột", f"{lot} 900", "200")), "producer")
    assert [column for _line, column, _reason in sheets.faults(stolen)] == ["Lấy từ"]


def test_the_examples_of_the_sample_sheets_hold_and_are_never_recorded(app: Flask, village: Village) -> None:
    office = village.actor("office")
    for process in all_processes().values():
        for made in (sample(db.session(), office, process, "csv"), sample(db.session(), office, process, "xlsx")):
            sheet = sheets.send(village, made)
            assert sheet.state is SheetState.FAULTY
            assert {column for _line, column, _reason in sheets.faults(sheet)} == {"Ghi chú"}, process.key
        text = sample(db.session(), office, process, "csv").decode("utf-8-sig")
        meant = sheets.send(village, text.replace("Thí dụ, bác xoá dòng này", ""))
        assert (meant.state, sheets.faults(meant)) == (SheetState.READY, []), process.key
        assert meant.summary["rows"] >= 3


def test_rows_that_were_right_and_no_longer_are_are_told(app: Flask, village: Village) -> None:
    tuber = village.batch(village.made("harvest", "tuber", 900_000, days_ago=5))
    text = table(
        ("x", 4, "Lọc và lắng bột", f"{tuber.lot} 900", "200"),
        ("y", 3, "Tráng bánh", "x 200", "200"),
        ("z", 3, "Thu hoạch", "", "70"),
    )
    sheet = sheets.send(village, text)
    village.made("settle", "wet-starch", 100_000, (tuber.id, 400_000), days_ago=4)
    sheet = sheets.write(village, sheet)
    assert (sheet.state, sheet.summary["written"]) == (SheetState.PARTLY, 1)
    assert [line for line, _column, _reason in sheets.faults(sheet)] == [2, 3]


def test_two_who_press_the_button_at_once_record_it_once(app: Flask, village: Village) -> None:
    sheet = sheets.send(village, sheets.as_csv(sheets.season(70)))
    office = village.actor("office")
    db.session.remove()
    outcomes: list[str] = []

    def press() -> None:
        with app.app_context():
            try:
                services.start_writing(office, sheet.id)
                work_off()
                outcomes.append("pressed")
            except Conflict:
                outcomes.append("too late")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work_off()
    assert len(outcomes) == 3 and counted() == (70, 60) and verify().holds


def test_a_recording_that_was_stopped_goes_on_where_it_was(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "AT_ONCE", 10)
    sheet = sheets.send(village, sheets.as_csv(sheets.season(70)))
    services.start_writing(village.actor("office"), sheet.id)
    job = sheets.again(sheet.id).job_id
    office = village.actor("office")
    note = Work.note

    def stopped_after_three(work: Any, session: Any, done: int) -> None:
        note(work, session, done)
        if done == 30:
            threading.Thread(target=_cancel, args=(app, office, job)).start()
        if done == 40:
            time.sleep(1)

    monkeypatch.setattr(Work, "note", stopped_after_three)
    work_off()
    sheet = sheets.again(sheet.id)
    done = counted()[0]
    assert db.session.get_one(Job, job).state is State.CANCELLED
    assert sheet.state is SheetState.PARTLY and 0 < done < 70 and done % 10 == 0
    monkeypatch.setattr(Work, "note", note)
    sheet = sheets.write(village, sheet)
    assert (sheet.state, counted()) == (SheetState.WRITTEN, (70, 60)) and verify().holds


def _cancel(app: Flask, office: Any, job: str) -> None:
    with app.app_context():
        cancel(office, job)
        db.session.remove()


@pytest.mark.processes
def test_a_worker_killed_in_the_midst_of_recording_leaves_nothing_twice(app: Flask, village: Village) -> None:
    settings = app.extensions["soi"]
    sheet = sheets.send(village, sheets.as_csv(sheets.season(980)))
    services.start_writing(village.actor("office"), sheet.id)
    db.session.remove()
    kills = 0
    while sheets.again(sheet.id).state is SheetState.WRITING:
        before = counted()[0]
        worker = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "work", "--beside", str(os.getpid())],
            cwd=ROOT, env=environment(settings, 8000, SOI_ENV="test"),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        try:
            while counted()[0] < before + (200 if kills < 1 else 10_000):
                assert time.monotonic() < deadline
                if sheets.again(sheet.id).state is not SheetState.WRITING:
                    break
                time.sleep(0.02)
        finally:
            worker.kill()
            worker.wait()
            kills += 1
    assert kills >= 2 and counted() == (980, 840) and verify().holds
    assert sheets.again(sheet.id).summary["written"] == 980


def test_the_pages_take_a_sheet_from_its_file_to_the_ledger(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    assert "Gửi lên xem lại" in client.get("/coop/sheets").text
    assert client.get("/batches/sheets").location == "/coop/sheets"
    content = sheets.as_csv(sheets.season(7)).encode()
    sent = client.post("/batches/sheets", data={"file": (BytesIO(content), "C:\\vụ\\đông.csv")})
    assert sent.status_code == 302
    page = client.get(sent.location).text
    assert "đông.csv" in page and "<progress" in page and 'http-equiv="refresh"' in page
    work_off()
    page = client.get(sent.location).text
    assert "Ghi vào sổ" in page and "Thu hoạch" in page
    assert client.post(f"{sent.location}/write").status_code == 302
    work_off()
    assert "Đã ghi 7 dòng vào sổ." in client.get(sent.location).text
    assert "đã ghi" in client.get("/coop/sheets").text


def test_the_list_of_faults_is_paged_and_can_be_taken_home(client: FlaskClient, village: Village) -> None:
    sheet = sheets.send(village, table(*[(f"r{n}", 2, "Thu hoạch", "", "=nhiều") for n in range(120)]))
    village.sign_in(client, "office")
    page = client.get(f"/batches/sheets/{sheet.id}?page=3").text
    assert page.count("<tr>") == 21 and "Trang 3 trên 3" in page
    text = client.get(f"/batches/sheets/{sheet.id}/faults.csv").get_data().decode("utf-8-sig")
    assert text.splitlines()[0] == "dòng,cột,giá trị,lỗi" and len(text.splitlines()) == 121
    assert text.splitlines()[1].startswith("2,Số lượng,'=nhiều,")


@pytest.mark.parametrize(
    ("who", "status"), [("office", 200), ("producer", 404), ("producer-b", 404), ("office-other", 404), ("seller", 403)]
)
def test_a_sheet_is_seen_and_recorded_by_its_own_people_only(
    client: FlaskClient, village: Village, who: str, status: int
) -> None:
    sheet = sheets.send(village, sheets.as_csv(sheets.season(7)))
    village.sign_in(client, who)
    assert client.get(f"/batches/sheets/{sheet.id}").status_code == status
    assert client.get(f"/batches/sheets/{sheet.id}/faults.csv").status_code == status
    asked = client.post(f"/batches/sheets/{sheet.id}/write").status_code
    assert asked == (302 if status == 200 else status)
    work_off()
    assert counted()[0] == (7 if status == 200 else 0)


def test_only_this_address_takes_more_than_a_form_and_not_without_end(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.extensions["soi"] = replace(app.extensions["soi"], max_sheet=3 * 1024 * 1024)
    client = browser(app)
    village.sign_in(client, "office")
    rows = "x" * (app.config["MAX_CONTENT_LENGTH"] + 1000)
    assert client.post("/batches/sheets", data={"file": (BytesIO(rows.encode()), "a.csv")}).status_code == 302
    big = BytesIO(b"x" * 4 * 1024 * 1024)
    answer = client.post("/batches/sheets", data={"file": (big, "a.csv")})
    assert answer.status_code == 413 and "nhiều nhất là 3 MB" in answer.text
    assert client.post("/cart/add", data={"file": (BytesIO(rows.encode()), "a.csv")}).status_code == 413
    for nothing in ({}, {"file": (BytesIO(b""), "a.csv")}):
        assert client.post("/batches/sheets", data=nothing).status_code == 422


def test_files_are_removed_after_a_month(app: Flask, village: Village) -> None:
    sheet = sheets.send(village, sheets.as_csv(sheets.season(7)))
    old = time.time() - files.KEPT - 60
    os.utime(files.plan(sheet.id), (old, old))
    files.tidy()
    assert files.sent(sheet.id).exists() and not files.plan(sheet.id).exists()
    with pytest.raises(Conflict) as told:
        services.start_writing(village.actor("office"), sheet.id)
    assert told.value.slug == "sheet-gone"


def test_an_empty_or_unreadable_sheet_says_why(app: Flask, village: Village, client: FlaskClient) -> None:
    village.sign_in(client, "office")
    for content in (b"PK\x03\x04", (";".join(HEADS) + "\n").encode()):
        sheet = sheets.send(village, content)
        assert (
            sheet.state is SheetState.UNREADABLE
            and sheet.summary["why"] in client.get(f"/batches/sheets/{sheet.id}").text
        )


def test_the_plan_survives_its_file(app: Flask, village: Village, tmp_path: Path) -> None:
    sheet = sheets.send(village, sheets.as_csv(sheets.season(7)))
    kept = list(plan.read(files.plan(sheet.id)))
    plan.write(tmp_path / "again.plan", kept)
    assert list(plan.read(tmp_path / "again.plan")) == kept and len({row.id for row in kept}) == 7
    assert all(row.id[14] == "8" for row in kept)
