"""A livestream's entry on the log, as the three verifiers judge it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oracles.hands import Oracle
from tests.support.proofs import Log
from tests.support.verifiers import soi_verify
from tests.trace.test_js_proof import SCRIPT
from trace.ledger import livestream
from trace.ledger.canonical import parse
from trace.ledger.errors import MalformedEntry
from trace.ledger.keyring import Keyring

SESSION = "01890a5d-ac96-774b-bcce-b302099a8057"
HEAD, DIGEST = "a" * 64, "0123456789abcdef" * 4
TRUE = livestream.anchor(SESSION, 7, HEAD, DIGEST)


def log_of(*lives: dict[str, Any], **more: Any) -> Log:
    log = Log(7)
    for live in lives:
        log.add({"type": "live", "live": live, "commitments": {}, **more})
    return log


@pytest.fixture(scope="module")
def browser() -> Iterator[Oracle]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; `make test` installs it on Debian")
    with Oracle(node, str(SCRIPT)) as oracle:
        yield oracle


def judged(browser: Oracle, record: dict[str, Any]) -> list[bool]:
    """Whether the ledger, the stranger's file and the browser take it."""
    found = []
    for check in (livestream.check_form, soi_verify.check_livestream):
        try:
            check(record)
        except (MalformedEntry, soi_verify.Broken):
            found.append(False)
        else:
            found.append(True)
    answer = browser.ask("live", entry=record)
    assert answer.get("error") in (None, "bad-live"), answer
    return [*found, "error" not in answer]


FORGED: list[dict[str, Any]] = [
    {"live": TRUE | {"more": 1}}, {"live": {"session": SESSION}}, {"live": None}, {"live": [1]},
    {"live": TRUE | {"session": SESSION.upper()}}, {"live": TRUE | {"session": 7}},
    {"live": TRUE | {"length": 0}}, {"live": TRUE | {"length": 1.5}}, {"live": TRUE | {"length": "7"}},
    {"live": TRUE | {"head": "a" * 63}}, {"live": TRUE | {"head": "A" * 64}}, {"live": TRUE | {"decisions": None}},
    {"live": TRUE | {"head": "a" * 64 + "\n"}},
    {"event": {"type": "ObjectEvent"}}, {"device": {}}, {"chain": [{"batch": "x", "seq": 0, "prev": None}]},
]  # fmt: skip


def test_a_true_entry_holds_for_all_three_and_a_malformed_one_for_none(browser: Oracle) -> None:
    record = parse(log_of(TRUE).entries[-1])
    assert judged(browser, record) == [True, True, True]
    for forged in FORGED:
        assert judged(browser, {**record, **forged}) == [False, False, False], forged


def test_the_ledger_takes_no_malformed_entry_for_a_whole_one() -> None:
    log = log_of(TRUE, TRUE | {"length": 0})
    ring = Keyring(log.origin, log.vkeys)
    ring.learn(0, parse(log.entries[0]))
    assert ring.check(1, parse(log.entries[1])).role == "custodian"
    with pytest.raises(MalformedEntry):
        ring.check(2, parse(log.entries[2]))


@pytest.mark.parametrize(
    ("length", "status", "said"), [(8, 0, "2 about livestreams"), (7, 1, "no longer"), (6, 1, "no longer")]
)
def test_a_livestreams_log_only_grows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], length: int, status: int, said: str
) -> None:
    log = log_of(TRUE, TRUE | {"length": length, "head": "b" * 64})
    for name, data in log.tree().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert soi_verify.main(["log", str(tmp_path), "--key", log.vkeys[0]]) == status
    assert said in capsys.readouterr().out
