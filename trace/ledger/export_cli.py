"""`flask ledger export`: the published log as static files."""

import sys
from pathlib import Path

import click

from trace.ledger.cli import ledger
from trace.ledger.export import CannotExport
from trace.ledger.export import export as export_to
from village.errors import SoiError


@ledger.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--quiet", is_flag=True, help="Say nothing but the result.")
def export(folder: Path, quiet: bool) -> None:
    """Write the log into FOLDER as static files for a mirror, or add what is new to a mirror that is there.

    Put the folder where a web server shows it as /ledger/, and anybody can check it with soi_verify.py. A folder that
    mirrors another log, or knows more than this one, is left alone, with exit status 1.
    """

    def progress(done: int, total: int) -> None:
        if not quiet and sys.stderr.isatty():
            click.echo(f"\r{done} of {total} entries", nl=False, err=True)

    try:
        done = export_to(folder, progress)
    except (CannotExport, SoiError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror}; run it again to go on") from error
    if not quiet and sys.stderr.isatty():
        click.echo("", err=True)
    if done.files:
        click.echo(f"{folder} now has {done.size} entries ({done.size - done.before} new, {done.files} files written).")
    else:
        click.echo(f"{folder} has all {done.size} entries already.")
