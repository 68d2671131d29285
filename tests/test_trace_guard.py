"""`trace` is a module of the standard library too. Wherever the village is started from, `trace` is ours."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.serving import serving
from village.settings import ROOT, Settings

STDLIB_FIRST = """
import runpy, sys, trace
assert not hasattr(trace, "__path__"), "this check starts from the standard library's module"
app = runpy.run_path(sys.argv[1])["create_app"]()
import trace
print(trace.__path__[0])
print([rule.rule for rule in app.url_map.iter_rules() if rule.rule == "/ledger/checkpoint"])
"""


def _elsewhere(tmp_path: Path, *command: str) -> str:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {"INSTANCE": str(tmp_path / "instance"), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_trace_is_ours_even_where_the_standard_library_s_was_loaded_first(tmp_path: Path) -> None:
    said = _elsewhere(tmp_path, "-c", STDLIB_FIRST, str(ROOT / "wsgi.py")).splitlines()
    assert said == [str(ROOT / "trace"), "['/ledger/checkpoint']"]


def test_the_command_line_finds_our_trace_from_another_folder(tmp_path: Path) -> None:
    routes = _elsewhere(tmp_path, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "routes")
    assert "/ledger/checkpoint" in routes


def test_the_server_finds_our_trace_from_another_folder(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, workers=1, cwd=tmp_path) as served:
        connection = served.connect()
        connection.request("GET", "/ledger/checkpoint")
        answer = connection.getresponse()
        assert (answer.status, answer.read().partition(b"\n")[0]) == (200, settings.ledger_origin.encode())
        connection.close()


def test_nothing_installed_is_called_trace() -> None:
    found = subprocess.run(
        [sys.executable, "-I", "-c", "import trace; print(hasattr(trace, '__path__'))"],
        capture_output=True, text=True, timeout=30, check=True,
    )
    assert found.stdout.strip() == "False"
