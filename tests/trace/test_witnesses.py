"""The log and its witnesses: cosignatures that verify, and a second history that is never signed."""

import base64
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import delete, select, update

from tests.conftest import browser
from tests.support.serving import free_port
from tests.support.witnessing import answering, begun
from trace.ledger import asking, gate, mark, store, witnesses
from trace.ledger.checkpoint import Checkpoint, open_checkpoint
from trace.ledger.merkle import leaf_hash
from trace.ledger.models import Cosignature, Evidence, KeptCheckpoint, LedgerState, WitnessSeen
from trace.ledger.note import COSIGNATURE, Signer, Verifier, parse_note, sign_note
from trace.ledger.policy import Policy, satisfied
from trace.witness.core import Request
from trace.witness.state import State
from village.db import db, write
from village.errors import SoiError
from village.settings import Settings
from wsgi import create_app

NAME = "witness.test/w1"


def append(count: int = 1, word: str = "a") -> int:
    """Append entries; the log's size."""
    for _ in range(count):
        with write(ledger=True) as session:
            store.append(session, [store.Draft("event", {"soi:word": word}, ("urn:x:1",))])
    return size()


def size() -> int:
    db.session.rollback()
    return db.session.scalars(select(LedgerState.size)).one()


def vkey() -> str:
    return store.ensure_born().vkey


def write_policy(settings: Settings, *lines: str) -> None:
    settings.ledger_policy.write_text("".join(f"{line}\n" for line in lines))


@contextmanager
def process(settings: Settings) -> Iterator[Flask]:
    """The app as a process that was started just now has it."""
    app = create_app(settings)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def witness(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """The folder of a witness that answers, and that the policy asks for."""
    folder = tmp_path / "witness"
    state = begun(folder, vkey(), name=NAME)
    with answering(folder) as url:
        write_policy(settings, f"witness W {state.vkey} {url}", "quorum W")
        yield folder


def head(folder: Path) -> Checkpoint:
    (found,) = State(folder).heads()
    return Checkpoint.parse(parse_note(found.note).text)


def test_checkpoints_are_cosigned_and_the_policy_is_met_by_what_we_serve(
    app: Flask, client: FlaskClient, witness: Path
) -> None:
    for _ in range(3):
        append(4)
        assert witnesses.collect() == {"W": ""}
        policy = Policy.parse(client.get("/ledger/policy").data)
        signed = open_checkpoint(client.get("/ledger/checkpoint").text, policy.logs[0].key.name, policy.verifiers)
        assert signed.checkpoint.size == size() == head(witness).size
        assert satisfied(policy, signed.witnesses)
    assert witnesses.collect() == {}, "what is cosigned is not sent again"
    (standing,) = witnesses.standings(db.session())
    assert (standing.size, standing.trouble) == (size(), "")
    assert witnesses.enough(frozenset({Verifier.parse(standing.vkey).key_id.hex()}))
    assert not witnesses.enough(frozenset({"00000000"}))
    assert db.session.scalars(select(Evidence)).all() == []


def test_without_a_policy_nobody_is_asked_and_the_policy_says_so(app: Flask, client: FlaskClient) -> None:
    append()
    assert witnesses.collect() == {}
    assert client.get("/ledger/policy").text == f"log {vkey()}\nquorum none\n"
    assert db.session.scalars(select(KeptCheckpoint)).all() == []


def test_a_policy_that_cannot_be_read_is_said_with_its_line_and_nothing_is_signed(
    app: Flask, settings: Settings, client: FlaskClient
) -> None:
    write_policy(settings, "quorum none", "quorum none")
    answer = client.get("/ledger/policy", headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert "line 2" in answer.text
    with pytest.raises(SoiError, match="line 2"):
        append()
    assert size() == 1
    assert client.get("/ledger/entries/0/receipt").status_code == 200


def test_with_the_witness_down_the_log_goes_on_and_it_shows(app: Flask, settings: Settings, tmp_path: Path) -> None:
    state = begun(tmp_path / "witness", vkey(), name=NAME)
    port = free_port()
    write_policy(settings, f"witness W {state.vkey} http://127.0.0.1:{port}", "quorum W")
    append(3)
    assert witnesses.collect() == {"W": "unreachable"}
    (standing,) = witnesses.standings(db.session())
    assert (standing.size, standing.answered_at, standing.trouble) == (None, None, "unreachable")
    assert witnesses.said(standing.trouble) == "không liên lạc được"
    append(3)
    with answering(tmp_path / "witness", port):
        assert witnesses.collect() == {"W": ""}
    append()
    assert witnesses.collect() == {"W": "unreachable"}
    (standing,) = witnesses.standings(db.session())
    assert standing.size == size() - 1, "what it held is not forgotten"


def test_what_a_witness_held_is_found_out_by_asking(app: Flask, witness: Path) -> None:
    append(5)
    witnesses.collect()
    with write() as session:
        session.execute(delete(WitnessSeen))
    append(3)
    assert witnesses.collect() == {"W": ""}
    with write() as session:
        session.execute(update(WitnessSeen).values(size=2))
    append(3)
    assert witnesses.collect() == {"W": ""}


def test_a_witness_that_does_not_know_us_is_said_to(app: Flask, settings: Settings, tmp_path: Path) -> None:
    stranger = begun(tmp_path / "stranger", name="stranger.test/w")
    other = begun(tmp_path / "other", Signer.from_seed(store.ensure_born().origin, b"\x07" * 32).verifier.vkey)
    with answering(tmp_path / "stranger") as one, answering(tmp_path / "other") as two:
        write_policy(
            settings, f"witness S {stranger.vkey} {one}", f"witness O {other.vkey} {two}", "group G any S O", "quorum G"
        )
        append()
        assert witnesses.collect() == {"S": "unknown-log", "O": "unknown-key"}
        append()


@contextmanager
def back_to_before(app: Flask, settings: Settings) -> Iterator[None]:
    """Everything that the block wrote into the database is undone, as by a backup that was put back."""
    if not settings.database_url.startswith("sqlite"):
        pytest.skip("a copy of the database's file is put back")
    file = settings.instance / "soi.db"
    copy = settings.instance / "backup.db"
    with sqlite3.connect(file) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    target.close()
    source.close()
    yield
    db.session.remove()
    db.engine.dispose()
    for suffix in ("-wal", "-shm"):
        file.with_name(f"soi.db{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, file)


def test_a_restored_backup_never_signs_a_second_history(app: Flask, settings: Settings, witness: Path) -> None:
    append(3)
    witnesses.collect()
    with back_to_before(app, settings):
        append(4)
        witnesses.collect()
        signed = {size(): store.ensure_born().checkpoint}
    (settings.instance / mark.NAME).unlink()
    with process(settings):
        before = size()
        for _ in range(2):
            with pytest.raises(SoiError, match="đã thấy 8 dòng") as refused:
                append(word="another history")
        assert refused.value.status == 503
        assert size() == before
        (kept,) = db.session.scalars(select(Evidence))
        assert kept.kind == "behind-witness"
        assert "chữ ký của chính sổ này" in kept.about
        theirs = open_checkpoint(kept.theirs, store.ensure_born().origin, [Verifier.parse(vkey())])
        assert theirs.checkpoint.size == 8
        assert signed[8].startswith(theirs.checkpoint.format()), "the very checkpoint that was signed before"
        assert "dừng ký" in browser(create_app(settings)).get("/ledger/evidence").text
    with process(settings) as again:
        client = browser(again)
        assert client.get("/ledger/checkpoint").status_code == 200, "what is there can still be read"
        assert "\tvillage.test/ledger\n" in client.get("/ledger/evidence.txt").text


def test_a_restored_backup_is_found_by_the_mark_without_any_witness(app: Flask, settings: Settings) -> None:
    append(3)
    with back_to_before(app, settings):
        append(4)
        gate.remember(size())
    with process(settings):
        assert gate.floor() == 8
        with pytest.raises(SoiError, match="dấu ghi ngoài sổ là 8 dòng"):
            append()
        assert size() == 4


def test_a_log_born_anew_beside_its_old_key_is_refused(app: Flask, settings: Settings, witness: Path) -> None:
    append(3)
    witnesses.collect()
    empty = replace(settings, database_url=f"sqlite:///{settings.instance / 'other.db'}")
    (settings.instance / mark.NAME).unlink()
    with process(empty):
        upgrade()
        with pytest.raises(SoiError, match="đã thấy 4 dòng"):
            store.ensure_born()
    gate.remember(4)
    (settings.instance / "policy.txt").unlink()
    with process(empty), pytest.raises(SoiError, match="dấu ghi ngoài sổ là 4 dòng"):
        store.ensure_born()


def test_a_process_starts_signing_only_when_a_witness_that_knows_the_log_was_asked(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    state = begun(tmp_path / "witness", vkey(), name=NAME)
    port = free_port()
    write_policy(settings, f"witness W {state.vkey} http://127.0.0.1:{port}", "quorum W")
    append()
    with answering(tmp_path / "witness", port):
        witnesses.collect()
        with process(settings):
            append()
    with process(settings):
        before = size()
        with pytest.raises(SoiError, match="Chưa hỏi được người làm chứng nào"):
            append()
        assert size() == before
    with process(replace(settings, ledger_start_alone=True)):
        append()


def test_after_the_first_time_nobody_is_asked_again(app: Flask, settings: Settings, witness: Path) -> None:
    with process(settings):
        append()
        write_policy(settings, "this is no policy")
        append()


def test_a_fork_is_kept_and_halts_the_log(app: Flask, settings: Settings, witness: Path) -> None:
    append(3)
    witnesses.collect()
    key = Signer.from_seed(store.ensure_born().origin, _seed(settings))
    root = leaf_hash(b"a second history")
    lie = sign_note(Checkpoint(key.name, 6, root).format(), key).format()
    folder = witness
    # As if the operator had shown the witness another history of six entries.
    with sqlite3.connect(folder / "witness.db") as state:
        state.execute("UPDATE head SET size = 6, root = ?, note = ?", (root, lie))
    append(4)
    assert size() == 8
    assert witnesses.collect() == {"W": "fork"}
    (kept,) = db.session.scalars(select(Evidence))
    assert kept.kind == "fork"
    assert kept.theirs == lie
    assert Checkpoint.parse(parse_note(kept.ours).text).size == 8
    with pytest.raises(SoiError, match="đang dừng ký"):
        append()
    assert size() == 8
    assert witnesses.collect() == {"W": "fork"}
    assert len(db.session.scalars(select(Evidence)).all()) == 1, "kept once"
    assert store.resume("a test lied")
    append()


def test_another_root_of_the_very_size_is_a_fork_as_well(app: Flask, settings: Settings, witness: Path) -> None:
    append(3)
    witnesses.collect()
    append()
    with sqlite3.connect(witness / "witness.db") as state:
        state.execute("UPDATE head SET size = 5, root = ?", (leaf_hash(b"another"),))
    assert witnesses.collect() == {"W": "fork"}


def _seed(settings: Settings) -> bytes:
    return base64.b64decode((settings.instance / "keys" / "ledger.key").read_text())


class Impostor:
    """A server that answers whatever it is told to, once for each connection."""

    def __init__(self, answer: bytes, slowly: float = 0) -> None:
        self._answer, self._slowly = answer, slowly
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            self.asked += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(1 << 20)
            try:
                if self._slowly:
                    for at in range(len(self._answer)):
                        connection.sendall(self._answer[at : at + 1])
                        time.sleep(self._slowly)
                else:
                    connection.sendall(self._answer)
            except OSError:
                pass


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


SIZE = "Content-Type: text/x.tlog.size"
KEY = Signer.from_seed("impostor.test/w", b"\x05" * 32, COSIGNATURE)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"", "unreachable"),
        (b"nonsense\r\n\r\n", "unreachable"),
        (http("200 OK", b""), "odd"),
        (http("200 OK", b"\xff\xfe"), "odd"),
        (http("200 OK", KEY.sign("another text\n", 5).format().encode()), "bad-cosignature"),
        (http("200 OK", Signer.from_seed("impostor.test/w", b"\x06" * 32, 4).sign("x\n", 5).format().encode()), "odd"),
        (http("200 OK", b"A" * 200_000), "unreachable"),
        (http("302 Found", b"", "Location: http://127.0.0.1:9/"), "odd"),
        (http("500 Oops", b""), "odd"),
        (http("403 Forbidden", b""), "unknown-key"),
        (http("404 Not Found", b""), "unknown-log"),
        (http("409 Conflict", b"-5\n", SIZE), "odd"),
        (http("409 Conflict", b"5 \n", SIZE), "odd"),
        (http("409 Conflict", b"9" * 5000, SIZE), "odd"),
        (http("409 Conflict", b"0\n", SIZE), "odd"),
    ],
)
def test_no_answer_of_a_witness_does_any_harm(app: Flask, settings: Settings, answer: bytes, trouble: str) -> None:
    append()
    impostor = Impostor(answer)
    write_policy(settings, f"witness I {KEY.verifier.vkey} {impostor.url}", "quorum I")
    assert witnesses.collect() == {"I": trouble}
    assert impostor.asked <= witnesses.ROUNDS
    assert db.session.scalars(select(Cosignature)).all() == []
    assert db.session.scalars(select(LedgerState.halted)).one() is None
    kinds = ["bad-cosignature"] if trouble == "bad-cosignature" else []
    assert [one.kind for one in db.session.scalars(select(Evidence))] == kinds
    append()


@pytest.mark.parametrize("answer", [http("422 No", b""), http("409 No", b""), http("409 No", b"77\n", SIZE)])
def test_a_witness_s_word_against_ours_halts_the_log(app: Flask, settings: Settings, answer: bytes) -> None:
    append()
    write_policy(settings, f"witness I {KEY.verifier.vkey} {Impostor(answer).url}", "quorum I")
    assert set(witnesses.collect().values()) <= {"fork", "ahead"}
    assert db.session.scalars(select(Evidence.theirs)).one() == ""
    with pytest.raises(SoiError, match="đang dừng ký"):
        append()


@pytest.mark.parametrize("time", [0, asking.LATEST_MOMENT + 1])
def test_a_time_that_no_calendar_has_is_no_cosignature(app: Flask, settings: Settings, time: int) -> None:
    append()
    text = parse_note(store.ensure_born().checkpoint).text
    line = KEY.sign(text, time).format().encode()
    write_policy(settings, f"witness I {KEY.verifier.vkey} {Impostor(http('200 OK', line)).url}", "quorum I")
    assert witnesses.collect() == {"I": "bad-cosignature"}


def test_a_witness_that_answers_for_ever_keeps_nobody_waiting(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "WHOLE", 0.5)
    append()
    impostor = Impostor(http("200 OK", b"A" * 5000), slowly=0.05)
    write_policy(settings, f"witness I {KEY.verifier.vkey} {impostor.url}", "quorum I")
    for _ in range(3):
        began = time.monotonic()
        assert witnesses.collect() == {"I": "unreachable"}
        assert time.monotonic() - began < 3
    assert impostor.asked == 1, "while it is still answering nobody asks it again"


def test_a_request_is_written_as_it_is_read() -> None:
    note = sign_note(Checkpoint("a.test/l", 1, b"\0" * 32).format(), Signer.from_seed("a.test/l", b"\1" * 32)).format()
    for request in (Request(0, (), note), Request(7, (b"\1" * 32, b"\2" * 32), note)):
        assert Request.parse(request.format().encode()) == request


def test_the_mark_is_another_log_s_or_spoilt_and_counts_for_nothing(app: Flask, settings: Settings) -> None:
    gate.remember(7)
    assert mark.marked() == 7
    gate.remember(5)
    assert mark.marked() == 7, "it never goes back"
    for text in ("", "x", "other.test/ledger\n9\n", "village.test/ledger\n09\n", "village.test/ledger\n9", "\x00" * 99):
        (settings.instance / mark.NAME).write_text(text)
        assert mark.marked() == 0
    assert append() == 2


def test_a_process_that_goes_on_over_a_restored_backup_signs_nothing(app: Flask, settings: Settings) -> None:
    append(3)
    with back_to_before(app, settings):
        append()
    with pytest.raises(SoiError, match="đã có người thấy 5 dòng"):
        append(word="another history")
    assert size() == 4


def test_the_mark_follows_the_log_by_itself(app: Flask) -> None:
    append()
    assert mark.marked() == 2
    append(3)
    app.extensions[gate.GATE].marked_at -= gate.MARKS
    assert append() == mark.marked() == 6


def test_a_neighbour_who_signs_while_a_new_process_looks_does_not_stop_it(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    append()
    read = gate._known
    grown: list[bool] = []

    def read_then_grow() -> object:
        """What the database says, and right after it the neighbour's next line, marked too."""
        found = read()
        if not grown:
            grown.append(True)
            with app.app_context():
                append()
                mark.remember(size())
        return found

    with process(settings):
        monkeypatch.setattr(gate, "_known", read_then_grow)
        gate.open_for_signing()
        assert grown and mark.marked() == size()
