"""Puts the room of batches into the app."""

import sys

from flask import Flask

import batches.stages.correcting  # noqa: F401  # its page joins the stages'
from batches.balance.views import balances
from batches.balance.words import weight
from batches.devices.api import devices
from batches.devices.views import phones
from batches.dossier import wiring as dossiers
from batches.erasure.views import pages as erasure
from batches.evidence.api import photos
from batches.evidence.views import pages as evidence
from batches.field.api import field_api
from batches.field.refused import remember_refusal
from batches.field.views import field
from batches.office.views import office
from batches.processes.catalogue import versions
from batches.processes.cli import is_checking
from batches.processes.cli import processes as processes_cli
from batches.processes.loader import ProcessFileError
from batches.processes.views import pages as processes
from batches.sensors.alarms import SensorFigures
from batches.sensors.api import sensors as sensor_readings
from batches.sensors.cli import sensors as sensors_cli
from batches.sensors.views import pages as sensor_pages
from batches.sensors.views import part_of_batch as sensors_of_batch
from batches.sheets import wiring as sheets
from batches.stages.api import events
from batches.stages.offered import reason_name, weigh
from batches.stages.views import pages
from batches.training.cli import training as training_cli
from batches.training.views import pages as training
from trace.events import reasons
from trace.lots import weights
from village.products.materials import Material, offer
from village.settings import Settings
from village.web.api import api
from village.web.observe import add_collector


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners. A process file that is wrong stops the start here."""
    app.cli.add_command(processes_cli)
    try:
        known = versions()
    except ProcessFileError as error:
        if is_checking(sys.argv):
            return
        raise SystemExit(f"Soi cannot start: {error} `flask processes check` tells all.") from error
    # A material of an older version is still there while its batches are.
    each = (process for numbered in known.values() for process in numbered.values())
    offer(app, *(Material(p.key, m.key, m.name.vi, m.name.en) for p in each for m in p.materials))
    weights.offer(app, weigh)
    reasons.offer(app, reason_name)
    for addresses in (events, devices, sensor_readings, photos, field_api):
        api.register_blueprint(addresses)
    app.after_request_funcs.setdefault(events.name, []).append(remember_refusal)
    app.register_blueprint(pages)
    app.register_blueprint(processes)
    app.register_blueprint(balances)
    app.register_blueprint(phones)
    app.register_blueprint(erasure)
    app.register_blueprint(evidence)
    app.register_blueprint(sensor_pages)
    app.cli.add_command(sensors_cli)
    app.jinja_env.globals["sensors_of_batch"] = sensors_of_batch
    add_collector(app, SensorFigures())
    app.register_blueprint(field)
    app.register_blueprint(training)
    app.register_blueprint(office)
    app.cli.add_command(training_cli)
    sheets.init_app(app)
    dossiers.init_app(app, settings)
    app.jinja_env.filters["zip"] = zip
    app.jinja_env.filters["weight"] = weight
