"""`python -m tests.bench.scan [seconds] [lots]`: the scan page beside its peers, into docs/bench-scan.md.

In one run, under the same gunicorn with the same workers and threads: a hello world, a django-oscar product page, our
scan pages in a village of a thousand lots and in one of a million; then the first view on a slow network.
"""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
import gunicorn

from tests.bench import load, peer
from tests.bench.__main__ import Scene, page_bytes, prepare
from tests.bench.figures import PAGE_AIM
from tests.bench.graphs import grow
from tests.bench.lines import Line, lines_table
from tests.bench.lots import settled_place
from tests.bench.slow import HANDSHAKES, RATE, ROUND_TRIP, SLOWER, View, first_view
from tests.support.serving import start
from trace.scan.cache import Pages
from village import clock
from village.db import db
from village.settings import ROOT

FEW, MANY = 1_000, 1_000_000
WORKERS, THREADS = 2, 8
FIRST_VIEW_MS = 3_000.0
REAL_ENTRIES = 1_000
"""More than the lots with a whole story have: the others' entries are numbered from here, and are not in the ledger."""
ANEW = 20
QUIET = {"LOG_LEVEL": "warning"}


def main() -> None:
    """Measure everything, in one run."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    many = int(sys.argv[2]) if len(sys.argv) > 2 else MANY
    busy = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="soi-bench-"))
    try:
        lines, view = _measured(folder, seconds, many)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = _page(lines, view, seconds, busy)
    (ROOT / "docs" / "bench-scan.md").write_text(told, encoding="utf-8")
    print(told)


def _measured(folder: Path, seconds: float, many: int) -> tuple[list[Line], View]:
    scenes = {lots: _village(folder / str(lots), lots) for lots in (FEW, many)}
    lines = [_hello(scenes[FEW][0], seconds)]
    lines += _oscar(folder, seconds)
    hello, view, weight = lines[0].figure, View(0, 0), 0
    for lots, (scene, anew) in scenes.items():
        served = start(scene.settings, workers=WORKERS, env={**QUIET, "THREADS": str(THREADS)}, forked=False)
        try:
            what = f"scan page, {lots:,} lots"
            lines.append(_rate(what, served.port, scene.scans, seconds, hello / 2, "aim: half of the hello world"))
            linksets = [f"{path}?linkType=linkset" for path in scene.scans]
            lines.append(_rate(f"linkset, {lots:,} lots", served.port, linksets, seconds))
            view, weight = first_view(served.url + scene.scans[0]), page_bytes(served, scene.scans[0])
        finally:
            served.stop()
        lines.append(Line(f"scan page made anew, {lots:,} lots, p50", median(anew), "ms", beside="one process, warm"))
    lines += [
        Line("slow 3G: first paint", view.first, "ms", FIRST_VIEW_MS, most=True, beside="handshakes included"),
        Line("slow 3G: largest paint", view.largest, "ms", FIRST_VIEW_MS, most=True),
        Line("over the wire before pictures", view.before_pictures / 1024, "KB", PAGE_AIM / 1024, most=True,
             beside=", ".join(f"{kind} {size / 1024:.1f}" for kind, size in sorted(view.weights.items()))),
        Line("page and style sheet, unpacked", weight / 1024, "KB", PAGE_AIM / 1024, most=True),
    ]  # fmt: skip
    return lines, view


def _village(instance: Path, lots: int) -> tuple[Scene, list[float]]:
    """A village with so many lots, a few of them with a whole story; and milliseconds to make such a page anew."""
    instance.mkdir()
    scene = prepare("", instance)
    app = wsgi.create_app(scene.settings)
    with app.app_context():
        began = time.perf_counter()
        with db.engine.connect() as connection:
            grow(connection, settled_place(), lots, giant=0, first_entry=REAL_ENTRIES)
            connection.commit()
        print(f"  {lots:,} lots in {time.perf_counter() - began:.0f} s", flush=True)
    client, anew = app.test_client(), []
    for number in range(ANEW + 1):
        # Nothing kept, and a form that the front has not seen.
        app.extensions["soi.scan.pages"] = Pages()
        began = time.perf_counter()
        answer = client.get(scene.scans[number % len(scene.scans)], headers={"Accept": f"text/html,*/{number}"})
        anew.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200 and "Sợi còn nguyên" in answer.text
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return scene, anew[1:]


def _hello(scene: Scene, seconds: float) -> Line:
    served = start(scene.settings, workers=WORKERS, app="tests.bench.hello:app", env={**QUIET, "THREADS": str(THREADS)})
    try:
        return _rate("hello world in Flask", served.port, ["/"], seconds)
    finally:
        served.stop()


def _oscar(folder: Path, seconds: float) -> list[Line]:
    try:
        python = peer.install(gunicorn.__version__)
        paths = peer.fill(python, folder / "oscar", 8)
        with peer.selling(python, folder / "oscar", WORKERS, THREADS) as served:
            # One by one first: it puts its picture for products without one where all would at once.
            for path in paths:
                connection = served.connect()
                connection.request("GET", path)
                connection.getresponse().read()
            return [_rate(f"django-oscar {peer.VERSION} product page", served.port, paths, seconds)]
    except peer.NoPeer as reason:
        print(f"  left out: {reason}", flush=True)
        return []


def _rate(what: str, port: int, paths: list[str], seconds: float, aim: float | None = None, beside: str = "") -> Line:
    told = load.run(load.Job(port, load.get(paths), 200, seconds))
    if told.failures:
        raise RuntimeError(f"{what}: {told.failures} of {told.answers} failed")
    times = f"p50 {told.p50:.1f} ms, p99 {told.p99:.1f} ms"
    print(f"  {what:<42} {told.rate:>8,.0f}/s   {times}", flush=True)
    return Line(what, told.rate, "/s", aim, beside="; ".join(part for part in (times, beside) if part))


def _page(lines: Sequence[Line], view: View, seconds: float, busy: float) -> str:
    crowd = f"The machine had other work: its load was {busy:.1f} before the run began." if busy > 0.5 else ""
    return "\n".join(
        [
            "# How fast the scan page is",
            "",
            f"Written by `python -m tests.bench.scan` on {clock.today().isoformat()}: {os.cpu_count()} cores, Python",
            f"{platform.python_version()}, SQLite, gunicorn {gunicorn.__version__} with {WORKERS} workers of {THREADS}",
            f"threads for each; 16 keep-alive connections on the same cores, {seconds:.0f} s each in four rounds.",
            "django-oscar stands in an environment of its own, with DEBUG off, its templates kept and its counting of",
            "views off. Eight lots in each village have a whole story in the ledger; they are what is asked for.",
            *([crowd] if crowd else []),
            "",
            *lines_table(lines),
            "",
            f"Slow 3G is Chromium's emulation of {RATE * 8 // 1000} kbit/s and {ROUND_TRIP} ms to each answer,",
            f"a screen of 360 pixels, a processor {SLOWER} times slower, nothing kept. The emulation leaves out the",
            f"handshakes, so {HANDSHAKES} round trips are added to both times. Pictures come after the words.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
