"""Puts EPCIS into the app."""

from flask import Flask

import trace.capture.jobs  # noqa: F401  # declares the kind of job
from trace.capture import services, words
from trace.capture.office_views import pages
from trace.capture.views import epcis, no_socket
from village.jobs.sweep import on_tidying
from village.web.api import api


def init_app(app: Flask) -> None:
    """Register its addresses, and what is tidied up."""
    api.register_blueprint(epcis)
    app.add_url_rule("/epcis/queries/<name>/events", "epcis_socket", no_socket, websocket=True)
    app.register_blueprint(pages)
    app.jinja_env.globals["claimed_step"] = words.step
    on_tidying(app, services.tidy)
