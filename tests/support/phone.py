"""A phone's key in Python: what static/js/device.js does in a browser."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from batches.devices import services
from tests.support.village import Village
from trace.ledger.keyring import device_message, enrol_message, thumbprint

LOG = "village.test/ledger"


def url64(raw: bytes) -> str:
    """Base64url without padding, as JWK has it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Phone:
    """A key, Ed25519 or P-256, and how far it has counted."""

    secret: Ed25519PrivateKey | ec.EllipticCurvePrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    seq: int = 0

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, required members only."""
        if isinstance(self.secret, Ed25519PrivateKey):
            raw = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"crv": "Ed25519", "kty": "OKP", "x": url64(raw)}
        point = self.secret.public_key().public_numbers()
        return {"crv": "P-256", "kty": "EC", "x": url64(point.x.to_bytes(32)), "y": url64(point.y.to_bytes(32))}

    @property
    def key(self) -> str:
        """Its thumbprint."""
        return thumbprint(self.jwk)

    def sign_bytes(self, message: bytes) -> str:
        """A signature in base64, as WebCrypto makes it."""
        if isinstance(self.secret, Ed25519PrivateKey):
            return base64.b64encode(self.secret.sign(message)).decode()
        r, s = decode_dss_signature(self.secret.sign(message, ec.ECDSA(SHA256())))
        return base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()

    @property
    def proof(self) -> str:
        """What it shows when it asks to be known."""
        return self.sign_bytes(enrol_message(LOG, self.jwk))

    def signed(self, body: dict[str, Any], seq: int | None = None) -> dict[str, Any]:
        """The body of `POST /api/events` with this phone's signature, under its next number or the one given."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        claim = {name: value for name, value in body.items() if name not in ("note", "value_dong")}
        device: dict[str, Any] = {"key": self.key, "seq": seq}
        if note := body.get("note"):
            salt = os.urandom(32)
            tag = hmac.digest(salt, note.encode(), hashlib.sha256)
            claim["commitments"] = {"note": base64.b64encode(tag).decode()}
            device["salt"] = base64.b64encode(salt).decode()
        device["signature"] = self.sign_bytes(device_message(LOG, self.key, seq, claim))
        return {**body, "device": device}

    def ask(self, village: Village, username: str = "producer", label: str = "Máy thử") -> str:
        """Ask the office through the service; the key."""
        return services.ask(village.actor(username), self.jwk, self.proof, label).key

    def enrol(self, village: Village, username: str = "producer", office: str = "office") -> "Phone":
        """Ask, and have the office approve."""
        services.approve(village.actor(office), self.ask(village, username))
        return self
