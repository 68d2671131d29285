"""`kill -9` in the midst of writing: what was answered 201 is there, the ledger holds, and the village starts again."""

import datetime as dt
import http.client
import json
import random
import threading
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support.serving import Served, start
from tests.support.soak import times
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger.models import LedgerEntry
from trace.ledger.verify import verify
from village import clock
from village.db import db
from village.ids import uuid7

KILLS = 10
WRITERS = 3


class Writers:
    """Phones that log harvests. One that gets no answer sends the same again, as the field app does."""

    def __init__(self, token: str, site: str, product: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.site, self.product = site, product
        self.port = 0
        self.done = threading.Event()
        self.acknowledged: dict[str, int] = {}
        self.refused: list[tuple[int, bytes]] = []
        self.threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]

    def body(self) -> dict[str, Any]:
        """A harvest."""
        when = (clock.now() - dt.timedelta(hours=1)).isoformat()
        return {
            "id": uuid7(), "process": "mien-dong", "stage": "harvest", "occurred_at": when, "site": self.site,
            "outputs": [{"product": self.product, "grams": 100_000}],
        }

    def _write(self) -> None:
        while not self.done.is_set():
            body = self.body()
            while not self.done.is_set():
                with suppress(OSError, http.client.HTTPException):
                    status, answer = self._send(body)
                    if status == 201:
                        self.acknowledged[body["id"]] = json.loads(answer)["entry"]["index"]
                        break
                    if status < 500:
                        self.refused.append((status, answer))
                        return
                time.sleep(0.01)

    def _send(self, body: dict[str, Any]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", "/api/events", json.dumps(body), self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _kill_one_worker(served: Served, chance: random.Random) -> None:
    workers = psutil.Process(served.process.pid).children()
    with suppress(psutil.NoSuchProcess):
        chance.choice(workers).kill()


@pytest.mark.processes
def test_ten_kills_in_the_midst_of_writing_lose_nothing_that_was_answered(app: Flask, village: Village) -> None:
    settings = app.extensions["soi"]
    writers = Writers(village.token("producer"), village.site().id, village.product("tuber").id)
    db.session.remove()
    chance = random.Random(5)
    served = start(settings)
    try:
        writers.port = served.port
        for thread in writers.threads:
            thread.start()
        for kill in range(times(KILLS)):
            heard = len(writers.acknowledged)
            _heard_more(writers, heard)
            time.sleep(chance.random() * 0.05)
            if kill % 2:
                _kill_one_worker(served, chance)
            else:
                served.kill()
                served = start(settings)
                writers.port = served.port
        heard = len(writers.acknowledged)
        _heard_more(writers, heard)
    finally:
        writers.done.set()
        for thread in writers.threads:
            thread.join()
        served.stop()

    assert writers.refused == []
    stored = dict(db.session.execute(select(Event.id, Event.entry_index)).tuples().all())
    lost = {id: index for id, index in writers.acknowledged.items() if stored.get(id) != index}
    assert lost == {}, f"{len(lost)} of {len(writers.acknowledged)} answered events are not stored as answered"
    report = verify()
    assert report.fault is None
    assert report.entries == db.session.scalar(select(func.count()).select_from(LedgerEntry))
    assert len(stored) == report.entries - 1, "an entry without its event, or an event without its entry"


def _heard_more(writers: Writers, heard: int) -> None:
    """Wait until a few more writes were answered."""
    deadline = time.monotonic() + 30
    while len(writers.acknowledged) <= heard + 5:
        assert not writers.refused, writers.refused
        assert time.monotonic() < deadline, "the village answered nothing"
        time.sleep(0.01)
