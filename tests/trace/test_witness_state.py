"""What a witness never loses, and never does twice: several processes, `kill -9`, a lost state, a clock put back."""

import http.client
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.serving import free_port
from tests.support.soak import times
from tests.support.witnessing import ORIGIN, Log, begun
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.note import Verifier
from trace.witness import state as witness_state
from trace.witness.app import create_app
from trace.witness.core import Heard, Refusal, hear
from trace.witness.state import KEY, STATE, State, WitnessTrouble, create
from village.settings import ROOT

LOG = Log()
LIE = LOG.lie()
KILLS = 6


class Served:
    """`flask ledger witness serve` in processes of its own. It has no village: its instance folder is empty."""

    def __init__(self, folder: Path, instance: Path) -> None:
        self.port = free_port()
        command = ["-m", "flask", "--app", "wsgi", "ledger", "witness", "serve", "--folder", str(folder)]
        self.process = subprocess.Popen(
            [sys.executable, *command, "--port", str(self.port)], cwd=ROOT, start_new_session=True,
            env={**os.environ, "INSTANCE": str(instance), "LOG_LEVEL": "error"},
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError):
                if self.send("GET", "/healthz")[0] == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the witness does not answer")

    def send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def heard(body: bytes) -> Heard:
    found = hear(body, {ORIGIN: (LOG.signer.verifier,)})
    assert isinstance(found, Heard)
    return found


def _race(folder: str, body: bytes, count: int, out: str) -> None:
    state = State(Path(folder))
    answers = [state.consider(heard(body)) for _ in range(count)]
    Path(out).write_text("".join(answer for answer in answers if isinstance(answer, str)))


@pytest.mark.processes
def test_of_two_histories_told_to_two_processes_at_once_one_alone_is_cosigned(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for turn in range(times(3)):
        folder = tmp_path / f"w{turn}"
        key = Verifier.parse(begun(folder, LOG.vkey).vkey)
        racers = [
            context.Process(target=_race, args=(str(folder), log.body(0, 5), 20, str(tmp_path / f"{turn}-{name}")))
            for name, log in (("true", LOG), ("lie", LIE), ("true2", LOG), ("lie2", LIE))
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(60)
        assert [racer.exitcode for racer in racers] == [0] * 4
        given = {name: (tmp_path / f"{turn}-{name}").read_text() for name in ("true", "lie", "true2", "lie2")}
        cosigned = {"true": given["true"] + given["true2"], "lie": given["lie"] + given["lie2"]}
        (winner,) = [name for name, lines in cosigned.items() if lines]
        (head,) = State(folder).heads()
        log = LOG if winner == "true" else LIE
        signed = open_checkpoint(head.note, ORIGIN, [LOG.signer.verifier, key])
        assert signed.checkpoint == open_checkpoint(log.note(5), ORIGIN, [LOG.signer.verifier]).checkpoint
        (found,) = State(folder).evidence()
        assert found.kind == "fork"


@pytest.mark.processes
def test_a_witness_killed_in_the_midst_of_its_work_never_forgets_what_it_cosigned(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    begun(folder, LOG.vkey)
    chance = random.Random(7)
    answered = 0
    served = Served(folder, tmp_path / "no-village")
    done = threading.Event()

    def feed() -> None:
        nonlocal answered
        while not done.is_set():
            with suppress(OSError, http.client.HTTPException):
                old = answered
                while not done.is_set():
                    new = old + chance.randint(1, 4)
                    status, text = served.send("POST", "/add-checkpoint", LOG.body(old, new))
                    if status == 200:
                        answered = old = new
                    elif status == 409:
                        # What was stored but not answered may be ahead of us; what was answered is never behind.
                        assert int(text) >= answered, "the witness forgot what it had cosigned"
                        old = int(text)
            time.sleep(0.01)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        for _ in range(times(KILLS)):
            before = answered
            deadline = time.monotonic() + 30
            while answered < before + 10:
                assert thread.is_alive() and time.monotonic() < deadline, "nothing was cosigned"
                time.sleep(0.005)
            time.sleep(chance.random() * 0.03)
            served.kill()
            (head,) = State(folder).heads()
            assert head.size >= answered
            served = Served(folder, tmp_path / "no-village")
        assert served.send("POST", "/add-checkpoint", LIE.body(answered, answered + 5))[0] in (409, 422)
    finally:
        done.set()
        thread.join()
        served.kill()
    assert not (tmp_path / "no-village" / "soi.db").exists(), "a witness needs no village"


def test_without_its_state_a_witness_does_not_begin_again(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    with pytest.raises(WitnessTrouble, match="init"):
        State(folder)
    begun(folder, LOG.vkey)
    (folder / STATE).unlink()
    with pytest.raises(WitnessTrouble, match="must not begin again"):
        State(folder)
    with pytest.raises(WitnessTrouble, match="state is lost"):
        create(folder, "witness.test/w1")
    assert not (folder / STATE).exists()


def test_a_witness_keeps_its_key_to_itself(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    vkey = begun(folder).vkey
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600
    assert create(folder, None).vkey == vkey, "begun once, it stays the same"
    with pytest.raises(WitnessTrouble, match="new name"):
        create(folder, "other.test/w1")
    (folder / KEY).chmod(0o640)
    with pytest.raises(WitnessTrouble, match="chmod 600"):
        State(folder)
    other = begun(tmp_path / "v")
    (folder / KEY).chmod(0o600)
    (folder / KEY).write_bytes((tmp_path / "v" / KEY).read_bytes())
    with pytest.raises(WitnessTrouble, match="is not the key"):
        State(folder)
    assert other.vkey != vkey


def test_with_a_clock_that_went_back_nothing_is_cosigned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = begun(tmp_path / "w", LOG.vkey)
    ahead = time.time() + 86400
    with monkeypatch.context() as patch:
        patch.setattr("trace.witness.state.time.time", lambda: ahead)
        assert isinstance(state.consider(heard(LOG.body(0, 3))), str)
    refused = state.consider(heard(LOG.body(3, 4)))
    assert isinstance(refused, Refusal)
    assert refused.status == 503
    assert [head.size for head in state.heads()] == [3]
    state.forget_time()
    assert isinstance(state.consider(heard(LOG.body(3, 4))), str)


def test_a_disk_that_refuses_gives_no_cosignature(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    begun(folder, LOG.vkey)
    client = create_app(folder).test_client()
    assert client.post("/add-checkpoint", data=LOG.body(0, 3)).status_code == 200
    connection = witness_state._connect(folder / STATE, "rw")
    connection.execute("CREATE TRIGGER full BEFORE UPDATE ON head BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    connection.close()
    answer = client.post("/add-checkpoint", data=LOG.body(3, 4))
    assert answer.status_code == 503
    assert "—" not in answer.text
    assert [head.size for head in State(folder).heads()] == [3]
