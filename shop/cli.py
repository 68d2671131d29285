"""Commands of the shop."""

import sys
from collections import Counter
from collections.abc import Mapping

import click
from flask.cli import AppGroup

from shop.stock.audit import PARTS, audit
from trace.scan.family import snapshot

shop = AppGroup("shop", help="The shop: stock and orders.")


@shop.command("audit")
@click.option("--all", "every", is_flag=True, help="Show the lots that agree, too.")
def audit_stock(every: bool) -> None:
    """Prove for each lot: packed = in stock + reserved + sold + held + lost, as batches, orders and the ledger have it.

    Ends with 1 when it is not so."""
    lots = faulty = 0
    whole: Counter[str] = Counter()
    # While orders come and go, all that is compared has to be of one moment.
    with snapshot() as session:
        for line in audit(session):
            lots += 1
            faulty += bool(line.faults)
            whole.update(line.packs)
            if every or line.faults:
                click.echo(f"{line.gtin} lot {line.lot}: {_sum(line.packs)}")
            for fault in line.faults:
                click.echo(f"  {fault}")
    click.echo(f"All packs: {_sum(whole)}.")
    click.echo(f"{lots} lots, {faulty} of them do not agree." if faulty else f"{lots} lots, all of them agree.")
    sys.exit(1 if faulty else 0)


def _sum(packs: Mapping[str, int]) -> str:
    """`packed 30 = in stock 7 + reserved 4 + sold 17 + held 0 + lost 2`."""
    parts = [f"{name.replace('_', ' ')} {packs[name]}" for name in PARTS]
    return f"packed {packs['packed']} = {' + '.join(parts)}"
