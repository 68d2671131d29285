"""Puts the sheets into the app."""

from flask import Flask

import batches.sheets.jobs  # noqa: F401  # declares the kinds of job
from batches.sheets import files
from batches.sheets.views import pages
from village.jobs.sweep import on_tidying


def init_app(app: Flask) -> None:
    """Register the pages, and the tidying away of old files."""
    app.register_blueprint(pages)
    on_tidying(app, files.tidy)
