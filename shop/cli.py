"""Commands of the shop."""

import sys

import click
from flask.cli import AppGroup

from shop.stock.audit import audit
from village.db import db

shop = AppGroup("shop", help="The shop: stock and orders.")


@shop.command("audit")
@click.option("--all", "every", is_flag=True, help="Show the lots that agree, too.")
def audit_stock(every: bool) -> None:
    """Prove for each lot: packed = free + reserved + sold, as batches and orders have it. Ends with 1 when not."""
    lots = faulty = 0
    for line in audit(db.session()):
        lots += 1
        faulty += bool(line.faults)
        if every or line.faults:
            held = ", on hold" if line.on_hold else ""
            sums = f"free {line.free} + reserved {line.reserved} + sold {line.sold}"
            click.echo(f"{line.lot}: packed {line.packed} = {sums}{held}")
        for fault in line.faults:
            click.echo(f"  {fault}")
    click.echo(
        f"{lots} lots, {faulty} of them do not agree." if faulty else f"{lots} lots, all of them agree."
    )
    sys.exit(1 if faulty else 0)
