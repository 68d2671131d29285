"""`flask ledger rotate …` and `flask ledger resume`: what the operator does with the log's keys and after a halt."""

from collections.abc import Callable
from typing import TypeVar

import click

from trace.ledger import rotation, store
from trace.ledger.cli import ledger
from village.errors import SoiError

T = TypeVar("T")


@ledger.group("rotate")
def rotate() -> None:
    """Change a key. The old and the new one sign the change, and the log keeps it."""


@rotate.command("begin")
def begin() -> None:
    """Make a new ledger key. From now on both keys sign every checkpoint."""
    new = _tried(rotation.begin)
    click.echo(f"Both keys sign from now on. The new one: {new.vkey}")
    click.echo("Copy its file to a safe place, tell the witnesses, and run `flask ledger rotate finish` weeks later.")


@rotate.command("finish")
@click.confirmation_option(prompt="Retire the old ledger key and destroy its file?")
def finish() -> None:
    """Retire the old ledger key and destroy its file."""
    gone = _tried(rotation.finish)
    click.echo(f"The old key is retired; destroyed: {', '.join(gone)}. Destroy its copies as well.")


@rotate.command("custodian")
@click.confirmation_option(prompt="Put a new custodian's key in place and destroy the old one?")
def custodian() -> None:
    """Put a new custodian's key in the old one's place, at once."""
    new = _tried(rotation.change_custodian)
    click.echo(f"The custodian's key is now {new.vkey}. Destroy all copies of the old one.")


@ledger.command("resume")
@click.option("--because", required=True, help="What was found out; it is kept with the evidence.")
def resume(because: str) -> None:
    """Let a halted log sign again, once it is known what was the matter."""
    why = store.resume(because)
    click.echo(f"The log signs again. It had been halted: {why}" if why else "The log is not halted.")


def _tried(act: Callable[[], T]) -> T:
    try:
        return act()
    except SoiError as error:
        raise click.ClickException(str(error)) from error
