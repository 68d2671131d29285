"""Puts the room of trace into the app."""

from flask import Flask

import village.revision  # noqa: F401  # the tables must be known before the first query
from trace.labels.views import pages as labels
from trace.ledger.cli import ledger as ledger_cli
from trace.ledger.views import ledger
from trace.lots.views import batches
from trace.scan.cache import Pages
from trace.scan.front import Front
from trace.scan.views import pages as scan
from village.settings import Settings
from village.web.api import api


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners."""
    kept = app.extensions["soi.scan.pages"] = Pages()
    app.wsgi_app = Front(app, app.wsgi_app, kept)  # type: ignore[method-assign]
    for pages in (ledger, scan, labels):
        app.register_blueprint(pages)
    api.register_blueprint(batches)
    app.cli.add_command(ledger_cli)
