"""Papers behind certificates: new kinds with and without an end, files that are looked at, and put away with them."""

import datetime as dt
import hashlib
import io
import os
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from batches.dossier import papers
from batches.dossier.models import CertificatePaper
from tests.support.pictures import bomb, picture, told
from tests.support.village import Village
from village import clock
from village.certificates.models import NO_END, Certificate
from village.db import db

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def office(village: Village, client: FlaskClient) -> FlaskClient:
    village.sign_in(client, "office")
    return client


def listed(office: FlaskClient, **changed: str) -> str:
    """Put a certificate on the list through the form; its id."""
    issued = (clock.today() - dt.timedelta(days=5)).isoformat()
    form = {"kind": "business", "number": "ĐK-1", "issuer": "Nơi cấp", "stars": "", "issued_on": issued, "product": ""}
    assert office.post("/coop/certificates/new", data={**form, "expires_on": "", **changed}).status_code == 302
    db.session.rollback()
    return db.session.scalars(select(Certificate.id).order_by(Certificate.id.desc())).first() or ""


def send(office: FlaskClient, certificate: str, data: bytes, name: str = "giay.pdf") -> Any:
    return office.post(f"/coop/certificates/{certificate}/paper", data={"paper": (io.BytesIO(data), name)})


def rows() -> list[CertificatePaper]:
    db.session.rollback()
    return list(db.session.scalars(select(CertificatePaper)))


def test_a_registration_needs_no_end_and_a_food_safety_certificate_does(office: FlaskClient) -> None:
    certificate = db.session.get_one(Certificate, listed(office))
    assert (certificate.expires_on, certificate.ends, certificate.valid) == (NO_END, None, True)
    assert "không ghi hạn" in office.get("/coop/certificates").text
    assert 'name="expires_on" type="date" value=""' in office.get(f"/coop/certificates/{certificate.id}").text
    issued = clock.today().isoformat()
    form = {"kind": "food-safety", "number": "1", "issuer": "x", "issued_on": issued, "expires_on": ""}
    assert office.post("/coop/certificates/new", data=form).status_code == 422


def test_a_paper_is_kept_and_given_back_to_the_office(office: FlaskClient) -> None:
    certificate = listed(office)
    for kind in ("PDF", "JPEG", "PNG"):
        body = PDF if kind == "PDF" else picture(kind=kind)
        assert send(office, certificate, body).status_code == 302
        (row,) = rows()
        answer = office.get(f"/coop/certificates/{certificate}/paper/file")
        assert hashlib.sha256(answer.data).hexdigest() == row.sha256 and answer.mimetype == row.mime
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert ("attachment" in answer.headers["Content-Disposition"]) is (kind == "PDF")
    assert "Đã có tờ giấy" in office.get(f"/coop/certificates/{certificate}/paper").text
    assert f"/coop/certificates/{certificate}/paper" in office.get(f"/coop/certificates/{certificate}").text


def test_a_picture_loses_where_and_when_it_was_taken(office: FlaskClient) -> None:
    certificate = listed(office)
    send(office, certificate, told(), "DCIM.jpg")
    answer = office.get(f"/coop/certificates/{certificate}/paper/file").data
    assert b"Hang May Anh" not in answer and b"Exif" not in answer


def test_what_is_no_paper_is_refused_and_not_kept(office: FlaskClient) -> None:
    certificate = listed(office)
    for data in (
        b"", b"MZ\x90", b"<svg xmlns='http://www.w3.org/2000/svg'/>", PDF[:-8], b"<html>", b"\0" * 100,
        b"%PDF-1.4\n/JavaScript (app.alert(1))\n%%EOF\n", b"%PDF-1.4\n/Launch\n%%EOF\n",
        b"%PDF-1.4\n/EmbeddedFile\n%%EOF\n", b"PK\x03\x04", picture()[:200], bomb(60000, 600),
    ):  # fmt: skip
        answer = send(office, certificate, data, "../../../etc/cron.d/x.pdf")
        assert answer.status_code == 422 and 'class="error"' in answer.text, data[:20]
    assert not rows() and not list(papers.store().kept_before(time.time() + 60))


def test_a_paper_larger_than_a_photo_may_be_is_refused(app: Flask, office: FlaskClient) -> None:
    certificate = listed(office)
    most = app.extensions["soi"].max_photo
    assert send(office, certificate, PDF + b"\0" * most).status_code in (413, 422)
    assert not rows()


def test_a_newer_paper_takes_the_place_of_the_one_before(office: FlaskClient) -> None:
    certificate, other = listed(office), listed(office, number="ĐK-2")
    first, second = picture(colour=1), picture(colour=2)
    for one in (certificate, other):
        send(office, one, first)
    (sha256,) = {row.sha256 for row in rows()}
    send(office, certificate, second)
    assert papers.store().has(sha256)  # the other certificate still needs it
    assert office.post(f"/coop/certificates/{other}/paper/remove").status_code == 302
    assert not papers.store().has(sha256) and len(rows()) == 1
    assert office.get(f"/coop/certificates/{other}/paper/file").status_code == 404


def test_a_certificate_taken_off_the_list_takes_its_paper_along_and_leaves_the_others(office: FlaskClient) -> None:
    certificate = listed(office)
    send(office, certificate, PDF)
    needed = PDF + b"\n%%EOF\n"
    send(office, listed(office, number="ĐK-2"), needed)
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert office.post(f"/coop/certificates/{certificate}/remove").status_code == 302
    assert len(rows()) == 1
    papers.tidy()
    assert papers.store().has(sha256)  # it may just be arriving for another one
    long_ago = time.time() - 3 * 86400
    for one in (PDF, needed):
        os.utime(papers.store().path(hashlib.sha256(one).hexdigest()), (long_ago, long_ago))
    papers.tidy()
    assert not papers.store().has(sha256) and papers.store().has(hashlib.sha256(needed).hexdigest())
