"""`python -m tests.bench.sheets [rows]`: a season by spreadsheet, from the file to the ledger.

It takes 100,000 rows unless told otherwise: once as XLSX and once as CSV on SQLite, once as XLSX on PostgreSQL. A
worker runs as it does in production, in a process of its own; the bench only asks and watches, and writes
docs/bench-sheets.md.
"""

import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from sqlalchemy import func, select

from batches.sheets import services
from batches.sheets.models import SheetState
from tests.bench.__main__ import databases
from tests.support import sheets
from tests.support.serving import environment
from tests.support.village import Village, settle
from trace.events.models import Event
from trace.ledger.verify import verify
from village import clock
from village.db import db
from village.settings import ROOT, Settings, from_env

ROWS = 100_000
AIM = 120.0
"""Seconds for all rows to be on the ledger, once the office has said yes to what looking over showed."""


@dataclass(frozen=True)
class Turn:
    """One import. Seconds by the clock; `cpu` is what the worker's process took of looking over and recording."""

    what: str
    on: str
    rows: int
    mib: float
    check: float
    write: float
    cpu: float
    peak_mib: float

    @property
    def whole(self) -> float:
        """From the file to the last row on the ledger."""
        return self.check + self.write


def run(url: str, instance: Path, on: str, form: str, rows: int) -> Turn:
    """Import a season of so many rows into a village of its own."""
    environ = {"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"}
    settings = from_env(environ)
    app = wsgi.create_app(settings)
    with app.app_context():
        db.create_all()
        settle()
        village = Village()
        content = _content(instance, form, rows)
        office = village.actor("office")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        worker = _worker(settings)
        try:
            began = time.perf_counter()
            sheet = services.take_in(office, f"vu.{form}", BytesIO(content))
            _until(lambda: sheets.again(sheet.id).state is not SheetState.CHECKING)
            check = time.perf_counter() - began
            found = sheets.again(sheet.id)
            assert found.state is SheetState.READY, (found.state, sheets.faults(found)[:3])
            began = time.perf_counter()
            services.start_writing(office, sheet.id)
            _until(lambda: sheets.again(sheet.id).state is not SheetState.WRITING)
            write = time.perf_counter() - began
        finally:
            worker.terminate()
            worker.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        written = db.session.scalar(select(func.count()).select_from(Event)) or 0
        assert sheets.again(sheet.id).state is SheetState.WRITTEN and written >= rows
        assert verify().holds
        db.session.remove()
        db.engine.dispose()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Turn(form.upper(), on, written, len(content) / 2**20, check, write, cpu, after.ru_maxrss / 1024)


def _content(instance: Path, form: str, rows: int) -> bytes:
    season = sheets.season(rows)
    if form == "csv":
        return sheets.as_csv(season).encode()
    path = instance / "season.xlsx"
    sheets.write_xlsx(path, season)
    return path.read_bytes()


def _worker(settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "work", "--beside", str(os.getpid())]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment(settings, 8000, SOI_ENV="test"))
    _until((settings.instance / "jobs.lock").exists)
    time.sleep(1)
    return worker


def _until(holds: Callable[[], bool], seconds: float = 3600) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        db.session.remove()
        time.sleep(0.25)


def table(turns: list[Turn], load: float) -> str:
    """docs/bench-sheets.md."""
    rows = [
        f"| {t.what}, {t.mib:.1f} MB | {t.on} | {t.rows:,} | {t.check:.1f} | **{t.write:.1f}** | {t.whole:.1f} "
        f"| {t.cpu:.1f} | {t.peak_mib:.0f} | {'yes' if t.write < AIM else '**no**'} |"
        for t in turns
    ]
    return "\n".join(
        [
            "# A season by spreadsheet",
            "",
            f"Written by `python -m tests.bench.sheets` on {clock.today().isoformat()}: {os.cpu_count()} cores,"
            f" Python {platform.python_version()}, load average of the machine before it began: {load:.1f}.",
            "A story of miến dong is seven rows, from the field to the packs; each row takes from the one before it by",
            "its reference. Looking over reads the file and goes through all rows by the same rules as recording;",
            "recording writes 200 rows a transaction, each signed by the custodian; the ledger is verified afterwards.",
            "",
            f"Aim: {ROWS:,} rows recorded in less than {AIM:.0f} s. Looking over, the dry run, is a step of its",
            "own, at whose end a person decides; both show how far they are.",
            "",
            "| file | on | rows | looked over s | recorded s | together s | of that CPU s | most memory MB | reached |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Measure and write it down."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    load = os.getloadavg()[0]
    turns: list[Turn] = []
    with databases() as each:
        for name, url, folder in each:
            for form in ("xlsx", "csv") if name == "SQLite" else ("xlsx",):
                instance = Path(tempfile.mkdtemp(prefix=f"{form}-", dir=folder))
                turns.append(run(url, instance, name, form, rows))
                print(turns[-1], flush=True)
                shutil.rmtree(instance, ignore_errors=True)
    text = table(turns, load)
    (ROOT / "docs" / "bench-sheets.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
