"""`flask ledger anchor`."""

import click
from flask import current_app

from trace.anchors import services
from trace.anchors.stamp import StampError


@click.command("anchor")
def anchor() -> None:
    """Have the newest checkpoint stamped by the authority of TSA_URL (RFC 3161).

    The keeper does it once a day. Exit status 0 when the newest checkpoint has a stamp, 1 when the authority gave none
    that holds.
    """
    if not current_app.extensions["soi"].tsa_url:
        raise click.ClickException("there is no authority: set TSA_URL and TSA_CA")
    try:
        made = services.anchor()
    except StampError as error:
        raise click.ClickException(f"no stamp: {error}") from error
    if made is None:
        click.echo("The newest checkpoint was stamped before.")
    else:
        click.echo(f"{made.authority} stamped the log of {made.size} entries at {made.stamped_at.isoformat()}")
