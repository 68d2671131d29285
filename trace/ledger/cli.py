"""`flask ledger …`: what the operator does with the log."""

import sys
import time

import click
from flask.cli import AppGroup

from trace.ledger import store
from trace.ledger.verify import verify as verify_stored

ledger = AppGroup("ledger", help="The signed, append-only ledger: start it, read it, verify it.")


@ledger.command("init")
def init() -> None:
    """Start the log if there is none: its keys, its origin, its first entry."""
    state = store.ensure_born()
    click.echo(f"{state.origin}: {state.size} entries, key {state.vkey}")


@ledger.command("verify")
@click.option("--quiet", is_flag=True, help="Say nothing but the result.")
def verify(quiet: bool) -> None:
    """Read and hash every stored entry again, and all that was computed from them.

    Exit status 0 when everything holds; 1 when something does not, with the first bad entry on the last line.
    """
    began = time.monotonic()

    def progress(done: int) -> None:
        if not quiet and sys.stderr.isatty():
            click.echo(f"\r{done} entries", nl=False, err=True)

    report = verify_stored(progress)
    if not quiet and sys.stderr.isatty():
        click.echo("", err=True)
    if report.fault is None:
        click.echo(
            f"The ledger holds: {report.entries} entries, root {report.root.hex()}, {time.monotonic() - began:.1f} s"
        )
        return
    where = "the log as a whole" if report.fault.index is None else f"entry {report.fault.index}"
    click.echo(f"THE LEDGER DOES NOT HOLD. First fault: {where}: {report.fault.what}")
    raise SystemExit(1)


@ledger.command("checkpoint")
def checkpoint() -> None:
    """Print the signed checkpoint: keep one, and a later rewrite can be caught."""
    click.echo(store.ensure_born().checkpoint, nl=False)
