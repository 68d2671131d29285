"""Writers that append to the log through the store, to be killed; run as `python -m tests.support.pen <count>`.

Each is forked from a process that has everything loaded, and another takes its place when it is killed. What a writer
was promised, it says in one line of JSON on stdout that cannot be cut in two: its entry's index, leaf hash and receipt.
Settings come from the environment.
"""

import itertools
import json
import os
import random
import select
import sys
import time
from contextlib import suppress

from flask import Flask

from tests.support import receipts
from trace.ledger import store
from village.db import db, write
from wsgi import create_app

PAUSE = 0.004
"""Seconds between two appends of a writer."""
SOON = 0.05
"""Seconds before a writer whose database went away tries again."""


def main(count: int) -> None:
    """Keep `count` writers going for as long as whoever started this does."""
    app = create_app()
    above, born = os.getppid(), itertools.count()
    writers: set[int] = set()
    while os.getppid() == above:
        while len(writers) < count:
            name, here = f"pen-{next(born)}", os.getpid()
            pid = os.fork()
            if pid == 0:
                _write(app, name, here)
            writers.add(pid)
        with suppress(ChildProcessError):
            gone, _status = os.waitpid(-1, os.WNOHANG)
            writers.discard(gone)
        time.sleep(0.005)


def _write(app: Flask, name: str, above: int) -> None:
    chance = random.Random(f"{name} {os.getpid()}")
    for number in itertools.count():
        if os.getppid() != above:
            os._exit(0)
        with app.app_context():
            try:
                told = _append(chance, name, number)
            except Exception:
                # Not promised, and so nothing to keep: the database was just killed.
                told = b""
                time.sleep(SOON)
            finally:
                with suppress(Exception):
                    db.session.remove()
        assert len(told) <= select.PIPE_BUF
        os.write(1, told)
        time.sleep(PAUSE)


def _append(chance: random.Random, name: str, number: int) -> bytes:
    batch = f"urn:soi:{chance.randrange(20)}"
    count = chance.choice((1, 1, 1, 2, 5))
    drafts = [store.Draft("event", {"pen": name, "number": number, "of": part}, (batch,)) for part in range(count)]
    with write(ledger=True) as session:
        done = store.append(session, drafts)[-1]
    receipt = receipts.receipt(done.index).format()
    told = {"index": done.index, "leaf": done.leaf_hash.hex(), "receipt": receipt}
    return json.dumps(told).encode() + b"\n"


if __name__ == "__main__":
    main(int(sys.argv[1]))
