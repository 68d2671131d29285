"""Our witness, as C2SP tlog-witness has it: each answer, and what it keeps."""

import hashlib
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.witnessing import ORIGIN, Log, begun
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.note import Signer, Verifier, sign_note
from trace.witness.app import create_app
from trace.witness.core import MAX_REQUEST, SIZE_TYPE, MalformedRequest, Request
from trace.witness.state import State

LOG = Log()
LIE = LOG.lie()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begun(tmp_path / "w", LOG.vkey)
    return tmp_path / "w"


@pytest.fixture
def witness(folder: Path) -> FlaskClient:
    return create_app(folder).test_client()


def send(witness: FlaskClient, body: bytes) -> tuple[int, str, str]:
    answer = witness.post("/add-checkpoint", data=body)
    return answer.status_code, answer.text, answer.content_type


def test_a_growing_log_is_cosigned_and_its_checkpoints_verify(witness: FlaskClient) -> None:
    key = Verifier.parse(witness.get("/key").text.strip())
    old = 0
    for new in (0, 1, 2, 7, 7, 8, 300):
        status, line, _ = send(witness, LOG.body(old, new))
        assert status == 200, line
        signed = open_checkpoint(LOG.note(new) + line, ORIGIN, [LOG.signer.verifier, key])
        assert signed.witnesses == {key.public_key}
        assert signed.checkpoint.size == new
        old = new


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 0", 400),
        (b"old 0\n\n", 400),
        (LOG.body(0, 3).replace(b"old 0", b"old 00"), 400),
        (LOG.body(0, 3).replace(b"old 0", b"old -1"), 400),
        (LOG.body(0, 3).replace(b"old 0", b"Old 0"), 400),
        (LOG.body(0, 3).replace(b"old 0\n", b"old 0\r\n"), 400),
        (LOG.body(0, 3).replace(b"old 0\n", b"old 0\nAAAA\n"), 400),
        (LOG.body(0, 3).replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64), 400),
        (LOG.body(0, 3).replace("— ".encode(), "— — ".encode()), 400),
        (LOG.body(0, 3).replace(b"\n3\n", b"\n03\n"), 400),
        (LOG.body(0, 3) + b"\xff", 400),
        (Request(4, (), LOG.note(3)).format().encode(), 400),
        (Log("other.test/ledger").body(0, 3), 404),
        (Log(seed=b"\x02" * 32).body(0, 3), 403),
        (LOG.body(0, 3).replace(b"\n3\n", b"\n4\n"), 403),
        (LOG.body(2, 3), 409),
        (Request(0, LOG.proof(2, 3), LOG.note(3)).format().encode(), 422),
        (LOG.body(0, 3), 200),
    ],
)
def test_a_new_witness_answers(witness: FlaskClient, body: bytes, status: int) -> None:
    assert send(witness, body)[0] == status
    assert (witness.get("/").text.count("Đã ký đến") == 1) == (status == 200)


def test_another_size_than_the_witness_holds_is_told_which(witness: FlaskClient) -> None:
    assert send(witness, LOG.body(0, 5))[0] == 200
    for old, new in ((0, 5), (0, 9), (3, 9), (6, 9)):
        assert send(witness, LOG.body(old, new)) == (409, "5\n", SIZE_TYPE)
    assert send(witness, LOG.body(3, 3)) == (409, "5\n", SIZE_TYPE), "a rollback"
    assert send(witness, LOG.body(5, 9))[0] == 200


def test_another_root_of_the_same_size_is_refused_and_both_are_kept(witness: FlaskClient, folder: Path) -> None:
    assert send(witness, LOG.body(0, 5))[0] == 200
    status, _, kind = send(witness, LIE.body(5, 5))
    assert (status, kind == SIZE_TYPE) == (409, False)
    assert send(witness, LIE.body(0, 5)) == (409, "5\n", SIZE_TYPE), "but it was kept, see below"
    (found,) = State(folder).evidence()
    assert found.kind == "fork"
    for note in (found.held, found.sent):
        assert open_checkpoint(note, ORIGIN, [LOG.signer.verifier]).checkpoint.size == 5
    assert found.held.split("\n")[2] != found.sent.split("\n")[2]
    assert "đã ký hai bản khác nhau" in witness.get("/").text
    assert send(witness, LOG.body(5, 6))[0] == 200, "the history that it knows goes on"


def test_a_fork_is_refused_whatever_its_proof(witness: FlaskClient, folder: Path) -> None:
    assert send(witness, LOG.body(0, 5))[0] == 200
    for proof in (LIE.proof(5, 9), LOG.proof(5, 9), LOG.proof(4, 9), (), (b"\0" * 32,) * 63):
        body = Request(5, proof, LIE.note(9)).format().encode()
        assert send(witness, body)[0] == 422
    (found,) = State(folder).evidence()
    assert found.kind == "unproven"
    assert "đã ký hai bản khác nhau" not in witness.get("/").text, "a bad proof alone accuses nobody"
    assert [head.size for head in State(folder).heads()] == [5]


def test_evidence_is_bounded(witness: FlaskClient, folder: Path) -> None:
    assert send(witness, LOG.body(0, 5))[0] == 200
    for new in range(6, 60):
        assert send(witness, Request(5, (), LIE.note(new)).format().encode())[0] == 422
    assert len(State(folder).evidence()) == 20


def test_only_verified_lines_are_kept_and_shown(witness: FlaskClient) -> None:
    stranger = Signer.from_seed("stranger.test/x", b"\x09" * 32)
    text = LOG.note(3).partition("\n\n")[0] + "\n"
    note = sign_note(text, stranger, LOG.signer, LOG.signer).format()
    assert send(witness, Request(0, (), note).format().encode())[0] == 200
    shown = witness.get(f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint").text
    assert "stranger" not in shown
    assert shown.count(f"— {ORIGIN} ") == 1
    key = Verifier.parse(witness.get("/key").text.strip())
    assert open_checkpoint(shown, ORIGIN, [LOG.signer.verifier, key]).witnesses == {key.public_key}
    assert witness.get(f"/{'0' * 64}/checkpoint").status_code == 404


def test_a_body_is_bounded(witness: FlaskClient) -> None:
    assert send(witness, b"old 0\n" + b"A" * MAX_REQUEST)[0] == 413
    with pytest.raises(MalformedRequest):
        Request.parse(b"old 0\n" + b"A" * MAX_REQUEST)


def test_a_log_s_second_key_is_known_as_well(witness: FlaskClient, folder: Path) -> None:
    new = Log(seed=b"\x03" * 32)
    assert send(witness, LOG.body(0, 3))[0] == 200
    assert send(witness, new.body(3, 4))[0] == 403
    State(folder).add_log(new.vkey)
    assert send(witness, new.body(3, 4))[0] == 200
    assert send(witness, LOG.body(4, 5))[0] == 200


def test_the_page_shows_what_it_watches_in_both_languages(witness: FlaskClient) -> None:
    send(witness, LOG.body(0, 5))
    page = witness.get("/")
    assert ORIGIN in page.text
    assert "Đã ký đến 5 dòng" in page.text
    assert "style=" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Signed up to 5 entries" in witness.get("/?lang=en").text
    assert witness.get("/key").text.strip() in page.text.replace("&#43;", "+")
