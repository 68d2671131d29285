"""`python -m tests.bench.sensors [seconds]`: how many readings a second come in, beside bare SQLite inserts.

Prints a table and writes docs/bench-sensors.md. Everything is measured in one run: readings go over HTTP to a real
server, as a gateway sends them, into SQLite and PostgreSQL; the bare inserts put the same rows into a table of the same
shape, with as many rows to a commit, in one process without HTTP, JSON or checks.
"""

import datetime as dt
import json
import os
import platform
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from batches.sensors import services
from batches.sensors.models import Sensor
from batches.sensors.reduce import series
from batches.sensors.schemas import sensor_fields
from batches.sensors.tidy import tidy
from tests.bench.__main__ import databases
from tests.support.serving import Served, start
from tests.support.village import Village, settle
from village import clock
from village.db import db
from village.forms import Form
from village.settings import ROOT, Settings, from_env

SENSORS = 100
AIM = 5_000.0
SIZES = (10_000, 1_000)
SENDERS = 2
DAY = 1440


@dataclass(frozen=True)
class Figure:
    """One measurement."""

    what: str
    on: str
    rate: float
    told: str = ""
    aim: float | None = None

    def row(self) -> str:
        """Its line of the table."""
        reached = "–" if self.aim is None else "yes" if self.rate >= self.aim else "**no**"
        aim = "–" if self.aim is None else f"≥ {self.aim:,.0f}"
        return f"| {self.what} | {self.on} | {self.rate:,.0f} | {aim} | {reached} | {self.told} |"


class Rows:
    """Readings of a hundred sensors, a minute apart, each once. The moments lie within the last days."""

    def __init__(self, ids: list[str], days: int) -> None:
        self._ids = ids
        self._start = int(time.time()) - days * 86400
        self._minute = 0
        self._most = days * DAY
        self._lock = threading.Lock()

    def take(self, size: int) -> list[tuple[str, int, float]]:
        """The next `size` readings."""
        with self._lock:
            first = self._minute
            self._minute += size // len(self._ids)
        if self._minute > self._most:
            raise RuntimeError("the bench has told all the minutes that there are; give it fewer seconds")
        return [
            (one, self._start + 60 * minute, 40 + (minute + place) % 200 / 10)
            for minute in range(first, first + size // len(self._ids))
            for place, one in enumerate(self._ids)
        ]


def post(served: Served, key: str, bodies: list[bytes]) -> None:
    """Send these, one after the other, over one connection."""
    connection = served.connect()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for body in bodies:
        connection.request("POST", "/api/sensors/readings", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != 200 or told["refused"] or told["new"] != body.count(b'"at"'):
            raise RuntimeError(f"{answer.status}: {told}")
    connection.close()


def intake(served: Served, key: str, rows: Rows, size: int, seconds: float) -> float:
    """Readings a second with several senders, each request of `size`."""
    batch = 4
    done, began = 0, 0.0
    spent = 0.0
    while spent < seconds:
        # Written beforehand: what the senders do to make JSON is theirs.
        bodies = [
            [
                json.dumps({"readings": [{"sensor": s, "at": at, "value": v} for s, at, v in rows.take(size)]}).encode()
                for _ in range(batch)
            ]
            for _ in range(SENDERS)
        ]
        threads = [threading.Thread(target=post, args=(served, key, mine)) for mine in bodies]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent += time.monotonic() - began
        done += SENDERS * batch * size
    return done / spent


def bare(path: Path, size: int, seconds: float) -> float:
    """Rows a second that SQLite takes by itself: WAL, synchronous FULL, `size` rows to a commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS reading (sensor INT, at INT, value INT, PRIMARY KEY (sensor, at)) WITHOUT ROWID"
    )
    minute, done, spent = int(time.time()), 0, 0.0
    while spent < seconds:
        rows = [
            (sensor, (minute + 60 * step) * 1000, 40_000 + sensor)
            for step in range(size // SENSORS)
            for sensor in range(SENSORS)
        ]
        minute += 60 * (size // SENSORS)
        began = time.monotonic()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO reading VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
        spent += time.monotonic() - began
        done += size
    connection.execute("DROP TABLE reading")
    connection.close()
    return done / spent


def prepare(url: str, instance: Path) -> tuple[Settings, str, list[str]]:
    """A village with a hundred sensors in one workshop: its settings, the gateway's key, the sensors' ids."""
    environ = {"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"}
    settings = from_env(environ)
    with wsgi.create_app(settings).app_context():
        db.create_all()
        settle()
        village = Village()
        who, site = village.actor("office"), village.site().id
        ids = [
            services.add_sensor(who, sensor_fields(Form({"name": f"Máy {n}", "site": site, "type": "Temperature"})))[0]
            for n in range(SENSORS)
        ]
        key = services.add_gateway(who, site, "Hộp")
        db.session.remove()
        db.engine.dispose()
    return settings, key, ids


def reading(settings: Settings, name: str) -> list[Figure]:
    """How long a curve takes out of all that was sent, and how fast it is thinned a season later."""
    found = []
    with wsgi.create_app(settings).app_context():
        it = db.session.scalars(db.select(Sensor).limit(1)).one()
        last = (it.last_at or 0) // 1000
        for what, back, least in (("an eight-hour window", 8 * 3600, 60), ("a month", 30 * 86400, 3600)):
            began = time.monotonic()
            for _ in range(10):
                series(db.session(), it, last - back, last, least=least)
            took = (time.monotonic() - began) / 10
            found.append(Figure(f"series: {what}", name, 1 / took, f"{took * 1000:.1f} ms each"))
        with clock.fixed(clock.now() + dt.timedelta(days=120)):
            began = time.monotonic()
            gone, _done = tidy(10)
            found.append(Figure("thinning to quarters", name, gone / (time.monotonic() - began), "readings a second"))
        db.session.remove()
        db.engine.dispose()
    return found


def main() -> None:
    """Measure everything, in one run."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    found: list[Figure] = []

    def say(figure: Figure) -> None:
        found.append(figure)
        print(f"  {figure.what:<34} {figure.on:<11} {figure.rate:>10,.0f}/s  {figure.told}", flush=True)

    print(f"· Readings of {SENSORS} sensors for {seconds:.0f} s each")
    with databases() as each:
        for name, url, instance in each:
            settings, key, ids = prepare(url, instance)
            rows = Rows(ids, 29)
            served = start(settings, env={"LOG_LEVEL": "warning"}, forked=False)
            try:
                for size in SIZES:
                    beside = bare(instance / "bare.db", size, seconds / 2)
                    if name == "SQLite":
                        say(Figure(f"bare SQLite inserts, {size:,} a commit", "–", beside))
                    rate = intake(served, key, rows, size, seconds)
                    told = f"{rate / beside:.0%} of bare SQLite"
                    say(Figure(f"readings in, {size:,} a request", name, rate, told, AIM))
            finally:
                served.stop()
            for figure in reading(settings, name):
                say(figure)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    text = [
        "# How fast readings come in",
        "",
        f"Written by `python -m tests.bench.sensors` on {clock.today().isoformat()}: {machine},",
        f"gunicorn with 2 workers, {SENDERS} gateways that send JSON over HTTP from the same cores, {SENSORS} sensors,",
        f"{seconds:.0f} s each. Every reading is checked, and new to the database; SQLite in WAL mode with synchronous",
        "FULL. The bare inserts put rows of the same shape into a table WITHOUT ROWID, in one process, without HTTP,",
        "JSON or checks.",
        "",
        "| what | on | a second | aim | reached | beside it |",
        "| --- | --- | ---: | ---: | --- | --- |",
        *(figure.row() for figure in found),
        "",
    ]
    (ROOT / "docs" / "bench-sensors.md").write_text("\n".join(text))


if __name__ == "__main__":
    main()
