"""Servers for tests that do not load the house each time: they are forked from a process that has it loaded.

A run of the suite starts a hundred servers, and each one's worker would load the house anew, for a second and a half of
a core. What runs after the fork is gunicorn with our own configuration, as `python -m gunicorn` runs it.
"""

import atexit
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from village.settings import ROOT

# Read while a module is loaded: `trace` has to be ours before it is Python's, and counters are files (none of this
# folder: each server names its own) only where one is named.
LOADING = {"PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": os.devnull}


class Forked:
    """A forked server: of `subprocess.Popen` what the tests use."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self.pid = process.pid or 0

    @property
    def returncode(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; its exit status. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("gunicorn", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()


def gunicorn(config: Path, env: Mapping[str, str]) -> Forked:
    """gunicorn with this configuration and environment, leader of a group of its own."""
    process = _loaded().Process(target=_serve, args=(str(config), dict(env)))
    process.start()
    return Forked(process)


@cache
def _loaded() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(["wsgi", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread"])
    before = {name: os.environ.get(name) for name in LOADING}
    os.environ.update(LOADING)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return context


def _serve(config: str, env: dict[str, str]) -> None:
    from gunicorn.app.wsgiapp import run

    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["gunicorn", "-c", config]
    try:
        run()
    finally:
        # In its workers too, which leave by here: a process that multiprocessing made skips this at its end.
        atexit._run_exitfuncs()
