"""Keys are judged by where they stand on the log, and an event must say what its phone's claim says."""

import base64
import copy
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from trace.ledger.canonical import canonical
from trace.ledger.claims import UnfitClaim, check_claim
from trace.ledger.errors import BadSignature, LedgerError, MalformedEntry, MalformedKey
from trace.ledger.keyring import (
    CUSTODY,
    Keyring,
    device_key,
    device_message,
    enrol_message,
    rotate_message,
    thumbprint,
)
from trace.ledger.note import Signer

ORIGIN = "village.test/ledger"
CUSTODIAN = Signer.from_seed(f"{ORIGIN}/custodian", bytes([1]) * 32)
LEDGER = Signer.from_seed(ORIGIN, bytes([2]) * 32)
NEXT = Signer.from_seed(ORIGIN, bytes([3]) * 32)
Record = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Phone:
    """A phone with a key of either kind, made of a seed."""

    def __init__(self, seed: int, curve: str = "Ed25519") -> None:
        if curve == "Ed25519":
            self.ed = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
            self.jwk = {"crv": curve, "kty": "OKP", "x": url64(self.ed.public_key().public_bytes_raw())}
        else:
            self.p256 = ec.derive_private_key(seed, ec.SECP256R1())
            numbers = self.p256.public_key().public_numbers()
            x, y = (url64(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
            self.jwk = {"crv": curve, "kty": "EC", "x": x, "y": y}
        self.key = thumbprint(self.jwk)

    def sign(self, message: bytes) -> str:
        if self.jwk["kty"] == "OKP":
            return b64(self.ed.sign(message))
        r, s = decode_dss_signature(self.p256.sign(message, ec.ECDSA(hashes.SHA256())))
        return b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def enrolment(self) -> Record:
        proof = self.sign(enrol_message(ORIGIN, self.jwk))
        return {"role": "device", "status": "enrolled", "key": self.key, "jwk": self.jwk, "proof": proof}

    def signed(self, claim: Record, seq: int) -> Record:
        return {
            "claim": claim,
            "key": self.key,
            "seq": seq,
            "sig": self.sign(device_message(ORIGIN, self.key, seq, claim)),
        }


def custody(event: Record | None, signer: Signer = CUSTODIAN) -> Record:
    signature = signer.private_key.sign(CUSTODY + canonical(event))
    return {"key": signer.verifier.key_id.hex(), "sig": b64(signature)}


def key_entry(key: Record, signer: Signer = CUSTODIAN) -> Record:
    return {"type": "key", "event": None, "key": key, "commitments": {}, "custodian": custody(None, signer)}


def rotation(role: str, old: Signer, new: Signer) -> Record:
    before, after = old.verifier.vkey, new.verifier.vkey
    message = rotate_message(ORIGIN, role, before, after)
    sigs = [b64(one.private_key.sign(message)) for one in (old, new)]
    return {"role": role, "status": "enrolled", "vkey": after, "replaces": before, "sigs": sigs}


def begun() -> Keyring:
    ring = Keyring(ORIGIN, [LEDGER.verifier.vkey])
    first = key_entry({"role": "custodian", "status": "enrolled", "vkey": CUSTODIAN.verifier.vkey})
    ring.learn(0, first)
    assert ring.check(0, first).role == "custodian"
    return ring


ROOTS = "https://id.gs1.org/01/08930000000019/10/BL-1"
CLAIM: Record = {
    "id": "0190a000-0000-7000-8000-000000000001",
    "process": "mien-dong",
    "stage": "harvest",
    "occurred_at": "2026-11-20T06:30:00.123456+07:00",
    "site": "8930000000026",
    "inputs": [],
    "outputs": [{"product": "08930000000019", "lot": "BL-1", "grams": 1250000, "units": None}],
    "readings": [{"type": "Moisture", "value": 13.2, "unit": "P1"}],
    "photos": ["ab" * 32],
    "commitments": {"note": b64(bytes(32))},
}
EVENT: Record = {
    "eventID": f"urn:uuid:{CLAIM['id']}",
    "type": "ObjectEvent",
    "action": "ADD",
    "eventTime": "2026-11-20T06:30:00.123+07:00",
    "eventTimeZoneOffset": "+07:00",
    "soi:process": "mien-dong/1",
    "soi:stage": "harvest",
    "readPoint": {"id": "https://id.gs1.org/414/8930000000026"},
    "quantityList": [{"epcClass": ROOTS, "quantity": 1250000, "uom": "GRM"}],
    "sensorElementList": [{"sensorReport": [{"type": "soi:Moisture", "value": 13.2, "uom": "P1"}]}],
}


def entry(phone: Phone, seq: int = 1, **other: Any) -> Record:
    return {
        "type": "event",
        "event": EVENT,
        "photos": ["ab" * 32],
        "commitments": {"note": b64(bytes(32)), "member": b64(bytes(32))},
        "device": phone.signed(CLAIM, seq),
        **other,
    }


@pytest.mark.parametrize("curve", ["Ed25519", "P-256"])
def test_a_phone_signs_only_between_its_enrolment_and_its_end(curve: str) -> None:
    ring, phone = begun(), Phone(7, curve)
    with pytest.raises(BadSignature):
        ring.check(3, entry(phone))
    ring.learn(4, key_entry(phone.enrolment()))
    ring.learn(9, key_entry({"role": "device", "status": "lost", "key": phone.key}))
    signed = ring.check(5, entry(phone, 12))
    assert (signed.role, signed.key, signed.seq) == ("device", phone.key, 12)
    for index in (3, 4, 9, 10):
        with pytest.raises(BadSignature):
            ring.check(index, entry(phone))


def test_a_signature_is_bound_to_its_number_its_key_its_log_and_its_claim() -> None:
    ring, phone, other = begun(), Phone(7), Phone(8)
    ring.learn(1, key_entry(phone.enrolment()))
    ring.learn(2, key_entry(other.enrolment()))
    whole = entry(phone)
    assert ring.check(3, whole).seq == 1
    for change in ({"seq": 2}, {"key": other.key}, {"claim": {**CLAIM, "stage": "wash"}}, {"sig": b64(bytes(64))}):
        with pytest.raises(BadSignature):
            ring.check(3, {**whole, "device": {**whole["device"], **change}})
    elsewhere = Keyring("other.test/ledger")
    with pytest.raises(BadSignature):
        elsewhere.learn(1, key_entry(phone.enrolment()))


def test_an_entry_has_one_signer_only() -> None:
    ring, phone = begun(), Phone(7)
    ring.learn(1, key_entry(phone.enrolment()))
    both = entry(phone, custodian=custody(EVENT))
    for record in (both, {key: value for key, value in both.items() if key not in ("device", "custodian")}):
        with pytest.raises(MalformedEntry):
            ring.check(2, record)


def test_a_custodians_key_gives_way_to_one_that_both_signed_for() -> None:
    ring = begun()
    new = Signer.from_seed(f"{ORIGIN}/custodian", bytes([9]) * 32)
    change = key_entry(rotation("custodian", CUSTODIAN, new), new)
    ring.learn(5, change)
    ring.check(5, change)
    event = {"a": 1}
    ring.check(4, {"event": event, "custodian": custody(event)})
    ring.check(6, {"event": event, "custodian": custody(event, new)})
    for index, signer in ((4, new), (5, CUSTODIAN), (6, CUSTODIAN)):
        with pytest.raises(BadSignature):
            ring.check(index, {"event": event, "custodian": custody(event, signer)})


def test_a_rotation_needs_both_signatures_and_a_known_key_before_it() -> None:
    told = rotation("ledger", LEDGER, NEXT)
    stranger = Signer.from_seed(ORIGIN, bytes([4]) * 32)
    for sigs in ([told["sigs"][0]] * 2, told["sigs"][::-1], told["sigs"][:1], [b64(bytes(64))] * 2):
        with pytest.raises(LedgerError):
            begun().learn(3, key_entry({**told, "sigs": sigs}))
    ring = begun()
    ring.learn(3, key_entry(rotation("ledger", stranger, NEXT)))
    assert ring.ledger == [LEDGER.verifier], "nobody trusted the key that it comes from"


def test_both_ledger_keys_sign_in_the_overlap_and_the_new_one_after_it() -> None:
    ring = begun()
    ring.learn(10, key_entry(rotation("ledger", LEDGER, NEXT)))
    ring.learn(20, key_entry({"role": "ledger", "status": "retired", "vkey": LEDGER.verifier.vkey}))
    assert ring.ledger_at(10) == [LEDGER.verifier]
    assert ring.ledger_at(11) == ring.ledger_at(20) == [LEDGER.verifier, NEXT.verifier]
    assert ring.ledger_at(21) == [NEXT.verifier]
    assert ring.ledger == [LEDGER.verifier, NEXT.verifier], "old keys stay known for ever"


@pytest.mark.parametrize(
    "jwk",
    [
        None, [], {}, "x", {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": 5},
        {"kty": "OKP", "crv": "Ed25519", "x": url64(bytes(32))},
        {"kty": "OKP", "crv": "Ed25519", "x": url64(b"\x01" + bytes(31))},
        {"kty": "OKP", "crv": "Ed25519", "x": url64(b"\x01" + bytes(30) + b"\x80")},
        {"kty": "OKP", "crv": "Ed25519", "x": url64(b"\xff" * 32)},
        {"kty": "OKP", "crv": "Ed25519", "x": url64(bytes(31) + b"\x02")[:-1] + "B"},
        {"kty": "OKP", "crv": "X25519", "x": url64(bytes([9]) * 32)},
        {"kty": "EC", "crv": "P-256", "x": url64(bytes([1]) * 32), "y": url64(bytes([1]) * 32)},
        {"kty": "EC", "crv": "P-256", "x": url64(b"\xff" * 32), "y": url64(b"\xff" * 32)},
        {**Phone(3).jwk, "d": url64(bytes(32))},
        {**Phone(3, "P-256").jwk, "crv": "P-384"},
    ],
)  # fmt: skip
def test_a_key_that_is_none_is_refused(jwk: Any) -> None:
    with pytest.raises(MalformedKey):
        device_key(jwk)


def test_a_thumbprint_is_that_of_rfc_8037() -> None:
    # RFC 8037, appendix A.3
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    "key",
    [
        {}, None, 5, {"role": "device", "status": "enrolled"}, {"role": "device", "status": "revoked", "key": "x"},
        {"role": [], "status": {}}, {"role": "custodian", "status": "enrolled", "vkey": "nonsense"},
        {"role": "ledger", "status": "enrolled", "vkey": "a", "replaces": "b", "sigs": ["", ""]},
        {"role": "ledger", "status": "retired", "vkey": ""},
    ],
)  # fmt: skip
def test_what_is_no_key_entry_is_refused_as_such(key: Any) -> None:
    with pytest.raises(LedgerError):
        begun().learn(3, {"key": key})


@pytest.mark.parametrize("signed", [None, 5, [], {}, {"key": []}, {"key": "x", "sig": 5}, {"key": {}, "sig": ""}])
def test_a_signature_of_any_shape_is_refused_and_never_more(signed: Any) -> None:
    ring, phone = begun(), Phone(7)
    ring.learn(1, key_entry(phone.enrolment()))
    for record in ({"event": None, "custodian": signed}, {"event": EVENT, "commitments": {}, "device": signed}):
        with pytest.raises(LedgerError):
            ring.check(2, record)


CHANGED = {
    "id": ("eventID", "urn:uuid:0190a000-0000-7000-8000-000000000002"),
    "occurred_at": ("eventTime", "2026-11-20T06:30:01.123+07:00"),
    "process": ("soi:process", "che/1"),
    "stage": ("soi:stage", "wash"),
    "site": ("readPoint", {"id": "https://id.gs1.org/414/8930000000033"}),
    "outputs": ("quantityList", [{"epcClass": ROOTS, "quantity": 1250001, "uom": "GRM"}]),
    "readings": ("sensorElementList", []),
    "inputs": ("action", "OBSERVE"),
}


@pytest.mark.parametrize("member", CHANGED)
def test_an_event_that_says_something_else_than_the_claim_is_named(member: str) -> None:
    record = entry(Phone(7))
    check_claim(CLAIM, record)
    field, value = CHANGED[member]
    with pytest.raises(UnfitClaim) as found:
        check_claim(CLAIM, {**record, "event": {**EVENT, field: value}})
    assert found.value.member == member


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("photos", []), ("commitments", {"note": "other"}), ("household", "x"), ("inputs", [{"batch": ROOTS}]),
        ("outputs", [{**CLAIM["outputs"][0], "lot": "BL-2"}]), ("outputs", [{**CLAIM["outputs"][0], "units": 5}]),
        ("readings", [{"type": "Moisture", "value": 13.3, "unit": "P1"}]),
        ("occurred_at", "2026-11-19T23:30:00.123+00:00"), ("occurred_at", "yesterday"), ("site", "893000000002"),
    ],
)  # fmt: skip
def test_a_claim_that_says_something_else_than_the_event_is_named(member: str, value: Any) -> None:
    claim = copy.deepcopy(CLAIM)
    claim[member] = value
    with pytest.raises(UnfitClaim) as found:
        check_claim(claim, entry(Phone(7)))
    assert found.value.member == member
