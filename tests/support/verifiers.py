"""Both verifiers that check a lot proof in Python, asked in the same way: trace's own, and the stranger's one file."""

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.proofs import Log
from trace.ledger.lotcheck import verify_lot
from trace.ledger.note import Verifier
from trace.ledger.policy import Policy, satisfied

SCRIPT = Path(__file__).parents[2] / "trace" / "verifier" / "soi_verify.py"


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("soi_verify_alone", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


soi_verify: Any = _loaded()
"""The stranger's file, loaded by its path alone."""


@dataclass(frozen=True)
class Outcome:
    """What a verifier said: the step that failed, empty when all held, and why."""

    failed: str
    reason: str = ""


def ours(data: bytes, log: Log, vkeys: list[str], policy: str | None = None) -> Outcome:
    """trace's own verifier."""
    asked = Policy.parse((policy or log.policy("any")).encode())
    verifiers = [Verifier.parse(vkey) for vkey in vkeys] + [one.key for one in asked.witnesses]
    enough = (lambda keys: satisfied(asked, keys)) if policy else (lambda _keys: True)
    result = verify_lot(data, log.origin, verifiers, enough=enough)
    assert result.holds == (result.failed is None)
    return Outcome("" if result.failed is None else result.failed.value, result.reason)


def theirs(data: bytes, log: Log, vkeys: list[str], policy: str | None = None) -> Outcome:
    """The stranger's."""
    keys = [soi_verify.read_key(vkey) for vkey in [*vkeys, *(one.verifier.vkey for one in log.witnesses)]]
    read = soi_verify.Policy.read("".join(
        line + "\n" for line in policy.splitlines() if not line.startswith("log ")
    ).encode()) if policy else None  # fmt: skip
    try:
        soi_verify.check_lot(data, soi_verify.Trust(keys, read), soi_verify.Told(quiet=True))
    except soi_verify.StepBroken as broken:
        return Outcome(broken.step, str(broken))
    return Outcome("")


def run(*arguments: str | Path, cwd: Path | None = None) -> tuple[int, str]:
    """The file as a stranger runs it: without our folder on Python's path. Returns status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *map(str, arguments)],
        capture_output=True, timeout=60, cwd=cwd, text=True, errors="backslashreplace",
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr
