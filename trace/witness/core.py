"""What a witness is asked, and what it answers (c2sp.org/tlog-witness): the decision alone, without any state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from trace.ledger.checkpoint import Checkpoint, open_checkpoint
from trace.ledger.encoding import from_base64, from_decimal, shown, to_base64
from trace.ledger.errors import ConsistencyFailed, LedgerError, LedgerFormatError, LedgerVerifyError
from trace.ledger.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from trace.ledger.note import MAX_NOTE_BYTES, Note, Verifier, parse_note

MAX_PROOF = 63
"""Hashes in a consistency proof."""

MAX_REQUEST = MAX_NOTE_BYTES + 64 * (MAX_PROOF + 1)

SIZE_TYPE = "text/x.tlog.size"
"""The content type of the answer that says what size the witness holds."""

FORK, UNPROVEN = "fork", "unproven"
"""Kinds of evidence: two signed roots for one size; a signed checkpoint without a proof that it continues ours."""


class MalformedRequest(LedgerFormatError):
    """Not the body of an add-checkpoint request."""


@dataclass(frozen=True, slots=True)
class Request:
    """The body of `POST /add-checkpoint`: the size that the witness should hold, the proof from there, the note."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: str

    def format(self) -> str:
        """The body."""
        return "\n".join([f"old {self.old}", *map(to_base64, self.proof)]) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a body. Raises MalformedRequest, and nothing else."""
        if len(data) > MAX_REQUEST:
            raise MalformedRequest(f"the request is longer than {MAX_REQUEST} bytes")
        try:
            head, blank, checkpoint = data.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError as error:
            raise MalformedRequest("the request is not UTF-8") from error
        if not blank:
            raise MalformedRequest("no blank line before the checkpoint")
        first, *lines = head.split("\n")
        old = from_decimal(first.removeprefix("old ")) if first.startswith("old ") else None
        if old is None:
            raise MalformedRequest(f"the first line is not: old <size>: {shown(first)}")
        if len(lines) > MAX_PROOF:
            raise MalformedRequest(f"{len(lines)} proof lines; at most {MAX_PROOF} may be sent")
        return cls(old, tuple(_hash(line) for line in lines), checkpoint)


@dataclass(frozen=True, slots=True)
class Held:
    """What a witness holds of a log: the newest checkpoint that it cosigned. Before the first, the empty log."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Heard:
    """A request whose checkpoint is signed by a log that we know."""

    request: Request
    head: Checkpoint
    note: Note
    """Its text with the lines that were verified, and no others."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No cosignature, and why. `size` is what the witness holds, where that is the answer."""

    status: int
    reason: str
    size: int | None = None
    evidence: str | None = None
    """FORK or UNPROVEN where the request must be kept."""


def hear(data: bytes, logs: Mapping[str, Sequence[Verifier]]) -> Heard | Refusal:
    """Check all that needs no state: form, origin, signature, sizes. `logs` are the known keys by origin."""
    try:
        request = Request.parse(data)
        note = parse_note(request.checkpoint)
        head = Checkpoint.parse(note.text)
    except LedgerFormatError as error:
        return Refusal(400, str(error))
    keys = logs.get(head.origin)
    if not keys:
        return Refusal(404, f"the log {shown(head.origin)} is not known here")
    try:
        signed = open_checkpoint(note, head.origin, keys)
    except LedgerVerifyError as error:
        return Refusal(403, str(error))
    except LedgerError as error:
        return Refusal(400, str(error))
    if request.old > head.size:
        return Refusal(400, f"the old size {request.old} is larger than the checkpoint's {head.size}")
    good = {(line.verifier.name, line.verifier.key_id) for line in signed.signatures}
    lines = {(line.name, line.key_id): line for line in note.signatures if (line.name, line.key_id) in good}
    return Heard(request, head, Note(note.text, tuple(lines.values())))


def decide(heard: Heard, held: Held) -> Refusal | None:
    """Why `heard` must not be cosigned by a witness that holds `held`; None when it may be."""
    head, request = heard.head, heard.request
    forked = head.size == held.size and head.root != held.root
    evidence = FORK if forked else None
    if request.old != held.size:
        return Refusal(409, f"this witness holds {held.size} entries, not {request.old}", held.size, evidence)
    if forked:
        return Refusal(409, f"another root of {head.size} entries was cosigned here", None, evidence)
    try:
        verify_consistency(held.size, head.size, held.root, head.root, request.proof)
    except ConsistencyFailed as error:
        return Refusal(422, str(error), None, UNPROVEN)
    return None


def _hash(line: str) -> bytes:
    value = from_base64(line)
    if value is None or len(value) != HASH_BYTES:
        raise MalformedRequest(f"not a hash in base64: {shown(line)}")
    return value
