"""Laboratories' reports: taken in with their paper, on the ledger, on the scan page, watched to their end."""

import datetime as dt
import hashlib
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from batches.evidence import fields, reports
from batches.evidence.papers import paper
from batches.stages.corrections import Correction, correct
from tests.conftest import browser
from tests.support.pictures import told
from tests.support.village import Village
from trace.gs1.digital_link import DigitalLink
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry
from trace.reports.models import LabReport
from trace.reports.services import papers
from village import clock
from village.db import db
from village.errors import BadInput
from village.ids import uuid7

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
HASH = hashlib.sha256(PDF).hexdigest()
LINES = "Độ ẩm; 12,8; %; tối đa 14; đạt\nChì; < 0,02; mg/kg; 0,2; Không đạt\nCảm quan; trong, dai"


def form(**changed: Any) -> dict[str, Any]:
    today = clock.today()
    typed = {
        "report_id": uuid7(), "lot": "", "product": "", "site": "", "passed": "yes",
        "laboratory": "Phòng kiểm nghiệm Thử", "number": "KN-26/118", "public": "1",
        "issued_on": (today - dt.timedelta(days=9)).isoformat(),
        "expires_on": (today + dt.timedelta(days=50)).isoformat(), "parameters": LINES,
        "paper": (BytesIO(PDF), "phieu.pdf"),
    }  # fmt: skip
    return {**typed, **changed}


def send(client: FlaskClient, **changed: Any) -> Any:
    return client.post("/coop/reports/new", data=form(**changed))


@pytest.fixture
def office(village: Village, client: FlaskClient) -> FlaskClient:
    village.sign_in(client, "office")
    return client


def stored() -> list[LabReport]:
    db.session.rollback()
    return list(db.session.scalars(select(LabReport).order_by(LabReport.id)))


def scan(village: Village, batch_id: str, client: FlaskClient) -> str:
    batch = village.batch(batch_id)
    return browser(client.application).get(DigitalLink(batch.gtin, lot=batch.lot).path).text


def test_a_report_on_a_lot_is_on_the_ledger_and_on_the_pages_of_all_that_came_of_it(
    village: Village, office: FlaskClient
) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    starch = village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=3)
    done = send(office, lot=village.batch(tuber).lot)
    assert (done.status_code, done.location) == (302, "/coop/reports")
    report = stored()[0]
    assert report.event is not None and report.event_id == report.id
    event = parse(db.session.get_one(LedgerEntry, report.event.entry_index).body)["event"]
    assert (event["soi:certificate"], event["soi:number"], event["bizStep"]) == (HASH, "KN-26/118", "inspecting")
    assert event["soi:expires"] == str(report.expires_on)
    for batch_id in (tuber, starch):
        page = scan(village, batch_id, office)
        assert "Phòng kiểm nghiệm Thử" in page and "KN-26/118" in page and "Còn hiệu lực đến" in page
        assert "tối đa 14" in page and f"/certificates/{HASH}" in page and "sợi còn nguyên" in page.lower()


def test_a_failed_report_holds_the_lot_and_a_passed_one_frees_it(village: Village, office: FlaskClient) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    starch = village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=3)
    send(office, lot=village.batch(tuber).lot, passed="no")
    assert [village.batch(one).hold for one in (tuber, starch)] == ["held", "held"]
    assert "Chưa đạt" in scan(village, starch, office)
    send(office, lot=village.batch(tuber).lot, number="KN-26/119")
    assert [village.batch(one).hold for one in (tuber, starch)] == ["none", "none"]


def test_a_report_taken_back_is_shown_no_more(village: Village, office: FlaskClient) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    send(office, lot=village.batch(tuber).lot, passed="no")
    report = stored()[0]
    correct(village.actor("office"), Correction(uuid7(), report.id, "did_not_occur", "Phiếu của lô khác"), {})
    assert village.batch(tuber).hold == "none"
    page = scan(village, tuber, office)
    assert "Phòng kiểm nghiệm đo được gì" not in page and "Phòng kiểm nghiệm" not in office.get("/coop/reports").text
    assert office.get(f"/certificates/{HASH}").status_code == 404


def test_figures_of_a_report_are_not_told_otherwise_only_taken_back(village: Village, office: FlaskClient) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    send(office, lot=village.batch(tuber).lot)
    report = stored()[0]
    assert office.get(f"/batches/events/{report.id}/correct").status_code == 200
    answer = office.post(
        f"/batches/events/{report.id}/correct",
        data={"reason": "incorrect_data", "note": "x", "correction_id": uuid7(), "passed": "no"},
    )
    assert answer.status_code == 422 and village.batch(tuber).hold == "none"


def test_a_report_on_a_product_or_a_place_is_shown_with_its_lots(village: Village, office: FlaskClient) -> None:
    packs = village.packs(40)
    send(office, product=village.product("packs", 500).id, laboratory="Phòng Một")
    send(office, site=village.site().id, laboratory="Phòng Hai")
    send(office, product=village.product("packs", 1000).id, laboratory="Phòng Ba")
    page = scan(village, packs, office)
    assert "Phòng Một" in page and "Phòng Hai" in page and "Phòng Ba" not in page
    reports_page = office.get("/coop/reports").text
    assert all(name in reports_page for name in ("Phòng Một", "Phòng Hai", "Phòng Ba"))
    one = next(one for one in stored() if one.laboratory == "Phòng Một")
    assert office.post(f"/coop/reports/{one.id}/remove").status_code == 302
    assert "Phòng Một" not in scan(village, packs, office)
    assert papers().has(HASH), "another report has the same paper"


def test_the_office_sees_what_ends_within_sixty_days(village: Village, office: FlaskClient) -> None:
    product, own = village.product("packs", 500).id, village.actor("office").cooperative_id
    for days in (59, 60, 61, 400):
        send(office, product=product, expires_on=(clock.today() + dt.timedelta(days=days)).isoformat())
    send(office, product=product, expires_on="")
    stored()
    assert reports.ending_count(db.session(), own) == 2
    assert office.get("/coop/reports").text.count("Sắp hết hạn") == 2
    with clock.fixed(clock.now() + dt.timedelta(days=62)):
        assert reports.ending_count(db.session(), own) == 3
        page = scan(village, village.packs(40, start_days_ago=70), office)
        assert "Hết hạn từ ngày" in page
    assert reports.ending_count(db.session(), village.actor("office-other").cooperative_id) == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "một trong ba"),
        ({"lot": "X", "site": "Y"}, "một trong ba"),
        ({"lot": "KHONG-CO"}, "không có lô"),
        ({"product": "khong-co"}, "chọn trong danh sách"),
        ({"lot": "A", "laboratory": ""}, "chưa điền"),
        ({"lot": "A", "passed": "perhaps"}, "chọn trong danh sách"),
        ({"lot": "A", "issued_on": "2090-01-01"}, "chưa tới"),
        ({"lot": "A", "expires_on": "1999-01-01"}, "sau ngày cấp"),
        ({"lot": "A", "parameters": "Độ ẩm"}, "chưa đọc được"),
        ({"lot": "A", "parameters": "a;b;c;d;e;f"}, "chưa đọc được"),
        ({"lot": "A", "parameters": "Độ ẩm; 12; %; 14; có lẽ"}, "chưa đọc được"),
        ({"lot": "A", "parameters": "a;b\n" * 61}, "60 dòng"),
        ({"lot": "A", "paper": (BytesIO(b""), "")}, "chọn tệp PDF"),
        ({"lot": "A", "paper": (BytesIO(b"<svg/>"), "phieu.pdf")}, "không phải PDF"),
        ({"lot": "A", "report_id": "x"}, "UUID"),
    ],
)
def test_a_report_that_cannot_be_is_refused(
    village: Village, office: FlaskClient, changed: dict[str, Any], said: str
) -> None:
    if "paper" in changed:
        changed = {**changed, "paper": (BytesIO(changed["paper"][0].getvalue()), changed["paper"][1])}
    answer = send(office, **changed)
    assert answer.status_code == 422 and said in answer.text
    assert len(stored()) == 0 and not papers().has(HASH), "its paper is not kept either"


@pytest.mark.parametrize("who", ["producer", "seller", "auditor", ""])
def test_only_the_office_takes_reports_in(village: Village, client: FlaskClient, who: str) -> None:
    if who:
        village.sign_in(client, who)
    assert send(client, site=village.site().id).status_code in (401, 403)
    assert client.get("/coop/reports").status_code == (200 if who == "auditor" else 302 if not who else 403)


def test_another_cooperatives_office_has_its_own(village: Village, client: FlaskClient) -> None:
    packs = village.packs(40)
    village.sign_in(client, "office-other")
    for changed in ({"lot": village.batch(packs).lot}, {"product": village.product("packs", 500).id}):
        assert send(client, **changed).status_code == 422
    mine = browser(client.application)
    village.sign_in(mine, "office")
    send(mine, site=village.site().id, public="")
    one = stored()[0]
    assert client.post(f"/coop/reports/{one.id}/remove").status_code == 404
    assert client.get(f"/certificates/{HASH}").status_code == 404


def test_a_paper_is_shown_to_all_only_where_the_office_said_so(village: Village, office: FlaskClient) -> None:
    send(office, site=village.site().id, public="")
    everybody = browser(office.application)
    seen = [reader.get(f"/certificates/{HASH}").status_code for reader in (everybody, office)]
    assert seen == [404, 200]
    send(office, site=village.site().id)
    shown = everybody.get(f"/certificates/{HASH}")
    assert (shown.status_code, shown.data, shown.mimetype) == (200, PDF, "application/pdf")
    assert shown.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    for name in ("../soi.db", "a" * 63, "A" * 64):
        assert everybody.get(f"/certificates/{name}").status_code == 404


def test_a_picture_of_a_paper_tells_nothing_but_the_picture(village: Village, office: FlaskClient) -> None:
    send(office, site=village.site().id, paper=(BytesIO(told()), "phieu.jpg"))
    report = stored()[0]
    kept = papers().path(report.sha256).read_bytes()
    assert report.mime == "image/jpeg" and b"Exif" not in kept


@pytest.mark.parametrize(
    "data",
    [
        b"MZ" + PDF, PDF[:-7], PDF + b"<script>" * 500, PDF.replace(b"<<>>endobj", b"<</S /JavaScript>>endobj"),
        PDF.replace(b"<<>>endobj", b"<</EmbeddedFiles 3>>endobj"), b"%PDF-x.y %%EOF", b"PK\x03\x04",
    ],
)  # fmt: skip
def test_a_file_that_is_no_plain_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        paper(data, "paper")


def test_lines_of_a_paper_are_read_as_they_stand() -> None:
    found = fields.parameters(LINES)
    assert found[0] == {"name": "Độ ẩm", "value": "12,8", "unit": "%", "limit": "tối đa 14", "passed": True}
    assert [one["passed"] for one in found] == [True, False, None]


def test_a_report_sent_twice_is_taken_in_once(village: Village, office: FlaskClient) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    for subject in ({"lot": village.batch(tuber).lot}, {"site": village.site().id}):
        report_id = uuid7()
        for _ in range(2):
            assert send(office, report_id=report_id, **subject).status_code == 302
    assert len(stored()) == 2
