"""The browser's verifier (static/js/proof), driven by Node: vectors, true proofs, forgeries, hostile bytes."""

import base64
import json
import random
import re
import shutil
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracles.hands import Oracle
from tests.support.forgeries import FORGERIES, Forgery, forged_receipts, fresh
from tests.support.proofs import Story, document, story
from tests.trace import test_merkle as trees
from tests.trace.test_canonical import APPENDIX_B, JSON
from tests.trace.test_ed25519 import VECTORS, Vector
from tests.trace.test_note import ENOCH, ENOCH_LINE, PETER, PETER_LINE, SPEC, SPEC_NOTE, TEXT
from trace.ledger import merkle
from trace.ledger.canonical import MAX_ENTRY_BYTES, canonical, parse
from trace.ledger.errors import LedgerError, MalformedEntry
from trace.ledger.lotcheck import verify_lot
from trace.ledger.note import Verifier
from trace.ledger.policy import MalformedPolicy, Policy, satisfied
from village.settings import ROOT

SCRIPT = ROOT / "tests" / "support" / "verifier.mjs"
SCRIPTS = ROOT / "static" / "js"
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def browser() -> Iterator[Oracle]:
    """The verifier's modules, in Node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; `make test` installs it on Debian")
    with Oracle(node, str(SCRIPT)) as oracle:
        if oracle.ask("ed25519", key=bytes(32), message=b"", signature=bytes(64)).get("error") == "cannot-check":
            pytest.skip("this Node is too old to know Ed25519 in WebCrypto")
        yield oracle


@pytest.fixture(scope="module")
def told() -> Story:
    return story(seed=1, ancestors=6)


def judge(browser: Oracle, kind: str, told: Story, made: bytes | str, **more: Any) -> dict[str, Any]:
    body = made.encode() if isinstance(made, str) else made
    trust = {"vkeys": told.log.vkeys, "policy": told.log.policy(), "origin": told.log.origin}
    return browser.ask(kind, document=body, **(trust | more))


def failed(judged: dict[str, Any]) -> tuple[str, str]:
    bad = [check for check in judged["checks"] if check["held"] is False]
    assert len(bad) <= 1
    return (bad[0]["step"], bad[0]["reason"]) if bad else ("", "")


# True proofs


def test_a_true_lot_proof_holds_in_every_step(browser: Oracle, told: Story) -> None:
    judged = judge(browser, "lot", told, document(told.log.lot_proof(told.lot)))
    assert judged["verdict"] == "whole"
    assert [check["held"] for check in judged["checks"]] == [True] * 7


def test_rotations_lead_from_the_first_key_to_todays(browser: Oracle, told: Story) -> None:
    made = document(told.log.lot_proof(told.lot))
    assert judge(browser, "lot", told, made, vkeys=told.log.vkeys[:1])["verdict"] == "whole"
    stranger = story(seed=2, ancestors=3).log.vkeys
    assert failed(judge(browser, "lot", told, made, vkeys=stranger)) == ("checkpoint", "not-signed")


def test_an_old_checkpoint_holds_under_the_old_key(browser: Oracle, told: Story) -> None:
    tuber = told.ancestors[0]
    made = document(told.log.lot_proof(tuber, told.early))
    assert judge(browser, "lot", told, made)["verdict"] == "whole"


def test_a_proof_of_another_lot_than_was_asked_for_is_refused(browser: Oracle, told: Story) -> None:
    made = document(told.log.lot_proof(told.ancestors[0]))
    assert failed(judge(browser, "lot", told, made, wanted=told.lot)) == ("form", "other-lot")


def test_a_true_receipt_holds_and_says_what_it_cannot_show(browser: Oracle, told: Story) -> None:
    judged = judge(browser, "receipt", told, told.log.receipt(told.pack))
    assert judged["verdict"] == "whole"
    held = {check["step"]: check["held"] for check in judged["checks"]}
    assert held == {
        "form": True, "checkpoint": True, "witnesses": True, "inclusion": True,
        "signatures": None, "chain": None, "ancestry": None,
    }  # fmt: skip


def test_without_a_witness_asked_for_that_step_is_not_called_held(browser: Oracle, told: Story) -> None:
    bare = told.log.checkpoint(witnesses=0)
    made = document(told.log.lot_proof(told.lot, bare))
    judged = judge(browser, "lot", told, made, policy="quorum none\n")
    witnesses = judged["checks"][2]
    assert (judged["verdict"], witnesses["held"], witnesses["reason"]) == ("whole", None, "no-witness-asked")


# Forgeries


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forged_lot_proof_fails_at_its_step_for_its_reason(browser: Oracle, forgery: Forgery) -> None:
    forged = fresh()
    judged = judge(browser, "lot", forged, forgery.make(forged))
    assert judged["verdict"] == "cut"
    assert failed(judged) == (forgery.step, forgery.reason)


@pytest.mark.parametrize("place", range(6))
def test_a_forged_receipt_fails_at_its_step(browser: Oracle, told: Story, place: int) -> None:
    forgery = forged_receipts(told)[place]
    judged = judge(browser, "receipt", told, forgery.make(told))
    assert judged["verdict"] == "cut"
    assert failed(judged)[0] == forgery.step
    assert failed(judged)[1] in (forgery.reason, "bad-receipt")


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_the_browser_and_the_server_fail_a_forgery_at_the_same_step(browser: Oracle, forgery: Forgery) -> None:
    forged = fresh()
    made = forgery.make(forged)
    ours = _ours(forged, made if isinstance(made, bytes) else made.encode())
    assert ours == forgery.step


def _ours(told: Story, made: bytes) -> str:
    policy = Policy.parse(told.log.policy().encode())
    result = verify_lot(made, told.log.origin, policy.verifiers, enough=lambda keys: satisfied(policy, keys))
    return result.failed or ""


def test_the_browser_and_the_server_agree_on_documents_with_a_byte_changed(browser: Oracle) -> None:
    told = fresh()
    true = document(told.log.lot_proof(told.lot))
    chance = random.Random(8)
    for _ in range(400):
        made = bytearray(true)
        made[chance.randrange(len(made))] = chance.choice(b'AZaz09+/="\\{}[],: \n\xc3')
        theirs = judge(browser, "lot", told, bytes(made))
        # The answer to bytes that are no text at all comes from the reader, before the first step.
        step = "form" if theirs.get("error") == "not-utf8" else failed(theirs)[0]
        assert step == _ours(told, bytes(made)), [i for i, byte in enumerate(made) if byte != true[i]]


# JSON


@some
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_the_browser_writes_canonical_json_as_the_server_does(browser: Oracle, obj: dict[str, Any]) -> None:
    try:
        ours = canonical(obj)
    except MalformedEntry:
        return
    assert browser.ask("canonical", json=ours) == {"written": base64.b64encode(ours).decode()}
    assert "entry" in browser.ask("entry", body=ours)


def test_numbers_are_written_as_rfc_8785_says(browser: Oracle) -> None:
    for bits, text in APPENDIX_B:
        number = float(text)
        if abs(number) > 2**53 - 1:
            assert browser.ask("canonical", json=text.encode())["error"] == "number-too-large", bits
        else:
            assert base64.b64decode(browser.ask("canonical", json=text.encode())["written"]) == text.encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":2}', "key-twice"),
        (b'{"__proto__":1,"__proto__":1}', "key-twice"),
        (b'{"a":9007199254740992}', "number-too-large"),
        (b'{"a":1e400}', "number-too-large"),
        (b'{"a":"\\ud800"}', "lone-surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "not-utf8"),
        (b'\xef\xbb\xbf{"a":1}', "not-json"),
        (b'{"b":1,"a":2}', "not-canonical"),
        (b'{"a": 1}', "not-canonical"),
        (b'{"a":1.0}', "not-canonical"),
        (b'{"a":-0}', "not-canonical"),
        (b'{"a":1}\n', "not-canonical"),
        (('{"a":"' + unicodedata.normalize("NFD", "ế") + '"}').encode(), "not-canonical"),
        (b'{"a":01}', "not-json"),
        (b'{"a":+1}', "not-json"),
        (b'{"a":NaN}', "not-json"),
        (b'{"a":1,}', "not-json"),
        (b'{"a":"\t"}', "not-json"),
        (b'{"a":"\\x41"}', "not-json"),
        (b"[1]", "not-json"),
        (b'"a"', "not-json"),
        (b"", "not-json"),
        (b'{"a":' + b"[" * 33 + b"]" * 33 + b"}", "too-deep"),
        (b'{"a":' + b"[" * 5000, "too-deep"),
        (b'{"a":"' + b"x" * MAX_ENTRY_BYTES + b'"}', "entry-too-long"),
    ],
)  # fmt: skip
def test_an_entry_in_any_other_spelling_is_refused(browser: Oracle, body: bytes, reason: str) -> None:
    assert browser.ask("entry", body=body)["error"] == reason
    with pytest.raises(MalformedEntry):
        parse(body)


def test_an_objects_keys_may_be_called_anything(browser: Oracle) -> None:
    body = canonical({"__proto__": {"x": 1}, "constructor": 1, "hasOwnProperty": 2, "1": 3})
    assert json.loads(json.dumps(browser.ask("entry", body=body)["entry"])) == parse(body)


@some
@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_in_both_or_in_neither(browser: Oracle, body: bytes) -> None:
    try:
        parse(body)
        ours = True
    except MalformedEntry:
        ours = False
    theirs = browser.ask("entry", body=body)
    assert theirs.get("error") != "crashed"
    assert ("entry" in theirs) == ours


@pytest.mark.parametrize("text", ["TQ==", "TQ", "TR==", "TQ=", "T Q=", "TQ==\n", "-_-_", "====", "", "TWFu", "ＴQ=="])
def test_base64_has_one_spelling(browser: Oracle, text: str) -> None:
    assert browser.ask("base64", text=text)["known"] is (text in ("TQ==", "", "TWFu"))


# The tree


def test_inclusion_and_consistency_hold_for_all_small_trees_and_for_no_other_place(browser: Oracle) -> None:
    leaves = [merkle.leaf_hash(b"entry %d" % i) for i in range(9)]
    nodes = {(0, i): leaf for i, leaf in enumerate(leaves)}
    nodes |= {(n.level, n.number): n.hash for n in merkle.Frontier().extend(leaves)[1]}
    roots = [merkle.root_of(leaves[:size]) for size in range(10)]
    for size in range(1, 10):
        for index in range(size):
            path = list(merkle.inclusion_path(index, size, lambda *node: nodes[node]))
            ask = {"leaf": leaves[index], "size": size, "path": path, "root": roots[size]}
            assert browser.ask("inclusion", index=index, **ask) == {}
            for other in (index - 1, index + 1):
                assert "error" in browser.ask("inclusion", index=other, **ask)
        for old in range(1, size + 1):
            path = list(merkle.consistency_path(old, size, lambda *node: nodes[node]))
            ask = {"old": old, "size": size, "path": path, "root": roots[size]}
            assert browser.ask("consistency", oldRoot=roots[old], **ask) == {}
            assert browser.ask("consistency", oldRoot=leaves[8], **ask)["error"] == "rewritten"


def test_the_trees_of_certificate_transparency_are_the_browsers_too(browser: Oracle) -> None:
    leaf = browser.ask("leaf", entry=trees.CT_LEAVES[1])["hash"]
    assert base64.b64decode(leaf) == merkle.leaf_hash(trees.CT_LEAVES[1])


@pytest.mark.parametrize("index", [0, 2**31 - 1, 2**31, 2**40 + 5, 2**52])
def test_sizes_beyond_32_bits_are_counted_rightly(browser: Oracle, index: int) -> None:
    """A tree of 2^53 − 1 leaves whose siblings are all invented: the root follows from the path."""
    size, leaf = 2**53 - 1, merkle.leaf_hash(b"far away")
    path, value = list[bytes](), leaf
    fn, sn = index, size - 1
    while sn:
        sibling = merkle.leaf_hash(b"%d" % len(path))
        if fn & 1 or fn == sn:
            value = merkle.node_hash(sibling, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = merkle.node_hash(value, sibling)
        path.append(sibling)
        fn, sn = fn >> 1, sn >> 1
    merkle.verify_inclusion(leaf, index, size, path, value)
    ask = {"leaf": leaf, "size": size, "path": path, "root": value}
    assert browser.ask("inclusion", index=index, **ask) == {}
    assert "error" in browser.ask("inclusion", index=index ^ 1, **ask)


# Signatures


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_vectors_of_rfc_8032_hold_in_the_browser(browser: Oracle, vector: Vector) -> None:
    ask = {"key": vector.public, "message": vector.message, "signature": vector.signature}
    assert browser.ask("ed25519", **ask) == {"holds": True}
    assert browser.ask("ed25519", **(ask | {"message": vector.message + b"x"})) == {"holds": False}


def test_the_published_notes_open_and_a_known_keys_bad_line_fails_the_note(browser: Oracle) -> None:
    assert browser.ask("vkey", vkey=SPEC)["id"] == "530d903a"
    assert browser.ask("vkey", vkey=SPEC.replace("530d903a", "530d903b"))["error"] == "bad-vkey"
    assert browser.ask("note", note=SPEC_NOTE.encode(), vkeys=[SPEC])["signed"] == [[SPEC, None]]
    both = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode()
    assert browser.ask("note", note=both, vkeys=[PETER])["signed"] == [[PETER, None]]
    assert browser.ask("note", note=both, vkeys=[ENOCH, PETER])["signed"] == [[PETER, None], [ENOCH, None]]
    changed = both.replace(b"cryptography is", b"cryptography was")
    assert browser.ask("note", note=changed, vkeys=[PETER])["error"] == "bad-line"
    assert browser.ask("note", note=changed, vkeys=[SPEC])["signed"] == []


def test_a_cosignature_covers_its_time(browser: Oracle, told: Story) -> None:
    note = told.log.checkpoint()
    witness = told.log.witnesses[0].verifier.vkey
    ((_, time),) = browser.ask("note", note=note.encode(), vkeys=[witness])["signed"]
    assert time == 1_795_000_000
    lines = note.split("\n")
    place = next(i for i, line in enumerate(lines) if "/w0 " in line)
    payload = bytearray(base64.b64decode(lines[place].split(" ")[2]))
    payload[11] ^= 1
    lines[place] = " ".join([*lines[place].split(" ")[:2], base64.b64encode(payload).decode()])
    assert browser.ask("note", note="\n".join(lines).encode(), vkeys=[witness])["error"] == "bad-line"


def test_a_phones_p256_signature_is_judged_like_the_servers(browser: Oracle, told: Story) -> None:
    phone = told.log.phones["p256"]
    signature = base64.b64decode(phone.sign(b"message"))
    ask = {"jwk": phone.jwk, "message": b"message", "signature": signature}
    assert browser.ask("p256", **ask) == {"holds": True}
    assert browser.ask("p256", **(ask | {"message": b"other"})) == {"holds": False}
    assert browser.ask("thumbprint", jwk=phone.jwk)["key"] == phone.key


# The policy


POLICIES = [
    "quorum none\n",
    "quorum w0\n",
    "{w0}quorum w0\n",
    "{w0}{w1}{w2}group a 2 w0 w1 w2\nquorum a\n",
    "{w0}{w1}{w2}group a any w0 w1\ngroup b all a w2\n# hết\n\n  quorum\tb  \n",
    "{w0}{w1}group a 3 w0 w1\nquorum a\n",
    "{w0}{w1}group a 0 w0 w1\nquorum a\n",
    "{w0}{w1}group a all w0 w0\nquorum a\n",
    "{w0}group a all w0\ngroup b all w0\nquorum a\n",
    "{w0}{w0}quorum w0\n",
    "group a any none\nquorum a\n",
    "{w0}quorum w0\nquorum none\n",
    "{w0}quorum w0",
    "{w0}",
    "quorum none\nlog x\n",
    "witness none {vkey}\nquorum none\n",
    "quorum none\r\n",
    "loud\nquorum none\n",
]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_asks_for_the_same_in_the_browser(browser: Oracle, told: Story, policy: str) -> None:
    vkeys = [one.verifier.vkey for one in told.log.witnesses]
    lines = {f"w{n}": f"witness w{n} {vkey}\n" for n, vkey in enumerate(vkeys)}
    text = policy.format(vkey=vkeys[0], **lines)
    for count in range(4):
        theirs = browser.ask("policy", policy=text, cosigners=vkeys[:count])
        try:
            keys = [Verifier.parse(vkey).public_key for vkey in vkeys[:count]]
            assert theirs == {"satisfied": satisfied(Policy.parse(text.encode()), keys)}
        except MalformedPolicy:
            assert theirs["error"] == "bad-policy"


# Words


def test_every_step_and_reason_has_its_sentence() -> None:
    words = (ROOT / "trace/verifier/templates/verifier/words.html").read_text()
    # The field app says one and the same of every receipt that does not hold.
    pages = [path for path in SCRIPTS.rglob("*.js") if path.parent.name != "field"]
    sources = [path for path in pages if path.parent.name == "proof" or "prove" in path.read_text()]
    sources += [SCRIPTS / name for name in ("trust.js", "kept.js", "beyond.js", "asking.js")]
    code = "\n".join(path.read_text() for path in sources)
    reasons = set(re.findall(r'(?:new Refused\(\s*|reason: )"([a-z0-9-]+)"', code))
    reasons |= set(re.findall(r'told\((?:true|false|null), (?:kept \? )?"([a-z0-9-]+)"', code)) | {"not-kept"}
    assert len(reasons) > 60
    known = set(re.findall(r'data-reason="([a-z0-9-]+)"', words))
    assert reasons - known == set()
    assert known - reasons <= {"lot-missing", "ancestor-missing", "unproven", "rewritten"}
    steps = set(re.findall(r'^    \["([a-z]+)"', code, re.MULTILINE)) | {"keys", "freshness", "consistency", "page"}
    assert steps <= set(re.findall(r'data-step="([a-z]+)"', words))


def test_python_refuses_what_it_is_compared_with() -> None:
    """The comparison above would say little if the server took everything."""
    told = fresh()
    with pytest.raises(LedgerError):
        Verifier.parse(told.log.vkeys[0][:-1])
    assert _ours(told, b"{}") == "form"
