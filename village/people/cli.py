"""`flask members …` and `flask coops …`: what has to work before anybody can sign in."""

import click
from flask import current_app, url_for
from flask.cli import AppGroup
from sqlalchemy import select

from village import gs1
from village.db import db
from village.errors import SoiError
from village.forms import Form
from village.people import services
from village.people.access import Actor
from village.people.models import Member, Role
from village.people.schemas import make_fields
from village.places.models import Cooperative, Household
from village.places.schemas import cooperative_fields
from village.places.services import found_cooperative

members = AppGroup("members", help="Members: who signs in, and what programs may do in their name.")
coops = AppGroup("coops", help="Cooperatives: each has an office that takes its members in.")
ROLES = [role.value for role in Role]


@coops.command("add")
@click.option("--name", required=True, help="Its full name, as scan pages show it.")
@click.option("--gln", required=True, help="Its GS1 location number, 13 digits with the right check digit.")
@click.option("--address", required=True, help="Its address, as scan pages show it.")
@click.option("--phone", required=True, help="Its telephone number.")
@click.option("--registration", required=True, help="Its business registration or tax number.")
def add_coop(name: str, gln: str, address: str, phone: str, registration: str) -> None:
    """Found a cooperative. Then give it its first office member with `flask members add`."""
    form = Form({"name": name, "address": address, "phone": phone, "registration": registration})
    try:
        found_cooperative(gs1.gln13(gln), cooperative_fields(form))
    except SoiError as error:
        raise _said(error) from error
    click.echo(f"Founded {name}.")


@coops.command("list")
def list_coops() -> None:
    """Every cooperative with its GLN, one a line."""
    for cooperative in db.session.scalars(select(Cooperative).order_by(Cooperative.name)):
        click.echo(f"{cooperative.gln}  {cooperative.name}")


@members.command("add")
@click.argument("username")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be repeated.")
@click.option("--coop", "gln", help="GLN of the cooperative; may be left out while there is only one.")
@click.option("--household", help="Name of the household; producers need one.")
@click.option("--phone", default="", help="Telephone number, to sign in with instead of the user name.")
def add(username: str, name: str, roles: tuple[str, ...], gln: str | None, household: str | None, phone: str) -> None:
    """Take USERNAME in, and print a one-time sign-in link for them."""
    cooperative = _cooperative(gln)
    household_id = ""
    if household:
        found = db.session.scalar(select(Household.id).where(Household.name == household))
        if found is None:
            raise click.ClickException(f"There is no household called {household!r}.")
        household_id = found
    console = services.console(cooperative.id)
    try:
        member_id = services.add_member(console, make_fields(username, name, phone, list(roles), household_id))
        token = services.hand_out_link(console, member_id)
    except SoiError as error:
        raise _said(error) from error
    click.echo(_address(token))


@members.command("list")
def list_members() -> None:
    """Everybody: user name, roles, name, and whether they still take part."""
    for member in db.session.scalars(select(Member).order_by(Member.username)):
        roles = ",".join(role.role for role in member.roles)
        click.echo(f"{member.username:<20} {roles:<24} {member.name}{'' if member.active else '  (inactive)'}")


@members.command("token")
@click.argument("username")
@click.option("--label", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it works.")
def token(username: str, label: str, days: int) -> None:
    """Print a new API token of USERNAME, alone on one line. It is shown this once; we keep only its digest."""
    member, console = _member(username)
    try:
        click.echo(services.make_token(console, member.id, label, days))
    except SoiError as error:
        raise _said(error) from error


@members.command("link")
@click.argument("username")
def link(username: str) -> None:
    """Print a one-time sign-in link for USERNAME, good for 72 hours. An older unused one stops working."""
    member, console = _member(username)
    try:
        click.echo(_address(services.hand_out_link(console, member.id)))
    except SoiError as error:
        raise _said(error) from error


@members.command("deactivate")
@click.argument("username")
def deactivate(username: str) -> None:
    """Shut USERNAME out at once: sessions, links and tokens stop working. Nothing that they recorded goes away."""
    member, console = _member(username)
    try:
        services.deactivate_member(console, member.id)
    except SoiError as error:
        raise _said(error) from error
    click.echo(f"{username} is shut out.")


def _member(username: str) -> tuple[Member, Actor]:
    member = db.session.scalar(select(Member).where(Member.username == username.lower()))
    if member is None:
        raise click.ClickException(f"There is no member called {username!r}; `flask members list` shows all.")
    return member, services.console(member.cooperative_id)


def _cooperative(gln: str | None) -> Cooperative:
    found = list(db.session.scalars(select(Cooperative).where(Cooperative.gln == gln) if gln else select(Cooperative)))
    if len(found) == 1:
        return found[0]
    if gln:
        raise click.ClickException(f"There is no cooperative with GLN {gln}; `flask coops list` shows all.")
    hint = "name one with --coop" if found else "found one with `flask coops add`"
    raise click.ClickException(f"There are {len(found)} cooperatives; {hint}.")


def _address(token: str) -> str:
    with current_app.test_request_context():
        path = url_for("people.link", token=token)
    return str(current_app.extensions["soi"].public_url) + path


def _said(error: SoiError) -> click.ClickException:
    return click.ClickException(f"{error.field}: {error}" if error.field else str(error))
