"""Forged lot proofs and receipts, each with the step and the reason at which a verifier must refuse it."""

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.proofs import Log, Phone, Story, b64, document, story
from trace.ledger.canonical import canonical, parse
from trace.ledger.keyring import CUSTODY
from trace.ledger.merkle import leaf_hash
from trace.ledger.note import Note, SignatureLine, parse_note

Made = bytes | str


@dataclass(frozen=True)
class Forgery:
    """`make` forges from a fresh story; `step` and `reason` are the browser's words for what it finds."""

    name: str
    step: str
    reason: str
    make: Callable[[Story], Made]


def true_proof(told: Story) -> dict[str, Any]:
    """The lot's true proof, to be changed."""
    return copy.deepcopy(told.log.lot_proof(told.lot))


def _path(told: Story) -> Made:
    proof = true_proof(told)
    path = proof["entries"][5]["path"]
    path[0] = b64(bytes(32))
    return document(proof)


def _grams(told: Story) -> Made:
    """An entry says more kilos than it did; its signature is left as it was."""
    proof = true_proof(told)
    line = _line(proof, told.pack)
    record = parse(base64.b64decode(line["entry"]))
    record["event"]["outputQuantityList"][0]["quantity"] += 5
    line["entry"] = b64(canonical(record))
    return document(proof)


def _checkpoint_signature(told: Story) -> Made:
    proof = true_proof(told)
    note = parse_note(proof["checkpoint"])
    bad = _flipped(note, 0)
    return document(proof | {"checkpoint": bad})


def _bigger_log(told: Story) -> Made:
    proof = true_proof(told)
    origin, size, rest = proof["checkpoint"].split("\n", 2)
    return document(proof | {"checkpoint": f"{origin}\n{int(size) + 1}\n{rest}"})


def _strangers_key(told: Story) -> Made:
    stranger = Log(seed=99)
    return document(true_proof(told) | {"checkpoint": told.log.checkpoint(signers=stranger.ledger_keys)})


def _other_log(told: Story) -> Made:
    other = Log(seed=3, origin="so.lang-khac.example/so")
    return document(true_proof(told) | {"checkpoint": other.checkpoint()})


def _retired_key(told: Story) -> Made:
    old = told.log.signer(told.log.origin)
    return document(true_proof(told) | {"checkpoint": told.log.checkpoint(signers=[old])})


def _witness_signature(told: Story) -> Made:
    proof = true_proof(told)
    note = parse_note(proof["checkpoint"])
    return document(proof | {"checkpoint": _flipped(note, len(note.signatures) - 1)})


def _no_witnesses(told: Story) -> Made:
    return document(true_proof(told) | {"checkpoint": told.log.checkpoint(witnesses=1)})


def _old_checkpoint(told: Story) -> Made:
    proof = told.log.lot_proof(told.lot, told.log.checkpoint(told.pack))
    proof["entries"].append(_line(true_proof(told), told.pack))
    return document(proof)


def _phone_signature(told: Story) -> Made:
    """The operator puts an entry of her own making on the log, with a phone's signature over something else."""

    def change(record: dict[str, Any]) -> None:
        record["device"]["claim"]["inputs"][0]["grams"] += 1000

    return _rewritten(told, change)


def _claim(told: Story) -> Made:
    """What the phone signed stands; the event beside it says more packs."""

    def change(record: dict[str, Any]) -> None:
        record["event"]["outputQuantityList"][0]["quantity"] += 5

    return _rewritten(told, change)


def _by_nobody(told: Story) -> Made:
    return _rewritten(told, lambda record: record.pop("device"))


def _custodian_signature(told: Story) -> Made:
    def change(record: dict[str, Any]) -> None:
        del record["device"]
        signature = told.log.signer("mot-ai-khac").private_key.sign(CUSTODY + canonical(record["event"]))
        record["custodian"] = {"key": told.log.custodian.verifier.key_id.hex(), "sig": b64(signature)}

    return _rewritten(told, change)


def _revoked_phone(told: Story) -> Made:
    lost = told.log.phones["lost"]
    told.log.inspect(told.lot, lost)
    return document(told.log.lot_proof(told.lot))


def _unknown_phone(told: Story) -> Made:
    told.log.inspect(told.lot, Phone("Ed25519", told.log.draw("stranger's phone")))
    return document(told.log.lot_proof(told.lot))


def _hidden_enrolment(told: Story) -> Made:
    proof = true_proof(told)
    key = told.log.phones["p256"].key
    proof["entries"] = [
        line for line in proof["entries"] if parse(base64.b64decode(line["entry"])).get("key", {}).get("key") != key
    ]
    return document(proof)


def _number_twice(told: Story) -> Made:
    phone = told.log.phones["ed"]
    phone.seq -= 1
    told.log.inspect(told.lot, phone)
    return document(told.log.lot_proof(told.lot))


def _lonely_rotation(told: Story) -> Made:
    """The operator lets a key follow that the old one never signed for."""
    log = told.log
    old, new = log.ledger_keys[-1], log.signer(log.origin, 7)
    key = log._rotation("ledger", log.signer(log.origin, 8), new)
    key["replaces"] = old.verifier.vkey
    log.add({"type": "key", "key": key})
    return document(log.lot_proof(told.lot))


def _left_out(told: Story) -> Made:
    proof = true_proof(told)
    proof["entries"].remove(_line(proof, told.pack))
    return document(proof)


def _other_before(told: Story) -> Made:
    def change(record: dict[str, Any]) -> None:
        record["chain"][0]["prev"] = b64(bytes(32))

    return _rewritten(told, change)


def _no_ancestor(told: Story) -> Made:
    """The operator says herself that the packs were made of something, of which there is no entry anywhere."""

    def change(record: dict[str, Any]) -> None:
        del record["device"]
        record["event"]["inputQuantityList"][0]["epcClass"] = told.ancestors[-1].replace("M001", "M009")
        record["chain"] = [link for link in record["chain"] if link["batch"] == told.lot]
        signature = told.log.custodian.private_key.sign(CUSTODY + canonical(record["event"]))
        record["custodian"] = {"key": told.log.custodian.verifier.key_id.hex(), "sig": b64(signature)}

    return _rewritten(told, change)


def _other_lot(told: Story) -> Made:
    return document(true_proof(told) | {"lot": told.lot.replace("7K3Q9", "7K3Q8")})


def _entry_twice(told: Story) -> Made:
    proof = true_proof(told)
    proof["entries"].insert(3, proof["entries"][3])
    return document(proof)


def _spaced(told: Story) -> Made:
    return json.dumps(true_proof(told), ensure_ascii=False, sort_keys=True).encode()


def _key_twice(told: Story) -> Made:
    return document(true_proof(told)).replace(b'{"checkpoint"', b'{"lot":"x","checkpoint"', 1)


def _loose_base64(told: Story) -> Made:
    """The last character of a hash spelled in another way that lenient readers take for the same."""
    proof = true_proof(told)
    path = proof["entries"][4]["path"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    path[0] = path[0][:-2] + letters[letters.index(path[0][-2]) ^ 1] + "="
    return document(proof)


FORGERIES = [
    Forgery("a path that leads elsewhere", "inclusion", "not-in-tree", _path),
    Forgery("an entry that says more packs", "inclusion", "not-in-tree", _grams),
    Forgery("a flipped bit in the log's signature", "checkpoint", "bad-line", _checkpoint_signature),
    Forgery("a larger size under the same signature", "checkpoint", "bad-line", _bigger_log),
    Forgery("a stranger's key under the log's name", "checkpoint", "not-signed", _strangers_key),
    Forgery("another log's checkpoint", "checkpoint", "other-log", _other_log),
    Forgery("a key that the log retired", "checkpoint", "retired-key", _retired_key),
    Forgery("a flipped bit in a witness's signature", "witnesses", "bad-line", _witness_signature),
    Forgery("too few witnesses", "witnesses", "too-few-witnesses", _no_witnesses),
    Forgery("a checkpoint from before the entries", "inclusion", "beyond-checkpoint", _old_checkpoint),
    Forgery("a claim that the phone did not sign", "signatures", "bad-device-signature", _phone_signature),
    Forgery("an event that says more than the phone signed", "signatures", "unfit-claim", _claim),
    Forgery("an entry that nobody signed", "signatures", "nobody-signed", _by_nobody),
    Forgery("a custodian's signature by another key", "signatures", "bad-custodian-signature", _custodian_signature),
    Forgery("a phone that was lost before", "signatures", "revoked-device", _revoked_phone),
    Forgery("a phone that was never enrolled", "signatures", "unknown-device", _unknown_phone),
    Forgery("a phone's enrolment left out", "signatures", "unknown-device", _hidden_enrolment),
    Forgery("a phone's number used twice", "signatures", "number-twice", _number_twice),
    Forgery("a rotation that the old key did not sign", "signatures", "bad-rotation", _lonely_rotation),
    Forgery("an entry left out of a chain", "chain", "chain-gap", _left_out),
    Forgery("an entry that follows another one than it should", "chain", "chain-broken", _other_before),
    Forgery("an ancestor left out", "ancestry", "ancestor-missing", _no_ancestor),
    Forgery("a lot that is not in it", "ancestry", "lot-missing", _other_lot),
    Forgery("an entry that stands twice", "form", "out-of-order", _entry_twice),
    Forgery("a document that is spelled otherwise", "form", "not-canonical", _spaced),
    Forgery("a name that stands twice", "form", "key-twice", _key_twice),
    Forgery("base64 that is spelled otherwise", "form", "bad-entry", _loose_base64),
]


def forged_receipts(told: Story) -> list[Forgery]:
    """The same for receipts, of which a story has one."""
    true, before = told.log.receipt(told.pack), f"index {told.pack - 1}"
    lines = true.split("\n")
    other = parse(told.log.entries[told.pack]) | {"recordedAt": "2030-01-01T00:00:00.000Z"}
    extra = f"extra {b64(canonical(other))}"
    note = told.log.checkpoint(signers=Log(seed=99).ledger_keys)
    return [
        Forgery("an entry of another time", "inclusion", "not-in-tree", lambda _: true.replace(lines[1], extra)),
        Forgery("another place in the log", "inclusion", "not-in-tree", lambda _: true.replace(lines[2], before)),
        Forgery("a path that is too short", "inclusion", "path-length", lambda _: true.replace(lines[3] + "\n", "", 1)),
        Forgery("a stranger's checkpoint", "checkpoint", "not-signed", lambda _: true.split("\n\n")[0] + "\n\n" + note),
        Forgery("no entry in it", "form", "no-entry", lambda _: true.replace(lines[1] + "\n", "", 1)),
        Forgery("another header", "form", "not-json", lambda _: true.replace("@v1", "@v2", 1)),
    ]  # fmt: skip


def _line(proof: dict[str, Any], index: int) -> dict[str, Any]:
    found: dict[str, Any] = next(line for line in proof["entries"] if line["index"] == index)
    return found


def _rewritten(told: Story, change: Callable[[dict[str, Any]], object]) -> Made:
    """The operator writes the log anew with the packing told otherwise, and signs it with her true keys."""
    record = parse(told.log.entries[told.pack])
    change(record)
    told.log.entries[told.pack] = canonical(record)
    tail = told.log.entries[told.pack + 1 :]
    del told.log.entries[told.pack + 1 :]
    told.log.heads.clear()
    for body in told.log.entries[:]:
        for link in parse(body)["chain"]:
            told.log.heads[link["batch"]] = (link["seq"], leaf_hash(body))
    for body in tail:
        later = parse(body)
        later["chain"] = [told.log._link(link["batch"]) for link in later["chain"]]
        told.log.add_bytes(canonical(later))
    return document(told.log.lot_proof(told.lot))


def _flipped(note: Note, which: int) -> str:
    lines = list(note.signatures)
    line = lines[which]
    changed = bytes([*line.signature[:-9], line.signature[-9] ^ 1, *line.signature[-8:]])
    lines[which] = SignatureLine(line.name, line.key_id, changed)
    return Note(note.text, tuple(lines)).format()


def fresh() -> Story:
    """A story of its own for each forger."""
    return story(seed=1, ancestors=4)
