"""Go's note package and ours: the same notes, the same keys, and nothing that only we would take for signed."""

import base64
from collections.abc import Callable

import pytest

from tests.oracles.hands import Oracle
from tests.support.fuzz import Mutator
from tests.support.soak import times
from tests.trace.test_note import ENOCH, ENOCH_LINE, PETER, PETER_LINE, PETER_SEED, SPEC, SPEC_NOTE, TEXT
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.errors import LedgerError, MalformedKey, NotSigned
from trace.ledger.merkle import leaf_hash
from trace.ledger.note import COSIGNATURE, Note, Signer, Verifier, open_note, sign_note

NOTES = 2500
ORIGIN = "soi.example/log"
SEED = bytes(range(32))
LOG = Signer.from_seed(ORIGIN, SEED)
NEW_LOG = Signer.from_seed(ORIGIN, bytes(range(1, 33)))
WITNESS = Signer.from_seed("witness.example/w1", bytes(range(2, 34)), COSIGNATURE)
HEAD = Checkpoint(ORIGIN, 7, leaf_hash(b"tea")).format()


def _skey(signer: Signer, seed: bytes) -> str:
    """A private key as Go's note package writes it."""
    material = base64.b64encode(b"\x01" + seed).decode()
    return f"PRIVATE+KEY+{signer.name}+{signer.verifier.key_id.hex()}+{material}"


def test_go_signs_what_we_sign_byte_for_byte(gopher: Oracle) -> None:
    for signer, seed, text in (
        (LOG, SEED, HEAD),
        (Signer.from_seed("PeterNeumann", PETER_SEED), PETER_SEED, TEXT),
        (Signer.from_seed("miến.lang/sổ", SEED), SEED, "Bản Thẳm, 22.11.2026\n\n— đây là lời, chưa phải chữ ký\n"),
    ):
        said = gopher.ask("sign", skeys=[_skey(signer, seed)], text=text)
        assert base64.b64decode(said["note"]) == sign_note(text, signer).format().encode()


def test_go_opens_the_examples_of_the_specification_and_ours(gopher: Oracle) -> None:
    rotation = sign_note(HEAD, LOG, NEW_LOG).format()
    cosigned = Note(HEAD, (LOG.sign(HEAD), WITNESS.sign(HEAD, 1_700_000_000))).format()
    for vkeys, note, names in (
        ([SPEC], SPEC_NOTE, ["example.com/foo"]),
        ([PETER, ENOCH], f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}", ["PeterNeumann", "EnochRoot"]),
        ([LOG.verifier.vkey, NEW_LOG.verifier.vkey], rotation, [ORIGIN, ORIGIN]),
        ([NEW_LOG.verifier.vkey], rotation, [ORIGIN]),
        ([LOG.verifier.vkey], cosigned, [ORIGIN]),
    ):
        said = gopher.ask("open", vkeys=vkeys, note=note.encode())
        opened = open_note(note, [Verifier.parse(vkey) for vkey in vkeys])
        assert base64.b64decode(said["text"]).decode() == opened.text
        assert said["names"] == [line.verifier.name for line in opened.signatures] == names


def test_go_refuses_what_we_refuse_to_believe(gopher: Oracle) -> None:
    stranger = sign_note(HEAD, NEW_LOG).format()
    assert "no verifiable signatures" in gopher.ask("open", vkeys=[LOG.verifier.vkey], note=stranger.encode())["error"]
    forged = sign_note(HEAD, LOG).format().replace("\n7\n", "\n8\n")
    assert "invalid signature" in gopher.ask("open", vkeys=[LOG.verifier.vkey], note=forged.encode())["error"]


@pytest.mark.processes
def test_whatever_note_we_open_go_opens_to_the_same_text(
    gopher: Oracle, record_property: Callable[[str, object], None]
) -> None:
    """The other way round we are stricter: one spelling of base64, names of at most 255 characters, no huge notes."""
    ours = [sign_note(HEAD, *signers).format() for signers in ((LOG,), (LOG, NEW_LOG))]
    sources = [*ours, f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}"]
    known = [LOG.verifier, NEW_LOG.verifier, Verifier.parse(PETER), Verifier.parse(ENOCH)]
    vkeys = [key.vkey for key in known]
    mutator = Mutator([source.encode() for source in sources], "notes for Go")
    opened_by_both = refused_by_both = 0
    for _ in range(times(NOTES)):
        data = mutator.next()
        said = gopher.ask("open", vkeys=vkeys, note=data)
        try:
            opened = open_note(data, known)
        except NotSigned:
            assert "error" in said
        except LedgerError:
            refused_by_both += "error" in said
        else:
            assert "error" not in said, (data, said)
            assert base64.b64decode(said["text"]).decode() == opened.text
            opened_by_both += 1
    assert opened_by_both > NOTES / 100 and refused_by_both > NOTES / 2
    record_property("mutated notes that Go's note package judged too", times(NOTES))


def test_whatever_key_we_read_go_reads(gopher: Oracle) -> None:
    mutator = Mutator([LOG.verifier.vkey.encode(), PETER.encode(), SPEC.encode()], "keys for Go")
    note = sign_note(HEAD, LOG).format().encode()
    read = 0
    for _ in range(NOTES):
        vkey = mutator.next().decode("utf-8", "replace")
        try:
            Verifier.parse(vkey)
        except MalformedKey:
            continue
        said = gopher.ask("open", vkeys=[vkey], note=note)
        assert "malformed" not in said.get("error", ""), vkey
        read += 1
    assert read > NOTES / 100
