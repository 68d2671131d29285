"""Signed notes and checkpoints. Vectors: the C2SP specification and Go's sumdb/note."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace.ledger.checkpoint import Checkpoint, open_checkpoint
from trace.ledger.errors import (
    BadSignature,
    LedgerError,
    MalformedCheckpoint,
    MalformedKey,
    MalformedNote,
    NotSigned,
    UnsupportedKey,
)
from trace.ledger.merkle import EMPTY_ROOT, leaf_hash
from trace.ledger.note import COSIGNATURE, Note, Signer, Verifier, open_note, parse_note, sign_note

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
SPEC = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

ORIGIN = "soi.example/log"
LOG = Signer.from_seed(ORIGIN, bytes(range(32)))
NEW_LOG = Signer.from_seed(ORIGIN, bytes(range(1, 33)))
WITNESS = Signer.from_seed("witness.example/w1", bytes(range(2, 34)), COSIGNATURE)
HEAD = Checkpoint(ORIGIN, 7, leaf_hash(b"tea"))
KEYS = [LOG.verifier, WITNESS.verifier]


def test_the_example_of_the_specification_opens() -> None:
    opened = open_note(SPEC_NOTE.encode(), [Verifier.parse(SPEC)])
    assert opened.text == "This is an example message.\n"
    assert Verifier.parse(SPEC).vkey == SPEC


def test_gos_example_is_signed_byte_for_byte() -> None:
    peter = Signer.from_seed("PeterNeumann", PETER_SEED)
    assert peter.verifier.vkey == PETER
    assert sign_note(TEXT, peter).format() == f"{TEXT}\n{PETER_LINE}"


def test_two_keys_may_sign_and_unknown_ones_are_ignored() -> None:
    note = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}"
    both = open_note(note, [Verifier.parse(PETER), Verifier.parse(ENOCH)])
    assert [line.verifier.name for line in both.signatures] == ["PeterNeumann", "EnochRoot"]
    one = open_note(note, [Verifier.parse(ENOCH)])
    assert (len(one.signatures), one.ignored) == (1, 1)
    with pytest.raises(NotSigned):
        open_note(note, [])


def test_a_bad_line_of_a_known_key_fails_the_whole_note() -> None:
    bad = sign_note("another text\n", NEW_LOG).signatures[0]
    note = Note(HEAD.format(), (LOG.sign(HEAD.format()), bad))
    assert open_note(note, [LOG.verifier]).ignored == 1
    with pytest.raises(BadSignature):
        open_note(note, [LOG.verifier, NEW_LOG.verifier])


def test_a_line_with_the_same_name_but_another_key_is_unknown() -> None:
    with pytest.raises(NotSigned):
        open_note(sign_note(TEXT, NEW_LOG), [LOG.verifier])


def test_two_different_keys_under_one_name_and_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trace.ledger.note.key_id", lambda *_: b"same")
    with pytest.raises(MalformedKey, match="share"):
        open_note(sign_note(TEXT, LOG), [LOG.verifier, NEW_LOG.verifier])


def test_every_mangling_of_a_key_is_refused() -> None:
    for i in range(len(PETER)):
        for bad in (PETER[:i], PETER[i + 1 :], PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :]):
            with pytest.raises(MalformedKey):
                Verifier.parse(bad)
    with pytest.raises(MalformedKey):
        Verifier.parse("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==")
    with pytest.raises(UnsupportedKey):
        Verifier.parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\u2028b", "a\ud800", "x" * 300])
def test_a_key_name_has_no_spaces_and_no_plus(name: str) -> None:
    with pytest.raises(MalformedKey):
        Signer.from_seed(name, bytes(32))


def test_a_signer_does_not_show_its_key_and_refuses_bad_seeds() -> None:
    assert "Ed25519PrivateKey" not in repr(LOG) and bytes(range(32)).hex() not in repr(LOG)
    with pytest.raises(MalformedKey):
        Signer.from_seed(ORIGIN, bytes(31))
    with pytest.raises(UnsupportedKey):
        Signer.from_seed(ORIGIN, bytes(32), 0x06)
    for text in ("no newline", "tab\t\n", ""):
        with pytest.raises(MalformedNote):
            LOG.sign(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        TEXT,
        PETER_LINE,
        TEXT + "\n",
        TEXT + PETER_LINE,
        f"{TEXT}\n{PETER_LINE}"[:-1],
        f"{TEXT}\n{PETER_LINE}\n",
        f"{TEXT}\n{PETER_LINE}extra\n",
        f"{TEXT}\n{PETER_LINE.replace('— ', '—  ')}",
        f"{TEXT}\n{PETER_LINE.replace('— ', '-- ')}",
        f"{TEXT}\n{PETER_LINE.replace('=', '')}",
        f"{TEXT}\n{PETER_LINE.replace('M=', 'N=')}",
        f"{TEXT}\n{PETER_LINE[:-1]} \n",
        f"{TEXT}\n— a+b {PETER_LINE.split()[2]}\n",
        f"{TEXT}\n— a AAAA\n",
        f"{TEXT}\t\n\n{PETER_LINE}",
        f"{TEXT}\r\n\n{PETER_LINE}",
        f"{TEXT}\x00\n\n{PETER_LINE}",
        f"{TEXT}\ud800\n\n{PETER_LINE}",
        f"{TEXT}\n{PETER_LINE * 101}",
        "x" * 300_000 + f"\n\n{PETER_LINE}",
        TEXT.encode() + b"\xff\n\n" + PETER_LINE.encode(),
    ],
)
def test_what_is_not_a_note_is_refused(note: str | bytes) -> None:
    with pytest.raises(MalformedNote):
        parse_note(note)


def test_a_text_may_hold_empty_lines_and_sixteen_large_signatures() -> None:
    text = "first\n\n\nlast\n\n"
    unknown = "— pq.example " + base64.b64encode(bytes(4 + 4900)).decode() + "\n"
    note = sign_note(text, LOG).format() + unknown * 15
    assert open_note(note, [LOG.verifier]).text == text
    assert parse_note(note).format() == note


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.binary(max_size=80) | st.text("\n — aA=+é", max_size=60))
def test_any_bytes_are_a_note_or_refused_and_never_crash(data: str | bytes) -> None:
    try:
        open_note(data, KEYS)
    except LedgerError as error:
        assert str(error)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_one_changed_bit_breaks_a_signed_checkpoint(data: st.DataObject) -> None:
    note = sign_note(HEAD.format(), LOG).format().encode()
    bit = data.draw(st.integers(0, len(note) * 8 - 1))
    changed = bytearray(note)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        open_checkpoint(bytes(changed), ORIGIN, KEYS)


def test_a_witness_signs_the_time_with_the_checkpoint() -> None:
    line = WITNESS.sign(HEAD.format(), 1_679_315_147)
    note = Note(HEAD.format(), (LOG.sign(HEAD.format()), line))
    signed = open_checkpoint(note.format(), ORIGIN, KEYS)
    assert signed.checkpoint == HEAD
    assert [line.time for line in signed.signatures] == [None]
    assert [line.time for line in signed.cosignatures] == [1_679_315_147]
    assert signed.witnesses == {WITNESS.verifier.public_key}
    later = line.signature[:7] + bytes([line.signature[7] ^ 1]) + line.signature[8:]
    for payload in (later, line.signature[8:], line.signature + b"x"):
        with pytest.raises(BadSignature):
            WITNESS.verifier.verify(HEAD.format(), payload)
    with pytest.raises(ValueError, match="time"):
        WITNESS.sign(HEAD.format())
    with pytest.raises(ValueError, match="time"):
        LOG.sign(HEAD.format(), 1)


def test_a_witness_under_two_names_counts_once() -> None:
    twin = Signer("witness.example/w2", WITNESS.private_key, COSIGNATURE)
    text = HEAD.format()
    note = Note(text, (LOG.sign(text), WITNESS.sign(text, 1), twin.sign(text, 2)))
    signed = open_checkpoint(note, ORIGIN, [*KEYS, twin.verifier])
    assert len(signed.cosignatures) == 2
    assert len(signed.witnesses) == 1


def test_a_checkpoint_needs_the_logs_own_signature() -> None:
    text = HEAD.format()
    with pytest.raises(NotSigned, match="itself"):
        open_checkpoint(Note(text, (WITNESS.sign(text, 1),)), ORIGIN, KEYS)
    other = Signer.from_seed("other.example", bytes(32))
    with pytest.raises(NotSigned):
        open_checkpoint(sign_note(text, other), ORIGIN, [*KEYS, other.verifier])


def test_a_checkpoint_of_another_log_is_refused() -> None:
    text = Checkpoint("other.example", 7, HEAD.root).format()
    with pytest.raises(MalformedCheckpoint, match=r"other\.example"):
        open_checkpoint(sign_note(text, LOG), ORIGIN, KEYS)


def test_in_a_key_rotation_both_keys_sign_and_either_is_enough() -> None:
    note = sign_note(HEAD.format(), LOG, NEW_LOG)
    for known in ([LOG.verifier], [NEW_LOG.verifier], [LOG.verifier, NEW_LOG.verifier]):
        assert len(open_checkpoint(note, ORIGIN, known).signatures) == len(known)


def test_the_checkpoint_of_the_specification_reads_and_writes() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    head = Checkpoint.parse(text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert head.format() == text
    assert Checkpoint.parse(Checkpoint(ORIGIN, 0, EMPTY_ROOT).format()).size == 0


ROOT = HEAD.format().split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        f"{ORIGIN}\n7\n{ROOT}",
        f"{ORIGIN}\n7\n{ROOT}\nextension\n",
        f"{ORIGIN}\n7\n{ROOT}\n\n",
        f"\n7\n{ROOT}\n",
        f"a b\n7\n{ROOT}\n",
        *(f"{ORIGIN}\n{n}\n{ROOT}\n" for n in ("", "07", "-7", "+7", " 7", "٧", "7_0", 2**63, "9" * 400)),
        f"{ORIGIN}\n7\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n7\nAAAA\n",
        f"{ORIGIN}\n0\n{ROOT}\n",
        f"{ORIGIN}\r\n7\r\n{ROOT}\r\n",
    ],
)
def test_a_checkpoint_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        Checkpoint.parse(text)
