"""Puts the keeper and the anchors into the app."""

from flask import Flask

from trace.anchors.cli import anchor
from trace.anchors.views import pages as anchors
from trace.keeper.cli import keep
from trace.keeper.metrics import LedgerFigures
from trace.keeper.views import banner, keeper
from trace.ledger.cli import ledger as ledger_cli
from village.web.observe import add_collector


def init_app(app: Flask) -> None:
    """Register addresses and commands, the log's figures, and the alarm in the office's frame."""
    for pages in (anchors, keeper):
        app.register_blueprint(pages)
    for command in (anchor, keep):
        ledger_cli.add_command(command)
    app.context_processor(banner)
    add_collector(app, LedgerFigures())
