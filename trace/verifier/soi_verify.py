#!/usr/bin/env python3
"""Checks a village's ledger without trusting the village, its server or its operator.

One file, for strangers. It needs Python 3.9 or newer and the package `cryptography` (pip install cryptography), nothing
else; it shares no code with the program that writes the ledger. The formats are public: C2SP tlog-checkpoint,
tlog-tiles, tlog-proof, tlog-cosignature and tlog-policy, RFC 6962 hashing, RFC 8785 JSON, and docs/formats.md.
"""

# ruff: noqa: B905, UP017  # Python 3.9 has neither zip(strict=) nor datetime.UTC

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import hashlib
import json
import os
import re
import stat
import sys
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, NoReturn

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256
except ImportError:
    sys.exit("This needs the Python package 'cryptography'. Install it with: python3 -m pip install cryptography")

HOLDS, DOES_NOT_HOLD, NOT_CHECKED = 0, 1, 2

HELP = """\
Checks a village's ledger without trusting the village. You need one thing that you got by another way than the file
that you check: the ledger's public key (a line such as so.example/so+1a2b3c4d+AZ...), from somebody whom you trust, in
print, or kept since an earlier visit. Give it with --key.

  soi_verify.py receipt my.tlog-proof --key KEY          is this entry in the ledger?
  soi_verify.py lot my.soi-proof --key KEY               does the whole story of this lot hold?
  soi_verify.py lot https://so.example/01/.../10/... --key KEY
                                                         the same, fetched from the address in a pack's QR code
  soi_verify.py log https://so.example/ledger --key KEY  read the whole ledger, or a mirror's folder, and check it all
  soi_verify.py consistency old.txt new.txt --from https://so.example/ledger --key KEY
                                                         was anything rewritten between two checkpoints that I kept?
  soi_verify.py live https://so.example/live/.../order.json --key KEY
                                                         does a livestream's order of arrival stand as in the ledger?

It ends with status 0 when it holds, 1 when it does not hold, 2 when it could not be checked (a file or key is missing,
the network fails). Every step is printed with its reason. What a true lot proof cannot show is said as well.
"""

MAX_ENTRY = 16 * 1024
MAX_NOTE = 256 * 1024
MAX_RECEIPT = MAX_NOTE + 128 * 1024
MAX_LOT_PROOF = 16 * 1024 * 1024
MAX_KEYS = 64 * 1024
MAX_LIVE = 256 * 1024 * 1024
MAX_SIZE = 2**63 - 1
MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32
MAX_SIGNATURES = 100
MAX_PATH = 63
WIDTH = 256
MAX_BUNDLE = WIDTH * (2 + 0xFFFF)
FETCH_SECONDS = 120
"""What one file may take over the network, however slowly it trickles."""

ED25519, COSIGNATURE = 0x01, 0x04


class Broken(Exception):
    """It does not hold, and why."""


class Unchecked(Exception):
    """It could not be checked, and why."""


def shown(text: object, limit: int = 120) -> str:
    """Foreign text, quoted and cut: nothing of it can play with a terminal."""
    told = text if isinstance(text, str) else str(text)
    return ascii(told if len(told) <= limit else told[:limit] + "...")


# ---- Spellings: base64, decimals, JSON ------------------------------------------------------------------------------


def from_base64(text: object) -> bytes | None:
    """Padded base64 in its one canonical spelling, else None."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True) if isinstance(text, str) else None
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return None
    return data if data is not None and to_base64(data) == text else None


def to_base64(data: bytes) -> str:
    """Padded base64."""
    return base64.b64encode(data).decode("ascii")


def from_decimal(text: str) -> int | None:
    """A decimal without sign or leading zeroes, else None."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII):
        return None
    return int(text) if int(text) <= MAX_SIZE else None


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise Broken("a whole number beyond 2^53")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= 40 else float("inf")
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise Broken("a number that is not finite or is beyond 2^53")
    return value


def _constant(name: str) -> NoReturn:
    raise Broken(f"{name} is not JSON")


def strict_json(data: bytes, limit: int = MAX_ENTRY) -> Any:
    """Read JSON whose bytes must be their own canonical form (RFC 8785, text in NFC). Raises Broken."""
    if len(data) > limit:
        raise Broken(f"{len(data)} bytes of JSON; at most {limit} are allowed")
    try:
        value = json.loads(
            data.decode("utf-8"), parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
        # What stands twice in an object, or is spelled in another way, does not come out again as it went in.
        if jcs(value) != data:
            raise Broken("the bytes are not their own canonical form (RFC 8785 with NFC)")
    except (UnicodeError, ValueError) as error:
        raise Broken(f"not JSON in UTF-8: {shown(error)}") from None
    except RecursionError:
        raise Broken("JSON nested too deeply") from None
    return value


def jcs(value: Any, depth: int = 0) -> bytes:
    """RFC 8785's canonical form. Text that is not in NFC, and what JSON cannot carry, is Broken."""
    parts: list[str] = []
    _write(value, parts, depth)
    return "".join(parts).encode("utf-8")


def _write(value: Any, parts: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Broken(f"JSON nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        parts.append(_text(value))
    elif value is None:
        parts.append("null")
    elif value is True or value is False:
        parts.append("true" if value else "false")
    elif isinstance(value, int):
        parts.append(str(value))
    elif isinstance(value, float):
        parts.append(_number(value))
    elif isinstance(value, list):
        parts.append("[")
        for number, item in enumerate(value):
            if number:
                parts.append(",")
            _write(item, parts, depth + 1)
        parts.append("]")
    elif isinstance(value, dict):
        parts.append("{")
        names = sorted(value) if "".join(value).isascii() else sorted(value, key=lambda name: name.encode("utf-16-be"))
        for number, name in enumerate(names):
            parts.append("," if number else "")
            parts.append(_text(name))
            parts.append(":")
            _write(value[name], parts, depth + 1)
        parts.append("}")
    else:
        raise Broken(f"a {type(value).__name__} has no place in JSON")


def _text(text: str) -> str:
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        raise Broken(f"text that is not in Unicode's normal form C: {shown(text)}")
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    """As ECMAScript writes a number: the shortest digits that read back the same, which Python's repr finds too."""
    if value == 0:
        return "0"
    sign, (mantissa, _, power) = ("-" if value < 0 else ""), repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = int(power or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    exponent = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + exponent


# ---- The tree (RFC 6962) --------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """SHA256(0x00 || entry)"""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA256(0x01 || left || right)"""
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 2.1.3.2. Raises Broken."""
    if not 0 <= index < size:
        raise Broken(f"there is no entry {index} in a log of {size}")
    fn, sn, value = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            raise Broken(f"the path of entry {index} is too long for a log of {size}")
        if fn & 1 or fn == sn:
            value = node_hash(sibling, value)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Broken(f"the path of entry {index} is too short for a log of {size}")
    if value != root:
        raise Broken(f"entry {index} does not lead to the root of the signed checkpoint")


def fold_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """RFC 9162 2.1.4.2 for 0 < old < new: the roots at both sizes that the path leads to. Raises Broken."""
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        raise Broken(f"no hashes from {old} to {new} entries")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if sn == 0:
            raise Broken(f"too many hashes from {old} to {new} entries")
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Broken(f"too few hashes from {old} to {new} entries")
    return first, second


Node = tuple[int, int]
"""(level, number): the complete subtree over the leaves from number * 2^level on."""


def cover(start: int, end: int) -> Iterator[Node]:
    """The complete subtrees of [start, end), left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def consistency_nodes(old: int, new: int) -> list[list[Node]]:
    """For each hash of the proof from old to new, the complete subtrees that fold into it (RFC 6962 2.1.2)."""
    start, end, whole = 0, new, True
    path: list[list[Node]] = []
    while old < end:
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        if old <= middle:
            path.append(list(cover(middle, end)))
            end = middle
        else:
            path.append(list(cover(start, middle)))
            start, whole = middle, False
    if not whole:
        path.append(list(cover(start, end)))
    return path[::-1]


def fold(hashes: Sequence[bytes]) -> bytes:
    """Several complete subtrees, largest first, into one hash."""
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = node_hash(left, value)
    return value


# ---- Keys, notes, checkpoints, policies -----------------------------------------------------------------------------


class Key(NamedTuple):
    """A public key under a name: of a log or custodian (type 0x01), or of a witness (type 0x04)."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA256(name || 0x0A || type || public key)."""
        return hashlib.sha256(self.name.encode("utf-8") + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """name+id+base64, as it is published."""
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.type]) + self.public)}"


def is_name(name: str) -> bool:
    """Whether a key may be called so."""
    return 0 < len(name) <= 255 and "+" not in name and not any(
        char.isspace() or char < " " or "\ud800" <= char <= "\udfff" for char in name
    )


def read_key(vkey: object) -> Key:
    """Read a vkey. Raises Broken."""
    parts = vkey.split("+", 2) if isinstance(vkey, str) else []
    material = from_base64(parts[2]) if len(parts) == 3 else None
    if not material or not is_name(parts[0]) or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
        raise Broken(f"not a key of the form name+id+base64: {shown(vkey)}")
    key = Key(parts[0], material[0], material[1:])
    if key.id.hex() != parts[1]:
        raise Broken(f"the ID in this key does not belong to it: {shown(vkey)}")
    if key.type not in (ED25519, COSIGNATURE) or len(key.public) != 32:
        raise Broken(f"a key of a kind that this program cannot check: {shown(vkey)}")
    return key


def ed25519(public: bytes, signature: bytes | None, message: bytes) -> bool:
    """Whether this Ed25519 signature holds."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature or b"", message)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


class SigLine(NamedTuple):
    """A signature line of a note, not yet checked."""

    name: str
    id: bytes
    payload: bytes


class Note(NamedTuple):
    """A signed note: its text, and the lines below it."""

    raw: str
    text: str
    lines: tuple[SigLine, ...]


def read_note(data: Any) -> Note:
    """Read a signed note's form. Raises Broken."""
    try:
        if isinstance(data, str):
            data.encode("utf-8")
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeError:
        raise Broken("the checkpoint is not UTF-8") from None
    if len(text) > MAX_NOTE or re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise Broken("the checkpoint is too long or has control characters")
    body, blank, tail = text.rpartition("\n\n")
    lines = tail[:-1].split("\n") if tail.endswith("\n") else []
    if not blank or not lines or len(lines) > MAX_SIGNATURES:
        raise Broken(f"not a signed note: a text, a blank line, then 1 to {MAX_SIGNATURES} signatures")
    found = []
    for line in lines:
        parts = line.split(" ")
        payload = from_base64(parts[2]) if len(parts) == 3 else None
        if len(parts) != 3 or parts[0] != "\u2014" or not is_name(parts[1]) or payload is None or len(payload) < 5:
            raise Broken(f"not a signature line: {shown(line)}")
        found.append(SigLine(parts[1], payload[:4], payload[4:]))
    return Note(text, body + "\n", tuple(found))


class Head(NamedTuple):
    """A checkpoint: the log `origin` has `size` entries under `root`."""

    origin: str
    size: int
    root: bytes


def read_head(note: Note) -> Head:
    """The three lines of a checkpoint. Raises Broken."""
    lines = note.text.split("\n")
    size = from_decimal(lines[1]) if len(lines) == 4 and not lines[3] else None
    root = from_base64(lines[2]) if size is not None else None
    if size is None or root is None or len(root) != 32 or not is_name(lines[0]):
        raise Broken("a checkpoint is three lines: origin, size, root")
    if size == 0 and root != hashlib.sha256(b"").digest():
        raise Broken("the root of an empty log must be SHA-256 of nothing")
    return Head(lines[0], size, root)


def signers(note: Note, keys: Iterable[Key]) -> list[tuple[Key, int | None]]:
    """Which of these keys signed, with a witness's time. A bad line of one of them is Broken; others are left alone."""
    known = {(key.name, key.id): key for key in keys}
    found: list[tuple[Key, int | None]] = []
    for line in note.lines:
        key = known.get((line.name, line.id))
        if key is None:
            continue
        message, signature = note.text.encode("utf-8"), line.payload
        moment: int | None = None
        if key.type == COSIGNATURE:
            moment, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = b"cosignature/v1\ntime %d\n" % moment + message
        if not ed25519(key.public, signature, message):
            raise Broken(f"the signature of {shown(key.vkey)} does not belong to this checkpoint")
        found.append((key, moment))
    return found


class Policy:
    """What is asked of a checkpoint (C2SP tlog-policy): whose logs, which witnesses, how many of them."""

    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: list[tuple[str, int, list[str]]] = []
        self.quorum = ""

    @classmethod
    def read(cls, data: bytes) -> Policy:
        """Read a policy file. Raises Broken with the line."""
        policy = cls()
        try:
            lines = data.decode("utf-8").split("\n")
        except UnicodeError:
            raise Broken("the policy is not UTF-8") from None
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if words and not words[0].startswith("#"):
                try:
                    policy._line(words)
                except (Broken, IndexError, KeyError, ValueError) as error:
                    raise Broken(f"line {number} of the policy: {shown(error)}") from None
        if not policy.quorum:
            raise Broken("the policy has no quorum line")
        return policy

    def _line(self, words: list[str]) -> None:
        kind, names = words[0], {"none", *self.witnesses, *(group[0] for group in self.groups)}
        if kind == "log" and len(words) in (2, 3):
            self.logs.append(_of_type(read_key(words[1]), ED25519))
        elif kind == "witness" and len(words) in (3, 4) and words[1] not in names:
            key = _of_type(read_key(words[2]), COSIGNATURE)
            if any(key.public == one.public for one in self.witnesses.values()):
                raise Broken("this witness's key stands there twice")
            self.witnesses[words[1]] = key
        elif kind == "group" and len(words) >= 4 and words[1] not in names:
            members = words[3:]
            used = [member for group in self.groups for member in group[2]]
            if len(set(members + used)) != len(members + used) or not set(members) <= names - {"none"}:
                raise Broken("a group's members are witnesses or groups from above, each a member once")
            wanted = {"all": len(members), "any": 1}.get(words[2]) or from_decimal(words[2]) or 0
            if not 1 <= wanted <= len(members):
                raise Broken(f"so many cannot be asked for: {shown(words[2])}")
            self.groups.append((words[1], wanted, members))
        elif kind == "quorum" and len(words) == 2 and words[1] in names and not self.quorum:
            self.quorum = words[1]
        else:
            raise Broken("not a line of a policy: {}".format(shown(" ".join(words))))

    def satisfied(self, cosigned: set[bytes]) -> bool:
        """Whether witnesses with these public keys are enough."""
        there = {"none"} | {name for name, key in self.witnesses.items() if key.public in cosigned}
        for name, wanted, members in self.groups:
            if len(there.intersection(members)) >= wanted:
                there.add(name)
        return self.quorum in there


def _of_type(key: Key, type: int) -> Key:
    if key.type != type:
        raise Broken("a key of another kind than this line asks for")
    return key


class Trust:
    """What the reader brings along: keys of logs and witnesses, and perhaps a policy."""

    def __init__(self, keys: Iterable[Key], policy: Policy | None) -> None:
        every = [*keys, *(policy.logs + list(policy.witnesses.values()) if policy else [])]
        self.logs = [key for key in every if key.type == ED25519]
        self.witnesses = list({key.public: key for key in every if key.type == COSIGNATURE}.values())
        self.policy = policy

    def log_keys(self, origin: str) -> list[Key]:
        """The keys of the log of this name."""
        return [key for key in self.logs if key.name == origin]

    def enough(self, cosigned: set[bytes]) -> bool:
        """Whether the policy, if there is one, is content."""
        return self.policy is None or self.policy.satisfied(cosigned)


# ---- Entries --------------------------------------------------------------------------------------------------------


class Link(NamedTuple):
    """An entry's place in the chain of one batch."""

    batch: str
    seq: int
    prev: bytes | None


class Entry(NamedTuple):
    """An entry: its number, its bytes, what they say, and its places in its batches' chains."""

    at: int
    body: bytes
    record: dict[str, Any]
    links: tuple[Link, ...]
    leaf: bytes


def read_entry(index: int, body: bytes) -> Entry:
    """Read an entry strictly. Raises Broken."""
    try:
        record = strict_json(body)
        if not isinstance(record, dict) or type(record.get("v")) is not int or record["v"] != 1:
            raise Broken("not an entry of version 1")
        if not isinstance(record.get("type"), str) or not isinstance(record.get("event", 0), (dict, type(None))):
            raise Broken("an entry has a type, and an event or null")
        if not isinstance(record.get("commitments"), dict) or not isinstance(record.get("recordedAt"), str):
            raise Broken("an entry has commitments and says when it was recorded")
        if not isinstance(record.get("chain"), list):
            raise Broken("an entry has a chain")
        links = tuple(_link(told) for told in record["chain"])
        if len({link.batch for link in links}) != len(links):
            raise Broken("an entry touches each batch once")
    except Broken as error:
        raise Broken(f"entry {index}: {error}") from None
    return Entry(index, body, record, links, leaf_hash(body))


def _link(told: Any) -> Link:
    if not isinstance(told, dict) or set(told) != {"batch", "seq", "prev"} or not isinstance(told["batch"], str):
        raise Broken("a link of a chain has a batch, a number and the hash before")
    seq, prev = told["seq"], from_base64(told["prev"])
    if type(seq) is not int or seq < 0 or (seq == 0) != (told["prev"] is None):
        raise Broken("a chain counts from 0, and only its first link has none before it")
    if seq and (prev is None or len(prev) != 32):
        raise Broken("the hash before is no hash")
    return Link(told["batch"], seq, prev)


def follow(link: Link, head: tuple[int, bytes] | None, index: int) -> None:
    """Check that a link follows the batch's newest one. Raises Broken."""
    seq, leaf = head or (-1, None)
    if link.seq != seq + 1:
        before = f"after number {seq} comes {link.seq}" if head else f"it begins with number {link.seq}"
        raise Broken(f"the chain of {shown(link.batch)} has a gap: {before} (entry {index})")
    if link.prev != leaf:
        raise Broken(f"entry {index} does not name the entry before it in the chain of {shown(link.batch)}")


def made_of(record: dict[str, Any], batch: str) -> list[str]:
    """What went into `batch`, if this entry's event is a transformation that made it. Raises Broken."""
    event = record.get("event")
    if not isinstance(event, dict) or event.get("type") != "TransformationEvent":
        return []
    try:
        outputs = [part["epcClass"] for part in event.get("outputQuantityList") or []]
        inputs = [part["epcClass"] for part in event.get("inputQuantityList") or []]
    except (KeyError, TypeError):
        raise Broken("an event's quantities cannot be read") from None
    if not all(isinstance(name, str) for name in inputs + outputs):
        raise Broken("an event names each lot by a text")
    return inputs if batch in outputs else []


_SMALL_ORDER = {
    bytes.fromhex(one)
    for one in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}
"""Ed25519 points of small order: under such a "key", one signature fits many messages."""


def device_verifier(jwk: Any) -> Callable[[bytes, bytes], bool]:
    """How to check signatures of a phone's key, given as a JWK. Raises Broken."""
    if not isinstance(jwk, dict) or not all(isinstance(value, str) for value in jwk.values()):
        raise Broken("a phone's key is no JWK")
    if set(jwk) == {"crv", "kty", "x"} and (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519"):
        raw = _coordinate(jwk["x"])
        y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
        if y >= 2**255 - 19 or y.to_bytes(32, "little") in _SMALL_ORDER:
            raise Broken("a phone's key is not usable")
        return lambda signature, message: ed25519(raw, signature, message)
    if set(jwk) == {"crv", "kty", "x", "y"} and (jwk["kty"], jwk["crv"]) == ("EC", "P-256"):
        x, y = (int.from_bytes(_coordinate(jwk[name]), "big") for name in ("x", "y"))
        try:
            public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ValueError:
            raise Broken("a phone's key is not a point of P-256") from None
        return lambda signature, message: _ecdsa(public, signature, message)
    raise Broken("a phone's key is neither Ed25519 nor P-256 with its required members only")


def _ecdsa(public: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    if len(signature) != 64:
        return False
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        public.verify(der, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _coordinate(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
        raise Broken("a coordinate of a key is 32 bytes in base64url")
    raw = base64.urlsafe_b64decode(text + "=")
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != text:
        raise Broken("a coordinate of a key is not spelled canonically")
    return raw


class Span:
    """A key, and where on the log it signs: after or from `first`, and before `ended`."""

    def __init__(self, first: int, check: Callable[[bytes, bytes], bool]) -> None:
        self.first = first
        self.check = check
        self.ended: int | None = None

    def covers(self, index: int) -> bool:
        """Whether the key is good for this entry."""
        return self.first <= index and (self.ended is None or index < self.ended)


class Keyring:
    """The keys of one log as its own entries enrol and end them, judged by the position of entries."""

    def __init__(self, origin: str, trusted: Iterable[Key]) -> None:
        self.origin = origin
        self.ledger = list(trusted)
        self.retired: dict[str, int] = {}
        self.custodians: dict[str, Span] = {}
        self.custodian_vkeys: dict[str, str] = {}
        self.devices: dict[str, Span] = {}

    def learn(self, entry: Entry) -> None:
        """Take a key entry in. Raises Broken."""
        told = entry.record.get("key")
        try:
            what = (told["role"], told["status"])  # type: ignore[index]
            if what == ("custodian", "enrolled"):
                self._custodian(entry.at, told)
            elif what == ("ledger", "enrolled"):
                self._ledger(told)
            elif what == ("ledger", "retired"):
                self.retired[read_key(told["vkey"]).vkey] = entry.at  # type: ignore[index]
            elif what == ("device", "enrolled"):
                self._device(entry.at, told)
            elif what in (("device", "revoked"), ("device", "lost")):
                span = self.devices.get(told["key"])  # type: ignore[index]
                if span is None or span.ended is not None:
                    raise Broken("only a phone's key that was enrolled, and not yet ended, can end")
                span.ended = entry.at
            else:
                raise Broken(f"not something that happens to a key: {shown(what)}")
        except (KeyError, TypeError, AttributeError) as error:
            raise Broken(f"not a key entry: {shown(repr(error))}") from None

    def check(self, entry: Entry) -> tuple[str, str, int | None]:
        """Who signed an entry: role, key, and a phone's number. Raises Broken when nobody rightly did."""
        record = entry.record
        try:
            if ("custodian" in record) == ("device" in record):
                raise Broken("it is signed by a phone or by the custodian, and by one of them only")
            if record["type"] == "claim":
                check_foreign(record)
            if record["type"] == "live":
                check_livestream(record)
            return self._by_device(entry) if "device" in record else self._by_custodian(entry)
        except (KeyError, TypeError, AttributeError) as error:
            raise Broken(f"its signature cannot be read: {shown(repr(error))}") from None

    def _by_custodian(self, entry: Entry) -> tuple[str, str, int | None]:
        told = entry.record["custodian"]
        span = self.custodians.get(told["key"])
        if span is None or not span.covers(entry.at):
            raise Broken("it is signed with a custodian's key {} that is not good there".format(shown(told["key"])))
        message = b"soi/custodian/event/v1\n" + jcs(entry.record["event"])
        if not span.check(from_base64(told["sig"]) or b"", message):
            raise Broken("the custodian's signature does not fit the event")
        if entry.record["type"] == "claim":
            received = b"soi/custodian/claim/v1\n" + jcs(entry.record["claim"])
            if not span.check(from_base64(entry.record["received"]) or b"", received):
                raise Broken("the custodian did not sign that this claim was received")
        return "custodian", told["key"], None

    def _by_device(self, entry: Entry) -> tuple[str, str, int | None]:
        told = entry.record["device"]
        key, seq, claim = told["key"], told["seq"], told["claim"]
        if type(seq) is not int or seq < 1:
            raise Broken("a phone counts its signatures from 1")
        span = self.devices.get(key)
        if span is None or entry.at <= span.first or not span.covers(entry.at):
            raise Broken(f"it is signed with a phone's key {shown(key)} that is not good there")
        message = jcs({"claim": claim, "key": key, "log": self.origin, "seq": seq})
        if not span.check(from_base64(told["sig"]) or b"", b"soi/device/event/v1\n" + message):
            raise Broken("the phone's signature does not fit what it claims")
        check_claim(claim, entry.record)
        return "device", key, seq

    def _custodian(self, index: int, told: Any) -> None:
        key = read_key(told["vkey"])
        if index == 0 and "replaces" in told:
            raise Broken("the first custodian replaces nobody")
        if index:
            old = self.custodian_vkeys.get(told["replaces"])
            if old is None:
                raise Broken("it replaces a custodian's key that the log does not know")
            self._rotated(told, "custodian")
            self.custodians[old].ended = index
        self.custodian_vkeys[told["vkey"]] = key.id.hex()
        self.custodians[key.id.hex()] = Span(index, lambda sig, message: ed25519(key.public, sig, message))

    def _ledger(self, told: Any) -> None:
        self._rotated(told, "ledger")
        key = read_key(told["vkey"])
        if key.name != self.origin:
            raise Broken("the ledger's key bears the ledger's name")
        if read_key(told["replaces"]) in self.ledger and key not in self.ledger:
            self.ledger.append(key)

    def _rotated(self, told: Any, role: str) -> None:
        parts = {"log": self.origin, "replaces": told["replaces"], "role": role, "vkey": told["vkey"]}
        message = b"soi/key/rotate/v1\n" + jcs(parts)
        both = [read_key(told["replaces"]), read_key(told["vkey"])]
        if not isinstance(told["sigs"], list) or len(told["sigs"]) != 2 or any(key.type != ED25519 for key in both):
            raise Broken("the old and the new key both sign that one replaces the other")
        for key, signature in zip(both, told["sigs"]):
            if not ed25519(key.public, from_base64(signature), message):
                raise Broken(f"{shown(key.vkey)} did not sign that one key replaces the other")

    def _device(self, index: int, told: Any) -> None:
        check = device_verifier(told["jwk"])
        name = base64.urlsafe_b64encode(hashlib.sha256(jcs(told["jwk"])).digest()).rstrip(b"=").decode("ascii")
        if told["key"] != name:
            raise Broken("a phone's key is not named by its thumbprint")
        if name in self.devices:
            raise Broken("a phone's key is enrolled once")
        message = b"soi/device/enrol/v1\n" + jcs({"jwk": told["jwk"], "log": self.origin})
        if not check(from_base64(told["proof"]) or b"", message):
            raise Broken("a phone did not sign its own enrolment")
        self.devices[name] = Span(index, check)


def check_foreign(record: dict[str, Any]) -> None:
    """Check the form of an entry that tells what somebody else claims. Raises Broken."""
    told = record.get("claim")
    if record.get("event") is not None or "device" in record:
        raise Broken("a claim is somebody else's: the entry has no event and no phone of ours")
    if not isinstance(told, dict) or set(told) - {"event"} != {"by", "sha256", "size"}:
        raise Broken("a claim says who makes it, and its event's hash and size")
    by, digest, size = told["by"], told["sha256"], told["size"]
    if not isinstance(by, str) or not 0 < len(by) <= 120:
        raise Broken("a claim bears its maker's name")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest, re.ASCII):
        raise Broken("a claim's hash is SHA-256 in hex")
    if type(size) is not int or size < 2:
        raise Broken("a claim's size is a number of bytes")
    if "event" in told:
        data = jcs(told["event"]) if isinstance(told["event"], dict) else b""
        if len(data) != size or hashlib.sha256(data).hexdigest() != digest:
            raise Broken("the claimed event is not the one that its hash names")


def check_livestream(record: dict[str, Any]) -> None:
    """Check the form of an entry that says how far a livestream's log had grown. Raises Broken."""
    told = record.get("live")
    if record.get("event") is not None or "device" in record or record["chain"]:
        raise Broken("a livestream's entry has no event, no phone and no batch")
    if not isinstance(told, dict) or set(told) != {"session", "length", "head", "decisions"}:
        raise Broken("a livestream's entry says whose log it is, how long, its last hash and its decisions")
    uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    if not isinstance(told["session"], str) or not re.fullmatch(uuid, told["session"], re.ASCII):
        raise Broken("a livestream is named by a UUID")
    if type(told["length"]) is not int or told["length"] < 1:
        raise Broken("a livestream's log has a length")
    for name in ("head", "decisions"):
        if not isinstance(told[name], str) or not re.fullmatch("[0-9a-f]{64}", told[name], re.ASCII):
            raise Broken("a livestream's hashes are SHA-256 in hex")


_CLAIMED = {
    "id", "process", "stage", "occurred_at", "site", "inputs", "outputs", "readings", "photos", "passed", "facts",
    "commitments",
}  # fmt: skip


def check_claim(claim: Any, record: dict[str, Any]) -> None:
    """Check that the event says what the phone's claim says. Raises Broken, naming the member that does not fit."""
    event = record.get("event")
    if not isinstance(claim, dict) or not isinstance(event, dict):
        raise Broken("what the phone signed is no claim about this event")
    for member in sorted(set(claim) - _CLAIMED):
        raise Broken(f"the phone signed something that no event says: {shown(member)}")
    kind, born = event.get("type"), event.get("action") == "ADD"
    if kind == "TransformationEvent":
        inputs, outputs = event.get("inputQuantityList", []), event.get("outputQuantityList", [])
    elif kind == "AggregationEvent":
        inputs, outputs = event.get("childQuantityList", []), []
    else:
        listed = event.get("quantityList", [])
        inputs, outputs = ([], listed) if born else (listed, [])
    cased = isinstance(claim.get("facts"), dict) and "sscc" in claim["facts"]
    start = "https://id.gs1.org/01/%s/10/"
    checks: dict[str, Callable[[], bool]] = {
        "id": lambda: event["eventID"] == "urn:uuid:{}".format(claim["id"]),
        "occurred_at": lambda: _same_time(claim["occurred_at"], event["eventTime"], event["eventTimeZoneOffset"]),
        "process": lambda: event["soi:process"].rpartition("/")[0] == claim["process"],
        "stage": lambda: event["soi:stage"] == claim["stage"],
        "site": lambda: event["readPoint"]["id"] == "https://id.gs1.org/414/" + claim["site"],
        # The number of a case says what lies in it, when it is opened, sent off or lost.
        "inputs": lambda: (cased and not claim.get("inputs") and not born)
        or _same_parts(claim.get("inputs") or [], inputs, lambda one, epc: one["batch"] == epc),
        "outputs": lambda: _same_parts(
            claim.get("outputs") or [],
            outputs,
            lambda one, epc: epc.startswith(start % one["product"])
            and one.get("lot") in (None, epc[len(start % one["product"]) :]),
        ),
        "readings": lambda: _same_readings(claim.get("readings") or [], event.get("sensorElementList", [])),
        "passed": lambda: claim.get("passed") is not False
        or "conformant" not in event.get("persistentDisposition", {}).get("set", []),
        "facts": lambda: _same_facts(_facts(claim), event),
        "photos": lambda: list(claim.get("photos") or []) == list(record.get("photos", [])),
        "commitments": lambda: all(
            record["commitments"].get(name) == value for name, value in claim.get("commitments", {}).items()
        ),
    }
    for member, fits in checks.items():
        try:
            good = fits()
        except (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError):
            good = False
        if not good:
            raise Broken(f"the event does not say what the phone signed: {member}")


def _same_parts(told: list[Any], stored: list[Any], same: Callable[[Any, str], bool]) -> bool:
    return len(told) == len(stored) and all(
        same(one, part["epcClass"]) and _same_amount(one, part) for one, part in zip(told, stored)
    )


def _same_amount(one: Any, part: Any) -> bool:
    if one.get("units") is not None:
        return "uom" not in part and _equal(part["quantity"], one["units"])
    if one.get("grams") is not None:
        return part.get("uom") == "GRM" and _equal(part["quantity"], one["grams"])
    return True


def _facts(claim: Any) -> Any:
    facts = claim.get("facts")
    if facts is not None and not isinstance(facts, dict):
        raise TypeError("facts are an object")
    return facts or {}


def _same_facts(told: Any, event: Any) -> bool:
    """The claim's facts are the event's; a place of origin and a reason stand in the event only if they were signed."""
    if event["type"] == "AggregationEvent" and event["parentID"] != "https://id.gs1.org/00/" + event["soi:sscc"]:
        return False
    return all(isinstance(text, str) and event["soi:" + name] == text for name, text in told.items()) and all(
        name in told or "soi:" + name not in event for name in ("origin", "reason")
    )


def _same_readings(told: list[Any], stored: list[Any]) -> bool:
    reports = [element["sensorReport"][0] for element in stored]
    return len(told) == len(reports) and all(
        report["type"] in (one["type"], "soi:" + one["type"])
        and _equal(report["value"], one["value"])
        and report["uom"] == one["unit"]
        for one, report in zip(told, reports)
    )


def _equal(stored: Any, told: Any) -> bool:
    """Equal as numbers of JSON, where true is not 1."""
    return bool(not isinstance(stored, bool) and not isinstance(told, bool) and stored == told)


_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _moment(text: str) -> tuple[datetime, timedelta]:
    """An instant to the millisecond, and the offset that it was written with. Raises ValueError."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    millis = int((found[7] or "0").ljust(3, "0")[:3])
    zone = found[8]
    offset = timedelta(0)
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    moment = datetime(year, month, day, hour, minute, second, millis * 1000, timezone(offset))
    return moment.astimezone(timezone.utc), offset


def _same_time(claimed: str, stored: str, zone: str) -> bool:
    moment, offset = _moment(claimed)
    return moment == _moment(stored)[0] and offset == _moment("2000-01-01T00:00:00" + zone)[1]


# ---- Where things are read from -------------------------------------------------------------------------------------


def is_url(place: str) -> bool:
    """Whether this names something on the network."""
    return place.startswith(("http://", "https://"))


def split(url: str) -> urllib.parse.SplitResult:
    """An address in its parts. Raises Unchecked for what is none."""
    try:
        return urllib.parse.urlsplit(url)
    except ValueError as error:
        raise Unchecked(f"{shown(url)} is no address: {shown(error)}") from None


class Missing(Unchecked):
    """There is no such file."""


def read_place(place: str, limit: int) -> bytes:
    """A file's or an address's bytes, at most `limit`. Raises Missing or Unchecked."""
    return fetch(place, limit) if is_url(place) else read_file(place, limit)


def read_file(path: str, limit: int) -> bytes:
    """A plain file's bytes."""
    try:
        # What is no plain file, such as a pipe that nobody writes to, is not even opened.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Unchecked(f"{shown(path)} is no file")
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise Missing(f"there is no file {shown(path)}") from None
    except (OSError, ValueError) as error:
        raise Unchecked(f"{shown(path)} cannot be read: {shown(error)}") from None
    if len(data) > limit:
        raise Unchecked(f"{shown(path)} is longer than {limit} bytes")
    return data


def fetch(url: str, limit: int) -> bytes:
    """What an address answers, within a bounded time."""
    ends = time.monotonic() + FETCH_SECONDS
    request = urllib.request.Request(url, headers={"User-Agent": "soi_verify", "Accept": "*/*"})
    data = b""
    try:
        with _opener().open(request, timeout=30) as answer:
            while True:
                part = answer.read1(65536)
                if not part:
                    return data
                data += part
                if len(data) > limit:
                    raise Unchecked(f"{shown(url)} answers with more than {limit} bytes")
                if time.monotonic() > ends:
                    raise Unchecked(f"{shown(url)} takes longer than {FETCH_SECONDS} seconds")
    except urllib.error.HTTPError as error:
        told = f"{shown(url)} answers with status {error.code}"
        raise (Missing if error.code in (404, 410) else Unchecked)(told) from None
    except (OSError, ValueError, EOFError) as error:
        raise Unchecked(f"{shown(url)} cannot be fetched: {shown(error)}") from None
    except Exception as error:  # http.client has errors of its own for every way in which an answer can be odd
        raise Unchecked(f"{shown(url)} cannot be fetched: {shown(repr(error))}") from None


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never out of the web: not to a local file."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not is_url(newurl):
            raise Unchecked(f"a redirect leads out of the web: {shown(newurl)}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_WebOnly)


class Published:
    """A log as it is published: the folder of a mirror, or an address. Tiles are kept while they are needed."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")
        self.kept: dict[str, bytes] = {}
        self.size: int | None = None
        if is_url(place):
            if split(self.place).path in ("", "/"):
                self.place += "/ledger"
        elif not os.path.isdir(place):
            raise Unchecked(f"there is no folder {shown(place)}")
        elif not os.path.exists(os.path.join(place, "checkpoint")) and os.path.isdir(os.path.join(place, "ledger")):
            self.place = os.path.join(place, "ledger")

    def read(self, name: str, limit: int) -> bytes:
        """A file of the tree. Raises Missing or Unchecked."""
        return read_place(self.place + "/" + name, limit)

    def tile(self, level: int, number: int, width: int, limit: int) -> bytes:
        """A tile (or at level -1 an entry bundle) that is so wide at least: as it was, or what it has grown to."""
        digits = str(number).zfill(-(-len(str(number)) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "entries" if level < 0 else str(level)
        path = f"tile/{name}/{'/'.join(['x' + group for group in groups[:-1]] + groups[-1:])}"
        tried = None
        for wide in (width, self._width(level, number), WIDTH) if width < WIDTH else (WIDTH,):
            if wide < width:
                continue
            try:
                return self.read(path if wide == WIDTH else f"{path}.p/{wide}", limit)
            except Missing as missing:
                tried = tried or missing
        raise tried or Missing(path)

    def _width(self, level: int, number: int) -> int:
        """How wide the source's own checkpoint says that a tile is: a hint where to look, no more."""
        if self.size is None:
            try:
                self.size = read_head(read_note(self.read("checkpoint", MAX_NOTE))).size
            except (Broken, Unchecked):
                self.size = 0
        return min((self.size >> (8 * max(level, 0))) - number * WIDTH, WIDTH)

    def hashes(self, level: int, number: int, width: int) -> list[bytes]:
        """The first `width` hashes of a tile. Raises Broken for a tile of another form."""
        data = self.tile(level, number, width, WIDTH * 32)
        if len(data) < width * 32 or len(data) % 32:
            raise Broken(f"hash tile {level}/{number} has {len(data)} bytes, not {width * 32}")
        return [data[at : at + 32] for at in range(0, width * 32, 32)]

    def entries(self, number: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle. Raises Broken for a bundle of another form."""
        data = self.tile(-1, number, width, MAX_BUNDLE)
        found: list[bytes] = []
        at = 0
        while len(found) < width:
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            if at + 2 > len(data) or end > len(data):
                raise Broken(f"entry bundle {number} ends within entry {number * WIDTH + len(found)}")
            found.append(data[at + 2 : end])
            at = end
        if at != len(data) and width == WIDTH:
            raise Broken(f"bytes follow the last entry of bundle {number}")
        return found

    def node(self, level: int, number: int, size: int) -> bytes:
        """A complete subtree's hash, from the tile of a log of `size` entries that holds it."""
        high, low = divmod(level, 8)
        first = number << low
        tile = first // WIDTH
        width = min((size >> (8 * high)) - tile * WIDTH, WIDTH)
        name = f"{high}/{tile}/{width}"
        if name not in self.kept:
            self.kept[name] = b"".join(self.hashes(high, tile, width))
        at = first % WIDTH
        return complete(
            [self.kept[name][32 * one : 32 * one + 32] for one in range(at, at + (1 << low))]
        )


def complete(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


# ---- What is told ---------------------------------------------------------------------------------------------------


class Told:
    """Prints the steps as they come."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.on_line = False

    def step(self, name: str, said: str) -> None:
        """A step that held."""
        self.line(f"  holds   {name:<12} {said}")

    def line(self, text: str) -> None:
        """A line of detail."""
        self._clear()
        if not self.quiet:
            print(text)

    def result(self, text: str) -> None:
        """The outcome, which is printed always."""
        self._clear()
        print(text)

    def progress(self, text: str) -> None:
        """Something that goes on, on one line of a terminal."""
        if not self.quiet and sys.stderr.isatty():
            sys.stderr.write(f"\r{text:<70}")
            sys.stderr.flush()
            self.on_line = True

    def _clear(self) -> None:
        if self.on_line:
            sys.stderr.write("\r" + " " * 70 + "\r")
            sys.stderr.flush()
            self.on_line = False


def when(moment: int | None) -> str:
    """A witness's time for people, with its age by this machine's clock."""
    try:
        told = datetime.fromtimestamp(moment or 0, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return "at an impossible time"
    hours = (time.time() - (moment or 0)) / 3600
    if hours < -1:
        return f"{told} (in the future by this machine's clock)"
    return f"{told} ({hours:.0f} hours ago)" if hours < 72 else f"{told} ({hours / 24:.0f} days ago)"


class Step:
    """Says in which step a fault lies."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Step:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, Broken) and not isinstance(error, StepBroken):
            raise StepBroken(self.name, str(error)) from None


class StepBroken(Broken):
    """A step that does not hold."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(reason)
        self.step = step


def check_head(note: Note, keys: list[Key], retired: dict[str, int], trust: Trust, told: Told) -> Head:
    """The steps `checkpoint` and `witnesses`: the log's key signed, the witnesses' lines hold, and there are enough."""
    with Step("checkpoint"):
        head = read_head(note)
        good = [key for key in keys if retired.get(key.vkey, head.size) >= head.size]
        signed = signers(note, good)
        if not signed:
            late = [key for key, _ in signers(note, keys)] if len(good) < len(keys) else []
            if late:
                at = retired[late[0].vkey]
                raise Broken(f"signed with a key of the log that entry {at} retired")
            raise Broken(
                f"none of the keys that you gave has signed this checkpoint of {shown(head.origin)} "
                "(after a change of the log's key, give the newer one as well)"
            )
        names = ", ".join(key.id.hex() for key, _ in signed)
        told.step("checkpoint", f"{head.size} entries of {shown(head.origin)}, signed by its key {names}")
    with Step("witnesses"):
        cosigned = signers(note, trust.witnesses)
        count = len({key.public for key, _ in cosigned})
        if not trust.enough({key.public for key, _ in cosigned}):
            raise Broken(f"{count} known witnesses have cosigned: fewer than the policy asks for")
        if cosigned:
            newest = max(moment or 0 for _, moment in cosigned)
            told.step("witnesses", f"{count} known witnesses have cosigned, last {when(newest)}")
        else:
            told.step("witnesses", "none were asked for: a second history shown to others would not be seen")
    return head


# ---- Receipts -------------------------------------------------------------------------------------------------------


class Receipt(NamedTuple):
    """A tlog-proof: the entry's number, its path, the checkpoint, and the entry's bytes if they are in it."""

    at: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes | None


def read_receipt(data: bytes) -> Receipt:
    """Read a receipt's form. Raises Broken."""
    try:
        head, blank, note = data.decode("utf-8").partition("\n\n")
    except UnicodeError:
        raise Broken("the receipt is not UTF-8") from None
    lines = head.split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1" or not blank:
        raise Broken("not a receipt: its first line is not c2sp.org/tlog-proof@v1, or it has no checkpoint")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0)[len("extra ") :])
        if not extra or len(extra) > 65536:
            raise Broken("what stands behind 'extra' is not base64 of 1 to 65536 bytes")
    index = from_decimal(lines[0][len("index ") :]) if lines and lines[0].startswith("index ") else None
    path = [from_base64(line) for line in lines[1:]]
    if index is None or len(path) > MAX_PATH or any(one is None or len(one) != 32 for one in path):
        raise Broken(f"a receipt has a line 'index' and at most {MAX_PATH} hashes of 32 bytes")
    return Receipt(index, tuple(one for one in path if one is not None), read_note(note), extra)


def check_receipt(data: bytes, entry: bytes | None, trust: Trust, told: Told) -> tuple[int, bytes]:
    """Check a receipt and say what it says: the entry's place and bytes. Raises StepBroken, or Unchecked where there
    is no entry."""
    with Step("form"):
        receipt = read_receipt(data)
        told.step("form", f"a receipt of entry {receipt.at}")
    body = receipt.extra if entry is None else entry
    if body is None:
        raise Unchecked("the entry itself is not in the receipt; give its bytes with --entry")
    with Step("checkpoint"):
        origin = read_head(receipt.note).origin
    head = check_head(receipt.note, trust.log_keys(origin), {}, trust, told)
    with Step("inclusion"):
        if head.size == 0:
            raise Broken("the checkpoint is of an empty log; no entry can be in it")
        check_inclusion(leaf_hash(body), receipt.at, head.size, receipt.path, head.root)
        told.step("inclusion", f"the entry is number {receipt.at} of the {head.size}")
    told.line("  " + summary(body))
    return receipt.at, body


def summary(body: bytes) -> str:
    """What an entry is about, in a line."""
    try:
        entry = read_entry(0, body)
    except Broken:
        return "The entry is no JSON of this ledger; that it is in the log holds all the same."
    event = entry.record["event"] or {}
    batches = ", ".join(link.batch for link in entry.links[:5]) + (", ..." if len(entry.links) > 5 else "")
    signed = "by a phone" if "device" in entry.record else "by the custodian for somebody without a key"
    return "The entry: {}, recorded {}, signed {}, about {}".format(
        shown(event.get("soi:stage", entry.record["type"])), shown(entry.record.get("recordedAt")), signed,
        shown(batches, 400) if batches else "no batch",
    )  # fmt: skip


# ---- Lot proofs -----------------------------------------------------------------------------------------------------


class LotProof(NamedTuple):
    """A lot, a checkpoint, and entries with their paths."""

    lot: str
    note: Note
    entries: list[Entry]
    paths: list[list[bytes]]


def read_lot_proof(data: bytes) -> LotProof:
    """Read a lot proof's form strictly. Raises Broken."""
    told = strict_json(data, MAX_LOT_PROOF)
    if not isinstance(told, dict) or set(told) != {"format", "lot", "checkpoint", "entries"}:
        raise Broken("not a lot proof: it has format, lot, checkpoint and entries, and nothing else")
    if told["format"] != "soi-lot-proof/v1":
        raise Broken("a lot proof of a format that this program does not know: {}".format(shown(told["format"])))
    if not isinstance(told["lot"], str) or not re.fullmatch(
        r"https://id\.gs1\.org/01/[0-9]{14}/10/[A-Za-z0-9._~%!$&'()*+,;=:@-]{1,60}", told["lot"]
    ):
        raise Broken("the lot is not named by its canonical GS1 Digital Link: {}".format(shown(told["lot"])))
    if not isinstance(told["checkpoint"], str) or not isinstance(told["entries"], list) or not told["entries"]:
        raise Broken("a lot proof has a checkpoint and at least one entry")
    note, before = read_note(told["checkpoint"]), -1
    entries: list[Entry] = []
    paths: list[list[bytes]] = []
    for one in told["entries"]:
        if not isinstance(one, dict) or set(one) != {"index", "entry", "path"} or type(one["index"]) is not int:
            raise Broken("an entry in it has an index, its bytes and a path")
        body = from_base64(one["entry"])
        if body is None or not isinstance(one["path"], list) or len(one["path"]) > MAX_PATH:
            raise Broken(f"the bytes or the path of entry {one['index']} cannot be read")
        path = [from_base64(value) or b"" for value in one["path"]]
        if any(len(value) != 32 for value in path):
            raise Broken(f"the path of entry {one['index']} is not made of hashes")
        if one["index"] <= before:
            raise Broken(f"entry {one['index']} stands after entry {before}")
        before = one["index"]
        entries.append(read_entry(one["index"], body))
        paths.append(path)
    return LotProof(told["lot"], note, entries, paths)


def check_lot(data: bytes, trust: Trust, told: Told) -> tuple[LotProof, Head, int]:
    """Check a lot proof step by step. Raises StepBroken. Returns it with its checkpoint and the number of ancestors."""
    with Step("form"):
        proof = read_lot_proof(data)
        told.step("form", f"{len(proof.entries)} entries about {shown(proof.lot)}")
    with Step("checkpoint"):
        origin = read_head(proof.note).origin
    rotations = Keyring(origin, trust.log_keys(origin))
    for entry in proof.entries:
        key = entry.record.get("key") if entry.record["type"] == "key" else None
        if isinstance(key, dict) and key.get("role") == "ledger":
            # A bad one leads nowhere here; what is wrong with it is said at the signatures.
            with contextlib.suppress(Broken):
                rotations.learn(entry)
    head = check_head(proof.note, rotations.ledger, rotations.retired, trust, told)
    with Step("inclusion"):
        for entry, path in zip(proof.entries, proof.paths):
            check_inclusion(entry.leaf, entry.at, head.size, path, head.root)
        told.step("inclusion", "every entry is in the log, where it says")
    phones = _lot_signatures(proof, origin, trust)
    by_phone = sum(phones.values())
    by_custodian = len(proof.entries) - by_phone
    told.step("signatures", f"{by_phone} entries signed on {len(phones)} phones, {by_custodian} by the custodian")
    with Step("chain"):
        heads, parents = _lot_chains(proof)
        told.step("chain", f"of {len(heads)} batches, none has a gap")
    with Step("ancestry"):
        for batch in parents:
            if batch not in heads:
                of = "the lot itself" if batch == proof.lot else f"{shown(batch)}, of which it was made"
                raise Broken(f"there is no entry of {of}")
        told.step("ancestry", f"the lot and all {len(parents) - 1} batches that it was made of are there")
    return proof, head, len(parents) - 1


def _lot_signatures(proof: LotProof, origin: str, trust: Trust) -> dict[str, int]:
    """How many entries each phone signed."""
    ring = Keyring(origin, trust.log_keys(origin))
    used: dict[tuple[str, int], int] = {}
    phones: dict[str, int] = {}
    with Step("signatures"):
        for entry in proof.entries:
            try:
                if entry.record["type"] == "key":
                    ring.learn(entry)
                role, key, seq = ring.check(entry)
            except Broken as error:
                raise Broken(f"entry {entry.at}: {error}") from None
            if role == "device" and seq is not None:
                phones[key] = phones.get(key, 0) + 1
                if used.setdefault((key, seq), entry.at) != entry.at:
                    first = used[key, seq]
                    raise Broken(f"one phone used number {seq} twice: in entries {first} and {entry.at}")
    return phones


def _lot_chains(proof: LotProof) -> tuple[dict[str, tuple[int, bytes]], list[str]]:
    """The newest link of each batch of the lot's family, and that family: the lot, then its ancestors."""
    chains: dict[str, list[Entry]] = {}
    for entry in proof.entries:
        for link in entry.links:
            chains.setdefault(link.batch, []).append(entry)
    family, waiting = {proof.lot: None}, [proof.lot]
    while waiting:
        batch = waiting.pop()
        for entry in chains.get(batch, []):
            for parent in made_of(entry.record, batch):
                if parent not in family:
                    family[parent] = None
                    waiting.append(parent)
    heads: dict[str, tuple[int, bytes]] = {}
    for entry in proof.entries:
        for link in entry.links:
            if link.batch in family:
                follow(link, heads.get(link.batch), entry.at)
                heads[link.batch] = (link.seq, entry.leaf)
    return heads, list(family)


# ---- The whole log --------------------------------------------------------------------------------------------------


class Numbers:
    """The numbers that one phone used: which are missing, which came twice. Small, however many there are."""

    def __init__(self) -> None:
        self.all_below = 1
        self.above: set[int] = set()
        self.newest = 0

    def use(self, seq: int) -> bool:
        """Note a number; False if it was used before."""
        if seq < self.all_below or seq in self.above:
            return False
        self.above.add(seq)
        self.newest = max(self.newest, seq)
        while self.all_below in self.above:
            self.above.remove(self.all_below)
            self.all_below += 1
        return True

    def missing(self) -> int:
        """How many numbers up to the newest one were never seen."""
        return self.newest - (self.all_below - 1) - len(self.above)

    def first_missing(self, most: int = 5) -> list[int]:
        """A few of them."""
        found: list[int] = []
        number = self.all_below
        while number <= self.newest and len(found) < most:
            if number not in self.above:
                found.append(number)
            number += 1
        return found


class Audit:
    """One pass over a whole log."""

    def __init__(self, log: Published, trust: Trust, told: Told) -> None:
        self.log, self.trust, self.told = log, trust, told
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.phones: dict[str, Numbers] = {}
        self.livestreams: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.edge: list[tuple[int, bytes]] = []
        self.rows: list[list[bytes]] = []
        self.done: list[int] = []
        self.size = 0
        self.recorded = ""

    def run(self) -> Head:
        """Raises StepBroken or Unchecked. Returns the checkpoint that holds."""
        with Step("checkpoint"):
            note = read_note(self.log.read("checkpoint", MAX_NOTE))
            head = read_head(note)
        self.ring = Keyring(head.origin, self.trust.log_keys(head.origin))
        kept = self._kept()
        began = time.monotonic()
        for number in range(-(-head.size // WIDTH)):
            width = min(head.size - number * WIDTH, WIDTH)
            with Step("entries"):
                bodies = self.log.entries(number, width)
            for body in bodies:
                with Step("entries"):
                    self._entry(read_entry(self.size, body))
                if self.size in kept:
                    self._compare(kept.pop(self.size))
            rate = self.size / max(time.monotonic() - began, 0.001)
            self.told.progress(f"{self.size} of {head.size} entries, {rate} a second")
        with Step("tiles"):
            self._last_tiles()
        self._say()
        with Step("tree"):
            if self.root() != head.root:
                raise Broken("the entries do not hash to the root that the checkpoint signs")
            self.told.step("tree", f"all entries hash to the root {to_base64(head.root)}")
        check_head(note, self.ring.ledger, self.ring.retired, self.trust, self.told)
        for later in kept.values():
            self.told.line(f"  A kept checkpoint is of {later.size} entries, more than the newest one.")
            raise StepBroken("kept checkpoints", "the log is shorter than a checkpoint that was kept of it")
        return head

    def _entry(self, entry: Entry) -> None:
        record = entry.record
        try:
            recorded = record.get("recordedAt")
            if not isinstance(recorded, str) or not re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", recorded, re.ASCII
            ):
                raise Broken("it does not say in UTC when it was recorded")
            if recorded < self.recorded:
                raise Broken(f"it was recorded at {recorded}, before the entry before it")
            self.recorded = recorded
            for link in entry.links:
                follow(link, self.heads.get(link.batch), entry.at)
                self.heads[link.batch] = (link.seq, entry.leaf)
            if record["type"] == "key":
                self.ring.learn(entry)
            role, key, seq = self.ring.check(entry)
            if record["type"] == "live":
                self._grown(record["live"])
            if role == "device" and seq is not None and not self.phones.setdefault(key, Numbers()).use(seq):
                raise Broken(f"phone {shown(key)} used number {seq} a second time")
        except Broken as error:
            raise Broken(f"entry {entry.at}: {error}") from None
        known = ("event", "correction", "key", "erasure", "claim", "live")
        kind = record["type"] if record["type"] in known else "other"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.counts[role] = self.counts.get(role, 0) + 1
        self._grow(entry.leaf)

    def _grown(self, live: dict[str, Any]) -> None:
        """A livestream's log only grows."""
        if live["length"] <= self.livestreams.get(live["session"], 0):
            raise Broken("the livestream's log is no longer than an entry before had it")
        self.livestreams[live["session"]] = live["length"]

    def _grow(self, leaf: bytes) -> None:
        self.size += 1
        level, value = 0, leaf
        while self.edge and self.edge[-1][0] == level:
            value, level = node_hash(self.edge.pop()[1], value), level + 1
        self.edge.append((level, value))
        self._into_tile(0, leaf)

    def _into_tile(self, level: int, value: bytes) -> None:
        if level == len(self.rows):
            self.rows.append([])
            self.done.append(0)
        row = self.rows[level]
        row.append(value)
        if len(row) == WIDTH:
            with Step("tiles"):
                self._compare_tile(level)
            above = complete(row)
            self.rows[level] = []
            self.done[level] += 1
            self._into_tile(level + 1, above)

    def _compare_tile(self, level: int) -> None:
        row, number = self.rows[level], self.done[level]
        if self.log.hashes(level, number, len(row)) != row:
            raise Broken(f"hash tile {number} of level {level} is not what the entries hash to")

    def _last_tiles(self) -> None:
        for level, row in enumerate(self.rows):
            if row:
                self._compare_tile(level)
        tiles = sum(self.done) + sum(bool(row) for row in self.rows)
        self.told.step("tiles", f"all {tiles} hash tiles are what the entries hash to")

    def root(self) -> bytes:
        """The root over all entries so far."""
        return fold([value for _, value in self.edge]) if self.edge else hashlib.sha256(b"").digest()

    def _kept(self) -> dict[int, Head]:
        """The kept checkpoints that lie beside a mirror's tiles."""
        folder = os.path.join(self.log.place, "checkpoints")
        if is_url(self.log.place) or not os.path.isdir(folder):
            return {}
        found: dict[int, Head] = {}
        for name in sorted(os.listdir(folder)):
            with Step("kept checkpoints"):
                head = read_head(read_note(read_file(os.path.join(folder, name), MAX_NOTE)))
                if name != str(head.size):
                    raise Broken(f"the file {shown(name)} holds a checkpoint of {head.size} entries")
                found[head.size] = head
        self.counts["kept"] = len(found)
        if 0 in found:
            self._compare(found.pop(0))
        return found

    def _compare(self, kept: Head) -> None:
        if kept.origin != self.ring.origin or kept.root != self.root():
            raise StepBroken("kept checkpoints", f"the one of {kept.size} entries is of another history")

    def _say(self) -> None:
        kinds = ("events", "event"), ("corrections", "correction"), ("about keys", "key"), ("erasures", "erasure")
        others = ("claims by others", "claim"), ("about livestreams", "live"), ("of other types", "other")
        told = ", ".join(f"{self.counts.get(kind, 0)} {name}" for name, kind in (*kinds, *others))
        self.told.step("entries", f"{self.size}: {told}")
        phones, custodian = self.counts.get("device", 0), self.counts.get("custodian", 0)
        self.told.step("signatures", f"{phones} by phones, {custodian} by the custodian, each key good at its place")
        self.told.step("chain", f"of {len(self.heads)} batches, none has a gap")
        for key, numbers in sorted(self.phones.items()):
            ended, missing = self.ring.devices[key].ended, numbers.missing()
            some = ", ".join(map(str, numbers.first_missing())) + (", ..." if missing > 5 else "")
            gaps = f"{missing} numbers missing ({some})" if missing else "none missing"
            state = "" if ended is None else f", ended by entry {ended}"
            self.told.line(f"          phone {key}: numbers up to {numbers.newest}, {gaps}{state}")
        if self.counts.get("kept"):
            self.told.step("kept", f"{self.counts['kept']} kept checkpoints lie on this one history")


# ---- A livestream's log ---------------------------------------------------------------------------------------------

_LIVE_EVENT = {
    "v", "session", "seq", "kind", "platform", "comment", "version", "author", "text", "saidAt", "doubted",
    "receivedAt", "source", "prev",
}  # fmt: skip


def _loose_json(data: bytes) -> Any:
    """Read JSON in any spelling, but no key twice and no number that readers take differently. Raises Broken."""
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_once,
            parse_int=_integer, parse_float=_float, parse_constant=_constant,
        )  # fmt: skip
    except (UnicodeError, ValueError) as error:
        raise Broken(f"not JSON in UTF-8: {shown(error)}") from None
    except RecursionError:
        raise Broken("JSON nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Broken("a key stands twice in one object")
    return found


class LiveLog:
    """A livestream's public log. Raises StepBroken at the first thing that does not hold."""

    def __init__(self, data: bytes) -> None:
        with Step("form"):
            told = _loose_json(data)
            if not isinstance(told, dict) or told.get("format") != "soi-live-order/v1":
                raise Broken("this is not a livestream's log")
            lists = [told.get(name) for name in ("events", "decisions", "anchors")]
            if not all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in lists):
                raise Broken("its events, decisions and anchors are lists of objects")
            self.told = told
            self.events, self.decisions, self.anchors = lists
        self.heads: dict[int, str] = {}
        self.longest = 0

    def check_chain(self) -> None:
        """Every event is what its hash says, and follows the one before."""
        last = 0
        for event in self.events or []:
            seq, public = event.get("seq"), {name: value for name, value in event.items() if name != "hash"}
            if type(seq) is not int or seq < 1 or (self.heads and seq != last + 1):
                raise StepBroken("chain", f"after event {last} comes {shown(seq)}")
            formed = set(public) == _LIVE_EVENT and public["v"] == 1 and public["session"] == self.told.get("session")
            if not formed or public["prev"] != self.heads.get(last):
                raise StepBroken("chain", f"event {seq} does not follow the one before it")
            if hashlib.sha256(jcs(public)).hexdigest() != event.get("hash"):
                raise StepBroken("chain", f"event {seq} is not what its hash says")
            self.heads[seq], last = event["hash"], seq
        if (self.told.get("length"), self.told.get("head")) != (last, self.heads.get(last)):
            raise StepBroken("chain", "the head is not the last event's hash")

    def check_anchor(self, anchor: dict[str, Any], proven: dict[int, bytes]) -> bool:
        """An anchor names this chain and these decisions; True when the ledger's entry is at hand and says so too."""
        try:
            length, head, digest, at = (anchor[name] for name in ("length", "head", "decisions", "at"))
            index = anchor["entry"]
            covered = [jcs(each) + b"\n" for each in self.decisions or [] if each["at"] <= at]
        except (KeyError, TypeError):
            raise StepBroken("anchors", "an anchor or a decision is not formed as one") from None
        if type(length) is not int or length <= self.longest or self.heads.get(length) != head:
            raise StepBroken("anchors", f"event {shown(length)} is not the one that entry {shown(index)} names")
        if hashlib.sha256(b"".join(covered)).hexdigest() != digest:
            raise StepBroken("anchors", f"what was decided is not what entry {shown(index)} names")
        self.longest = length
        if index not in proven:
            return False
        with Step("anchors"):
            record = read_entry(index, proven[index]).record
            if record["type"] != "live":
                raise Broken(f"entry {index} is not about a livestream")
            check_livestream(record)
            said = {"session": self.told["session"], "length": length, "head": head, "decisions": digest}
            if record["live"] != said:
                raise Broken(f"entry {index} of the ledger does not say what the log's anchor says")
        return True


# ---- Consistency ----------------------------------------------------------------------------------------------------


class Fork(Broken):
    """Two checkpoints that the log's key signed, and that no one history has."""

    def __init__(self, reason: str, first: Note, second: Note) -> None:
        super().__init__(reason)
        self.notes = (first, second)


def compare(first: Note, second: Note, log: Published) -> bool:
    """True when the second checkpoint only adds to the first. Raises Fork; False if the tiles do not fit the second.

    A proof leads from the roots to themselves: nothing that a dishonest source serves can make two histories one, or
    one history look like two.
    """
    (a, older), (b, newer) = sorted(
        ((read_head(note), note) for note in (first, second)), key=lambda pair: pair[0].size
    )
    if a.size == b.size:
        if a.root != b.root:
            raise Fork(f"two different roots for the same {a.size} entries", older, newer)
        return True
    if a.size == 0:
        return True
    try:
        path = [
            fold([log.node(level, number, b.size) for level, number in nodes])
            for nodes in consistency_nodes(a.size, b.size)
        ]
        # Where the older tree is one complete subtree, the proof leaves it out: the source's own is put in.
        own = fold([log.node(level, number, b.size) for level, number in cover(0, a.size)])
        old_root, new_root = fold_consistency(a.size, b.size, path, own)
    except (Broken, Missing):
        return False
    if new_root != b.root:
        return False
    if old_root != a.root:
        raise Fork(
            f"the checkpoint of {b.size} entries continues another history than the one of {a.size}", older, newer
        )
    return True


def check_consistency(old: bytes, new: bytes, log: Published, trust: Trust, told: Told) -> None:
    """Check that nothing was rewritten between two checkpoints. Raises StepBroken, Fork or Unchecked."""
    notes: list[Note] = []
    for name, data in (("first", old), ("second", new)):
        told.line(f"The {name} checkpoint:")
        with Step("checkpoint"):
            note = read_note(data)
            origin = read_head(note).origin
        check_head(note, trust.log_keys(origin), {}, trust, told)
        notes.append(note)
    if read_head(notes[0]).origin != read_head(notes[1]).origin:
        raise StepBroken("consistency", "they are checkpoints of two different logs")
    if compare(notes[0], notes[1], log):
        return
    # The source has another history than the newer one. What it signed itself tells who is at odds with whom.
    today = read_note(log.read("checkpoint", MAX_NOTE))
    with Step("checkpoint"):
        if not signers(today, trust.log_keys(read_head(today).origin)):
            raise Unchecked("the tiles do not fit these checkpoints, and the source's own is signed by no key of yours")
    for note in notes:
        compare(note, today, log)
    raise Unchecked("the tiles do not lead to these checkpoints; try another mirror")


# ---- The command line -----------------------------------------------------------------------------------------------


def gather(options: argparse.Namespace, log: Published | None, told: Told) -> Trust:
    """The keys and the policy that the reader gave; failing any, those that the source itself names, and says so."""
    policy = None
    if options.policy:
        with Step("policy"):
            policy = Policy.read(read_place(options.policy, MAX_KEYS))
    keys: list[Key] = []
    for given in options.key:
        if "+" in given and not os.path.exists(given) and not is_url(given):
            text = given
        else:
            text = read_place(given, MAX_KEYS).decode("utf-8", "replace")
        keys += _keys(text, given)
    if not any(key.type == ED25519 for key in [*keys, *(policy.logs if policy else [])]):
        if log is None:
            raise Unchecked("give the ledger's public key with --key (or a policy with --policy)")
        keys += _keys(log.read("keys", MAX_KEYS).decode("utf-8", "replace"), "keys")
        told.line(
            "NOTE: you gave no key, so the one that the source itself names is used: this shows that the log is whole\n"
            f"in itself, not whose it is. Compare with the key that you know: {', '.join(k.vkey for k in keys[:3])}"
        )
    return Trust(keys, policy)


def _keys(text: str, given: str) -> list[Key]:
    try:
        found = [read_key(line.strip()) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    except Broken as error:
        raise Unchecked(str(error)) from None
    if not found:
        raise Unchecked(f"there is no key in {shown(given)}")
    return found


def run_receipts(options: argparse.Namespace, told: Told) -> None:
    """`receipt`"""
    if options.entry and len(options.file) > 1:
        raise Unchecked("--entry goes with one receipt")
    trust = gather(options, None, told)
    for name in options.file:
        told.line(shown(name) + ":")
        entry = read_place(options.entry, 65536) if options.entry else None
        check_receipt(read_place(name, MAX_RECEIPT), entry, trust, told)
    told.result(f"HOLDS: {'the entry is in the log' if len(options.file) == 1 else 'every entry is in the log'}")


def run_lot(options: argparse.Namespace, told: Told) -> None:
    """`lot`"""
    place, site = options.file, None
    if is_url(place):
        parts = split(place)
        site = Published(f"{parts.scheme}://{parts.netloc}")
        found = re.fullmatch(r"/01/([0-9]{14})/10/([^/]+)(?:/.*)?", parts.path)
        if found:
            place = f"{site.place}/lots/{found[1]}/{found[2]}/proof"
    trust = gather(options, site, told)
    proof, head, ancestors = check_lot(read_place(place, MAX_LOT_PROOF), trust, told)
    told.line(
        "  Not shown by any such file: entries newer than its checkpoint, the newest entries of a batch if they were\n"
        "  left out, and the end of a key if it was left out. 'log' shows them."
    )
    told.result(
        f"HOLDS: {shown(proof.lot)} and the {ancestors} batches that it was made of, "
        f"in the first {head.size} entries of {shown(head.origin)}"
    )


def run_log(options: argparse.Namespace, told: Told) -> None:
    """`log`"""
    log = Published(options.place)
    head = Audit(log, gather(options, log, told), told).run()
    told.result(f"HOLDS: the whole log {shown(head.origin)}, {head.size} entries")


def run_live(options: argparse.Namespace, told: Told) -> None:
    """`live`"""
    log = LiveLog(read_place(options.file, MAX_LIVE))
    log.check_chain()
    told.step("chain", f"{len(log.heads)} events, each names the one before it")
    receipts = list(options.receipt)
    if is_url(options.file) and not receipts:
        parts = split(options.file)
        site = f"{parts.scheme}://{parts.netloc}/ledger"
        entries = [anchor.get("entry") for anchor in log.anchors or []]
        receipts = [f"{site}/entries/{entry}/receipt" for entry in entries if type(entry) is int]
    proven: dict[int, bytes] = {}
    if receipts:
        trust = gather(options, Published(site) if is_url(options.file) else None, told)
        proven = dict(check_receipt(read_place(place, MAX_RECEIPT), None, trust, told) for place in receipts)
    named = [log.check_anchor(anchor, proven) for anchor in log.anchors or []]
    if not all(named):
        raise Unchecked("the chain is whole; give the receipts of the entries that its anchors name with --receipt")
    told.step("anchors", f"{len(named)} entries of the ledger name this chain and its decisions")
    loose = sum(seq > log.longest for seq in log.heads)
    if loose:
        told.line(f"  The last {loose} events are on no anchor: so far there is only the village's word for them.")
    if log.told.get("outside"):
        told.line(f"  {shown(log.told['outside'])} comments from before logs were chained are not in it.")
    told.result(f"HOLDS: the first {log.longest} of {len(log.heads)} events stand as the ledger has them")


def run_consistency(options: argparse.Namespace, told: Told) -> None:
    """`consistency`"""
    log = Published(options.source)
    trust = gather(options, log, told)
    old, new = (read_place(place, MAX_NOTE) for place in (options.old, options.new))
    check_consistency(old, new, log, trust, told)
    told.result("HOLDS: nothing was rewritten; the newer checkpoint only adds to the older one")


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--key", action="append", default=[], metavar="KEY",
        help="a public key of the ledger or of a witness, or a file (or address) with such lines; may be given again",
    )  # fmt: skip
    common.add_argument(
        "--policy", metavar="FILE", help="a policy (C2SP tlog-policy): which logs, which witnesses, how many of them"
    )
    common.add_argument("--quiet", action="store_true", help="print the outcome only")
    top = argparse.ArgumentParser(
        prog="soi_verify.py", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    receipt = commands.add_parser("receipt", parents=[common], help="check receipts (.tlog-proof)")
    receipt.add_argument("file", nargs="+", metavar="FILE", help="a receipt, as a file or an address")
    receipt.add_argument("--entry", metavar="FILE", help="the entry's bytes, if they are not in the receipt")
    receipt.set_defaults(run=run_receipts)
    lot = commands.add_parser("lot", parents=[common], help="check a lot proof (.soi-proof)")
    lot.add_argument("file", metavar="FILE|URL", help="a lot proof, or the address of one or of the lot itself")
    lot.set_defaults(run=run_lot)
    log = commands.add_parser("log", parents=[common], help="check the whole ledger")
    log.add_argument("place", metavar="DIR|URL", help="a mirror's folder, or the ledger's address (https://.../ledger)")
    log.set_defaults(run=run_log)
    live = commands.add_parser("live", parents=[common], help="check a livestream's log (order.json)")
    live.add_argument("file", metavar="FILE|URL", help="the log, or its address (https://.../live/.../order.json)")
    live.add_argument(
        "--receipt", action="append", default=[], metavar="FILE",
        help="the receipt of an entry that an anchor names; may be given again; from an address they are fetched",
    )  # fmt: skip
    live.set_defaults(run=run_live)
    consistency = commands.add_parser(
        "consistency", parents=[common], help="check that nothing was rewritten between two checkpoints"
    )
    consistency.add_argument("old", metavar="OLD", help="a checkpoint that you kept, as a file or an address")
    consistency.add_argument("new", metavar="NEW", help="another one")
    consistency.add_argument(
        "--from", dest="source", required=True, metavar="DIR|URL",
        help="where the log's tiles are: a mirror's folder, or the ledger's address",
    )  # fmt: skip
    consistency.set_defaults(run=run_consistency)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    options = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    told = Told(options.quiet)
    try:
        options.run(options, told)
        sys.stdout.flush()
        return HOLDS
    except Fork as fork:
        told.result(f"DOES NOT HOLD: consistency: {fork}. Keep both as evidence; the log's key signed both:")
        for note in fork.notes:
            # Byte for byte, unless it would play with the terminal.
            odd = re.search("[\x7f-\x9f]", note.raw)
            print("-" * 72 + "\n" + (ascii(note.raw) + "\n" if odd else note.raw), end="")
        print("-" * 72)
        return DOES_NOT_HOLD
    except StepBroken as broken:
        told.result(f"DOES NOT HOLD: {broken.step}: {broken}")
        return DOES_NOT_HOLD
    except (Unchecked, Broken) as error:
        told.result(f"COULD NOT BE CHECKED: {error}")
        return NOT_CHECKED
    except MemoryError:
        told.result("COULD NOT BE CHECKED: this machine has too little memory for it")
        return NOT_CHECKED
    except KeyboardInterrupt:
        told.result("COULD NOT BE CHECKED: stopped")
        return NOT_CHECKED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_CHECKED


if __name__ == "__main__":
    sys.exit(main())
