"""The disk fills up, turns read only or is damaged, the clock goes back, a backup is put in place of the database.

Each ends in a clear refusal, for programs and for people; nothing is half-written, no history forks, and once the
fault is gone the village goes on.
"""

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from tests.batches.test_events_api import counts, harvest
from tests.support.serving import Served, serving, start
from tests.support.village import Village
from trace.ledger import store
from trace.ledger.verify import verify
from village import clock
from village.db import db
from village.settings import Settings
from village.storage import trouble_with_storage


class Phone:
    """A producer who records harvests over the API, and looks at a page."""

    def __init__(self, client: FlaskClient, village: Village) -> None:
        self.client, self.village = client, village
        self.headers = {"Authorization": f"Bearer {village.token('producer')}"}
        village.sign_in(client, "producer")

    def records(self, body: dict[str, Any] | None = None) -> Any:
        """Send a harvest."""
        return self.client.post("/api/events", json=body or harvest(self.village), headers=self.headers)

    def refused(self, slug: str, **members: Any) -> None:
        """The API says 503 with this slug, and nothing was written."""
        body, before, signed = harvest(self.village), counts(), store.ensure_born().checkpoint
        answer = self.records(body)
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json"), answer.text
        problem = answer.get_json()
        assert problem["type"].endswith(f"/problems/{slug}") and problem["detail"]
        assert {name: problem[name] for name in members} == members
        db.session.rollback()
        assert (counts(), store.ensure_born().checkpoint) == (before, signed)
        self.unsent = body

    def page_refused(self, words: str) -> None:
        """A form on a page ends in a page that says why."""
        answer = self.client.post("/me/tokens", data={"label": "Máy cân"})
        assert answer.status_code == 503 and answer.mimetype == "text/html"
        assert words in answer.text and "Traceback" not in answer.text

    def goes_on(self) -> None:
        """What was refused is taken now, and the ledger holds."""
        answer = self.records(self.unsent)
        assert answer.status_code == 201, answer.text
        db.session.remove()
        assert verify().holds


@pytest.fixture
def phone(client: FlaskClient, village: Village) -> Phone:
    found = Phone(client, village)
    assert found.records().status_code == 201
    db.session.remove()
    return found


def only_sqlite(settings: Settings) -> Path:
    if not settings.database_url.startswith("sqlite"):
        pytest.skip("a matter of SQLite's file")
    return settings.instance / "soi.db"


@contextmanager
def each_connection(statement: str) -> Iterator[None]:
    """Have every connection begin with this statement."""

    def say(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(statement)

    db.session.remove()
    db.engine.dispose()
    event.listen(db.engine, "connect", say)
    try:
        yield
    finally:
        event.remove(db.engine, "connect", say)
        db.session.remove()
        db.engine.dispose()


def test_a_full_database_refuses_and_goes_on_when_there_is_room_again(
    app: Flask, settings: Settings, phone: Phone
) -> None:
    only_sqlite(settings)
    with db.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    # The pages that there are take some more rows; then it is full.
    with each_connection(f"PRAGMA max_page_count = {pages}"):
        answers: list[Any] = []
        while not answers or answers[-1].status_code == 201:
            answers.append(phone.records())
            assert len(answers) < 100
        phone.refused("storage", why="full")
    phone.goes_on()


def test_a_database_that_is_read_only_refuses_and_can_still_be_read(
    app: Flask, settings: Settings, phone: Phone
) -> None:
    only_sqlite(settings)
    with each_connection("PRAGMA query_only = ON"):
        phone.refused("storage", why="read-only")
        phone.page_refused("chỉ đọc được")
        assert phone.client.get("/ledger/checkpoint").status_code == 200
    phone.goes_on()


def test_a_postgresql_that_is_read_only_refuses_and_can_still_be_read(
    app: Flask, settings: Settings, phone: Phone
) -> None:
    if settings.database_url.startswith("sqlite"):
        pytest.skip("a matter of PostgreSQL's")
    name = db.engine.url.database

    def say(what: str) -> None:
        db.session.remove()
        db.engine.dispose()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" {what}'))
        db.engine.dispose()

    say("SET default_transaction_read_only = on")
    phone.refused("storage", why="read-only")
    phone.page_refused("chỉ đọc được")
    assert phone.client.get("/ledger/checkpoint").status_code == 200
    db.session.remove()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
    db.engine.dispose()
    phone.goes_on()


def test_a_database_that_is_no_database_any_more_is_said_to_be_damaged(
    app: Flask, settings: Settings, phone: Phone
) -> None:
    file = only_sqlite(settings)
    body = harvest(phone.village)
    db.session.remove()
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    db.engine.dispose()
    whole = file.read_bytes()
    file.write_bytes(os.urandom(len(whole)))
    answer = phone.records(body)
    assert answer.status_code == 503 and answer.get_json()["why"] == "damaged"
    phone.page_refused("hỏng")
    db.session.remove()
    db.engine.dispose()
    file.write_bytes(whole)
    phone.unsent = body
    phone.goes_on()


def test_a_clock_set_back_a_day_is_refused_and_one_of_some_seconds_is_endured(app: Flask, phone: Phone) -> None:
    now = clock.now()
    with clock.fixed(now - dt.timedelta(days=1)):
        phone.refused("clock-behind")
    with clock.fixed(now - dt.timedelta(seconds=30)):
        phone.goes_on()
    phone.unsent = harvest(phone.village)
    phone.goes_on()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (psycopg.errors.DiskFull(), "full"),
        (psycopg.errors.ReadOnlySqlTransaction(), "read-only"),
        (psycopg.errors.DataCorrupted(), "damaged"),
        (psycopg.errors.CannotConnectNow(), "unreachable"),
        (psycopg.errors.DeadlockDetected(), None),
        (OSError(28, "No space left on device"), "full"),
        (OSError(30, "Read-only file system"), "read-only"),
        (OSError(2, "No such file"), None),
        (sqlite3.OperationalError("database is locked"), None),
    ],
)
def test_what_the_databases_and_the_system_say_is_told_apart(error: Exception, why: str | None) -> None:
    found = trouble_with_storage(OperationalError("COMMIT", {}, error))
    assert (found and found.details["why"]) == why


# ---- On real disks, with real servers ---------------------------------------------------------------------------


def mounted(*arguments: str) -> bool:
    """Whether this machine lets us mount something."""
    mount = shutil.which("mount")
    return mount is not None and subprocess.run([mount, *arguments], capture_output=True).returncode == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own of a few megabytes at `folder`, or a skip."""
    folder.mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)):
        pytest.skip("this machine does not let us mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def moved_to(settings: Settings, folder: Path) -> Settings:
    """The village's copy in another folder."""
    db.session.remove()
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    db.engine.dispose()
    shutil.copytree(settings.instance, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    return replace(settings, instance=folder, database_url=f"sqlite:///{folder / 'soi.db'}")


def sent(served: Served, phone: Phone, body: dict[str, Any]) -> requests.Response:
    return requests.post(f"{served.url}/api/events", json=body, headers=phone.headers, timeout=30)


@pytest.mark.processes
def test_a_disk_that_is_full_refuses_and_goes_on_when_there_is_room_again(
    settings: Settings, phone: Phone, tmp_path: Path
) -> None:
    only_sqlite(settings)
    with small_disk(tmp_path / "disk"):
        there = moved_to(settings, tmp_path / "disk")
        with serving(there, workers=1) as served:
            assert sent(served, phone, harvest(phone.village)).status_code == 201
            filler = there.instance / "filler"
            filling = os.open(filler, os.O_WRONLY | os.O_CREAT)
            with suppress(OSError):
                while os.write(filling, bytes(4096)):
                    pass
            os.close(filling)
            answers = [sent(served, phone, harvest(phone.village))]
            while answers[-1].status_code == 201:
                answers.append(sent(served, phone, harvest(phone.village)))
                assert len(answers) < 200
            assert answers[-1].status_code == 503 and answers[-1].json()["why"] == "full", answers[-1].text
            before = requests.get(f"{served.url}/ledger/checkpoint", timeout=30).text
            assert sent(served, phone, harvest(phone.village)).status_code == 503
            assert requests.get(f"{served.url}/ledger/checkpoint", timeout=30).text == before
            filler.unlink()
            assert sent(served, phone, harvest(phone.village)).status_code == 201
        assert holds(there)


@pytest.mark.processes
def test_a_file_that_must_not_grow_refuses_and_goes_on_when_it_may(settings: Settings, phone: Phone) -> None:
    """As with a quota: the system refuses each write past a size, in the midst of it."""
    only_sqlite(settings)
    db.session.remove()
    db.engine.dispose()
    with serving(settings, workers=1) as served:
        assert sent(served, phone, harvest(phone.village)).status_code == 201
        workers = psutil.Process(served.process.pid).children()
        before = requests.get(f"{served.url}/ledger/checkpoint", timeout=30).text
        file = settings.instance / "soi.db"
        for worker in workers:
            worker.rlimit(psutil.RLIMIT_FSIZE, (file.with_name("soi.db-wal").stat().st_size + 1000, -1))
        refused = [sent(served, phone, harvest(phone.village)) for _ in range(3)]
        assert [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in refused] == [
            (503, "storage")
        ] * 3, [answer.text for answer in refused]
        assert requests.get(f"{served.url}/ledger/checkpoint", timeout=30).text == before
        for worker in workers:
            worker.rlimit(psutil.RLIMIT_FSIZE, (-1, -1))
        assert sent(served, phone, harvest(phone.village)).status_code == 201
    assert holds(settings)


@pytest.mark.processes
def test_a_disk_that_is_read_only_refuses_and_goes_on_when_it_can_be_written(
    settings: Settings, phone: Phone, tmp_path: Path
) -> None:
    only_sqlite(settings)
    with small_disk(tmp_path / "disk"):
        # The database alone: a server needs some folder that it can write to.
        disk = moved_to(settings, tmp_path / "disk").instance
        there = replace(settings, database_url=f"sqlite:///{disk / 'soi.db'}")
        assert mounted("-o", "remount,ro", str(disk))
        with serving(there, workers=1) as served:
            answer = sent(served, phone, harvest(phone.village))
            assert answer.status_code == 503 and answer.json()["type"].endswith("/problems/storage"), answer.text
            page = requests.get(f"{served.url}/", timeout=30)
            assert page.status_code in (200, 503) and "text/html" in page.headers["Content-Type"]
            assert holds(there), "it can be checked there"
            assert mounted("-o", "remount,rw", str(disk))
            assert sent(served, phone, harvest(phone.village)).status_code == 201
        assert holds(there)


@pytest.mark.processes
@pytest.mark.parametrize("running", [True, False])
def test_a_backup_put_in_place_of_the_database_is_never_signed_on_from(
    settings: Settings, phone: Phone, running: bool
) -> None:
    file = only_sqlite(settings)
    db.session.remove()
    db.engine.dispose()
    older = settings.instance / "older.db"
    with sqlite3.connect(file) as source, sqlite3.connect(older) as target:
        source.backup(target)
    source.close()
    target.close()
    served = start(settings, workers=1)
    try:
        for _ in range(3):
            assert sent(served, phone, harvest(phone.village)).status_code == 201
        signed = requests.get(f"{served.url}/ledger/checkpoint", timeout=30).text
        newest = settings.instance / "newest.db"
        with sqlite3.connect(file) as source, sqlite3.connect(newest) as target:
            source.backup(target)
        source.close()
        target.close()
        if not running:
            served.kill()
        put(older, file)
        if not running:
            served = start(settings, workers=1)
        answers = [sent(served, phone, harvest(phone.village)) for _ in range(3)]
        assert [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in answers] == [
            (503, "log-behind")
        ] * 3, [answer.text for answer in answers]
        put(newest, file)
        assert requests.get(f"{served.url}/ledger/checkpoint", timeout=30).text == signed
        assert goes_on_within(served, phone, 10)
    finally:
        served.stop()
    assert holds(settings)


def put(copy: Path, file: Path) -> None:
    """Put a copy in the file's place, as one does: without what the write-ahead log still held."""
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.copy(copy, copy.with_suffix(".copy"))
    os.replace(copy.with_suffix(".copy"), file)


def goes_on_within(served: Served, phone: Phone, seconds: float) -> bool:
    """Whether the village records again; a refusal may stand for a moment."""
    deadline = dt.datetime.now() + dt.timedelta(seconds=seconds)
    body = harvest(phone.village)
    while dt.datetime.now() < deadline:
        if sent(served, phone, body).status_code == 201:
            return True
    return False


def holds(settings: Settings) -> bool:
    """What `flask ledger verify` would say, without this process's app."""
    from trace.ledger.audit.raw import Source
    from trace.ledger.audit.run import run

    raw = Source("sqlite", settings.database_url.removeprefix("sqlite:///")).open()
    try:
        return run(raw).holds
    finally:
        raw.close()
