"""Printing runs: numbers for packs, a file at the end, a trace of every printing, and only the lot's own people."""

import io
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from tests.support.village import Village
from trace.labels import files, jobs, runs
from trace.labels.models import LabelRun
from trace.lots.models import Batch
from trace.units.models import Unit
from village.db import db, write
from village.jobs import running
from village.jobs.models import Job, State


def ask(client: FlaskClient, batch: Batch, **wanted: object) -> str:
    """Ask for labels as the page does; the run's id."""
    answer = client.post("/labels/runs", data={"batch": batch.id, **wanted})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def finished(run_id: str) -> LabelRun:
    """The run after its job is done."""
    db.session.rollback()
    job_id = db.session.get_one(LabelRun, run_id).job_id
    assert job_id is not None
    db.session.rollback()
    assert running.run(job_id)
    job = db.session.get_one(Job, job_id, populate_existing=True)
    assert job.state is State.DONE, job.message
    return db.session.get_one(LabelRun, run_id, populate_existing=True)


def serials(run_id: str) -> list[str]:
    return list(runs.serials(db.session.get_one(LabelRun, run_id)))


def pictures(packed: bytes) -> list[str]:
    """What each picture in a zip says, in order."""
    found = []
    with zipfile.ZipFile(io.BytesIO(packed)) as folder:
        for name in folder.namelist():
            (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(folder.read(name))).convert("L"))
            found.append(str(code.text))
    return found


def test_every_pack_gets_a_label_with_a_number_of_its_own(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(6))
    village.sign_in(client, "producer")
    run_id = ask(client, batch, what="unit", paper="roll-58-203", form="png", count=6)
    page = client.get(f"/labels/runs/{run_id}")
    assert "data-job=" in page.text
    assert client.get(f"/labels/runs/{run_id}/file").status_code == 409
    run = finished(run_id)
    numbers = serials(run_id)
    assert len(set(numbers)) == 6
    assert (run.first_serial, run.last_serial) == (numbers[0], numbers[-1])
    read = pictures(client.get(f"/labels/runs/{run_id}/file").data)
    assert [urlsplit(one).path for one in read] == [f"/01/{batch.gtin}/10/{batch.lot}/21/{one}" for one in numbers]
    assert read == list(runs.addresses(run))
    assert client.get(urlsplit(read[0]).path).status_code == 200


def test_there_are_no_more_unit_labels_than_packs(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(6))
    village.sign_in(client, "producer")
    finished(ask(client, batch, what="unit", paper="a4-38x21", count=4))
    refused = client.post("/labels/runs", data={"batch": batch.id, "what": "unit", "paper": "a4-38x21", "count": "3"})
    assert refused.status_code == 409
    assert "chỉ còn 2 gói" in refused.text
    assert db.session.scalar(select(func.count()).select_from(LabelRun)) == 1
    # Of two that were asked for at once the second prints what is left.
    first = ask(client, batch, what="unit", paper="a4-38x21", count=1)
    second = ask(client, batch, what="unit", paper="a4-38x21", count=2)
    finished(first)
    assert finished(second).count == 1
    assert db.session.scalar(select(func.count()).select_from(Unit)) == 6


def test_a_run_that_begins_again_gives_no_number_twice(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(6))
    village.sign_in(client, "producer")
    run_id = ask(client, batch, what="unit", paper="a4-70x37", count=5)
    finished(run_id)
    before = serials(run_id)
    with write() as session:
        job = session.get_one(Job, session.get_one(LabelRun, run_id).job_id)
        job.state = State.WAITING
    finished(run_id)
    assert serials(run_id) == before


def test_a_reprint_says_who_when_why_and_which(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(6))
    village.sign_in(client, "producer")
    run_id = ask(client, batch, what="unit", paper="a4-70x37", count=6)
    finished(run_id)
    two = sorted(serials(run_id)[2:4])
    again = f"/labels/runs/{run_id}/again"
    wanted = {"paper": "roll-58-203", "form": "png", "serials": ", ".join(two).lower()}
    assert client.post(again, data=wanted).status_code == 422, "a reason is needed"
    assert client.post(again, data=wanted | {"why": "Kẹt giấy", "serials": "34679ABCDEFG"}).status_code == 422
    answer = client.post(again, data=wanted | {"why": "Kẹt giấy"})
    more = finished(answer.headers["Location"].rpartition("/")[2])
    assert (more.reprint, more.why, more.serials, more.count, more.again_of) == (True, "Kẹt giấy", two, 2, run_id)
    assert more.member.username == "producer"
    assert [one[-12:] for one in pictures(client.get(f"/labels/runs/{more.id}/file").data)] == two
    page = client.get(f"/labels/lots/{batch.id}").text
    for told in ("Kẹt giấy", two[0], two[1], more.member.name):
        assert told in page


def test_a_spoilt_label_s_number_is_voided_and_its_pack_gets_another(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(6))
    village.sign_in(client, "office")
    run_id = ask(client, batch, what="unit", paper="a4-70x37", count=6)
    finished(run_id)
    spoilt = serials(run_id)[1]
    assert client.post(f"/labels/runs/{run_id}/spoilt", data={"spoilt": "NOBODYSNUMBR"}).status_code == 422
    assert client.post(f"/labels/runs/{run_id}/spoilt", data={"spoilt": spoilt}).status_code == 303
    db.session.rollback()
    assert spoilt not in serials(run_id)
    finished(ask(client, batch, what="unit", paper="a4-70x37", count=1))
    # A number that was voided is not printed again.
    answer = client.post(f"/labels/runs/{run_id}/again", data={"paper": "roll-58-203", "why": "Mất tờ", "form": "png"})
    more = finished(answer.headers["Location"].rpartition("/")[2])
    assert more.count == 5
    assert not any(spoilt in one for one in runs.addresses(more))


def test_more_labels_of_a_lot_than_packs_need_a_reason(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    village.sign_in(client, "producer")
    ask(client, batch, what="lot", paper="a4-63x38", count=10, place=4)
    wanted = {"batch": batch.id, "what": "lot", "paper": "a4-63x38", "count": "5"}
    assert client.post("/labels/runs", data=wanted).status_code == 422
    run_id = ask(client, batch, what="lot", paper="a4-63x38", count=5, why="Một tờ bị nhoè")
    run = finished(run_id)
    assert (run.reprint, run.why, run.first_serial) == (True, "Một tờ bị nhoè", None)
    assert client.get(f"/labels/runs/{run_id}/file").data.startswith(b"%PDF")


def test_the_page_shows_what_will_be_printed_before_it_is(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    village.sign_in(client, "producer")
    page = client.get(f"/labels/{batch.gtin}/{batch.lot}?what=unit&paper=a4-48x25&count=10&place=3&form=pdf").text
    assert f"/labels/preview/{batch.id}.png?what=unit&amp;paper=a4-48x25&amp;place=3&amp;count=10" in page
    assert "phải in sẵn trên bao bì" in page
    answer = client.get(f"/labels/preview/{batch.id}.png?what=unit&paper=a4-48x25&count=10&place=3")
    assert Image.open(io.BytesIO(answer.data)).size == (1240, 1754)
    assert db.session.scalar(select(func.count()).select_from(LabelRun)) == 0
    for wrong in ("paper=a5", "place=41", "count=0", "count=100001", "form=png", "form=escpos", "what=x", "place=-1"):
        chosen = {"what": "unit", "paper": "a4-48x25", "count": "10", **dict([wrong.split("=")])}
        shown = client.get(f"/labels/{batch.gtin}/{batch.lot}", query_string=chosen)
        assert shown.status_code == 200 and 'class="error"' in shown.text, wrong
        assert "/labels/preview/" not in shown.text
        assert client.get(f"/labels/preview/{batch.id}.png", query_string=chosen).status_code == 422
        assert client.post("/labels/runs", data={"batch": batch.id, **chosen}).status_code == 422


@pytest.mark.parametrize("who", ["office-other", "producer-other", "producer-b", "auditor", ""])
def test_nobody_but_the_lot_s_own_people_prints_its_labels(village: Village, client: FlaskClient, who: str) -> None:
    batch = village.batch(village.packs(10))
    village.sign_in(client, "producer")
    run_id = ask(client, batch, what="unit", paper="roll-80-203", count=2)
    finished(run_id)
    number = serials(run_id)[0]
    client.delete_cookie("soi_session")
    if who:
        village.sign_in(client, who)
    wanted = {"batch": batch.id, "what": "lot", "paper": "a4-63x38", "count": "1", "why": "x"}
    tried = [
        client.post("/labels/runs", data=wanted),
        client.post(f"/labels/runs/{run_id}/again", data=wanted),
        client.post(f"/labels/runs/{run_id}/spoilt", data={"spoilt": number}),
        client.get(f"/labels/runs/{run_id}"),
        client.get(f"/labels/runs/{run_id}/file"),
        client.get(f"/labels/lots/{batch.id}"),
        client.get(f"/labels/preview/{batch.id}.png?paper=a4-63x38"),
    ]
    assert {answer.status_code for answer in tried} <= ({403} if who else {302, 401})
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(LabelRun)) == 1
    assert serials(run_id)[0] == number
    if who and who != "auditor":
        assert "/labels/runs" not in client.get(f"/labels/{batch.gtin}/{batch.lot}").text


def test_a_recalled_lot_is_not_printed_and_its_files_are_not_handed_out(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    village.sign_in(client, "office")
    run_id = ask(client, batch, what="lot", paper="a4-63x38", count=10)
    waiting = ask(client, batch, what="unit", paper="a4-63x38", count=10)
    finished(run_id)
    with write() as session:
        session.get_one(Batch, batch.id).hold = "recalled"
    assert client.get(f"/labels/runs/{run_id}/file").status_code == 409
    assert client.post("/labels/runs", data={"batch": batch.id, "paper": "a4-63x38", "count": "1"}).status_code == 409
    job_id = db.session.get_one(LabelRun, waiting).job_id
    assert job_id is not None
    db.session.rollback()
    running.run(job_id)
    assert db.session.get_one(Job, job_id, populate_existing=True).state is State.FAILED


def test_numbers_of_a_large_run_are_given_in_several_transactions(
    village: Village, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_AT_ONCE", 4)
    monkeypatch.setattr(runs, "_READ_AT_ONCE", 3)
    batch = village.batch(village.packs(10))
    village.sign_in(client, "producer")
    run_id = ask(client, batch, what="unit", paper="roll-58-203", form="escpos", count=10)
    run = finished(run_id)
    assert len(set(serials(run_id))) == 10
    assert (run.first_serial, run.last_serial) == (serials(run_id)[0], serials(run_id)[-1])
    assert client.get(f"/labels/runs/{run_id}/file").data.startswith(b"\x1b@\x1dv0")


def test_old_files_are_tidied_away_and_the_run_stays(village: Village, client: FlaskClient, tmp_path: Path) -> None:
    import os

    batch = village.batch(village.packs(6))
    village.sign_in(client, "office")
    run_id = ask(client, batch, what="lot", paper="a4-63x38", count=4)
    finished(run_id)
    path = files.made(run_id, "pdf")
    files.tidy()
    assert path.exists()
    os.utime(path, (0, 0))
    files.tidy()
    assert not path.exists()
    assert client.get(f"/labels/runs/{run_id}/file").status_code == 404
    assert "Bác in lại nhé" in client.get(f"/labels/runs/{run_id}").text
