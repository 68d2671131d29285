"""What is handed out can be sent in again: into an empty village it gives the same figures, into this one nothing."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from batches.evidence.holds import hold, release
from batches.sheets import files
from batches.sheets.exporting import Wish
from batches.sheets.models import SheetState
from batches.sheets.services import EXPORT
from batches.stages.corrections import Correction, as_wanted, correct
from batches.stages.wanted import Make, Measure, Take
from tests.conftest import _create_database, settings_for
from tests.support import sheets
from tests.support.village import Village, settle
from trace.events.models import Event
from trace.lots.holding import OFFICE_STAGES
from trace.lots.models import Batch
from village.db import db, write
from village.ids import uuid7
from village.jobs.models import Job, State
from village.jobs.services import ask
from village.jobs.worker import work_off
from wsgi import create_app

pytestmark = pytest.mark.slow_once

ELSEWHERE = {*OFFICE_STAGES, "case"}
"""Stages that a sheet leaves to other pages."""


def handed_out(village: Village, who: str = "office", **wish: Any) -> bytes:
    """The file that an export makes."""
    wanted = Wish(**{"what": "stages", "form": "csv", **wish})
    with write() as session:
        job = ask(session, EXPORT, village.actor(who), wanted.args()).id
    work_off()
    assert db.session.get_one(Job, job, populate_existing=True).state is State.DONE
    return files.handed_out(job, wanted.form).read_bytes()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig")), delimiter=";"))


def figures() -> tuple[list[Any], list[Any]]:
    """Kilograms by stage, and what every lot has left."""
    db.session.rollback()
    events = db.session.execute(select(Event.process, Event.stage, func.count()).group_by(Event.process, Event.stage))
    lots = db.session.execute(
        select(Batch.lot, Batch.made_grams, Batch.left_grams, Batch.made_units, Batch.left_units, Batch.moisture,
               Batch.hold, Batch.outside).order_by(Batch.lot)
    )  # fmt: skip
    return sorted(map(tuple, events)), list(map(tuple, lots))


def season(village: Village) -> str:
    """Some of everything; the id of a batch of packs."""
    village.packs(40)
    pack = village.batch(village.packs(20, 1000))
    village.record("dispatch", inputs=(Take(pack.id, units=5),), days_ago=1)
    tuber = village.made("harvest", "tuber", 1_234_567, days_ago=9, note="=đất tốt")
    village.made("settle", "wet-starch", 300_125, (tuber, 1_200_000), days_ago=8)
    reading = (Measure("Moisture", Decimal("14.9"), "P1"),)
    starch = village.made("settle", "wet-starch", 8_000, (tuber, 34_000), days_ago=8)
    village.record(
        "settle-check", inputs=(Take(starch),), readings=(Measure("Moisture", Decimal("41.5"), "P1"),), days_ago=7
    )
    sheets_made = village.made("steam", "sheets", 8_000, (starch, 8_000), days_ago=6)
    rested = village.made("rest", "rested-sheets", 4_000, (sheets_made, 8_000), days_ago=5)
    dried = village.made("dry", "noodles", 3_600, (rested, 4_000), days_ago=4, readings=reading, note="trời mưa")
    village.record("inspect", inputs=(Take(dried),), readings=reading, passed=False, days_ago=3, note="ẩm quá")
    return pack.id


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_gives_the_same_figures_in_an_empty_village(
    app: Flask, village: Village, form: str, tmp_path: Any, server: str, database_kind: str
) -> None:
    pack = season(village)
    hold(village.actor("office"), village.batch(pack).lot, "chờ phiếu", uuid7())
    release(village.actor("office"), pack, "xong", uuid7())
    village.record("case", inputs=(Take(pack, units=4),), days_ago=0.5)
    content = handed_out(village, form=form)
    before = figures()
    here = sheets.send(village, content)
    assert (here.state, here.summary["rows"]) == (SheetState.WRITTEN, 0)
    assert here.summary["known"] == sum(count for _process, stage, count in before[0] if stage not in ELSEWHERE)
    assert "Bỏ qua 3 dòng" in here.summary["notes"][-1]
    db.session.remove()

    elsewhere = create_app(settings_for(_empty(server, tmp_path), tmp_path / "other"))
    with elsewhere.app_context():
        db.create_all()
        settle()
        sheet = sheets.send(Village(), content)
        assert (sheet.state, sheets.faults(sheet)) == (SheetState.READY, [])
        sheets.write(Village(), sheet)
        assert figures() == ([row for row in before[0] if row[1] not in ELSEWHERE], before[1])
        db.session.remove()
        db.engine.dispose()


def _empty(server: str, tmp_path: Any) -> str:
    return (
        _create_database(server, f"soi_{tmp_path.name[-40:].lower()}_x") if server else f"sqlite:///{tmp_path / 'x.db'}"
    )


def test_what_a_sheet_says_defuses_formulas_and_reads_them_back(app: Flask, village: Village) -> None:
    season(village)
    (harvest,) = [row for row in rows_of(handed_out(village)) if row["Ghi chú"].endswith("đất tốt")]
    assert harvest["Ghi chú"] == "'=đất tốt" and harvest["Số lượng"] == "1234,567"
    assert harvest["Bước"] == "Thu hoạch" and harvest["Dòng sổ"].isdigit()


def test_an_export_is_narrowed_by_span_household_and_process(app: Flask, village: Village) -> None:
    season(village)
    village.made("harvest", "tuber", 500_000, username="producer-b", site=village.site("Nhà Hộ B").id, days_ago=2)
    all_rows = rows_of(handed_out(village))
    day = datetime.strptime(all_rows[0]["Ngày giờ"][:10], "%d/%m/%Y").date().isoformat()
    narrowed = rows_of(handed_out(village, first=day, last=day))
    assert 0 < len(narrowed) < len(all_rows)
    home = village.actor("producer-b").household_id
    assert [row["Hộ"] for row in rows_of(handed_out(village, household=home))] == ["Hộ B"]
    assert rows_of(handed_out(village, process="che-tam-duong")) == []
    assert {row["Hộ"] for row in rows_of(handed_out(village, "producer-b"))} == {"Hộ B"}
    assert rows_of(handed_out(village, "office-other")) == []


def test_lots_are_handed_out_with_what_is_left(app: Flask, village: Village) -> None:
    season(village)
    content = handed_out(village, what="lots", form="xlsx")
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    assert sheet is not None
    heads, *rows = sheet.iter_rows(values_only=True)
    lots: dict[Any, dict[Any, Any]] = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    left = db.session.execute(select(Batch.lot, Batch.left_grams, Batch.left_units)).all()
    assert {lot: (lots[lot]["Còn kg"], lots[lot]["Còn gói"]) for lot, _g, _u in left} == {
        lot: (pytest.approx(grams / 1000), units) for lot, grams, units in left
    }
    assert "tạm giữ" in {row["Tạm giữ"] for row in lots.values()}


@pytest.mark.parametrize(
    ("who", "status"), [("office", 200), ("producer", 404), ("office-other", 404), ("seller", 403), ("auditor", 403)]
)
def test_a_table_is_handed_to_its_own_people_only(
    client: FlaskClient, village: Village, who: str, status: int, sign_in: Callable[[FlaskClient, str], None]
) -> None:
    sign_in(client, "office")
    asked = client.post("/batches/sheets/export", data={"what": "lots", "form": "csv"})
    job = asked.location.rpartition("/")[2]
    assert client.get(f"/batches/sheets/exports/{job}").status_code == 409
    work_off()
    assert f"/batches/sheets/exports/{job}" in client.get(asked.location).text
    sign_in(client, who)
    answer = client.get(f"/batches/sheets/exports/{job}")
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=soi-lots-")


@pytest.mark.parametrize(
    "wish", [{"what": "secrets"}, {"form": "exe"}, {"first": "2026-02-31"}, {"household": "x"}, {"process": "x"},
             {"first": "2026-11-20", "last": "2026-11-19"}],
)  # fmt: skip
def test_a_wish_that_makes_no_sense_is_told_beside_its_field(
    client: FlaskClient, village: Village, wish: dict[str, str]
) -> None:
    village.sign_in(client, "office")
    answer = client.post("/batches/sheets/export", data=wish)
    assert answer.status_code == 422 and db.session.scalar(select(func.count()).select_from(Job)) == 0


def test_a_household_is_asked_only_for_its_own(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "producer")
    assert client.get("/coop/sheets").status_code == 403
    page = client.get("/batches/sheets").text
    assert "Hộ A" in page and "Hộ B" not in page
    theirs = village.actor("producer-b").household_id
    assert client.post("/batches/sheets/export", data={"household": theirs}).status_code == 422
    assert client.get("/batches/sheets/sample/mien-dong.xlsx").data[:2] == b"PK"
    assert client.get("/batches/sheets/sample/khong-co.csv").status_code == 404


def test_what_was_corrected_is_handed_out_as_it_stands(app: Flask, village: Village) -> None:
    tuber = village.record("harvest", outputs=(Make(village.product("tuber").id, 700_000),), days_ago=3)
    (row,) = rows_of(handed_out(village))
    text = sheets.as_csv([["", row["Ngày giờ"], "Hộ A", "Miến dong", "Thu hoạch", "", "", "900", "", "", "", ""]])
    sheets.write(village, sheets.send(village, text))
    copied = db.session.scalars(select(Event).where(Event.id != tuber["id"])).one()
    told = replace(as_wanted(copied), id=uuid7(), outputs=(Make(village.product("tuber").id, 650_000),))
    wanted = Correction(told.id, copied.id, "incorrect_data", "cân lại", told)
    correct(village.actor("office"), wanted, {"id": told.id})
    found = {one["Mã lần ghi"]: one["Số lượng"] for one in rows_of(handed_out(village))}
    assert found == {tuber["id"]: "700", told.id: "650"}
    assert sheets.send(village, text).summary["known"] == 1
