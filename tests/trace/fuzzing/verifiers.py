"""Verifiers: whatever they find true is what the log signed, and the one-file verifier finds the same."""

from collections.abc import Callable
from copy import copy
from typing import Any

from tests.support.proofs import Log, document
from tests.trace.fuzzing.corpus import Target, encoded, heads, keys, told_story, true_heads, true_log, written
from trace.ledger.canonical import canonical, loads, parse
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.errors import LedgerError, LedgerVerifyError
from trace.ledger.keyring import Keyring
from trace.ledger.lotcheck import verify_lot
from trace.ledger.lotproof import LotProof
from trace.ledger.merkle import Frontier, NodeId, consistency_path, leaf_hash
from trace.ledger.note import Verifier, parse_note
from trace.ledger.proof import Proof, verify_proof
from trace.verifier import soi_verify
from trace.witness.core import Heard, Held, Request, decide, hear


def receipt() -> Target:
    """Receipts of one entry: what holds says the true place and a true root."""
    log = true_log()
    index = 9
    receipts = [log.receipt(index, note) for size, note in heads().items() if size > index]
    receipts += [receipts[-1].replace("\nextra ", "\nextra AAAA", 1), Proof(index, (), heads()[1]).format()]

    def check(data: bytes) -> bool:
        result = verify_proof(log.entries[index], data, log.origin, keys(), witnesses_required=1)
        if not result.holds:
            assert result.reason
            Proof.parse(data)
            raise LedgerVerifyError(result.reason)
        assert Proof.parse(data).format().encode() == data
        assert result.index == index and result.signed is not None
        assert result.signed.checkpoint in true_heads() and result.signed.witnesses
        return True

    return Target(encoded(*receipts), check)


def signature() -> Target:
    """Whole entries with their signatures: who changes one cannot have it signed."""
    log = true_log()
    records = [parse(body) for body in log.entries]
    ring = Keyring(log.origin, log.vkeys[:1])
    for index, record in enumerate(records):
        if record["type"] == "key":
            ring.learn(index, record)
    sources = [index for index, record in enumerate(records) if record["type"] == "event"]
    events = {canonical(records[index]["event"]) for index in range(len(records))}
    signed_by_phones = [record["device"] for record in records if "device" in record]
    claims = {canonical([one["claim"], one["key"], one["seq"]]) for one in signed_by_phones}
    last = max(sources)

    def check(data: bytes) -> bool:
        record = parse(data)
        held = False
        for index in (3, last):
            try:
                by = ring.check(index, record)
            except LedgerError:
                continue
            held = True
            if by.role == "custodian":
                assert canonical(record["event"]) in events
            else:
                signed = record["device"]
                assert canonical([signed["claim"], signed["key"], signed["seq"]]) in claims
        if not held:
            raise LedgerVerifyError("nobody signed this")
        return True

    return Target(tuple(log.entries[index] for index in sources), check, written)


def key() -> Target:
    """Key entries, by which keys come and go: none comes that did not sign for itself."""
    log = true_log()
    records = {index: parse(body) for index, body in enumerate(log.entries) if parse(body)["type"] == "key"}
    told = {canonical(_enrolled(record["key"])) for record in records.values()}

    def check(data: bytes) -> bool:
        record = parse(data)
        ring = Keyring(log.origin, log.vkeys[:1])
        for index in (0, 1):
            ring.learn(index, records[index])
        ring.learn(9, record)
        assert canonical(_enrolled(record["key"])) in told or record["key"]["status"] != "enrolled"
        return True

    rest = [index for index in records if index > 1]
    return Target(tuple(log.entries[index] for index in rest), check, written)


def _enrolled(told: dict[str, Any]) -> dict[str, Any]:
    # Not the signatures: ECDSA has two for every one, which does not make another key.
    names = ("key", "jwk") if told["role"] == "device" else ("vkey", "replaces")
    return {name: told.get(name) for name in ("role", "status", *names)}


def lot() -> Target:
    """Lot proofs: what holds is made of the log's own entries under a true root."""
    told = told_story()
    log = told.log
    documents = [document(log.lot_proof(one)) for one in (told.lot, *told.ancestors[:2])]
    documents.append(document(log.lot_proof(told.ancestors[0], told.early)))
    known = true_heads() | {Checkpoint.parse(parse_note(told.early).text)}

    def check(data: bytes) -> bool:
        result = verify_lot(data, log.origin, keys(), enough=lambda witnesses: len(witnesses) > 1)
        if not result.holds:
            assert result.reason
            LotProof.parse(data)
            raise LedgerVerifyError(result.reason)
        assert result.proof is not None and result.signed is not None
        assert result.proof.format() == data
        assert result.signed.checkpoint in known
        assert all(log.entries[line.index] == line.entry for line in result.proof.lines)
        return True

    return Target(tuple(documents), check, written)


def lot_small() -> Target:
    """The smallest lot proof, so that most mutations strike something that matters."""
    told = told_story()
    return Target((document(told.log.lot_proof(told.ancestors[0], told.early)),), lot().check, written)


def other_lot() -> Target:
    """Lot proofs again, before both verifiers: the village's and the one file that knows nothing of it agree."""
    told = told_story()
    log = told.log
    policy = soi_verify.Policy.read(log.policy("2").encode())
    trust = soi_verify.Trust([soi_verify.read_key(key.vkey) for key in keys()], policy)

    def check(data: bytes) -> bool:
        ours = verify_lot(data, log.origin, keys(), enough=lambda witnesses: len(witnesses) > 1)
        reason = _other(soi_verify.check_lot, data, trust)
        assert ours.holds == (not reason), (ours.reason, reason)
        if reason:
            raise LedgerVerifyError(reason)
        return True

    return Target((document(log.lot_proof(told.ancestors[0])), *lot_small().sources), check, written)


def rewritten() -> Target:
    """A log whose operator rewrote one entry and signed it all anew, witnesses and all: what phones signed still shows,
    and both verifiers say the same. An input is an entry and its place."""
    told = told_story()
    log, lot, places = told.log, told.lot, told.log.indexes(told.lot)
    policy = soi_verify.Policy.read(log.policy("2").encode())
    trust = soi_verify.Trust([soi_verify.read_key(key.vkey) for key in keys()], policy)
    true = {place: parse(log.entries[place]) for place in places}

    def check(data: bytes) -> bool:
        asked = loads(data)
        if not (isinstance(asked, dict) and asked.get("place") in places and isinstance(asked.get("entry"), dict)):
            raise LedgerVerifyError("not what this target takes")
        place, record = asked["place"], asked["entry"]
        forged = copy(log)
        forged.entries = [*log.entries]
        forged.entries[place] = canonical(record)
        proof = document(forged.lot_proof(lot, indexes=places))
        ours = verify_lot(proof, log.origin, keys(), enough=lambda witnesses: len(witnesses) > 1)
        reason = _other(soi_verify.check_lot, proof, trust)
        assert ours.holds == (not reason), (ours.reason, reason)
        if reason:
            raise LedgerVerifyError(reason)
        if "device" in record:
            names = ("claim", "key", "seq")
            assert any(
                [record["device"][name] for name in names] == [one["device"][name] for name in names]
                for one in true.values()
                if "device" in one
            )
        elif record["type"] == "event":
            assert any(record["event"] == one["event"] for one in true.values())
        return True

    return Target(tuple(written({"place": place, "entry": record}) for place, record in true.items()), check, written)


def other_receipt() -> Target:
    """Receipts again, before both verifiers."""
    log, sources = true_log(), receipt().sources
    known = [key for key in keys() if key.name == log.origin]
    trust = soi_verify.Trust([soi_verify.read_key(key.vkey) for key in known], None)

    def check(data: bytes) -> bool:
        ours = verify_proof(log.entries[9], data, log.origin, known)
        reason = _other(soi_verify.check_receipt, data, log.entries[9], trust)
        assert ours.holds == (not reason), (ours.reason, reason)
        if reason:
            raise LedgerVerifyError(reason)
        return True

    return Target(sources, check)


def _other(check: Callable[..., object], *asked: object) -> str:
    """What the one-file verifier has against it; nothing when it holds."""
    try:
        check(*asked, soi_verify.Told(True))
    except (soi_verify.Broken, soi_verify.Unchecked) as error:
        return str(error)
    return ""


def witness() -> Target:
    """Requests to a witness: it cosigns what continues what it holds, and nothing else."""
    log = true_log()
    true = heads()
    sizes = sorted(true)
    held_at = sizes[2]
    held = Held(held_at, Checkpoint.parse(parse_note(true[held_at]).text).root)
    requests = [
        Request(old, _consistency(log, old, new), true[new]).format()
        for old, new in ((held_at, held_at), (held_at, sizes[3]), (held_at, sizes[4]), (0, sizes[4]), (1, sizes[2]))
    ]
    logs = {log.origin: [Verifier.parse(vkey) for vkey in log.vkeys]}

    def check(data: bytes) -> bool:
        heard = hear(data, logs)
        if not isinstance(heard, Heard):
            assert 400 <= heard.status < 500 and heard.reason
            raise LedgerVerifyError(heard.reason)
        assert heard.head in true_heads()
        refusal = decide(heard, held)
        if refusal is not None:
            raise LedgerVerifyError(refusal.reason)
        assert heard.request.old == held.size <= heard.head.size
        return True

    return Target(encoded(*requests), check)


def _consistency(log: Log, old: int, new: int) -> tuple[bytes, ...]:
    leaves = [leaf_hash(body) for body in log.entries]
    nodes = {NodeId(0, index): leaf for index, leaf in enumerate(leaves)}
    nodes |= {NodeId(node.level, node.number): node.hash for node in Frontier().extend(leaves)[1]}
    return consistency_path(old, new, lambda level, number: nodes[NodeId(level, number)])
