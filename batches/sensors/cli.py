"""`flask sensors …`: thinning old readings; making up readings for a village that has no sensors."""

import datetime as dt

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from batches.sensors.intake import Sender, take_in
from batches.sensors.models import Sensor
from batches.sensors.rows import MOST_ROWS
from batches.sensors.simulate import drying
from batches.sensors.tidy import tidy
from village import clock
from village.db import db
from village.places.models import Site

sensors = AppGroup("sensors", help="Sensors of dryers and starch tanks.")


@sensors.command("tidy")
@click.option("--seconds", default=900, show_default=True, help="Stop after about so long; the next run goes on.")
def tidy_up(seconds: int) -> None:
    """Make quarters of an hour of readings older than SENSOR_RAW_DAYS. What went with a batch is kept as it is."""
    gone, done = tidy(seconds)
    click.echo(f"{gone} readings became quarters of an hour{'' if done else '; there are more'}.")


@sensors.command("simulate")
@click.option("--site", "gln", help="GLN of the place; all places with sensors without it.")
@click.option("--hours", default=10, show_default=True, type=click.IntRange(1, 240), help="How long, until now.")
def simulate(gln: str | None, hours: int) -> None:
    """Make up a drying day for the sensors that are registered. Never in production: the readings are invented."""
    if current_app.extensions["soi"].mode == "production":
        raise click.ClickException("Readings are never made up in production.")
    query = select(Sensor).where(Sensor.active).order_by(Sensor.number)
    if gln:
        query = query.where(Sensor.site_id.in_(select(Site.id).where(Site.gln == gln)))
    found = list(db.session.scalars(query))
    if not found:
        raise click.ClickException("There are no sensors there; the office registers them at /coop/sensors.")
    now = clock.now()
    for one in found:
        new = make_up(one, now - dt.timedelta(hours=hours), now)
        click.echo(f"{one.name}: {new} readings.")


def make_up(sensor: Sensor, start: dt.datetime, end: dt.datetime) -> int:
    """Send a made-up drying day for one sensor, through the same door as real readings; how many were new."""
    sender = Sender("", clock.now(), {sensor.id: sensor.number}, frozenset(), sensor.id)
    days = drying(sensor.type, int(start.timestamp()), int(end.timestamp()), seed=sensor.number)
    rows = [[at, value] for at, value in days]
    return sum(take_in(sender, rows[at : at + MOST_ROWS]).new for at in range(0, len(rows), MOST_ROWS))
