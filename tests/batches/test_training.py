"""The training village: everything can be tried out in it, and nothing of it reaches the real one."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from batches.training import settling, ticket
from tests.conftest import browser
from tests.support.phone import Phone
from tests.support.serving import free_port, start
from tests.support.village import Village
from trace.ledger import store
from trace.ledger.keyring import enrol_message
from village.people.models import Role
from village.settings import TRAINING, Settings, SettingsError, from_env, training_environ
from wsgi import create_app

URL = "http://127.0.0.1:8999"


@pytest.fixture
def beside(settings: Settings) -> Settings:
    """A real village that has a training village beside it."""
    return replace(settings, training_port=8999, training_url=URL)


@pytest.fixture
def learning(beside: Settings, app: Flask) -> Iterator[FlaskClient]:
    """A browser in the training village."""
    app.extensions["soi"] = beside
    training = create_app(replace(from_env(training_environ(beside)), mode="test"))
    with training.app_context():
        upgrade()
        settling.settle()
    yield browser(training)


def enter(real: FlaskClient, learning: FlaskClient) -> str:
    """Press the button in the real village, follow it into the training one; where that leads."""
    way = real.post("/training").location
    assert way and way.startswith(f"{URL}/training/enter?ticket=")
    inside = learning.get(way.removeprefix(URL))
    assert inside.status_code == 303 and "soi_training_session" in inside.headers["Set-Cookie"]
    return str(inside.location)


def test_a_learner_finds_work_to_do_and_records_it_as_in_earnest(
    client: FlaskClient, village: Village, learning: FlaskClient
) -> None:
    village.sign_in(client, "producer")
    before = store.ensure_born().size
    assert enter(client, learning) == "/batches"
    page = learning.get("/batches").text
    assert "không có gì ở đây vào sổ thật" in page
    assert page.count("Mẻ ") >= 1 and "400" in page
    batches = {key for key in page.split('"') if key.startswith("/batches/") and key.count("-") == 4}
    assert len(batches) >= 4
    assert enter(client, learning) == "/batches", "she comes again"
    assert {k for k in learning.get("/batches").text.split('"') if k in batches} == batches, "to the same household"
    assert store.ensure_born().size == before, "and the real ledger has not moved"


def test_two_learners_do_not_meet(client: FlaskClient, village: Village, learning: FlaskClient) -> None:
    village.sign_in(client, "producer")
    enter(client, learning)
    mine = learning.get("/batches").text
    village.sign_in(client, "producer-b")
    other = browser(learning.application)
    enter(client, other)
    theirs = other.get("/batches").text
    codes = {word for word in mine.split('"') if word.startswith("/batches/0")}
    assert codes and not codes & {word for word in theirs.split('"')}


def test_nobody_s_name_goes_along(client: FlaskClient, village: Village, learning: FlaskClient) -> None:
    for username in ("producer", "office"):
        village.sign_in(client, username)
        enter(client, learning)
    folder = learning.application.extensions["soi"].instance
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for said in ("Người Làm A", "Hộ A", village.member("producer").id, "Văn Phòng"):
                assert said.encode() not in data, (path.name, said)


def test_a_ticket_is_good_for_a_minute_and_for_nobody_who_forged_it(
    client: FlaskClient, village: Village, learning: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = learning.application.extensions["soi"].instance
    good = ticket.issue(folder, "somebody", frozenset({Role.PRODUCER}))
    assert ticket.read(folder, good) == ticket.read(folder, good)
    assert ticket.read(folder, good[:-2] + ("AA" if good[-2:] != "AA" else "BB")) is None
    assert ticket.read(folder / "other", good) is None, "another village's"
    later = time.time() + ticket.LASTS + 1
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    refused = learning.get(f"/training/enter?ticket={good}")
    assert refused.status_code == 303 and refused.location.endswith("/training")
    assert "Set-Cookie" not in refused.headers


def test_the_real_village_has_no_door_for_tickets(client: FlaskClient, settings: Settings) -> None:
    good = ticket.issue(settings.instance / TRAINING, "somebody", frozenset({Role.OFFICE}))
    answer = client.get(f"/training/enter?ticket={good}")
    assert answer.status_code == 404 and "Set-Cookie" not in answer.headers


def test_without_a_training_village_there_is_no_way_in(client: FlaskClient, village: Village) -> None:
    assert client.post("/training").status_code == 401
    village.sign_in(client, "producer")
    assert client.get("/training").status_code == 404
    assert client.post("/training").status_code == 404


def test_a_phone_s_key_is_good_at_once_for_training_and_for_nothing_else(
    client: FlaskClient, village: Village, learning: FlaskClient
) -> None:
    village.sign_in(client, "producer")
    enter(client, learning)
    phone = Phone()
    log = learning.application.extensions["soi"].ledger_origin
    said = {"jwk": phone.jwk, "proof": phone.sign_bytes(enrol_message(log, phone.jwk)), "label": "máy tập"}
    asked = learning.post("/api/devices", json=said)
    assert asked.status_code == 201 and asked.json and asked.json["status"] == "enrolled"
    refused = client.post("/api/devices", json=said)
    assert refused.status_code == 422, "what it signed names the training village's log"


def test_the_training_village_knows_nothing_of_the_real_database_and_secrets(beside: Settings) -> None:
    secrets = {"DATABASE_URL": "postgresql://real", "SECRET_KEY": "x" * 40, "LEDGER_POLICY": "/real"}
    env = training_environ(beside, {**secrets, "PATH": "/bin", "LEDGER_EXPORT": "/mirror", "SOI_ENV": "production"})
    assert not {*secrets, "LEDGER_EXPORT"} & set(env) and "real" not in " ".join(env.values())
    inside = from_env(env)
    assert inside.training and inside.database_url == f"sqlite:///{beside.instance / TRAINING / 'soi.db'}"
    assert inside.ledger_origin != beside.ledger_origin and inside.secret_key != beside.secret_key


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PORT": "8000", "TRAINING_PORT": "8000"}, "the same as PORT"),
        ({"TRAINING_PORT": "8001", "TRAINING_URL": "ftp://x"}, "TRAINING_URL is"),
        ({"TRAINING_PORT": "8001", "SOI_ENV": "production", "PUBLIC_URL": "https://soi.test"}, "needs TRAINING_URL"),
        (
            {
                "TRAINING_PORT": "8001", "SOI_ENV": "production", "PUBLIC_URL": "https://soi.test",
                "TRAINING_URL": "https://soi.test:8443",
            },
            "a host name of its own",
        ),
    ],
)  # fmt: skip
def test_a_training_setting_that_makes_no_sense_is_named(env: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        from_env({"INSTANCE": str(tmp_path), "SECRET_KEY": "x" * 40, **env})


def test_renewing_removes_the_training_village_and_nothing_else(app: Flask, settings: Settings) -> None:
    run = app.test_cli_runner().invoke
    assert "no training village" in run(args=["training", "renew"]).output
    ticket.issue(settings.instance / TRAINING, "somebody", frozenset())
    assert "is gone" in run(args=["training", "renew"]).output
    assert not (settings.instance / TRAINING).exists() and settings.instance.exists()


@pytest.mark.slow_once
@pytest.mark.processes
def test_the_server_brings_its_training_village_along_and_takes_it_away(app: Flask, settings: Settings) -> None:
    port = free_port()
    served = start(settings, workers=1, env={"TRAINING_PORT": str(port)})
    try:
        assert _health(port, until=90) == 200
        digest = hashlib.sha256((settings.instance / TRAINING / "soi.db").read_bytes())
        assert digest.digest() and (settings.instance / TRAINING / "keys").is_dir()
    finally:
        os.kill(served.process.pid, 9)
        served.process.wait()
    # Its parent was killed, not asked: it notices by itself.
    assert _health(port, until=0, gone=60) is None
    served.kill()


def _health(port: int, *, until: float, gone: float = 0) -> int | None:
    """The answer of /healthz, waited for; or, with `gone`, None as soon as nobody answers any more."""
    deadline = time.monotonic() + max(until, gone)
    while time.monotonic() < deadline:
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
            if not gone:
                return status
            time.sleep(0.2)
            continue
        if gone:
            return None
        time.sleep(0.2)
    raise AssertionError("no end of it" if gone else "nobody answers")


def test_training_is_settled_only_inside(app: Flask) -> None:
    refused = app.test_cli_runner().invoke(args=["training", "settle"])
    assert refused.exit_code == 1 and "real village" in refused.output
    assert "TRAINING_PORT is not set" in app.test_cli_runner().invoke(args=["training", "serve"]).output
