"""`flask shop reconcile <date>`: a day of each account, fetched and compared now."""

import datetime as dt
import sys

import click
import requests
from sqlalchemy import select

from shop.cli import shop
from shop.payments.bank.models import BankAccount
from shop.payments.bank.told import Unreadable
from shop.payments.daily.services import can_fetch, reconcile
from village.db import db


@shop.command("reconcile")
@click.argument("date", type=click.DateTime(("%Y-%m-%d",)))
def reconcile_day(date: dt.datetime) -> None:
    """Compare a day (2026-11-20) of every account that is watched with what was booked. Ends with 1 unless nothing was
    missing, nothing unknown, and all of it adds up."""
    accounts = [account for account in db.session.scalars(select(BankAccount)) if can_fetch(account)]
    ids = [(account.cooperative_id, account.cooperative.name) for account in accounts]
    db.session.remove()
    whole = True
    for cooperative_id, name in ids:
        try:
            made = reconcile(cooperative_id, date.date())
        except (requests.RequestException, Unreadable) as error:
            click.echo(f"{name}: could not be fetched ({type(error).__name__})")
            whole = False
            continue
        click.echo(
            f"{name}: {made.lines} credits, {made.amount} đồng; {made.known} known, {made.missing} missing,"
            f" {made.unknown} unknown, {made.faults} faults"
        )
        whole = whole and made.whole
    if not ids:
        click.echo("No account is watched by a service that can be asked.")
    sys.exit(0 if whole else 1)
