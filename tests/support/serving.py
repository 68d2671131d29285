"""A real server for tests: gunicorn in processes of its own, on a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.support import warm
from village.settings import ROOT, Settings

START = 90.0
"""Seconds that a server may take to answer /healthz."""


@dataclass(frozen=True)
class Served:
    """A server that answers. `process` is gunicorn's arbiter, the parent of its workers and leader of their group."""

    port: int
    process: subprocess.Popen[bytes] | warm.Forked

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout: float = 30) -> HTTPConnection:
        """A keep-alive connection to it."""
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def kill(self) -> None:
        """`kill -9` of the arbiter and all its workers at once: what a power cut leaves of them."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and see that it did."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        self.kill()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(settings: Settings, port: int, **more: str) -> dict[str, str]:
    """The environment that makes a process run under `settings`."""
    return {
        **os.environ,
        "SOI_ENV": "development",
        "INSTANCE": str(settings.instance),
        "DATABASE_URL": settings.database_url,
        "LEDGER_ORIGIN": settings.ledger_origin,
        "PORT": str(port),
        "LOG_LEVEL": "error",
        "KEEPER": "off",
        # Beside a suite on every core, the least of all would wait for ever.
        "KEEPER_NICE": "0",
        "JOBS": "off",
        **more,
    }


def start(
    settings: Settings,
    *,
    workers: int = 2,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    app: str = "",
    code: Path = ROOT,
    forked: bool = True,
) -> Served:
    """Start gunicorn over the database of `settings` and wait until it answers. `app` names another application, `code`
    another checkout of ours. Not `forked`, it loads everything itself, as `python -m gunicorn` does."""
    port = free_port()
    config = code / "village" / "web" / "gunicorn.py"
    surroundings = environment(settings, port, WORKERS=str(workers), **(env or {}))
    process: subprocess.Popen[bytes] | warm.Forked
    if forked and not app and (cwd, code) == (ROOT, ROOT):
        process = warm.gunicorn(config, surroundings)
    else:
        command = [sys.executable, "-m", "gunicorn", "-c", str(config), *([app] if app else [])]
        process = subprocess.Popen(command, cwd=cwd, env=surroundings, start_new_session=True)
    served = Served(port, process)
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            connection = served.connect(timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().read():
                connection.close()
                return served
        time.sleep(0.05)
    served.kill()
    raise RuntimeError(f"the server did not answer within {START:.0f} s (exit status {process.returncode})")


@contextmanager
def serving(settings: Settings, *, workers: int = 2, cwd: Path = ROOT) -> Iterator[Served]:
    """A server for the length of a `with` block."""
    served = start(settings, workers=workers, cwd=cwd)
    try:
        yield served
    finally:
        served.stop()
