"""What was once published holds for ever: under trace's own verifiers, under the stranger's file, and byte for byte.

The files under tests/golden are never made anew. `story` is made by tests/support/golden.py; `demo` was kept from a
demo village.
"""

from pathlib import Path

import pytest

from tests.support.golden import FOLDER, made
from tests.support.verifiers import run
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.lotcheck import verify_lot
from trace.ledger.lotproof import LotProof
from trace.ledger.merkle import leaf_hash, root_of
from trace.ledger.note import Verifier
from trace.ledger.policy import Policy, satisfied
from trace.ledger.proof import Proof, verify_proof
from trace.ledger.tiles import decode_entries

STORY, DEMO = FOLDER / "story", FOLDER / "demo"
PAIRS = [(STORY, STORY / "mirror" / "keys"), (DEMO, DEMO / "keys")]


def vkeys(path: Path) -> list[Verifier]:
    return [Verifier.parse(line) for line in path.read_text().splitlines()]


def test_todays_builder_makes_the_same_bytes() -> None:
    today = made()
    kept = {str(path.relative_to(STORY)): path.read_bytes() for path in STORY.rglob("*") if path.is_file()}
    assert sorted(kept) == sorted(today)
    assert [name for name in sorted(kept) if kept[name] != today[name]] == []


@pytest.mark.parametrize(("folder", "keys"), PAIRS, ids=["story", "demo"])
def test_golden_receipts_hold_with_our_own_verifier(folder: Path, keys: Path) -> None:
    found = sorted(folder.rglob("*.tlog-proof"))
    assert len(found) >= 4
    for path in found:
        proof = Proof.parse(path.read_bytes())
        assert proof.extra is not None
        known = vkeys(keys)
        result = verify_proof(proof.extra, path.read_bytes(), known[0].name, known)
        assert result.holds, f"{path.name}: {result.reason}"
        assert proof.format().encode() == path.read_bytes()


@pytest.mark.parametrize(("folder", "keys"), PAIRS, ids=["story", "demo"])
def test_golden_lot_proofs_hold_with_our_own_verifier(folder: Path, keys: Path) -> None:
    found = sorted(folder.glob("*.soi-proof"))
    assert len(found) >= 2
    for path in found:
        known = vkeys(keys)
        result = verify_lot(path.read_bytes(), known[0].name, known)
        assert result.holds, f"{path.name}: {result.reason}"
        assert LotProof.parse(path.read_bytes()).format() == path.read_bytes()


def test_the_golden_lot_holds_with_the_first_key_and_all_witnesses() -> None:
    policy = Policy.parse((STORY / "mirror" / "policy").read_bytes())
    first = vkeys(STORY / "mirror" / "keys")[-1]
    verifiers = [first, *(one.key for one in policy.witnesses)]
    result = verify_lot(
        (STORY / "lot.soi-proof").read_bytes(), first.name, verifiers, enough=lambda keys: satisfied(policy, keys)
    )
    assert result.holds and result.signed is not None and len(result.signed.witnesses) == 3
    assert len(result.batches) == 6


def test_the_golden_log_hashes_to_its_checkpoint() -> None:
    keys = vkeys(STORY / "mirror" / "keys")
    head = open_checkpoint((STORY / "mirror" / "checkpoint").read_bytes(), keys[0].name, keys).checkpoint
    bundle = (STORY / "mirror" / f"tile/entries/000.p/{head.size}").read_bytes()
    leaves = [leaf_hash(entry) for entry in decode_entries(bundle, head.size)]
    assert root_of(leaves) == head.root
    assert (STORY / "mirror" / f"tile/0/000.p/{head.size}").read_bytes() == b"".join(leaves)


@pytest.mark.parametrize(("folder", "keys"), PAIRS, ids=["story", "demo"])
def test_a_stranger_s_file_says_that_all_golden_files_hold(folder: Path, keys: Path, tmp_path: Path) -> None:
    status, said = run("receipt", *sorted(folder.rglob("*.tlog-proof")), "--key", keys, cwd=tmp_path)
    assert status == 0, said
    for path in sorted(folder.glob("*.soi-proof")):
        status, said = run("lot", path, "--key", keys, cwd=tmp_path)
        assert status == 0, said


def test_a_stranger_s_file_says_that_the_golden_log_holds(tmp_path: Path) -> None:
    mirror = STORY / "mirror"
    first = (mirror / "keys").read_text().splitlines()[-1]
    status, said = run("log", mirror, "--policy", mirror / "policy", cwd=tmp_path)
    assert status == 0 and "3 known witnesses" in said, said
    assert run("log", mirror, "--key", first, cwd=tmp_path)[0] == 0
    status, said = run(
        "consistency", STORY / "checkpoint-early", mirror / "checkpoint", "--from", mirror, "--key", mirror / "keys",
        cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, said
