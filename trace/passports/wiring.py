"""Puts the passports into the app."""

from flask import Flask

from trace.passports.services import PAGES, note_all
from trace.passports.views import pages
from trace.scan.cache import Pages
from village.jobs.sweep import on_tidying

MAX_PAGES, MAX_BYTES = 400, 16 << 20
"""Answers kept in a process."""


def init_app(app: Flask) -> None:
    """Register their addresses, and the hourly look whether one has changed."""
    app.extensions[PAGES] = Pages(MAX_PAGES, MAX_BYTES)
    app.register_blueprint(pages)
    on_tidying(app, note_all)
