"""`/coop/copies`: the office sees its own signs, draws them, says what they are, and calls a number in."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.conftest import browser
from tests.support.packs import address, issued, scan, written
from tests.support.village import Village
from trace.lots.models import Batch
from trace.units.models import Sign, Unit
from trace.units.office import copies_count
from village.db import db

SignIn = Callable[[FlaskClient, str], None]
NETWORKS = 12


@pytest.fixture
def lot(village: Village) -> Batch:
    """A lot of packs."""
    return village.batch(village.packs(6))


@pytest.fixture
def office(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    """The office's browser."""
    sign_in(client, "office")
    return client


@pytest.fixture
def copied(app: Flask, village: Village, lot: Batch) -> str:
    """The serial number of a pack that was scanned from many networks."""
    (serial,) = issued(village, lot.id, 1)
    spread(app, lot, serial)
    return serial


def spread(app: Flask, lot: Batch, serial: str, begin: int = 0) -> None:
    reader = browser(app)
    for number in range(begin, begin + NETWORKS):
        scan(reader, address(lot, serial), network=f"198.51.{number}.9")
    written()


def sign(rule: str = "many-networks") -> Sign:
    db.session.rollback()
    return db.session.scalars(select(Sign).where(Sign.rule == rule)).one()


def test_signs_are_listed_by_lot_and_serial_and_drawn(office: FlaskClient, lot: Batch, copied: str) -> None:
    page = office.get("/coop/copies").text
    assert "Một ngày soi từ quá nhiều nơi khác nhau" in page
    assert lot.lot in page
    assert "mạng khác nhau trong một ngày" in page
    for asked, there in ((lot.lot[:6], True), (copied[:5].lower(), True), ("KHONGCO", False)):
        assert ("Một ngày soi từ" in office.get("/coop/copies", query_string={"q": asked}).text) is there
    one = office.get(f"/coop/copies/{sign().id}").text
    assert "<circle" in one
    assert "198.51" not in one


def test_a_harmless_sign_is_told_to_buyers_no_more_and_counts_no_more(
    app: Flask, village: Village, office: FlaskClient, lot: Batch, copied: str
) -> None:
    coop = village.actor("office").cooperative_id
    before = copies_count(db.session(), coop)
    assert before >= 1
    for one in db.session.scalars(select(Sign.id)).all():
        answer = office.post(f"/coop/copies/{one}/look", data={"verdict": "fine", "note": "Cả bản cùng soi"})
        assert answer.status_code == 303
    db.session.rollback()
    assert copies_count(db.session(), coop) == 0
    assert "nhiều nơi hơn" not in scan(browser(app), address(lot, copied)).text
    page = office.get("/coop/copies?verdict=fine").text
    assert "Cả bản cùng soi" in page


def test_a_confirmed_copy_stays_told_to_buyers(app: Flask, office: FlaskClient, lot: Batch, copied: str) -> None:
    office.post(f"/coop/copies/{sign().id}/look", data={"verdict": "copied", "note": "Thấy ở chợ"})
    assert sign().verdict == "copied"
    spread(app, lot, copied, 40)
    assert sign().verdict == "copied"
    assert "nhiều nơi hơn" in scan(browser(app), address(lot, copied)).text


def test_a_note_is_asked_for_and_a_verdict_too(office: FlaskClient, copied: str) -> None:
    path = f"/coop/copies/{sign().id}/look"
    assert office.post(path, data={"verdict": "fine", "note": " "}).status_code == 422
    assert office.post(path, data={"verdict": "maybe", "note": "x"}).status_code == 422
    assert sign().verdict == "open"


def test_a_number_is_called_in_once_and_said_to_be_so(
    app: Flask, office: FlaskClient, lot: Batch, copied: str
) -> None:
    path = f"/coop/copies/{sign().id}/void"
    assert office.post(path).status_code == 303
    assert office.post(path).status_code == 409
    db.session.rollback()
    assert db.session.scalars(select(Unit.voided_at).where(Unit.serial == copied)).one() is not None
    assert "chúng tôi đã huỷ" in scan(browser(app), address(lot, copied)).text


def test_a_sign_of_a_whole_lot_has_no_number_to_call_in(app: Flask, office: FlaskClient, lot: Batch) -> None:
    reader = browser(app)
    for number in range(6):
        scan(reader, address(lot, f"BIA{number}"))
    written()
    path = f"/coop/copies/{sign('never-issued').id}"
    assert "số lạ" in office.get(path).text
    assert office.post(f"{path}/void").status_code == 422


def test_who_may_not_is_turned_away(app: Flask, sign_in: SignIn, copied: str) -> None:
    one = f"/coop/copies/{sign().id}"
    guest = browser(app)
    assert guest.get("/coop/copies").status_code in (302, 303, 401)
    seller = browser(app)
    sign_in(seller, "seller")
    assert seller.get(one).status_code == 403
    auditor = browser(app)
    sign_in(auditor, "auditor")
    assert auditor.get("/coop/copies").status_code == 200
    for act in ("look", "void"):
        assert auditor.post(f"{one}/{act}", data={"verdict": "fine", "note": "x"}).status_code == 403


def test_another_cooperatives_office_sees_and_changes_nothing(
    app: Flask, village: Village, sign_in: SignIn, copied: str
) -> None:
    other = browser(app)
    sign_in(other, "office-other")
    one = f"/coop/copies/{sign().id}"
    assert other.get(one).status_code == 404
    assert "Một ngày soi" not in other.get("/coop/copies").text
    assert other.post(f"{one}/void").status_code == 404
    assert other.post(f"{one}/look", data={"verdict": "fine", "note": "x"}).status_code == 404
    assert copies_count(db.session(), village.actor("office-other").cooperative_id) == 0
