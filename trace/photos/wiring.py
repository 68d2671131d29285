"""Puts the photos into the app."""

from flask import Flask

from trace.photos.cli import photos
from trace.photos.services import STORE, folder
from trace.photos.store import Store
from trace.photos.views import pages
from village.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register their address and command."""
    app.extensions[STORE] = Store(folder(settings.instance))
    app.register_blueprint(pages)
    app.cli.add_command(photos)
