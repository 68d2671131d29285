"""Puts delivery into the app."""

from flask import Flask

from shop.delivery import hooks, money, views
from shop.delivery.rounds import see_to_it
from village.jobs.sweep import on_sweeping


def init_app(app: Flask) -> None:
    """Register its addresses, and what is asked for every few seconds."""
    for pages in (views.pages, money.pages, hooks.pages):
        app.register_blueprint(pages)
    on_sweeping(app, see_to_it)
