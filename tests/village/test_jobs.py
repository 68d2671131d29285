"""Jobs: what was asked for in a transaction that committed is done, whatever dies meanwhile; nobody else sees it."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

import tests.support.jobs  # noqa: F401  # declares the kinds
from tests.support.serving import environment
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.jobs import services, sweep
from village.jobs.models import Job, State
from village.jobs.queue import queues
from village.jobs.running import MOST_TRIES, STALE, place, run
from village.jobs.worker import only_one, work_off
from village.settings import ROOT


def asked(village: Village, tmp_path: Path, who: str = "office", kind: str = "test.count", **args: object) -> str:
    """A job of this kind, committed; its id."""
    with write() as session:
        args = {"file": str(tmp_path / "counted"), "upto": 5} | args
        return services.ask(session, kind, village.actor(who), args).id


def job(job_id: str) -> Job:
    """Its row, read afresh."""
    db.session.rollback()
    return db.session.get_one(Job, job_id, populate_existing=True)


def test_what_was_asked_for_is_done_and_says_so(app: Flask, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path)
    assert queues().queued("short") == {one}
    assert work_off() == 1
    found = job(one)
    assert (found.state, found.result) == (State.DONE, {"counted": 5, "said": "Xong"})
    assert found.ended_at is not None and found.started_at is not None
    assert run(one) is False


def test_what_was_undone_is_never_begun(app: Flask, village: Village, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), write() as session:
        services.ask(session, "test.count", village.actor("office"), {})
        raise RuntimeError
    assert queues().queued("short") == set() and work_off() == 0


def test_the_outcome_speaks_the_askers_language(app: Flask, client: FlaskClient, village: Village) -> None:
    with app.test_request_context("/?lang=en"), write() as session:
        one = services.ask(session, "test.refuse", village.actor("office"), {}).id
    work_off()
    assert (job(one).state, job(one).message) == (State.FAILED, "Done")


def test_a_job_that_the_queue_forgot_is_found_again(app: Flask, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path)
    queues().lane("short").storage.flush_queue()
    sweep.put_back(set())
    sweep.put_back(set())
    assert queues().lane("short").storage.queue_size() == 1 and queues().queued("short") == {one}


def test_a_run_that_fell_silent_begins_again_and_the_old_one_is_told(
    app: Flask, village: Village, tmp_path: Path
) -> None:
    one = asked(village, tmp_path)
    old = clock.now() - STALE - dt.timedelta(seconds=1)
    with write() as session:
        session.execute(update(Job).values(state=State.RUNNING, tries=1, beat_at=old, worker="elsewhere:x:1"))
    sweep.put_back({one})
    assert job(one).state is State.RUNNING
    sweep.put_back(set())
    assert job(one).state is State.WAITING
    work_off()
    assert (job(one).state, job(one).tries) == (State.DONE, 2)


def test_a_worker_takes_over_only_what_its_own_place_left(app: Flask, village: Village, tmp_path: Path) -> None:
    mine, other = asked(village, tmp_path), asked(village, tmp_path)
    for one, where in ((mine, f"{place()}1"), (other, "elsewhere:x:1")):
        with write() as session:
            session.execute(
                update(Job).where(Job.id == one).values(state=State.RUNNING, beat_at=clock.now(), worker=where)
            )
    sweep.take_over()
    assert (job(mine).state, job(other).state) == (State.WAITING, State.RUNNING)


def test_a_job_that_kills_its_workers_is_given_up(app: Flask, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path)
    with write() as session:
        session.execute(update(Job).values(tries=MOST_TRIES))
    sweep.put_back(set())
    assert job(one).state is State.FAILED and "đứt giữa chừng" in job(one).message


def test_a_job_that_is_cancelled_stops_at_its_next_step(app: Flask, village: Village, tmp_path: Path) -> None:
    waits = asked(village, tmp_path)
    services.cancel(village.actor("office"), waits)
    assert run(waits) is False and job(waits).state is State.CANCELLED
    runs = asked(village, tmp_path, upto=1000, pause=0.002)
    office = village.actor("office")
    # As soon as it is at work somebody else stops it: here, the work's own first step does.
    with app.app_context():
        import threading

        stopper = threading.Timer(0.3, lambda: _cancel_in(app, office, runs))
        stopper.start()
        run(runs)
        stopper.join()
    assert job(runs).state is State.CANCELLED and (tmp_path / "counted").stat().st_size < 1000


def _cancel_in(app: Flask, office: object, job_id: str) -> None:
    with app.app_context():
        services.cancel(office, job_id)  # type: ignore[arg-type]  # an Actor
        db.session.remove()


def test_a_worker_that_is_to_end_hands_its_job_back(app: Flask, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path, upto=3)
    assert run(one, stopping=lambda: True)
    assert (job(one).state, job(one).tries) == (State.WAITING, 0)
    work_off()
    assert job(one).state is State.DONE and (tmp_path / "counted").read_text() == "xxx"


def test_a_mistake_in_the_work_is_told_without_its_insides(app: Flask, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path, kind="test.break")
    app.config["TESTING"] = False
    work_off()
    assert job(one).state is State.FAILED and "ZeroDivision" not in job(one).message and job(one).message


def test_nothing_is_done_in_the_name_of_who_left(app: Flask, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path)
    with write() as session:
        session.merge(village.member("office")).active = False
    work_off()
    assert job(one).state is State.FAILED and not (tmp_path / "counted").exists()


def test_old_jobs_are_forgotten(app: Flask, village: Village, tmp_path: Path) -> None:
    old, new = asked(village, tmp_path), asked(village, tmp_path)
    work_off()
    with write() as session:
        session.execute(update(Job).where(Job.id == old).values(ended_at=clock.now() - dt.timedelta(days=31)))
    sweep.tidy()
    assert list(db.session.scalars(select(Job.id))) == [new]


@pytest.mark.parametrize(
    ("who", "status"),
    [("producer", 200), ("office", 200), ("producer-b", 404), ("office-other", 404), ("auditor", 404), ("", 302)],
)
def test_only_the_asker_and_her_office_see_a_job_and_may_stop_it(
    client: FlaskClient, village: Village, tmp_path: Path, who: str, status: int
) -> None:
    one = asked(village, tmp_path, "producer")
    if who:
        village.sign_in(client, who)
    assert client.get(f"/jobs/{one}").status_code == status
    assert client.get(f"/jobs/{one}/progress").status_code == status
    stopped = client.post(f"/jobs/{one}/cancel").status_code
    assert stopped == {200: 302, 302: 401}.get(status, status)
    assert job(one).state is (State.CANCELLED if status == 200 else State.WAITING)


def test_the_page_looks_again_by_itself_until_the_end(client: FlaskClient, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path)
    village.sign_in(client, "office")
    page = client.get(f"/jobs/{one}").text
    assert '<noscript><meta http-equiv="refresh"' in page and "js/job.js" in page and "<progress" in page
    assert client.get(f"/jobs/{one}/progress").get_json() == {
        "going": True, "done": 0, "total": 0, "said": "Đang chờ tới lượt…",
    }  # fmt: skip
    work_off()
    page = client.get(f"/jobs/{one}").text
    assert "Xong rồi." in page and "http-equiv" not in page


def test_metrics_and_the_list_tell_of_jobs(app: Flask, client: FlaskClient, village: Village, tmp_path: Path) -> None:
    one = asked(village, tmp_path)
    assert b'soi_jobs{state="waiting"} 1.0' in client.get("/metrics").data
    assert one in app.test_cli_runner().invoke(args=["jobs", "list"]).output
    assert "1 jobs run." in app.test_cli_runner().invoke(args=["jobs", "work", "--once"]).output
    with only_one(app):
        assert "at work already" in app.test_cli_runner().invoke(args=["jobs", "work", "--once"]).output


def test_the_queue_holds_nothing_that_runs_when_it_is_read(app: Flask, village: Village, tmp_path: Path) -> None:
    asked(village, tmp_path)
    (item,) = queues().lane("short").storage.enqueued_items()
    assert bytes(item).startswith(b'["')


@pytest.mark.processes
def test_a_killed_workers_job_is_taken_up_by_the_next_one(app: Flask, village: Village, tmp_path: Path) -> None:
    settings = app.extensions["soi"]

    def worker() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.jobs", str(os.getpid())],
            cwd=ROOT, env=environment(settings, 8000, SOI_ENV="test"),
        )  # fmt: skip

    one = asked(village, tmp_path, upto=60, pause=0.05)
    db.session.remove()
    first = worker()
    try:
        _until(lambda: (tmp_path / "counted").exists() and (tmp_path / "counted").stat().st_size > 5)
    finally:
        first.kill()
        first.wait()
    assert job(one).state is State.RUNNING
    second = worker()
    try:
        _until(lambda: job(one).state is State.DONE)
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0
    assert (tmp_path / "counted").stat().st_size == 60 and job(one).tries == 2


def _until(holds: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)
