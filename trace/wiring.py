"""Puts the room of trace into the app."""

from flask import Flask

import trace.events.models
import trace.ledger.models
import trace.lots.models  # noqa: F401  # the tables must be known before the first query
from trace.ledger.cli import ledger as ledger_cli
from trace.ledger.views import ledger
from village.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners."""
    app.register_blueprint(ledger)
    app.cli.add_command(ledger_cli)
