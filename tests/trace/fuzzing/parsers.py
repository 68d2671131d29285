"""Parsers: whatever they accept has one spelling, and was signed where that is what they say."""

import json

from tests.trace.fuzzing.corpus import (
    KNOWN,
    Target,
    as_text,
    encoded,
    heads,
    keys,
    notes,
    signed,
    true_heads,
    true_log,
    written,
)
from trace.anchors.der import with_sorted_certificates
from trace.ledger.canonical import canonical, loads, parse, written_strictly
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.errors import LedgerError, LedgerVerifyError
from trace.ledger.note import Verifier, open_note, parse_note
from trace.ledger.policy import Policy, satisfied
from trace.ledger.tiles import Tile, decode_entries, decode_hashes, encode_entries, encode_hashes


def note() -> Target:
    """Notes of all kinds: what is accepted was signed, by that key and at that time."""
    known = [*keys(), *KNOWN]

    def check(data: bytes) -> bool:
        parsed = parse_note(data)
        assert parsed.format().encode() == data
        opened = open_note(data, known)
        assert {(line.verifier.vkey, line.time, opened.text) for line in opened.signatures} <= signed()
        return True

    return Target(encoded(*notes(), *heads().values()), check)


def checkpoint() -> Target:
    """Checkpoints: what is accepted is a size and root that the log signed."""

    def check(data: bytes) -> bool:
        signed = open_checkpoint(data, true_log().origin, keys())
        assert signed.checkpoint in true_heads()
        return True

    return Target(encoded(*heads().values()), check)


def vkey() -> Target:
    """Verifier keys: each has one spelling."""

    def check(data: bytes) -> bool:
        text = as_text(data)
        assert Verifier.parse(text).vkey == text
        return True

    return Target(encoded(*(key.vkey for key in (*KNOWN, *keys()))), check)


def entry() -> Target:
    """Entries: what is read has these bytes and no others, by the quick reader and by the strict one."""

    def check(data: bytes) -> bool:
        try:
            record = parse(data)
        except LedgerError:
            _strict_refuses(data)
            raise
        assert written_strictly(record) == data and canonical(record) == data
        return True

    return Target(tuple(true_log().entries), check, written)


def _strict_refuses(data: bytes) -> None:
    """What the quick reader refused must not be what the strict writer would have written."""
    try:
        told = loads(data)
        again = written_strictly(told) if isinstance(told, dict) else None
    except LedgerError:
        return
    assert again != data


def asked() -> Target:
    """JSON from phones: what is read is what Python's own reader reads, and can be written canonically."""
    claims = [json.dumps(parse(body).get("device", {"a": [1.5]}), indent=1) for body in true_log().entries]

    def check(data: bytes) -> bool:
        told = loads(data)
        assert told == json.loads(data)
        canonical(told)
        return True

    return Target(encoded(*claims), check, written)


def tile_path() -> Target:
    """Tile paths: each tile has one."""
    paths = ["tile/0/000", "tile/0/x001/x234/067", "tile/3/999.p/7", "tile/entries/x001/000.p/255", "tile/63/000.p/1"]

    def check(data: bytes) -> bool:
        text = as_text(data)
        assert Tile.parse(text).format() == text
        return True

    return Target(encoded(*paths), check)


def tile() -> Target:
    """Hash tiles and entry bundles: what is read is what would be written."""
    tree = true_log().tree()
    hashes = tuple(data for path, data in tree.items() if path.startswith("tile/0"))
    bundles = tuple(data for path, data in tree.items() if path.startswith("tile/entries"))
    small = tuple(encode_entries([bytes([n]) * n for n in range(width)]) for width in (1, 3, 17, 256))
    widths = (*range(1, 20), len(true_log().entries), 256)

    def check(data: bytes) -> bool:
        accepted = False
        for width in widths:
            for read, write in ((decode_entries, encode_entries), (decode_hashes, encode_hashes)):
                try:
                    assert write(read(data, width)) == data
                    accepted = True
                except LedgerError:
                    continue
        if not accepted:
            raise LedgerVerifyError("of no width")
        return True

    return Target((*hashes, *bundles, *small), check)


def policy() -> Target:
    """Policies: what is read is read again the same, and no quorum of witnesses is met by none."""

    def check(data: bytes) -> bool:
        read = Policy.parse(data)
        again = read.format().encode("utf-8", "surrogateescape")
        assert Policy.parse(again).format() == read.format()
        assert read.quorum == "none" or not satisfied(read, ())
        return True

    log = true_log()
    texts = [log.policy("2"), log.policy("all"), f"log {log.vkeys[0]} https://so.example/so\nquorum none\n"]
    nested = "# nested\ngroup a 1 w0\ngroup b all w1 w2\ngroup lang any a b"
    texts.append(log.policy("any").replace("group lang any w0 w1 w2", nested))
    return Target(encoded(*texts), check)


def stamp() -> Target:
    """Time-stamp answers, whose certificates are put in order: nothing else in them moves."""

    def check(data: bytes) -> bool:
        ordered = with_sorted_certificates(data)
        assert len(ordered) == len(data) and sorted(ordered) == sorted(data)
        assert with_sorted_certificates(ordered) == ordered
        if ordered == data:
            raise LedgerVerifyError("nothing to put in order")
        return True

    def answer(*certificates: bytes) -> bytes:
        inner = _der(0x30, b"\x02\x01\x03", _der(0x31), _der(0x30, b"text"), _der(0xA0, *certificates), _der(0x31))
        return _der(0x30, _der(0x30, b"\x02\x01\x00"), _der(0x30, b"\x06\x01\x2a", _der(0xA0, inner)))

    certificates = [_der(0x30, bytes([n]) * n) for n in (200, 3, 130, 40)]
    return Target((answer(*certificates), answer(*certificates[1:]), answer(*certificates[:2] * 3)), check)


def _der(tag: int, *parts: bytes) -> bytes:
    inside = b"".join(parts)
    long = len(inside).to_bytes((len(inside).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([len(inside)]) if len(inside) < 128 else bytes([0x80 | len(long)]) + long) + inside
