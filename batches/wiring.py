"""Puts the room of batches into the app."""

from flask import Flask

from batches.processes.catalogue import all_processes
from batches.stages.api import events
from batches.stages.views import pages
from village.settings import Settings
from village.web.api import api


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners. A process file that is wrong stops the start here."""
    all_processes()
    api.register_blueprint(events)
    app.register_blueprint(pages)
    app.jinja_env.filters["zip"] = zip
