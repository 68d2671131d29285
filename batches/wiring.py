"""Puts the room of batches into the app."""

from flask import Flask

from batches.devices.api import devices
from batches.devices.views import phones
from batches.erasure.views import pages as erasure
from batches.processes.catalogue import all_processes
from batches.stages.api import events
from batches.stages.views import pages
from village.products.materials import Material, offer
from village.settings import Settings
from village.web.api import api


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners. A process file that is wrong stops the start here."""
    offer(
        app,
        *(Material(p.key, m.key, m.name.vi, m.name.en) for p in all_processes().values() for m in p.materials),
    )
    for addresses in (events, devices):
        api.register_blueprint(addresses)
    app.register_blueprint(pages)
    app.register_blueprint(phones)
    app.register_blueprint(erasure)
    app.jinja_env.filters["zip"] = zip
