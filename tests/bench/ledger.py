"""`python -m tests.bench.ledger`: the ledger beside its limits and a peer, into docs/bench-ledger.md and its picture.

Sizes of the log may be given: `python -m tests.bench.ledger 1000 100000`; otherwise 1k, 100k and 1M entries.
"""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench import entries
from tests.bench.browser import lot_seconds
from tests.bench.lines import Line, picture, table
from tests.support.serving import environment
from trace.ledger import store
from trace.ledger.encoding import from_base64
from trace.ledger.keyring import device_key, device_message
from trace.ledger.verify import verify
from village.db import db, write
from village.settings import ROOT, Settings, from_env

SIZES = (1_000, 100_000, 1_000_000)
WRITERS = ((1, 1), (1, 16), (4, 16))
"""Processes, and threads in each."""
SECONDS = 6.0
BULK = 100
GROW = 500
"""Entries in a transaction while a log is made long; nothing is measured meanwhile."""


def main() -> None:
    """Measure everything, in one run."""
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    folder = Path(tempfile.mkdtemp(prefix="soi-bench-"))
    lines: list[Line] = []
    try:
        sign, check = _signatures()
        lines += [
            Line("Ed25519 alone: sign, one core", sign, "/s"),
            Line("Ed25519 alone: verify, all cores", check, "/s"),
        ]
        for processes, threads in WRITERS:
            lines += _writers(folder, processes, threads)
            _say(lines[-3:])
        lines += _bulk(folder, sign)
        _say(lines[-2:])
        lines += _long(folder, sizes, check)
        seconds = lot_seconds(ancestors=40)
        lines.append(Line("A phone's browser verifies a lot with 40 ancestors", seconds * 1000, "ms", 1000, most=True))
        _say(lines[-1:])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    docs = ROOT / "docs"
    (docs / "bench-ledger.md").write_text(table(lines, SECONDS), encoding="utf-8")
    (docs / "bench-ledger.svg").write_text(picture(lines), encoding="utf-8")
    print(table(lines, SECONDS))


def _say(lines: list[Line]) -> None:
    for line in lines:
        print(f"  {line.what:<64} {line.shown:>14}   {line.beside}", flush=True)


def _signatures(seconds: float = 3.0) -> tuple[float, float]:
    """Signatures a second on one core, and verifications a second on all cores."""
    key, message = Ed25519PrivateKey.generate(), os.urandom(900)
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        key.sign(message)
        done += 1
    rate = done / (time.perf_counter() - began)
    cores = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        pool.map(_verify_for, [0.2] * cores)
        return rate, sum(pool.map(_verify_for, [seconds] * cores, chunksize=1))


def _verify_for(seconds: float) -> float:
    key, message = Ed25519PrivateKey.generate(), os.urandom(900)
    signature, public = key.sign(message), key.public_key()
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        public.verify(signature, message)
        done += 1
    return done / (time.perf_counter() - began)


def _settled(folder: Path, name: str) -> Settings:
    """An empty village of its own, its log just born."""
    instance = folder / name
    instance.mkdir()
    settings = from_env({"SOI_ENV": "test", "INSTANCE": str(instance), "LOG_LEVEL": "error"})
    app = wsgi.create_app(settings)
    with app.app_context():
        db.create_all()
        store.ensure_born()
        _close()
    return settings


def _close() -> None:
    db.session.remove()
    db.engine.dispose()


def _writers(folder: Path, processes: int, threads: int) -> list[Line]:
    """So many writers, each entry a call of its own that returns when its receipt can be given; and the two beside."""
    writers = processes * threads
    name = f"{writers} writer" + ("s" if writers > 1 else "") + (f" in {processes} processes" if processes > 1 else "")
    settings = _settled(folder, f"writers-{writers}")
    floor = _crowd("floor", settings, processes, threads)
    ours = _crowd("soi", settings, processes, threads)
    peer = _pymerkle(settings.instance / "pymerkle.db", writers)
    p50, p99, rate = _spread(ours)
    each = [len(one) for one in ours]
    beside = f"bare SQLite group commit {_spread(floor)[2]:,.0f}/s, pymerkle on SQLite {peer:,.0f}/s"
    aims: dict[int, tuple[float | None, float | None, float | None]] = {
        1: (None, 3.0, None),
        64: (1500.0, None, 250.0),
    }
    aim_rate, aim_p50, aim_p99 = aims.get(writers, (None, None, None))
    return [
        Line(f"{name}: appends", rate, "/s", aim_rate, beside=beside),
        Line(f"{name}: p50", p50 * 1000, "ms", aim_p50, most=True),
        Line(
            f"{name}: p99",
            p99 * 1000,
            "ms",
            aim_p99,
            most=True,
            beside=f"of all writers the slowest made {min(each)}, the quickest {max(each)}",
        ),
    ]


def _crowd(what: str, settings: Settings, processes: int, threads: int) -> list[list[float]]:
    command = [sys.executable, "-m", "tests.bench.writer", what, str(threads), str(SECONDS)]
    env = environment(settings, 8000, SOI_ENV="test")
    crowd = [
        subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for one in crowd:
        assert one.stdout and one.stdout.readline() == "ready\n"
    for one in crowd:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    return [thread for one in crowd for thread in json.loads(one.communicate(timeout=120)[0])]


def _spread(taken: list[list[float]]) -> tuple[float, float, float]:
    """p50 and p99 in seconds, and appends a second."""
    every = sorted(seconds for one in taken for seconds in one)
    cuts = quantiles(every, n=100)
    return cuts[49], cuts[98], len(every) / SECONDS


def _pymerkle(path: Path, writers: int) -> float:
    """The peer: entries a second by as many threads of one process; it shares one connection under a lock."""
    from pymerkle import SqliteTree

    tree, body = SqliteTree(str(path)), os.urandom(1300)
    end = time.monotonic() + SECONDS
    done = [0] * writers

    def write_on(number: int) -> None:
        while time.monotonic() < end:
            tree.append_entry(body)
            done[number] += 1

    threads = [threading.Thread(target=write_on, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tree.close()
    return sum(done) / SECONDS


def _bulk(folder: Path, sign: float) -> list[Line]:
    """A hundred entries a transaction, by one process."""
    app = wsgi.create_app(_settled(folder, "bulk"))
    with app.app_context():
        custody = _bulk_rate(lambda turn: [entries.draft(f"c{turn}", n) for n in range(BULK)])
        phone = entries.Phone(store.ensure_born().origin)
        with write(ledger=True) as session:
            store.append(session, [phone.enrolment()])
        signed = _bulk_rate(
            lambda turn: [entries.draft(f"d{turn}", turn * BULK + n, phone) for n in range(BULK)], phone
        )
        _close()
    return [
        Line(
            f"{BULK} entries a transaction, the custodian signs",
            custody,
            "/s",
            8000,
            beside=f"Ed25519 alone signs {sign:,.0f}/s",
        ),
        Line(f"{BULK} entries a transaction, each phone's signature verified", signed, "/s", 4000),
    ]


def _bulk_rate(make: Callable[[int], list[store.Draft]], phone: entries.Phone | None = None) -> float:
    """Entries a second. What the phones do themselves is done before the clock starts."""
    turns = [make(turn) for turn in range(60)]
    began = time.perf_counter()
    for drafts in turns:
        if phone is not None:
            _check_all(drafts, phone)
        with write(ledger=True) as session:
            store.append(session, drafts)
    return len(turns) * BULK / (time.perf_counter() - began)


def _check_all(drafts: list[store.Draft], phone: entries.Phone) -> None:
    """Each phone's signature, as the village checks it before it takes the lock."""
    origin, key = store.ensure_born().origin, device_key(phone.jwk)
    for draft in drafts:
        assert draft.device is not None
        told = draft.device
        key.verify(device_message(origin, told["key"], told["seq"], told["claim"]), from_base64(told["sig"]) or b"")


def _long(folder: Path, sizes: list[int], check: float) -> list[Line]:
    """One log made longer and longer: does an append, or its verification, get dearer?"""
    settings = _settled(folder, "long")
    app = wsgi.create_app(settings)
    lines: list[Line] = []
    first: tuple[float, float] | None = None
    for size in sizes:
        with app.app_context():
            _grow(size)
            one, many = _costs(size)
            _close()
            began = time.perf_counter()
            report = verify()
            rate = report.entries / (time.perf_counter() - began)
            assert report.holds, report.fault
            _close()
        first = first or (one, many)
        more = (one / first[0], many / first[1])
        found = [
            Line(
                f"{size:,} entries: one append, p50",
                one * 1000,
                "ms",
                None if more == (1, 1) else first[0] * 1300,
                most=True,
            ),
            Line(
                f"{size:,} entries: an append of {BULK}, p50",
                many * 1000,
                "ms",
                None if more == (1, 1) else first[1] * 1300,
                most=True,
            ),
        ]
        # A log of a thousand is verified within the time that processes need to start.
        if size >= 100_000:
            found.append(
                Line(
                    f"{size:,} entries: verify",
                    rate,
                    "/s",
                    0.8 * check,
                    beside=f"{rate / check:.0%} of bare Ed25519 on all cores",
                )
            )
        _say(found)
        lines += found
    return lines


def _grow(size: int) -> None:
    while (before := store.ensure_born().size) < size:
        wanted = min(GROW, size - before)
        with write(ledger=True) as session:
            store.append(session, [entries.draft(f"g{before}", number) for number in range(wanted)])
        db.session.remove()


def _costs(size: int) -> tuple[float, float]:
    """Median seconds of an append of one entry, and of one of a hundred."""
    spans: list[list[float]] = []
    for count, times in ((1, 400), (BULK, 40)):
        taken = []
        for turn in range(times):
            drafts = [entries.draft(f"m{size}-{count}-{turn}", number) for number in range(count)]
            began = time.perf_counter()
            with write(ledger=True) as session:
                store.append(session, drafts)
            taken.append(time.perf_counter() - began)
        spans.append(taken)
    return quantiles(spans[0], n=2)[0], quantiles(spans[1], n=2)[0]


if __name__ == "__main__":
    main()
