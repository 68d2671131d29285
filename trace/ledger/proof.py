"""Receipts (c2sp.org/tlog-proof): that an entry is in the log, checkable offline with the log's key alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from trace.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from trace.ledger.encoding import MAX_SIZE, from_base64, from_decimal, shown, to_base64
from trace.ledger.errors import InclusionFailed, LedgerError, MalformedNote, MalformedProof
from trace.ledger.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from trace.ledger.note import COSIGNATURE, MAX_NOTE_BYTES, Verifier, parse_note

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63
MAX_EXTRA_BYTES = 64 * 1024
MAX_PROOF_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES
SUFFIX = ".tlog-proof"


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt: leaf `index`, the hashes from its sibling up, and the signed checkpoint, verbatim.

    `extra` is not authenticated by the format: ours carry the entry's own bytes there, to be believed only once they
    were checked as the entry. None when there is none.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_SIZE:
            raise MalformedProof(f"there is no leaf {self.index}")
        if len(self.path) > MAX_PATH or any(len(value) != HASH_BYTES for value in self.path):
            raise MalformedProof(f"a path is at most {MAX_PATH} hashes of 32 bytes")
        if self.extra is not None and not 0 < len(self.extra) <= MAX_EXTRA_BYTES:
            raise MalformedProof(f"extra data of {len(self.extra)} bytes; 1 to {MAX_EXTRA_BYTES} are allowed")
        try:
            parse_note(self.checkpoint)
        except MalformedNote as error:
            raise MalformedProof(f"the checkpoint in the proof: {error}") from error

    def format(self) -> str:
        """The text of a .tlog-proof file."""
        extra = [] if self.extra is None else [f"extra {to_base64(self.extra)}"]
        lines = [HEADER, *extra, f"index {self.index}", *map(to_base64, self.path)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, data: str | bytes) -> Self:
        """Read a proof's form without checking that it holds. Raises MalformedProof, and nothing else."""
        if len(data) > MAX_PROOF_BYTES:
            raise MalformedProof(f"the proof is longer than {MAX_PROOF_BYTES} bytes")
        try:
            text = data.decode("utf-8") if isinstance(data, bytes) else data
        except UnicodeDecodeError as error:
            raise MalformedProof("the proof is not UTF-8") from error
        head, blank, checkpoint = text.partition("\n\n")
        if not blank:
            raise MalformedProof("no blank line before the checkpoint")
        lines = head.split("\n", MAX_PATH + 3)
        if lines.pop(0) != HEADER:
            raise MalformedProof(f"the first line is not {HEADER}")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = from_base64(lines.pop(0).removeprefix("extra "))
            if extra is None:
                raise MalformedProof("the extra data is not base64")
        if not lines or not lines[0].startswith("index "):
            raise MalformedProof("no index line")
        number = lines.pop(0).removeprefix("index ")
        index = from_decimal(number)
        if index is None:
            raise MalformedProof(f"not an index: {shown(number)}")
        return cls(index, tuple(_hash(line) for line in lines), checkpoint, extra)


class Step(StrEnum):
    """The steps of checking a receipt, in order."""

    FORM = "form"
    CHECKPOINT = "checkpoint"
    WITNESSES = "witnesses"
    INCLUSION = "inclusion"


@dataclass(frozen=True, slots=True)
class ProofResult:
    """What came of checking a receipt: the steps that held, and the first that did not with its reason.

    Nothing after a failed step was looked at. `extra` is authenticated only if it is the entry that was checked.
    """

    held: tuple[Step, ...]
    failed: Step | None = None
    reason: str = ""
    index: int | None = None
    signed: SignedCheckpoint | None = None
    extra: bytes | None = None

    @property
    def holds(self) -> bool:
        """Whether every step held."""
        return self.failed is None and self.held == tuple(Step)


def verify_proof(
    entry: bytes,
    proof: str | bytes,
    origin: str,
    verifiers: Iterable[Verifier],
    *,
    witnesses_required: int = 0,
) -> ProofResult:
    """Check that `entry`, byte for byte, is in the log `origin`. Never raises, whatever `proof` says.

    `verifiers`: the log's keys (plain, named like the origin; old ones too) and the witnesses' (cosignature
    type). At least `witnesses_required` different witness keys must have cosigned.
    """
    held: list[Step] = []
    step, index, signed, extra = Step.FORM, None, None, None
    try:
        parsed = Proof.parse(proof)
        index, extra = parsed.index, parsed.extra
        held.append(step)
        step = Step.CHECKPOINT
        known = list(verifiers)
        open_checkpoint(parsed.checkpoint, origin, [key for key in known if key.type != COSIGNATURE])
        held.append(step)
        step = Step.WITNESSES
        signed = open_checkpoint(parsed.checkpoint, origin, known)
        if len(signed.witnesses) < witnesses_required:
            reason = f"{len(signed.witnesses)} of {witnesses_required} required witnesses have cosigned"
            return ProofResult(tuple(held), step, reason, index, signed, extra)
        held.append(step)
        step = Step.INCLUSION
        _verify_entry(entry, parsed.index, parsed.path, signed)
        held.append(step)
    except LedgerError as error:
        return ProofResult(tuple(held), step, str(error), index, signed, extra)
    return ProofResult(tuple(held), None, "", index, signed, extra)


def _verify_entry(entry: bytes, index: int, path: Sequence[bytes], signed: SignedCheckpoint) -> None:
    head = signed.checkpoint
    if head.size == 0:
        raise InclusionFailed("the checkpoint is of an empty log; no entry can be in it")
    verify_inclusion(leaf_hash(entry), index, head.size, path, head.root)


def _hash(line: str) -> bytes:
    value = from_base64(line)
    if value is None or len(value) != HASH_BYTES:
        raise MalformedProof(f"not a hash in base64: {shown(line)}")
    return value
