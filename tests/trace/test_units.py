"""A pack with a number of its own: issued only for packed packs, shown as it stands, scanned and counted."""

import datetime as dt
import gzip
import threading
import time
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from tests.conftest import browser
from tests.support.packs import PHONE, address, issued, scan, written
from tests.support.village import Village
from trace.gs1.lots import READABLE
from trace.labels.models import LabelRun
from trace.lots.models import Batch
from trace.units import page, services
from trace.units.counting import MAX_KEYS, Held
from trace.units.models import LotScan, ScanSalt, Sign, Unit, UnitScan
from trace.units.reader import Reader, is_scan
from trace.units.secret import key_of
from trace.units.writing import Day, LotDay
from village import clock
from village.db import db, write
from village.errors import Conflict


@pytest.fixture
def lot(village: Village) -> Batch:
    """A lot of twelve packs."""
    return village.batch(village.packs(12))


def unit(serial: str) -> Unit:
    db.session.rollback()
    return db.session.scalars(select(Unit).where(Unit.serial == serial)).one()


def days(serial: str) -> list[UnitScan]:
    mine = select(UnitScan).where(UnitScan.unit_id == unit(serial).id)
    return list(db.session.scalars(mine.order_by(UnitScan.place)))


def test_serials_are_issued_for_packed_packs_and_for_no_more(village: Village, lot: Batch) -> None:
    first = issued(village, lot.id, 10)
    assert len(set(first)) == 10
    assert all(len(one) == 12 and set(one) <= set(READABLE) for one in first)
    with pytest.raises(Conflict) as refused:
        issued(village, lot.id, 3)
    assert (refused.value.slug, refused.value.details["left"]) == ("more-than-packed", 2)
    assert db.session.scalar(select(func.count()).select_from(Unit)) == 10


def test_a_spoilt_label_gives_its_pack_another_number(village: Village, lot: Batch) -> None:
    serials = issued(village, lot.id, 12)
    with write() as session:
        session.execute(update(Unit).where(Unit.serial == serials[0]).values(voided_at=clock.now()))
    assert services.left(db.session(), lot) == 1
    assert issued(village, lot.id, 1)[0] not in serials


def test_what_is_not_packed_gets_no_serials(village: Village) -> None:
    tubers = village.made("harvest", "tuber", 100_000)
    with pytest.raises(Conflict) as refused:
        issued(village, tubers, 1)
    assert refused.value.slug == "not-packed"


def test_serials_of_a_run_are_read_again_in_the_order_in_which_they_were_given(village: Village, lot: Batch) -> None:
    serials = issued(village, lot.id, 12)
    assert db.session.scalars(select(Unit.serial).order_by(Unit.id)).all() == serials


def test_two_printings_at_once_issue_no_more_than_was_packed(app: Flask, village: Village, lot: Batch) -> None:
    outcomes: list[str] = []

    def print_labels() -> None:
        with app.app_context():
            try:
                issued(Village(), lot.id, 8)
                outcomes.append("given")
            except Conflict as error:
                outcomes.append(error.slug)

    both = [threading.Thread(target=print_labels) for _one in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(outcomes) == ["given", "more-than-packed"]


def test_ten_thousand_serials_are_issued_in_a_moment(village: Village, lot: Batch) -> None:
    with write() as session:
        session.execute(update(Batch).where(Batch.id == lot.id).values(made_units=10_000, left_units=10_000))
    began = time.monotonic()
    assert len(set(issued(village, lot.id, 10_000))) == 10_000
    assert time.monotonic() - began < 20


def test_the_first_reader_is_told_so_and_the_next_when_that_was(
    village: Village, lot: Batch, client: FlaskClient
) -> None:
    (serial,) = issued(village, lot.id, 1)
    assert "Bác là người đầu tiên soi gói này" in scan(client, address(lot, serial)).text
    assert "Gói này vừa có người soi" in scan(client, address(lot, serial)).text
    written()
    answer = scan(client, address(lot, serial))
    assert "Gói này được soi lần đầu lúc" in answer.text
    assert (answer.headers["Cache-Control"], "ETag" in answer.headers) == ("private, no-cache", False)
    assert "␞" not in answer.text
    written()
    assert (unit(serial).scans, unit(serial).first_scan_at is not None) == (3, True)


def test_two_packs_of_a_lot_have_pages_of_their_own(village: Village, lot: Batch, client: FlaskClient) -> None:
    one, other = issued(village, lot.id, 2)
    scan(client, address(lot, one))
    written()
    assert "Bác là người đầu tiên" in scan(client, address(lot, other)).text
    assert "được soi lần đầu lúc" in scan(client, address(lot, one)).text
    assert "Số của gói" not in scan(client, address(lot, one).partition("/21/")[0]).text


def test_a_pack_page_is_packed_for_who_takes_gzip(village: Village, lot: Batch, client: FlaskClient) -> None:
    (serial,) = issued(village, lot.id, 1)
    answer = scan(client, address(lot, serial), Accept_Encoding="gzip")
    assert "Bác là người đầu tiên" in gzip.decompress(answer.data).decode()


def test_a_serial_that_was_never_issued_is_said_to_be_unknown(
    village: Village, lot: Batch, client: FlaskClient
) -> None:
    answer = scan(client, address(lot, "AAAAAAAAAAAA"))
    assert "Số này chúng tôi chưa từng in lên gói nào" in answer.text
    assert "02133" in answer.text.replace(" ", "").replace(".", "")


def test_a_serial_of_another_lot_is_said_to_be_so(village: Village, lot: Batch, client: FlaskClient) -> None:
    other = village.batch(village.packs(5))
    (serial,) = issued(village, other.id, 1)
    assert "là của một lô khác" in scan(client, address(lot, serial)).text
    written()
    assert db.session.scalars(select(LotScan.unknown).where(LotScan.batch_id == lot.id)).all() == [1]
    assert unit(serial).scans == 0


def test_invented_serials_are_counted_by_lot_and_fill_no_memory(
    village: Village, lot: Batch, client: FlaskClient
) -> None:
    for number in range(60):
        scan(client, address(lot, f"A{number}"), network=f"198.51.{number}.1")
    assert len(page.counter()._held) == 1
    written()
    assert db.session.scalars(select(LotScan.unknown)).all() == [60]
    assert db.session.scalars(select(Sign.rule)).all() == ["never-issued"]
    assert db.session.scalar(select(func.count()).select_from(UnitScan)) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "curl/8.5.0"},
        {"User-Agent": ""},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Referer": "https://example.vn/page"},
        {"Sec-Fetch-Dest": "image"},
        {"Cookie": "soi_session=anything"},
        {"Accept": "application/ld+json"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_what_is_no_scan_of_a_label_is_not_counted(
    app: Flask, village: Village, lot: Batch, headers: dict[str, str]
) -> None:
    (serial,) = issued(village, lot.id, 1)
    cookie = headers.pop("Cookie", None)
    client = browser(app)
    if cookie:
        client.set_cookie("soi_session", "anything")
    sent = {"User-Agent": PHONE, "Sec-Fetch-Site": "none", **headers}
    assert client.get(address(lot, serial), headers=sent).status_code == 200
    client.head(address(lot, serial), headers={"User-Agent": PHONE, "Sec-Fetch-Site": "none"})
    written()
    assert unit(serial).scans == 0


def test_a_camera_of_a_messenger_counts_though_its_robot_does_not() -> None:
    zalo = {"User-Agent": f"{PHONE} Zalo android/23.10.1", "Sec-Fetch-Dest": "document"}
    robot = {"User-Agent": "Mozilla/5.0 (compatible; Zalo-Share/1.0)"}
    assert is_scan("GET", lambda name: zalo.get(name, ""), signed_in=False)
    assert not is_scan("GET", lambda name: robot.get(name, ""), signed_in=False)


def test_scans_are_kept_by_day_and_place_and_hands_as_marks(
    app: Flask, village: Village, lot: Batch
) -> None:
    app.extensions["soi"] = replace(app.extensions["soi"], scan_place_header="X-Region")
    (serial,) = issued(village, lot.id, 1)
    client = browser(app)
    for network, region in (("203.0.113.7", "VN-HN"), ("203.0.113.8", "VN-HN"), ("198.51.100.1", "VN-SG")):
        answer = scan(client, address(lot, serial), network, X_Region=region)
        assert "Bác đang ở tỉnh nào" not in answer.text
    written()
    found = days(serial)
    assert [(one.place, one.scans, one.hands.bit_count()) for one in found] == [("01", 2, 1), ("79", 1, 1)]
    assert found[0].day == clock.today()


def test_nothing_of_a_reader_is_kept(village: Village, lot: Batch, client: FlaskClient, app: Flask) -> None:
    (serial,) = issued(village, lot.id, 1)
    answer = scan(client, address(lot, serial), "203.0.113.77", f"{PHONE} Mark-of-a-reader")
    assert "Set-Cookie" not in answer.headers
    written()
    for table in (UnitScan, Unit, LotScan, ScanSalt, Sign):
        for row in db.session.execute(select(table.__table__)):
            assert not any("203.0.113" in str(value) or "Mark-of-a" in str(value) for value in row)


def test_the_days_key_goes_with_the_day_and_cannot_be_made_again(app: Flask) -> None:
    today = clock.today()
    first = key_of(today, "secret")
    assert first == key_of(today, "secret")
    assert first != key_of(today, "another village's")
    with clock.fixed(clock.now() + dt.timedelta(days=1)):
        assert key_of(clock.today(), "secret") != first
    db.session.rollback()
    assert db.session.scalars(select(ScanSalt.day)).all() == [today + dt.timedelta(days=1)]
    db.session.rollback()
    assert key_of(today, "secret") != first


def test_a_reader_says_where_she_is_with_one_tap_and_is_counted_there_once(
    village: Village, lot: Batch, client: FlaskClient
) -> None:
    (serial,) = issued(village, lot.id, 1)
    path = address(lot, serial)
    assert f'action="/units/{lot.gtin}/{serial}/place"' in scan(client, path).text
    for number in ("01", "79", "48", "92"):
        answer = client.post(f"/units/{lot.gtin}/{serial}/place", data={"place": number}, headers={"User-Agent": PHONE})
        assert answer.status_code == 200
    assert path in answer.text
    written()
    assert unit(serial).scans == 1
    # One reader who names four provinces is no sign of four packs.
    assert unit(serial).alarm == ""
    wrong = client.post(f"/units/{lot.gtin}/{serial}/place", data={"place": "02"})
    assert wrong.status_code == 422
    assert client.post(f"/units/{lot.gtin}/NOSUCHPACK/place", data={"place": "01"}).status_code == 404


def test_a_tap_from_another_site_is_refused(village: Village, lot: Batch, client: FlaskClient) -> None:
    (serial,) = issued(village, lot.id, 1)
    answer = client.post(
        f"/units/{lot.gtin}/{serial}/place", data={"place": "01"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_a_pack_in_too_many_networks_is_told_calmly_to_its_buyer(
    village: Village, lot: Batch, client: FlaskClient
) -> None:
    (serial,) = issued(village, lot.id, 1)
    for number in range(12):
        scan(client, address(lot, serial), network=f"198.51.{number}.9")
    written()
    assert unit(serial).alarm == "many-networks"
    told = scan(client, address(lot, serial)).text
    assert "được soi ở nhiều nơi hơn một gói thường có" in told
    assert "giả" not in told.partition("Tem mang số này")[2].partition("</div>")[0]


def test_a_family_in_one_network_is_no_alarm(village: Village, lot: Batch, client: FlaskClient) -> None:
    (serial,) = issued(village, lot.id, 1)
    for number in range(9):
        scan(client, address(lot, serial), phone=f"{PHONE} {number}")
    written()
    assert unit(serial).alarm == ""


def test_scans_of_a_recalled_lot_and_of_old_packs_are_counted_for_the_office(
    village: Village, lot: Batch, client: FlaskClient
) -> None:
    (serial,) = issued(village, lot.id, 1)
    with write() as session:
        long_ago = clock.today() - dt.timedelta(days=3)
        session.execute(
            update(Batch).where(Batch.id == lot.id).values(hold="recalled", hold_reason="thử", best_before=long_ago)
        )
    scan(client, address(lot, serial))
    written()
    (row,) = db.session.scalars(select(LotScan)).all()
    assert (row.recalled, row.expired) == (1, 1)
    assert "recalled" in db.session.scalars(select(Sign.rule)).all()


def test_what_could_not_be_written_is_kept_and_written_later(village: Village, lot: Batch) -> None:
    (serial,) = issued(village, lot.id, 1)
    found = unit(serial)
    count = page.counter()
    count.scan(found.id, lot.id, Reader("203.0.113.0", PHONE, "01"))
    # Within somebody's transaction it may not write, and says so.
    with write(), pytest.raises(RuntimeError):
        count.flush()
    count.scan(found.id, lot.id, Reader("203.0.113.0", PHONE, "01"))
    written()
    assert unit(serial).scans == 2


def test_memory_is_bounded_while_nothing_can_be_written(village: Village, lot: Batch) -> None:
    count = page.counter()
    full = {(f"pack {number}", clock.today(), ""): Day(clock.now()) for number in range(MAX_KEYS)}
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE unit_scan RENAME TO unit_scan_away"))
    count._held = Held(full)
    count.lot(lot.id, LotDay(unknown=1))
    assert len(count._held) == MAX_KEYS
    count._held = Held()


def test_labels_are_runs_of_labels(village: Village, lot: Batch) -> None:
    issued(village, lot.id, 2)
    (run,) = db.session.scalars(select(LabelRun)).all()
    assert {one.run_id for one in db.session.scalars(select(Unit))} == {run.id}
