"""A process that runs beside gunicorn's workers, and is started again when it dies."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

LIVED = 60.0
"""Seconds after which a process was no failure to start."""
LONGEST_WAIT = 60.0
GRACE = 5.0
"""Seconds that it has to end when it is asked to."""


class Beside:
    """Keeps `command` running until `stop`. It is told its parent's process number as its last argument, since only it
    can notice that gunicorn was killed."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = (*command, str(os.getpid()))
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        # A worker that is forked while a process is being started would keep that start's pipe open, and the start
        # would wait for it for ever.
        self._starting = threading.Lock()
        os.register_at_fork(
            before=self._starting.acquire,
            after_in_parent=self._starting.release,
            after_in_child=self._starting.release,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="beside", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, and see that it ended."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is None:
            return
        process.terminate()
        self._thread.join(GRACE)
        if self._thread.is_alive():
            process.kill()
            self._thread.join(GRACE)

    def _keep(self) -> None:
        wait = 1.0
        while not self._stopping.is_set():
            began = time.monotonic()
            with self._lock:
                if self._stopping.is_set():
                    return
                # Where no process can be started now, perhaps one can in a while.
                with suppress(OSError), self._starting:
                    self._process = _start(self._command)
            if self._process is not None:
                self._process.wait()
            wait = 1.0 if time.monotonic() - began > LIVED else min(wait * 2, LONGEST_WAIT)
            self._stopping.wait(wait)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # It counts no requests: a file of its own among the workers' counters would only pile up.
    env = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL)
