"""`flask photos …`: the photos' own housekeeping."""

import click
from flask.cli import AppGroup

from trace.photos.tidy import PART_DAYS, UNNAMED_DAYS
from trace.photos.tidy import tidy as put_away

photos = AppGroup("photos", help="The photos of the village's work.")


@photos.command("tidy")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def tidy(dry_run: bool) -> None:
    """Put away uploads that broke off and photos that no event names."""
    done = put_away(dry_run=dry_run)
    click.echo(f"{'Would put' if dry_run else 'Put'} away:")
    click.echo(f"  {done.parts} unfinished uploads, untouched for {PART_DAYS} days")
    click.echo(f"  {done.photos} photos that no event named in {UNNAMED_DAYS} days")
    click.echo(f"  {done.strays} files that nothing leads to")
