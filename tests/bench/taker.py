"""One process that takes comments in; the bench starts four. `python -m tests.bench.taker soi THREADS SIZE
SECONDS MIX SESSION…`, or `python -m tests.bench.taker bare ROWS`. Waits for a line on its standard input, then works.

Prints as JSON how many comments it took and what each call took, in seconds.
"""

import datetime as dt
import fcntl
import itertools
import json
import os
import pickle
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
import psycopg
from flask import Flask

from shop.live import intake
from shop.live.intake import Said
from tests.bench.rows import Call
from tests.support.evening.script import Audience, Spoken
from tests.support.village import Village
from village import clock
from village.db import db
from village.memory import settle_down

ORDERS, EVENING = "orders", "evening"


def main() -> None:
    """Take in as fast as answers come back."""
    if sys.argv[1] == "bare":
        callers = [_bare(Path(sys.argv[2]))]
    else:
        threads, size, seconds, mix, *sessions = sys.argv[2:]
        app = wsgi.create_app()
        callers = [_soi(app, n, int(size), float(seconds), mix, sessions) for n in range(int(threads))]
    for caller in callers:
        next(caller)  # warm
    # As the server's workers do.
    settle_down()
    sys.setswitchinterval(0.0005)
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(len(callers)) as pool:
        told = list(pool.map(_called, callers))
    comments, taken = sum(count for count, _taken in told), [span for _count, spans in told for span in spans]
    print(json.dumps({"comments": comments, "seconds": max(sum(spans) for _n, spans in told), "taken": taken}))


def _called(calls: Iterator[int]) -> tuple[int, list[float]]:
    """All calls of one caller: the comments, and the seconds that each call took."""
    comments, taken = 0, list[float]()
    last = time.perf_counter()
    for count in calls:
        now = time.perf_counter()
        taken.append(now - last)
        comments, last = comments + count, now
    return comments, taken


def _soi(app: Flask, number: int, size: int, seconds: float, mix: str, sessions: Sequence[str]) -> Iterator[int]:
    """Calls of `intake.receive`, to the livestreams in turn; the comments of each."""
    mark = (os.getpid() * 100 + number) * 10**6
    chance = random.Random(mark)
    with app.app_context():
        actor = Village().actor("seller")
        db.session.remove()
    said = [
        _comments(Audience(stage, chance, f"b{mark}", first=mark), mix, size) for stage, _session in enumerate(sessions)
    ]
    ends = float("inf")
    for turn in itertools.count(os.getpid() + number):
        if time.monotonic() >= ends:
            return
        stage = turn % len(sessions)
        with app.app_context():
            results = intake.receive(actor, sessions[stage], next(said[stage]))
            db.session.remove()
        yield len(results)
        if ends == float("inf"):
            ends = time.monotonic() + seconds


def _comments(audience: Audience, mix: str, size: int) -> Iterator[list[Said]]:
    speak: Callable[[float], Spoken] = audience.order if mix == ORDERS else audience.speak
    while True:
        now = clock.now() - dt.timedelta(seconds=1)
        spoken = [speak(0) for _ in range(size)]
        yield [
            Said(one.id, one.author, one.name, one.text, now + dt.timedelta(milliseconds=number))
            for number, one in enumerate(spoken)
        ]


def _bare(kept: Path) -> Iterator[int]:
    """The same rows by the bare driver: one transaction a call, on the disk when it is done."""
    calls: list[Call] = pickle.loads(kept.read_bytes())
    yield 0
    put = _put_postgresql if os.environ["BARE_URL"] else _put_sqlite
    yield from put(calls)


def _put_sqlite(calls: Sequence[Call]) -> Iterator[int]:
    path = Path(os.environ["INSTANCE"]) / "bare.db"
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    for call in calls:
        fd = os.open(f"{path}.writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            connection.execute("BEGIN IMMEDIATE")
            for statement, rows in call.inserts:
                connection.executemany(statement, rows)
            connection.execute("COMMIT")
        finally:
            os.close(fd)
        yield call.comments
    connection.close()


def _put_postgresql(calls: Sequence[Call]) -> Iterator[int]:
    with psycopg.connect(os.environ["BARE_URL"]) as connection:
        for call in calls:
            with connection.transaction(), connection.cursor() as cursor:
                for statement, rows in call.inserts:
                    cursor.executemany(statement, rows)
            yield call.comments


if __name__ == "__main__":
    main()
