"""Puts the village's room into the app."""

from flask import Flask

from village import i18n
from village.certificates.views import certificates
from village.jobs import wiring as jobs
from village.outbox import wiring as outbox
from village.people.cli import coops as coops_cli
from village.people.cli import members as members_cli
from village.people.office_views import members
from village.people.views import people
from village.places.views import places
from village.products.views import products
from village.settings import Settings
from village.web import api, assets, bodies, frame, observe, problems, security


def init_app(app: Flask, settings: Settings) -> None:
    """Ground first: logs, languages, headers, errors, frame; then members and what the office keeps."""
    observe.configure_logging(settings.log_level)
    observe.init_app(app, settings)
    i18n.init_app(app)
    security.init_app(app, settings)
    bodies.init_app(app)
    problems.init_app(app)
    assets.init_app(app)
    frame.init_app(app, settings)
    api.init_app(app)
    for pages in (people, members, places, products, certificates):
        app.register_blueprint(pages)
    jobs.init_app(app, settings)
    outbox.init_app(app)
    app.cli.add_command(members_cli)
    app.cli.add_command(coops_cli)
