"""Puts the outbox into the app."""

from flask import Flask

import village.outbox.jobs  # noqa: F401  # declares its kind
from village.jobs.sweep import on_sweeping, on_tidying
from village.outbox.erasing import tidy
from village.outbox.metrics import OutboxFigures
from village.outbox.sending import see_to_it
from village.outbox.views import outbox
from village.web.observe import add_collector


def init_app(app: Flask) -> None:
    """Register its page, its figures, and what is done every few seconds and every hour."""
    app.register_blueprint(outbox)
    add_collector(app, OutboxFigures())
    on_sweeping(app, see_to_it)
    on_tidying(app, tidy)
