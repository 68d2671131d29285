"""Puts single packs into the app."""

from flask import Flask

from trace.units.counting import Counter
from trace.units.page import COUNTER
from trace.units.views import pages


def init_app(app: Flask) -> None:
    """Register their addresses, and this process's counter of scans."""
    app.extensions[COUNTER] = Counter(app)
    app.register_blueprint(pages)
