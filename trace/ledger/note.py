"""C2SP signed notes: a text, a blank line, and `— name base64(keyID ‖ signature)` lines.

Format: c2sp.org/signed-note; cosignatures: c2sp.org/tlog-cosignature. Reading is strict and bounded, since
notes come from strangers. A line of an unknown key is ignored; a bad line of a known key fails the note.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from trace.ledger.encoding import MAX_SIZE, from_base64, shown, to_base64
from trace.ledger.errors import BadSignature, MalformedKey, MalformedNote, NotSigned, UnsupportedKey

ED25519 = 0x01
"""Signature type: Ed25519 over the note text."""

COSIGNATURE = 0x04
"""Signature type: a witness's timestamped Ed25519 cosignature, version 1."""

MAX_NOTE_BYTES = 256 * 1024
"""Room for sixteen post-quantum signatures (5 kB each, in base64) and a text."""

MAX_SIGNATURES = 100

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line under a note: who claims to have signed. `signature` is the payload after the key ID."""

    name: str
    key_id: bytes
    signature: bytes

    def format(self) -> str:
        """The line with its newline."""
        return f"— {self.name} {to_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Nothing in it is to be trusted before `open_note`."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def format(self) -> str:
        """The whole note, ready to serve."""
        return f"{self.text}\n{''.join(line.format() for line in self.signatures)}"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name, for one signature type."""

    name: str
    public_key: bytes
    type: int = ED25519

    def __post_init__(self) -> None:
        check_name(self.name)
        _check_type(self.type)
        if len(self.public_key) != 32:
            raise MalformedKey(f"an Ed25519 public key has 32 bytes, not {len(self.public_key)}")

    @property
    def key_id(self) -> bytes:
        """SHA256(name ‖ 0x0A ‖ type ‖ public key), first four bytes."""
        return key_id(self.name, self.type, self.public_key)

    @property
    def vkey(self) -> str:
        """`name+hex(keyID)+base64(type ‖ public key)`."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.type]) + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a vkey. Raises MalformedKey, or UnsupportedKey for a good key of another signature type."""
        parts = vkey.split("+", 2)
        if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
            raise MalformedKey(f"not of the form name+hexkeyid+base64: {shown(vkey)}")
        name, material = check_name(parts[0]), from_base64(parts[2])
        if not material:
            raise MalformedKey(f"the key of {shown(name)} is not base64")
        if key_id(name, material[0], material[1:]).hex() != parts[1]:
            raise MalformedKey(f"the key ID of {shown(name)} does not belong to its key")
        return cls(name, material[1:], material[0])

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check a payload over a note text; raises BadSignature.

        Returns a cosignature's time (Unix seconds), None for plain Ed25519.
        """
        time: int | None = None
        message = text.encode("utf-8")
        if self.type == COSIGNATURE:
            if len(signature) != 72:
                raise BadSignature(f"a cosignature has 72 bytes, that of {shown(self.name)} {len(signature)}")
            time = int.from_bytes(signature[:8], "big")
            message, signature = cosigned_message(text, time), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(f"the signature of {shown(self.name)} does not belong to this text") from error
        return time


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under a name, for one signature type. The key does not appear in its repr."""

    name: str
    private_key: Ed25519PrivateKey = field(repr=False)
    type: int = ED25519

    @classmethod
    def from_seed(cls, name: str, seed: bytes, type: int = ED25519) -> Self:
        """From a 32-byte Ed25519 seed (RFC 8032 private key). Raises MalformedKey."""
        if len(seed) != 32:
            raise MalformedKey(f"an Ed25519 seed has 32 bytes, not {len(seed)}")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed), type)

    def __post_init__(self) -> None:
        check_name(self.name)
        _check_type(self.type)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.private_key.public_key().public_bytes_raw(), self.type)

    def sign(self, text: str, time: int | None = None) -> SignatureLine:
        """Sign a note text. A cosigning key needs `time` (Unix seconds), a plain one must not get it."""
        check_text(text)
        if (time is not None) != (self.type == COSIGNATURE):
            raise ValueError("a time belongs to a cosignature, and only to it")
        if time is None:
            payload = self.private_key.sign(text.encode("utf-8"))
        else:
            if not 0 <= time <= MAX_SIZE:
                raise ValueError(f"{time} is not a Unix time")
            payload = time.to_bytes(8, "big") + self.private_key.sign(cosigned_message(text, time))
        return SignatureLine(self.name, self.verifier.key_id, payload)


@dataclass(frozen=True, slots=True)
class Signature:
    """A line that has been verified. `time` is the witness's (Unix seconds), None for a plain signature."""

    verifier: Verifier
    time: int | None


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note at least one known key has signed. `ignored` counts the lines of unknown keys."""

    text: str
    signatures: tuple[Signature, ...]
    ignored: int


def key_id(name: str, type: int, public_key: bytes) -> bytes:
    """First four bytes of SHA256(name ‖ 0x0A ‖ type ‖ public key)."""
    return hashlib.sha256(name.encode("utf-8") + b"\n" + bytes([type]) + public_key).digest()[:4]


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs: two header lines, then the whole checkpoint text."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def sign_note(text: str, *signers: Signer) -> Note:
    """A new note under one or more plain keys (two during a key rotation)."""
    return Note(text, tuple(signer.sign(text) for signer in signers))


def parse_note(data: str | bytes) -> Note:
    """Read a note's form without checking any signature. Raises MalformedNote, and nothing else."""
    text, blank, tail = _note_text(data).rpartition("\n\n")
    if not blank or not tail:
        raise MalformedNote("no blank line with signatures after it")
    if not tail.endswith("\n"):
        raise MalformedNote("the last signature line has no newline")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNote(f"{len(lines)} signatures; at most {MAX_SIGNATURES} are read")
    return Note(text + "\n", tuple(parse_signature_line(line) for line in lines))


def parse_signature_line(line: str) -> SignatureLine:
    """Read one signature line, without its newline. Raises MalformedNote."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise MalformedNote(f"not a signature line: {shown(line)}")
    if not _is_name(parts[1]):
        raise MalformedNote(f"not a key name: {shown(parts[1])}")
    payload = from_base64(parts[2])
    if payload is None or len(payload) < 5:
        raise MalformedNote(f"the signature of {shown(parts[1])} is not base64 of a key ID and a signature")
    return SignatureLine(parts[1], payload[:4], payload[4:])


def open_note(note: Note | str | bytes, verifiers: Iterable[Verifier]) -> OpenedNote:
    """Check a note against the known keys.

    Raises MalformedNote, BadSignature (a known key's line does not verify), NotSigned (no known key signed),
    or MalformedKey when two different known keys share name and key ID.
    """
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise MalformedKey(f"two known keys share the name {shown(verifier.name)} and the same key ID")
    parsed = note if isinstance(note, Note) else parse_note(note)
    good: list[Signature] = []
    ignored = 0
    for line in parsed.signatures:
        found = known.get((line.name, line.key_id))
        if found is None:
            ignored += 1
        else:
            good.append(Signature(found, found.verify(parsed.text, line.signature)))
    if not good:
        raise NotSigned("no known key has signed this note")
    return OpenedNote(parsed.text, tuple(good), ignored)


def check_name(name: str) -> str:
    """Return a key name or origin that notes can carry: no white space, no `+`. Raises MalformedKey."""
    if not _is_name(name):
        raise MalformedKey(f"not a key name (no spaces, no plus, not empty): {shown(name)}")
    return name


def check_text(text: str) -> str:
    """Return a text that can be signed. Raises MalformedNote."""
    if not text.endswith("\n"):
        raise MalformedNote("a note text must end in a newline")
    return _note_text(text)


def _is_name(name: str) -> bool:
    return (
        0 < len(name) <= _MAX_NAME
        and "+" not in name
        and not any(char.isspace() or char < " " or "\ud800" <= char <= "\udfff" for char in name)
    )


def _check_type(type: int) -> None:
    if type not in (ED25519, COSIGNATURE):
        raise UnsupportedKey(f"signature type 0x{type:02x} is not one that this ledger can check")


def _note_text(data: str | bytes) -> str:
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedNote(f"the note is longer than {MAX_NOTE_BYTES} bytes")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        if isinstance(data, str):
            data.encode("utf-8")
    except UnicodeError as error:
        raise MalformedNote("the note is not UTF-8") from error
    control = _CONTROL.search(text)
    if control:
        raise MalformedNote(f"control character U+{ord(control.group()):04X} in the note")
    return text
