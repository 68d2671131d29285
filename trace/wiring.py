"""Puts the room of trace into the app."""

from flask import Flask

import trace.ledger.export_cli  # its command joins the ledger's group
import trace.ledger.operator_cli  # its commands join the ledger's group
import trace.ledger.pages  # its addresses join the ledger's blueprint
import trace.ledger.witnesses_cli  # noqa: F401  # its command joins the ledger's group
import village.revision  # noqa: F401  # the tables must be known before the first query
from trace.capture import wiring as capturing
from trace.keeper import wiring as keeping
from trace.labels import wiring as labelling
from trace.ledger import gate
from trace.ledger.addresses import Number
from trace.ledger.cli import ledger as ledger_cli
from trace.ledger.evidence import evidence
from trace.ledger.views import ledger
from trace.lots.case_views import pages as cases
from trace.lots.views import batches
from trace.passports import wiring as passporting
from trace.photos import wiring as photographing
from trace.questions import wiring as questioning
from trace.recalls.api import recalls
from trace.reports import wiring as reporting
from trace.scan.beside_views import pages as beside_scan
from trace.scan.cache import Pages
from trace.scan.others import Compressed
from trace.scan.others import pages as gs1
from trace.scan.views import ROUTE
from trace.scan.views import pages as scan
from trace.series import shown as series
from trace.units import wiring as counting
from trace.verifier.views import pages as verifier
from trace.witness.cli import witness as witness_cli
from village.settings import Settings
from village.web.api import api
from village.web.front import Front


def init_app(app: Flask, settings: Settings) -> None:
    """Register its addresses, commands and listeners."""
    app.url_map.converters["number"] = Number
    app.url_map.converters["compressed"] = Compressed
    app.jinja_env.globals.update(series.TEMPLATE_GLOBALS)
    kept = app.extensions["soi.scan.pages"] = Pages()
    app.wsgi_app = Front(app, app.wsgi_app, kept, "/01/", ROUTE)  # type: ignore[method-assign]
    for pages in (ledger, evidence, scan, gs1, beside_scan, cases, verifier):
        app.register_blueprint(pages)
    api.register_blueprint(batches)
    api.register_blueprint(recalls)
    app.cli.add_command(ledger_cli)
    ledger_cli.add_command(witness_cli)
    gate.init_app(app)
    keeping.init_app(app)
    labelling.init_app(app)
    photographing.init_app(app, settings)
    passporting.init_app(app)
    questioning.init_app(app, settings)
    reporting.init_app(app, settings)
    capturing.init_app(app)
    counting.init_app(app)
