"""`python -m tests.bench.evening [part]`: the simulated evening, into docs/bench-live.md.

Three livestreams, 20,000 comments in ten minutes with bursts of 500 a second, over sources that repeat, mix up,
delay, lose answers and are cut off; fifty buyers at the storefront, who buy the same packs; somebody before a console
in a real Chromium, whose pictures go to docs/pictures. On SQLite and then on PostgreSQL. `part` plays so much of it
(0.1: a tenth), and writes nothing.
"""

import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import wrap

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from tests.bench.__main__ import databases
from tests.bench.lines import Line, lines_table
from tests.bench.live_page import put
from tests.support.evening.play import LARGE, Evening, Plan
from tests.support.evening.proof import Proof
from tests.support.evening.readers import Clock
from tests.support.evening.script import BURST, BUSY, QUIET
from tests.support.evening.watch import Watcher
from tests.support.serving import start
from tests.support.village import Village, settle
from village import clock
from village.db import db
from village.settings import ROOT, from_env

WORKERS = 4
SOON = 1_000.0
"""Milliseconds from receipt to decision, at 200 comments a second, of 99 in 100."""
SMOOTH = 200.0
"""Milliseconds that a hand's scroll may take to be felt, of 99 in 100."""
PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    """Play it on both databases."""
    part = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    plan = LARGE if part >= 1 else _part(LARGE, part)
    busy = os.getloadavg()[0]
    lines: list[Line] = []
    told: list[str] = []
    with databases() as each:
        for on, url, instance in each:
            more, words = _played(on, url, instance, plan, PICTURES if on == "SQLite" and part >= 1 else None)
            lines += more
            told += words
    page = _page(lines, told, plan, busy)
    if part >= 1:
        put("## An evening", page)
    print("\n".join(page))


def _part(plan: Plan, part: float) -> Plan:
    """The same evening, each stretch shorter, on shelves as much smaller."""
    return replace(
        plan,
        stretches=[replace(stretch, seconds=stretch.seconds * part) for stretch in plan.stretches],
        packs={code: max(3, round(packs * part)) for code, packs in plan.packs.items()},
        limits={code: max(1, round(packs * part)) for code, packs in plan.limits.items()},
    )


def _played(on: str, url: str, instance: Path, plan: Plan, pictures: Path | None) -> tuple[list[Line], list[str]]:
    settings = from_env({"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"})
    app = wsgi.create_app(settings)
    with app.app_context():
        db.create_all()
        settle()
        evening = Evening(app, Village(), plan)
        evening.set_up()
        cookie, path = evening.host_cookie(0)
        db.session.remove()
        db.engine.dispose()
        served = start(settings, workers=WORKERS, env={**evening.env, "LOG_LEVEL": "warning"}, forked=False)
        watchers: list[Watcher] = []

        def watched(time_of: Clock) -> Watcher:
            at = {"begins": plan.seconds * 0.03, "burst": plan.stretches[0].seconds + 1.0, "late": plan.seconds * 0.9}
            watchers.append(Watcher(time_of, served.url, path, cookie, plan.seconds, pictures, at))
            return watchers[-1]

        began = time.monotonic()
        try:
            evening.play(served.port, also=[watched])
        finally:
            served.stop()
        took = time.monotonic() - began
        print(f"  {on}: {len(evening.said):,} comments in {took:.0f} s", flush=True)
        if faults := evening.faults():
            raise AssertionError(f"{len(faults)} faults, of which the first: " + "\n".join(faults[:20]))
        lines = [*_speeds(on, evening), *_console(on, watchers[0])]
        told = _tally(on, evening)
        db.session.remove()
        db.engine.dispose()
    for line in lines:
        print(f"  {line.what:<58} {line.shown:>10}   {line.beside}", flush=True)
    return lines, told


def _speeds(on: str, evening: Evening) -> list[Line]:
    found = []
    for what, stretches, aim in (
        ("at 200 a second", (BUSY,), SOON), ("in bursts of 500 a second", (BURST,), None),
        ("in between", (QUIET,), None), ("all evening", (), SOON),
    ):  # fmt: skip
        waits = evening.waits(*stretches)
        beside = f"{len(waits):,} comments; p50 {_at(waits, 0.5):,.0f} ms, slowest {waits[-1] * 1000:,.0f} ms"
        found.append(
            Line(f"receipt → decision {what}, p99, {on}", _at(waits, 0.99), "ms", aim, most=True, beside=beside)
        )
    orders = sorted(took for door in evening.doors for took in door.took)
    beside = f"{len(orders):,} sent; p50 {_at(orders, 0.5):,.0f} ms"
    return [*found, Line(f"order sent at the storefront, p99, {on}", _at(orders, 0.99), "ms", beside=beside)]


def _console(on: str, watcher: Watcher) -> list[Line]:
    assert not watcher.errors, watcher.errors[:5]
    felt, gaps, asked = (sorted(one / 1000 for one in some) for some in (watcher.felt, watcher.gaps, watcher.asked))
    beside = (
        f"{len(felt)} scrolls, slowest {felt[-1] * 1000:,.0f} ms; frames p99 {_at(gaps, 0.99):,.0f} ms; at most "
        f"{max(watcher.nodes):,} elements; {len(asked):,} questions, p99 {_at(asked, 0.99):,.0f} ms, "
        f"{watcher.bytes / 1e6:,.1f} MB"
    )
    what = f"console: a scroll is felt after, p99, {on}"
    return [Line(what, _at(felt, 0.99), "ms", SMOOTH, most=True, beside=beside)]


def _at(sorted_seconds: Sequence[float], share: float) -> float:
    """Milliseconds of the one at this share of them."""
    if not sorted_seconds:
        return 0.0
    return sorted_seconds[min(len(sorted_seconds) - 1, int(len(sorted_seconds) * share))] * 1000


def _tally(on: str, evening: Evening) -> list[str]:
    proof = Proof(evening.said, evening.sessions)
    made = ", ".join(f"{name} {count:,}" for name, count in proof.decisions().most_common())
    calls = sum(reader.calls for reader in evening.readers)
    resent = sum(reader.resent for reader in evening.readers)
    orders = sum(len(door.tokens) for door in evening.doors)
    turned = sum(door.turned for door in evening.doors)
    left = ", ".join(f"{code} {packs:,}" for code, packs in evening.left().items())
    told = (
        f"- {on}: {len(evening.said):,} comments in {calls:,} calls, {resent:,} of them sent again; "
        f"{proof.told_late():,} came after later ones had been decided. They became: {made}. The storefront sold "
        f"{orders:,} orders and told {turned:,} buyers that nothing was left. Left on the shelf: {left}."
    )
    return wrap(told, 118, subsequent_indent="  ")


def _page(lines: Sequence[Line], told: Sequence[str], plan: Plan, busy: float) -> list[str]:
    crowd = f" The machine had other work: its load was {busy:.1f} before the run began." if busy > 0.5 else ""
    head = (
        f"Written by `python -m tests.bench.evening` on {clock.today().isoformat()}: {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, gunicorn with {WORKERS} workers; viewers, readers, {plan.doors} buyers and "
        f"Chromium on the same cores. {plan.seconds:.0f} seconds, three livestreams. One is on Facebook (a fake of "
        "it): notices in batches, of which a fifth never come, and the list that our reader follows. The others have "
        "two sources each, the API and a reader that signs, which repeat a twelfth of what they bring, mix up each "
        "call, tell three in a hundred late and lose answers. All are cut off for a twentieth of the evening. A "
        "comment is received when we, or its reader, have it at hand; it is decided when the reader has the answer "
        "that says so, which is after the commit, and on Facebook when its decision was written."
    )
    return [
        *wrap(head + crowd, 118),
        "",
        *lines_table(lines),
        "",
        "Afterwards each comment stands once in the log with what its writer meant by it, no viewer has two orders or",
        "other packs than her comments gave her, lots, orders, holds and limits add up to the pack, nobody who wrote",
        "later was served before somebody who waits for one pack, and each storefront order was told to one buyer.",
        "",
        *told,
        "",
        "Pictures of the console: pictures/evening-begins.png, -burst.png, -late.png, -after.png.",
    ]


if __name__ == "__main__":
    main()
