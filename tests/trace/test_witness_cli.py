"""`flask ledger witness …` and `flask ledger witnesses`, as whoever runs them sees them."""

from pathlib import Path

from flask import Flask

from tests.support.witnessing import Log, answering
from trace.ledger import store
from trace.witness.core import Heard, hear
from trace.witness.state import State
from village.settings import Settings

LOG = Log()


def test_a_witness_is_begun_told_whom_to_watch_and_asked_for_evidence(app: Flask, tmp_path: Path) -> None:
    run = app.test_cli_runner()
    folder = str(tmp_path / "w")

    def witness(*words: str) -> tuple[int, str]:
        done = run.invoke(args=["ledger", "witness", *words, "--folder", folder])
        return done.exit_code, done.output

    assert witness("key")[0] == 1
    assert witness("serve")[0] == 1
    assert "needs a name" in witness("init")[1]
    assert "not a key name" in witness("init", "--name", "two words")[1]
    assert not (tmp_path / "w").exists()
    code, vkey = witness("init", "--name", "witness.test/w1")
    assert code == 0
    assert witness("init") == witness("key") == (0, vkey)
    assert witness("add-log", "nonsense")[0] == 1
    assert witness("add-log", vkey.strip())[0] == 1
    assert witness("add-log", LOG.vkey) == (0, "Witnessing log.test/ledger\n")
    assert witness("evidence") == (0, "")

    state = State(tmp_path / "w")
    for body in (LOG.body(0, 3), LOG.lie().body(3, 3)):
        heard = hear(body, state.logs())
        assert isinstance(heard, Heard)
        state.consider(heard)
    code, said = witness("evidence")
    assert code == 1
    assert LOG.note(3) in said
    assert LOG.lie().note(3) in said
    assert witness("clock-mended")[0] == 0


def test_the_village_asks_its_witnesses_by_hand(app: Flask, settings: Settings, tmp_path: Path) -> None:
    run = app.test_cli_runner()
    assert run.invoke(args=["ledger", "witnesses"]).output == "The policy names no witness.\n"
    run.invoke(args=["ledger", "witness", "init", "--name", "w.test/1", "--folder", str(tmp_path / "w")])
    state = State(tmp_path / "w")
    with answering(tmp_path / "w") as url:
        settings.ledger_policy.write_text(f"witness W {state.vkey} {url}\nquorum W\n")
        done = run.invoke(args=["ledger", "witnesses"])
        assert (done.exit_code, done.output) == (1, "W: holds nothing yet; unknown-log\n")
        state.add_log(store.ensure_born().vkey)
        done = run.invoke(args=["ledger", "witnesses"])
        assert (done.exit_code, done.output) == (0, "W: holds 1 entries\n")
    settings.ledger_policy.write_text("quorum W\n")
    done = run.invoke(args=["ledger", "witnesses"])
    assert done.exit_code == 1
    assert "line 1" in done.output
