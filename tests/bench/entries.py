"""Entries to append: what a making stage of the village weighs, signed by the custodian or by a phone."""

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trace.ledger import store
from trace.ledger.keyring import device_message, enrol_message, thumbprint

PARENT, CHILD = "08930000000019", "08930000000026"
SITE = "8930000000026"
TIME = "2026-11-20T06:30:00.123+07:00"


def draft(writer: str, number: int, device: "Phone | None" = None) -> store.Draft:
    """A transformation of the writer's own batch into a new one: two chains, a salted commitment."""
    parent = f"https://id.gs1.org/01/{PARENT}/10/{writer}"
    lot = f"{writer}.{number}"
    child = f"https://id.gs1.org/01/{CHILD}/10/{lot}"
    place = {"id": f"https://id.gs1.org/414/{SITE}"}
    identity = f"0190a000-0000-7000-8000-{number:012d}"
    event = {
        "eventID": f"urn:uuid:{identity}",
        "type": "TransformationEvent",
        "eventTime": TIME,
        "eventTimeZoneOffset": "+07:00",
        "bizStep": "commissioning",
        "disposition": "in_progress",
        "readPoint": place,
        "bizLocation": place,
        "inputQuantityList": [{"epcClass": parent, "quantity": 1250, "uom": "GRM"}],
        "outputQuantityList": [{"epcClass": child, "quantity": 250, "uom": "GRM"}],
        "sensorElementList": [{"sensorReport": [{"type": "soi:Moisture", "value": 13.2, "uom": "P1"}]}],
        "ilmd": {"cbvmda:lotNumber": lot, "cbvmda:countryOfOrigin": "VN"},
        "soi:process": "mien-dong/1",
        "soi:stage": "settle",
    }
    signed = None
    if device is not None:
        claim = {
            "id": identity, "process": "mien-dong", "stage": "settle", "occurred_at": TIME, "site": SITE,
            "inputs": [{"batch": parent, "grams": 1250}],
            "outputs": [{"product": CHILD, "lot": lot, "grams": 250}],
            "readings": [{"type": "Moisture", "value": 13.2, "unit": "P1"}],
        }  # fmt: skip
        signed = device.sign(claim, number + 1)
    return store.Draft("event", event, (parent, child), {"member": identity}, born=frozenset({child}), device=signed)


class Phone:
    """A phone's Ed25519 key, in memory."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._private = Ed25519PrivateKey.generate()
        raw = self._private.public_key().public_bytes_raw()
        self.jwk = {"crv": "Ed25519", "kty": "OKP", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}
        self.key = thumbprint(self.jwk)

    def enrolment(self) -> store.Draft:
        """The entry that enrols it."""
        proof = base64.b64encode(self._private.sign(enrol_message(self._origin, self.jwk))).decode()
        key = {"role": "device", "status": "enrolled", "key": self.key, "jwk": self.jwk, "proof": proof}
        return store.Draft("key", None, extra={"key": key})

    def sign(self, claim: dict[str, Any], seq: int) -> dict[str, Any]:
        """The `device` member of an entry."""
        signature = self._private.sign(device_message(self._origin, self.key, seq, claim))
        return {"claim": claim, "key": self.key, "seq": seq, "sig": base64.b64encode(signature).decode()}
