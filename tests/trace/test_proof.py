"""Receipts: a buyer can check one without asking anybody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace.ledger.checkpoint import Checkpoint
from trace.ledger.errors import MalformedProof
from trace.ledger.merkle import EMPTY_ROOT, Frontier, NodeId, inclusion_path, leaf_hash
from trace.ledger.note import COSIGNATURE, Note, SignatureLine, Signer, parse_note
from trace.ledger.proof import Proof, Step, verify_proof

ORIGIN = "soi.example/log"
LOG = Signer.from_seed(ORIGIN, bytes(range(32)))
STRANGER = Signer.from_seed(ORIGIN, bytes(range(1, 33)))
WITNESS = Signer.from_seed("witness.example/w1", bytes(range(2, 34)), COSIGNATURE)
KEYS = [LOG.verifier, WITNESS.verifier]
ENTRIES = [b'{"entry":%d}' % i for i in range(40)]


def checkpoint(size: int, *, signer: Signer = LOG) -> str:
    root = Frontier().extend(leaf_hash(entry) for entry in ENTRIES[:size])[0].root()
    text = Checkpoint(ORIGIN, size, root).format()
    return Note(text, (signer.sign(text), WITNESS.sign(text, 1_700_000_000))).format()


def receipt(index: int, size: int, *, extra: bytes | None = None, signer: Signer = LOG) -> Proof:
    leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
    nodes = {NodeId(0, i): leaf for i, leaf in enumerate(leaves)}
    nodes |= {NodeId(level, number): value for level, number, value in Frontier().extend(leaves)[1]}
    path = inclusion_path(index, size, lambda level, number: nodes[NodeId(level, number)])
    return Proof(index, path, checkpoint(size, signer=signer), extra)


def test_a_receipt_has_the_form_of_the_specification() -> None:
    lines = receipt(2, 3, extra=b"tea").format().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra dGVh", "index 2"]
    assert len(lines[3]) == 44
    assert lines[4:7] == ["", ORIGIN, "3"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_receipt_holds_for_its_entry_and_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    proof = receipt(index, size, extra=data.draw(st.none() | st.binary(min_size=1, max_size=20)))
    assert Proof.parse(proof.format()) == proof
    result = verify_proof(ENTRIES[index], proof.format(), ORIGIN, KEYS, witnesses_required=1)
    assert result.holds
    assert (result.index, result.extra) == (index, proof.extra)
    assert result.signed is not None and result.signed.checkpoint.size == size
    wrong = verify_proof(ENTRIES[index] + b" ", proof.format(), ORIGIN, KEYS)
    assert not wrong.holds
    assert (wrong.failed, wrong.held) == (Step.INCLUSION, (Step.FORM, Step.CHECKPOINT, Step.WITNESSES))
    assert "does not lead to the root" in wrong.reason


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_changed_bit_breaks_a_receipt(data: st.DataObject) -> None:
    text = receipt(5, 13).format().encode()
    bit = data.draw(st.integers(0, len(text) * 8 - 1))
    changed = bytearray(text)
    changed[bit // 8] ^= 1 << bit % 8
    result = verify_proof(
        ENTRIES[5], bytes(changed), ORIGIN, [LOG.verifier, WITNESS.verifier], witnesses_required=1
    )
    assert not result.holds
    assert result.failed is not None and result.reason


def test_extra_data_proves_nothing_and_breaks_nothing() -> None:
    text = receipt(5, 13, extra=b"good tea").format()
    forged = text.replace("extra Z29vZCB0ZWE=", "extra YmFkIHRlYQ==")
    assert forged != text
    result = verify_proof(ENTRIES[5], forged, ORIGIN, KEYS)
    assert result.holds and result.extra == b"bad tea"


def test_a_receipt_of_another_log_or_another_key_fails_at_the_checkpoint() -> None:
    other = Signer.from_seed("other.example", bytes(32))
    for origin, keys in (
        ("other.example", [*KEYS, other.verifier]),
        (ORIGIN, [STRANGER.verifier]),
        (ORIGIN, [WITNESS.verifier]),
        (ORIGIN, []),
    ):
        result = verify_proof(ENTRIES[5], receipt(5, 13).format(), origin, keys)
        assert (result.failed, result.held) == (Step.CHECKPOINT, (Step.FORM,))


def test_too_few_witnesses_fail_the_receipt() -> None:
    result = verify_proof(ENTRIES[5], receipt(5, 13).format(), ORIGIN, KEYS, witnesses_required=2)
    assert result.failed is Step.WITNESSES
    assert result.reason == "1 of 2 required witnesses have cosigned"
    assert verify_proof(ENTRIES[5], receipt(5, 13).format(), ORIGIN, [LOG.verifier]).holds


def test_a_forged_cosignature_fails_at_the_witnesses() -> None:
    note = parse_note(checkpoint(13))
    log, witness = note.signatures
    forged = Note(note.text, (log, SignatureLine(witness.name, witness.key_id, witness.signature[:-1] + b"x"))).format()
    result = verify_proof(ENTRIES[5], Proof(5, receipt(5, 13).path, forged).format(), ORIGIN, KEYS)
    assert (result.failed, result.held) == (Step.WITNESSES, (Step.FORM, Step.CHECKPOINT))
    assert verify_proof(ENTRIES[5], Proof(5, receipt(5, 13).path, forged).format(), ORIGIN, [LOG.verifier]).holds


def test_the_log_of_one_has_an_empty_path_and_the_empty_log_has_no_receipts() -> None:
    assert receipt(0, 1).path == ()
    assert verify_proof(ENTRIES[0], receipt(0, 1).format(), ORIGIN, KEYS).holds
    text = Checkpoint(ORIGIN, 0, EMPTY_ROOT).format()
    empty = Proof(0, (), Note(text, (LOG.sign(text),)).format())
    result = verify_proof(b"", empty.format(), ORIGIN, KEYS)
    assert result.failed is Step.INCLUSION and "empty log" in result.reason


def test_an_index_beyond_the_log_fails() -> None:
    proof = receipt(5, 13)
    result = verify_proof(ENTRIES[5], Proof(13, proof.path, proof.checkpoint).format(), ORIGIN, KEYS)
    assert result.failed is Step.INCLUSION


GOOD = receipt(2, 3, extra=b"tea").format()
HASH_LINE = GOOD.split("\n")[3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        GOOD.replace("@v1", "@v2"),
        GOOD.replace("extra dGVh\n", "extra \n"),
        GOOD.replace("extra dGVh\n", "extra dGV\n"),
        GOOD.replace("extra dGVh\n", "extra dGVh\nextra dGVh\n"),
        GOOD.replace("index 2\n", ""),
        GOOD.replace("index 2", "index 02"),
        GOOD.replace("index 2", "index -2"),
        GOOD.replace("index 2", "index 99999999999999999999"),
        GOOD.replace("index 2", "Index 2"),
        GOOD.replace("\n\n", "\n", 1),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(HASH_LINE, HASH_LINE[:-1]),
        GOOD.replace(HASH_LINE, "dGVh"),
        GOOD.replace(HASH_LINE, "\n".join([HASH_LINE] * 64)),
        GOOD.replace(HASH_LINE, "\n".join([HASH_LINE] * 5000)),
        GOOD.replace("extra dGVh", "extra " + "dGVh" * 30_000),
        GOOD[:-1],
        GOOD + "x",
        "x" * 1_000_000,
        GOOD.encode()[:40] + b"\xff" + GOOD.encode()[40:],
    ],
)
def test_what_is_not_a_receipt_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedProof):
        Proof.parse(text)
    result = verify_proof(ENTRIES[2], text, ORIGIN, KEYS)
    assert (result.failed, result.held) == (Step.FORM, ())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda tail: GOOD[:90] + tail))
def test_any_bytes_as_a_receipt_fail_without_a_crash(data: str | bytes) -> None:
    assert not verify_proof(ENTRIES[2], data, ORIGIN, KEYS).holds


def test_a_receipt_that_could_not_be_read_is_not_written() -> None:
    note = checkpoint(3)
    for index, path, checkpoint_text, extra in (
        (-1, (), note, None),
        (0, (bytes(31),), note, None),
        (0, (bytes(32),) * 64, note, None),
        (0, (), "not a note", None),
        (0, (), note, b""),
    ):
        with pytest.raises(MalformedProof):
            Proof(index, path, checkpoint_text, extra)
