"""`flask demo`: the invented village, told once."""

import datetime as dt
import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from shop.demo import beyond, evening
from shop.demo.books import timeline as books
from shop.demo.money import timeline as money
from shop.demo.places import settle
from shop.demo.sales import timeline
from shop.demo.season import Season, story
from shop.demo.shelf import timeline as shelf
from trace.ledger import store
from village import clock
from village.db import db, write
from village.people.models import Member
from village.people.services import console, hand_out_link
from village.places.models import Household
from village.settings import DEMO_MARK

FIRST_DAY = 46
MEMBERS = ("producer", "seller", "office", "auditor")
PLACES = (
    ("the shop", "/"),
    ("seller", "/seller, /seller/orders, /seller/live, /seller/products, /seller/payments, /seller/figures"),
    ("office", "/coop, /coop/settlements, /coop/recalls, /coop/balance"),
    ("producer", "/batches, /settlement"),
)
"""Who finds what where."""


@click.command("demo")
@with_appcontext
def demo() -> None:
    """Fill an empty village with an invented season: households, batches, labels, orders, a livestream.

    Run again, it changes nothing. It refuses a village in production, and one that already has members of its own.
    """
    settings = current_app.extensions["soi"]
    if settings.mode == "production":
        raise click.ClickException("The demo is never told in production: its people and batches are invented.")
    mark = settings.instance / DEMO_MARK
    today = _morning()
    if db.session.scalar(select(Member.id).limit(1)):
        if not mark.exists():
            raise click.ClickException("This village has members of its own; the demo needs an empty one.")
        if mark.read_text().strip() == "told":
            click.echo("The demo season has been told already.")
            _links()
            return
    elif db.session.scalar(select(Household.id).limit(1)):
        raise click.ClickException("This village has households of its own; the demo needs an empty one.")
    else:
        mark.write_text(f"{today.isoformat()}\n")
        with clock.fixed(today - dt.timedelta(days=FIRST_DAY)):
            store.ensure_born()
            with write() as session:
                settle(session)
    # Begun once and cut off: the same season goes on, since every step has its own id.
    today = dt.datetime.fromisoformat(mark.read_text().strip())
    season = [*Season(today).timeline(story()), *timeline(today), *shelf(today), *books(today), *money(today)]
    happens = sorted([*season, *beyond.timeline(today), *evening.timeline(today)], key=lambda one: one[0])
    for number, (moment, act) in enumerate(happens, start=1):
        with clock.fixed(moment):
            act()
        _progress(number, len(happens))
    mark.write_text("told\n")
    click.echo(f"\rThe demo season is told: {store.ensure_born().size} entries on the ledger.")
    _links()


def _links() -> None:
    """A fresh one-time link for each of the four; an older unused one stops working."""
    click.echo("Sign in with these links; each works once:")
    for username in MEMBERS:
        member = db.session.scalars(select(Member).where(Member.username == username)).one()
        token = hand_out_link(console(member.cooperative_id), member.id)
        click.echo(f"  {username:<9} {current_app.extensions['soi'].public_url}/sign-in/link/{token}")
    click.echo("Where to look:")
    for who, addresses in PLACES:
        click.echo(f"  {who:<9} {addresses}")


def _morning() -> dt.datetime:
    """Five in the morning of today, or of yesterday until ten: nothing of the demo is yet to come."""
    now = clock.now().astimezone(clock.VN)
    day = now if now.hour >= 10 else now - dt.timedelta(days=1)
    return day.replace(hour=5, minute=0, second=0, microsecond=0)


def _progress(done: int, of: int) -> None:
    if sys.stdout.isatty():
        click.echo(f"\r{done} of {of}", nl=False)
