"""The worker: one process beside the web server, one thread for each lane."""

import fcntl
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from flask import Flask
from sqlalchemy import event, select

from village.db import db
from village.jobs import running, sweep
from village.jobs.kinds import LANES
from village.jobs.models import Job, State
from village.jobs.queue import QUEUES, Queues
from village.memory import settle_down

TICK = 0.5
SWEEP = 3.0
TIDY = 3600.0
GRACE = 4.0
"""Seconds that a job has to come to its next step when the worker is to end; it begins again there."""

log = structlog.get_logger("soi.jobs")


class Worker:
    """Works through the app's queues."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._queues: Queues = app.extensions[QUEUES]
        self._stop = threading.Event()
        self._here: set[str] = set()

    def run(self, parent: int | None = None) -> None:
        """Work until SIGTERM or SIGINT, or until process `parent` is no longer ours. A second worker of the same
        instance waits for the first to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stop.set())
        while self._wanted(parent):
            with only_one(self._app) as alone:
                if alone:
                    self._work(parent)
            self._stop.wait(TICK)

    def _wanted(self, parent: int | None) -> bool:
        return not self._stop.is_set() and (parent is None or os.getppid() == parent)

    def _work(self, parent: int | None) -> None:
        settle_down()
        with self._app.app_context():
            if db.engine.dialect.name == "sqlite":
                event.listen(db.engine, "connect", _roomy)
            sweep.take_over()
        self._queues.do = self._one
        consumers = [
            self._queues.lane(lane).create_consumer(
                workers=1, periodic=False, max_delay=1.0, shutdown_timeout=GRACE, graceful_signal="TERM"
            )
            for lane in LANES
        ]
        for consumer in consumers:
            consumer.start()
        for number in (signal.SIGTERM, signal.SIGINT):  # huey's consumers set their own
            signal.signal(number, lambda _number, _frame: self._stop.set())
        next_sweep, next_tidy = 0.0, time.monotonic() + 60
        while self._wanted(parent):
            now = time.monotonic()
            if now >= next_sweep:
                next_sweep = now + SWEEP
                self._tend(sweep.ask_around)
                self._tend(lambda: sweep.put_back(set(self._here)))
                for consumer in consumers:
                    consumer.check_worker_health()
            if now >= next_tidy:
                next_tidy = now + TIDY
                self._tend(sweep.tidy)
            self._stop.wait(TICK)
        self._stop.set()
        for consumer in consumers:
            consumer.stop(graceful=True)

    def _tend(self, act: Callable[[], None]) -> None:
        with self._app.app_context():
            try:
                act()
            except Exception as error:  # the database may be away for a while
                log.warning("the sweeper failed", why=type(error).__name__)
            finally:
                db.session.remove()

    def _one(self, job_id: str) -> None:
        self._here.add(job_id)
        try:
            with self._app.app_context():
                running.run(job_id, self._stop.is_set)
        finally:
            self._here.discard(job_id)


def _roomy(connection: sqlite3.Connection, _record: object) -> None:
    """More room than a request needs: a season's indexes stay in memory, and are put in their places less often."""
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA wal_autocheckpoint = 8000")


@contextmanager
def only_one(app: Flask) -> Iterator[bool]:
    """Be the one worker of this instance for the length of the block, if nobody else is: True then."""
    path = app.extensions["soi"].instance / "jobs.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def work_off() -> int:
    """Run all that waits, here and now, in this process, which is the instance's only worker. How many ran."""
    done = 0
    sweep.take_over()
    sweep.ask_around()
    while True:
        with db.engine.connect() as connection:
            ids = list(connection.scalars(select(Job.id).where(Job.state == State.WAITING).order_by(Job.made_at)))
        before = done
        done += sum(running.run(job_id) for job_id in ids)
        if done == before:
            return done
