"""`flask ledger …`: what the operator does with the log."""

import json
import sys
import time

import click
from flask.cli import AppGroup

from trace.ledger import store
from trace.ledger.audit.pool import cores
from trace.ledger.verify import CouldNotCheck, Report, check

ledger = AppGroup("ledger", help="The signed, append-only ledger: start it, read it, verify it.")


@ledger.command("init")
def init() -> None:
    """Start the log if there is none: its keys, its origin, its first entry."""
    state = store.ensure_born()
    click.echo(f"{state.origin}: {state.size} entries, key {state.vkey}")


@ledger.command("verify")
@click.option("--jobs", type=click.IntRange(1, 256), default=None, help="Processes; as many as cores if not said.")
@click.option("--resume/--afresh", default=True, help="Go on where a check was cut off (the default), or begin anew.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
@click.option("--quiet", is_flag=True, help="Say nothing but the result.")
def verify(jobs: int | None, resume: bool, as_json: bool, quiet: bool) -> None:
    """Read and hash every stored entry again, and all that was computed from them.

    Exit status 0 when everything holds; 1 when something does not, with the first bad entry on the last line; 2 when
    the log could not be read to its end, so that nothing is known.

    A check that is cut off leaves behind which entries are done, and the next one goes on there: it believes that
    their rows were not changed in between. With --afresh nothing is believed.
    """
    began = time.monotonic()
    show = not quiet and sys.stderr.isatty()
    pace = Pace()
    try:
        report = check(jobs=jobs or cores(), tell=pace.show if show else None, keep=True, resume=resume)
    except CouldNotCheck as error:
        click.echo(f"The ledger could not be checked: {_printable(str(error))}", err=True)
        raise SystemExit(2) from error
    finally:
        if show:
            click.echo("", err=True)
    seconds = time.monotonic() - began
    click.echo(_as_json(report, seconds) if as_json else _as_text(report, seconds))
    if not report.holds:
        raise SystemExit(1)


@ledger.command("checkpoint")
def checkpoint() -> None:
    """Print the signed checkpoint: keep one, and a later rewrite can be caught."""
    click.echo(store.ensure_born().checkpoint, nl=False)


class Pace:
    """The line that says how far a check is. What was done before it began does not count for its speed."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before: int | None = None

    def show(self, done: int, total: int) -> None:
        """Write it over itself on the terminal."""
        click.echo(f"\r{self.line(done, total, time.monotonic() - self._began)}\x1b[K", nl=False, err=True)

    def line(self, done: int, total: int, seconds: float) -> str:
        """Entries, entries a second, and the time left."""
        if self._before is None:
            self._before = done
        made = done - self._before
        if not made or seconds <= 0:
            return f"{done:,} of {total:,} entries"
        left = round((total - done) * seconds / made)
        return f"{done:,} of {total:,} entries, {made / seconds:,.0f} a second, {left // 60}:{left % 60:02} left"


def _as_text(report: Report, seconds: float) -> str:
    notes = [f"Note: {_printable(note)}." for note in report.notes]
    if report.fault is None:
        said = f"The ledger holds: {report.entries} entries, root {report.root.hex()}, {seconds:.1f} s"
    else:
        where = "the log as a whole" if report.fault.index is None else f"entry {report.fault.index}"
        said = f"THE LEDGER DOES NOT HOLD. First fault: {where}: {_printable(report.fault.what)}"
    return "\n".join([*notes, said])


def _as_json(report: Report, seconds: float) -> str:
    return json.dumps(
        {
            "entries": report.entries,
            "root": report.root.hex(),
            "holds": report.holds,
            "first_bad": report.fault.index if report.fault else None,
            "what": _printable(report.fault.what) if report.fault else None,
            "notes": [_printable(note) for note in report.notes],
            "seconds": round(seconds, 3),
        },
        ensure_ascii=False,
    )


def _printable(text: str) -> str:
    """Stored bytes at fault may be no text at all."""
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in plain)
