"""A claim on the log, as the three verifiers judge it: true ones hold, forged ones do not, and none makes a lot."""

import copy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oracles.hands import Oracle
from tests.support.proofs import Log, b64, document
from tests.support.verifiers import soi_verify
from tests.trace.test_js_proof import SCRIPT
from trace.gs1.digital_link import class_uri
from trace.ledger import foreign
from trace.ledger.canonical import canonical, parse
from trace.ledger.lotcheck import verify_lot
from trace.ledger.note import Verifier

GTIN = "09506000134352"
LOT, OTHER = class_uri(GTIN, "BL26M-0001"), class_uri(GTIN, "BL26M-0002")
EVENT: dict[str, Any] = {
    "type": "TransformationEvent",
    "eventID": "urn:example:1",
    "eventTime": "2026-11-20T06:30:00+07:00",
    "eventTimeZoneOffset": "+07:00",
    # A stranger who says that our lot was made of another: it must not become part of its ancestry.
    "inputQuantityList": [{"epcClass": OTHER, "quantity": 20.5, "uom": "KGM"}],
    "outputQuantityList": [{"epcClass": LOT, "quantity": 4}],
}


def claimed(log: Log, *, inline: bool = True) -> dict[str, Any]:
    told = foreign.claim("Xe Tải Một", canonical(EVENT), EVENT if inline else None)
    signature = log.custodian.private_key.sign(foreign.message(told))
    return {"type": "claim", "claim": told, "received": b64(signature)}


def log_with(change: Callable[[Log, dict[str, Any]], None] = lambda _log, _members: None, **more: Any) -> Log:
    log = Log(7)
    log.harvest(LOT, 1000)
    members = claimed(log, **more)
    change(log, members)
    log.add(members, [LOT])
    log.inspect(LOT)
    return log


@pytest.fixture(scope="module")
def browser() -> Iterator[Oracle]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; `make test` installs it on Debian")
    with Oracle(node, str(SCRIPT)) as oracle:
        yield oracle


def judged_by_ledger(log: Log) -> str:
    keys = [Verifier.parse(vkey) for vkey in log.vkeys]
    found = verify_lot(document(log.lot_proof(LOT)), log.origin, keys)
    assert found.failed is not None or (LOT in found.batches and OTHER not in found.batches)
    return found.failed or ""


def judged_by_file(log: Log, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    (folder / "lot.soi-proof").write_bytes(document(log.lot_proof(LOT)))
    asked = ["lot", str(folder / "lot.soi-proof"), "--key", log.vkeys[0]]
    status: int = soi_verify.main(asked)
    capsys.readouterr()
    return status


def judged_by_browser(browser: Oracle, log: Log) -> str:
    proof = document(log.lot_proof(LOT))
    found = browser.ask("lot", document=proof, vkeys=log.vkeys, policy=log.policy(), origin=log.origin)
    bad = [f"{check['step']} {check['reason']}" for check in found["checks"] if check["held"] is False]
    return bad[0] if bad else ""


@pytest.mark.parametrize("inline", [True, False])
def test_a_true_claim_holds_for_all_three_and_adds_no_ancestor(
    browser: Oracle, tmp_path: Path, capsys: pytest.CaptureFixture[str], inline: bool
) -> None:
    log = log_with(inline=inline)
    assert judged_by_ledger(log) == ""
    assert judged_by_file(log, tmp_path, capsys) == 0
    assert judged_by_browser(browser, log) == ""


def other_event(_log: Log, members: dict[str, Any]) -> None:
    members["claim"]["event"] = {**EVENT, "eventID": "urn:example:2"}


def other_name(_log: Log, members: dict[str, Any]) -> None:
    members["claim"]["by"] = "Xe Tải Hai"


def other_hash(log: Log, members: dict[str, Any]) -> None:
    del members["claim"]["event"]
    members["claim"]["sha256"] = "0" * 64


def no_name(log: Log, members: dict[str, Any]) -> None:
    members["claim"]["by"] = ""
    members["received"] = b64(log.custodian.private_key.sign(foreign.message(members["claim"])))


def one_member_more(log: Log, members: dict[str, Any]) -> None:
    members["claim"]["true"] = True
    members["received"] = b64(log.custodian.private_key.sign(foreign.message(members["claim"])))


def event_of_ours(log: Log, members: dict[str, Any]) -> None:
    members["event"] = copy.deepcopy(EVENT)


def nobody_received(_log: Log, members: dict[str, Any]) -> None:
    del members["received"]


def no_claim(_log: Log, members: dict[str, Any]) -> None:
    del members["claim"]


FORGED = (other_event, other_name, other_hash, no_name, one_member_more, event_of_ours, nobody_received, no_claim)


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_a_forged_claim_is_found_by_all_three(
    browser: Oracle, tmp_path: Path, capsys: pytest.CaptureFixture[str], forge: Callable[[Log, dict[str, Any]], None]
) -> None:
    if forge is event_of_ours:
        # It would claim that the village said so: the entry's own event makes it part of the ancestry.
        log = log_with()
        log.entries[2] = canonical({**parse(log.entries[2]), "event": EVENT})
        assert judged_by_browser(browser, log) != ""
        assert judged_by_file(log, tmp_path, capsys) != 0
        return
    log = log_with(forge)
    assert judged_by_ledger(log) == "signatures"
    assert judged_by_file(log, tmp_path, capsys) != 0
    assert judged_by_browser(browser, log).startswith("signatures ")


def test_a_whole_log_with_a_claim_holds_and_counts_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = log_with()
    for name, data in log.tree().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    status = soi_verify.main(["log", str(tmp_path), "--key", log.vkeys[0]])
    told = capsys.readouterr().out
    assert (status, "1 claims by others" in told) == (0, True), told
