"""One process of writers: `python -m tests.bench.writer soi|floor THREADS SECONDS`. Waits for a line, then writes.

Prints as JSON, for each thread, the seconds that each of its appends took.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from tests.bench import entries
from tests.bench.floor import Floor
from trace.ledger import store
from village.db import db
from village.together import together


def main() -> None:
    """Write as fast as answers come back, each thread one entry after the other."""
    what, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    taken: list[list[float]] = [[] for _ in range(threads)]
    begin = threading.Event()
    append = _floor() if what == "floor" else _soi()

    def write(thread: int) -> None:
        begin.wait()
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end:
            began = time.perf_counter()
            append(f"w{os.getpid()}-{thread}", number)
            taken[thread].append(time.perf_counter() - began)
            number += 1

    workers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    # As the server's workers do: whoever holds the writers' lock must not wait long for the interpreter.
    sys.setswitchinterval(0.0005)
    append(f"warm{os.getpid()}", 0)
    print("ready", flush=True)
    sys.stdin.readline()
    begin.set()
    for worker in workers:
        worker.join()
    print(json.dumps(taken), flush=True)


def _floor() -> Callable[[str, int], None]:
    floor = Floor(Path(os.environ["INSTANCE"]) / "floor.db")
    return lambda _writer, _number: floor.append()


def _soi() -> Callable[[str, int], None]:
    app = wsgi.create_app()

    def append(writer: str, number: int) -> None:
        with app.app_context():
            together(lambda session: store.append(session, [entries.draft(writer, number)]))
            db.session.remove()

    return append


if __name__ == "__main__":
    main()
