"""The keeper does by itself what has to happen, alone, again after a failure, and leaves nothing running behind."""

import datetime as dt
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support.authority import desk, make_authority
from tests.support.serving import environment, start
from tests.support.village import Village
from trace.keeper import checks, duties
from trace.keeper.loop import Keeper
from trace.keeper.place import Place, Turn
from trace.keeper.schedule import ANCHOR, CHECK, CHECKS_KEPT, COSIGN, DUTIES, EXPORT, Duty
from trace.ledger.models import Anchor, SelfCheck
from village import clock
from village.clock import VN
from village.db import db, write
from village.settings import ROOT, Settings

PATIENCE = 60.0
PROMPT = 10.0
"""Seconds within which a keeper ends, however busy the machine is."""
FOREVER = Duty("check", ("keep",))
"""A check whose process never ends: a second keeper, which waits for the first."""


def until(told: Callable[[], bool], what: str) -> None:
    """Wait for it, not longer than PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not told():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def checked() -> int:
    """How many checks were kept."""
    db.session.rollback()
    return db.session.scalars(select(func.count()).select_from(SelfCheck)).one()


@pytest.fixture
def keep(settings: Settings) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts keepers, and sees that none is left."""
    started: list[subprocess.Popen[bytes]] = []

    def one(*more: str, **env: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "ledger", "keep", *more]
        started.append(
            subprocess.Popen(
                command, env=environment(settings, 1, LOG_LEVEL="warning") | env, stderr=subprocess.PIPE, cwd="/"
            )
        )
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says in this process's environment what its settings are, for the processes that it starts."""

    def say(**more: str) -> None:
        for name, value in environment(settings, 1, **more).items():
            monkeypatch.setenv(name, value)

    say()
    return say


@pytest.mark.parametrize(
    ("now", "began"), [("23:00", "23:00"), ("22:59", "-23:00"), ("00:10", "-23:00"), ("23:59", "23:00")]
)
def test_a_daily_duty_s_turn_begins_at_its_hour_in_the_village(now: str, began: str) -> None:
    moment = dt.datetime.fromisoformat(f"2026-11-20T{now}:00").replace(tzinfo=VN)
    wanted = dt.datetime.fromisoformat(f"2026-11-20T{began.lstrip('-')}:00").replace(tzinfo=VN)
    assert ANCHOR.began(moment.astimezone(dt.UTC)) == wanted - dt.timedelta(days=began.startswith("-"))


@pytest.mark.parametrize("duty", DUTIES, ids=lambda duty: duty.name)
def test_what_fails_is_tried_again_later_and_later_but_never_never(duty: Duty) -> None:
    waits = [duty.wait(failures) for failures in range(1, 100)]
    assert waits[0] == duty.first_wait and waits == sorted(waits) and waits[-1] == duty.longest_wait <= 3600


GOOD = {"entries": 8, "root": "00", "holds": True, "first_bad": None, "what": None, "seconds": 0.1}


def test_a_report_is_read_as_it_was_written() -> None:
    now = clock.now()
    held = checks.read_report(json.dumps(GOOD), 0, now, now)
    assert (held.holds, held.size, held.first_bad, held.what) == (True, 8, None, "")
    bad = GOOD | {"holds": False, "first_bad": 3, "what": "x" * 9000}
    found = checks.read_report(json.dumps(bad), 1, now, now)
    assert (found.holds, found.first_bad, len(found.what)) == (False, 3, checks.MOST_WORDS)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (json.dumps(GOOD), 1),
        (json.dumps(GOOD | {"holds": False}), 0),
        (json.dumps(GOOD), -9),
        (json.dumps(GOOD | {"holds": "yes"}), 0),
        (json.dumps(GOOD | {"entries": None}), 0),
        (json.dumps(GOOD | {"first_bad": "3"}), 0),
        (json.dumps([GOOD]), 0),
        ("", 1),
        ("Traceback (most recent call last):", 1),
    ],
)
def test_a_check_that_did_not_end_says_neither_that_it_holds_nor_that_it_does_not(said: str, status: int) -> None:
    with pytest.raises(checks.CheckFailed):
        checks.read_report(said, status, clock.now(), clock.now())


def test_only_the_last_checks_are_kept(app: Flask) -> None:
    now = clock.now()
    with write() as session:
        for size in range(CHECKS_KEPT):
            session.add(SelfCheck(began_at=now, ended_at=now, size=size, holds=True, what=""))
            session.flush()
    for size in range(CHECKS_KEPT, CHECKS_KEPT + 3):
        checks.keep(SelfCheck(began_at=now, ended_at=now, size=size, holds=True, what=""))
    db.session.rollback()
    kept = db.session.scalars(select(SelfCheck.size)).all()
    assert sorted(kept) == list(range(3, CHECKS_KEPT + 3))


@pytest.mark.slow_once
def test_called_by_a_timer_it_does_what_is_due_and_nothing_twice(
    app: Flask, settings: Settings, said: Callable[..., None]
) -> None:
    assert Keeper(app).once() and checked() == 1
    assert Keeper(app).once() and checked() == 1, "it was done since three o'clock"
    Place(settings.instance).wish_check()
    assert Keeper(app).once() and checked() == 2, "somebody asked for it"
    row = db.session.scalars(select(SelfCheck).order_by(SelfCheck.id.desc())).first()
    assert row is not None and row.holds and row.size == 1
    with clock.fixed(clock.now() + dt.timedelta(days=1)):
        assert Keeper(app).once() and checked() == 3, "the next day"


@pytest.mark.slow_once
def test_the_day_s_checkpoint_is_stamped_once_and_only_if_the_log_grew(
    app: Flask, settings: Settings, village: Village, said: Callable[..., None], tmp_path: Path
) -> None:
    authority = make_authority(tmp_path / "tsa")
    place, now = Place(settings.instance), clock.now()
    with desk(lambda request: (200, authority.stamp(request))) as it:
        app.extensions["soi"] = replace(settings, tsa_url=it.url, tsa_ca=authority.root)
        said(TSA_URL=it.url, TSA_CA=str(authority.root))
        assert duties.due(ANCHOR, place), "it never was"
        assert Keeper(app, [ANCHOR]).once()
    assert len(it.asked) == 1
    db.session.rollback()
    assert db.session.scalars(select(Anchor)).one().authority == it.url
    with clock.fixed(now + dt.timedelta(days=1)):
        assert not duties.due(ANCHOR, place), "nothing was added"
    village.packs(20)
    assert not duties.due(ANCHOR, place), "it was stamped today"
    with clock.fixed(now + dt.timedelta(days=1)):
        assert duties.due(ANCHOR, place)
    app.extensions["soi"] = replace(settings, tsa_url="https://another.example/tsr", tsa_ca=authority.root)
    assert duties.due(ANCHOR, place), "another authority did not stamp it yet"


@pytest.mark.slow_once
def test_a_mirror_is_brought_up_to_date_when_there_is_something_new(
    app: Flask, settings: Settings, village: Village, said: Callable[..., None], tmp_path: Path
) -> None:
    mirror, place = tmp_path / "mirror", Place(settings.instance)
    assert not duties.due(EXPORT, place), "nobody asked for a mirror"
    app.extensions["soi"] = replace(settings, ledger_export=mirror)
    assert duties.due(EXPORT, place)
    assert Keeper(app, [EXPORT]).once()
    assert (mirror / "checkpoint").read_text().split("\n")[1] == "1"
    assert not duties.due(EXPORT, place)
    village.packs(20)
    assert duties.due(EXPORT, place)


@pytest.mark.slow_once
def test_what_fails_fails_alone_and_is_told(
    app: Flask, settings: Settings, said: Callable[..., None]
) -> None:
    settings.ledger_policy.write_text("witness\n")
    app.extensions["soi"] = replace(settings, ledger_export=settings.instance / "soi.db" / "nowhere")
    assert not Keeper(app).once()
    turns = Place(settings.instance).read_slate()
    assert turns[CHECK.name].failed == "" and checked() == 1
    assert turns[EXPORT.name].failed.startswith("Error: ") and turns[EXPORT.name].again > turns[EXPORT.name].ended
    assert "policy.txt" in turns[COSIGN.name].failed


@pytest.mark.slow_once
def test_a_check_that_takes_too_long_is_ended(
    app: Flask, settings: Settings, said: Callable[..., None]
) -> None:
    assert not Keeper(app, [replace(FOREVER, patience=2)]).once()
    assert "more than 2 s" in Place(settings.instance).read_slate()["check"].failed
    assert not [child for child in psutil.Process().children(recursive=True) if "keep" in child.cmdline()]


def test_a_slate_that_nobody_can_read_is_none(settings: Settings) -> None:
    place = Place(settings.instance)
    assert place.read_slate() == {} and not place.kept()
    place.make()
    for written in ("", "[]", "{", '{"check": 1}', '{"check": {"other": 1}}', "\udcff"):
        (place.folder / "slate.json").write_text(written, errors="surrogateescape")
        assert place.read_slate() == {}
    place.write_slate({"check": Turn(began="2026-11-20T01:00:00.000000+00:00")})
    assert place.read_slate()["check"].running


@pytest.mark.processes
def test_of_two_keepers_one_waits_until_the_other_is_killed(
    app: Flask, settings: Settings, keep: Callable[..., subprocess.Popen[bytes]]
) -> None:
    place = Place(settings.instance)
    first = keep()
    until(lambda: checked() == 1, "the first checks")
    second = keep()
    time.sleep(3)
    assert checked() == 1 and first.poll() is None and second.poll() is None
    with_once = keep("--once")
    assert with_once.wait(PATIENCE) == 1, "a timer's call does not wait"
    first.kill()
    first.wait()
    place.wish_check()
    until(lambda: checked() == 2, "the second takes over")
    assert place.kept()
    second.send_signal(signal.SIGTERM)
    assert second.wait(PROMPT) == 0
    assert not place.kept()


@pytest.mark.processes
@pytest.mark.slow_once
def test_killed_within_a_check_it_checks_again_when_it_is_started_again(
    app: Flask, settings: Settings, keep: Callable[..., subprocess.Popen[bytes]]
) -> None:
    first = keep()
    until(lambda: Place(settings.instance).read_slate().get("check", Turn()).running, "a check begins")
    running = psutil.Process(first.pid).children()
    first.kill()
    psutil.wait_procs(running, timeout=PATIENCE)
    assert checked() == 0
    second = keep()
    until(lambda: checked() == 1, "the check is done")
    second.terminate()
    assert second.wait(PROMPT) == 0


@pytest.mark.processes
@pytest.mark.slow_once
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_ends_at_once_with_all_that_it_started(
    settings: Settings, app: Flask, keep: Callable[..., subprocess.Popen[bytes]], number: signal.Signals
) -> None:
    code = (
        "import wsgi; from dataclasses import replace; from trace.keeper.loop import Keeper;"
        "from tests.trace.test_keeper import FOREVER; Keeper(wsgi.create_app(), [FOREVER]).run()"
    )
    keeper = subprocess.Popen([sys.executable, "-c", code], env=environment(settings, 1, KEEPER_NICE="19"), cwd=ROOT)
    try:
        until(lambda: len(psutil.Process(keeper.pid).children()) == 1, "the check begins")
        (running,) = psutil.Process(keeper.pid).children()
        assert running.nice() == 19
        began = time.monotonic()
        keeper.send_signal(number)
        assert keeper.wait(PATIENCE) == 0
        assert time.monotonic() - began < PROMPT
        assert not running.is_running()
    finally:
        keeper.kill()
        keeper.wait()


@pytest.mark.processes
@pytest.mark.slow_once
def test_it_lives_on_while_the_database_is_away_and_says_no_secret(
    settings: Settings, keep: Callable[..., subprocess.Popen[bytes]]
) -> None:
    keeper = keep(DATABASE_URL="postgresql://soi:hush-hush@127.0.0.1:9/none")
    assert keeper.stderr is not None
    lines = [json.loads(keeper.stderr.readline()) for _ in range(3)]
    assert {line["event"] for line in lines} == {"duty failed"}
    assert {line["duty"] for line in lines} <= {duty.name for duty in DUTIES}
    assert keeper.poll() is None
    keeper.terminate()
    assert keeper.wait(PROMPT) == 0
    assert "hush-hush" not in str(lines) + keeper.stderr.read().decode()


def _keepers(arbiter: psutil.Process) -> list[psutil.Process]:
    return [child for child in arbiter.children() if child.status() != "zombie" and "--beside" in child.cmdline()]


@pytest.mark.processes
@pytest.mark.slow_once
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_gunicorn_keeps_a_keeper_and_takes_it_along_when_it_goes(
    app: Flask, settings: Settings, end: signal.Signals
) -> None:
    served = start(settings, workers=1, env={"KEEPER": "on"})
    try:
        arbiter = psutil.Process(served.process.pid)
        until(lambda: checked() == 1, "it checks")
        figures = _metrics(served.connect())
        assert "\nsoi_ledger_selfcheck_holds 1.0\n" in figures and "\nsoi_ledger_size 1.0\n" in figures
        (first,) = _keepers(arbiter)
        first.kill()
        until(lambda: [one.pid for one in _keepers(arbiter)] not in ([], [first.pid]), "it is started again")
        (second,) = _keepers(arbiter)
        served.process.send_signal(end)
        served.process.wait(PATIENCE)
        until(lambda: not second.is_running() or second.status() == "zombie", "it is gone with its server")
    finally:
        served.stop()


@pytest.mark.processes
@pytest.mark.slow_once
def test_switched_off_no_keeper_runs_beside(app: Flask, settings: Settings) -> None:
    served = start(settings, workers=1, env={"KEEPER": "off"})
    try:
        time.sleep(1)
        assert _keepers(psutil.Process(served.process.pid)) == []
    finally:
        served.stop()


def _metrics(connection: HTTPConnection) -> str:
    connection.request("GET", "/metrics")
    told = connection.getresponse().read().decode()
    connection.close()
    return told
