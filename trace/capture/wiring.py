"""Puts EPCIS into the app."""

from flask import Flask

import trace.capture.jobs
import trace.capture.resource_views
import trace.capture.views  # noqa: F401  # the kind of job and the addresses are declared as these are read
from trace.capture import words, working
from trace.capture.office_views import pages
from trace.capture.paging import epcis
from trace.capture.query_views import no_socket
from village.jobs.sweep import on_tidying
from village.web.api import api


def init_app(app: Flask) -> None:
    """Register its addresses, and what is tidied up."""
    api.register_blueprint(epcis)
    app.add_url_rule("/epcis/queries/<name>/events", "epcis_socket", no_socket, websocket=True)
    app.register_blueprint(pages)
    app.jinja_env.globals["claimed_step"] = words.step
    on_tidying(app, working.tidy)
