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
    """Prove for each lot: packed = in stock + reserved + sold + held + lost, as batches, orders and the ledger have it.

    Ends with 1 when it is not so."""
    lots = faulty = 0
    for line in audit(db.session()):
        lots += 1
        faulty += bool(line.faults)
        if every or line.faults:
            sums = f"in stock {line.in_stock} + reserved {line.reserved} + sold {line.sold}"
            click.echo(f"{line.lot}: packed {line.packed} = {sums} + held {line.held} + lost {line.lost}")
        for fault in line.faults:
            click.echo(f"  {fault}")
    click.echo(f"{lots} lots, {faulty} of them do not agree." if faulty else f"{lots} lots, all of them agree.")
    sys.exit(1 if faulty else 0)
