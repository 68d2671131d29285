"""`flask ledger witnesses`: ask them now, and say how we stand with each."""

import click

from trace.ledger import store, witnesses
from trace.ledger.cli import ledger
from village.db import db
from village.errors import SoiError


@ledger.command("witnesses")
def ask_witnesses() -> None:
    """Send the newest checkpoint to each witness of the policy. Exit status 1 when one of them did not cosign."""
    try:
        witnesses.collect()
        standings = witnesses.standings(db.session())
    except SoiError as error:
        raise click.ClickException(str(error)) from error
    if not standings:
        click.echo("The policy names no witness.")
    for one in standings:
        held = "nothing yet" if one.size is None else f"{one.size} entries"
        click.echo(f"{one.name}: holds {held}{f'; {one.trouble}' if one.trouble else ''}")
    state = store.ensure_born()
    if state.halted:
        click.echo(f"THE LOG IS HALTED: {state.halted}")
    if state.halted or any(one.trouble for one in standings):
        raise SystemExit(1)
