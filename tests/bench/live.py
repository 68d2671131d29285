"""`python -m tests.bench.live [seconds]`: how many comments a second become orders, into docs/bench-live.md.

Four processes call `intake.receive` at once on three livestreams, in calls of one, ten and fifty comments; every
comment is in the durable log and decided, its packs reserved, when its call returns. Beside it, in the same run, four
processes put the very same rows into bare tables of the same shape, with as many rows to a transaction.
"""

import itertools
import json
import os
import pickle
import platform
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from flask import Flask
from sqlalchemy import func, select

from shop.live import intake, services
from shop.live.intake import Said
from shop.live.models import LiveComment, LiveDecision, LiveWait
from shop.live.services import Code
from shop.stock.models import StockLot
from tests.bench import load, rows
from tests.bench.__main__ import databases
from tests.bench.lines import Line, lines_table
from tests.bench.live_page import put
from tests.bench.taker import EVENING, ORDERS
from tests.shop.hands import faults, shelve
from tests.support.evening.script import CODES
from tests.support.serving import environment, free_port, start
from tests.support.village import Village, settle
from village import clock
from village.db import db
from village.ids import uuid7
from village.settings import ROOT, Settings, from_env

PROCESSES, STAGES = 4, 3
SIZES = {50: 1, 10: 4, 1: 8}
"""Comments in a call, and how many callers each process has: who sends single comments does not wait for the others."""
AIM = 500.0
PACKS = 400_000
"""In each of the five products' two lots: nothing sells out unless it is meant to."""
QUEUE = 2_000
"""Viewers who wait, where what comes is sold out."""
GOODS = (("mien-dong", 500), ("mien-dong", 1000), ("che-tam-duong", 500), ("gao-seng-cu", 500), ("gao-seng-cu", 1000))
"""What the codes mean, in their order."""


@dataclass(frozen=True)
class Taken:
    """What four processes did."""

    rate: float
    """Comments a second."""
    p50: float
    """Milliseconds of one call."""
    p99: float
    calls: int
    comments: int


def main() -> None:
    """Measure everything, in one run."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    busy = os.getloadavg()[0]
    lines: list[Line] = []
    with databases() as each:
        for on, url, instance in each:
            lines += _measured(on, url, instance, seconds)
    put("## Intake", _told(lines, seconds, busy))
    print("\n".join(lines_table(lines)))


def _measured(on: str, url: str, instance: Path, seconds: float) -> Iterator[Line]:
    settings = from_env({"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"})
    app = wsgi.create_app(settings)
    with app.app_context():
        db.create_all()
        settle()
        village = Village()
        for number, (process, net) in enumerate(GOODS):
            for lot in "AB":
                shelve(village, PACKS, lot=f"B{number}{lot}", net=net, process=process)
        db.session.remove()
    for size in SIZES:
        sessions = _sessions(app)
        orders = _soi(settings, size, seconds, ORDERS, sessions)
        _nothing_lost(app, sessions)
        bare = _bare(app, settings, sessions, size)
        mixed = _soi(settings, size, seconds, EVENING, _sessions(app))
        yield _said(_line(f"orders only, {size} a call, {on}", orders, f"bare inserts {bare:,.0f}/s"))
        yield _said(_line(f"as in an evening, {size} a call, {on}", mixed))
    yield _said(_queued(app, settings, on, seconds))
    yield _said(_over_http(app, settings, on, seconds))
    with app.app_context():
        assert not (wrong := faults()), wrong
        db.session.remove()
        db.engine.dispose()


def _sessions(app: Flask, limit: int | None = None) -> list[str]:
    """New livestreams, all of which sell the same packs."""
    with app.app_context():
        village = Village()
        goods = [village.product("packs", net, process) for process, net in GOODS]
        codes = [Code(code, product.gtin, limit=limit) for code, product in zip(CODES, goods, strict=True)]
        mark = uuid.uuid4().hex[:6]
        actor = village.actor("seller")
        found = [services.start(actor, f"Tối {mark}", f"bench{mark}{n}", codes) for n in range(STAGES)]
        db.session.remove()
        return found


def _soi(settings: Settings, size: int, seconds: float, mix: str, sessions: Sequence[str]) -> Taken:
    return _run(settings, [["soi", str(SIZES[size]), str(size), str(seconds), mix, *sessions]] * PROCESSES)


def _run(settings: Settings, arguments: Sequence[Sequence[str]]) -> Taken:
    """Let processes go together; what they did. Each has a rate of its own, and all of them the sum."""
    env = environment(settings, free_port())
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.taker", *one], cwd=ROOT, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for one in arguments
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = []
    for process in running:
        assert process.stdout is not None
        told.append(json.loads(process.stdout.read()))
        assert process.wait() == 0
    times = sorted(itertools.chain.from_iterable(one["taken"] for one in told))
    return Taken(
        rate=sum(one["comments"] / one["seconds"] for one in told if one["seconds"]),
        p50=times[len(times) // 2] * 1000,
        p99=times[min(len(times) - 1, len(times) * 99 // 100)] * 1000,
        calls=len(times),
        comments=sum(one["comments"] for one in told),
    )


def _bare(app: Flask, settings: Settings, sessions: Sequence[str], size: int) -> float:
    """Comments a second whose rows the bare driver puts in."""
    with app.app_context():
        rows.make_tables(settings.instance)
        calls = rows.calls_of(sessions, size)
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        sqlite = db.engine.dialect.name == "sqlite"
        db.session.remove()
    arguments = []
    for number in range(PROCESSES):
        kept = settings.instance / f"rows-{number}"
        kept.write_bytes(pickle.dumps(calls[number::PROCESSES]))
        arguments.append(["bare", str(kept)])
    os.environ["BARE_URL"] = "" if sqlite else url
    return _run(settings, arguments).rate


def _queued(app: Flask, settings: Settings, on: str, seconds: float) -> Line:
    """All is sold out, and many wait."""
    sessions = _sessions(app, limit=1)
    with app.app_context():
        actor = Village().actor("seller")
        for session in sessions:
            said = [
                Said(f"{session}{n}", f"waits-{n}", "Người Chờ", f"{CODES[n % len(CODES)]} x2") for n in range(QUEUE)
            ]
            for at in range(0, QUEUE, 500):
                intake.receive(actor, session, said[at : at + 500])
        waiting = select(func.count()).select_from(LiveWait).where(LiveWait.session_id == sessions[0])
        assert db.session.scalar(waiting) == QUEUE
        db.session.remove()
    return _line(f"sold out, {QUEUE:,} wait in each, 50 a call, {on}", _soi(settings, 50, seconds, ORDERS, sessions))


def _over_http(app: Flask, settings: Settings, on: str, seconds: float) -> Line:
    """As a comment reader sends them: JSON to a server of four processes, the sender on the same cores."""
    sessions, size = _sessions(app), 50
    with app.app_context():
        token = Village().token("seller")
        db.session.remove()
        db.engine.dispose()
    served = start(settings, workers=PROCESSES, env={"LOG_LEVEL": "warning"}, forked=False)

    def body() -> dict[str, object]:
        now = clock.now().isoformat()
        return {
            "comments": [
                {"id": (one := uuid7()), "author": {"id": one, "name": "Người Xem"}, "text": "chốt md01 x1", "at": now}
                for _ in range(size)
            ]
        }

    try:
        turn = itertools.count()

        def make(number: int) -> Iterator[bytes]:
            session = sessions[next(turn) % STAGES]
            return load.post(f"/api/live/sessions/{session}/comments", token, body)(number)

        told = load.run(load.Job(served.port, make, 200, seconds))
    finally:
        served.stop()
    assert not told.failures, told
    beside = f"16 connections; a call p50 {told.p50:,.0f} ms, p99 {told.p99:,.0f} ms"
    return Line(f"over HTTP, orders only, {size} a call, {on}", told.rate * size, "/s", AIM, beside=beside)


def _nothing_lost(app: Flask, sessions: Sequence[str]) -> None:
    """Every comment that was taken has its receive number and its decision."""
    with app.app_context():
        kept = select(func.count()).select_from(LiveComment).where(LiveComment.session_id.in_(sessions))
        decided = select(func.count()).select_from(LiveDecision).where(
            LiveDecision.session_id.in_(sessions), LiveDecision.position == 0
        )
        assert db.session.scalar(kept) == db.session.scalar(decided)
        lots = db.session.scalars(select(StockLot))
        assert all(lot.free >= 0 for lot in lots)
        db.session.remove()


def _line(what: str, taken: Taken, more: str = "") -> Line:
    beside = f"{more + '; ' if more else ''}a call p50 {taken.p50:,.1f} ms, p99 {taken.p99:,.1f} ms"
    return Line(what, taken.rate, "/s", AIM, beside=beside)


def _said(line: Line) -> Line:
    print(f"  {line.what:<58} {line.shown:>10}   {line.beside}", flush=True)
    return line


def _told(lines: Sequence[Line], seconds: float, busy: float) -> list[str]:
    crowd = f"The machine had other work: its load was {busy:.1f} before the run began." if busy > 0.5 else ""
    return [
        f"Written by `python -m tests.bench.live` on {clock.today().isoformat()}: {os.cpu_count()} cores, Python",
        f"{platform.python_version()}, {PROCESSES} processes on {STAGES} livestreams that sell the same five products,",
        f"{seconds:.0f} s each, SQLite in WAL mode with synchronous FULL, PostgreSQL as it comes. A comment counts",
        "when its call returns: it stands in the chained log, was read and decided, and the packs of its order are",
        "reserved. Each process has one caller that sends fifty comments a call, four that send ten, or eight that",
        "send single ones. Of an evening's comments not quite half are orders; the others are numbers, questions,",
        "cancellations and talk. The bare inserts put the same rows into tables with the same indexes, as many to a",
        "transaction, from as many processes: no reading, no stock, no references looked up.",
        *([crowd] if crowd else []),
        "",
        *lines_table(lines),
    ]


if __name__ == "__main__":
    main()
