"""Puts transfers, the exceptions desk and the daily comparison into the app."""

from flask import Flask

from shop.payments import inbox, views
from shop.payments.bank import hooks, links
from shop.payments.bank import views as bank_views
from shop.payments.daily import cli, jobs
from shop.payments.desk import views as desk_views
from village.jobs.sweep import on_sweeping

COMMANDS = (cli.reconcile_day,)
"""They stand under `flask shop`, whose group they joined."""


def init_app(app: Flask) -> None:
    """Register addresses, and what looks for work that has become due."""
    for pages in (views.pages, hooks.pages, bank_views.pages, desk_views.pages):
        app.register_blueprint(pages)
    on_sweeping(app, inbox.ask_for_the_rest)
    on_sweeping(app, links.ask_again)
    on_sweeping(app, jobs.ask_for_yesterday)
