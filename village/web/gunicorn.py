"""gunicorn's settings: `gunicorn -c village/web/gunicorn.py`."""

import os
import shutil
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

# The server may be started from any folder; our rooms lie above this file.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from village.memory import settle_down  # the path comes first
from village.settings import ROOT, SettingsError, from_env
from village.web.beside import Beside

try:
    _settings = from_env()
except SettingsError as error:
    sys.exit(f"Soi cannot start: {error}")
_metrics = Path(_settings.instance / "metrics")

PATIENCE = 20
"""Seconds without a byte from a body, or to an answer, after which its connection is given up."""

wsgi_app = "wsgi:create_app()"
bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers
worker_class = "gthread"
threads = _settings.threads
timeout = 60
keepalive = 15
accesslog = None
loglevel = "warning"
raw_env = [f"PROMETHEUS_MULTIPROC_DIR={_metrics}"]
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)


def on_starting(_server: Any) -> None:
    """Begin with empty counters: those of an earlier run count nobody."""
    shutil.rmtree(_metrics, ignore_errors=True)
    _metrics.mkdir(parents=True)
    if beside := os.environ.get("SOI_BESIDE"):
        threading.Thread(target=_end_after, args=(int(beside),), name="beside", daemon=True).start()


def _end_after(parent: int) -> None:
    """End this server when the one that it runs beside is gone, even if that was killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def when_ready(server: Any) -> None:
    """Start the ledger's keeper beside the workers, unless KEEPER=off: then somebody runs `flask ledger keep` apart."""
    if _settings.keeper:
        command = (sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "ledger", "keep", "--beside")
        server.soi_keeper = Beside(command)
    if _settings.jobs:
        command = (sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "jobs", "work", "--beside")
        server.soi_jobs = Beside(command)
    if _settings.training_port:
        command = (sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "training", "serve", "--beside")
        server.soi_training = Beside(command)


def post_worker_init(_worker: Any) -> None:
    """The app is loaded."""
    settle_down()


def on_exit(server: Any) -> None:
    """End with the server what was started beside it."""
    for beside in ("soi_keeper", "soi_jobs", "soi_training"):
        if found := getattr(server, beside, None):
            found.stop()


def on_reload(server: Any) -> None:
    """The keeper, too, takes up new settings."""
    on_exit(server)
    when_ready(server)


def child_exit(_server: Any, worker: Any) -> None:
    """Let the gauges of a worker that ended go with it."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library has no types here


def pre_request(_worker: Any, request: Any) -> None:
    """Let go of a phone that fell off the network within a request: each one would keep a thread for ever."""
    patience = struct.pack("ll", PATIENCE, 0)
    for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        request.unreader.sock.setsockopt(socket.SOL_SOCKET, direction, patience)


def post_fork(_server: Any, _worker: Any) -> None:
    """Let threads take turns ten times as often as Python would: whoever holds the writers' lock gives up the
    interpreter with every statement, and must not wait five milliseconds each time to get it back."""
    sys.setswitchinterval(0.0005)
