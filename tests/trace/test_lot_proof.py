"""Lot proofs: a true one holds, and every kind of forgery is refused at its step, by both verifiers alike."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.proofs import NOODLE, OTHER, PACK, TUBER, Log, Story, b64, document, small, story
from tests.support.verifiers import Outcome, ours, theirs
from trace.gs1.digital_link import class_uri
from trace.ledger.canonical import canonical, parse
from trace.ledger.errors import MalformedProof
from trace.ledger.lotproof import LotProof
from trace.ledger.note import ED25519, Note, Signer, parse_note

Check = Callable[..., Outcome]
both = pytest.mark.parametrize("check", [ours, theirs])


@pytest.fixture(scope="module")
def true() -> Story:
    return story()


@both
@pytest.mark.parametrize("ancestors", [3, 5, 12, 40])
def test_a_true_lot_proof_holds_with_the_first_key_and_with_todays(check: Check, ancestors: int) -> None:
    told = story(7, ancestors)
    data = document(told.log.lot_proof(told.lot))
    for vkey in told.log.vkeys:
        assert check(data, told.log, [vkey], told.log.policy("all")) == Outcome("")
    assert len(set(told.ancestors)) == ancestors


@both
def test_every_lot_of_a_log_has_a_proof_that_holds(check: Check, true: Story) -> None:
    for lot in true.log.heads:
        assert check(document(true.log.lot_proof(lot)), true.log, true.log.vkeys[:1]) == Outcome("")


def test_a_document_is_read_and_written_byte_for_byte(true: Story) -> None:
    data = document(true.log.lot_proof(true.lot))
    assert LotProof.parse(data).format() == data


@both
def test_in_an_overlap_either_key_is_enough(check: Check) -> None:
    told = small()
    told.log.rotate_ledger()
    data = document(told.log.lot_proof(told.lot))
    for vkey in told.log.vkeys:
        assert check(data, told.log, [vkey]) == Outcome("")


# Forgeries of the document: whoever hands it on, without any key


def dropped(index: int) -> Callable[[dict[str, Any], Story], None]:
    def change(proof: dict[str, Any], _told: Story) -> None:
        proof["entries"] = [one for one in proof["entries"] if one["index"] != index]

    return change


def of_batch(told: Story, batch: str) -> list[int]:
    return [
        index for index, entry in enumerate(told.log.entries)
        if any(link["batch"] == batch for link in parse(entry)["chain"])
    ]  # fmt: skip


def entry_changed(proof: dict[str, Any], _told: Story) -> None:
    one = proof["entries"][-1]
    record = parse(base64.b64decode(one["entry"]))
    record["event"]["soi:stage"] = "dry"
    one["entry"] = b64(canonical(record))


def path_changed(proof: dict[str, Any], _told: Story) -> None:
    path = proof["entries"][3]["path"]
    path[1] = b64(bytes(32))


def path_short(proof: dict[str, Any], _told: Story) -> None:
    proof["entries"][3]["path"].pop()


def index_changed(proof: dict[str, Any], told: Story) -> None:
    proof["entries"][-1]["index"] = len(told.log.entries) - 1


def other_lot(proof: dict[str, Any], _told: Story) -> None:
    proof["lot"] = class_uri(OTHER, "BL26M-ZZZ")


def ancestor_left_out(proof: dict[str, Any], told: Story) -> None:
    first, *_ = of_batch(told, told.ancestors[0])
    dropped(first)(proof, told)


def gap_in_the_chain(proof: dict[str, Any], told: Story) -> None:
    dropped(of_batch(told, class_uri(NOODLE, "BL26M-M001"))[1])(proof, told)


def enrolment_left_out(proof: dict[str, Any], told: Story) -> None:
    dropped(1)(proof, told)


def custodian_left_out(proof: dict[str, Any], told: Story) -> None:
    dropped(0)(proof, told)


def other_root(proof: dict[str, Any], told: Story) -> None:
    """A fork: the same log's key signed another history of the same length."""
    other = copy.deepcopy(told.log)
    other.entries[-1] = told.log.entries[-2]
    proof["checkpoint"] = other.checkpoint()


def cosignature_forged(proof: dict[str, Any], told: Story) -> None:
    note = parse_note(proof["checkpoint"])
    forged = Signer.from_seed(note.signatures[-1].name, bytes(32), told.log.witnesses[-1].type).sign(note.text, 1)
    last = note.signatures[-1]
    proof["checkpoint"] = Note(
        note.text, (*note.signatures[:-1], type(last)(last.name, last.key_id, forged.signature))
    ).format()


def cosignature_moved_in_time(proof: dict[str, Any], _told: Story) -> None:
    note = parse_note(proof["checkpoint"])
    last = note.signatures[-1]
    later = (int.from_bytes(last.signature[:8], "big") + 1).to_bytes(8, "big")
    moved = type(last)(last.name, last.key_id, later + last.signature[8:])
    proof["checkpoint"] = Note(note.text, (*note.signatures[:-1], moved)).format()


def cosignatures_missing(proof: dict[str, Any], told: Story) -> None:
    proof["checkpoint"] = told.log.checkpoint(witnesses=2)


def stranger_signed(proof: dict[str, Any], told: Story) -> None:
    stranger = Signer.from_seed(told.log.origin, bytes(32), ED25519)
    proof["checkpoint"] = told.log.checkpoint(signers=[stranger])


def retired_key_signed(proof: dict[str, Any], told: Story) -> None:
    proof["checkpoint"] = told.log.checkpoint(signers=[told.log.signer(told.log.origin)])


def other_origin(proof: dict[str, Any], told: Story) -> None:
    proof["checkpoint"] = proof["checkpoint"].replace(told.log.origin + "\n", "other.example/so\n", 1)


DOCUMENTS = [
    (entry_changed, "inclusion", "root"),
    (path_changed, "inclusion", "root"),
    (path_short, "inclusion", "root|fewer|short"),
    (index_changed, "inclusion", "root|more|fewer|short|long"),
    (other_root, "inclusion", "root"),
    (other_lot, "ancestry", "no entry of the lot itself"),
    (ancestor_left_out, "chain", "begins with number 1"),
    (gap_in_the_chain, "chain", "after number 0 comes 2"),
    (enrolment_left_out, "signatures", "phone|device"),
    (custodian_left_out, "signatures", "key"),
    (cosignature_forged, "witnesses", "does not belong"),
    (cosignature_moved_in_time, "witnesses", "does not belong"),
    (cosignatures_missing, "witnesses", "2 known witnesses"),
    (stranger_signed, "checkpoint", "does not belong|signed"),
    (retired_key_signed, "checkpoint", "retired"),
    (other_origin, "checkpoint", "signed|does not belong"),
]


@both
@pytest.mark.parametrize(("forge", "step", "reason"), DOCUMENTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_forged_document_is_refused_at_its_step(
    check: Check, true: Story, forge: Callable[[dict[str, Any], Story], None], step: str, reason: str
) -> None:
    proof = true.log.lot_proof(true.lot)
    forge(proof, true)
    said = check(document(proof), true.log, true.log.vkeys[:1], true.log.policy("all"))
    assert said.failed == step, said
    assert any(word in said.reason for word in reason.split("|")), said


# Forgeries in the log itself: whoever keeps it, with its keys


def tampered(entry: bytes, **members: Any) -> bytes:
    return canonical({**parse(entry), **members})


def next_link(log: Log, batch: str) -> dict[str, Any]:
    seq, leaf = log.heads[batch]
    return {"batch": batch, "seq": seq + 1, "prev": b64(leaf)}


def signed_after_the_loss(told: Story) -> None:
    told.log.dispatch(told.lot, 1, told.log.phones["lost"])


def signed_before_enrolment(told: Story) -> None:
    phone = copy.deepcopy(told.log.phones["ed"])
    phone.seed = told.log.draw("late phone")
    told.log.dispatch(told.lot, 1, phone)
    told.log.enrol(phone)


def number_used_twice(told: Story) -> None:
    phone = told.log.phones["ed"]
    phone.seq -= 1
    told.log.dispatch(told.lot, 1, phone)


def event_not_as_claimed(told: Story) -> None:
    log = told.log
    at = log.dispatch(told.lot, 1, log.phones["ed"])
    record = parse(log.entries[at])
    record["event"]["quantityList"][0]["quantity"] = 2
    replace_last(log, canonical(record))


def claim_says_more(told: Story) -> None:
    log, phone = told.log, told.log.phones["ed"]
    at = log.dispatch(told.lot, 1, phone)
    record = parse(log.entries[at])
    claim = {**record["device"]["claim"], "buyer": "somebody"}
    record["device"] = log.device_part(phone, record["device"]["seq"], claim)
    replace_last(log, canonical(record))


def phone_signature_forged(told: Story) -> None:
    log = told.log
    at = log.dispatch(told.lot, 1, log.phones["ed"])
    record = parse(log.entries[at])
    record["device"]["sig"] = b64(bytes(64))
    replace_last(log, canonical(record))


def phone_of_another_log(told: Story) -> None:
    log, phone = told.log, told.log.phones["ed"]
    at = log.dispatch(told.lot, 1, phone)
    record = parse(log.entries[at])
    other = Log(log.seed, "other.example/so")
    record["device"] = other.device_part(phone, record["device"]["seq"], record["device"]["claim"])
    replace_last(log, canonical(record))


def custodian_signature_forged(told: Story) -> None:
    log = told.log
    at = log.dispatch(told.lot, 1)
    record = parse(log.entries[at])
    record["event"]["soi:stage"] = "sell"
    replace_last(log, canonical(record))


def old_custodian_signed(told: Story) -> None:
    log = told.log
    now, log.custodian = log.custodian, log.signer(f"{log.origin}/custodian")
    log.dispatch(told.lot, 1)
    log.custodian = now


def nobody_signed(told: Story) -> None:
    log = told.log
    at = log.dispatch(told.lot, 1)
    record = parse(log.entries[at])
    del record["custodian"]
    replace_last(log, canonical(record))


def both_signed(told: Story) -> None:
    log = told.log
    at = log.dispatch(told.lot, 1, log.phones["ed"])
    record = parse(log.entries[at])
    record["custodian"] = parse(log.entries[0])["custodian"]
    replace_last(log, canonical(record))


def wrong_hash_before(told: Story) -> None:
    log = told.log
    at = log.dispatch(told.lot, 1)
    replace_last(log, tampered(log.entries[at], chain=[{**parse(log.entries[at])["chain"][0], "prev": b64(bytes(32))}]))


def number_skipped(told: Story) -> None:
    log = told.log
    at = log.dispatch(told.lot, 1)
    link = parse(log.entries[at])["chain"][0]
    replace_last(log, tampered(log.entries[at], chain=[{**link, "seq": link["seq"] + 1}]))


def input_without_a_chain(told: Story) -> None:
    log, unknown = told.log, class_uri(TUBER, "BL26M-ZZZ")
    before = log.heads[told.lot]
    at = log.pack([unknown], told.lot, 1)
    record = parse(log.entries[at])
    log.heads[told.lot] = before
    replace_last(log, canonical({**record, "chain": [next_link(log, told.lot)]}))


def phone_enrolled_twice(told: Story) -> None:
    told.log.enrol(told.log.phones["ed"])


def enrolment_not_signed(told: Story) -> None:
    log = told.log
    phone = copy.deepcopy(log.phones["ed"])
    phone.seed = log.draw("another phone")
    phone.seq = 0
    at = log.enrol(phone)
    key = {**parse(log.entries[at])["key"], "proof": b64(bytes(64))}
    replace_last(log, tampered(log.entries[at], key=key))
    log.dispatch(told.lot, 1, phone)


def rotation_not_signed_by_the_old_key(told: Story) -> None:
    log = told.log
    at = log.rotate_ledger()
    key = parse(log.entries[at])["key"]
    replace_last(log, tampered(log.entries[at], key={**key, "sigs": [key["sigs"][1], key["sigs"][1]]}))
    log.ledger_keys = log.ledger_keys[1:]


def replace_last(log: Log, body: bytes) -> None:
    log.entries.pop()
    log.add_bytes(body)


LOGS = [
    (signed_after_the_loss, "signatures", "not enrolled there|not good there"),
    (signed_before_enrolment, "signatures", "not enrolled there|not good there"),
    (number_used_twice, "signatures", "twice"),
    (event_not_as_claimed, "signatures", "inputs"),
    (claim_says_more, "signatures", "buyer"),
    (phone_signature_forged, "signatures", "signature does not"),
    (phone_of_another_log, "signatures", "signature does not"),
    (custodian_signature_forged, "signatures", "custodian's signature does not fit"),
    (old_custodian_signed, "signatures", "custodian|does not know"),
    (nobody_signed, "signatures", "one of them only"),
    (both_signed, "signatures", "one of them only"),
    (wrong_hash_before, "chain", "does not name the entry before"),
    (number_skipped, "chain", "gap"),
    (input_without_a_chain, "ancestry", "of which it was made"),
    (phone_enrolled_twice, "signatures", "once"),
    (enrolment_not_signed, "signatures", "sign"),
    (rotation_not_signed_by_the_old_key, "checkpoint", "signed"),
]


@both
@pytest.mark.parametrize(("forge", "step", "reason"), LOGS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_a_dishonest_log_signs_is_refused_at_its_step(
    check: Check, forge: Callable[[Story], None], step: str, reason: str
) -> None:
    told = story()
    forge(told)
    data = document(told.log.lot_proof(told.lot))
    said = check(data, told.log, told.log.vkeys[:1])
    assert said.failed == step, said
    assert any(word in said.reason for word in reason.split("|")), said


# Form


def repeated_member(text: str) -> str:
    return text.replace('"format":', '"format":"soi-lot-proof/v1","format":', 1)


def reordered(text: str) -> str:
    told = json.loads(text)
    return json.dumps({name: told[name] for name in ("format", "lot", "checkpoint", "entries")}, separators=(",", ":"))


FORMS: list[Callable[[str], str]] = [
    lambda text: text + "\n",
    lambda text: " " + text,
    lambda text: text.replace(":", ": ", 1),
    lambda text: text.replace("soi-lot-proof/v1", "soi-lot-proof/v2"),
    lambda text: text.replace('"index":0', '"index":-0'),
    lambda text: text.replace('"index":0', '"index":0.0'),
    lambda text: text.replace('"index":0', '"index":false'),
    lambda text: text.replace('"index":1,', '"index":0,'),
    lambda text: text.replace('"lot":"https', '"lot":"http'),
    lambda text: text.replace('/10/', '/21/'),
    lambda text: text.replace('"path":["', '"path":["A', 1),
    lambda text: text.replace('"lot":', '"lots":'),
    lambda text: text.replace('"format":', '"aside":1,"format":'),
    lambda text: text.replace("\\n", "\\u000a", 1),
    lambda text: text.replace("\\n", "\\r\\n"),
    lambda text: text[:-1],
    lambda text: "[" * 100_000,
    lambda text: '{"checkpoint":' * 20_000,
    lambda text: "9" * 100_000,
    lambda text: "",
    lambda text: "null",
    lambda text: "[]",
    lambda text: '"' + "x" * 100_000,
    lambda text: '{"checkpoint":"","entries":[],"format":"soi-lot-proof/v1","lot":""}',
    repeated_member,
    reordered,
]


@both
@pytest.mark.parametrize("number", range(len(FORMS)))
def test_a_document_in_any_other_form_is_refused(check: Check, true: Story, number: int) -> None:
    text = document(true.log.lot_proof(true.lot)).decode()
    changed = FORMS[number](text)
    assert changed != text
    assert check(changed.encode(), true.log, true.log.vkeys).failed == "form"


@both
def test_a_document_that_is_too_long_is_refused_at_once(check: Check, true: Story) -> None:
    assert check(b"[" + b"1," * 10_000_000 + b"1]", true.log, true.log.vkeys).failed == "form"
    assert check(b"\xff" * 100, true.log, true.log.vkeys).failed == "form"


@both
def test_no_changed_byte_leaves_a_lot_proof_standing(check: Check) -> None:
    told = small()
    data = document(told.log.lot_proof(told.lot, told.log.checkpoint(witnesses=1)))
    policy = told.log.policy("any")
    assert check(data, told.log, told.log.vkeys, policy) == Outcome("")
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        said = check(bytes(changed), told.log, told.log.vkeys, policy)
        assert said.failed and said.reason, f"byte {position}"


@both
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_comes_is_answered_and_only_the_true_document_holds(check: Check, data: st.DataObject) -> None:
    told = SMALL
    text = DOCUMENT
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    odd = st.sampled_from([b'"', b"{}", b"[[", b"null", b"1e999", b"\\ud800", b"-0"])
    piece = data.draw(st.binary(max_size=12) | odd)
    changed = text[:start] + piece + text[end:]
    said = check(changed, told.log, told.log.vkeys, told.log.policy("all"))
    assert bool(said.failed) == (changed != text)


SMALL = small()
DOCUMENT = document(SMALL.log.lot_proof(SMALL.lot))


ODD = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text(max_size=5)
    | st.lists(st.none() | st.text(max_size=3)) | st.sampled_from(["event", "key", "erasure", "new", "x" * 44])
    | st.dictionaries(st.sampled_from(["key", "sig", "seq", "claim", "epcClass", "role"]), st.none() | st.just("x"))
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_both_verifiers_judge_alike_whatever_a_dishonest_log_signs(data: st.DataObject) -> None:
    """Some member of some entry becomes something else, or goes; the log signs it all the same."""
    told = copy.deepcopy(SMALL)
    at = data.draw(st.integers(0, len(told.log.entries) - 1))
    record = parse(told.log.entries[at])
    spot: Any = record
    while True:
        name = data.draw(st.sampled_from(sorted(spot) if isinstance(spot, dict) else range(len(spot))))
        if not isinstance(spot[name], (dict, list)) or not spot[name] or data.draw(st.booleans()):
            break
        spot = spot[name]
    if data.draw(st.booleans()):
        spot[name] = data.draw(ODD)
    else:
        del spot[name]
    told.log.entries[at] = canonical(record)
    proof = told.log.lot_proof(told.lot, indexes=range(len(told.log.entries)))
    said = [check(document(proof), told.log, told.log.vkeys).failed for check in (ours, theirs)]
    assert said[0] == said[1]


def test_both_verifiers_agree_with_any_keys() -> None:
    told = story()
    for lot in (told.lot, class_uri(PACK, "BL26M-ZZZ")):
        data = document(told.log.lot_proof(lot, indexes=told.log.indexes(told.lot)))
        for vkeys in ([], told.log.vkeys[:1], told.log.vkeys[1:]):
            assert ours(data, told.log, vkeys).failed == theirs(data, told.log, vkeys).failed


def test_reading_a_document_raises_one_kind_of_error(true: Story) -> None:
    for data in (b"", b"{}", b"\xff", document({"format": "soi-lot-proof/v1"})):
        with pytest.raises(MalformedProof):
            LotProof.parse(data)
