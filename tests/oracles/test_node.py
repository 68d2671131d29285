"""Node, as a browser would: npm's canonicalize writes our entries to the same bytes, WebCrypto judges signatures."""

import base64
import functools
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask_migrate import upgrade
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.conftest import settings_for
from tests.oracles.hands import Oracle
from tests.support.proofs import story
from tests.trace.test_canonical import APPENDIX_B, JSON, PUBLISHED, SAMPLES, TEXT
from tests.trace.test_ed25519 import ORDER, VECTORS, Vector
from trace.ledger.canonical import canonical, normalise, parse
from trace.ledger.errors import BadSignature, LedgerError, MalformedEntry
from trace.ledger.keyring import CUSTODY, device_key, device_message, enrol_message, thumbprint
from trace.ledger.models import LedgerEntry, LedgerState
from trace.ledger.note import Verifier, parse_note
from village.db import db
from wsgi import create_app

many = functools.partial(settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _written(canonicalizer: Oracle, text: bytes) -> bytes:
    said = canonicalizer.ask("canonicalize", json=text)
    return base64.b64decode(said["written"])


def _jwk(public: bytes) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(public).rstrip(b"=").decode()}


# RFC 8785


@many(max_examples=300)
@given(st.dictionaries(TEXT, JSON, max_size=6))
def test_any_object_is_written_to_the_same_bytes(canonicalizer: Oracle, obj: dict[str, Any]) -> None:
    try:
        ours = canonical(obj)
    except MalformedEntry as error:
        assert "the same in NFC" in str(error)
        return
    # In another order and with escapes, so that there is something to do.
    loose = json.dumps(dict(reversed(list(normalise(obj).items()))), indent=1).encode()
    assert _written(canonicalizer, loose) == ours
    assert _written(canonicalizer, ours) == ours


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_samples_of_rfc_8785_are_as_published_in_both(canonicalizer: Oracle, sample: str) -> None:
    assert _written(canonicalizer, sample.encode()) == PUBLISHED[sample].encode()


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B)
def test_appendix_b_is_as_javascript_writes_numbers(webcrypto: Oracle, bits: str, text: str) -> None:
    assert webcrypto.ask("number", bits=bytes.fromhex(bits))["written"] == text


@many(max_examples=500)
@given(st.integers(0, 2**64 - 1))
def test_any_number_is_written_as_javascript_writes_it(webcrypto: Oracle, bits: int) -> None:
    raw = bits.to_bytes(8, "big")
    (number,) = struct.unpack(">d", raw)
    try:
        ours = canonical([number])
    except MalformedEntry as error:
        assert "2^53" in str(error)
        return
    assert ours.decode() == f"[{webcrypto.ask('number', bits=raw)['written']}]"


@many(max_examples=300)
@given(st.floats(-1e9, 1e9))
def test_measured_numbers_are_written_as_javascript_writes_them(webcrypto: Oracle, number: float) -> None:
    assert canonical([number]).decode() == f"[{webcrypto.ask('number', bits=struct.pack('>d', number))['written']}]"


# The demo village's ledger


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LedgerState, list[bytes]]]:
    """The state and all entries of a village of which the demo has been told."""
    instance: Path = tmp_path_factory.mktemp("demo")
    app = create_app(settings_for(f"sqlite:///{instance / 'soi.db'}", instance))
    with app.app_context():
        upgrade()
        told = app.test_cli_runner().invoke(args=["demo"])
        assert told.exit_code == 0, told.output
        state = db.session.get_one(LedgerState, 1)
        bodies = list(db.session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.index)))
        db.session.remove()
        db.engine.dispose()
    assert len(bodies) > 100
    yield state, bodies


@pytest.mark.slow_once
def test_every_entry_of_the_demo_village_is_in_canonical_form(
    canonicalizer: Oracle, demo: tuple[LedgerState, list[bytes]]
) -> None:
    for body in demo[1]:
        assert _written(canonicalizer, body) == body
        assert _written(canonicalizer, json.dumps(json.loads(body), indent=2).encode()) == body


@pytest.mark.slow_once
def test_webcrypto_finds_every_signature_of_the_demo_village_good(
    webcrypto: Oracle, demo: tuple[LedgerState, list[bytes]]
) -> None:
    state, bodies = demo
    custodian, devices = Verifier.parse(json.loads(bodies[0])["key"]["vkey"]), {}
    for body in bodies:
        record = json.loads(body)
        if record["type"] == "key" and record["key"]["role"] == "device" and record["key"]["status"] == "enrolled":
            told = record["key"]
            devices[told["key"]] = told["jwk"]
            message = enrol_message(state.origin, told["jwk"])
            assert webcrypto.ask("verify", jwk=told["jwk"], message=message, sig=told["proof"]) == {"holds": True}
        if "device" in record:
            signed = record["device"]
            message = device_message(state.origin, signed["key"], signed["seq"], signed["claim"])
            asked = {"jwk": devices[signed["key"]], "message": message, "sig": signed["sig"]}
        else:
            message = CUSTODY + canonical(record["event"])
            asked = {"jwk": _jwk(custodian.public_key), "message": message, "sig": record["custodian"]["sig"]}
        assert webcrypto.ask("verify", **asked) == {"holds": True}
        assert webcrypto.ask("verify", **asked | {"message": message + b" "}) == {"holds": False}
    note, log = parse_note(state.checkpoint), Verifier.parse(state.vkey)
    asked = {"jwk": _jwk(log.public_key), "message": note.text.encode(), "sig": note.signatures[0].signature}
    assert webcrypto.ask("verify", **asked) == {"holds": True}


# Ed25519 and P-256


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_webcrypto_and_go_agree_with_rfc_8032(webcrypto: Oracle, gopher: Oracle, vector: Vector) -> None:
    made = gopher.ask("ed25519", seed=vector.seed, message=vector.message)
    assert (base64.b64decode(made["key"]), base64.b64decode(made["sig"])) == (vector.public, vector.signature)
    # A second spelling of the same signature: s + the group's order.
    s = int.from_bytes(vector.signature[32:], "little") + ORDER
    twin = vector.signature[:32] + s.to_bytes(32, "little")
    for signature, holds in ((vector.signature, True), (twin, False)):
        asked = {"message": vector.message, "sig": signature}
        assert webcrypto.ask("verify", jwk=_jwk(vector.public), **asked) == {"holds": holds}
        assert gopher.ask("ed25519", key=vector.public, **asked)["holds"] is holds


@pytest.mark.parametrize("kind", ["Ed25519", "P-256"])
def test_what_a_phone_signs_with_webcrypto_is_good_here(webcrypto: Oracle, kind: str) -> None:
    claim = {"id": "a", "site": "9506000000103", "note": "Bản Thẳm"}
    for _ in range(20):
        first = webcrypto.ask("signed", kind=kind, message=b"first")
        key = device_key(first["jwk"])
        assert len(thumbprint(first["jwk"])) == 43
        key.verify(b"first", base64.b64decode(first["sig"]))
        with pytest.raises(BadSignature):
            key.verify(b"second", base64.b64decode(first["sig"]))
        message = device_message("soi.example/log", thumbprint(first["jwk"]), 1, claim)
        again = webcrypto.ask("signed", kind=kind, message=message)
        device_key(again["jwk"]).verify(message, base64.b64decode(again["sig"]))


def test_webcrypto_judges_the_phones_of_a_whole_story_as_we_do(webcrypto: Oracle) -> None:
    log = story(seed=3).log
    phones = {phone.key: phone for phone in log.phones.values()}
    seen = set()
    for body in log.entries:
        record = parse(body)
        if "device" not in record:
            continue
        signed = record["device"]
        phone = phones[signed["key"]]
        seen.add(phone.crv)
        message = device_message(log.origin, signed["key"], signed["seq"], signed["claim"])
        assert webcrypto.ask("verify", jwk=phone.jwk, message=message, sig=signed["sig"]) == {"holds": True}
        wrong = device_message(log.origin, signed["key"], signed["seq"] + 1, signed["claim"])
        assert webcrypto.ask("verify", jwk=phone.jwk, message=wrong, sig=signed["sig"]) == {"holds": False}
        with pytest.raises(LedgerError):
            device_key(phone.jwk).verify(wrong, base64.b64decode(signed["sig"]))
    assert seen == {"Ed25519", "P-256"}
