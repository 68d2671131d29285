"""Puts the laboratories' papers into the app."""

from flask import Flask

from trace.photos.store import Store
from trace.reports.services import STORE, folder
from trace.reports.views import pages
from village.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register their address."""
    app.extensions[STORE] = Store(folder(settings.instance))
    app.register_blueprint(pages)
