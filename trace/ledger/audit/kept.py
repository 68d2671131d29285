"""What was kept about the log: its newest checkpoint, older ones with their cosignatures, and time stamps."""

import datetime as dt
import hashlib
from collections.abc import Iterator

from trace.ledger.audit.chunk import Fault
from trace.ledger.audit.raw import Raw
from trace.ledger.checkpoint import Checkpoint, open_checkpoint
from trace.ledger.encoding import shown
from trace.ledger.errors import LedgerError
from trace.ledger.keyring import Keyring
from trace.ledger.merkle import NodeId, frontier_nodes, frontier_of
from trace.ledger.note import Verifier, parse_note, parse_signature_line

_SHA256 = bytes.fromhex("0609608648016503040201")
_IMPRINTS = (b"\x30\x31\x30\x0d" + _SHA256 + b"\x05\x00\x04\x20", b"\x30\x2f\x30\x0b" + _SHA256 + b"\x04\x20")
"""What stands before the digest in a stamp (RFC 3161, MessageImprint in DER), with and without the NULL."""


def signed(note: str, size: int, ring: Keyring) -> Checkpoint:
    """The checkpoint of `size` entries in a note that bears the signatures of all ledger keys good then, and no other
    line. Raises LedgerError."""
    keys = ring.ledger_at(max(size, 1))
    opened = open_checkpoint(note, ring.origin, keys)
    parsed = parse_note(note)
    if {line.verifier for line in opened.signatures} != set(keys) or len(parsed.signatures) != len(keys):
        raise LedgerError(f"it is signed by others than the ledger's {len(keys)} keys of that time")
    if parsed.format() != note:
        raise LedgerError("it is not spelled as a note is")
    if opened.checkpoint.size != size:
        raise LedgerError(f"it is of {opened.checkpoint.size} entries, not of {size}")
    return opened.checkpoint


def check_kept(raw: Raw, ring: Keyring, size: int) -> Iterator[Fault]:
    """What is wrong with kept checkpoints, cosignatures and time stamps. The nodes' own truth is the chunks' matter."""
    witnesses = _witnesses(raw)
    for kept, note in raw.rows("SELECT size, note FROM ledger_checkpoint ORDER BY size"):
        if type(kept) is not int or not 0 <= kept <= size:
            yield Fault(None, f"a checkpoint of {shown(str(kept))} entries was kept, but the log has {size}")
            continue
        try:
            if signed(note, kept, ring).root != stored_root(raw, kept):
                yield Fault(None, f"the kept checkpoint of {kept} entries is of another tree than the stored entries")
        except (LedgerError, ValueError, TypeError, AttributeError) as error:
            yield Fault(None, f"the kept checkpoint of {kept} entries does not hold: {error}")
            continue
        yield from _cosignatures(raw, kept, note, witnesses)
        yield from _stamps(raw, kept, note)
    for table in ("ledger_cosignature", "ledger_anchor"):
        if raw.rows(f"SELECT 1 FROM {table} WHERE size NOT IN (SELECT size FROM ledger_checkpoint) LIMIT 1"):
            yield Fault(None, f"a row of {table} is under a checkpoint that is not kept")


def _witnesses(raw: Raw) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for (vkey,) in raw.rows("SELECT vkey FROM ledger_witness"):
        try:
            key = Verifier.parse(vkey)
        except (LedgerError, ValueError, TypeError, AttributeError):
            continue  # a witness's key is the policy's to check; here it only opens lines
        known[key.name, key.key_id] = key
    return known


def _cosignatures(raw: Raw, size: int, note: str, witnesses: dict[tuple[str, bytes], Verifier]) -> Iterator[Fault]:
    rows = raw.rows(
        f"SELECT name, key_id, line, {raw.moment('cosigned_at')} FROM ledger_cosignature WHERE size = {size}"
    )
    for name, key_id, line, at in rows:
        try:
            parsed = parse_signature_line(line.removesuffix("\n"))
            if parsed.format() != line or (parsed.name, parsed.key_id.hex()) != (name, key_id):
                raise LedgerError("it is another's line")
            told = dt.datetime.fromtimestamp(int.from_bytes(parsed.signature[:8], "big"), dt.UTC)
            if told.strftime("%Y-%m-%d %H:%M:%S.%f") != at:
                raise LedgerError(f"its stored time {at} is not the {told.isoformat()} in it")
            if (key := witnesses.get((parsed.name, parsed.key_id))) is not None:
                key.verify(parse_note(note).text, parsed.signature)
        except (LedgerError, ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
            yield Fault(None, f"the cosignature of {name} under {size} entries does not hold: {error}")


def _stamps(raw: Raw, size: int, note: str) -> Iterator[Fault]:
    """A stamp must be over this note and of its stored time; the authority's signature is `openssl ts`'s matter."""
    digest = hashlib.sha256(note.encode("utf-8", "surrogateescape")).digest()
    rows = raw.rows(f"SELECT authority, token, {raw.moment('stamped_at')} FROM ledger_anchor WHERE size = {size}")
    for authority, token, at in rows:
        if not isinstance(token, bytes) or not any(start + digest in token for start in _IMPRINTS):
            yield Fault(None, f"the time stamp of {authority} over {size} entries is over something else")
        elif not isinstance(at, str) or _generalized(at) not in token:
            yield Fault(None, f"the time stamp of {authority} over {size} entries does not bear its stored time {at}")


def _generalized(at: str) -> bytes:
    """A moment as a stamp has it (GeneralizedTime in DER: a fraction only where there is one, without noughts)."""
    whole, _, fraction = at.partition(".")
    digits = "".join(char for char in whole if char not in "-: ")
    return f"{digits}{f'.{fraction}'.rstrip('0').rstrip('.')}Z".encode("utf-8", "surrogateescape")


def stored_root(raw: Raw, size: int) -> bytes:
    """The root of the first `size` entries as the stored nodes give it. Raises LedgerError where one is missing."""
    found: dict[NodeId, bytes] = {}
    for node in frontier_nodes(size):
        found[node] = raw.one(
            f'SELECT leaf_hash FROM ledger_entry WHERE "index" = {node.number}'
            if node.level == 0
            else f"SELECT hash FROM ledger_node WHERE level = {node.level} AND position = {node.number}"
        )
    return frontier_of(size, found).root()
