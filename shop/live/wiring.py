"""Puts livestreams into the app: their pages, commands and what has to be seen to."""

from flask import Flask

from shop.live import api as live_api
from shop.live import cli, offers, plans, resting, services, views
from shop.live.claims import ending as claims_ending
from shop.live.claims import joining as claims_joining
from shop.live.claims import views as claims_views
from shop.live.fairness import anchors
from shop.live.fairness import cli as fairness_cli
from shop.live.fairness import views as fairness_views
from shop.live.sources import hooks as source_hooks
from shop.live.sources import loading as source_files
from shop.live.sources import views as source_views
from shop.live.sources import watching as source_readers
from village.jobs.sweep import on_sweeping, on_tidying
from village.settings import Settings
from village.web.api import api


def init_app(app: Flask, settings: Settings) -> None:
    """Register their addresses and commands."""
    app.register_blueprint(views.pages)
    app.register_blueprint(plans.pages)
    app.register_blueprint(claims_views.pages)
    on_sweeping(app, claims_ending.see_to_it)
    on_sweeping(app, claims_joining.give_back_cancelled)
    on_sweeping(app, services.give_back_forgotten)
    on_sweeping(app, resting.see_to_it)
    on_sweeping(app, offers.lapse_due)
    api.register_blueprint(live_api.api)
    app.cli.add_command(cli.live)
    app.register_blueprint(fairness_views.pages)
    cli.live.add_command(fairness_cli.verify)
    on_sweeping(app, anchors.see_to_it)
    app.register_blueprint(source_views.pages)
    app.register_blueprint(source_hooks.pages)
    on_sweeping(app, source_readers.tend)
    on_tidying(app, source_files.tidy)
