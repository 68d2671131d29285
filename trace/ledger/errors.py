"""What can be wrong with ledger bytes.

Pure: these errors know nothing of HTTP or of the reader's language. Each text says what was wrong and,
where it is short and harmless, with which value.
"""


class LedgerError(ValueError):
    """Anything the pure part of the ledger refuses."""


class LedgerFormatError(LedgerError):
    """Bytes or values that are not in the form that the ledger's formats demand."""


class MalformedEntry(LedgerFormatError):
    """Not canonical JSON (RFC 8785, NFC, no duplicate keys, integers within 2^53), or too large."""


class MalformedKey(LedgerFormatError):
    """A verifier key (vkey), key name or seed that cannot be read."""


class UnsupportedKey(MalformedKey):
    """A well-formed verifier key of a signature type that this ledger cannot check."""


class MalformedNote(LedgerFormatError):
    """Not a C2SP signed note."""


class MalformedCheckpoint(LedgerFormatError):
    """A note text that is not `origin`, `size`, `root` and nothing else."""


class MalformedTile(LedgerFormatError):
    """A tile path, hash tile or entry bundle that is not in C2SP tlog-tiles form."""


class MalformedProof(LedgerFormatError):
    """Not a C2SP tlog-proof."""


class MissingNode(LedgerError):
    """A tree node that a proof needs was not found in storage."""


class LedgerVerifyError(LedgerError):
    """Well-formed, but it does not hold."""


class BadSignature(LedgerVerifyError):
    """A line under a known key's name and ID does not verify: the whole note is refused."""


class NotSigned(LedgerVerifyError):
    """No known key has signed the note."""


class InclusionFailed(LedgerVerifyError):
    """An inclusion proof does not lead from the leaf to the root."""


class ConsistencyFailed(LedgerVerifyError):
    """A consistency proof does not show that the newer tree only appends to the older one."""
