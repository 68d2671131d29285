"""A witness that nobody here wrote cosigns our log over HTTP, and refuses our fork."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.oracles.hands import FOLDER
from tests.support.serving import free_port
from tests.support.village import Village
from trace.ledger import keys, store, witnesses
from trace.ledger.checkpoint import Checkpoint, open_checkpoint
from trace.ledger.merkle import consistency_path, leaf_hash, root_of
from trace.ledger.models import Evidence, LedgerState
from trace.ledger.note import sign_note
from trace.ledger.policy import Policy, satisfied
from trace.witness.core import Request
from village.db import db, write
from village.errors import SoiError
from village.settings import Settings

pytestmark = pytest.mark.slow_once

NAME = "aics.test/w1"


@dataclass(frozen=True)
class Aics:
    """aics-witness in a folder of its own."""

    folder: Path
    port: int

    def run(self, *words: str) -> str:
        """One of its commands; what it printed."""
        done = subprocess.run([*self.command(*words)], env=self.env(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def command(self, *words: str) -> list[str]:
        """The command line of one of its commands."""
        config = str(self.folder / "witness.json")
        return [sys.executable, "-m", "aics_witness", words[0], "--config", config, *words[1:]]

    def env(self) -> dict[str, str]:
        """Its own folder and nothing of ours on the way of Python's imports."""
        return {**os.environ, "PYTHONPATH": str(FOLDER / "aics")}

    def evidence(self) -> list[dict[str, object]]:
        """What it kept against logs."""
        found: list[dict[str, object]] = json.loads(self.run("evidence"))
        return found


@pytest.fixture
def aics(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Aics]:
    """It witnesses our log, and our policy asks for it."""
    if not (FOLDER / "aics" / "aics_witness").is_dir():
        pytest.skip("aics-witness is not in .make/oracles; `make test` fetches it")
    aics = Aics(tmp_path, free_port())
    probe = subprocess.run(
        [sys.executable, "-c", "import aics_witness.cli"], env=aics.env(), capture_output=True, text=True
    )
    if probe.returncode:
        pytest.skip(f"aics-witness does not run on this Python: {probe.stderr.strip().splitlines()[-1]}")
    vkey = aics.run("init", "--name", NAME, "--listen", f"127.0.0.1:{aics.port}")
    state = store.ensure_born()
    aics.run("add-log", "--origin", state.origin, "--vkey", state.vkey)
    served = subprocess.Popen(aics.command("serve"), env=aics.env(), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not _healthy(aics.port):
            assert time.monotonic() < deadline and served.poll() is None, "aics-witness does not answer"
            time.sleep(0.05)
        settings.ledger_policy.write_text(f"witness W {vkey} http://127.0.0.1:{aics.port}\nquorum W\n")
        yield aics
    finally:
        served.terminate()
        served.wait(10)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def _append(word: str) -> None:
    with write(ledger=True) as session:
        store.append(session, [store.Draft("event", {"soi:word": word}, ("urn:x:1",))])


def _size() -> int:
    db.session.rollback()
    return db.session.scalars(select(LedgerState.size)).one()


def test_it_cosigns_us_as_we_grow(aics: Aics, client: FlaskClient, village: Village) -> None:
    for grown in range(3):
        village.packs(10 + grown)
        assert witnesses.collect() == {"W": ""}
        policy = Policy.parse(client.get("/ledger/policy").data)
        signed = open_checkpoint(client.get("/ledger/checkpoint").text, policy.logs[0].key.name, policy.verifiers)
        assert signed.checkpoint.size == _size()
        assert satisfied(policy, signed.witnesses)
    _append("one more")
    assert witnesses.collect() == {"W": ""}
    assert aics.evidence() == []


def test_it_refuses_our_fork_and_keeps_it_and_our_log_halts(aics: Aics, village: Village) -> None:
    village.packs(10)
    state = store.ensure_born()
    (signer,) = keys.load(state.origin, (state.vkey,), state.custodian_vkey).ledger
    size = state.size
    # It has seen our first entry. Somebody with our key goes on from there with another history.
    leaves = [store.entry(0).leaf_hash, *(leaf_hash(f"a lie {n}".encode()) for n in range(1, size))]
    lie = sign_note(Checkpoint(state.origin, size, root_of(leaves)).format(), signer).format()
    proof = consistency_path(1, size, lambda level, at: root_of(leaves[at << level : (at + 1) << level]))
    connection = http.client.HTTPConnection("127.0.0.1", aics.port, timeout=10)
    connection.request("POST", "/add-checkpoint", Request(1, proof, lie).format().encode())
    assert connection.getresponse().read().startswith("— ".encode())
    connection.close()

    assert witnesses.collect() == {"W": "fork"}, "the same size under another root"
    (kept,) = db.session.scalars(select(Evidence))
    assert kept.kind == "fork"
    assert "chữ ký của chính sổ này" in kept.about, "and its own note proves it"
    with pytest.raises(SoiError, match="đang dừng ký"):
        _append("nothing more is signed")
    assert aics.evidence() != []

    store.resume("a test lied")
    _append("two entries longer")
    _append("two entries longer")
    assert witnesses.collect() == {"W": "fork"}, "a longer log that does not continue the lie"
