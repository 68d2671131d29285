"""What sensors told while a batch was made: offered, put on the ledger with one tap, shown to the buyer, provable."""

import datetime as dt
import json
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from batches.sensors import binding, services
from batches.sensors.cli import make_up
from batches.sensors.models import Sensor, SensorBinding
from batches.sensors.schemas import sensor_fields
from batches.stages.wanted import Measure
from tests.support.village import Village
from trace.events.models import Event
from trace.gs1.digital_link import DigitalLink
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry
from trace.ledger.verify import verify
from trace.scan import family
from trace.scan.proof import prove
from trace.series import reduced
from trace.series.models import EventSeries
from village import clock
from village.db import db, write
from village.errors import Conflict, SoiError
from village.forms import Form
from village.ids import uuid7

DRY = 0.5
"""Days ago that the noodles were dry; they were cut eight hours before."""


def a_dried_batch(village: Village, kinds: tuple[str, ...] = ("Temperature", "RelativeHumidity")) -> str:
    """Noodles that were dried beside sensors; the batch's id."""
    tuber = village.made("harvest", "tuber", 1_000_000, days_ago=4)
    wet = village.made("settle", "wet-starch", 250_000, (tuber, 1_000_000), days_ago=3)
    sheets = village.made("steam", "sheets", 250_000, (wet, 250_000), days_ago=2)
    rested = village.made("rest", "rested-sheets", 140_000, (sheets, 250_000), days_ago=1.5)
    cut = village.made("cut", "strands", 138_000, (rested, 140_000), days_ago=DRY + 1 / 3)
    moisture = (Measure("Moisture", Decimal("13.2"), "P1"),)
    dried = village.made("dry", "noodles", 125_000, (cut, 138_000), days_ago=DRY, readings=moisture)
    for number, kind in enumerate(kinds):
        form = {"name": f"Máy {number}", "site": village.site().id, "type": kind}
        services.add_sensor(village.actor("office"), sensor_fields(Form(form)))
    end = clock.now() - dt.timedelta(days=DRY)
    for one in db.session.scalars(select(Sensor)).all():
        make_up(one, end - dt.timedelta(hours=9), end + dt.timedelta(hours=1))
    db.session.rollback()
    return dried


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def scan_path(village: Village, batch_id: str) -> str:
    batch = village.batch(batch_id)
    return urlsplit(DigitalLink(batch.gtin, lot=batch.lot).under("http://x")).path


def test_the_curve_is_offered_and_goes_on_the_ledger_with_one_tap(client: FlaskClient, village: Village) -> None:
    dried = a_dried_batch(village)
    village.sign_in(client, "producer")
    page = client.get(f"/batches/{dried}").get_data(as_text=True)
    assert "Gắn số đo của lò sấy vào mẻ này" in page and page.count("<svg class=\"curve\"") == 2
    event_id = uuid7()
    sent = {"event_id": event_id}
    assert client.post(f"/batches/{dried}/sensors", data=sent).status_code == 302
    entries = count(LedgerEntry)
    assert client.post(f"/batches/{dried}/sensors", data=sent).status_code == 302
    assert count(LedgerEntry) == entries and count(SensorBinding) == 1
    event = db.session.get_one(Event, event_id)
    told = parse(store.entry(event.entry_index).body)["event"]
    assert (told["type"], told["action"], told["bizStep"]) == ("ObjectEvent", "OBSERVE", "sensor_reporting")
    assert told["quantityList"][0]["epcClass"] == village.batch(dried).epc
    bodies = list(db.session.scalars(select(EventSeries.body).order_by(EventSeries.position)))
    for element, body in zip(told["sensorElementList"], bodies, strict=True):
        series = reduced.parse(bytes(body))
        assert element["soi:series"] == reduced.digest(bytes(body))
        assert element["sensorReport"][0]["meanValue"] == series.summary().mean / 1000
        assert element["soi:count"] == series.summary().count
        # Eight hours from cutting to dry, in steps of a minute.
        assert (series.end - series.start, series.step) == (8 * 3600, 60)
    assert verify().fault is None
    again = client.get(f"/batches/{dried}").get_data(as_text=True)
    assert "Gắn số đo của lò sấy vào mẻ này" not in again and again.count("<svg class=\"curve\"") == 2


def test_the_buyer_sees_the_curve_and_a_changed_one_cuts_the_strand(client: FlaskClient, village: Village) -> None:
    dried = a_dried_batch(village)
    binding.bind(village.actor("producer"), dried, uuid7())
    path = scan_path(village, dried)
    page = client.get(path)
    text = page.get_data(as_text=True)
    assert "Sợi còn nguyên" in text and text.count("<svg class=\"curve\"") == 2 and "trung bình" in text
    assert "Máy 0" not in text, "a sensor's name may name a person"
    document = json.loads(client.get(f"{path}?linkType=gs1:traceability").data)
    elements = [one for e in document["epcisBody"]["eventList"] for one in e.get("sensorElementList", [])]
    assert any("soi:series" in one for one in elements)
    body = bytes(db.session.scalars(select(EventSeries.body).where(EventSeries.position == 0)).one())
    with write() as session:
        forged = body.replace(b",13,", b",14,").replace(b'"leftOut":0', b'"leftOut":1')
        session.execute(update(EventSeries).where(EventSeries.position == 0).values(body=forged))
    with family.snapshot() as session:
        batch = village.batch(dried)
        found = family.find(session, batch.gtin, batch.lot)
        assert found is not None
        verdict = prove(family.load(session, found))
    assert [fault.slug for fault in verdict.faults] == ["series"]


def test_readings_that_were_changed_in_the_row_do_not_hold(village: Village) -> None:
    dried = a_dried_batch(village, ("Temperature",))
    binding.bind(village.actor("producer"), dried, event_id := uuid7())
    changes = {"high": "40", "sensor": uuid7(), "series": "0" * 64, "start": "2026-01-01T00:00:00+07:00"}
    for name, value in changes.items():
        with write() as session:
            event = session.get_one(Event, event_id)
            before = event.readings
            event.readings = [{**before[0], name: value}]
        with family.snapshot() as session:
            batch = village.batch(dried)
            found = family.find(session, batch.gtin, batch.lot)
            assert found is not None
            assert [fault.slug for fault in prove(family.load(session, found)).faults] == ["reading"], name
        with write() as session:
            session.get_one(Event, event_id).readings = before


def test_another_window_is_chosen_but_no_other_day(client: FlaskClient, village: Village) -> None:
    dried = a_dried_batch(village)
    village.sign_in(client, "producer")
    end = (clock.now() - dt.timedelta(days=DRY)).astimezone(clock.VN).replace(second=0, microsecond=0)

    def window(start: dt.datetime, until: dt.datetime) -> dict[str, str]:
        return {"start": start.strftime("%Y-%m-%dT%H:%M"), "end": until.strftime("%Y-%m-%dT%H:%M")}

    hour = dt.timedelta(hours=1)
    good = window(end - 2 * hour, end)
    page = client.get(f"/batches/{dried}/sensors", query_string=good).get_data(as_text=True)
    assert f'name="start" value="{good["start"]}"' in page and page.count("<svg class=\"curve\"") == 2
    wrong = {
        "empty": window(end, end),
        "another day": window(end - dt.timedelta(days=3), end),
        "to come": window(end, end + 20 * hour),
        "later": window(end - hour, end + 30 * hour),
        "nothing": {"start": "x", "end": good["end"]},
    }
    for name, bad in wrong.items():
        answer = client.post(f"/batches/{dried}/sensors", data={**bad, "event_id": uuid7()})
        assert answer.status_code == 422, name
    assert count(SensorBinding) == 0
    assert client.post(f"/batches/{dried}/sensors", data={**good, "event_id": uuid7()}).status_code == 302
    db.session.rollback()
    (reading, *_more) = db.session.scalars(select(Event.readings).where(Event.stage == binding.STAGE)).one()
    assert dt.datetime.fromisoformat(reading["start"]) == end - 2 * hour


def test_a_wrong_curve_is_taken_back_and_another_may_follow(client: FlaskClient, village: Village) -> None:
    dried = a_dried_batch(village)
    who = village.actor("producer")
    binding.bind(who, dried, event_id := uuid7())
    with pytest.raises(Conflict):
        binding.bind(who, dried, uuid7())
    village.sign_in(client, "producer")
    typed = {"reason": "incorrect_data", "note": "x", "correction_id": uuid7()}
    answer = client.post(f"/batches/events/{event_id}/correct", data=typed)
    assert (answer.status_code, "chỉ bỏ được" in answer.get_data(as_text=True)) == (422, True)
    undo = f"/batches/{dried}/sensors/{event_id}/undo"
    assert client.post(undo, data={"correction_id": uuid7()}).status_code == 302
    assert "Gắn số đo của lò sấy vào mẻ này" in client.get(f"/batches/{dried}").get_data(as_text=True)
    binding.bind(who, dried, uuid7())
    assert verify().fault is None
    assert client.get(scan_path(village, dried)).get_data(as_text=True).count("Sợi còn nguyên") > 0


@pytest.mark.parametrize(
    ("who", "status"), [("producer-b", 403), ("office-other", 403), ("seller", 403), ("office", 302)]
)
def test_only_the_household_and_its_office_bind(client: FlaskClient, village: Village, who: str, status: int) -> None:
    dried = a_dried_batch(village, ("Temperature",))
    village.sign_in(client, who)
    answer = client.post(f"/batches/{dried}/sensors", data={"event_id": uuid7()})
    assert answer.status_code == status
    assert client.get(f"/batches/{dried}/sensors").status_code == (200 if status == 302 else 403)
    assert count(SensorBinding) == (1 if status == 302 else 0)


def test_a_batch_that_nothing_measured_offers_nothing(client: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=2)
    wet = village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=1)
    services.add_sensor(
        village.actor("office"), sensor_fields(Form({"name": "Bể", "site": village.site().id, "type": "Temperature"}))
    )
    village.sign_in(client, "producer")
    for batch in (tuber, wet):
        assert "curve" not in client.get(f"/batches/{batch}").get_data(as_text=True)
        with pytest.raises(SoiError):
            binding.bind(village.actor("producer"), batch, uuid7())
    assert count(EventSeries) == 0


def test_a_curve_is_told_in_a_table_and_in_words_as_well(client: FlaskClient, village: Village, app: Flask) -> None:
    dried = a_dried_batch(village, ("Temperature",))
    village.sign_in(client, "producer")
    page = client.get(f"/batches/{dried}").get_data(as_text=True)
    # The made-up day has half an hour without network: said, and marked.
    assert 'class="gap"' in page and "Không có số đo từ" in page
    assert 'role="img" aria-label="Nhiệt độ' in page and "<caption" in page
    english = client.get(f"/batches/{dried}?lang=en").get_data(as_text=True)
    assert "No readings from" in english and "Không có số đo" not in english
