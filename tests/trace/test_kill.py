"""`kill -9` in the midst of writing: whatever was promised is there, the ledger holds, and the village starts again."""

import datetime as dt
import http.client
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.support.serving import environment, start
from tests.support.soak import times
from tests.support.village import Village
from tests.support.watching import Promise, Watcher
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.encoding import from_base64
from trace.ledger.verify import verify
from village import clock
from village.db import db
from village.ids import uuid7
from village.settings import ROOT, Settings

KILLS = 5
PHONES = 3
PENS = 2
QUIET = 60.0
"""Seconds in which somebody must have been promised something."""


class Phones:
    """Phones that log harvests. One that gets no answer sends the same again, as the field app does."""

    def __init__(self, promises: "queue.Queue[Promise]", token: str, site: str, product: str) -> None:
        self.promises = promises
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.site, self.product = site, product
        self.port = 0
        self.done = threading.Event()
        self.acknowledged: dict[str, int] = {}
        self.refused: list[tuple[int, bytes]] = []
        self.threads = [threading.Thread(target=self._write) for _ in range(PHONES)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.done.set()
        for thread in self.threads:
            thread.join()

    def _body(self) -> dict[str, Any]:
        when = (clock.now() - dt.timedelta(hours=1)).isoformat()
        return {
            "id": uuid7(), "process": "mien-dong", "stage": "harvest", "occurred_at": when, "site": self.site,
            "outputs": [{"product": self.product, "grams": 100_000}],
        }

    def _write(self) -> None:
        while not self.done.is_set():
            body = self._body()
            said = self._until_answered("POST", "/api/events", json.dumps(body))
            if said is None:
                return
            entry = json.loads(said)["entry"]
            self.acknowledged[body["id"]] = entry["index"]
            receipt = self._until_answered("GET", f"/ledger/entries/{entry['index']}/receipt")
            if receipt is None:
                return
            leaf = from_base64(entry["leaf_hash"])
            assert leaf is not None
            self.promises.put(Promise(entry["index"], leaf, receipt.decode()))

    def _until_answered(self, method: str, path: str, body: str | None = None) -> bytes | None:
        while not self.done.is_set():
            with suppress(OSError, http.client.HTTPException):
                status, answer = self._send(method, path, body)
                if status < 300:
                    return answer
                if status < 500:
                    self.refused.append((status, answer))
                    return None
            time.sleep(0.01)
        return None

    def _send(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Pens:
    """Processes that append through the store (tests/support/pen.py)."""

    def __init__(self, promises: "queue.Queue[Promise]", settings: Settings) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.pen", str(PENS)],
            cwd=ROOT, env=environment(settings, 8000, SOI_ENV="test"), stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.promises = promises
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            told = json.loads(line)
            self.promises.put(Promise(told["index"], bytes.fromhex(told["leaf"]), told["receipt"]))

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.thread.join()


class Killer:
    """Kills at random, each kind in turn, and counts what it struck."""

    def __init__(self, settings: Settings, phones: Phones, pens: Pens) -> None:
        self.settings, self.phones, self.pens = settings, phones, pens
        self.chance = random.Random(5)
        self.struck = 0
        self.served = start(settings)
        phones.port = self.served.port

    def strike(self, number: int) -> None:
        """One kill: the whole web server, one of its workers, one writer, or the database itself."""
        kinds = (self._server, self._worker, self._pen, self._database)
        kinds[number % len(kinds)]()

    def _server(self) -> None:
        self.served.kill()
        self.struck += 1
        self.served = start(self.settings)
        self.phones.port = self.served.port

    def _worker(self) -> None:
        self._one_of(self.served.process.pid)

    def _pen(self) -> None:
        self._one_of(self.pens.process.pid)

    def _database(self) -> None:
        """PostgreSQL: one of its own processes, upon which all of them start anew. SQLite lives in all who write."""
        if db.engine.dialect.name == "postgresql":
            self._backend()
            return
        for process in (*_children(self.served.process.pid), *_children(self.pens.process.pid)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.struck += 1

    def _backend(self) -> None:
        with db.engine.connect() as connection:
            busy = connection.execute(
                text(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                    "AND backend_type = 'client backend' ORDER BY state <> 'active', random() LIMIT 1"
                )
            ).scalar_one()
        db.engine.dispose()
        os.kill(busy, signal.SIGKILL)
        self.struck += 1

    def _one_of(self, parent: int) -> None:
        deadline = time.monotonic() + QUIET
        while not (children := _children(parent)):
            assert time.monotonic() < deadline, "no process came in the place of the killed one"
            time.sleep(0.01)
        with suppress(psutil.NoSuchProcess):
            self.chance.choice(children).kill()
            self.struck += 1


def _children(parent: int) -> list[psutil.Process]:
    return [one for one in psutil.Process(parent).children() if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.processes
def test_kills_in_the_midst_of_writing_lose_nothing_that_was_promised(
    app: Flask, village: Village, record_property: Callable[[str, object], None]
) -> None:
    settings, state = app.extensions["soi"], store.ensure_born()
    kind = db.engine.dialect.name
    _must_keep_what_it_commits()
    promises: queue.Queue[Promise] = queue.Queue()
    phones = Phones(promises, village.token("producer"), village.site().id, village.product("tuber").id)
    watcher = Watcher(state.origin, state.vkey)
    db.session.remove()
    held = 0
    pens = Pens(promises, settings)
    try:
        killer = Killer(settings, phones, pens)
        try:
            phones.start()
            while killer.struck < times(KILLS):
                held += _hold(watcher, promises, phones, more=8)
                time.sleep(killer.chance.random() * 0.1)
                killer.strike(killer.struck)
                held += _hold(watcher, promises, phones)
            held += _hold(watcher, promises, phones, more=8)
        finally:
            phones.stop()
            killer.served.stop()
    finally:
        pens.stop()
    held += _hold(watcher, promises, phones)

    report = verify()
    assert report.fault is None
    assert report.entries == len(watcher.leaves) and report.root == watcher.roots[-1]
    _events_are_what_was_recorded(watcher, phones)
    record_property(f"kills on {kind}", killer.struck)
    record_property(f"receipts promised before a kill on {kind}, all held", held)


def _must_keep_what_it_commits() -> None:
    """The suite's PostgreSQL may forget its newest commits when it is killed, to be quick. Not this database."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = on'))
        db.engine.dispose()


def _hold(watcher: Watcher, promises: "queue.Queue[Promise]", phones: Phones, more: int = 0) -> int:
    """Wait for `more` promises, then see that all of them are kept so far; how many there were."""
    heard: list[Promise] = []
    deadline = time.monotonic() + QUIET
    while len(heard) < more or not promises.empty():
        assert not phones.refused, phones.refused
        assert time.monotonic() < deadline, "nobody was promised anything"
        with suppress(queue.Empty):
            heard.append(promises.get(timeout=0.1))
        if len(heard) > 5000:
            break
    watcher.look()
    for promise in heard:
        watcher.hold(promise)
    return len(heard)


def _events_are_what_was_recorded(watcher: Watcher, phones: Phones) -> None:
    """No entry without its event, no event without its entry, and each phone's where it was told."""
    stored = {id: index for id, index in db.session.execute(select(Event.id, Event.entry_index))}
    assert {id: stored.get(id) for id in phones.acknowledged} == phones.acknowledged
    told = {}
    for index, body in enumerate(watcher.bodies):
        event = json.loads(body)["event"]
        if event is not None and "eventID" in event:
            told[event["eventID"].removeprefix("urn:uuid:")] = index
    assert stored == told
