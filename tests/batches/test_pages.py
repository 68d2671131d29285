"""The producer's pages: each stage in one form, each mistake told beside its field."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from batches.stages.forms import grams, shown_kilograms
from tests.support.village import Village
from trace.events.models import Event
from trace.lots.models import Batch
from village.db import db
from village.errors import BadInput


@pytest.fixture
def producer(client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "producer")
    return client


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def submit(client: FlaskClient, address: str, **typed: str):  # type: ignore[no-untyped-def]  # werkzeug's response
    """Open a form, fill in what is given, send it."""
    page = client.get(address).text
    names = re.findall(r'type="hidden" name="(event_id|batch|household|product)"', page)
    form = {name: hidden(page, name) for name in names}
    site = re.search(r'<select id="site".*?<option value="([^"]+)"', page, re.S)
    assert site
    return client.post(address.partition("?")[0], data=form | {"site": site[1]} | typed)


def test_a_harvest_and_its_starch_are_logged_on_the_phone(producer: FlaskClient, village: Village) -> None:
    answer = submit(producer, "/batches/record/mien-dong/harvest", made="1.250")
    assert answer.status_code == 302, answer.text
    page = producer.get(answer.location).text
    assert "1.250\u00a0kg" in page and "Đã ghi vào sổ" in page
    batch_id = answer.location.rsplit("/", 1)[1]
    answer = submit(
        producer,
        f"/batches/record/mien-dong/settle?batch={batch_id}",
        **{f"take-{batch_id}": "1.000", "made": "250,5", "reading-Moisture": "45"},
    )
    assert answer.status_code == 302, answer.text
    starch = village.batch(answer.location.rsplit("/", 1)[1])
    assert (starch.made_grams, starch.moisture) == (250_500, 4500)
    assert village.batch(batch_id).left_grams == 250_000
    home = producer.get("/batches").text
    assert starch.lot in home and "Tráng bánh" in home


def test_a_mistake_is_told_beside_its_field_and_what_was_typed_stays(producer: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    address = f"/batches/record/mien-dong/settle?batch={tuber}"
    answer = submit(producer, address, **{f"take-{tuber}": "100", "made": "90", "note": "ghi chú của tôi"})
    assert answer.status_code == 422
    assert "nhiều nhất là 45" in answer.text
    assert 'value="90"' in answer.text and "ghi chú của tôi" in answer.text
    for typed in ("", "abc", "-5", "1,2,3", "٣"):
        answer = submit(producer, address, **{f"take-{tuber}": "100", "made": typed})
        assert answer.status_code == 422, typed
    assert db.session.scalar(select(func.count()).select_from(Event)) == 1


def test_a_form_sent_twice_writes_once(producer: FlaskClient, village: Village) -> None:
    page = producer.get("/batches/record/mien-dong/harvest").text
    form = {
        "event_id": hidden(page, "event_id"), "batch": "", "household": hidden(page, "household"),
        "product": village.product("tuber").id, "made": "500", "site": village.site().id,
        "occurred_at": "2026-01-05T06:30",
    }
    first = producer.post("/batches/record/mien-dong/harvest", data=form)
    second = producer.post("/batches/record/mien-dong/harvest", data=form)
    assert first.status_code == 302, first.text
    assert first.location == second.location
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Batch)) == 1


def test_every_form_of_every_process_opens(producer: FlaskClient, village: Village) -> None:
    from batches.processes.catalogue import all_processes

    for process in all_processes().values():
        for stage in process.stages:
            assert producer.get(f"/batches/record/{process.key}/{stage.key}").status_code == 200


def test_nobody_sees_or_logs_for_another_household(client: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    village.sign_in(client, "producer-b")
    assert client.get(f"/batches/{tuber}").status_code == 403
    assert client.get(f"/batches/record/mien-dong/settle?batch={tuber}").status_code == 403
    assert client.get(f"/batches?household={village.member('producer').household_id}").status_code == 404
    village.sign_in(client, "seller")
    assert client.get("/batches").status_code == 403


def test_the_office_logs_for_its_households(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    home = village.member("producer").household_id
    assert client.get(f"/batches?household={home}").status_code == 200
    answer = submit(client, f"/batches/record/mien-dong/harvest?household={home}", made="800")
    assert village.batch(answer.location.rsplit("/", 1)[1]).household_id == home


def test_a_wrong_weight_is_put_right_on_a_page(producer: FlaskClient, village: Village) -> None:
    tuber = village.made("harvest", "tuber", 100_000)
    event = db.session.scalars(select(Event)).one()
    address = f"/batches/events/{event.id}/correct"
    page = producer.get(address).text
    form = {"reason": "incorrect_data", "out-0": "110", "note": "cân lại"}
    form["correction_id"] = hidden(page, "correction_id")
    answer = producer.post(address, data=form)
    assert answer.status_code == 302, answer.text
    assert village.batch(tuber).made_grams == 110_000
    assert producer.post(address, data=form | {"correction_id": "x"}).status_code == 422


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("12,5", 12_500), ("1.250", 1_250_000), ("12.5", 12_500), ("0,125", 125), ("1.250,5", 1_250_500),
        ("7", 7_000), ("1 250 kg", 1_250_000),
    ],
)
def test_kilograms_are_read_as_people_write_them(typed: str, wanted: int) -> None:
    assert grams(typed, "made") == wanted
    assert grams(shown_kilograms(wanted), "made") == wanted


@pytest.mark.parametrize("typed", ["", "x", "-1", "1e3", "1,2345", "12,", "1..2", "１２", "99999999999"])
def test_what_is_no_weight_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        grams(typed, "made")
