"""Whose signature counts, and where: keys as the log's own entries enrol and end them.

A key is judged by the position of entries, not by a clock. Formats: docs/formats.md.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from trace.ledger import foreign, livestream
from trace.ledger.canonical import canonical
from trace.ledger.claims import check_claim
from trace.ledger.encoding import from_base64, shown
from trace.ledger.errors import BadSignature, MalformedEntry, MalformedKey
from trace.ledger.note import ED25519, Verifier

CUSTODY = b"soi/custodian/event/v1\n"
"""Domain prefix of what the custodian signs: it can never be taken for a checkpoint or a device's claim."""
DEVICE_EVENT = b"soi/device/event/v1\n"
DEVICE_ENROL = b"soi/device/enrol/v1\n"
ROTATE = b"soi/key/rotate/v1\n"

_SMALL_ORDER = frozenset(
    bytes.fromhex(one)
    for one in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)
"""Ed25519 points of small order (y, sign bit cleared): under such a key, signatures hold for many messages."""
_P = 2**255 - 19
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A phone's public key."""

    public: Ed25519PublicKey | ec.EllipticCurvePublicKey

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises BadSignature. An ECDSA signature is r ‖ s, 32 bytes each, as WebCrypto gives it."""
        if len(signature) != 64:
            raise BadSignature(f"a device's signature has 64 bytes, not {len(signature)}")
        try:
            if isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, message)
            else:
                r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                self.public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError) as error:
            raise BadSignature("the device's signature does not belong to this") from error


def device_key(jwk: Any) -> DeviceKey:
    """Read a JWK with exactly its required members, on Ed25519 or P-256. Raises MalformedKey."""
    if not isinstance(jwk, dict) or not all(isinstance(value, str) for value in jwk.values()):
        raise MalformedKey("a JWK is an object whose members are text")
    members = set(jwk)
    if members == {"crv", "kty", "x"} and (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519"):
        raw = _coordinate(jwk["x"])
        y = int.from_bytes(raw, "little") & (1 << 255) - 1
        if y >= _P or y.to_bytes(32, "little") in _SMALL_ORDER:
            raise MalformedKey("not a usable Ed25519 key")
        return DeviceKey(Ed25519PublicKey.from_public_bytes(raw))
    if members == {"crv", "kty", "x", "y"} and (jwk["kty"], jwk["crv"]) == ("EC", "P-256"):
        x, y = (int.from_bytes(_coordinate(jwk[name]), "big") for name in ("x", "y"))
        try:
            return DeviceKey(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
        except ValueError as error:
            raise MalformedKey("not a point of P-256") from error
    raise MalformedKey("not a JWK of Ed25519 or P-256 with its required members only")


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The JWK thumbprint (RFC 7638, SHA-256) in base64url: a device key's name."""
    digest = hashlib.sha256(canonical(dict(jwk))).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def enrol_message(origin: str, jwk: Mapping[str, str]) -> bytes:
    """What a device's key signs to show that its owner has it."""
    return DEVICE_ENROL + canonical({"jwk": dict(jwk), "log": origin})


def device_message(origin: str, key: str, seq: int, claim: Mapping[str, Any]) -> bytes:
    """What a device signs for one event."""
    return DEVICE_EVENT + canonical({"claim": claim, "key": key, "log": origin, "seq": seq})


def rotate_message(origin: str, role: str, replaces: str, vkey: str) -> bytes:
    """What the old and the new key both sign when one takes the other's place."""
    return ROTATE + canonical({"log": origin, "replaces": replaces, "role": role, "vkey": vkey})


@dataclass(slots=True)
class _Span:
    """Where on the log a key signs: from `first` on, and before `ended` if that is known."""

    key: Ed25519PublicKey | DeviceKey
    first: int
    ended: int | None = None

    def covers(self, index: int) -> bool:
        return self.first <= index and (self.ended is None or index < self.ended)


@dataclass(slots=True)
class _LedgerSpan:
    """A ledger's key: it signs the checkpoints that cover entry `first`, and none that covers entry `ended`."""

    key: Verifier
    first: int
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed an entry: `device` with its number, or `custodian`."""

    role: str
    key: str
    seq: int | None = None


class Keyring:
    """The keys of one log. `learn` takes key entries in, in the log's order; then `check` judges any entry.

    `ledger_vkeys`: the ledger's keys that the reader trusts to begin with; rotations lead on from them.
    """

    def __init__(self, origin: str, ledger_vkeys: Iterable[str] = ()) -> None:
        self.origin = origin
        self._ledgers = {vkey: _LedgerSpan(Verifier.parse(vkey), 0) for vkey in ledger_vkeys}
        self._custodians: dict[str, _Span] = {}
        self._custodian_vkeys: dict[str, str] = {}
        self._devices: dict[str, _Span] = {}

    @property
    def ledger(self) -> list[Verifier]:
        """The ledger's keys that were trusted or that rotations lead to, old ones included."""
        return [span.key for span in self._ledgers.values()]

    def ledger_at(self, size: int) -> list[Verifier]:
        """Those of them that sign checkpoints of `size` entries: not one that these entries retire."""
        return [
            span.key
            for span in self._ledgers.values()
            if span.first < size and (span.ended is None or size <= span.ended)
        ]

    def learn(self, index: int, record: Mapping[str, Any]) -> None:
        """Take in the key entry `index`. Raises MalformedEntry, MalformedKey or BadSignature."""
        try:
            told = record["key"]
            role, status = told["role"], told["status"]
            match role, status:
                case "custodian", "enrolled":
                    self._custodian(index, told)
                case "ledger", "enrolled":
                    self._ledger(index, told)
                case "ledger", "retired":
                    self._retire(index, told["vkey"])
                case "device", "enrolled":
                    self._enrol(index, told)
                case "device", "revoked" | "lost":
                    self._end(index, told["key"])
                case _:
                    raise MalformedEntry(f"not something that happens to a key: {shown(str((role, status)))}")
        except (LookupError, TypeError, AttributeError, RecursionError) as error:
            raise MalformedEntry(f"not a key entry: {error!r}") from error

    def check(self, index: int, record: Mapping[str, Any], event: bytes | None = None) -> SignedBy:
        """Who signed entry `index`. Raises BadSignature, MalformedEntry or MalformedKey when nobody rightly did.

        `event` are the canonical bytes of the entry's event, where the caller has them. That a device uses no number
        twice is for a caller who sees all its entries.
        """
        try:
            if ("custodian" in record) == ("device" in record):
                raise MalformedEntry("an entry is signed by a device or by the custodian, and by one of them only")
            received = foreign.check_form(record) if record.get("type") == foreign.TYPE else None
            if record.get("type") == livestream.TYPE:
                livestream.check_form(record)
            if "device" in record:
                return self._by_device(index, record)
            return self._by_custodian(index, record, event, received)
        except (LookupError, TypeError, AttributeError, RecursionError) as error:
            raise MalformedEntry(f"its signature cannot be read: {error!r}") from error

    def _by_custodian(
        self,
        index: int,
        record: Mapping[str, Any],
        event: bytes | None,
        received: tuple[Mapping[str, Any], bytes] | None,
    ) -> SignedBy:
        signed = record["custodian"]
        span = self._custodians.get(signed["key"])
        if span is None or not span.covers(index):
            raise BadSignature(f"it is signed with a key {shown(str(signed['key']))} that the log does not know there")
        signature = from_base64(signed["sig"])
        message = CUSTODY + (canonical(record["event"]) if event is None else event)
        try:
            assert isinstance(span.key, Ed25519PublicKey)
            span.key.verify(signature or b"", message)
        except InvalidSignature as error:
            raise BadSignature("its custodian's signature does not fit its event") from error
        if received is not None:
            told, proof = received
            try:
                span.key.verify(proof, foreign.message(told))
            except InvalidSignature as error:
                raise BadSignature("the custodian did not sign that this claim was received") from error
        return SignedBy("custodian", signed["key"])

    def _by_device(self, index: int, record: Mapping[str, Any]) -> SignedBy:
        signed = record["device"]
        key, seq = signed["key"], signed["seq"]
        if not isinstance(seq, int) or isinstance(seq, bool) or seq < 1:
            raise MalformedEntry("a device counts its signatures from 1")
        span = self._devices.get(key)
        if span is None or not span.first < index or not span.covers(index):
            raise BadSignature(f"it is signed with a device's key {shown(str(key))} that was not enrolled there")
        assert isinstance(span.key, DeviceKey)
        span.key.verify(device_message(self.origin, key, seq, signed["claim"]), from_base64(signed["sig"]) or b"")
        check_claim(signed["claim"], record)
        return SignedBy("device", key, seq)

    def _custodian(self, index: int, told: Mapping[str, Any]) -> None:
        key = Verifier.parse(told["vkey"])
        if index == 0:
            if "replaces" in told:
                raise MalformedEntry("the first custodian replaces nobody")
        else:
            old = self._custodian_vkeys.get(told["replaces"])
            if old is None:
                raise MalformedEntry("it replaces a custodian's key that the log does not know")
            self._rotated(told, "custodian")
            self._custodians[old].ended = index
        self._custodian_vkeys[told["vkey"]] = key.key_id.hex()
        self._custodians[key.key_id.hex()] = _Span(Ed25519PublicKey.from_public_bytes(key.public_key), index)

    def _ledger(self, index: int, told: Mapping[str, Any]) -> None:
        self._rotated(told, "ledger")
        key = Verifier.parse(told["vkey"])
        if key.name != self.origin:
            raise MalformedKey("the ledger's key bears the origin's name")
        if told["replaces"] in self._ledgers:
            self._ledgers.setdefault(told["vkey"], _LedgerSpan(key, index))

    def _retire(self, index: int, vkey: str) -> None:
        Verifier.parse(vkey)
        span = self._ledgers.get(vkey)
        if span is not None and span.ended is None:
            span.ended = index

    def _rotated(self, told: Mapping[str, Any], role: str) -> None:
        message = rotate_message(self.origin, role, told["replaces"], told["vkey"])
        signers = [Verifier.parse(told[name]) for name in ("replaces", "vkey")]
        if len(told["sigs"]) != 2 or any(signer.type != ED25519 for signer in signers):
            raise MalformedEntry("the old and the new key both sign that one replaces the other")
        for signer, signature in zip(signers, told["sigs"], strict=True):
            try:
                Ed25519PublicKey.from_public_bytes(signer.public_key).verify(from_base64(signature) or b"", message)
            except InvalidSignature as error:
                raise BadSignature(f"{shown(signer.name)} did not sign that one key replaces the other") from error

    def _enrol(self, index: int, told: Mapping[str, Any]) -> None:
        key = device_key(told["jwk"])
        if told["key"] != thumbprint(told["jwk"]):
            raise MalformedKey("a device's key is not named by its thumbprint")
        if told["key"] in self._devices:
            raise MalformedEntry("a device's key is enrolled once")
        key.verify(enrol_message(self.origin, told["jwk"]), from_base64(told["proof"]) or b"")
        self._devices[told["key"]] = _Span(key, index)

    def _end(self, index: int, key: str) -> None:
        span = self._devices.get(key)
        if span is None or span.ended is not None:
            raise MalformedEntry("only a key that was enrolled, and not yet ended, can end")
        span.ended = index


def _coordinate(text: str) -> bytes:
    if not _THUMBPRINT.fullmatch(text):
        raise MalformedKey("a key's coordinate is 32 bytes in base64url without padding")
    try:
        raw = base64.urlsafe_b64decode(text + "=")
    except binascii.Error as error:
        raise MalformedKey("a key's coordinate is not base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != text:
        raise MalformedKey("a key's coordinate is not spelled canonically")
    return raw
