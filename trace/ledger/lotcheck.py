"""Does a lot proof hold? Checked with nothing but the log's key: the steps of docs/formats.md, in their order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from trace.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from trace.ledger.encoding import shown
from trace.ledger.errors import InclusionFailed, LedgerError, LedgerVerifyError, NotSigned
from trace.ledger.keyring import Keyring, SignedBy
from trace.ledger.lotproof import Link, LotProof, ancestry
from trace.ledger.merkle import leaf_hash, verify_inclusion
from trace.ledger.note import COSIGNATURE, ED25519, Verifier


class LotStep(StrEnum):
    """The steps, in order."""

    FORM = "form"
    CHECKPOINT = "checkpoint"
    WITNESSES = "witnesses"
    INCLUSION = "inclusion"
    SIGNATURES = "signatures"
    CHAIN = "chain"
    ANCESTRY = "ancestry"


class Broken(LedgerVerifyError):
    """A step does not hold, at entry `index` if it is one entry's fault."""

    def __init__(self, reason: str, index: int | None = None) -> None:
        super().__init__(reason)
        self.index = index


@dataclass(frozen=True, slots=True)
class LotResult:
    """What came of checking a lot proof: the steps that held, and the first that did not, with its reason.

    Nothing after a failed step was looked at.
    """

    held: tuple[LotStep, ...] = ()
    failed: LotStep | None = None
    reason: str = ""
    index: int | None = None
    """The entry at fault, if it is one entry's."""
    proof: LotProof | None = None
    signed: SignedCheckpoint | None = None
    signers: dict[int, SignedBy] = field(default_factory=dict)
    """Who signed each entry."""
    batches: tuple[str, ...] = ()
    """The lot, and then its ancestors."""

    @property
    def holds(self) -> bool:
        """Whether every step held."""
        return self.failed is None and self.held == tuple(LotStep)


def verify_lot(
    data: bytes,
    origin: str,
    verifiers: Iterable[Verifier],
    *,
    enough: Callable[[frozenset[bytes]], bool] = lambda _witnesses: True,
) -> LotResult:
    """Check a lot proof of the log `origin`. Never raises, whatever `data` says.

    `verifiers`: the log's keys that the reader trusts (plain, named like the origin) and the witnesses' (cosignature
    type). `enough` says whether the witnesses with these public keys are what the reader's policy asks for.
    """
    check = _Check(origin, list(verifiers), enough)
    result = LotResult()
    for step in LotStep:
        try:
            result = replace(getattr(check, step.value)(result, data), held=(*result.held, step))
        except LedgerError as error:
            return replace(result, failed=step, reason=str(error), index=getattr(error, "index", None))
    return result


class _Check:
    def __init__(self, origin: str, verifiers: list[Verifier], enough: Callable[[frozenset[bytes]], bool]) -> None:
        self.origin = origin
        self.witness_keys = [key for key in verifiers if key.type == COSIGNATURE]
        self.trusted = [key.vkey for key in verifiers if key.type == ED25519 and key.name == origin]
        self.enough = enough
        self.log_keys: list[Verifier] = []

    def form(self, result: LotResult, data: bytes) -> LotResult:
        return replace(result, proof=LotProof.parse(data))

    def checkpoint(self, result: LotResult, data: bytes) -> LotResult:
        """By a trusted key, or by one that rotations lead to from it; whichever signed must not have been retired."""
        proof = _proof(result)
        ring, retired = Keyring(self.origin, self.trusted), dict[str, int]()
        for line in proof.lines:
            told = line.record.get("key") if line.record["type"] == "key" else None
            if not isinstance(told, dict) or told.get("role") != "ledger":
                continue
            try:
                ring.learn(line.index, line.record)
            except LedgerError:
                # What is wrong with a key entry is said at the signatures; here it just leads nowhere.
                continue
            if told["status"] == "retired":
                retired[told["vkey"]] = line.index
        self.log_keys = [key for key in ring.ledger if key.vkey not in retired]
        try:
            return replace(result, signed=open_checkpoint(proof.checkpoint, self.origin, self.log_keys))
        except NotSigned:
            for key in ring.ledger:
                if key.vkey in retired and _signs(proof.checkpoint, self.origin, key):
                    at = retired[key.vkey]
                    raise Broken(f"signed with a key of the log that entry {at} retired", at) from None
            raise

    def witnesses(self, result: LotResult, data: bytes) -> LotResult:
        signed = open_checkpoint(_proof(result).checkpoint, self.origin, [*self.log_keys, *self.witness_keys])
        if not self.enough(signed.witnesses):
            raise Broken(f"{len(signed.witnesses)} known witnesses have cosigned: fewer than the policy asks for")
        return replace(result, signed=signed)

    def inclusion(self, result: LotResult, data: bytes) -> LotResult:
        assert result.signed is not None
        head = result.signed.checkpoint
        for line in _proof(result).lines:
            try:
                verify_inclusion(leaf_hash(line.entry), line.index, head.size, line.path, head.root)
            except InclusionFailed as error:
                raise Broken(str(error), line.index) from error
        return result

    def signatures(self, result: LotResult, data: bytes) -> LotResult:
        ring = Keyring(self.origin, self.trusted)
        signers: dict[int, SignedBy] = {}
        used: dict[tuple[str, int], int] = {}
        for line in _proof(result).lines:
            try:
                if line.record["type"] == "key":
                    ring.learn(line.index, line.record)
                by = signers[line.index] = ring.check(line.index, line.record)
            except LedgerError as error:
                raise Broken(f"entry {line.index}: {error}", line.index) from error
            if by.seq is not None and used.setdefault((by.key, by.seq), line.index) != line.index:
                first = used[by.key, by.seq]
                raise Broken(f"one phone used number {by.seq} twice: in entries {first} and {line.index}", line.index)
        return replace(result, signers=signers)

    def chain(self, result: LotResult, data: bytes) -> LotResult:
        """Of the lot and its ancestors: other batches that an entry touches have entries elsewhere."""
        proof = _proof(result)
        batches = ancestry(proof.lot, [(line.record, line.links) for line in proof.lines])
        heads: dict[str, tuple[int, bytes | None]] = {batch: (-1, None) for batch in batches}
        for line in proof.lines:
            leaf = leaf_hash(line.entry)
            for link in line.links:
                if link.batch in heads:
                    _follows(link, *heads[link.batch], line.index)
                    heads[link.batch] = (link.seq, leaf)
        return replace(result, batches=tuple(batches))

    def ancestry(self, result: LotResult, data: bytes) -> LotResult:
        proof = _proof(result)
        there = {link.batch for line in proof.lines for link in line.links}
        for batch in result.batches:
            if batch not in there:
                what = "the lot itself" if batch == proof.lot else f"{shown(batch)}, of which it was made,"
                raise Broken(f"there is no entry of {what}")
        return result


def _follows(link: Link, seq: int, leaf: bytes | None, index: int) -> None:
    if link.seq != seq + 1:
        missing = f"after number {seq} comes {link.seq}" if seq >= 0 else f"it begins with number {link.seq}"
        raise Broken(f"the chain of {shown(link.batch)} has a gap: {missing} (entry {index})", index)
    if link.prev != leaf:
        raise Broken(f"entry {index} does not name the entry before it in the chain of {shown(link.batch)}", index)


def _signs(note: str, origin: str, key: Verifier) -> bool:
    try:
        open_checkpoint(note, origin, [key])
    except LedgerError:
        return False
    return True


def _proof(result: LotResult) -> LotProof:
    assert result.proof is not None
    return result.proof
