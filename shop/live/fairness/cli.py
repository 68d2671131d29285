"""`flask live verify`: is a livestream's public log whole, and is it the one that the ledger names?"""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from shop.live.fairness import checking
from trace.ledger.canonical import parse
from trace.ledger.errors import LedgerError
from trace.ledger.note import Verifier
from trace.ledger.proof import Proof, verify_proof
from trace.ledger.readable import visible

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("verify")
@click.argument("file", type=_FILE)
@click.option("--receipt", "receipts", multiple=True, type=_FILE, help="The receipt of an entry that an anchor names.")
@click.option("--key", "keys", multiple=True, help="The ledger's public key; needed with receipts; repeatable.")
def verify(file: Path, receipts: tuple[Path, ...], keys: tuple[str, ...]) -> None:
    """Check the public log of a livestream (/live/<id>/order.json): chain, end, anchors. Asks no database.

    Anchors are compared with what the ledger says where their receipts (/ledger/entries/<n>/receipt) are given.
    Ends with 1 when something does not hold, with 2 when nothing could be checked."""
    entries = dict(_proven(path, keys) for path in receipts)
    if file.stat().st_size > checking.MAX_BYTES:
        raise click.UsageError(f"{file} is larger than {checking.MAX_BYTES} bytes.")
    try:
        found = checking.check(file.read_bytes(), entries)
    except checking.Broken as error:
        _broken(str(error))
    click.echo(f"{visible(found.title)} ({found.session})")
    click.echo(f"  chain      {found.events} events, each names the one before it")
    click.echo(f"  decisions  {found.decisions}")
    for anchor in found.anchors:
        proven = "proven by its receipt" if anchor["entry"] in entries else "not compared: give its receipt"
        click.echo(f"  anchor     up to event {anchor['length']}: entry {anchor['entry']} of the ledger, {proven}")
    if found.loose:
        click.echo(f"  no anchor  the last {found.loose} events: so far only the village's word")
    if found.outside:
        click.echo(f"  outside    {found.outside} comments from before logs were chained")
    click.echo("HOLDS")


def _proven(path: Path, keys: tuple[str, ...]) -> tuple[int, dict[str, Any]]:
    """The entry that a receipt proves, by its index."""
    if not keys:
        raise click.UsageError("A receipt is checked with the ledger's public key: give it with --key.")
    try:
        known = [Verifier.parse(key) for key in keys]
        text = path.read_bytes()
        told = Proof.parse(text)
        if told.extra is None:
            _broken(f"{path.name}: there is no entry in this receipt")
        result = verify_proof(told.extra, text, known[0].name, known)
        if not result.holds:
            _broken(f"{path.name}: {result.failed}: {result.reason}")
        return told.index, parse(told.extra)
    except LedgerError as error:
        _broken(f"{path.name}: {error}")


def _broken(why: str) -> NoReturn:
    click.echo(f"DOES NOT HOLD: {visible(why)}")
    sys.exit(1)
