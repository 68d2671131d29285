"""`flask ledger keep`."""

import click
from flask import current_app

from trace.keeper.loop import Keeper


@click.command("keep")
@click.option("--once", is_flag=True, help="Do what is due now, and end: for a timer of your own.")
@click.option("--beside", type=int, metavar="PID", help="End when this process, which started the keeper, is gone.")
def keep(once: bool, beside: int | None) -> None:
    """Do what the log needs to have done by itself: cosignatures, the day's time stamp, the self-check, the export.

    The server starts it beside its workers; with KEEPER=off it does not, and this command is run apart. A second keeper
    of the same instance waits until the first is gone. With --once the exit status is 1 when something failed.
    """
    keeper = Keeper(current_app._get_current_object())  # type: ignore[attr-defined]  # the app behind the proxy
    if not once:
        keeper.run(beside)
    elif not keeper.once():
        raise SystemExit(1)
