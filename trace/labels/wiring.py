"""Puts the labels into the app."""

from flask import Flask

import trace.labels.jobs  # noqa: F401  # declares the kind of job
from trace.labels import files
from trace.labels.views import pages
from village.jobs.sweep import on_tidying


def init_app(app: Flask) -> None:
    """Register the addresses, and the tidying away of old files."""
    app.register_blueprint(pages)
    on_tidying(app, files.tidy)
