"""Two sensors in one household's dryer, and the curves that go with what was dried there. All readings are made up."""

import datetime as dt

from sqlalchemy import select

from batches.sensors import binding, services
from batches.sensors.cli import make_up
from batches.sensors.models import Sensor
from batches.sensors.schemas import sensor_fields
from village.db import db
from village.forms import Form
from village.people.access import Actor

FIRES = dt.timedelta(hours=9)
"""How long the dryer is fired for one batch."""
FORMS = (
    {"name": "Nhiệt kế lò sấy", "type": "Temperature", "usual_low": "35", "usual_high": "60"},
    {"name": "Ẩm kế lò sấy", "type": "RelativeHumidity", "usual_low": "15", "usual_high": "60"},
)


def register(office: Actor, site_id: str) -> None:
    """The office registers both, once."""
    known = {one.name for one in binding.sensors_at(db.session(), site_id)}
    for form in FORMS:
        if form["name"] not in known:
            services.add_sensor(office, sensor_fields(Form({**form, "site": site_id})))


def fire(site_id: str, end: dt.datetime) -> None:
    """The dryer is fired for some hours, and both tell of it until shortly after `end`."""
    for one in db.session.scalars(select(Sensor).where(Sensor.site_id == site_id).order_by(Sensor.number)).all():
        make_up(one, end - FIRES, end + dt.timedelta(minutes=15))


def measured(who: Actor, site_id: str, end: dt.datetime, batch_id: str, event_id: str) -> None:
    """A batch was dried until `end`: what the sensors told goes with it."""
    fire(site_id, end)
    binding.bind(who, batch_id, event_id)
