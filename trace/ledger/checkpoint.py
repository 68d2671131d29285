"""Checkpoints (c2sp.org/tlog-checkpoint): a log's size and root, as the text of a signed note.

Ours have no extension lines, and others' with such lines are refused: nobody could audit what they say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from trace.ledger.encoding import MAX_SIZE, from_base64, from_decimal, shown, to_base64
from trace.ledger.errors import MalformedCheckpoint, MalformedKey, NotSigned
from trace.ledger.merkle import EMPTY_ROOT, HASH_BYTES
from trace.ledger.note import COSIGNATURE, ED25519, Note, Signature, Verifier, check_name, open_note

_MAX_TEXT = 512


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: `size` entries under `root`. `origin` names the log for ever."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        try:
            check_name(self.origin)
        except MalformedKey as error:
            raise MalformedCheckpoint(f"not an origin: {shown(self.origin)}") from error
        if not 0 <= self.size <= MAX_SIZE:
            raise MalformedCheckpoint(f"a log cannot have {self.size} entries")
        if len(self.root) != HASH_BYTES:
            raise MalformedCheckpoint(f"the root has {len(self.root)} bytes, not 32")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedCheckpoint("the root of an empty log must be SHA-256 of nothing")

    def format(self) -> str:
        """The note text: three lines."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note text. Raises MalformedCheckpoint, and nothing else."""
        lines = text.split("\n", 4) if len(text) <= _MAX_TEXT else []
        if len(lines) != 4 or lines[3]:
            raise MalformedCheckpoint("a checkpoint is three lines: origin, size, root")
        size, root = from_decimal(lines[1]), from_base64(lines[2])
        if size is None:
            raise MalformedCheckpoint(f"not a size: {shown(lines[1])}")
        if root is None:
            raise MalformedCheckpoint(f"the root is not base64: {shown(lines[2])}")
        return cls(lines[0], size, root)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that the log's key has signed, with the known witnesses' cosignatures."""

    checkpoint: Checkpoint
    signatures: tuple[Signature, ...]
    cosignatures: tuple[Signature, ...]

    @property
    def witnesses(self) -> frozenset[bytes]:
        """The public keys of distinct witnesses: one key under two names counts once."""
        return frozenset(line.verifier.public_key for line in self.cosignatures)


def open_checkpoint(note: Note | str | bytes, origin: str, verifiers: Iterable[Verifier]) -> SignedCheckpoint:
    """Read and check a signed checkpoint of the log `origin`.

    Among `verifiers`, a plain Ed25519 key named like the origin is the log's, a cosignature key is a
    witness's, and others are not looked at. Raises what `open_note` and `Checkpoint.parse` raise,
    MalformedCheckpoint for another origin, NotSigned if the log itself has not signed.
    """
    relevant = [key for key in verifiers if key.type == COSIGNATURE or key.name == origin]
    opened = open_note(note, relevant)
    signatures = tuple(line for line in opened.signatures if line.verifier.type == ED25519)
    if not signatures:
        raise NotSigned(f"the log {shown(origin)} itself has not signed this checkpoint")
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != origin:
        raise MalformedCheckpoint(f"the checkpoint is of {shown(checkpoint.origin)}, not of {shown(origin)}")
    cosignatures = tuple(line for line in opened.signatures if line.verifier.type == COSIGNATURE)
    return SignedCheckpoint(checkpoint, signatures, cosignatures)
