"""The OCOP dossier: what is missing is said before and within, what is in it proves itself, nobody else gets it."""

import csv
import datetime as dt
import hashlib
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import update

from batches.dossier import files, making, papers, services
from batches.dossier.archive import NAME, Archive, Full
from batches.evidence.fields import ReportFields
from batches.evidence.reports import add_report
from batches.stages.corrections import Correction, correct
from tests.conftest import browser
from tests.support.pictures import picture
from tests.support.village import Village
from trace.events.models import Event
from trace.lots.models import Batch
from trace.photos.models import Photo, PhotoUse
from trace.photos.services import store as photo_store
from trace.verifier.soi_verify import HOLDS
from village import clock
from village.certificates.models import KINDS, NO_END, Certificate, CertificateKind
from village.db import db, write
from village.ids import uuid7
from village.jobs.models import Job, State
from village.jobs.services import ask
from village.jobs.worker import work_off
from village.places.models import Household
from village.products.models import Product

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
EVERYTHING = {
    "business", "contract", "origin", "environment", "barcode", "stamp", "story", "photos", "food-safety", "quality",
    "lab", "inspections", "lots",
}  # fmt: skip


def certify(village: Village, kind: CertificateKind, number: str = "", *, paper: bytes | None = None) -> str:
    """Put a certificate on the cooperative's list, perhaps with its paper; its id."""
    today = clock.today()
    with write() as session:
        certificate = Certificate(
            kind=kind, number=number or f"{kind}-1", issuer="Nơi cấp Thử", stars=3 if kind == "ocop" else None,
            issued_on=today - dt.timedelta(days=100), product_id=None,
            expires_on=NO_END if kind in ("business", "barcode", "contract") else today + dt.timedelta(days=300),
            cooperative_id=village.actor("office").cooperative_id,
        )  # fmt: skip
        session.add(certificate)
        session.flush()
        found = certificate.id
    if paper is not None:
        papers.add_paper(village.actor("office"), found, paper)
    return found


def report(village: Village, product_id: str, number: str = "KN-1", *, public: bool = False) -> None:
    today = clock.today()
    line = {"name": "Độ ẩm", "value": "12,8", "unit": "%", "limit": "14", "passed": True}
    fields = ReportFields(
        lots="", product_id=product_id, site_id="", laboratory="Phòng Thử", number=number,
        issued_on=today - dt.timedelta(days=9), expires_on=today + dt.timedelta(days=90), passed=True,
        parameters=[line], public=public,
    )  # fmt: skip
    add_report(village.actor("office"), fields, PDF + number.encode() + b"\n%%EOF\n", uuid7())


def photograph(village: Village, batch_id: str, colour: int = 90) -> str:
    """Have the event that packed a batch name a photo."""
    body = picture(colour=colour)
    sha256 = photo_store().put(body)
    event = db.session.query(Event).filter(Event.kind == "pack").order_by(Event.entry_index.desc()).first()
    assert event is not None
    member, event_id = village.actor("producer").id, event.id
    with write() as session:
        session.add(Photo(sha256=sha256, size=len(body), width=64, height=48, mime="image/jpeg", member_id=member))
        session.add(PhotoUse(sha256=sha256, event_id=event_id))
        session.execute(update(Event).where(Event.id == event_id).values(photos=[sha256]))
    return sha256


def whole(village: Village) -> str:
    """A product of which everything is there; a lot of it."""
    product = village.product("packs", 500)
    with write() as session:
        session.get_one(Product, product.id).story_vi = "Miến làm ở bản Thử.\n\nPhơi trên giàn tre."
    for kind in KINDS:
        certify(village, kind, paper=PDF + kind.encode() + b"\n%%EOF\n")
    report(village, product.id)
    batch = village.packs(40)
    photograph(village, batch)
    return batch


def period() -> dict[str, str]:
    today = clock.today()
    return {"from": (today - dt.timedelta(days=60)).isoformat(), "to": today.isoformat()}


def made(
    village: Village, product: Product | None = None, who: str = "office", span: dict[str, str] | None = None
) -> Job:
    """Have a dossier made; its job."""
    days = span or period()
    args = {
        "product": (product or village.product("packs", 500)).id, "first": days["from"], "last": days["to"],
        "slug": "x",
    }  # fmt: skip
    with write() as session:
        job_id = ask(session, services.MAKE, village.actor(who), args).id
    work_off()
    return db.session.get_one(Job, job_id, populate_existing=True)


def opened(job: Job) -> dict[str, bytes]:
    """The files of a dossier, after everything that its own hashes claim was checked."""
    assert job.state is State.DONE, job.message
    body = files.made(job.id).read_bytes()
    assert job.result is not None and hashlib.sha256(body).hexdigest() == job.result["sha256"]
    with zipfile.ZipFile(BytesIO(body)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert all(NAME.fullmatch(name) for name in found)
    sums = dict(line.split("  ")[::-1] for line in found["00-SHA256SUMS"].decode().splitlines())
    assert sums == {
        name: hashlib.sha256(data).hexdigest() for name, data in found.items() if name != "00-SHA256SUMS"
    }
    return found


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages)


def in_folder(found: dict[str, bytes], folder: str) -> dict[str, bytes]:
    return {name.partition("/")[2]: data for name, data in found.items() if name.startswith(f"{folder}/")}


@pytest.fixture
def office(village: Village, client: FlaskClient) -> FlaskClient:
    village.sign_in(client, "office")
    return client


def test_a_dossier_with_everything_says_that_it_is_complete_and_holds_it_all(app: Flask, village: Village) -> None:
    batch = village.batch(whole(village))
    job = made(village)
    found = opened(job)
    assert job.result is not None and job.result["missing"] == []
    assert "Hồ sơ đủ các mục trong danh mục." in words(found["00-bia.pdf"])
    assert "[THIẾU]" not in found["00-doc-truoc.txt"].decode()
    folders = {name.partition("/")[0] for name in found if "/" in name}
    assert folders == {
        "A1-dang-ky-kinh-doanh", "A2-hop-dong-nguyen-lieu", "A3-nguon-nguyen-lieu", "A4-moi-truong",
        "A5-sao-ocop-dang-co", "B1-ma-so-ma-vach", "B2-tem-truy-xuat", "B3-cau-chuyen", "B4-anh", "B5-ho-chieu-so",
        "C1-an-toan-thuc-pham", "C2-cong-bo-chat-luong", "C3-kiem-nghiem", "C4-kiem-tra", "C5-lo-va-so-chung",
    }  # fmt: skip
    assert b"business" in in_folder(found, "A1-dang-ky-kinh-doanh")["01-business-1.pdf"]
    assert b"KN-1" in in_folder(found, "C3-kiem-nghiem")["01-kn-1.pdf"]
    assert "Phơi trên giàn tre." in in_folder(found, "B3-cau-chuyen")["cau-chuyen.txt"].decode()
    (photo,) = json.loads(in_folder(found, "B4-anh")["anh.json"])
    assert hashlib.sha256(in_folder(found, "B4-anh")[photo["file"]]).hexdigest() == photo["sha256"]
    assert batch.lot in words(in_folder(found, "B2-tem-truy-xuat")["tem.pdf"])
    assert "Hợp tác xã Một" in words(in_folder(found, "B5-ho-chieu-so")["ho-chieu-so.pdf"])
    cover = words(found["00-bia.pdf"])
    for said in ("Phần A (40 điểm)", "Phần B (25 điểm)", "Phần C (35 điểm)", "C4-kiem-tra/kiem-tra.xlsx"):
        assert said in cover, said
    hashes = cover.replace(" ", "")
    assert all(hashlib.sha256(data).hexdigest() in hashes for name, data in found.items() if "/" in name)


def test_a_lots_proof_from_a_dossier_holds_for_the_offline_verifier_that_lies_beside_it(
    app: Flask, village: Village, tmp_path: Any
) -> None:
    village.packs(40)
    lots = in_folder(opened(made(village)), "C5-lo-va-so-chung")
    for name in ("soi_verify.py", "khoa-so.txt"):
        (tmp_path / name).write_bytes(lots[name])
    (proof,) = [name for name in lots if name.endswith(".soi-proof")]
    key = lots["khoa-so.txt"].decode().splitlines()[0]
    for body, status in ((lots[proof], HOLDS), (lots[proof].replace(b"grams", b"gramm", 1) + b"x", 1)):
        (tmp_path / "lot.soi-proof").write_bytes(body)
        ended = subprocess.run(
            [sys.executable, "soi_verify.py", "lot", "lot.soi-proof", "--key", key], cwd=tmp_path, capture_output=True,
            timeout=60, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert (ended.returncode == HOLDS) is (status == HOLDS), ended.stdout


def test_the_balance_comes_as_picture_and_tables_that_agree(app: Flask, village: Village) -> None:
    village.packs(40)
    found = in_folder(opened(made(village)), "A3-nguon-nguyen-lieu")
    svg = ElementTree.fromstring(found["can-doi.svg"])
    assert svg.tag.endswith("svg") and "var(" not in found["can-doi.svg"].decode()
    book = openpyxl.load_workbook(BytesIO(found["can-doi.xlsx"]))
    assert book.sheetnames == ["Các dải", "Mỗi bước", "Các hộ"]
    bands = list(csv.reader(StringIO(found["can-doi-1.csv"].decode("utf-8-sig")), delimiter=";"))
    assert [row[:2] for row in bands[1:]] == [
        [row[0], row[1]] for row in book["Các dải"].iter_rows(min_row=2, values_only=True)
    ]
    assert any(row[2] == "160" for row in bands)  # the tubers of forty packs


def test_a_household_that_did_not_agree_is_not_named(app: Flask, village: Village) -> None:
    village.packs(40)
    found = opened(made(village))
    assert "Hộ A" in found["C4-kiem-tra/kiem-tra-1.csv"].decode()
    assert b"H\xe1\xbb\x99 A" in found["A3-nguon-nguyen-lieu/can-doi-3.csv"]
    with write() as session:
        session.execute(update(Household).values(named=False))
    found = opened(made(village))
    for name, data in found.items():
        if name.endswith((".csv", ".txt")):
            assert "Hộ A" not in data.decode() and "Người Làm" not in data.decode(), name
        if name.endswith(".xlsx"):
            shown = [cell for sheet in openpyxl.load_workbook(BytesIO(data)) for row in sheet.values for cell in row]
            assert not any("Hộ A" in str(cell) for cell in shown)
    assert "Một hộ ở bản Thử" in found["A3-nguon-nguyen-lieu/can-doi-3.csv"].decode().replace("Bản", "bản")


def test_a_product_without_anything_makes_a_dossier_that_says_so(app: Flask, village: Village) -> None:
    job = made(village, village.product("packs", 1000))
    found = opened(job)
    assert job.result is not None and set(job.result["missing"]) == EVERYTHING
    assert set(found) == {"00-bia.pdf", "00-doc-truoc.txt", "00-SHA256SUMS", "B5-ho-chieu-so/ho-chieu-so.pdf"}
    cover = words(found["00-bia.pdf"])
    assert "Còn thiếu 13 mục." in cover and "Chưa viết chuyện của món này." in cover
    assert found["00-doc-truoc.txt"].decode().count("[THIẾU]") == 13


def test_lots_declared_wrong_or_of_another_time_are_no_evidence_and_a_recalled_one_is_said_to_be(
    app: Flask, village: Village
) -> None:
    kept, wrong = village.batch(village.packs(40)), village.batch(village.packs(40, start_days_ago=19))
    event = db.session.query(Event).filter(Event.kind == "pack").order_by(Event.entry_index.desc()).first()
    assert event is not None
    correct(village.actor("producer"), Correction(uuid7(), event.id, "did_not_occur", "không có"), {"id": "x"})
    assert village.batch(wrong.id).void
    found = opened(made(village))
    lots = in_folder(found, "C5-lo-va-so-chung")
    table = lots["lo-1.csv"].decode()
    assert kept.lot in table and wrong.lot not in table
    assert sum(name.endswith(".soi-proof") for name in lots) == 1
    assert "1 lô của kỳ này đã được khai là ghi nhầm" in words(found["00-bia.pdf"])
    with write() as session:
        session.execute(update(Batch).where(Batch.id == kept.id).values(hold="recalled"))
    job = made(village)
    assert "đã thu hồi" in opened(job)["C5-lo-va-so-chung/lo-1.csv"].decode()
    assert job.result is not None and "stamp" in job.result["missing"]  # it lends no label
    far = [(clock.today() - dt.timedelta(days=days)).isoformat() for days in (400, 300)]
    job = made(village, span={"from": far[0], "to": far[1]})
    assert job.result is not None and {"lots", "origin", "inspections", "stamp"} <= set(job.result["missing"])


def test_the_same_evidence_gives_the_same_bytes(app: Flask, village: Village) -> None:
    whole(village)
    first, second = made(village), made(village)
    assert first.id != second.id and first.result == second.result


def test_names_that_lead_elsewhere_stay_words(app: Flask, village: Village) -> None:
    numbers = (
        "../../etc/passwd", "C:\\Windows\\x", "/abs/olute", "=HYPERLINK(1)", "…\u202e", "a" * 60, "CON", "Số 12/ĐK",
    )  # fmt: skip
    for number in numbers:
        certify(village, "business", number, paper=PDF)
    village.packs(40, lot="A/../B%2F..")
    found = opened(made(village))
    names = sorted(in_folder(found, "A1-dang-ky-kinh-doanh"))
    assert len(names) == len(numbers) and all(name.endswith(".pdf") and "/" not in name for name in names)
    assert any("etc-passwd" in name for name in names) and any("so-12-dk" in name for name in names)
    assert any(name.endswith("a-b-2f.soi-proof") for name in in_folder(found, "C5-lo-va-so-chung"))
    assert words(found["00-bia.pdf"])


def test_a_paper_that_is_no_longer_whole_and_a_photo_without_room_are_left_out_and_said_to_be(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph(village, village.packs(40))
    monkeypatch.setattr(making, "MOST_PHOTO_BYTES", 100)
    certify(village, "business", "ĐK-7", paper=PDF)
    path = papers.store().path(hashlib.sha256(PDF).hexdigest())
    path.write_bytes(b"other")
    found = opened(made(village))
    assert not in_folder(found, "A1-dang-ky-kinh-doanh")
    cover = words(found["00-bia.pdf"])
    assert "ĐK-7 không còn nguyên" in cover and "0 ảnh mới nhất" in cover
    assert not in_folder(found, "B4-anh")


def test_papers_heavier_than_a_dossier_end_it_with_a_sentence_and_leave_nothing(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST_BYTES", 10_000)
    certify(village, "business", paper=picture(400, 300, "PNG"))
    job = made(village)
    assert job.state is State.FAILED and "nặng quá" in job.message
    assert not list(files.folder().iterdir())


def test_the_page_says_what_is_missing_before_anything_is_made(office: FlaskClient, village: Village) -> None:
    product = village.product("packs", 500)
    page = office.get("/coop/dossiers", query_string={"product": product.id, **period()}).text
    assert "Còn thiếu 13 mục" in page and "Chưa ghi giấy này." in page and 'href="/coop/certificates"' in page
    certify(village, "food-safety", "ATTP-5")
    ended = certify(village, "quality", "CB-5", paper=PDF)
    with write() as session:
        session.get_one(Certificate, ended).expires_on = clock.today() - dt.timedelta(days=1)
    page = office.get("/coop/dossiers", query_string={"product": product.id, **period()}).text
    assert "Đã ghi số ATTP-5 nhưng chưa gửi tờ giấy lên." in page and "Giấy đã hết hạn từ ngày" in page
    assert "Còn thiếu 13 mục" in page
    whole(village)
    page = office.get("/coop/dossiers", query_string={"product": product.id, **period()}).text
    assert "Đủ cả rồi." in page and "Nơi cấp Thử" in page and ">Thiếu<" not in page


def test_the_office_has_one_made_and_fetches_it(office: FlaskClient, village: Village) -> None:
    village.packs(40)
    form = {"product": village.product("packs", 500).id, **period()}
    begun = office.post("/coop/dossiers", data=form)
    assert begun.status_code == 302 and begun.location.startswith("/jobs/")
    assert office.post("/coop/dossiers", data=form).location == begun.location  # asked twice, made once
    other = {**form, "product": village.product("packs", 1000).id}
    assert office.post("/coop/dossiers", data=other).status_code == 409
    job_id = begun.location.rpartition("/")[2]
    assert office.get(f"/coop/dossiers/{job_id}.zip").status_code == 409
    work_off()
    assert "/coop/dossiers?made=" in office.get(begun.location).text
    answer = office.get(f"/coop/dossiers/{job_id}.zip")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert "attachment; filename=ho-so-ocop-mien-dong-packs-500-" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert zipfile.ZipFile(BytesIO(answer.data)).testzip() is None
    page = office.get(f"/coop/dossiers?made={job_id}").text
    assert f"/coop/dossiers/{job_id}.zip" in page and hashlib.sha256(answer.data).hexdigest() in page


def test_nobody_but_the_products_own_office_makes_or_fetches_one(app: Flask, village: Village) -> None:
    village.packs(40)
    job = made(village)
    certificate = certify(village, "business", paper=PDF)
    form = {"product": village.product("packs", 500).id, **period()}
    for username, of_page, of_thing in (
        ("office-other", 200, 404), ("producer", 403, 403), ("seller", 403, 403), ("auditor", 403, 403),
    ):  # fmt: skip
        client = browser(app)
        village.sign_in(client, username)
        assert client.get("/coop/dossiers").status_code == of_page, username
        assert client.get("/coop/dossiers", query_string=form).status_code == of_thing
        assert client.post("/coop/dossiers", data=form).status_code == of_thing
        assert client.get(f"/coop/dossiers/{job.id}.zip").status_code == of_thing
        base = f"/coop/certificates/{certificate}/paper"
        assert client.get(base).status_code == of_thing and client.get(f"{base}/file").status_code == of_thing
        assert client.post(f"{base}/remove").status_code == of_thing
        sent = client.post(base, data={"paper": (io.BytesIO(PDF), "x.pdf")})
        assert sent.status_code == of_thing
    guest = browser(app)
    for address in ("/coop/dossiers", f"/coop/dossiers/{job.id}.zip", f"/coop/certificates/{certificate}/paper/file"):
        assert guest.get(address).status_code == 302
    assert papers.store().has(hashlib.sha256(PDF).hexdigest())
    for username in ("producer", "office-other"):  # as who lost the role, or left, between asking and making
        job = made(village, who=username)
        assert job.state is State.FAILED and not files.made(job.id).exists()


def test_what_can_be_no_dossier_is_refused(office: FlaskClient, village: Village) -> None:
    with write() as session:
        job = ask(session, "sheets.export", village.actor("office"), {"what": "lots", "form": "csv"})
    assert office.get(f"/coop/dossiers/{job.id}.zip").status_code == 404
    form = {"product": village.product("tuber").id, **period()}
    assert office.post("/coop/dossiers", data=form).status_code == 422
    days = {"from": "2026-05-02", "to": "2026-05-01"}
    refused = office.get("/coop/dossiers", query_string={"product": village.product("packs", 500).id, **days})
    assert refused.status_code == 422 and "Ngày đầu phải trước ngày cuối" in refused.text
    assert office.post("/coop/dossiers", data={"product": "", **period()}).status_code == 404


def test_old_dossiers_are_put_away_and_the_newest_stay(
    app: Flask, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SHOWN", 2)
    jobs = [made(village) for _ in range(3)]
    assert [files.made(job.id).exists() for job in jobs] == [False, True, True]
    long_ago = time.time() - files.KEPT - 60
    os.utime(files.made(jobs[1].id), (long_ago, long_ago))
    files.draft("left-by-a-killed-worker").write_bytes(b"x")
    os.utime(files.draft("left-by-a-killed-worker"), (long_ago, long_ago))
    files.tidy()
    assert [path.name for path in files.folder().iterdir()] == [f"{jobs[2].id}.zip"]
    client = browser(app)
    village.sign_in(client, "office")
    assert client.get(f"/coop/dossiers/{jobs[1].id}.zip").status_code == 404


def test_an_archive_refuses_names_that_are_not_its_own_and_more_than_it_may_hold(tmp_path: Any) -> None:
    day = dt.date(2026, 11, 20)
    with Archive(tmp_path / "a.zip", day, 100) as archive:
        archive.add("a/b.txt", b"x" * 60)
        for name in (
            "../x.txt", "/x.txt", "a/b/c.txt", "a\\b.txt", "ă.txt", "", "a/.x", "a//b.txt", "a/b.txt", "-x.txt",
        ):  # fmt: skip
            with pytest.raises(ValueError):
                archive.add(name, b"")
        with pytest.raises(Full):
            archive.add("c.txt", b"x" * 41)
        archive.add("c.txt", b"x" * 40)
    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert [(one.filename, one.date_time[:3]) for one in read.infolist()] == [
            ("a/b.txt", (2026, 11, 20)), ("c.txt", (2026, 11, 20))
        ]  # fmt: skip
