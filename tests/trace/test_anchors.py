"""Time stamps of an outside authority: a true one is kept and any `openssl` takes it; every other answer is refused."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import browser
from tests.support.authority import Answer, Authority, Desk, desk, make_authority
from tests.support.village import Village
from trace.anchors import post, services, stamp
from trace.anchors.der import with_sorted_certificates
from trace.anchors.stamp import StampError
from trace.ledger import store
from trace.ledger.models import Anchor, KeptCheckpoint
from village import clock
from village.db import db, write
from village.settings import Settings, SettingsError, from_env
from wsgi import create_app


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tsa") / "good")


def good(authority: Authority) -> Answer:
    return lambda request: (200, authority.stamp(request))


@pytest.fixture
def open_desk(authority: Authority) -> Iterator[Desk]:
    with desk(good(authority)) as made:
        yield made


@pytest.fixture
def settings(settings: Settings, authority: Authority, open_desk: Desk) -> Settings:
    """A village whose log is stamped by the authority behind `open_desk`."""
    return replace(settings, tsa_url=open_desk.url, tsa_ca=authority.root)


def rows() -> list[Anchor]:
    db.session.rollback()
    return [kept.anchor for kept in services.anchors()]


def test_a_true_stamp_is_kept_and_openssl_takes_it(
    app: Flask, client: FlaskClient, authority: Authority, village: Village
) -> None:
    village.packs(20)
    made = services.anchor()
    assert made is not None and [row.size for row in rows()] == [made.size]
    listed = client.get("/ledger/anchors")
    size, when, told, address = listed.text.split()
    assert (int(size), told, address) == (made.size, made.authority, f"/ledger/anchors/{size}/1.tsr")
    assert when.endswith("Z") and abs((clock.now() - made.stamped_at).total_seconds()) < 60
    token = client.get(address)
    assert (token.mimetype, "immutable" in token.headers["Cache-Control"]) == ("application/timestamp-reply", True)
    note = db.session.get_one(KeptCheckpoint, made.size).note
    assert authority.verifies(token.data, note.encode())
    assert not authority.verifies(token.data, note.replace("\n", "\n ", 1).encode())


def test_what_docs_say_to_a_stranger_works(
    app: Flask, client: FlaskClient, authority: Authority, village: Village
) -> None:
    made = services.anchor()
    assert made is not None
    served = client.get(f"/ledger/checkpoints/{made.size}").text + "— witness.example/w AAAAAAAA\n"
    origin = served.split("\n")[0]
    kept = [line for number, line in enumerate(served.splitlines(), 1) if number <= 4 or line.split()[1] == origin]
    token = client.get(f"/ledger/anchors/{made.size}/1.tsr").data
    assert authority.verifies(token, "".join(f"{line}\n" for line in kept).encode())


def test_a_checkpoint_is_stamped_once(app: Flask, open_desk: Desk, village: Village) -> None:
    assert services.anchor() is not None
    assert services.anchor() is None
    assert len(open_desk.asked) == len(rows()) == 1
    village.packs(20)
    assert services.anchor() is not None
    assert [row.size for row in rows()] == sorted(row.size for row in rows()) and len(rows()) == 2


def test_another_authority_stamps_the_same_checkpoint_under_the_next_number(
    app: Flask, settings: Settings, client: FlaskClient, authority: Authority
) -> None:
    first = services.anchor()
    time.sleep(1.1)  # its times are whole seconds
    with desk(good(authority)) as other:
        app.extensions["soi"] = replace(settings, tsa_url=other.url)
        second = services.anchor()
    assert first is not None and second is not None and first.size == second.size
    addresses = [line.split()[3] for line in client.get("/ledger/anchors").text.splitlines()]
    assert [address.rpartition("/")[2] for address in addresses] == ["1.tsr", "2.tsr"]
    assert [client.get(address).data for address in addresses] == [first.token, second.token]


def test_a_stamp_that_would_take_another_s_number_is_refused(app: Flask) -> None:
    with write() as session:
        size = store.keep_checkpoint(session).size
        ahead = clock.now() + timedelta(minutes=30)
        session.add(Anchor(size=size, authority="https://ahead.example", token=b"0", stamped_at=ahead))
    with pytest.raises(StampError, match="later time"):
        services.anchor()
    assert [row.authority for row in rows()] == ["https://ahead.example"]


def _flip(request: bytes, at: int) -> bytes:
    return request[:at] + bytes([request[at] ^ 1]) + request[at + 1 :]


def _wrong_nonce(authority: Authority) -> Answer:
    # The nonce lies just before the last three bytes, which ask for the certificates.
    return lambda request: (200, authority.stamp(_flip(request, len(request) - 4)))


def _wrong_digest(authority: Authority) -> Answer:
    return lambda request: (200, authority.stamp(_flip(request, request.index(b"\x04\x20") + 5)))


def _refused(authority: Authority) -> Answer:
    # An algorithm that this authority does not take.
    return lambda request: (200, authority.stamp(request.replace(b"\x03\x04\x02\x01", b"\x03\x04\x02\x04", 1)))


MOODS: dict[str, tuple[Callable[[Authority], Answer], str]] = {
    "wrong nonce": (_wrong_nonce, "nonce"),
    "wrong digest": (_wrong_digest, "something else"),
    "refused": (_refused, "refused"),
    "garbage": (lambda _: lambda _request: (200, b"\x30\x03garbage"), "no time stamp"),
    "nothing": (lambda _: lambda _request: (200, b""), "no time stamp"),
    "a page": (lambda _: lambda _request: (200, b"<html>"), "no time stamp"),
    "huge": (lambda a: lambda request: (200, a.stamp(request) + bytes(stamp.MOST_BYTES)), "more than"),
    "a byte more": (lambda a: lambda request: (200, a.stamp(request) + b"\0"), "no time stamp"),
    "an error": (lambda a: lambda request: (500, a.stamp(request)), "answered 500"),
    "sent elsewhere": (lambda a: lambda request: (307, a.stamp(request)), "answered 307"),
}


@pytest.mark.parametrize("mood", MOODS)
def test_an_answer_that_does_not_hold_is_refused_and_nothing_is_kept(
    app: Flask, open_desk: Desk, authority: Authority, mood: str
) -> None:
    make, why = MOODS[mood]
    open_desk.answer = make(authority)
    with pytest.raises(StampError, match=why):
        services.anchor()
    assert len(open_desk.asked) == 1 and rows() == []
    open_desk.answer = good(authority)
    assert services.anchor() is not None, "the next try is none the worse for it"


def test_a_late_authority_is_given_up(
    app: Flask, open_desk: Desk, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "SILENCE", 0.2)
    open_desk.pause = 1.0
    with pytest.raises(StampError, match="cannot be reached: ReadTimeout"):
        services.anchor()
    assert rows() == []


def test_an_authority_that_sends_byte_by_byte_is_given_up(
    app: Flask, open_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "IN_ALL", 0.3)
    open_desk.drip = 0.05
    with pytest.raises(StampError, match="not there within"):
        services.anchor()
    assert rows() == []


def test_nobody_at_the_desk_is_told_without_addresses(app: Flask, settings: Settings) -> None:
    app.extensions["soi"] = replace(settings, tsa_url="http://127.0.0.1:9/tsr")
    with pytest.raises(StampError, match=r"cannot be reached: Connect\w+$"):
        services.anchor()


def test_a_certificate_that_had_ended_stamps_nothing(tmp_path: Path) -> None:
    it = make_authority(tmp_path / "old", days=(-300, -100))
    _assert_refused(it, it.root, "does not hold")


def test_a_stranger_s_root_stamps_nothing(tmp_path: Path, authority: Authority) -> None:
    _assert_refused(make_authority(tmp_path / "other"), authority.root, "does not hold")


def test_a_certificate_for_another_purpose_stamps_nothing(authority: Authority) -> None:
    # `openssl` makes no such stamp. So one that it made gets the certificate that the same key has as a web server.
    asked = stamp.question(b"data\n")
    answer, roots = authority.stamp(asked.as_bytes()), load_pem_x509_certificates(authority.root.read_bytes())
    signer, server = (
        load_pem_x509_certificates((authority.folder / name).read_bytes())[0].public_bytes(Encoding.DER)
        for name in ("tsa.pem", "server.pem")
    )
    assert signer in answer
    with pytest.raises(StampError, match="does not hold"):
        stamp.check(answer.replace(signer, server), asked, roots, clock.now())


def _assert_refused(it: Authority, root: Path, why: str) -> None:
    asked = stamp.question(b"data\n")
    roots = load_pem_x509_certificates(root.read_bytes())
    with pytest.raises(StampError, match=why):
        stamp.check(it.stamp(asked.as_bytes()), asked, roots, clock.now())


def test_a_clock_far_from_ours_is_refused(authority: Authority) -> None:
    asked = stamp.question(b"data\n")
    answer, roots = authority.stamp(asked.as_bytes()), load_pem_x509_certificates(authority.root.read_bytes())
    assert stamp.check(answer, asked, roots, clock.now()).token == answer
    for off in (-1.1, 1.1):
        with pytest.raises(StampError, match="clock says"):
            stamp.check(answer, asked, roots, clock.now() + off * stamp.MOST_APART)


def test_every_flipped_byte_is_refused_here_or_also_taken_by_openssl(authority: Authority) -> None:
    asked = stamp.question(b"data\n")
    answer, roots = authority.stamp(asked.as_bytes()), load_pem_x509_certificates(authority.root.read_bytes())
    taken = []
    for at in range(len(answer)):
        try:
            stamp.check(_flip(answer, at), asked, roots, clock.now())
            taken.append(at)
        except StampError:
            pass
    # Nothing that was signed is among them: they lie in the root's copy, which nobody needs, and in version numbers.
    assert len(taken) < len(answer) / 3
    assert all(authority.verifies(_flip(answer, at), b"data\n") for at in taken[:: max(len(taken) // 12, 1)])


def test_certificates_in_any_order_are_read(authority: Authority) -> None:
    asked = stamp.question(b"data\n")
    answer, roots = authority.stamp(asked.as_bytes()), load_pem_x509_certificates(authority.root.read_bytes())
    certificates = [
        load_pem_x509_certificates((authority.folder / name).read_bytes())[0].public_bytes(Encoding.DER)
        for name in ("tsa.pem", "root.pem")
    ]
    orders = (b"".join(certificates), b"".join(reversed(certificates)))
    there = next(order for order in orders if order in answer)
    for order in orders:
        turned = answer.replace(there, order)
        assert stamp.check(turned, asked, roots, clock.now()).token == turned
    assert with_sorted_certificates(b"\x30\x80nothing") == b"\x30\x80nothing"


def test_without_an_authority_nothing_is_asked(app: Flask, settings: Settings, open_desk: Desk) -> None:
    app.extensions["soi"] = replace(settings, tsa_url="", tsa_ca=None)
    assert services.anchor() is None
    result = app.test_cli_runner().invoke(args=["ledger", "anchor"])
    assert result.exit_code == 1 and "TSA_URL" in result.output
    assert open_desk.asked == []


def test_the_command_stamps_by_hand_and_says_when_it_cannot(
    app: Flask, open_desk: Desk, authority: Authority
) -> None:
    run = app.test_cli_runner().invoke
    open_desk.answer = lambda _request: (503, b"")
    bad = run(args=["ledger", "anchor"])
    assert (bad.exit_code, bad.output) == (1, "Error: no stamp: the authority answered 503\n")
    open_desk.answer = good(authority)
    assert open_desk.url in run(args=["ledger", "anchor"]).output
    again = run(args=["ledger", "anchor"])
    assert (again.exit_code, "before" in again.output) == (0, True)


@pytest.mark.parametrize("path", ["/ledger/anchors/1/1.tsr", "/ledger/anchors/1/0.tsr", "/ledger/anchors/99/1.tsr",
                                  f"/ledger/anchors/{2**70}/1.tsr", f"/ledger/anchors/1/{2**70}.tsr"])  # fmt: skip
def test_a_stamp_that_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_database_refuses_to_change_a_stamp(app: Flask) -> None:
    assert services.anchor() is not None
    for statement in ("UPDATE ledger_anchor SET size = size", "DELETE FROM ledger_anchor"):
        with pytest.raises(DBAPIError, match="only added to"), db.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize("url", ["ftp://tsa.example", "tsa.example", "http://", "http://[", "https://u:p@tsa.example/",
                                 "https://tsa.example/?key=1", "https://tsa.example/#x", "https://tsa.example/a b",
                                 "https://tsa.example/" + "x" * 200])  # fmt: skip
def test_an_authority_s_address_that_makes_no_sense_stops_the_start(
    tmp_path: Path, authority: Authority, url: str
) -> None:
    with pytest.raises(SettingsError, match="TSA_URL"):
        from_env({"INSTANCE": str(tmp_path), "TSA_URL": url, "TSA_CA": str(authority.root)})


def test_an_authority_needs_its_root(tmp_path: Path, authority: Authority) -> None:
    start = {"INSTANCE": str(tmp_path), "TSA_URL": "https://tsa.example/tsr"}
    (tmp_path / "empty.pem").write_text("nothing\n")
    for ca in ("", str(tmp_path / "none.pem"), str(tmp_path / "empty.pem"), str(authority.folder / "tsa.key")):
        with pytest.raises(SettingsError, match="TSA_CA"):
            from_env(start | {"TSA_CA": ca})
    assert from_env(start | {"TSA_CA": str(authority.root)}).tsa_ca == authority.root


def test_a_log_that_is_not_born_has_nothing_to_stamp(
    tmp_path: Path, authority: Authority, open_desk: Desk
) -> None:
    environ = {"SOI_ENV": "test", "INSTANCE": str(tmp_path), "TSA_URL": open_desk.url, "TSA_CA": str(authority.root)}
    app = create_app(from_env(environ))
    with app.app_context():
        db.create_all()
        assert services.anchor() is None
        assert browser(app).get("/ledger/anchors").text == ""
        db.session.remove()
        db.engine.dispose()
    assert open_desk.asked == []
